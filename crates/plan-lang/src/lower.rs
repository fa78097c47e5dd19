//! From the lossless tree to the AST, and the rules that the grammar leaves to it: where lambdas, calls
//! and `return` may stand, chained comparisons, letter case, escapes, the range of numbers.
//!
//! Missing and unfit parts are reported by [`crate::messages`]; here they become `Error` nodes in silence.

mod expr;
mod item;
mod literal;
mod operators;
mod policy;
mod stmt;
mod template;
mod types;

pub(crate) use expr::is_reserved;

use crate::ast::{self, Ident, Path};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::edition::Edition;
use crate::limits::{MAX_BROKEN_PLACES, MAX_EXPRESSION_DEPTH};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};
use crate::text::Span;

/// The declarations of a tree, and what is wrong with them.
pub(crate) fn items(root: &SyntaxNode) -> (Vec<ast::Item>, Vec<Diagnostic>) {
    let mut lower = Lower { diagnostics: Vec::new(), depth: 0, effects: Effects::All };
    let items = root
        .children()
        .filter(|child| child.kind() == SyntaxKind::Item)
        .filter_map(|child| lower.item(&child))
        .collect();
    (items, lower.diagnostics)
}

/// The edition that applies; it must be known, the only one and first.
pub(crate) fn edition(items: &[ast::Item], diagnostics: &mut Vec<Diagnostic>) -> Edition {
    let mut edition = Edition::NEWEST;
    let mut seen = false;
    for (index, item) in items.iter().enumerate() {
        let ast::Item::Edition(declared) = item else { continue };
        let found = declared.year.and_then(Edition::from_year);
        let known = Edition::NEWEST.year();
        let problem = match found {
            _ if seen => Some("the edition is declared twice".to_owned()),
            None => declared.year.map(|year| format!("there is no edition {year}")),
            Some(_) if index > 0 => Some("the edition is not the first declaration".to_owned()),
            Some(_) => None,
        };
        if let Some(problem) = problem {
            let report = Diagnostic::error(codes::BAD_EDITION, problem).primary(declared.span, "");
            let help = format!("write `edition {known}` once, before everything else");
            diagnostics.push(report.help(help));
        }
        if !seen {
            edition = found.unwrap_or(Edition::NEWEST);
        }
        seen = true;
    }
    edition
}

struct Lower {
    diagnostics: Vec<Diagnostic>,
    /// How many expressions are around the current one.
    depth: usize,
    effects: Effects,
}

/// Which of `call` and `run` may stand at a place.
#[derive(Clone, Copy, PartialEq)]
enum Effects {
    /// In a plan.
    All,
    /// In a test.
    RunOnly,
    /// In pure code; what kind of code that is.
    None(&'static str),
}

/// What a name stands for, where its letter case matters.
#[derive(Clone, Copy)]
enum Case {
    Upper,
    Lower,
}

impl Lower {
    /// Adds a mistake, unless there are many more than are ever shown.
    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_BROKEN_PLACES || !diagnostic.is_error() {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Runs `inside` with other effects allowed.
    fn with_effects<T>(&mut self, effects: Effects, inside: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.effects, effects);
        let result = inside(self);
        self.effects = before;
        result
    }

    /// Runs `inside`, which makes expressions `levels` deeper than the current one; `None` and a report
    /// if that is too deep.
    fn deeper<T>(&mut self, levels: usize, span: Span, inside: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth + levels > MAX_EXPRESSION_DEPTH {
            self.report(
                Diagnostic::error(
                    codes::EXPRESSION_TOO_DEEP,
                    format!("more than {MAX_EXPRESSION_DEPTH} operators, fields and calls stack up in one expression"),
                )
                .primary(Span::new(span.start, span.end.min(span.start + 1)), "this part is too deep")
                .help("bind parts of it to names by `let`"),
            );
            return None;
        }
        self.depth += levels;
        let result = inside(self);
        self.depth -= levels;
        Some(result)
    }

    /// The first name in `node`, or a missing one at its end.
    fn ident(&mut self, node: &SyntaxNode) -> Ident {
        match node.token(SyntaxKind::Ident) {
            Some(token) => ident_of(&token),
            None => Ident::missing(missing_at(node)),
        }
    }

    /// The first name in `node`, which must have that letter case.
    fn cased_ident(&mut self, node: &SyntaxNode, case: Case, what: &str) -> Ident {
        let ident = self.ident(node);
        self.check_case(&ident, case, what);
        ident
    }

    fn check_case(&mut self, ident: &Ident, case: Case, what: &str) {
        let (right, word) = match case {
            Case::Upper => (ident.is_upper(), "an upper-case"),
            Case::Lower => (!ident.is_upper(), "a lower-case"),
        };
        if right || ident.is_missing() {
            return;
        }
        let mut chars = ident.name.chars();
        let first: Option<String> = chars.next().map(|first| match case {
            Case::Upper => first.to_uppercase().collect(),
            Case::Lower => first.to_lowercase().collect(),
        });
        let renamed = first.unwrap_or_default() + chars.as_str();
        let mut report =
            Diagnostic::error(codes::LETTER_CASE, format!("the name of {what} starts with {word} letter"))
                .primary(ident.span, "")
                .note(
                    "types, records, enums and variants start upper case, all that holds a value lower case",
                );
        // A letter without case (a digit cannot come first) leaves nothing to offer.
        if renamed != ident.name {
            report = report.fix(Fix::maybe(format!("rename it to `{renamed}`")).replace(ident.span, renamed));
        }
        self.report(report);
    }

    /// The path in `node`, or a missing one.
    fn path(&mut self, node: &SyntaxNode, index: usize) -> Path {
        match node.children().filter(|child| child.kind() == SyntaxKind::Path).nth(index) {
            Some(path) => path_of(&path),
            None => {
                let missing = Ident::missing(missing_at(node));
                Path { span: missing.span, segments: vec![missing] }
            }
        }
    }
}

fn path_of(node: &SyntaxNode) -> Path {
    let segments =
        node.tokens().filter(|token| token.kind() == SyntaxKind::Ident).map(|token| ident_of(&token));
    Path { segments: segments.collect(), span: node.span() }
}

fn ident_of(token: &SyntaxToken) -> Ident {
    Ident::new(name_of(token), token.span())
}

/// The name that a token of kind [`SyntaxKind::Ident`] spells.
pub(crate) fn name_of(token: &SyntaxToken) -> &str {
    name_in(token.text())
}

/// The same by the text of the token.
pub(crate) fn name_in(text: &str) -> &str {
    text.trim_matches('`')
}

/// Where to put a part that `node` does not have: at its first `missing_*` node, else at its end.
fn missing_at(node: &SyntaxNode) -> u32 {
    let missing = node.children().find(|child| child.kind().is_missing());
    missing.map_or(node.span().end, |missing| missing.span().start)
}

/// The `///` lines directly in `node`, joined.
fn docs_of(node: &SyntaxNode) -> Option<String> {
    let lines: Vec<String> = node
        .tokens()
        .filter(|token| token.kind() == SyntaxKind::Doc)
        .map(|token| {
            let line = token.text().trim_start_matches('/').trim_end();
            line.strip_prefix(' ').unwrap_or(line).to_owned()
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The span of a member without the separator after it.
fn member_span(node: &SyntaxNode) -> Span {
    let span = node.span();
    let last = node.elements().filter(|element| match element {
        SyntaxElement::Node(node) => !node.span().is_empty(),
        SyntaxElement::Token(token) => !token.kind().is_trivia() && !matches!(token.text(), "," | ";"),
    });
    Span::new(span.start, last.last().map_or(span.end, |element| element.span().end))
}
