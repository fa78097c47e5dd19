//! Text to tree, AST and diagnostics. Never fails: every text has a tree that holds all of it.
//!
//! The grammar's rules are private to this module; what leaves it is [`Parse`], and their names by [`rule_edges`].

mod chunk;
mod edited;
mod gap;
mod grammar;
mod machine;
mod names;
mod part;
mod precheck;
mod rules;
mod squeeze;
mod tree;
mod trial;

use std::sync::Arc;

use rowan::GreenNode;

use crate::ast;
use crate::diagnostic::Diagnostic;
use crate::lower;
use crate::messages::{self, Unsound};
use crate::syntax::SyntaxNode;
use crate::text::Span;

pub use grammar::{RuleEdge, rule_edges};
use part::{Part, Parts};

/// A parsed text: its tree, its AST and what is wrong with it. Cheap to clone and to send to threads.
#[derive(Clone, Debug)]
pub struct Parse {
    green: GreenNode,
    file: Arc<ast::File>,
    diagnostics: Arc<[Diagnostic]>,
    /// The chunks of the text; those that do not change are taken over when the text does.
    parts: Vec<Arc<Part>>,
    /// Whether all of the text was read.
    is_complete: bool,
}

/// What to say where reading stopped.
const NOT_ALL_READ: &str = "there are so many mistakes that the rest of the file is not read: correct the first ones and check again";

/// A part of a text that is read without looking at the others: a declaration in column 0 with what follows it, or
/// what comes before the first. In a broken text one part may hold several declarations, or none.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Where it is.
    pub span: Span,
    part: Arc<Part>,
}

impl Chunk {
    /// Its text. A chunk that an update did not change shares it with the one before.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.part.text
    }

    /// How many of the declarations of [`ast::File::items`] are in it.
    #[must_use]
    pub fn items(&self) -> usize {
        self.part.items
    }

    /// Whether all of it was read, and there is nothing to say of it by itself.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.part.is_sound()
    }

    /// Every name that is written in it, of whatever kind, once and sorted: it refers to no other.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.part.names().iter()
    }
}

impl Parse {
    /// The lossless tree.
    #[must_use]
    pub fn syntax(&self) -> SyntaxNode {
        SyntaxNode::root(self.green.clone())
    }

    /// The AST. What could not be read is left out of it or marked as an error; see [`ast`].
    #[must_use]
    pub fn ast(&self) -> &ast::File {
        &self.file
    }

    /// The AST, shared.
    #[must_use]
    pub fn shared_ast(&self) -> Arc<ast::File> {
        Arc::clone(&self.file)
    }

    /// Errors and warnings in source order.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether the text breaks the rules of the grammar. A warning does not.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Whether all of the text was read: neither was it too long, nor had it more than
    /// [`limits::MAX_BROKEN_PLACES`](crate::limits::MAX_BROKEN_PLACES) mistakes before its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The parts that the text is read in, in its order; joined they are the text. None of a text that was too long
    /// to be read.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk> {
        self.parts.iter().scan(0_u32, |at, part| {
            let start = *at;
            *at = start.saturating_add(u32::try_from(part.text.len()).unwrap_or(u32::MAX));
            Some(Chunk { span: Span::new(start, *at), part: Arc::clone(part) })
        })
    }

    /// Parses a changed text, taking what is known of unchanged declarations from this one. The result is the
    /// same as that of [`parse`].
    #[must_use]
    pub fn update(&self, text: &str) -> Self {
        let mut updated = self.clone();
        updated.change(text);
        updated
    }

    /// As [`Self::update`], in place. Takes time for the declarations that are new, not for those that only moved,
    /// unless the AST is shared: then it is copied first.
    pub fn change(&mut self, text: &str) {
        let items = match Arc::get_mut(&mut self.file) {
            Some(file) => std::mem::take(&mut file.items),
            None => self.file.items.clone(),
        };
        *self = parse_with(text, Parts::of(std::mem::take(&mut self.parts), items));
    }
}

/// Parses a source text.
///
/// ```
/// let parse = plan_lang::parse("edition 2026\nfn double(x: Int(0..9)) -> Int(0..18) = x * 2\n");
/// assert!(!parse.has_errors());
/// assert_eq!(parse.ast().items.len(), 2);
/// assert_eq!(plan_lang::parse("fn half(").diagnostics()[0].code.as_str(), "E0116");
/// ```
#[must_use]
pub fn parse(text: &str) -> Parse {
    parse_with(text, Parts::default())
}

/// Parses bytes that may be no text. If they are not UTF-8, what comes before the mistake is parsed and
/// the mistake is reported first.
#[must_use]
pub fn parse_bytes(bytes: &[u8]) -> Parse {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to().min(bytes.len()));
            let bad = rest.get(..error.error_len().unwrap_or(rest.len())).unwrap_or(rest);
            let mut parse = parse(std::str::from_utf8(valid).unwrap_or(""));
            let mut diagnostics = vec![precheck::not_utf8(valid.len(), bad)];
            // The declaration that the text breaks off in lacks what comes after.
            let last = parse.syntax().children().last().map_or(0, |item| item.span().start);
            diagnostics.extend(parse.diagnostics.iter().filter(|found| found.span().start < last).cloned());
            parse.diagnostics = diagnostics.into();
            parse
        }
    }
}

fn parse_with(text: &str, known: Parts) -> Parse {
    let mut parse = diagnose(text, known);
    trial::keep_what_helps(&parse.parts, Arc::make_mut(&mut parse.diagnostics));
    parse
}

/// Parses a text; the fixes of its diagnostics are guesses.
fn diagnose(text: &str, known: Parts) -> Parse {
    if let Some(error) = precheck::size(text) {
        return unread(text, error);
    }
    let parts = known.change(&chunk::split(text));
    let is_complete = parts.is_complete();
    let Parts { parts, items, .. } = parts;
    let mut hidden: Option<Diagnostic> = None;
    let mut deep = Vec::new();
    let mut unsound = Vec::new();
    let mut checks = Vec::new();
    let mut at = 0_usize;
    for part in &parts {
        let start = u32::try_from(at).unwrap_or(u32::MAX);
        at += part.text.len();
        let moved = |found: &Diagnostic| {
            let mut found = found.clone();
            found.move_by(|_| start);
            found
        };
        hidden = hidden.or_else(|| part.hidden.as_ref().map(moved));
        deep.extend(part.deep.map(|deep| precheck::too_deep_at(start as usize + deep)));
        unsound.extend((part.broken > 0).then(|| Unsound {
            span: Span::new(start, u32::try_from(at).unwrap_or(u32::MAX)),
            unread_from: part.unread_from().map(|from| start + from),
        }));
        checks.extend(part.checks.iter().map(moved));
    }
    let mut diagnostics: Vec<Diagnostic> = hidden.into_iter().chain(deep).collect();
    let green = tree::join(parts.iter().map(|part| &part.green));
    let root = SyntaxNode::root(green.clone());
    let misread = messages::collect(&root, text, &unsound, &mut diagnostics);
    let edition = lower::edition(&items, &mut checks);
    messages::merge(text, &mut diagnostics, &misread, checks);
    if !is_complete && let Some(last) = diagnostics.pop() {
        diagnostics.push(last.note(NOT_ALL_READ));
    }
    let file = ast::File { edition, items, span: root.span() };
    Parse { green, file: Arc::new(file), diagnostics: diagnostics.into(), parts, is_complete }
}

/// The result for a text that is not read at all.
fn unread(text: &str, error: Diagnostic) -> Parse {
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let file = ast::File { edition: crate::Edition::NEWEST, items: Vec::new(), span: Span::new(0, end) };
    Parse {
        green: tree::one_token(text),
        file: Arc::new(file),
        diagnostics: Arc::new([error]),
        parts: Vec::new(),
        is_complete: false,
    }
}
