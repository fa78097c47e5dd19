//! JSON in which a name stands once. Of two, clients, proxies and servers take one or the other, and what was checked would not
//! be what is sent.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads `text`.
///
/// # Errors
/// What is wrong, and for a name that stands twice, its place.
pub(crate) fn read(text: &[u8]) -> Result<Value, (String, Option<String>)> {
    let mut twice = None;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let seed = Once { path: &mut String::new(), twice: &mut twice };
    let read = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| match twice {
        Some(place) => (format!("`{place}` is there twice"), Some(place)),
        None => (format!("the body is not JSON: {error}"), None),
    })
}

struct Once<'a> {
    /// Where the value stands.
    path: &'a mut String,
    /// The first name that stood twice.
    twice: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let (mut list, length) = (Vec::new(), self.path.len());
        loop {
            self.path.push_str(&format!("[{}]", list.len()));
            let item = items.next_element_seed(Once { path: &mut *self.path, twice: &mut *self.twice })?;
            self.path.truncate(length);
            match item {
                Some(item) => list.push(item),
                None => return Ok(list.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let (mut map, length) = (Map::new(), self.path.len());
        while let Some(name) = fields.next_key::<String>()? {
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(&name);
            if map.contains_key(&name) {
                *self.twice = Some(self.path.clone());
                return Err(A::Error::custom("a name stands twice"));
            }
            let value = fields.next_value_seed(Once { path: &mut *self.path, twice: &mut *self.twice })?;
            self.path.truncate(length);
            map.insert(name, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_it_is_and_a_name_that_stands_twice_is_told_with_its_place() {
        let text = r#"{"a":[1,-2,1.5,1e400,"x\u00e9",null,true,{"b":{}}],"c":18446744073709551615}"#;
        let text = &text.replace("1e400,", "");
        assert_eq!(read(text.as_bytes()).ok(), serde_json::from_str(text).ok());
        for (text, place) in [
            (r#"{"model":"a","model":"a"}"#, "model"),
            (r#"{"messages":[{},{"content":"a","role":"x","content":"b"}]}"#, "messages[1].content"),
            (r#"{"a":{"b":[[{"c":1,"c":2}]]}}"#, "a.b[0][0].c"),
        ] {
            assert_eq!(read(text.as_bytes()).map_err(|(_, place)| place), Err(Some(place.to_owned())));
        }
        for text in ["", "{", r#"{"a":1}x"#, "nul", &"[".repeat(1_000)] {
            assert!(read(text.as_bytes()).is_err_and(|(_, place)| place.is_none()), "{text}");
        }
    }
}
