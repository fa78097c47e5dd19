//! Messages for missing separators and second keywords.

use super::missing::{Missing, starts_value};
use super::{foreign, misspelt, name_of, shown, unfit};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::lower::is_reserved;
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};
use crate::text::Span;

/// How far arms are looked at for the mistake of the first: every broken arm asks.
const ARROW_TOKENS_MAX: usize = 1_000;

impl Missing<'_> {
    pub(super) fn arrow(&self) -> Diagnostic {
        let (next, span) = self.source.next_on_line(self.at);
        let place = if self.parent.kind() == SyntaxKind::Mock { "the operation" } else { "the pattern" };
        let found = Diagnostic::error(codes::MISSING_ARROW, format!("`=>` is missing after {place}"));
        if let Some(arguments) = self.arguments_of_mock(next, span) {
            return Diagnostic::error(codes::MISSING_ARROW, "a mock takes no arguments")
                .primary(arguments, "expected `=>`")
                .help("it answers every request of the operation: one after the other with `sequence [..]`")
                .fix(Fix::maybe("leave them out").delete(Span::new(self.at, arguments.end)));
        }
        match next {
            "->" => {
                let fix = self.arrows(span).into_iter().fold(Fix::safe("write `=>`"), |fix, arrow| fix.replace(arrow, "=>"));
                found.primary(span, "expected `=>`").fix(fix)
            }
            "=" | ":" => found.primary(span, "expected `=>`").fix(Fix::safe("write `=>`").replace(span, "=>")),
            _ if self.parent.kind() == SyntaxKind::Arm && starts_payload(next) && self.arrow_behind(span) => found
                .primary(span, "expected `=>`")
                .help(format!("what a variant carries stands in parentheses: `({next})`"))
                .fix(Fix::maybe(format!("write `({next})`")).replace(Span::new(self.at, span.end), format!("({next})"))),
            "|" | "if" | "," => found
                .primary(span, "expected `=>`")
                .help("an arm has one pattern and no condition: write an arm for each pattern, and `if` in its value"),
            _ => found.primary(self.here(), "expected `=>`").fix(Fix::maybe("add `=>`").insert(self.at, " =>")),
        }
    }

    fn arrow_behind(&self, span: Span) -> bool {
        self.source.next_on_line(span.end).0 == "=>"
    }

    /// `mock search(query: "a") => ..`: what stands in parentheses before the `=>`, on one line.
    fn arguments_of_mock(&self, next: &str, open: Span) -> Option<Span> {
        if self.parent.kind() != SyntaxKind::Mock || next != "(" {
            return None;
        }
        let line = self.source.text.get(open.start as usize..)?.lines().next()?;
        let (arguments, _) = line.split_once("=>")?;
        let arguments = arguments.trim_end();
        let end = open.start + u32::try_from(arguments.len()).ok()?;
        arguments.ends_with(')').then(|| Span::new(open.start, end))
    }

    /// This `->` and those of the arms behind: who writes one writes each so.
    fn arrows(&self, this: Span) -> Vec<Span> {
        let mut arrows = vec![this];
        let (mut depth, mut minus) = (0_u32, None);
        let behind = std::iter::successors(self.parent.next(), SyntaxElement::next);
        for token in behind.flat_map(|element| element.all_tokens()).take(ARROW_TOKENS_MAX) {
            let span = token.span();
            if span.start < this.end {
                continue;
            }
            match token.text() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" if depth == 0 => break,
                "}" | ")" | "]" => depth -= 1,
                ">" if depth == 0 && minus == Some(span.start) => {
                    arrows.push(Span::new(span.start - 1, span.end));
                }
                "->" if depth == 0 => arrows.push(span),
                _ => {}
            }
            minus = (token.text() == "-").then_some(span.end);
        }
        arrows
    }

    pub(super) fn ensure_else(&self) -> Diagnostic {
        let found = Diagnostic::error(codes::MISSING_WORD, "`ensure` does not say why it fails");
        let (next, span) = self.source.next_on_line(self.at);
        if let Some(meant) = misspelt::beside(self.at, &[], self.source) {
            return meant.told(found.primary(meant.span, "expected `else`"));
        }
        if next == "=" {
            return equality(span);
        }
        if matches!(next, "," | ":" | "\"") {
            let text = if next == "\"" { " else " } else { " else" };
            let end = if next == "\"" { span.start } else { span.end };
            return found
                .primary(Span::new(self.at, end.max(self.at)), "expected `else`")
                .fix(Fix::safe("add `else`").replace(Span::new(self.at, end), text));
        }
        found
            .primary(self.here(), "expected `else`")
            .fix(Fix::maybe("add a reason").insert(self.at, " else \"why\""))
    }

    pub(super) fn word(&self, word: &'static str, place: &str) -> Diagnostic {
        let found = Diagnostic::error(codes::MISSING_WORD, format!("`{word}` is missing {place}"));
        let (next, span) = self.source.next_on_line(self.at);
        if matches!(next, "of" | ":" | "=" | "->" | "=>") || (word, next) == ("as", "for") {
            return found.primary(span, format!("expected `{word}`")).fix(
                Fix::safe(format!("write `{word}`"))
                    .replace(Span::new(self.at, span.end), format!(" {word}")),
            );
        }
        let message = format!("add `{word}`");
        let (behind, _) = self.source.next_on_line(span.end);
        let meant = misspelt::at(self.at, &[word], self.source);
        if let Some(meant) = meant.filter(|_| starts_value(behind)) {
            return meant.told(found.primary(meant.span, format!("expected `{word}`")));
        }
        let is_word = |token: &str| token.starts_with(|c: char| c == '_' || c.is_alphabetic());
        // Of two words in a row, the first stands where the missing one belongs.
        if is_word(next) && is_word(behind) && !is_reserved(next) {
            let fix = Fix::maybe(format!("write `{word}`")).replace(span, word);
            return found.primary(span, format!("expected `{word}`")).fix(fix);
        }
        let is_certain = starts_value(next) && next != "{" && !is_reserved(next) && !is_reserved(behind);
        let fix = if is_certain { Fix::safe(message) } else { Fix::maybe(message) };
        found.primary(self.here(), format!("expected `{word}`")).fix(fix.insert(self.at, format!(" {word}")))
    }

    pub(super) fn comma(&self) -> Diagnostic {
        let (next, span) = self.source.next_on_line(self.at);
        let found = Diagnostic::error(codes::MISSING_COMMA, "`,` is missing");
        match (self.parent.kind(), next) {
            (SyntaxKind::PolicyField, "->") => lambda(span),
            (SyntaxKind::Variant, "|") => found
                .primary(span, "expected `,`")
                .fix(Fix::safe("write `,`").replace(Span::new(self.at, span.end), ",")),
            (SyntaxKind::Import, ":" | "=") => {
                Diagnostic::error(codes::NO_MEMBER, "another name stands behind `as`")
                    .primary(span, "expected `as`")
                    .fix(Fix::safe("write `as`").replace(Span::new(self.at, span.end), " as"))
            }
            (_, ";") => found.primary(span, "expected `,`").fix(Fix::safe("write `,`").replace(span, ",")),
            (SyntaxKind::Init, "=") if self.value_follows(span) => {
                Diagnostic::error(codes::NO_MEMBER, "a field is written `name: value`")
                    .primary(span, "expected `:`")
                    .fix(Fix::safe("write `:`").replace(Span::new(self.at, span.end), ":"))
            }
            (SyntaxKind::Import, ".") => Diagnostic::error(codes::NO_MEMBER, "an import is a single name")
                .primary(span, "")
                .help("the path stands before the braces: `use sn22 { name }`"),
            (SyntaxKind::Arm, "if") => found
                .primary(span, "expected `,` or `}`")
                .help("an arm has no condition of its own: put `if` into its value"),
            (SyntaxKind::Import, _) if let Some(meant) = misspelt::at(self.at, &["as"], self.source) => {
                meant.told(found.primary(meant.span, "expected `,`"))
            }
            _ if let Some(meant) = misspelt::beside(self.at, &foreign::EXPRESSION_WORDS, self.source) => {
                meant.told(found.primary(span, "expected `,`"))
            }
            (_, "=") => {
                found.primary(span, "expected `,`").help("equality is written `==`, a lambda `x => value`")
            }
            _ => {
                let label = match next {
                    "" => "expected `,` or the closing bracket".to_owned(),
                    next => format!("expected `,` before {}", shown(next)),
                };
                let fix = if self.member_follows() { Fix::safe("add `,`") } else { Fix::maybe("add `,`") };
                found.primary(self.here(), label).fix(fix.insert(self.at, ","))
            }
        }
    }

    /// Whether what comes next can be read as the next member, so that only the comma is missing.
    fn member_follows(&self) -> bool {
        let (word, span) = self.source.next(self.at);
        let (behind, _) = self.source.next(span.end);
        let is_word = word.starts_with(|c: char| c == '_' || c.is_alphabetic()) && !is_reserved(word);
        match self.parent.kind() {
            SyntaxKind::Import => is_word && word.starts_with(char::is_lowercase),
            SyntaxKind::Variant => is_word && word.starts_with(char::is_uppercase) && behind != ":",
            SyntaxKind::Field | SyntaxKind::Param | SyntaxKind::PolicyField => is_word && behind == ":",
            SyntaxKind::Init if behind == ":" => is_word,
            SyntaxKind::Init => {
                is_word && word.starts_with(char::is_lowercase) && matches!(behind, "," | "}")
            }
            SyntaxKind::Arm => starts_value(word) && matches!(behind, "=>" | "." | "("),
            _ => false,
        }
    }

    /// Whether a value starts behind `span`.
    fn value_follows(&self, span: Span) -> bool {
        starts_value(self.source.next(span.end).0)
    }

    /// Something follows a statement on its line. The statement may be no statement at all: a word of
    /// another language, or `x = 1` without `let`.
    pub(super) fn newline(&self) -> Diagnostic {
        let (next, span) = self.source.next_on_line(self.at);
        let before = self.statement_before();
        let word =
            before.as_ref().filter(|before| before.kind() == SyntaxKind::ExprStmt).map(SyntaxNode::text);
        if let (Some(word), Some(stmt)) = (word.as_deref(), &before) {
            let is_name = word.chars().all(|c| c == '_' || c.is_alphanumeric());
            let is_adapter = self.parent.kind() == SyntaxKind::AdapterBody;
            if next == "=" && !is_name && !is_adapter {
                return Diagnostic::error(codes::NO_STATEMENT, "a value never changes")
                    .primary(Span::new(stmt.span().start, span.end), "")
                    .help("make a new one, and bind it by `let`; equality is written `==`");
            }
            if is_name && !is_adapter && (next == "=" || next == ":" && self.is_typed_binding(span)) {
                return self.binding(word, stmt, stmt.span(), Fix::maybe("add `let`"));
            }
            let behind = self.source.text.get(span.end as usize..).unwrap_or("");
            if next == ":" && behind.starts_with('=') {
                let walrus = Span::new(span.start, span.end + 1);
                let place = Span::new(stmt.span().start, walrus.end);
                return self.binding(word, stmt, place, Fix::maybe("write `let .. =`").replace(walrus, "="));
            }
            if next == ":" && self.begins_block(word) {
                return Diagnostic::error(codes::MISSING_NEWLINE, "the statement ends before `:`")
                    .primary(span, "expected a line end, `;` or an operator")
                    .help("`{` starts a block here: write `Name { .. }` for a record, `({ .. })` for a map");
            }
            let unknown = Diagnostic::error(codes::NO_STATEMENT, format!("`{word}` starts no statement"))
                .primary(stmt.span(), "");
            let found = match misspelt::beside(self.at, &foreign::STATEMENT_WORDS, self.source) {
                Some(meant) if meant.span == stmt.span() => meant.told(unknown),
                _ => unfit::statement_word(unknown, word, stmt.span(), next),
            };
            if found.help.is_some() {
                return found;
            }
        }
        let found =
            Diagnostic::error(codes::MISSING_NEWLINE, format!("the statement ends before {}", shown(next)))
                .primary(span, "expected a line end, `;` or an operator");
        if let Some(fix) = before.as_ref().and_then(|before| meant_to_go_on(before, next, span)) {
            return found.fix(fix);
        }
        let leads: &[&str] = match before.as_ref().map(SyntaxNode::kind) {
            Some(SyntaxKind::Mock) => &foreign::MOCK_WORDS,
            _ => &foreign::EXPRESSION_WORDS,
        };
        if let Some(meant) = misspelt::beside(self.at, leads, self.source) {
            return meant.told(found);
        }
        match next {
            "," => found.help("statements are separated by line ends, not by `,`"),
            "=" => found.help("equality is written `==`"),
            ":" => found.help("`key: value` stands in braces: is a `{` missing before?"),
            _ => {
                let in_test = std::iter::successors(Some(self.parent.clone()), SyntaxNode::parent)
                    .any(|node| node.kind() == SyntaxKind::Test);
                let is_here = in_test && foreign::TEST_WORDS.contains(&next);
                let word = foreign::statement_help(next).filter(|_| !is_reserved(next) && !is_here);
                match word.or_else(|| unfit::character_help(next)) {
                    Some(help) => found.help(help),
                    None => found,
                }
            }
        }
    }

    /// `name = value` without `let`, which `fix` adds where no value has the name yet.
    fn binding(&self, name: &str, stmt: &SyntaxNode, place: Span, fix: Fix) -> Diagnostic {
        if !is_bound_before(name, stmt) {
            return Diagnostic::error(codes::NO_STATEMENT, "a binding needs `let`")
                .primary(place, "")
                .note("a name is bound once and never changes")
                .fix(fix.insert(stmt.span().start, "let "));
        }
        Diagnostic::error(codes::NO_STATEMENT, format!("`{name}` is bound already, and never changes"))
            .primary(place, "")
            .help("bind this value to another name by `let`, and use that one from here on")
    }

    /// Whether `: T = ..` starts at `colon`, on one line.
    fn is_typed_binding(&self, colon: Span) -> bool {
        let rest = self.source.text.get(colon.end as usize..).unwrap_or("");
        let line = rest.get(..rest.find('\n').unwrap_or(rest.len())).unwrap_or("");
        line.trim_start().starts_with(|c: char| c.is_uppercase() || c == '[' || c == '{')
            && line.contains(" = ")
    }

    /// Whether the block around is `{`, then this word: a record was meant, where braces are a block's.
    fn begins_block(&self, word: &str) -> bool {
        // Not the text of the node, which is put together from its tokens.
        let text = self.source.text.get(self.parent.span().start as usize..).unwrap_or("");
        let inside = text.strip_prefix('{').map(str::trim_start);
        self.parent.kind() == SyntaxKind::Block && inside.is_some_and(|inside| inside.starts_with(word))
    }

    fn statement_before(&self) -> Option<SyntaxNode> {
        let mut before = self.node.prev();
        while let Some(element) = before {
            match element {
                SyntaxElement::Node(node) => return Some(node),
                SyntaxElement::Token(token) if token.kind().is_trivia() => before = token.prev_sibling(),
                SyntaxElement::Token(_) => return None,
            }
        }
        None
    }
}

/// `=` where two values are compared.
pub(super) fn equality(sign: Span) -> Diagnostic {
    Diagnostic::error(codes::FOREIGN_FORM, "equality is written `==`")
        .primary(sign, "expected `==`")
        .fix(Fix::safe("write `==`").replace(sign, "=="))
}

/// `->` where a lambda was meant.
pub(super) fn lambda(arrow: Span) -> Diagnostic {
    Diagnostic::error(codes::FOREIGN_FORM, "a lambda is written `x => value`")
        .primary(arrow, "expected `=>`")
        .fix(Fix::safe("write `=>`").replace(arrow, "=>"))
}

/// Whether a token may be the pattern of what a variant carries, its parentheses forgotten.
fn starts_payload(token: &str) -> bool {
    token.starts_with(|c: char| c == '_' || c.is_lowercase()) && (token == "_" || !is_reserved(token))
}

/// Whether a part of a statement stands where `name` is bound: by a `let` before it, a parameter, or a loop around it.
pub(super) fn is_bound_before(name: &str, part: &SyntaxNode) -> bool {
    let is_name = |node: &SyntaxNode| name_of(node).is_some_and(|bound| bound == name);
    let mut around = Some(part.clone());
    while let Some(node) = around {
        let mut before = std::iter::successors(node.prev(), |element| match element {
            SyntaxElement::Node(node) => node.prev(),
            SyntaxElement::Token(token) => token.prev_sibling(),
        });
        let binds = |element: SyntaxElement| match element {
            SyntaxElement::Node(node) => match node.kind() {
                SyntaxKind::Let | SyntaxKind::LambdaParams => is_name(&node),
                SyntaxKind::Params => node.children().any(|param| is_name(&param)),
                _ => false,
            },
            SyntaxElement::Token(_) => false,
        };
        if before.any(binds) || node.kind() == SyntaxKind::For && is_name(&node) {
            return true;
        }
        around = node.parent();
    }
    false
}

/// What joins a statement with what stands behind it: `call f(x) { .. }`, `mock f => fail timeout`.
fn meant_to_go_on(before: &SyntaxNode, next: &str, span: Span) -> Option<Fix> {
    let is_mock = before.kind() == SyntaxKind::Mock;
    // The text is put together from tokens: not for every mistake of a long statement.
    let text = (is_mock || next == "{").then(|| before.text())?;
    if next == "{" && text.ends_with(')') && text.split(' ').any(|word| word == "call") {
        return Some(Fix::maybe("add `with`").insert(span.start, "with "));
    }
    let end = before.span().end;
    let is_failure = is_mock && text.ends_with(" fail");
    is_failure.then(|| Fix::safe("write `fails`").replace(Span::new(end - 4, end), "fails"))
}
