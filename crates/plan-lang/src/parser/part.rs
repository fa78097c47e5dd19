//! A chunk of a text after it was read, with all that can be said of it without looking at the others.
//! What stays the same from one version of a text to the next is told from what was changed.

use std::sync::{Arc, OnceLock};

use foldhash::HashMap;
use rowan::{GreenNode, NodeCache};

use super::names::Names;
use super::{edited, precheck, tree};
use crate::ast::{Item, Shift as _};
use crate::diagnostic::Diagnostic;
use crate::limits::MAX_BROKEN_PLACES;
use crate::lower;
use crate::syntax::SyntaxNode;

/// A chunk. Its offsets are its own, so that it is the same wherever it stands.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) text: Arc<str>,
    pub(super) green: GreenNode,
    /// A character that does not show.
    pub(super) hidden: Option<Diagnostic>,
    /// Where brackets nest too deep for it to be read.
    pub(super) deep: Option<usize>,
    /// How many places break the grammar: then the text around them decides what is said.
    pub(super) broken: usize,
    /// How many bytes were read. Fewer than there are if too much of it is broken, or none if too much before it is.
    pub(super) read: usize,
    /// How many declarations it has.
    pub(super) items: usize,
    /// What lowering said of them.
    pub(super) checks: Vec<Diagnostic>,
    /// What [`Self::names`] gives, once someone asks.
    names: OnceLock<Names>,
}

impl Part {
    /// Reads a chunk. What chunks have in common is stored once, in `cache`.
    pub(super) fn read(text: &str, cache: &mut NodeCache) -> (Self, Vec<Item>) {
        let parsed = precheck::look(text).and_then(|gaps| tree::parse_chunk(text, &gaps, cache).ok_or(0));
        let (tree, deep) = match parsed {
            Ok(tree) => (tree, None),
            Err(deep) => (tree::unparsed_chunk(text), Some(deep)),
        };
        let root = SyntaxNode::root(tree.green.clone());
        let (items, checks) = lower::items(&root);
        let part = Self {
            text: text.into(),
            hidden: precheck::hidden_characters(text),
            deep,
            broken: tree.broken,
            read: tree.read,
            items: items.len(),
            checks,
            green: tree.green,
            names: OnceLock::new(),
        };
        (part, items)
    }

    /// A chunk of one declaration of which there is nothing to say, and the names in it if they are known.
    pub(super) fn sound(text: &str, green: GreenNode, names: Option<Names>) -> Self {
        Self {
            text: text.into(),
            green,
            hidden: None,
            deep: None,
            broken: 0,
            read: text.len(),
            items: 1,
            checks: Vec::new(),
            names: names.map_or_else(OnceLock::new, OnceLock::from),
        }
    }

    /// A chunk that is not read.
    fn unread(text: &str) -> Self {
        Self {
            text: text.into(),
            hidden: precheck::hidden_characters(text),
            deep: None,
            broken: 0,
            read: 0,
            items: 0,
            checks: Vec::new(),
            green: tree::one_token(text),
            names: OnceLock::new(),
        }
    }

    /// Whether all of it was read, and there is nothing to say of it.
    pub(super) fn is_sound(&self) -> bool {
        let was_read = self.deep.is_none() && self.read == self.text.len();
        was_read && self.broken == 0 && self.hidden.is_none() && self.checks.is_empty()
    }

    /// Where reading stopped, if that was before its end.
    pub(super) fn unread_from(&self) -> Option<u32> {
        (self.read < self.text.len()).then(|| offset(self.read))
    }

    /// Whether not even its beginning was read.
    fn is_unread(&self) -> bool {
        self.read == 0 && !self.text.is_empty()
    }

    /// The declarations once more, where those of an earlier version are not at hand.
    fn lower(&self) -> Vec<Item> {
        lower::items(&SyntaxNode::root(self.green.clone())).0
    }

    /// The names in it.
    pub(super) fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::of([&*self.green]))
    }

    /// The names in it, if anyone has asked for them.
    pub(super) fn known_names(&self) -> Option<&Names> {
        self.names.get()
    }
}

/// All parts of a text with their declarations.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) parts: Vec<Arc<Part>>,
    /// With the offsets of the text.
    pub(super) items: Vec<Item>,
    /// How many places of them break the grammar.
    broken: usize,
}

impl Parts {
    /// The parts of a text with their declarations.
    pub(super) fn of(parts: Vec<Arc<Part>>, items: Vec<Item>) -> Self {
        let broken = parts.iter().map(|part| part.broken).sum();
        Self { parts, items, broken }
    }

    /// The parts of a text that was cut into `chunks`, taking what did not change from those of the text
    /// before.
    pub(super) fn change(self, chunks: &[&str]) -> Self {
        let Self { parts: mut before, items: mut items_before, .. } = self;
        let same = |(part, chunk): &(&Arc<Part>, &&str)| !part.is_unread() && *part.text == ***chunk;
        let head = before.iter().zip(chunks).take_while(same).count();
        let (_, rest) = chunks.split_at(head.min(chunks.len()));
        let tail = before.iter().skip(head).rev().zip(rest.iter().rev()).take_while(same).count();
        let (changed, _) = rest.split_at(rest.len().saturating_sub(tail));

        let tail_parts = before.split_off(before.len().saturating_sub(tail));
        let left_parts = before.split_off(head);
        let tail_items = items_before.split_off(items_before.len().saturating_sub(count(&tail_parts)));
        let left_items = items_before.split_off(count(&before));

        let start = length(&before);
        let tail_was_at = start.saturating_add(length(&left_parts));
        let tail_is_at = start.saturating_add(offset(changed.iter().map(|chunk| chunk.len()).sum()));
        let mut all = Self::of(before, items_before);
        all.read(changed, start, &left_parts, left_items);
        all.extend(tail_parts, tail_items, tail_is_at.wrapping_sub(tail_was_at));
        all.give_up();
        all
    }

    /// Adds `chunks`, which start at `at`, where the parts `before` with their `items` stood.
    fn read(&mut self, chunks: &[&str], mut at: u32, before: &[Arc<Part>], items: Vec<Item>) {
        let mut cache = NodeCache::default();
        let known = before.iter().filter(|part| !part.is_unread());
        let known: HashMap<&str, &Arc<Part>> = known.map(|part| (&*part.text, part)).collect();
        let (mut before, mut items, mut was_at) = (before.iter(), items.into_iter(), at);
        for chunk in chunks {
            let before = before.next();
            let items_before = items.by_ref().take(before.map_or(0, |part| part.items)).collect();
            let (part, items, by) = match known.get(chunk) {
                _ if self.broken >= MAX_BROKEN_PLACES => (Arc::new(Part::unread(chunk)), Vec::new(), at),
                Some(part) => (Arc::clone(part), part.lower(), at),
                None => {
                    let edited =
                        before.and_then(|part| edited::reread(part, items_before, chunk, was_at, &mut cache));
                    let by = if edited.is_some() { at.wrapping_sub(was_at) } else { at };
                    let (part, items) = edited.unwrap_or_else(|| Part::read(chunk, &mut cache));
                    (Arc::new(part), items, by)
                }
            };
            self.extend([part], items, by);
            at = at.saturating_add(offset(chunk.len()));
            was_at = was_at.saturating_add(offset(before.map_or(0, |part| part.text.len())));
        }
    }

    /// Forgets what was read behind too many broken places.
    fn give_up(&mut self) {
        if self.broken < MAX_BROKEN_PLACES {
            return;
        }
        let (mut broken, mut items) = (0, 0);
        for part in &mut self.parts {
            if broken < MAX_BROKEN_PLACES {
                broken += part.broken;
                items += part.items;
            } else if !part.is_unread() {
                *part = Arc::new(Part::unread(&part.text));
            }
        }
        self.items.truncate(items);
        self.broken = broken;
    }

    /// Whether all of the text was read.
    pub(super) fn is_complete(&self) -> bool {
        self.parts.iter().all(|part| part.unread_from().is_none())
    }

    /// Adds parts whose declarations are to be moved by `by` bytes; what is less than none wraps.
    fn extend(&mut self, parts: impl IntoIterator<Item = Arc<Part>>, items: Vec<Item>, by: u32) {
        let added = self.parts.len();
        self.parts.extend(parts);
        self.broken += self.parts.iter().skip(added).map(|part| part.broken).sum::<usize>();
        let first = self.items.len();
        self.items.extend(items);
        if by != 0 {
            self.items.iter_mut().skip(first).for_each(|item| item.shift(by));
        }
    }
}

fn count(parts: &[Arc<Part>]) -> usize {
    parts.iter().map(|part| part.items).sum()
}

fn length(parts: &[Arc<Part>]) -> u32 {
    offset(parts.iter().map(|part| part.text.len()).sum())
}

/// A text that is read has at most [`crate::limits::MAX_SOURCE_BYTES`].
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
