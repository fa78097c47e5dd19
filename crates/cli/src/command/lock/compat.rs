//! What going from one lock to another means for plans, pin by pin.

use schema::compat::{Change, Compatibility, Level, capability, operation};
use schema::hash::Hash;
use schema::lock::{Lock, PinnedEntry};
use schema::operation::Version;
use serde_json::{Value, json};

/// Reasons of one pin that people are shown.
const REASONS_MAX: usize = 12;

/// What a lock pins under one name.
type Pin = (Version, Hash);

/// All pins that differ.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: Vec<Row>,
    /// Whether the exchange rate differs.
    rate: bool,
}

#[derive(Debug)]
struct Row {
    /// `sn22.web_search` or `cap generate`.
    name: String,
    from: Option<Pin>,
    to: Option<Pin>,
    found: Compatibility,
}

impl Report {
    /// Compares two locks. What only one of them pins counts as nothing, unless `needed` says that plans need it.
    pub(super) fn of(old: &Lock, new: &Lock, needed: &dyn Fn(&str) -> bool) -> Self {
        let mut rows = Vec::new();
        let mut add = |name: String, from: Option<Pin>, to: Option<Pin>, found: Compatibility| {
            rows.push(Row { name, from, to, found });
        };
        let gone = |name: &str| match needed(name) {
            true => Compatibility::whole(Level::Breaking, "is not there any more"),
            false => Compatibility::default(),
        };
        let pin = |pinned: &PinnedEntry| Some((pinned.descriptor().version, pinned.hash()));
        for (id, pinned) in &old.operations {
            let from = pin(pinned);
            match new.operations.get(id) {
                Some(now) if now == pinned => {}
                Some(now) => {
                    add(id.clone(), from, pin(now), operation(pinned.descriptor(), now.descriptor()));
                }
                None => add(id.clone(), from, None, gone(id)),
            }
        }
        for (name, (hash, entry)) in &old.capabilities {
            let (shown, from) = (format!("cap {name}"), Some((entry.version, *hash)));
            match new.capabilities.get(name) {
                Some((to, _)) if to == hash => {}
                Some((to, now)) => add(shown, from, Some((now.version, *to)), capability(entry, now)),
                None => add(shown, from, None, gone(name)),
            }
        }
        let added = new.operations.iter().filter(|(id, _)| !old.operations.contains_key(*id));
        added.for_each(|(id, pinned)| add(id.clone(), None, pin(pinned), Compatibility::default()));
        let added = new.capabilities.iter().filter(|(name, _)| !old.capabilities.contains_key(*name));
        added.for_each(|(name, (hash, entry))| {
            add(format!("cap {name}"), None, Some((entry.version, *hash)), Compatibility::default());
        });
        Self { rows, rate: old.rate != new.rate }
    }

    /// The highest level of all.
    pub(super) fn level(&self) -> Level {
        let rate = if self.rate { Level::NeedsRecompile } else { Level::None };
        self.rows.iter().map(|row| row.found.level).fold(rate, Level::max)
    }

    /// What is said of one pin, for a pin with a name such as `sn22.web_search 1.0`.
    pub(super) fn lines_of(&self, pin: &str) -> Vec<String> {
        let row = self.rows.iter().find(|row| {
            pin.strip_prefix(row.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        row.map(|row| row.lines(4)).unwrap_or_default()
    }

    /// A line on the exchange rate, where it differs.
    pub(super) fn rate_line(&self) -> Option<String> {
        self.rate.then(|| "  ~ exchange rate: needs-recompile".to_owned())
    }

    /// The whole report for people, a pin to a paragraph.
    pub(super) fn for_people(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            text.push_str(&format!("{} {}\n", row.name, row.way()));
            row.lines(2).iter().for_each(|line| text.push_str(&format!("{line}\n")));
        }
        if let Some(line) = self.rate_line() {
            text.push_str(&format!("{}\n", line.trim_start_matches("  ~ ")));
        }
        text
    }

    /// The report for programs.
    pub(super) fn to_json(&self) -> Value {
        self.rows.iter().map(Row::to_json).collect()
    }
}

impl Row {
    /// From which version to which; with the entries where the version is the same.
    fn way(&self) -> String {
        match (&self.from, &self.to) {
            (Some((from, a)), Some((to, b))) if from == to => {
                format!("{from} ({}) -> {to} ({})", a.short(), b.short())
            }
            (Some((from, _)), Some((to, _))) => format!("{from} -> {to}"),
            (Some((from, _)), None) => format!("{from} -> nothing"),
            (None, Some((to, _))) => format!("nothing -> {to}"),
            (None, None) => String::new(),
        }
    }

    fn lines(&self, indent: usize) -> Vec<String> {
        let indent = " ".repeat(indent);
        let mut lines = vec![format!("{indent}{}", self.verdict())];
        for Change { level, path, reason } in self.found.changes.iter().take(REASONS_MAX) {
            let place = if path.is_empty() { String::new() } else { format!("{path} ") };
            let mark = if *level == self.found.level { String::new() } else { format!(" ({level})") };
            lines.push(format!("{indent}  {place}{reason}{mark}"));
        }
        let more = self.found.changes.len().saturating_sub(REASONS_MAX);
        if more > 0 {
            lines.push(format!("{indent}  and {more} more; --json shows them all"));
        }
        lines
    }

    fn verdict(&self) -> String {
        let level = self.found.level;
        // The version promises more than the entries keep.
        let promised = match (&self.from, &self.to) {
            (Some((from, _)), Some((to, _))) => from.breaking == to.breaking && level == Level::Breaking,
            _ => false,
        };
        if promised {
            format!("{level}, though its version says that it is compatible")
        } else {
            level.to_string()
        }
    }

    fn to_json(&self) -> Value {
        let pin = |pin: &Option<Pin>| {
            pin.as_ref()
                .map(|(version, entry)| json!({ "version": version.to_string(), "entry": entry.to_string() }))
        };
        let reason = |change: &Change| json!({ "level": change.level.name(), "path": change.path, "reason": change.reason });
        json!({
            "name": self.name,
            "from": pin(&self.from),
            "to": pin(&self.to),
            "level": self.found.level.name(),
            "reasons": self.found.changes.iter().map(reason).collect::<Value>(),
        })
    }
}
