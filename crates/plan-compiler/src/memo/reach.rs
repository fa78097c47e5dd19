//! What each chunk of a text can see of the others.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use petgraph::graph::{DiGraph, NodeIndex};
use plan_lang::ast::Item;

use super::frame::Frame;
use super::numbering::{Numbered, Numbering};
use crate::layout::Layout;
use crate::texts::Texts;

/// Chunks by their place, and what they name.
#[derive(Debug, Default)]
pub(super) struct Reach {
    numbering: Numbering,
    /// Numbers of what is seen, for the text at hand.
    numbers: HashMap<Vec<u64>, u64>,
    everywhere: Vec<u64>,
    declared: String,
    frame: Frame,
    /// In the order of the text, and behind them one that stands for all adapters and one for all policies.
    chunks: Vec<Chunk>,
}

/// The numbers of what stands for all adapters and for all policies, which no text has.
const ADAPTERS: u64 = u64::MAX;
const POLICIES: u64 = u64::MAX - 1;

#[derive(Debug)]
struct Chunk {
    start: u32,
    /// Of its text alone.
    number: u64,
    /// The number of all that it sees.
    key: u64,
    /// The chunks with something that it names.
    names: Vec<usize>,
    /// Of the rows of all adapters and of all policies none.
    text: Option<Arc<str>>,
}

impl Reach {
    /// Reads a new version of the text.
    pub(super) fn turn_to(&mut self, texts: &Texts) {
        let Some(parse) = texts.get(0) else { return };
        let mut items = parse.ast().items.iter();
        let chunks = self.numbering.turn_to(parse.chunks());
        let all: Vec<(plan_lang::Chunk, Arc<Numbered>, Vec<&Item>)> = chunks
            .into_iter()
            .map(|(chunk, numbered)| {
                let own = items.by_ref().take(chunk.items()).collect();
                (chunk, numbered, own)
            })
            .collect();
        self.everywhere.clear();
        self.declared.clear();
        self.frame.clear();
        let mut names = Names(HashMap::with_capacity(all.len()));
        let (mut adapters, mut policies) = (Vec::new(), Vec::new());
        for (at, (chunk, numbered, items)) in all.iter().enumerate() {
            describe(&mut self.declared, numbered.number, items);
            self.frame.add(numbered.number, chunk, items);
            if items.iter().copied().any(is_seen_everywhere) {
                self.everywhere.push(numbered.number);
            }
            if items.iter().any(|item| matches!(item, Item::Adapter(_))) {
                adapters.push(at);
            }
            if items.iter().any(|item| matches!(item, Item::Policy(_))) {
                policies.push(at);
            }
            items.iter().for_each(|item| names.declare(item, at));
        }
        let (all_adapters, all_policies) = (all.len(), all.len() + 1);
        let edges = all.iter().enumerate().map(|(at, (_, numbered, items))| {
            let makes_calls =
                items.iter().any(|item| matches!(item, Item::Plan(_) | Item::Policy(_) | Item::Test(_)));
            let mut seen = names.of(numbered.chunk.names());
            seen.retain(|&to| to != at);
            seen.extend(makes_calls.then_some(all_adapters));
            // Whether a mock is ever asked depends on the calls of policies, too.
            let is_test = items.iter().any(|item| matches!(item, Item::Test(_)));
            seen.extend(is_test.then_some(all_policies));
            seen
        });
        let edges: Vec<Vec<usize>> = edges.chain([adapters, policies]).collect();
        let numbers: Vec<u64> =
            all.iter().map(|(_, numbered, _)| numbered.number).chain([ADAPTERS, POLICIES]).collect();
        let keys = self.keys(&numbers, &edges);
        // The rows of all adapters and of all policies stand behind the text.
        let end = all.last().map_or(0, |(chunk, ..)| chunk.span.end);
        let starts = all.iter().map(|(chunk, ..)| chunk.span.start).chain([end; 2]);
        let texts = all.iter().map(|(chunk, ..)| Some(Arc::clone(chunk.text()))).chain([None, None]);
        let rows = starts.zip(texts).zip(numbers).zip(edges).zip(keys);
        let row = |((((start, text), number), names), key)| Chunk { start, number, key, names, text };
        self.chunks = rows.map(row).collect();
    }

    /// A number for each chunk with all that it reaches: the same as before where all of it is the same.
    fn keys(&mut self, numbers: &[u64], edges: &[Vec<usize>]) -> Vec<u64> {
        let edge_count = edges.iter().map(Vec::len).sum();
        let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(numbers.len(), edge_count);
        let nodes: Vec<NodeIndex> = numbers.iter().map(|_| graph.add_node(())).collect();
        for (from, to) in nodes.iter().zip(edges) {
            for to in to.iter().filter_map(|&to| nodes.get(to)) {
                graph.add_edge(*from, *to, ());
            }
        }
        let mut keys = vec![0; numbers.len()];
        let mut known = HashMap::with_capacity(self.numbers.len());
        // Those that are reached come before those that reach them.
        for circle in petgraph::algo::kosaraju_scc(&graph) {
            let mut members: Vec<usize> = circle.iter().map(|node| node.index()).collect();
            members.sort_unstable();
            let outside = members.iter().filter_map(|&at| edges.get(at)).flatten();
            let outside = outside.filter(|to| members.binary_search(to).is_err());
            let outside = outside.filter_map(|&to| keys.get(to));
            let own = members.iter().filter_map(|&at| numbers.get(at));
            // In the order of the text, which says who is the first to declare a name. Numbers start from 1, so that
            // 0 parts the two.
            let all: Vec<u64> = own.chain([&0]).chain(outside).copied().collect();
            let key = match self.numbers.remove(&all).or_else(|| known.get(&all).copied()) {
                Some(key) => key,
                None => self.numbering.next(),
            };
            known.insert(all, key);
            for at in members {
                if let Some(slot) = keys.get_mut(at) {
                    *slot = key;
                }
            }
        }
        self.numbers = known;
        keys
    }

    /// What every body of the file sees, whatever it names: imports, capabilities and adapters.
    pub(super) fn everywhere(&self) -> &[u64] {
        &self.everywhere
    }

    /// All that what is said of a body can tell of others, chunk by chunk: everything but the insides of functions,
    /// plans, policies and tests.
    pub(super) fn declared(&self) -> &str {
        &self.declared
    }

    /// All of the text but what stands inside of plans.
    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The text of a chunk.
    pub(super) fn text(&self, chunk: usize) -> Option<&Arc<str>> {
        self.chunks.get(chunk)?.text.as_ref()
    }

    /// The number of a chunk's text, which is that of no other chunk.
    pub(super) fn number_of(&self, chunk: usize) -> Option<u64> {
        self.chunks.get(chunk).map(|chunk| chunk.number)
    }

    /// The number of all that a chunk sees beyond that.
    pub(super) fn key(&self, chunk: usize) -> Option<u64> {
        self.chunks.get(chunk).map(|chunk| chunk.key)
    }

    /// Where the chunks start, and the end of the last.
    pub(super) fn layout(&self) -> Layout {
        let own = self.chunks.iter().filter(|chunk| chunk.text.is_some());
        let end = self.chunks.last();
        Layout::new(own.chain(end).map(|chunk| chunk.start).collect())
    }

    /// All chunks that `first` reach, themselves included.
    pub(super) fn from(&self, first: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        let mut open: Vec<usize> = first.collect();
        let mut reached = BTreeSet::new();
        while let Some(at) = open.pop() {
            if reached.insert(at) {
                open.extend(self.chunks.get(at).iter().flat_map(|chunk| &chunk.names));
            }
        }
        reached
    }
}

/// Who declares a name: a type and a value may share one.
#[derive(Debug, Default)]
struct Names<'i>(HashMap<&'i str, [Option<usize>; 2]>);

impl<'i> Names<'i> {
    /// Takes the name of what the chunk `at` declares. Of several the first is meant, and the others are nothing.
    fn declare(&mut self, item: &'i Item, at: usize) {
        let Some(name) = item.name() else { return };
        let [ty, value] = self.0.entry(&name.name).or_default();
        let declared = if matches!(item, Item::Record(_) | Item::Enum(_)) { ty } else { value };
        declared.get_or_insert(at);
    }

    /// The chunks that declare what one of `names` may stand for, in the order of the text.
    fn of<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<usize> {
        let found = names.filter_map(|name| self.0.get(name));
        let mut found: Vec<usize> = found.flatten().flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Whether bodies see what they do not name of it: imports bring types along, an adapter may serve any call.
fn is_seen_everywhere(item: &Item) -> bool {
    match item {
        Item::Edition(_) | Item::Use(_) | Item::Capability(_) | Item::Adapter(_) => true,
        Item::Record(_) | Item::Enum(_) | Item::Fn(_) | Item::Plan(_) | Item::Policy(_) | Item::Test(_) => {
            false
        }
    }
}

/// Adds what a chunk declares. Of what has insides the kind and the name, else all of it.
fn describe(declared: &mut String, number: u64, items: &[&Item]) {
    for item in items {
        // Writing to a string does not fail.
        let _ = match item {
            Item::Fn(item) => writeln!(declared, "fn {}", item.name.name),
            Item::Plan(item) => writeln!(declared, "plan {}", item.name.name),
            Item::Policy(item) => writeln!(declared, "policy {}", item.name.name),
            Item::Test(_) => writeln!(declared, "test"),
            _ => writeln!(declared, "{number}"),
        };
    }
    declared.push(';');
}
