//! The arguments of a call from the command line, as one JSON object that fits the operation.
//!
//! `name=value` is text where the type is text, and else what the type makes of it; where it takes text and numbers, a
//! number is one only as it would be sent. `name:=value` is JSON, whatever the type; `name=@FILE` and `name:=@FILE` take
//! the value from a file.

use std::path::Path;

use plan_compiler::{Signature, called, with_own_names};
use runtime::inputs::{InputError, decode};
use schema::decode::{decode_exact, parse_json};
use schema::types::Type;
use serde_json::{Map, Value};

use super::{Callee, signature};
use crate::args;
use crate::exit::Failure;
use crate::project;

/// Bytes of the largest file of arguments.
const ARGUMENTS_BYTES_MAX: u64 = 64 << 20;

/// The arguments as JSON text that fits the operation.
pub(super) fn read(args: &args::Call, callee: &Callee, signature: &Signature) -> Result<Vec<u8>, Failure> {
    let own = |json: Vec<u8>| with_own_names(&signature.params, &json).into_owned();
    let base = args.args.as_deref().map(whole).transpose()?.map(own);
    let json = match base {
        Some(json) if args.arguments.is_empty() => json,
        base => {
            let mut object = base.map_or_else(|| Ok(Map::new()), |json| members(&json))?;
            for argument in &args.arguments {
                add(&mut object, argument, signature)?;
            }
            Value::Object(object).to_string().into_bytes()
        }
    };
    match decode(&signature.params, &signature.types, &json) {
        Ok(_) => Ok(json),
        Err(error) => Err(refused(&error, callee, signature)),
    }
}

/// What `--args` says: JSON, `@FILE` or `-`.
fn whole(text: &str) -> Result<Vec<u8>, Failure> {
    match text.strip_prefix('@') {
        Some(path) => project::read(Path::new(path), ARGUMENTS_BYTES_MAX),
        None if text == "-" => project::read(Path::new(text), ARGUMENTS_BYTES_MAX),
        None => Ok(text.as_bytes().to_vec()),
    }
}

fn members(json: &[u8]) -> Result<Map<String, Value>, Failure> {
    serde_json::from_slice(json).map_err(|error| {
        let help = "arguments are one JSON object, such as {\"query\": \"bittensor\"}";
        Failure::new("E1160", format!("--args is no JSON object: {error}"), help)
    })
}

fn add(object: &mut Map<String, Value>, argument: &str, signature: &Signature) -> Result<(), Failure> {
    let named = argument.split_once('=').filter(|(name, _)| !matches!(*name, "" | ":"));
    let Some((name, text)) = named else {
        let help = match argument.trim_start().starts_with('{') {
            true => "one JSON object with all arguments goes to --args",
            false => "write it like query=bittensor, count:=3 or messages=@messages.json",
        };
        return Err(Failure::new("E1507", format!("`{argument}` is not of the form NAME=VALUE"), help));
    };
    let (name, is_json) = name.strip_suffix(':').map_or((name, false), |name| (name, true));
    let from_file = text.strip_prefix('@').map(|path| content(name, path)).transpose()?;
    let text = from_file.as_deref().unwrap_or(text);
    let param = called(&signature.params, name);
    let name = param.map_or(name, |param| param.name.as_str());
    let value = match param {
        Some(_) if is_json => serde_json::from_str(text).map_err(|error| {
            let help =
                format!("`{name}:=` takes JSON, in quotes for the shell; `{name}=` takes text as it is");
            Failure::new("E1507", format!("argument `{name}` is not JSON: {error}"), help)
        })?,
        Some(param) => value(&param.ty, text, signature),
        // An unknown name is found with all the others; what it holds does not matter.
        None => Value::Null,
    };
    if object.insert(name.to_owned(), value).is_some() {
        let help = format!("give one value; for a list: '{name}:=[\"A\", \"B\"]'");
        return Err(Failure::new("E1507", format!("argument `{name}` is given twice"), help));
    }
    Ok(())
}

fn content(name: &str, path: &str) -> Result<String, Failure> {
    if path.is_empty() {
        let help = format!("write `{name}=@FILE`; a text that is `@` is written as JSON: '{name}:=\"@\"'");
        return Err(Failure::new("E1507", format!("argument `{name}`: `@` names no file"), help));
    }
    let bytes = project::read(Path::new(path), ARGUMENTS_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| {
        let message = format!("argument `{name}`: {path} is not text");
        Failure::new("E1507", message, "bytes are written in base64, as text")
    })
}

/// Text where the type is text; else the JSON that the text is, where that fits and says the same; else the text, which a
/// type that takes some texts may admit, and whose misfit says what the type wants.
fn value(ty: &Type, text: &str, signature: &Signature) -> Value {
    let inner = match ty {
        Type::Optional(inner) => inner,
        other => other,
    };
    let is_text = matches!(
        inner,
        Type::String(_) | Type::Url | Type::Time | Type::Duration | Type::Amount | Type::Bytes(_)
    );
    if is_text {
        return Value::String(text.to_owned());
    }
    let fits = |json: &str| {
        parse_json(json.as_bytes()).is_ok_and(|json| decode_exact(&json, ty, &signature.types).is_ok())
    };
    let as_text = Value::String(text.to_owned());
    match serde_json::from_str(text) {
        Ok(json) if fits(text) && says(&json, text) || !fits(&as_text.to_string()) => json,
        _ => as_text,
    }
}

/// Whether `json`, which `text` is as JSON, says all that `text` says where either could be meant: `1.10` may be a version,
/// which 1.1 is not, and quotes may belong to a text.
fn says(json: &Value, text: &str) -> bool {
    match json {
        Value::Number(number) => number.to_string() == text,
        Value::String(_) => false,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => true,
    }
}

fn refused(error: &InputError, callee: &Callee, signature: &Signature) -> Failure {
    let said = match error {
        InputError::NotObject { .. } => "arguments are one JSON object, such as {\"query\": \"bittensor\"}\n",
        _ => "",
    };
    // What is taken follows in full.
    let message = error.to_string();
    let message = match error {
        InputError::Unknown { suggestion: None, .. } => {
            message.split_once(';').map_or(message.as_str(), |(message, _)| message)
        }
        _ => message.as_str(),
    };
    Failure::new(error.code(), message, format!("{said}{}", signature::listing(callee, signature)))
}

#[cfg(test)]
mod tests {
    use schema::json_schema::OperationTypes;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_taken_for_one_only_where_nothing_of_it_is_lost() {
        let read = |schema: Value, text: &str| {
            let input = json!({ "type": "object", "required": ["x"], "properties": { "x": schema } });
            let types = OperationTypes::from_schemas("op", &input, None).expect("types");
            let (_, field) =
                types.defs.record(types.input).and_then(|record| record.field("x")).expect("a field");
            let ty = field.ty.clone();
            let signature = Signature { params: Vec::new(), output: Type::Json, types: types.defs };
            value(&ty, text, &signature)
        };
        let either = || json!({ "type": ["string", "number"] });
        for (text, wanted) in [
            ("1.1", json!(1.1)),
            ("-5", json!(-5)),
            ("1.10", json!("1.10")),
            ("1e3", json!("1e3")),
            ("007", json!("007")),
            (" 5", json!(" 5")),
            ("12345678901234567890123", json!("12345678901234567890123")),
            ("0.1000000000000000055", json!("0.1000000000000000055")),
            ("\"5\"", json!("\"5\"")),
            ("true", json!("true")),
            ("a", json!("a")),
        ] {
            assert_eq!(read(either(), text), wanted, "{text}");
        }
        // Where there is no text, a number is one however it is written.
        assert_eq!(read(json!({ "type": "number" }), "1.10"), json!(1.1));
        assert_eq!(read(json!({ "type": "string" }), "1.1"), json!("1.1"));
        assert_eq!(read(json!({ "type": ["string", "boolean"] }), "true"), json!(true));
        let list =
            json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "number" } }] });
        assert_eq!(read(list, "[1, 2]"), json!([1, 2]));
    }
}
