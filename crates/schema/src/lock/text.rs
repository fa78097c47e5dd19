//! `orchestra.lock` as text.

use std::collections::BTreeSet;

use serde::Serialize;

use super::problem::Problem;
use super::{LOCKFILE_BYTES_MAX, LOCKFILE_VERSION, LockError, LockedCapability, LockedOperation, Lockfile};
use crate::hash::{Context, Hash};

const HEADER: &str = "\
# What the plans here compiled against. Written by `orch lock update`; commit it with
# orchestra.schemas/, which holds the pinned entries by hash. Do not edit it by hand.
";

/// How the line starts that says what the rest holds. A comment, so that versions that do not know it read the lock.
const SUM: &str = "# sum: ";

impl Lockfile {
    /// The lockfile that `text` holds, its pins sorted.
    ///
    /// # Errors
    /// Where the text is no lockfile, with line and column, is of another version, too long, or pins
    /// something twice.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        if text.len() > LOCKFILE_BYTES_MAX {
            return Err(Problem::TooLarge { bytes: text.len() }.into());
        }
        // The version first: another format would fail in words that do not help.
        let table: toml::Table = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
        match table.get("version").and_then(toml::Value::as_integer) {
            Some(found) if found != i64::from(LOCKFILE_VERSION) => {
                return Err(Problem::Version { found }.into());
            }
            _ => {}
        }
        let mut lockfile: Self = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
        lockfile.sort();
        let operations = lockfile.operations.iter().map(|pin| pin.id.clone());
        let capabilities = lockfile.capabilities.iter().map(|pin| format!("cap.{}", pin.name));
        let mut seen = BTreeSet::new();
        match operations.chain(capabilities).find(|id| !seen.insert(id.clone())) {
            Some(id) => Err(Problem::Duplicate { id }.into()),
            None => Ok(lockfile),
        }
    }

    /// The canonical text: a header for people, what there is to find below it, pins sorted, one line for each fact.
    #[must_use]
    pub fn to_toml(&self) -> String {
        format!("{HEADER}{}\n{}", self.sum(), self.facts())
    }

    /// Whether this, read from `text`, is what the text says that it holds. A text of a version that did not say so is
    /// believed.
    pub(super) fn check_sum(&self, text: &str) -> Result<(), LockError> {
        let Some(found) = text.lines().map(str::trim_end).find(|line| line.starts_with(SUM)) else {
            return Ok(());
        };
        let pins = self.pins();
        let said =
            found.trim_start_matches(SUM).split_once(" pins, ").and_then(|(count, _)| count.parse().ok());
        match said {
            _ if found == self.sum() => Ok(()),
            Some(said) if said != pins => Err(Problem::CutOff { said, pins }.into()),
            _ => Err(Problem::Edited.into()),
        }
    }

    fn pins(&self) -> usize {
        self.operations.len() + self.capabilities.len()
    }

    fn sum(&self) -> String {
        format!("{SUM}{} pins, {}", self.pins(), self.hash())
    }

    /// What the hash covers.
    fn facts(&self) -> String {
        let mut sorted = self.clone();
        sorted.sort();
        let mut text = String::new();
        line(&mut text, "version", &sorted.version);
        line(&mut text, "snapshot", &sorted.snapshot);
        if let Some(rate) = &sorted.rate {
            line(&mut text, "rate", rate);
        }
        for LockedOperation { id, version, entry, price, repeat, access } in &sorted.operations {
            text.push_str("\n[[operation]]\n");
            line(&mut text, "id", id);
            line(&mut text, "version", version);
            line(&mut text, "entry", entry);
            line(&mut text, "price", price);
            line(&mut text, "repeat", repeat);
            line(&mut text, "access", access);
        }
        for LockedCapability { name, version, entry, operations } in &sorted.capabilities {
            text.push_str("\n[[capability]]\n");
            line(&mut text, "name", name);
            line(&mut text, "version", version);
            line(&mut text, "entry", entry);
            line(&mut text, "operations", operations);
        }
        text
    }

    /// Hash of the canonical text without its sum.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Context::Lockfile.hash(&[format!("{HEADER}{}", self.facts()).as_bytes()])
    }

    fn sort(&mut self) {
        self.operations.sort_by(|a, b| a.id.cmp(&b.id));
        self.capabilities.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// One fact on one line, tables inline.
fn line(text: &mut String, key: &str, value: &impl Serialize) {
    // Amounts above 2^63 units are no TOML integers; no price is near them, and reading it back fails.
    let value = toml::Value::try_from(value).unwrap_or_else(|error| error.to_string().into());
    text.push_str(&format!("{key} = {value}\n"));
}

fn unreadable(text: &str, error: &toml::de::Error) -> LockError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Problem::Unreadable { line, column, message: error.message().into() }.into()
}
