//! Texts of plans: read and laid out.

use plan_lang::codes::SOURCE_TOO_LARGE;
use plan_lang::syntax::SyntaxKind;
use plan_lang::{Diagnostic, Parse, SourceFile, parse as parse_text, parse_bytes, render};

/// Longest text whose meaning is compared; it is some hundred times as long as the text.
const COMPARED_BYTES_MAX: usize = 64 << 10;

/// A text may get ten times as long as it was, by line ends and indentation.
const GROWING_BYTES_MIN: usize = plan_lang::limits::MAX_SOURCE_BYTES / 10;

/// Reading keeps every byte, reports what it does not understand, and gives the same whether it starts anew or from an
/// earlier state.
pub(crate) fn parse(data: &[u8]) {
    let parse = parse_bytes(data);
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(parse.has_errors(), "bytes that are no text are read without a word");
        return;
    };
    let root = parse.syntax();
    assert_eq!(root.text(), text, "the tree is not the text");
    let broken = root.descendants().any(|node| node.kind().is_missing() || node.kind().is_error())
        || root.all_tokens().any(|token| token.kind().is_error());
    assert!(!broken || parse.has_errors(), "silent about a broken tree");
    well_placed(text, parse.diagnostics());
    for found in parse.diagnostics() {
        assert!(!found.message.contains(char::is_control), "not one line: {found:?}");
    }
    let shown = render(&SourceFile { name: "fuzz.orch", text }, parse.diagnostics(), false);
    assert_eq!(shown.is_empty(), parse.diagnostics().is_empty());
    // As an editor has it: the text grows.
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let grown = parse_text(text.get(..half).unwrap_or("")).update(text);
    assert_eq!(grown.diagnostics(), parse.diagnostics(), "an update finds something else");
    assert_eq!(grown.syntax().text(), text);
}

/// Places lie in the text and on borders of characters, and fixes can be made.
pub(crate) fn well_placed(text: &str, found: &[Diagnostic]) {
    for diagnostic in found {
        assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
        for label in &diagnostic.labels {
            assert!(text.get(label.span.range()).is_some(), "a place outside the text: {diagnostic:?}");
        }
        if let Some(fix) = &diagnostic.fix {
            assert!(fix.apply(text).is_some(), "a fix that cannot be made: {diagnostic:?}");
        }
    }
}

/// A text is laid out exactly if it can be read, which is the answer; that changes no meaning, neither loses
/// nor moves a comment, and happens once.
pub(crate) fn format(text: &str) -> bool {
    let before = parse_text(text);
    let formatted = match plan_lang::format(text) {
        Ok(formatted) => formatted,
        Err(found) => {
            // The only reason that a text can have which can be read: it gets too long.
            let grown =
                found.iter().all(|found| found.code == SOURCE_TOO_LARGE) && text.len() > GROWING_BYTES_MIN;
            assert!(before.has_errors() || grown, "not laid out: {found:?}");
            return false;
        }
    };
    assert!(!before.has_errors(), "a text with errors is laid out:\n{text}");
    let after = parse_text(&formatted);
    let broken = after.has_errors();
    assert!(!broken, "broken by layout:\n{text}\n-----\n{formatted}\n{:?}", after.diagnostics());
    assert_eq!(comments(&before), comments(&after), "comments lost or moved:\n{text}\n-----\n{formatted}");
    let again = plan_lang::format(&formatted);
    assert_eq!(again.as_deref(), Ok(formatted.as_str()), "laid out twice:\n{text}");
    if text.len() <= COMPARED_BYTES_MAX {
        assert_eq!(meaning(&before), meaning(&after), "another meaning:\n{text}\n-----\n{formatted}");
    }
    true
}

/// The comments and docs of a text in their order, each between the words around it. What the layout adds and spares is
/// no word: separators, the parentheses of one parameter.
fn comments(parse: &Parse) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut before, mut open) = (String::new(), 0);
    for token in parse.syntax().all_tokens() {
        let text: String = token.text().split_whitespace().collect();
        match token.kind() {
            SyntaxKind::Comment | SyntaxKind::Doc => {
                found.push(format!("{} after `{before}` before ", token.text().trim_end()));
            }
            _ if matches!(text.as_str(), "" | "," | ";" | "(" | ")") => {}
            _ => {
                found.iter_mut().skip(open).for_each(|comment| comment.push_str(&text));
                open = found.len();
                before = text;
            }
        }
    }
    found
}

/// The AST without positions, which are shown as `@12..34`.
pub(crate) fn meaning(parse: &Parse) -> String {
    let shown = format!("{:?}", parse.ast().items);
    let mut parts = shown.split('@');
    let mut meaning = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        meaning.push('@');
        meaning.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
    }
    meaning
}
