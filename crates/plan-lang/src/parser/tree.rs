//! From the edges of rules to the lossless tree.

use std::ops::Range;

use rowan::{GreenNode, GreenNodeBuilder, GreenToken, Language as _, NodeCache, NodeOrToken};

use super::gap;
use super::grammar;
use super::machine::Machine;
use super::rules::kind_of;
use super::squeeze::Squeezed;
use crate::limits::MAX_BROKEN_PLACES;
use crate::syntax::{Orch, SyntaxKind};

/// A part of a green tree.
pub(super) type GreenElement = NodeOrToken<GreenNode, GreenToken>;

/// The tree of a chunk: a [`SyntaxKind::File`] node that holds exactly its text.
pub(super) struct Tree {
    pub(super) green: GreenNode,
    /// How many places of it break the grammar.
    pub(super) broken: usize,
    /// How many bytes were read; the rest is one token.
    pub(super) read: usize,
}

/// Beginnings of a long chunk that are tried first, in bytes: if one is broken beyond [`MAX_BROKEN_PLACES`], the rest is
/// not read. Each is so much longer than the one before that a chunk which is right loses little.
const TRIED_BYTES: [usize; 2] = [16 << 10, 128 << 10];
/// How many times as long as a beginning that is tried a chunk must be.
const WORTH_A_TRY: usize = 4;

/// How long the beginnings of `text` are that are tried before it is read as a whole.
pub(super) fn beginnings(text: &str) -> impl Iterator<Item = usize> {
    let tried = TRIED_BYTES.iter().filter(|most| text.len() >= **most * WORTH_A_TRY);
    tried.map(|most| beginning(text, *most))
}

/// Parses one chunk, or its beginning, if that is hopeless.
///
/// `None` if the rules nest too deep, which is all that can happen, as the grammar accepts every text.
/// `gaps` are its long runs of blanks and comments. What chunks have in common is stored once, in `cache`.
pub(super) fn parse_chunk(text: &str, gaps: &[Range<usize>], cache: &mut NodeCache) -> Option<Tree> {
    for read in beginnings(text) {
        let tree = parse_beginning(text, read, gaps, cache)?;
        if tree.broken >= MAX_BROKEN_PLACES {
            return Some(tree);
        }
    }
    parse_beginning(text, text.len(), gaps, cache)
}

/// How much of `text` is at most `most` bytes long: whole lines, unless they are very long.
fn beginning(text: &str, most: usize) -> usize {
    let end = text.floor_char_boundary(most);
    let lines = text.get(..end).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
    if lines > most / 2 { lines } else { end }
}

fn parse_beginning(text: &str, read: usize, gaps: &[Range<usize>], cache: &mut NodeCache) -> Option<Tree> {
    let (start, rest) = text.split_at_checked(read)?;
    let gaps = gaps.get(..gaps.partition_point(|gap| gap.end <= read)).unwrap_or(gaps);
    let squeezed = Squeezed::new(start, gaps);
    let edges = Machine::run(squeezed.text(), grammar::file)?;
    let mut builder =
        Builder { green: GreenNodeBuilder::with_cache(cache), text: start, done: 0, broken: 0, rest };
    for edge in edges {
        let Some(kind) = kind_of(edge.rule) else { continue };
        let at = squeezed.whole(edge.at as usize);
        if edge.is_end { builder.end(kind, at) } else { builder.start(kind, at) }
    }
    Some(Tree { green: builder.green.finish(), broken: builder.broken, read })
}

/// A chunk that was not parsed: one error node around its tokens.
pub(super) fn unparsed_chunk(text: &str) -> Tree {
    let mut green = GreenNodeBuilder::new();
    green.start_node(Orch::kind_to_raw(SyntaxKind::File));
    green.start_node(Orch::kind_to_raw(SyntaxKind::ErrorItem));
    for (kind, token) in gap::tokens(text) {
        green.token(Orch::kind_to_raw(kind), token);
    }
    green.finish_node();
    green.finish_node();
    Tree { green: green.finish(), broken: 1, read: text.len() }
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
    /// How often something is missing or does not fit.
    broken: usize,
    /// What is not read; it follows [`Self::text`] as one token.
    rest: &'a str,
}

impl Builder<'_> {
    fn start(&mut self, kind: SyntaxKind, at: usize) {
        // The root holds the whole chunk, trivia at its ends included.
        if kind != SyntaxKind::File {
            self.fill_to(at);
        }
        if !kind.is_token() {
            self.look_at(kind);
            self.green.start_node(Orch::kind_to_raw(kind));
        }
    }

    fn end(&mut self, kind: SyntaxKind, at: usize) {
        if kind.is_token() {
            self.emit(kind, at);
        } else {
            self.fill_to(at);
            if kind == SyntaxKind::File && !self.rest.is_empty() {
                self.green.start_node(Orch::kind_to_raw(SyntaxKind::ErrorItem));
                self.green.token(Orch::kind_to_raw(SyntaxKind::Unknown), self.rest);
                self.green.finish_node();
            }
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
        self.broken += usize::from(kind.is_error() || kind.is_missing());
    }
}
