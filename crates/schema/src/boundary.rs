//! What a JSON Schema demands beyond the type it maps to, checked where values cross the border: before an
//! argument is sent and after an answer was read.
//!
//! A type says which fields there are, of which kind, and how long or large. A schema can say more: a `pattern`, a
//! `multipleOf`, `uniqueItems`, which fields go together, `not`, `if`, what stands in which place of a tuple. Those
//! rules are compiled once per operation and looked at only where there are any.
//!
//! Objects are read as [`crate::decode`] reads them: open, and with an absent field and `null` as one value. So
//! `additionalProperties: false` says nothing of an answer, and `oneOf` asks that at least one member fits.

use serde_json::Value as Json;

use crate::decode::DecodeError;
use crate::json_schema::SchemaError;

mod check;
mod compile;
mod equal;
mod format;
mod nulls;
mod pattern;
mod union;

use compile::Node;
pub(crate) use equal::canonical;
use pattern::Pattern;
pub(crate) use union::{label, told_apart};

/// Code of a value that breaks a rule of its schema.
pub const RULE_BROKEN: &str = "E1124";

/// Rules that are looked at for one value, each as often as it applies: a small schema can ask for exponential work.
pub const CHECK_STEPS_MAX: usize = 5_000_000;

/// The rules of one schema. An empty set costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    nodes: Vec<Node>,
    /// Whether a value must be looked at at all.
    live: bool,
    /// Whether a property that is required may be `null`.
    nulls: bool,
    /// The first patterns, with their places.
    patterns: Vec<(String, Pattern)>,
}

impl Checks {
    /// The rules of `schema`.
    ///
    /// # Errors
    /// [`SchemaError`] for a keyword that is unknown, has a value of the wrong form or refers to nothing: here, too,
    /// nothing is dropped in silence.
    ///
    /// ```
    /// use schema::boundary::{Checks, RULE_BROKEN};
    /// let schema = serde_json::json!({ "type": "object", "properties": {
    ///     "hotkey": { "type": "string", "pattern": "^5[a-zA-Z0-9]+$" },
    /// } });
    /// let checks = Checks::of(&schema)?;
    /// assert!(checks.check(&serde_json::json!({ "hotkey": "5F3sa2" })).is_ok());
    /// let broken = checks.check(&serde_json::json!({ "hotkey": "x" })).unwrap_err();
    /// assert_eq!((broken.code, broken.path.as_str()), (RULE_BROKEN, "$.hotkey"));
    /// # Ok::<(), schema::json_schema::SchemaError>(())
    /// ```
    pub fn of(schema: &Json) -> Result<Self, SchemaError> {
        compile::compile(schema, false)
    }

    /// The rules of arguments, of which nothing may be there that the schema does not know: beside `patternProperties`,
    /// `additionalProperties: false` holds, too.
    ///
    /// # Errors
    /// As [`Checks::of`].
    pub fn of_arguments(schema: &Json) -> Result<Self, SchemaError> {
        compile::compile(schema, true)
    }

    /// Whether there is nothing to check.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.live
    }

    /// Checks a value that fits the type of the schema.
    ///
    /// # Errors
    /// [`RULE_BROKEN`] with the path of the first value that breaks a rule; [`crate::decode::TOO_LARGE`] where
    /// telling would take more than [`CHECK_STEPS_MAX`] steps.
    pub fn check(&self, value: &Json) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { check::check(&self.nodes, value) }
    }

    /// Puts `null` where a property that is required, and may be `null`, is absent: types have both as one value, and
    /// whoever reads by the schema refuses an object without it.
    ///
    /// ```
    /// use schema::boundary::Checks;
    /// let schema = serde_json::json!({ "type": "object", "required": ["note"], "properties": {
    ///     "note": { "type": ["string", "null"] }, "page": { "type": ["integer", "null"] },
    /// } });
    /// let mut value = serde_json::json!({});
    /// Checks::of(&schema)?.put_nulls(&mut value);
    /// assert_eq!(value, serde_json::json!({ "note": null }));
    /// # Ok::<(), schema::json_schema::SchemaError>(())
    /// ```
    pub fn put_nulls(&self, value: &mut Json) {
        if self.nulls {
            nulls::put(&self.nodes, value);
        }
    }

    /// Patterns that are not checked, with their JSON pointers: they use what a regular expression of linear time
    /// does not have, such as looking ahead, or are none at all.
    #[must_use]
    pub fn unchecked(&self) -> Vec<(String, String)> {
        let unknown = self.patterns.iter().filter(|(_, pattern)| !pattern.is_known());
        unknown.map(|(place, pattern)| (place.clone(), pattern.text.clone())).collect()
    }
}

/// Whether texts of this format are checked.
pub(crate) fn checks_format(name: &str) -> bool {
    format::Format::of(name).is_some()
}

#[cfg(test)]
mod tests;
