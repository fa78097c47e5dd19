//! Operations of the lock and their types.

use plan_lang::{Diagnostic, Fix, Span, suggest};

use super::Resolver;
use crate::codes;
use crate::hir::Target;
use crate::program::{CallTarget, Operation, Origin};
use crate::sink::CANDIDATES_MAX;
use crate::sink::SourceId;

impl Resolver<'_, '_> {
    /// The operation called `id`, with its types; reports it where the lock does not hold it.
    pub(super) fn load(&mut self, id: &str, source: SourceId, span: Span) -> Option<usize> {
        if let Some(known) = self.loaded.get(id) {
            return *known;
        }
        let lock = self.program.lock;
        let Some((id, entry)) = lock.operations.get_key_value(id) else {
            let report = self.unknown_operation(id, span);
            self.report(source, report);
            return None;
        };
        let loaded = self.load_quietly(id);
        if loaded.is_none() {
            let why = entry.types().err().map(|error| error.to_string()).unwrap_or_default();
            self.report(
                source,
                Diagnostic::error(
                    codes::UNKNOWN_OPERATION,
                    format!("`{id}` has a schema this version cannot type"),
                )
                .primary(span, "")
                .note(why)
                .help("choose another operation, or `orch lock update` once the Ledger has a mended entry"),
            );
        }
        loaded
    }

    /// As [`Self::load`], for an operation that the lock holds and that nobody named.
    pub(super) fn load_quietly(&mut self, id: &str) -> Option<usize> {
        let lock = self.program.lock;
        let (id, entry) = lock.operations.get_key_value(id)?;
        let loaded = entry.types().ok().map(|types| {
            let index = self.program.operations.len();
            // Types of the language that were written so far are not of this operation.
            self.program.origins.resize(self.types.len(), Origin::Prelude);
            let offset = self.types.import(&types.defs);
            self.program.origins.resize(self.types.len(), Origin::Ledger(index));
            self.program.operations.push(Operation {
                entry,
                input: schema::types::DefId(types.input.0.saturating_add(offset)),
                output: types.output.shift(offset),
            });
            index
        });
        self.loaded.insert(id, loaded);
        loaded
    }

    fn unknown_operation(&self, id: &str, span: Span) -> Diagnostic {
        let report = Diagnostic::error(codes::UNKNOWN_OPERATION, format!("the lock has no operation `{id}`"))
            .primary(span, "not in the lock");
        let lock = self.program.lock;
        let (subnet, name) = id.split_once('.').unwrap_or(("", id));
        let imported = self.program.modules.first().and_then(|module| module.targets.get(id));
        if let Some(CallTarget::Known(Target::Operation(at))) = imported
            && let Some(operation) = self.program.operations.get(*at)
        {
            let id = &operation.descriptor().id;
            return report
                .help(format!("an adapter names an operation in full: `{id}`"))
                .fix(Fix::maybe(format!("write `{id}`")).replace(span, id));
        }
        let of_subnet = lock.operations.keys().filter_map(|id| id.split_once('.'));
        let names = of_subnet.filter(|(of, _)| *of == subnet).map(|(_, name)| name);
        // The span is that of the name alone in a `use`, of the whole id in an adapter.
        let is_whole = span.len() as usize > name.len();
        let elsewhere =
            lock.operations.keys().find(|id| id.split_once('.').is_some_and(|(_, of)| of == name));
        if let Some(id) = elsewhere.filter(|_| is_whole) {
            return report
                .help(format!("did you mean `{id}`?"))
                .fix(Fix::maybe(format!("write `{id}`")).replace(span, id));
        }
        match suggest(name, names.take(CANDIDATES_MAX)) {
            Some(near) => {
                let text = if is_whole { format!("{subnet}.{near}") } else { near.to_owned() };
                report
                    .help(format!("did you mean `{near}`?"))
                    .fix(Fix::maybe(format!("use `{text}`")).replace(span, text))
            }
            None => to_be_pinned(report),
        }
    }
}

/// Says what to do about what the lock has not heard of.
pub(super) fn to_be_pinned(report: Diagnostic) -> Diagnostic {
    report
        .note("plans compile against `orchestra.lock` alone, so that the result is the same everywhere")
        .help("run `orch lock update` to pin what this file uses")
}
