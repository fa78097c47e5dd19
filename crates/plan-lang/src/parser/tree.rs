//! From pest's pairs to the lossless tree.

use std::ops::Range;

use pest::{Parser as _, Token};
use rowan::{GreenNode, GreenNodeBuilder, GreenToken, Language as _, NodeCache, NodeOrToken};

use super::gap;
use super::grammar::{Grammar, Rule};
use super::rules::kind_of;
use super::squeeze::Squeezed;
use crate::syntax::{Orch, SyntaxKind};

/// A part of a green tree.
pub(super) type GreenElement = NodeOrToken<GreenNode, GreenToken>;

/// Parses one chunk into a [`SyntaxKind::File`] node that holds exactly its text; and whether some of it breaks the
/// grammar.
///
/// `None` if pest gave up: the stack guard is the only reason it has, as the grammar accepts every text.
/// `gaps` are its long runs of blanks and comments. What chunks have in common is stored once, in `cache`.
pub(super) fn parse_chunk(
    text: &str,
    gaps: &[Range<usize>],
    cache: &mut NodeCache,
) -> Option<(GreenNode, bool)> {
    let squeezed = Squeezed::new(text, gaps);
    let pairs = Grammar::parse(Rule::file, squeezed.text()).ok()?;
    let mut builder = Builder { green: GreenNodeBuilder::with_cache(cache), text, done: 0, broken: false };
    // Tokens, not pairs: a flat list needs no recursion.
    for token in pairs.tokens() {
        match token {
            Token::Start { rule, pos } => builder.start(rule, squeezed.whole(pos.pos())),
            Token::End { rule, pos } => builder.end(rule, squeezed.whole(pos.pos())),
        }
    }
    Some((builder.green.finish(), builder.broken))
}

/// A chunk that was not parsed: one error node around its tokens.
pub(super) fn unparsed_chunk(text: &str) -> GreenNode {
    let mut green = GreenNodeBuilder::new();
    green.start_node(Orch::kind_to_raw(SyntaxKind::File));
    green.start_node(Orch::kind_to_raw(SyntaxKind::ErrorItem));
    for (kind, token) in gap::tokens(text) {
        green.token(Orch::kind_to_raw(kind), token);
    }
    green.finish_node();
    green.finish_node();
    green.finish()
}

/// A text that was not read: one token. Empty for a text whose offsets do not fit `u32`.
pub(super) fn one_token(text: &str) -> GreenNode {
    let text = if u32::try_from(text.len()).is_ok() { text } else { "" };
    let mut green = GreenNodeBuilder::new();
    green.start_node(Orch::kind_to_raw(SyntaxKind::File));
    green.start_node(Orch::kind_to_raw(SyntaxKind::ErrorItem));
    green.token(Orch::kind_to_raw(SyntaxKind::Unknown), text);
    green.finish_node();
    green.finish_node();
    green.finish()
}

/// Joins the chunks of a file under one root.
pub(super) fn join<'a>(chunks: impl Iterator<Item = &'a GreenNode>) -> GreenNode {
    let children = chunks.flat_map(|chunk| chunk.children().map(|child| child.to_owned()));
    GreenNode::new(Orch::kind_to_raw(SyntaxKind::File), children.collect::<Vec<GreenElement>>())
}

struct Builder<'a> {
    green: GreenNodeBuilder<'a>,
    text: &'a str,
    /// Everything before this offset is in the tree.
    done: usize,
    /// Whether something is missing or does not fit.
    broken: bool,
}

impl Builder<'_> {
    fn start(&mut self, rule: Rule, at: usize) {
        let Some(kind) = kind_of(rule) else { return };
        // The root holds the whole chunk, trivia at its ends included.
        if kind != SyntaxKind::File {
            self.fill_to(at);
        }
        if !is_token(kind) {
            self.look_at(kind);
            self.green.start_node(Orch::kind_to_raw(kind));
        }
    }

    fn end(&mut self, rule: Rule, at: usize) {
        let Some(kind) = kind_of(rule) else { return };
        if is_token(kind) {
            self.emit(kind, at);
        } else {
            self.fill_to(at);
            self.green.finish_node();
        }
    }

    fn fill_to(&mut self, at: usize) {
        for (kind, token) in gap::tokens(self.text.get(self.done..at).unwrap_or("")) {
            self.look_at(kind);
            self.green.token(Orch::kind_to_raw(kind), token);
        }
        self.done = self.done.max(at);
    }

    fn emit(&mut self, kind: SyntaxKind, at: usize) {
        let text = self.text.get(self.done..at).unwrap_or("");
        // A doc line runs to its `\n`; the `\r` of a Windows line end is not part of it.
        let token = if kind == SyntaxKind::Doc { text.trim_end_matches('\r') } else { text };
        self.look_at(kind);
        self.green.token(Orch::kind_to_raw(kind), token);
        self.done += token.len();
    }

    fn look_at(&mut self, kind: SyntaxKind) {
        self.broken |= kind.is_error() || kind.is_missing();
    }
}

/// Kinds up to [`SyntaxKind::File`] are tokens.
fn is_token(kind: SyntaxKind) -> bool {
    kind < SyntaxKind::File
}
