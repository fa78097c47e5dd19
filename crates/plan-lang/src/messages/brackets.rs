//! Messages for brackets and quotes that are not closed, with a guess from the indentation.

use super::missing::starts_value;
use super::{Source, foreign, misspelt, separators, shown};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};
use crate::text::Span;

/// `)`, `]` or `>` is missing at `at`, or a comma is.
pub(super) fn unclosed(
    node: &SyntaxNode,
    at: u32,
    open: &str,
    close: &str,
    source: Source<'_>,
) -> Diagnostic {
    let (next, span) = source.next_on_line(at);
    let opener = node.tokens().find(|token| token.text() == open).map_or(node.span(), |token| token.span());
    let separated = matches!(node.kind(), SyntaxKind::Args | SyntaxKind::List | SyntaxKind::MockSequence);
    let is_value = next.starts_with(|c: char| c == '_' || c == '"' || c.is_alphanumeric());
    if node.kind() == SyntaxKind::Args && next == "_" {
        return Diagnostic::error(codes::FOREIGN_FORM, "a lambda is written `x => x + 1`").primary(span, "");
    }
    if separated && is_value && source.last_char(at) != Some(',') {
        let found = Diagnostic::error(codes::MISSING_COMMA, format!("`,` is missing before {}", shown(next)))
            .primary(Span::at(at), "expected `,`");
        let leads: &[&str] = match node.kind() {
            SyntaxKind::MockSequence => &foreign::MOCK_WORDS,
            _ => &foreign::EXPRESSION_WORDS,
        };
        if let Some(meant) = misspelt::beside(at, leads, source) {
            return meant.told(found);
        }
        return found.fix(Fix::maybe("add `,`").insert(at, ","));
    }
    if node.kind() == SyntaxKind::Args && next == "->" {
        return separators::lambda(span);
    }
    if node.kind() == SyntaxKind::Paren
        && next == ","
        && let Some(arrow) = arrow_behind_names(opener.end, source)
    {
        return separators::lambda(arrow);
    }
    if separated && next == "," {
        return Diagnostic::error(codes::MISSING_EXPR, "a value is missing before `,`")
            .primary(span, "expected a value")
            .fix(Fix::maybe("remove `,`").delete(span));
    }
    if node.kind() == SyntaxKind::Args && next == "=" && starts_value(source.next(span.end).0) {
        return Diagnostic::error(codes::NO_MEMBER, "an argument is named by `:`")
            .primary(span, "expected `:`")
            .fix(Fix::safe("write `:`").replace(Span::new(at, span.end), ":"));
    }
    let found = Diagnostic::error(codes::UNCLOSED, format!("`{open}` is not closed"))
        .secondary(opener, "opened here");
    if open == "<" && next == "<" {
        return found
            .primary(span, "nests too deep")
            .help("types in `<..>` nest three deep: declare a record for the inner one");
    }
    // `sequnce [1, 2]` reads as an index.
    let (word, word_span) = source.before(opener.start);
    let meant = (node.kind() == SyntaxKind::Index)
        .then(|| Diagnostic::error(codes::NO_STATEMENT, format!("`{word}` starts no list of answers")))
        .map(|found| found.primary(word_span, "").did_you_mean(word, word_span, ["sequence"]));
    if let Some(meant) = meant.filter(|meant| meant.fix.is_some()) {
        return meant;
    }
    if let Some(meant) = misspelt::beside(at, &[], source) {
        return meant.told(found.primary(meant.span, format!("expected `{close}`")));
    }
    if matches!(next, ")" | "]" | "}") && next != close && next != "}" {
        return found
            .primary(span, format!("expected `{close}`"))
            .fix(Fix::maybe(format!("write `{close}`")).replace(span, close));
    }
    found
        .primary(Span::at(at), format!("expected `{close}`"))
        .fix(Fix::maybe(format!("add `{close}`")).insert(at, close))
}

/// The `->` of `(a, b) -> ..`, whose names start at `at`.
fn arrow_behind_names(at: u32, source: Source<'_>) -> Option<Span> {
    let (names, _) = source.text.get(at as usize..)?.lines().next()?.split_once(')')?;
    let is_name = |c: char| c == '_' || c.is_alphanumeric();
    let end = at + u32::try_from(names.len()).ok()? + 1;
    let (arrow, span) = source.next_on_line(end);
    let are_names = names.split(',').all(|name| !name.trim().is_empty() && name.trim().chars().all(is_name));
    (are_names && arrow == "->").then_some(span)
}

/// `}` is missing in `node`. Which brace it belongs to is guessed from the indentation: a block whose next
/// line is not indented more than the line that opened it was to end before that line. Then what follows
/// that line was misread.
pub(super) fn unclosed_brace(
    node: &SyntaxNode,
    outside: Option<OutsideLine>,
    source: Source<'_>,
) -> (Diagnostic, Option<u32>) {
    let found = Diagnostic::error(codes::UNCLOSED, "`{` is not closed");
    let Some(OutsideLine { opener, line, .. }) = outside else {
        let opener = brace_of(node).unwrap_or(node.span());
        let (indent, _) = source.indent(opener.start);
        let end = significant_end(node);
        let message = found
            .primary(opener, "opened here")
            .secondary(Span::at(end), "expected `}`")
            .fix(Fix::maybe("add `}`").insert(end, format!("\n{indent}}}")));
        return (message, None);
    };
    let (indent, _) = source.indent(opener.start);
    let (own, _) = source.indent(line.start);
    let start = line.start.saturating_sub(u32::try_from(own.len()).unwrap_or(0));
    let first = source.text.get(line.range()).and_then(|line| line.chars().next());
    let first =
        Span::new(line.start, line.start + first.map_or(1, |c| u32::try_from(c.len_utf8()).unwrap_or(1)));
    let message = found
        .primary(opener, "opened here")
        .secondary(first, "by its indentation this line is outside")
        .fix(Fix::maybe("add `}` before that line").insert(start, format!("{indent}}}\n")));
    (message, Some(line.start))
}

/// Where the last token in `node` that is no blank or comment ends.
fn significant_end(node: &SyntaxNode) -> u32 {
    let tokens = node.all_tokens().filter(|token| !token.kind().is_trivia());
    tokens.last().map_or(node.span().end, |token| token.span().end)
}

/// A node in braces with a line in it that is indented as if it were outside.
#[derive(Clone, Copy)]
pub(super) struct OutsideLine {
    /// The node.
    span: Span,
    opener: Span,
    line: Span,
}

/// All of a declaration, found once: each missing brace asks for them.
pub(super) struct OutsideLines(Vec<OutsideLine>);

impl OutsideLines {
    pub(super) fn of(item: &SyntaxNode, source: Source<'_>) -> Self {
        Self(item.descendants().filter_map(|node| outside_line(&node, source)).collect())
    }

    /// The first in `node`, its own before those of the nodes in it.
    pub(super) fn first_in(&self, node: &SyntaxNode) -> Option<OutsideLine> {
        let span = node.span();
        // Nodes come before those in them, so that they start in order.
        let first = self.0.partition_point(|line| line.span.start < span.start);
        self.0
            .iter()
            .skip(first)
            .take_while(|line| line.span.start <= span.end)
            .find(|line| line.span.end <= span.end)
            .copied()
    }
}

fn outside_line(node: &SyntaxNode, source: Source<'_>) -> Option<OutsideLine> {
    let opener = brace_of(node)?;
    let (outside, _) = source.indent(opener.start);
    let line = node.children().find(|child| {
        let (indent, starts_line) = source.indent(child.span().start);
        !child.span().is_empty()
            && starts_line
            && indent.len() <= outside.len()
            && child.span().start > opener.start
    })?;
    Some(OutsideLine { span: node.span(), opener, line: line.span() })
}

fn brace_of(node: &SyntaxNode) -> Option<Span> {
    let mut tokens = node.elements().filter_map(|element| match element {
        SyntaxElement::Token(token) if !token.kind().is_trivia() => Some(token),
        _ => None,
    });
    // A record literal has its name before the brace.
    let brace = tokens.find(|token| token.kind() == SyntaxKind::Punct)?;
    (brace.text() == "{").then(|| brace.span())
}

/// The closing quote is missing at `at`. After a text in `"""` everything was misread.
pub(super) fn unclosed_text(node: &SyntaxNode, at: u32, source: Source<'_>) -> (Diagnostic, Option<u32>) {
    let quote = node.first_token().map_or(node.span(), |token| token.span());
    let found =
        Diagnostic::error(codes::UNCLOSED_TEXT, "the text is not closed").primary(quote, "opened here");
    if quote.len() == 3 {
        let found = found
            .secondary(Span::at(at), "not closed before here")
            .note("text in `\"\"\"` ends before a declaration in column 0: indent all its lines");
        return (found, Some(quote.start));
    }
    let rest = source.text.get(at as usize..).unwrap_or("");
    let line_end = rest.find(['\n', '\r']).unwrap_or(rest.len());
    let line_end = at + u32::try_from(line_end).unwrap_or(0);
    let line = Span::new(quote.end, line_end.max(quote.end)).text(source.text);
    let end = quote.end + u32::try_from(before_closers(line).len()).unwrap_or(0);
    let found = found
        .note("a text in `\"` ends on its own line; one in `\"\"\"` may have several")
        .fix(Fix::maybe("add `\"`").insert(end, "\""));
    (found, None)
}

/// The text without the brackets and commas at its end that close nothing in it: they belong to what is around.
fn before_closers(text: &str) -> &str {
    let count = |wanted: char| text.matches(wanted).count();
    let mut surplus = [('(', ')'), ('[', ']'), ('{', '}')]
        .map(|(open, close)| (close, count(close).saturating_sub(count(open))));
    let mut text = text.trim_end();
    while let Some(last) = text.chars().next_back() {
        match surplus.iter_mut().find(|(close, surplus)| *close == last && *surplus > 0) {
            Some((_, surplus)) => *surplus -= 1,
            None if last == ',' => {}
            None => break,
        }
        text = text.strip_suffix(last).unwrap_or(text).trim_end();
    }
    text
}

/// `if Foo { a: 1 } == x {`: the brace after the name opened the block, not a record.
pub(super) fn record_in_head(node: &SyntaxNode) -> Option<Diagnostic> {
    let body = match node.kind() {
        SyntaxKind::If | SyntaxKind::ElseIf | SyntaxKind::For => SyntaxKind::Block,
        SyntaxKind::Match => SyntaxKind::Arms,
        _ => return None,
    };
    let head = node.child(SyntaxKind::Expr)?.last_token()?;
    let is_name = head.kind() == SyntaxKind::Ident && head.text().starts_with(char::is_uppercase);
    let body = node.child(body).filter(|_| is_name)?;
    let significant: Vec<_> = body.all_tokens().filter(|token| !token.kind().is_trivia()).take(3).collect();
    let [_, key, colon] = significant.as_slice() else { return None };
    if key.kind() != SyntaxKind::Ident || colon.text() != ":" {
        return None;
    }
    let span = Span::new(head.span().start, body.span().start + 1);
    Some(
        Diagnostic::error(
            codes::RECORD_IN_HEAD,
            "a record in the head of `if`, `match` or `for` needs parentheses",
        )
        .primary(span, "this `{` opens the body")
        .help("put the record into parentheses, or bind it to a name by `let` before"),
    )
}
