//! Chunks of an OpenAI-compatible completion, put together to the completion that the same request gets in one piece.
//! What a chunk adds is by the API reference of chat completions (objects `chat.completion.chunk` and
//! `chat.completion`) and of completions.

use schema::error::CallError;
use serde_json::{Map, Value};

use crate::code;

/// Texts that grow from chunk to chunk; any other property of a delta is taken as it comes last.
const GROWING: [&str; 5] = ["content", "refusal", "reasoning", "reasoning_content", "text"];

/// The completion of all `chunks`.
pub(crate) fn of_chunks(chunks: Vec<Value>) -> Result<Value, CallError> {
    let mut whole = Map::new();
    let mut choices: Vec<Map<String, Value>> = Vec::new();
    for chunk in chunks {
        let Value::Object(chunk) = chunk else {
            return Err(CallError::invalid(code::DELIVERY, "$", "a chunk of the completion is no object"));
        };
        for (name, value) in chunk {
            match (name.as_str(), value) {
                ("choices", Value::Array(parts)) => {
                    parts.into_iter().for_each(|part| add(&mut choices, part))
                }
                (_, Value::Null) => {}
                ("object", Value::String(object)) => {
                    let object = object.strip_suffix(".chunk").unwrap_or(&object);
                    whole.insert(name, object.into());
                }
                (_, value) => drop(whole.insert(name, value)),
            }
        }
    }
    if whole.is_empty() && choices.is_empty() {
        return Err(CallError::invalid(code::DELIVERY, "$", "the stream ended without a chunk"));
    }
    whole.insert("choices".into(), choices.into_iter().map(Value::Object).collect());
    Ok(Value::Object(whole))
}

/// Adds a part of the choice that its `index` names.
fn add(choices: &mut Vec<Map<String, Value>>, part: Value) {
    let Value::Object(mut part) = part else { return };
    let index = part.get("index").and_then(Value::as_u64).unwrap_or_default();
    let at = choices.iter().position(|choice| choice.get("index").and_then(Value::as_u64) == Some(index));
    let at = at.unwrap_or_else(|| {
        choices.push(Map::from_iter([("index".to_owned(), Value::from(index))]));
        choices.len() - 1
    });
    let Some(choice) = choices.get_mut(at) else { return };
    if let Some(Value::Object(delta)) = part.remove("delta") {
        let message = choice.entry("message").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(message) = message {
            message.entry("role").or_insert_with(|| "assistant".into());
            message.entry("content").or_insert(Value::Null);
            grow(message, delta);
        }
    }
    grow(choice, part);
}

fn grow(whole: &mut Map<String, Value>, delta: Map<String, Value>) {
    for (name, value) in delta {
        match (whole.get_mut(&name), value) {
            // A null adds nothing, but says that the property exists.
            (Some(_), Value::Null) => {}
            (Some(Value::String(text)), Value::String(more)) if GROWING.contains(&name.as_str()) => {
                text.push_str(&more)
            }
            (Some(Value::Array(calls)), Value::Array(more)) if name == "tool_calls" => {
                more.into_iter().for_each(|call| add_call(calls, call));
            }
            (None, Value::Array(more)) if name == "tool_calls" => {
                let mut calls = Vec::new();
                more.into_iter().for_each(|call| add_call(&mut calls, call));
                whole.insert(name, Value::Array(calls));
            }
            (_, value) => drop(whole.insert(name, value)),
        }
    }
}

/// Tool calls are told apart by `index`, and their arguments grow.
fn add_call(calls: &mut Vec<Value>, call: Value) {
    let Value::Object(mut call) = call else { return };
    let index = call.remove("index").and_then(|index| index.as_u64()).unwrap_or_default();
    let index = usize::try_from(index).unwrap_or(usize::MAX).min(calls.len());
    let Some(Value::Object(whole)) = calls.get_mut(index) else {
        calls.push(Value::Object(call));
        return;
    };
    for (name, value) in call {
        match (whole.get_mut(&name), value) {
            (Some(Value::Object(function)), Value::Object(more)) => {
                for (name, value) in more {
                    match (function.get_mut(&name), value) {
                        (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
                        (_, value) => drop(function.insert(name, value)),
                    }
                }
            }
            (_, Value::Null) => {}
            (_, value) => drop(whole.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn chunks_become_the_completion() {
        let chunk = |choices: Value| json!({ "id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": choices, "usage": null });
        let whole = of_chunks(vec![
            chunk(
                json!([{ "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null }]),
            ),
            chunk(
                json!([{ "index": 0, "delta": { "content": "Hel" }, "finish_reason": null }, { "index": 1, "delta": { "content": "B" } }]),
            ),
            chunk(json!([{ "index": 0, "delta": { "content": "lo" }, "finish_reason": null }])),
            chunk(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }])),
            json!({ "id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5 } }),
        ]);
        let expected = json!({ "id": "c1", "object": "chat.completion", "created": 7, "model": "m",
            "usage": { "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5 },
            "choices": [
                { "index": 0, "message": { "role": "assistant", "content": "Hello" }, "finish_reason": "stop" },
                { "index": 1, "message": { "role": "assistant", "content": "B" } },
            ] });
        assert_eq!(whole, Ok(expected));
    }

    #[test]
    fn tool_calls_grow_by_their_index() {
        let delta = |calls: Value| json!({ "choices": [{ "index": 0, "delta": { "tool_calls": calls } }] });
        let whole = of_chunks(vec![
            delta(json!([{ "index": 0, "id": "a", "type": "function", "function": { "name": "f", "arguments": "" } }])),
            delta(json!([{ "index": 0, "function": { "arguments": "{\"x\":" } }])),
            delta(json!([{ "index": 1, "id": "b", "type": "function", "function": { "name": "g", "arguments": "{}" } }])),
            delta(json!([{ "index": 0, "function": { "arguments": "1}" } }])),
        ])
        .unwrap();
        assert_eq!(
            whole.pointer("/choices/0/message/tool_calls"),
            Some(&json!([
                { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } },
                { "id": "b", "type": "function", "function": { "name": "g", "arguments": "{}" } },
            ]))
        );
    }

    #[test]
    fn texts_of_the_older_kind_grow_and_nothing_is_no_completion() {
        let chunk =
            |text: &str| json!({ "object": "text_completion", "choices": [{ "index": 0, "text": text }] });
        let whole = of_chunks(vec![chunk("a"), chunk("b")]).unwrap();
        assert_eq!(whole, json!({ "object": "text_completion", "choices": [{ "index": 0, "text": "ab" }] }));
        assert_eq!(of_chunks(Vec::new()).unwrap_err().code, "E1116");
        assert_eq!(of_chunks(vec![json!(1)]).unwrap_err().code, "E1116");
    }
}
