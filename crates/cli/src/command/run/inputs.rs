//! The inputs of a run, from the command line or a file, checked before anything is started.

use plan_ir::plan::{Param, PlanBody};
use runtime::inputs::{InputError, decode};
use schema::types::Type;
use serde_json::{Map, Value};

use crate::args;
use crate::exit::Failure;
use crate::project;

/// Bytes of the largest file of inputs.
const INPUTS_BYTES_MAX: u64 = 64 << 20;

/// Standard input can be read once only.
pub(super) fn check_sources(args: &args::Run) -> Result<(), Failure> {
    let inputs_from_stdin = args.inputs_file.as_deref().is_some_and(project::is_stdin);
    if inputs_from_stdin && project::is_stdin(&args.file) {
        let message = "the plan and its inputs cannot both come from standard input";
        return Err(Failure::new("E1507", message, "put one of them into a file"));
    }
    Ok(())
}

/// The inputs as one JSON object that fits the plan.
pub(super) fn read(args: &args::Run, plan: &PlanBody) -> Result<Vec<u8>, Failure> {
    let json = match &args.inputs_file {
        Some(path) => project::read(path, INPUTS_BYTES_MAX)?,
        None => Value::Object(object(&args.inputs, &plan.params)?).to_string().into_bytes(),
    };
    decode(&plan.params, &plan.types, &json).map(|_| json).map_err(|error| refused(&error, plan))
}

fn object(inputs: &[String], params: &[Param]) -> Result<Map<String, Value>, Failure> {
    let mut object = Map::new();
    for input in inputs {
        let (name, text) = input.split_once('=').ok_or_else(|| {
            let help = "write it like --input company=Acme or --input 'rivals=[\"A\", \"B\"]'";
            Failure::new("E1507", format!("`{input}` is not of the form NAME=VALUE"), help)
        })?;
        let value = match params.iter().find(|param| param.name == name) {
            Some(param) => value(&param.ty, name, text)?,
            // An unknown name is found with all the others; what it holds does not matter.
            None => Value::Null,
        };
        if object.insert(name.to_owned(), value).is_some() {
            let help = format!("give one value; for a list: --input '{name}=[\"A\", \"B\"]'");
            return Err(Failure::new("E1507", format!("input `{name}` is given twice"), help));
        }
    }
    Ok(object)
}

/// Text for a parameter that is written as a string, JSON for any other.
fn value(ty: &Type, name: &str, text: &str) -> Result<Value, Failure> {
    let inner = match ty {
        Type::Optional(inner) if text != "null" => inner,
        other => other,
    };
    let is_text = matches!(
        inner,
        Type::String(_) | Type::Url | Type::Time | Type::Duration | Type::Amount | Type::Bytes(_)
    );
    let quoted = text.starts_with('"') && text.ends_with('"') && text.len() > 1;
    if is_text && !quoted {
        return Ok(Value::String(text.to_owned()));
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        // An enum without payloads is a string in JSON, and nobody quotes it on a command line.
        Err(_) if matches!(inner, Type::Named(_)) && !text.starts_with(['{', '[', '"']) => {
            Ok(Value::String(text.to_owned()))
        }
        Err(error) => {
            let help = format!(
                "a value that is no text is JSON; in quotes for the shell: --input '{name}=[\"A\", \"B\"]'"
            );
            Err(Failure::new("E1507", format!("input `{name}` is not JSON: {error}"), help))
        }
    }
}

fn refused(error: &InputError, plan: &PlanBody) -> Failure {
    let help = match error {
        InputError::Missing { name, .. } => format!("add --input {name}=VALUE"),
        InputError::NotObject { .. } => {
            "inputs are one JSON object, such as {\"company\": \"Acme\"}".to_owned()
        }
        _ => format!("it takes {}", takes(plan)),
    };
    Failure::new(error.code(), error.to_string(), help)
}

/// The parameters as the plan declares them.
fn takes(plan: &PlanBody) -> String {
    let param = |param: &Param| {
        let default = if param.default.is_some() { " (optional)" } else { "" };
        format!("{}: {}{default}", param.name, plan.types.show(&param.ty))
    };
    let params: Vec<String> = plan.params.iter().map(param).collect();
    if params.is_empty() { "no inputs".to_owned() } else { params.join(", ") }
}
