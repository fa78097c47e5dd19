//! JSON text, without a doubled key.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use crate::error::{Error, TOO_LARGE, UNREADABLE, shown};
use crate::{DOCUMENT_DEPTH_MAX, DOCUMENT_VALUES_MAX};

/// Marks the refusals of ours among the messages of the parser.
const LIMIT: &str = "limit: ";

/// The value that `text` holds.
pub(crate) fn read(text: &str) -> Result<Json, Error> {
    let mut source = serde_json::Deserializer::from_str(text);
    let mut values = 0;
    let read = Reader { values: &mut values, depth: 0 }.deserialize(&mut source);
    read.and_then(|value| source.end().map(|()| value)).map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        let message = error.to_string();
        // The place is said once.
        let message = message.split(" at line ").next().unwrap_or_default();
        match message.strip_prefix(LIMIT) {
            Some(message) => Error::new(TOO_LARGE, at, message),
            None => Error::new(UNREADABLE, at, format!("the document is no JSON: {message}")),
        }
    })
}

/// Reads one value; serde's own reader keeps the last of two equal keys.
struct Reader<'c> {
    values: &'c mut usize,
    depth: usize,
}

impl Reader<'_> {
    /// A reader for a part of the value.
    fn inner(&mut self) -> Reader<'_> {
        Reader { values: self.values, depth: self.depth + 1 }
    }

    fn enter<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth < DOCUMENT_DEPTH_MAX {
            return Ok(());
        }
        Err(E::custom(format!("{LIMIT}the document nests deeper than {DOCUMENT_DEPTH_MAX} levels")))
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Json, D::Error> {
        *self.values += 1;
        if *self.values > DOCUMENT_VALUES_MAX {
            let message = format!("{LIMIT}the document has more than {DOCUMENT_VALUES_MAX} values");
            return Err(D::Error::custom(message));
        }
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut source: A) -> Result<Json, A::Error> {
        self.enter()?;
        let mut items = Vec::new();
        while let Some(item) = source.next_element_seed(self.inner())? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut source: A) -> Result<Json, A::Error> {
        self.enter()?;
        let mut members = Map::new();
        while let Some(key) = source.next_key::<String>()? {
            if members.contains_key(&key) {
                return Err(A::Error::custom(format!(
                    "the key `{}` stands twice in one object",
                    shown(&key)
                )));
            }
            let value = source.next_value_seed(self.inner())?;
            members.insert(key, value);
        }
        Ok(Json::Object(members))
    }
}
