//! Where a reader stands and what went wrong there.

use serde::de;

use super::index::Indexes;
use super::{DECODED_FIELDS_MAX, DUPLICATE_KEY, DecodeError, MISFIT, NOT_JSON, TOO_LARGE};
use crate::limits::{JSON_DEPTH_MAX, LIST_ELEMENTS_MAX};
use crate::types::{RecordDef, TypeDefs};

/// Characters of an answer that a message or a path repeats at most.
const QUOTED_MAX: usize = 40;

/// State of one reading. The path is built only when something failed, by every container on the way
/// out, so that a good answer pays nothing for it.
pub(super) struct Context<'a> {
    pub(super) defs: &'a TypeDefs,
    /// Whether a key that a record does not have is a misfit, not passed over.
    pub(super) exact: bool,
    pub(super) indexes: Indexes<'a>,
    depth: usize,
    fields: usize,
    failure: Option<(&'static str, String)>,
    /// Innermost segment first.
    trail: Vec<String>,
}

impl<'a> Context<'a> {
    pub(super) fn new(defs: &'a TypeDefs) -> Self {
        Self {
            defs,
            exact: false,
            indexes: Indexes::default(),
            depth: 0,
            fields: 0,
            failure: None,
            trail: Vec::new(),
        }
    }

    /// Accounts for the fields of one more record, those that are absent included: `{}` can stand for a thousand.
    pub(super) fn fields<E: de::Error>(&mut self, count: usize) -> Result<(), E> {
        self.fields = self.fields.saturating_add(count);
        if self.fields <= DECODED_FIELDS_MAX {
            return Ok(());
        }
        Err(self.fail(TOO_LARGE, format!("its records have more than {DECODED_FIELDS_MAX} fields together")))
    }

    /// A reading that starts `depth` levels down in a document.
    pub(super) fn below(defs: &'a TypeDefs, depth: usize) -> Self {
        Self { depth, ..Self::new(defs) }
    }

    /// Enters an array or object.
    pub(super) fn enter<E: de::Error>(&mut self) -> Result<(), E> {
        if self.depth >= JSON_DEPTH_MAX {
            return Err(self.fail(TOO_LARGE, format!("it nests deeper than {JSON_DEPTH_MAX} levels")));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Refuses element number `count + 1` of a list or map that is full.
    pub(super) fn room<E: de::Error>(&mut self, count: usize) -> Result<(), E> {
        if count < LIST_ELEMENTS_MAX {
            return Ok(());
        }
        Err(self.fail(TOO_LARGE, format!("it has more than {LIST_ELEMENTS_MAX} elements")))
    }

    pub(super) fn misfit<E: de::Error>(&mut self, expected: &str, found: &str) -> E {
        self.fail(MISFIT, format!("expected {expected}, found {found}"))
    }

    pub(super) fn duplicate<E: de::Error>(&mut self, key: &str) -> E {
        let error = self.fail(DUPLICATE_KEY, "the object names this key twice".into());
        self.trail.push(key_segment(key));
        error
    }

    pub(super) fn missing<E: de::Error>(&mut self, field: &str, expected: &str) -> E {
        let error = self.fail(MISFIT, format!("expected {expected}, but `{}` is missing", quoted(field)));
        self.trail.push(key_segment(field));
        error
    }

    /// A key that the record does not have, where that is a misfit.
    pub(super) fn unknown<E: de::Error>(&mut self, key: &str, def: &RecordDef) -> E {
        let fields: Vec<String> = def.fields.iter().map(|field| format!("`{}`", field.name)).collect();
        let has = if fields.is_empty() { "no fields".to_owned() } else { fields.join(", ") };
        let error = self.fail(MISFIT, format!("`{}` has no such field; it has {has}", def.name));
        self.below_key(key, error)
    }

    fn fail<E: de::Error>(&mut self, code: &'static str, message: String) -> E {
        self.failure = Some((code, message));
        // The reason is kept in the context: serde's errors carry text only.
        E::custom("misfit")
    }

    /// Notes on the way out of a failure that it lies below `key`.
    pub(super) fn below_key<E>(&mut self, key: &str, error: E) -> E {
        self.trail.push(key_segment(key));
        error
    }

    /// Notes on the way out of a failure that it lies below element `index`.
    pub(super) fn below_index<E>(&mut self, index: usize, error: E) -> E {
        self.trail.push(format!("[{index}]"));
        error
    }

    /// The error of a failed reading; `parser` is what the parser said, if the reader did not fail.
    pub(super) fn into_error(self, parser: &impl std::fmt::Display) -> DecodeError {
        let path = std::iter::once("$").chain(self.trail.iter().rev().map(String::as_str)).collect();
        let (code, message) =
            self.failure.unwrap_or_else(|| (NOT_JSON, format!("this is not JSON: {parser}")));
        DecodeError { code, path, message }
    }

    pub(super) fn large(self, message: String) -> DecodeError {
        DecodeError { code: TOO_LARGE, path: "$".into(), message }
    }
}

pub(crate) fn key_segment(key: &str) -> String {
    let plain = key.chars().enumerate().all(|(place, c)| {
        c == '_' || c.is_ascii_alphabetic() || (place > 0 && (c.is_ascii_digit() || c == '-'))
    });
    if plain && !key.is_empty() && key.len() <= QUOTED_MAX {
        format!(".{key}")
    } else {
        format!("[{}]", serde_json::Value::from(quoted(key)))
    }
}

/// The first characters of `text`.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
