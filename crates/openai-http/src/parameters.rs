//! What becomes of each parameter of a request. One rule: a parameter goes to the model where its schema has it; where it
//! has not, what would not change the answer is dropped, and anything else is refused. `docs/openai.md` has the table.

use serde_json::{Map, Value};

use crate::error::Failure;
use crate::shape::{Shape, is};

/// Parameters that the endpoint itself answers for.
const OWN: [&str; 5] = ["model", "messages", "stream", "stream_options", "encoding_format"];
/// Names of one meaning.
const SAME: [(&str, &str); 2] =
    [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")];
/// Parameters that do not change what an answer says, or promise nothing.
const WITHOUT_EFFECT: [&str; 8] = [
    "user",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "service_tier",
    "seed",
    "parallel_tool_calls",
];

/// Puts the parameters of `body` into `arguments`, which holds what the endpoint has put there; `taken` is the property
/// that holds the conversation or the texts.
pub(crate) fn put(
    body: &Map<String, Value>,
    shape: &Shape,
    taken: &str,
    arguments: &mut Map<String, Value>,
) -> Result<(), Failure> {
    for (name, value) in body.iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
        if name == taken {
            let message = format!("`{name}` is made of `messages`; leave it out");
            return Err(Failure::parameter(name.as_str(), message));
        }
        // No word to stop at is none.
        if value.is_null() || (name == "stop" && is_neutral(name, value)) {
            continue;
        }
        let same = SAME.iter().find(|(known, _)| known == name).map_or("", |(_, same)| same);
        let has = |name: &str| shape.properties.contains_key(name);
        let differs = |other: &&Value| !other.is_null() && *other != value;
        if !(has(name) && has(same)) && body.get(same).filter(differs).is_some() {
            let message =
                format!("`{name}` and `{same}` mean the same and say different things; leave one out");
            return Err(Failure::parameter(name.as_str(), message));
        }
        match [name.as_str(), same].into_iter().find_map(|name| shape.properties.get_key_value(name)) {
            Some((known, schema)) => drop(arguments.insert(known.clone(), fitted(name, value, schema)?)),
            None if WITHOUT_EFFECT.contains(&name.as_str()) || is_neutral(name, value) => {}
            None => return Err(refused(name, value, shape)),
        }
    }
    match shape.required.iter().find(|name| !arguments.contains_key(*name) && shape.value_of(name).is_none())
    {
        Some(name) => Err(Failure::parameter(name.as_str(), format!("this model needs `{name}`"))),
        None => Ok(()),
    }
}

/// The value in the form of the schema, where the API has two forms of one meaning.
fn fitted(name: &str, value: &Value, schema: &Value) -> Result<Value, Failure> {
    match (name, value) {
        ("stop", Value::Array(words)) if !is(schema, schema, "array") => match words.as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(Failure::parameter(name, "this model takes one text as `stop`")),
        },
        ("stop", Value::String(_)) if !is(schema, schema, "string") && is(schema, schema, "array") => {
            Ok(Value::Array(vec![value.clone()]))
        }
        ("tool_choice", Value::Object(_))
            if is(schema, schema, "string") && !is(schema, schema, "object") =>
        {
            Err(Failure::parameter(name, "this model takes `none`, `auto` or `required` as `tool_choice`"))
        }
        _ => Ok(value.clone()),
    }
}

/// Whether this is what happens where nothing is said.
fn is_neutral(name: &str, value: &Value) -> bool {
    let is_number = |wanted: f64| value.as_f64().is_some_and(|number| (number - wanted).abs() < f64::EPSILON);
    match name {
        "temperature" | "top_p" | "n" => is_number(1.0),
        "presence_penalty" | "frequency_penalty" | "top_logprobs" => is_number(0.0),
        "logprobs" | "store" => value == &Value::Bool(false),
        "logit_bias" => value.as_object().is_some_and(Map::is_empty),
        "tools" | "functions" | "stop" => value.as_array().is_some_and(Vec::is_empty),
        "tool_choice" | "function_call" => value == "none" || value == "auto",
        "response_format" => value.get("type").is_some_and(|kind| kind == "text"),
        "modalities" => value.as_array().is_some_and(|kinds| kinds.iter().all(|kind| kind == "text")),
        _ => false,
    }
}

fn refused(name: &str, value: &Value, shape: &Shape) -> Failure {
    let known: Vec<&str> = shape.properties.keys().map(String::as_str).collect();
    let message = match is_sampling(name) {
        true => format!("this model cannot honour `{name}`: {value:.80}; leave it out"),
        false => format!("this model has no parameter `{name}`; it takes {}", known.join(", ")),
    };
    Failure::parameter(name, message)
}

/// Whether it is a parameter of OpenAI's API that other models have.
fn is_sampling(name: &str) -> bool {
    is_neutral(name, &Value::from(1))
        || is_neutral(name, &Value::from(0))
        || [
            "max_tokens",
            "max_completion_tokens",
            "stop",
            "tools",
            "tool_choice",
            "response_format",
            "logprobs",
        ]
        .contains(&name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shape::Serves;

    fn arguments(body: Value) -> Result<Value, Value> {
        let properties = json!({
            "prompt": { "type": "string" }, "temperature": { "type": "number" }, "max_tokens": { "type": "integer" },
            "stop": { "type": "string" }, "top_k": { "type": "integer" }, "tool_choice": { "type": "string" },
        });
        let Value::Object(properties) = properties else { unreachable!() };
        let shape = Shape { properties, required: vec!["prompt".into()], serves: Serves::Embeddings };
        let Value::Object(body) = body else { panic!("a body is an object") };
        let mut arguments = Map::from_iter([("prompt".to_owned(), json!("p"))]);
        put(&body, &shape, "prompt", &mut arguments)
            .map_err(|failure| failure.body()["error"]["param"].clone())?;
        arguments.remove("prompt");
        Ok(Value::Object(arguments))
    }

    #[test]
    fn parameters_go_where_the_schema_has_them() {
        let body = json!({ "model": "m", "messages": [], "stream": true, "temperature": 0.2, "top_k": 3,
            "max_completion_tokens": 9, "stop": ["."], "seed": 1, "user": "u", "n": 1, "top_p": 1.0, "logprobs": false,
            "response_format": { "type": "text" }, "tools": [], "presence_penalty": 0, "frequency_penalty": null });
        let expected = json!({ "temperature": 0.2, "top_k": 3, "max_tokens": 9, "stop": "." });
        assert_eq!(arguments(body), Ok(expected));
    }

    #[test]
    fn what_would_be_lost_is_refused_by_name() {
        for (name, value) in [
            ("top_p", json!(0.5)),
            ("n", json!(2)),
            ("response_format", json!({ "type": "json_object" })),
            ("tools", json!([{ "type": "function" }])),
            ("stop", json!([".", "!"])),
            ("tool_choice", json!({ "type": "function" })),
            ("no_such", json!(1)),
            ("prompt", json!("mine")),
        ] {
            assert_eq!(arguments(json!({ name: value })), Err(json!(name)));
        }
    }

    #[test]
    fn two_names_of_one_meaning_say_the_same() {
        let both = |short: Value, long: Value| {
            arguments(json!({ "max_tokens": short, "max_completion_tokens": long, "stop": [] }))
        };
        assert_eq!(both(json!(5), json!(5)), Ok(json!({ "max_tokens": 5 })));
        assert_eq!(both(Value::Null, json!(5)), Ok(json!({ "max_tokens": 5 })));
        assert!(both(json!(5), json!(600)).is_err());
    }
}
