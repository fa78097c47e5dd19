//! All texts of one compilation, parsed: the plan's own file and the capabilities it uses from the lock.

use std::collections::BTreeSet;

use plan_lang::ast::{self, Item};
use plan_lang::limits::MAX_REPORTED_ERRORS;
use plan_lang::{Parse, Span};
use schema::lock::Lock;

use crate::Source;
use crate::sink::SourceId;

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
        let mut wanted = BTreeSet::new();
        let mut imports = Vec::new();
        for import in main.ast().items.iter().filter_map(capability_imports).flatten() {
            if wanted.insert(import.name.name.clone()) {
                imports.push((import.name.name.clone(), import.span));
            }
        }
        let mut texts = Self { all: vec![(source.name.to_owned(), main)], capabilities: Vec::new() };
        for (name, import) in imports {
            let Some((_, descriptor)) = lock.capabilities.get(&name) else { continue };
            let mut sources = vec![texts.add(format!("cap.{name}"), &descriptor.source)];
            // The entry may know more operations than could be called when the lock was made.
            let pinned = descriptor.adapters.iter().filter(|a| lock.operations.contains_key(&a.operation));
            for adapter in pinned {
                let label = format!("cap.{name}/{}", adapter.operation);
                sources.push(texts.add(label, &adapter.source));
            }
            texts.capabilities.push(LockedTexts { name, import, sources });
        }
        texts
    }

    fn add(&mut self, name: String, text: &str) -> SourceId {
        let id = SourceId::try_from(self.all.len()).unwrap_or(SourceId::MAX);
        self.all.push((name, plan_lang::parse(text)));
        id
    }

    /// The parse of `source`.
    pub(crate) fn get(&self, source: SourceId) -> Option<&Parse> {
        self.all.get(usize::from(source)).map(|(_, parse)| parse)
    }

    /// The declarations of `source`.
    pub(crate) fn items(&self, source: SourceId) -> &[Item] {
        self.get(source).map_or(&[], |parse| &parse.ast().items)
    }

    /// Whether the plan's own file has as many syntax errors as are ever reported: names and types that are found in what
    /// could be read of it would help nobody, and finding them takes longer than anything else.
    pub(crate) fn is_hopeless(&self) -> bool {
        let found = self.get(0).map_or(&[][..], Parse::diagnostics);
        found.iter().filter(|found| found.is_error()).count() >= MAX_REPORTED_ERRORS
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
