//! Parts of a document, for a reader that is in the middle of one and lays values out in its own way. What is
//! wrong with a document is then told by reading it again with [`super::decode()`].

use serde::de::{DeserializeSeed, Deserializer};

use super::json::Skip;
use super::misfit::Context;
use super::typed::{Seed, text_misfit};
use crate::types::{LengthRange, Type, TypeDefs};
use crate::value::Value;

/// Reads a value of a type.
#[derive(Clone, Copy, Debug)]
pub struct PartSeed<'a> {
    /// The type.
    pub ty: &'a Type,
    /// Its records and enums.
    pub defs: &'a TypeDefs,
    /// Arrays and objects around the part.
    pub depth: usize,
}

impl<'de> DeserializeSeed<'de> for PartSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        Seed::read(&mut Context::below(self.defs, self.depth), self.ty, source)
    }
}

/// Reads what no type looks into, and refuses what [`super::decode()`] refuses there.
#[derive(Clone, Copy, Debug)]
pub struct SkipSeed {
    /// Arrays and objects around the part.
    pub depth: usize,
}

impl<'de> DeserializeSeed<'de> for SkipSeed {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        static NO_DEFS: TypeDefs = TypeDefs::new();
        Skip(&mut Context::below(&NO_DEFS, self.depth)).deserialize(source)
    }
}

/// Whether `text` is as long as a type allows.
#[must_use]
pub fn text_fits(text: &str, range: LengthRange) -> bool {
    text_misfit(text, range).is_none()
}
