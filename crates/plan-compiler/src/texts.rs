//! All texts of one compilation, parsed: the plan's own file and the capabilities it uses from the lock.

use std::collections::{BTreeMap, BTreeSet};

use plan_lang::ast::{self, Item};
use plan_lang::limits::MAX_REPORTED_ERRORS;
use plan_lang::{Parse, Span};
use schema::lock::Lock;

use crate::Source;
use crate::report;
use crate::sink::SourceId;

/// Longest declaration that is checked although it has a syntax error.
const BROKEN_ITEM_BYTES_MAX: u32 = 64 << 10;

/// The texts, by [`SourceId`].
#[derive(Debug)]
pub(crate) struct Texts {
    /// Name and parse of each; the first is the plan's own.
    all: Vec<(String, Parse)>,
    /// The capabilities taken from the lock.
    pub(crate) capabilities: Vec<LockedTexts>,
}

/// The texts of one capability of the lock.
#[derive(Debug)]
pub(crate) struct LockedTexts {
    pub(crate) name: String,
    /// Where the file imports it.
    pub(crate) import: Span,
    /// Its source first, then its adapters.
    pub(crate) sources: Vec<SourceId>,
}

impl Texts {
    /// Parses `source` and what it uses from `lock`.
    pub(crate) fn parse(source: &Source<'_>, lock: &Lock) -> Self {
        let main = plan_lang::parse(source.text);
        let mut texts = Self { all: vec![(source.name.to_owned(), main)], capabilities: Vec::new() };
        texts.add_capabilities(lock, BTreeMap::new());
        texts
    }

    /// Parses a changed text of the plan's own file; `lock` is the same as before.
    pub(crate) fn change(&mut self, text: &str, lock: &Lock) {
        let known = self.all.drain(1.min(self.all.len())..).collect();
        if let Some((_, main)) = self.all.first_mut() {
            main.change(text);
        }
        self.add_capabilities(lock, known);
    }

    /// Adds the capabilities that the file imports; `known` are parses of them by name.
    fn add_capabilities(&mut self, lock: &Lock, mut known: BTreeMap<String, Parse>) {
        let mut wanted = BTreeSet::new();
        let mut imports = Vec::new();
        for import in self.items(0).iter().filter_map(capability_imports).flatten() {
            if wanted.insert(import.name.name.clone()) {
                imports.push((import.name.name.clone(), import.span));
            }
        }
        self.capabilities.clear();
        for (name, import) in imports {
            let Some((_, descriptor)) = lock.capabilities.get(&name) else { continue };
            let mut sources = vec![self.add(format!("cap.{name}"), &descriptor.source, &mut known)];
            // The entry may know more operations than could be called when the lock was made.
            let pinned = descriptor.adapters.iter().filter(|a| lock.operations.contains_key(&a.operation));
            for adapter in pinned {
                let label = format!("cap.{name}/{}", adapter.operation);
                sources.push(self.add(label, &adapter.source, &mut known));
            }
            self.capabilities.push(LockedTexts { name, import, sources });
        }
    }

    fn add(&mut self, name: String, text: &str, known: &mut BTreeMap<String, Parse>) -> SourceId {
        let id = SourceId::try_from(self.all.len()).unwrap_or(SourceId::MAX);
        let parse = known.remove(&name).unwrap_or_else(|| plan_lang::parse(text));
        self.all.push((name, parse));
        id
    }

    /// The character at `offset` in the plan's own file.
    pub(crate) fn char_at(&self, offset: u32) -> Option<char> {
        let chunk =
            self.get(0)?.chunks().find(|chunk| (chunk.span.start..chunk.span.end).contains(&offset))?;
        chunk.text().get((offset - chunk.span.start) as usize..)?.chars().next()
    }

    /// The parse of `source`.
    pub(crate) fn get(&self, source: SourceId) -> Option<&Parse> {
        self.all.get(usize::from(source)).map(|(_, parse)| parse)
    }

    /// The declarations of `source`.
    pub(crate) fn items(&self, source: SourceId) -> &[Item] {
        self.get(source).map_or(&[], |parse| &parse.ast().items)
    }

    /// The tests of the plan's own file.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &ast::Test> {
        self.items(0).iter().filter_map(|item| match item {
            Item::Test(test) => Some(test),
            _ => None,
        })
    }

    /// Whether the plan's own file was not read to its end, has as many syntax errors as are ever reported, or a very long
    /// declaration with one: names and types that are found in what could be read of it would help nobody, and finding
    /// them takes longer than anything else.
    pub(crate) fn is_hopeless(&self) -> bool {
        let found = self.get(0).map_or(&[][..], Parse::diagnostics);
        let is_long = |item: &Span| item.end - item.start > BROKEN_ITEM_BYTES_MAX;
        self.get(0).is_some_and(|parse| !parse.is_complete())
            || found.iter().filter(|found| found.is_error()).count() >= MAX_REPORTED_ERRORS
            || report::broken_items(self, found).iter().any(is_long)
    }

    /// The names of all texts, by id.
    pub(crate) fn names(&self) -> Vec<String> {
        self.all.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// What a `use cap { .. }` imports.
fn capability_imports(item: &Item) -> Option<&[ast::Import]> {
    match item {
        Item::Use(item) if item.from.as_ident().is_some_and(|from| from.name == "cap") => Some(&item.imports),
        _ => None,
    }
}
