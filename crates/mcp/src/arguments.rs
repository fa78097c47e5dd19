//! Arguments of tools: closed objects, in which `null` stands for what is left out.

use rmcp::model::JsonObject;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};

use crate::fault::{ARGUMENTS, Fault};

/// The arguments as the tool has them.
pub(crate) fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Fault> {
    serde_path_to_error::deserialize(Json::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let help = "the tool's input schema says what it takes";
        let of = if path == "." { String::new() } else { format!("`{path}`: ") };
        let message = format!("the arguments do not fit: {of}{}", error.inner());
        Fault::new(ARGUMENTS, message, help).with("path", path)
    })
}

/// A whole number of a range: what its schema says is what is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Within<const MIN: u32, const MAX: u32>(pub(crate) u32);

impl<const MIN: u32, const MAX: u32> Within<MIN, MAX> {
    /// The member of a schema; `null` stands for what is left out.
    pub(crate) fn schema(description: &str) -> Json {
        json!({ "type": ["integer", "null"], "minimum": MIN, "maximum": MAX, "description": description })
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Within<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Json::deserialize(deserializer)?;
        // A schema's integer may be written 7.0.
        let number = given.as_f64().filter(|number| number.fract() == 0.0);
        let number = number.filter(|number| (f64::from(MIN)..=f64::from(MAX)).contains(number));
        number.map(|number| Self(number as u32)).ok_or_else(|| {
            let found = given.to_string();
            D::Error::custom(format_args!("expected a whole number from {MIN} to {MAX}, found {found:.40}"))
        })
    }
}

/// A JSON object as text. A schema for strict modes cannot have an object with open keys, so text it is; a model that
/// sends the object itself is understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonText(pub(crate) String);

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(text) => Ok(Self(text)),
            object @ Json::Object(_) => Ok(Self(object.to_string())),
            Json::Null => Ok(Self::default()),
            _ => Err(D::Error::custom(
                "expected a JSON object as text, such as \"{\\\"query\\\": \\\"tea\\\"}\"",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Arguments {
        limit: Option<Within<1, 100>>,
    }

    #[test]
    fn a_number_out_of_its_range_is_refused_by_name_and_range() {
        let read = |limit: Json| {
            let arguments = JsonObject::from_iter([("limit".to_owned(), limit)]);
            read::<Arguments>(arguments).map(|read| read.limit.map(|limit| limit.0))
        };
        assert_eq!(
            (read(json!(1)), read(json!(100.0)), read(Json::Null)),
            (Ok(Some(1)), Ok(Some(100)), Ok(None))
        );
        for wrong in [json!(0), json!(101), json!(-1), json!(1.5), json!("7"), json!(4_294_967_297_u64)] {
            let parts = read(wrong.clone()).unwrap_err().parts();
            assert_eq!((&parts["code"], &parts["path"]), (&json!(ARGUMENTS), &json!("limit")), "{wrong}");
            let message = format!(
                "the arguments do not fit: `limit`: expected a whole number from 1 to 100, found {wrong}"
            );
            assert_eq!(parts["message"], json!(message));
        }
        let long = read(json!("x".repeat(10_000))).unwrap_err().parts();
        assert!(long["message"].as_str().unwrap().len() < 200);
        let schema = Within::<1, 100>::schema("Most hits.");
        assert_eq!((&schema["minimum"], &schema["maximum"]), (&json!(1), &json!(100)));
    }
}
