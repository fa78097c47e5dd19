//! The names that are written in a chunk.

use std::collections::BTreeMap;
use std::sync::Arc;

use rowan::GreenNodeData;

use crate::lower;
use crate::syntax::{SyntaxKind, each_text};

/// How often each name is written in a chunk: so that what becomes of them is known where a part of it is replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeMap<Arc<str>, usize>);

impl Names {
    /// Those below the nodes `all`.
    pub(super) fn of<'g>(all: impl IntoIterator<Item = &'g GreenNodeData>) -> Self {
        let mut names = Self::default();
        for_each_name(all, |name, count| match names.0.get_mut(name) {
            Some(counted) => *counted += count,
            None => drop(names.0.insert(name.into(), count)),
        });
        names
    }

    /// Those of a chunk in which the nodes `new` stand where the nodes `gone` stood.
    pub(super) fn replaced<'g>(
        &self,
        gone: impl IntoIterator<Item = &'g GreenNodeData>,
        new: impl IntoIterator<Item = &'g GreenNodeData>,
    ) -> Self {
        let mut names = self.clone();
        for (name, count) in Self::of(new).0 {
            *names.0.entry(name).or_default() += count;
        }
        for_each_name(gone, |name, count| {
            if let Some(counted) = names.0.get_mut(name) {
                *counted -= count;
                if *counted == 0 {
                    names.0.remove(name);
                }
            }
        });
        names
    }

    /// Each name once, sorted.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }
}

/// Calls `each` with the names below the nodes `all` and how often they are written, the same name several times
/// perhaps.
fn for_each_name<'g>(all: impl IntoIterator<Item = &'g GreenNodeData>, mut each: impl FnMut(&'g str, usize)) {
    let mut written: Vec<&str> = Vec::new();
    all.into_iter().for_each(|node| each_text(node, SyntaxKind::Ident, |text| written.push(text)));
    // Most are one token of the tree's, again and again.
    written.sort_unstable_by_key(|text| text.as_ptr());
    for same in written.chunk_by(|a, b| std::ptr::eq(*a, *b)) {
        if let Some(text) = same.first() {
            each(lower::name_in(text), same.len());
        }
    }
}
