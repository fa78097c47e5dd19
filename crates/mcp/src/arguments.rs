//! Arguments of tools: closed objects, in which `null` stands for what is left out.

use rmcp::model::JsonObject;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::fault::{ARGUMENTS, Fault};

/// The arguments as the tool has them.
pub(crate) fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Fault> {
    serde_path_to_error::deserialize(Json::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let help = "the tool's input schema says what it takes";
        Fault::new(ARGUMENTS, format!("the arguments do not fit: {}", error.inner()), help).with("path", path)
    })
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
