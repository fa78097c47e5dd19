//! Arguments of a run: JSON text to one value per parameter, with an error that says which argument is
//! wrong and how to mend it.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::plan::{Param, PlanBody};
use schema::decode::{DecodeError, decode_exact, parse_json};
use schema::encode::{EncodeError, to_item};
use schema::ocb::{Item, Profile};
use schema::types::TypeDefs;
use schema::value::{Json, Value};

/// Arguments that a plan does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The text is no JSON object.
    #[error("the inputs are no JSON object: {what}")]
    NotObject {
        /// What they are.
        what: String,
    },
    /// There is no such parameter.
    #[error("there is no input `{name}`{}", hint(suggestion.as_deref(), takes))]
    Unknown {
        /// The name.
        name: String,
        /// A parameter with a similar name.
        suggestion: Option<String>,
        /// All parameters.
        takes: Vec<String>,
    },
    /// An argument without a default is missing.
    #[error("`{name}` is missing: give a value of type {ty}")]
    Missing {
        /// The parameter.
        name: String,
        /// Its type.
        ty: String,
    },
    /// An argument does not fit its type.
    #[error("`{name}` does not fit {ty}: {message}, at {path}")]
    Misfit {
        /// The parameter.
        name: String,
        /// Its type.
        ty: String,
        /// JSON path within the inputs.
        path: String,
        /// What was expected and what was found.
        message: String,
    },
}

impl InputError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotObject { .. } => "E1160",
            Self::Unknown { .. } => "E1161",
            Self::Missing { .. } => "E1162",
            Self::Misfit { .. } => "E1163",
        }
    }
}

fn hint(suggestion: Option<&str>, takes: &[String]) -> String {
    match suggestion {
        Some(similar) => format!("; did you mean `{similar}`?"),
        None if takes.is_empty() => "; none is taken".into(),
        None => format!("; taken are {}", takes.join(", ")),
    }
}

/// One value per parameter of a plan, from a JSON object by parameter name; `types` are the plan's. Empty text is an empty
/// object. An argument that is `null` counts as absent where its type has no `null`, so that a default
/// stands in.
///
/// # Errors
/// [`InputError`] for the first argument that is wrong; unknown names come first, for a typing mistake
/// usually makes another argument look missing.
pub fn decode(params: &[Param], types: &TypeDefs, json: &[u8]) -> Result<Arc<[Value]>, InputError> {
    let given = object(json)?;
    if let Some(unknown) = given.keys().find(|name| params.iter().all(|param| param.name != ***name)) {
        return Err(InputError::Unknown {
            name: unknown.chars().take(80).collect(),
            suggestion: similar(unknown, params),
            takes: params.iter().map(|param| param.name.clone()).collect(),
        });
    }
    params.iter().map(|param| argument(types, param, given.get(param.name.as_str()))).collect()
}

/// The canonical bytes of the arguments: a record by parameter name.
///
/// # Errors
/// [`EncodeError`] where a value is not of its parameter's type.
pub fn canonical(plan: &PlanBody, inputs: &[Value]) -> Result<Vec<u8>, EncodeError> {
    let present = plan.params.iter().zip(inputs).filter(|(_, value)| !matches!(value, Value::Null));
    let entries =
        present.map(|(param, value)| Ok((param.name.clone(), to_item(value, &param.ty, &plan.types)?)));
    let item = Item::text_map(entries.collect::<Result<Vec<_>, EncodeError>>()?);
    Ok(item.encode(Profile::Value)?)
}

fn object(json: &[u8]) -> Result<Arc<BTreeMap<Arc<str>, Json>>, InputError> {
    if json.trim_ascii().is_empty() {
        return Ok(Arc::default());
    }
    let kind = match parse_json(json) {
        Ok(Json::Object(given)) => return Ok(given),
        Err(DecodeError { path, message, .. }) => format!("{message}, at {path}"),
        Ok(Json::Null) => "they are null".into(),
        Ok(Json::Bool(_)) => "they are a boolean".into(),
        Ok(Json::Int(_) | Json::Float(_)) => "they are a number".into(),
        Ok(Json::String(_)) => "they are a string".into(),
        Ok(Json::Array(_)) => "they are a list".into(),
    };
    Err(InputError::NotObject { what: kind })
}

fn argument(types: &TypeDefs, param: &Param, given: Option<&Json>) -> Result<Value, InputError> {
    use schema::types::Type;

    let ty = || types.show(&param.ty);
    let takes_null = matches!(param.ty, Type::Optional(_) | Type::Json);
    match (given.filter(|json| takes_null || !matches!(json, Json::Null)), &param.default) {
        (Some(json), _) => decode_exact(json, &param.ty, types).map_err(|error| InputError::Misfit {
            name: param.name.clone(),
            ty: ty(),
            path: error.path.replacen('$', &format!("$.{}", param.name), 1),
            message: error.message,
        }),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) if matches!(param.ty, Type::Optional(_)) => Ok(Value::Null),
        (None, None) => Err(InputError::Missing { name: param.name.clone(), ty: ty() }),
    }
}

fn similar(name: &str, params: &[Param]) -> Option<String> {
    let scored = params.iter().map(|param| (strsim::jaro_winkler(name, &param.name), &param.name));
    let best = scored.filter(|(score, _)| *score >= 0.7).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, name)| name.clone())
}
