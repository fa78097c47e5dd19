//! What a new version of an operation means for the plans that use the old one.
//!
//! Arguments are contravariant and answers covariant: a new version may admit more and answer less. But a plan is
//! text that names things and matches on cases, so a narrower answer can leave it without what it names; and what an
//! answer may hold says whether answers that were recorded before still read. Hence four levels, see [`Level`].

use std::fmt;

use crate::json_schema::OperationTypes;
use crate::operation::{CapabilityDescriptor, OperationDescriptor};
use crate::subtype::assignable_at_ledger;
use crate::types::{Type, TypeDefs};

mod facts;
mod rules;
mod types;

/// Differences that are told; more are echoes.
pub const CHANGES_MAX: usize = 200;

/// What a change asks of plans, from nothing to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing that a plan can see.
    #[default]
    None,
    /// Every plan that compiled still compiles, with the same bounds; compiled plans may go on, for they read the
    /// new answers; and answers that were recorded before still read.
    Compatible,
    /// Compiled plans can bear it, but are out of date: the type is narrower where it may be, or a fact changed that
    /// bounds or requests are made of. Plans must be compiled again, and one that names what is gone or whose budget
    /// no longer suffices is told so.
    NeedsRecompile,
    /// An argument that was admitted is not any more, or an answer may be what plans do not expect.
    Breaking,
}

impl Level {
    /// All levels, ascending.
    pub const ALL: [Self; 4] = [Self::None, Self::Compatible, Self::NeedsRecompile, Self::Breaking];

    /// The name in reports and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Compatible => "compatible",
            Self::NeedsRecompile => "needs-recompile",
            Self::Breaking => "breaking",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it alone would ask.
    pub level: Level,
    /// Where, such as `output.data[].link`, `input.limit` or `price`.
    pub path: String,
    /// What was and what is.
    pub reason: String,
}

/// All differences between two versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compatibility {
    /// The highest of the changes.
    pub level: Level,
    /// The changes that a plan could see, gravest first, then by path; at most [`CHANGES_MAX`].
    pub changes: Vec<Change>,
}

impl Compatibility {
    /// The result of these changes.
    fn of(mut changes: Vec<Change>) -> Self {
        changes.sort_by(|a, b| {
            b.level.cmp(&a.level).then_with(|| (&a.path, &a.reason).cmp(&(&b.path, &b.reason)))
        });
        changes.dedup();
        changes.truncate(CHANGES_MAX);
        Self { level: changes.first().map_or(Level::None, |change| change.level), changes }
    }

    /// One that stands for the whole: an operation that appears or is gone.
    #[must_use]
    pub fn whole(level: Level, reason: impl Into<String>) -> Self {
        Self::of(vec![Change { level, path: String::new(), reason: reason.into() }])
    }
}

/// What going from `old` to `new` asks of plans.
///
/// ```
/// use schema::compat::{Level, operation};
/// # let entry = |output: serde_json::Value| -> schema::operation::OperationDescriptor {
/// #     serde_json::from_value(serde_json::json!({
/// #         "id": "sn1.find", "netuid": 1, "version": { "breaking": 1, "compatible": 0 }, "summary": "",
/// #         "transport": { "kind": "other", "protocol": "grpc", "base_url": null }, "access": "open",
/// #         "auth": { "kind": "none" }, "side_effects": "none", "repeat": { "safe": true, "costs_again": false },
/// #         "input": { "type": "object" }, "output": output, "output_complete": true, "sources": [],
/// #     })).unwrap()
/// # };
/// let old = entry(serde_json::json!({ "type": "object", "required": ["rank"], "properties": {
///     "rank": { "type": "integer", "minimum": 0, "maximum": 9 },
/// } }));
/// let new = entry(serde_json::json!({ "type": "object", "required": ["rank"], "properties": {
///     "rank": { "type": "integer", "minimum": 0, "maximum": 99 }, "note": { "type": "string" },
/// } }));
/// let found = operation(&old, &new);
/// assert_eq!(found.level, Level::Breaking);
/// let lines: Vec<_> = found.changes.iter().map(|c| format!("{} {}: {}", c.level, c.path, c.reason)).collect();
/// assert_eq!(lines, [
///     "breaking output.rank: was Int(0..9), may be Int(0..99) now",
///     "compatible output.note: is new",
/// ]);
/// ```
#[must_use]
pub fn operation(old: &OperationDescriptor, new: &OperationDescriptor) -> Compatibility {
    let mut changes = Vec::new();
    match (OperationTypes::of(old), OperationTypes::of(new)) {
        (Ok(old_types), Ok(new_types)) => {
            let stem = crate::json_schema::type_stem(&old.id);
            types::compare(&old_types, &new_types, &stem, &mut changes);
            rules::compare(old, new, &mut changes);
        }
        (Ok(_), Err(error)) => {
            let reason = format!("has a schema that this version cannot type: {error}");
            changes.push(Change { level: Level::Breaking, path: "schema".into(), reason });
        }
        // No plan can have compiled against it.
        (Err(_), _) => {}
    }
    facts::compare(old, new, &mut changes);
    Compatibility::of(changes)
}

/// What going from `old` to `new` asks of plans, as far as the entries alone tell: a capability is text, and whether
/// plans still fit it shows when they are compiled.
#[must_use]
pub fn capability(old: &CapabilityDescriptor, new: &CapabilityDescriptor) -> Compatibility {
    let mut changes = Vec::new();
    let mut change = |path: String, reason: &str| {
        changes.push(Change { level: Level::NeedsRecompile, path, reason: reason.into() });
    };
    if old.source.trim() != new.source.trim() {
        change("source".into(), "is another text");
    }
    let source = |of: &CapabilityDescriptor, id: &str| {
        of.adapters
            .iter()
            .find(|adapter| adapter.operation == id)
            .map(|adapter| adapter.source.trim().to_owned())
    };
    for adapter in &old.adapters {
        match source(new, &adapter.operation) {
            None => change(format!("adapters.{}", adapter.operation), "is gone"),
            Some(text) if text != adapter.source.trim() => {
                change(format!("adapters.{}", adapter.operation), "is another text");
            }
            Some(_) => {}
        }
    }
    for adapter in &new.adapters {
        if source(old, &adapter.operation).is_none() {
            change(format!("adapters.{}", adapter.operation), "is new");
        }
    }
    Compatibility::of(changes)
}

/// Both types in one table.
struct Tables {
    defs: TypeDefs,
}

impl Tables {
    fn below(&self, from: &Type, to: &Type) -> bool {
        assignable_at_ledger(from, to, &self.defs).is_ok()
    }

    fn show(&self, ty: &Type) -> String {
        self.defs.show(ty)
    }
}

#[cfg(test)]
mod tests;
