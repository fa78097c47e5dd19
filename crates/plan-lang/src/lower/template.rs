//! Texts: escapes, dedenting of `"""`, parts to fill in.

use super::Lower;
use super::expr::{Slot, error_at};
use crate::ast::{Template, TemplatePart, Text};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};
use crate::text::Span;

/// A part of a text as it is written.
enum Raw {
    /// Text with escapes, and where it starts.
    Text(String, u32),
    /// `{expr}`.
    Part(SyntaxNode),
}

impl Lower {
    /// The text directly in `node`, if there is one.
    pub(super) fn template_in(&mut self, node: &SyntaxNode) -> Option<Template> {
        let text = node.child(SyntaxKind::String)?;
        Some(self.template(&text))
    }

    /// A [`SyntaxKind::String`] node.
    pub(super) fn template(&mut self, node: &SyntaxNode) -> Template {
        let is_long = node.first_token().is_some_and(|quote| quote.text() == "\"\"\"");
        let mut raw = Vec::new();
        for element in node.elements() {
            match element {
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::StringText => {
                    raw.push(Raw::Text(token.text().to_owned(), token.span().start));
                }
                SyntaxElement::Node(part) if part.kind() == SyntaxKind::Interpolation => {
                    raw.push(Raw::Part(part))
                }
                _ => {}
            }
        }
        let dedent = if is_long { Some(Dedent::of(&raw)) } else { None };
        if is_long {
            self.check_columns(&raw);
        }
        let last = raw.len().saturating_sub(1);
        let mut parts: Vec<TemplatePart> = Vec::new();
        for (index, part) in raw.iter().enumerate() {
            match part {
                Raw::Text(text, start) => {
                    let value = self.unescape(text, *start);
                    let value = match &dedent {
                        Some(dedent) => dedent.apply(text, &value, index == 0, index == last),
                        None => value.concat(),
                    };
                    if !value.is_empty() {
                        parts.push(TemplatePart::Text(value));
                    }
                }
                Raw::Part(part) => parts.push(TemplatePart::Expr(self.part(part, is_long))),
            }
        }
        Template { parts, span: node.span() }
    }

    /// A text that must have no parts to fill in.
    pub(super) fn fixed_text(&mut self, node: &SyntaxNode, what: &str) -> Text {
        let template = self.template(node);
        let value = match template.as_text() {
            Some(text) => text.to_owned(),
            None => {
                let part = node.child(SyntaxKind::Interpolation).map_or(template.span, |part| part.span());
                self.report(
                    Diagnostic::error(codes::FIXED_TEXT, format!("{what} is fixed text"))
                        .primary(part, "nothing can be filled in here")
                        .help("write `\\{` for a brace"),
                );
                String::new()
            }
        };
        Text { value, span: template.span }
    }

    fn part(&mut self, node: &SyntaxNode, is_long: bool) -> crate::ast::Expr {
        if node.children().any(|child| child.kind() == SyntaxKind::ErrorInterpolation) {
            return error_at(node.span());
        }
        if !is_long && node.has_line_end() {
            self.report(
                Diagnostic::error(
                    codes::INTERPOLATION_LINES,
                    "a text in `\"` ends on its own line, and so does each part of it",
                )
                .primary(Span::new(node.span().start, node.span().start + 1), "runs over a line end")
                .help("bind the part to a name by `let` before, or use a text in `\"\"\"`"),
            );
        }
        self.expr_in(node, 0, Slot::Value)
    }

    /// Text in `"""` never starts in column 0, so that a declaration can always be found there.
    fn check_columns(&mut self, raw: &[Raw]) {
        for (index, part) in raw.iter().enumerate() {
            let Raw::Text(text, start) = part else { continue };
            let ends_before_part = index + 1 < raw.len();
            let offending = text.match_indices('\n').map(|(at, _)| at + 1).find(|&at| {
                let next = text.get(at..).and_then(|rest| rest.chars().next());
                next.map_or(ends_before_part, |next| !matches!(next, ' ' | '\t' | '\r' | '\n'))
            });
            if let Some(at) = offending {
                let offset = start.saturating_add(u32::try_from(at).unwrap_or(0));
                let first = text.get(at..).and_then(|rest| rest.chars().next());
                let end = offset + first.map_or(1, |c| u32::try_from(c.len_utf8()).unwrap_or(1));
                self.report(
                    Diagnostic::error(codes::TEXT_COLUMN, "text in `\"\"\"` cannot start in column 0")
                        .primary(Span::new(offset, end), "indent this line")
                        .note("the indentation that all lines share is not part of the text")
                        .fix(Fix::maybe("indent it").insert(offset, "  ")),
                );
                return;
            }
        }
    }

    /// Resolves escapes. The result comes in pieces: one for each line of `text`, its `\n` included, so
    /// that an escaped `\n` is not taken for a line end by dedenting.
    fn unescape(&mut self, text: &str, start: u32) -> Vec<String> {
        let mut lines = vec![String::new()];
        // Braces that were opened as characters and are not closed yet.
        let mut open = 0_u32;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let mut push = |c: char| {
                if let Some(line) = lines.last_mut() {
                    line.push(c);
                }
            };
            let offset = start.saturating_add(u32::try_from(at).unwrap_or(0));
            match c {
                '\r' if chars.peek().is_some_and(|(_, next)| *next == '\n') => {}
                '\n' => {
                    push('\n');
                    lines.push(String::new());
                }
                '}' => {
                    self.report(lone_brace(text.get(..at).unwrap_or(""), offset, open > 0));
                    push('}');
                }
                '\\' => {
                    let (value, len) = escape(text.get(at..).unwrap_or(""));
                    match value {
                        Some('{') => open += 1,
                        Some('}') => open = open.saturating_sub(1),
                        _ => {}
                    }
                    match value {
                        Some(value) => push(value),
                        None => self.bad_escape(offset, len, text.get(at..).unwrap_or("\\")),
                    }
                    while chars.peek().is_some_and(|(next, _)| *next < at + len) {
                        chars.next();
                    }
                }
                c => push(c),
            }
        }
        lines
    }

    /// An escape of `len` bytes at the start of `text` that there is not.
    fn bad_escape(&mut self, offset: u32, len: usize, text: &str) {
        let end = |len: usize| offset + u32::try_from(len).unwrap_or(1);
        let (text, behind) = (text.get(..len).unwrap_or(text), text);
        let fix = match four_digits(behind) {
            Some(digits) => {
                let escape = format!("\\u{{{digits}}}");
                Fix::maybe(format!("write `{escape}`"))
                    .replace(Span::new(offset, end(2 + digits.len())), escape)
            }
            None => Fix::maybe("write `\\\\` for a backslash").insert(offset, "\\"),
        };
        let (message, shown) = match text.chars().nth(1) {
            Some('\n' | '\r') => ("a backslash before a line end is no escape".to_owned(), 1),
            _ => (format!("there is no escape `{text}`"), len),
        };
        self.report(
            Diagnostic::error(codes::BAD_ESCAPE, message)
                .primary(Span::new(offset, end(shown)), "")
                .help("escapes are `\\n` `\\r` `\\t` `\\\"` `\\\\` `\\{` `\\}` `\\u{1F600}`")
                .fix(fix),
        );
    }
}

/// A `}` at `offset`, behind the text `before` of the same piece, in which a brace `is_open` as a character. Which of the
/// two was meant, the author knows: a part whose `{` is forgotten, or the character, as one that was escaped is closed.
fn lone_brace(before: &str, offset: u32, is_open: bool) -> Diagnostic {
    let found = Diagnostic::error(codes::LONE_BRACE, "`}` in a text closes nothing")
        .primary(Span::new(offset, offset + 1), "");
    let rest = before.trim_end_matches(|c: char| c == '_' || c == '.' || c.is_ascii_alphanumeric());
    let word = before.get(rest.len()..).unwrap_or("");
    let is_value = word.starts_with(|c: char| c == '_' || c.is_ascii_lowercase()) && !word.ends_with('.');
    match u32::try_from(word.len()) {
        Ok(len) if is_value && !is_open && !rest.ends_with('\\') => found
            .help("write `\\}` for the character")
            .fix(Fix::maybe(format!("write `{{{word}}}` for the value")).insert(offset - len, "{")),
        _ => found.fix(Fix::maybe("write `\\}` for the character").insert(offset, "\\")),
    }
}

/// The digits of `\u0041`, as JSON has it.
fn four_digits(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let code =
        u32::from_str_radix(digits, 16).ok().filter(|_| digits.chars().all(|c| c.is_ascii_hexdigit()))?;
    char::from_u32(code).map(|_| digits)
}

/// The character that the escape at the start of `text` stands for, and the escape's length in bytes.
fn escape(text: &str) -> (Option<char>, usize) {
    let Some(letter) = text.chars().nth(1) else { return (None, text.len()) };
    let value = match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '"' | '\\' | '{' | '}' => letter,
        'u' => {
            let code = text.strip_prefix("\\u{").and_then(|rest| rest.split_once('}')).map(|(code, _)| code);
            let Some(code) = code else { return (None, 2) };
            let value = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            return (value, code.len() + 4);
        }
        other => return (None, 1 + other.len_utf8()),
    };
    (Some(value), 2)
}

/// What is cut from the lines of a `"""` text: the line of the opening quotes if it is blank, the
/// indentation that all other lines share, and the line of the closing quotes if it is blank. Done before
/// parts are filled in, so what is filled in keeps its own shape.
struct Dedent {
    indent: String,
    drop_first: bool,
    drop_last: bool,
}

impl Dedent {
    fn of(raw: &[Raw]) -> Self {
        let mut indent: Option<String> = None;
        for (index, part) in raw.iter().enumerate() {
            let Raw::Text(text, _) = part else { continue };
            let ends_text = index + 1 == raw.len();
            let mut lines = text.split('\n').skip(1).peekable();
            while let Some(line) = lines.next() {
                let blank = line.trim_matches([' ', '\t', '\r']).is_empty();
                // A blank rest before `{..}` is the indentation of a line; before the closing quotes it is not.
                if blank && (lines.peek().is_some() || ends_text) {
                    continue;
                }
                let own: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
                indent = Some(match indent {
                    None => own,
                    Some(shared) => common_prefix(&shared, &own),
                });
            }
        }
        let blank =
            |text: Option<&str>| text.is_some_and(|text| text.trim_matches([' ', '\t', '\r']).is_empty());
        let first = raw.first().and_then(|part| match part {
            Raw::Text(text, _) => text.split_once('\n').map(|(line, _)| line),
            Raw::Part(_) => None,
        });
        let last = raw.last().and_then(|part| match part {
            Raw::Text(text, _) => text.rsplit_once('\n').map(|(_, line)| line),
            Raw::Part(_) => None,
        });
        Self { indent: indent.unwrap_or_default(), drop_first: blank(first), drop_last: blank(last) }
    }

    /// `lines` are those of `raw`, unescaped.
    fn apply(&self, raw: &str, lines: &[String], is_first: bool, is_last: bool) -> String {
        let mut value = String::new();
        let count = lines.len();
        for (index, (line, raw)) in lines.iter().zip(raw.split('\n')).enumerate() {
            if is_first && index == 0 && self.drop_first {
                continue;
            }
            if is_last && index + 1 == count && self.drop_last {
                break;
            }
            let starts_line = index > 0;
            let cut = match raw.strip_prefix(self.indent.as_str()) {
                Some(_) => self.indent.len(),
                // Only a blank line can be indented less than the others.
                None => raw.len() - raw.trim_start_matches([' ', '\t']).len(),
            };
            value.push_str(if starts_line { line.get(cut..).unwrap_or("\n") } else { line });
        }
        // The line end before the line of the closing quotes goes with it, if anything was kept before.
        if is_last && self.drop_last && value.ends_with('\n') {
            value.pop();
        }
        value
    }
}

fn common_prefix(a: &str, b: &str) -> String {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}
