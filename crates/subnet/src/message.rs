//! Events of Anthropic's messages API, put together to the message that the same request gets in one piece: by its guide
//! "Streaming messages". A block begins, grows by deltas of its own kind and stops; usage and the reason to stop come at
//! the end.

use schema::error::CallError;
use serde_json::{Map, Value};

use crate::code;

/// The event after which nothing follows.
const STOP: &str = "message_stop";
/// The event that only keeps the connection.
const PING: &str = "ping";

/// Whether an event is the last.
pub(crate) fn is_end(event: &Value) -> bool {
    kind_of(event) == STOP
}

/// Whether an event says nothing.
pub(crate) fn is_empty(event: &Value) -> bool {
    kind_of(event) == PING
}

/// The message of all `events`.
///
/// # Errors
/// E1116 for events that are none of one message.
pub(crate) fn of_events(events: Vec<Value>) -> Result<Value, CallError> {
    let mut message: Option<Map<String, Value>> = None;
    let mut blocks: Vec<Block> = Vec::new();
    for mut event in events {
        let kind = kind_of(&event).to_owned();
        match (kind.as_str(), &mut message) {
            ("message_start", None) => match event.get_mut("message").map(Value::take) {
                Some(Value::Object(begun)) => message = Some(begun),
                _ => return Err(wrong("`message_start` holds no message")),
            },
            ("content_block_start", Some(_)) => {
                if index_of(&event) != Some(blocks.len()) {
                    return Err(wrong("the blocks of the message are not in order"));
                }
                match event.get_mut("content_block").map(Value::take) {
                    Some(Value::Object(begun)) => blocks.push(Block { begun, input: String::new() }),
                    _ => return Err(wrong("`content_block_start` holds no block")),
                }
            }
            ("content_block_delta", Some(_)) => {
                let block = index_of(&event).and_then(|index| blocks.get_mut(index));
                let block = block.ok_or_else(|| wrong("a part is of a block that has not begun"))?;
                if let Some(Value::Object(delta)) = event.get_mut("delta").map(Value::take) {
                    block.grow(delta);
                }
            }
            ("message_delta", Some(message)) => {
                for member in ["delta", "usage"] {
                    let Some(Value::Object(more)) = event.get_mut(member).map(Value::take) else { continue };
                    if member == "delta" {
                        message.extend(more);
                    } else if let Some(Value::Object(usage)) = message.get_mut(member) {
                        // What it counts is cumulative, and what it does not name stays.
                        usage.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
                    } else {
                        message.insert(member.to_owned(), Value::Object(more));
                    }
                }
            }
            ("message_start", Some(_)) => return Err(wrong("the stream begins a second message")),
            (_, None) => return Err(wrong("the stream does not begin with `message_start`")),
            // What is added to the API later adds nothing to the message.
            (_, Some(_)) => {}
        }
    }
    let mut message = message.ok_or_else(|| wrong("the stream ended without a message"))?;
    let content = blocks.into_iter().enumerate().map(|(at, block)| block.whole(at));
    message.insert("content".into(), Value::Array(content.collect::<Result<_, _>>()?));
    Ok(Value::Object(message))
}

/// A block of content so far.
struct Block {
    begun: Map<String, Value>,
    /// The input of a tool, as JSON text.
    input: String,
}

impl Block {
    fn grow(&mut self, delta: Map<String, Value>) {
        for (name, value) in delta {
            match (name.as_str(), value, self.begun.get_mut(&name)) {
                ("type", ..) => {}
                ("partial_json", Value::String(more), _) => self.input.push_str(&more),
                ("citation", citation, _) => self.cite(citation),
                (_, Value::String(more), Some(Value::String(text))) => text.push_str(&more),
                (_, value, _) => drop(self.begun.insert(name, value)),
            }
        }
    }

    fn cite(&mut self, citation: Value) {
        match self.begun.get_mut("citations") {
            Some(Value::Array(citations)) => citations.push(citation),
            _ => drop(self.begun.insert("citations".into(), Value::Array(vec![citation]))),
        }
    }

    fn whole(mut self, at: usize) -> Result<Value, CallError> {
        if !self.input.is_empty() {
            let input = serde_json::from_str(&self.input).map_err(|error| {
                let message = format!("the input of a tool is no JSON: {error}");
                CallError::invalid(code::DELIVERY, format!("$.content[{at}].input"), message)
            })?;
            self.begun.insert("input".into(), input);
        }
        Ok(Value::Object(self.begun))
    }
}

fn kind_of(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn index_of(event: &Value) -> Option<usize> {
    usize::try_from(event.get("index")?.as_u64()?).ok()
}

fn wrong(message: &str) -> CallError {
    CallError::invalid(code::DELIVERY, "$", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn start() -> Value {
        json!({ "type": "message_start", "message": { "id": "m1", "type": "message", "role": "assistant", "content": [],
            "model": "m", "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": 25, "cache_read_input_tokens": 3, "output_tokens": 1 } } })
    }

    fn begin(index: u32, block: Value) -> Value {
        json!({ "type": "content_block_start", "index": index, "content_block": block })
    }

    fn part(index: u32, delta: Value) -> Value {
        json!({ "type": "content_block_delta", "index": index, "delta": delta })
    }

    #[test]
    fn events_become_the_message() {
        let message = of_events(vec![
            start(),
            begin(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
            part(0, json!({ "type": "thinking_delta", "thinking": "Hm" })),
            part(0, json!({ "type": "thinking_delta", "thinking": "m." })),
            part(0, json!({ "type": "signature_delta", "signature": "c2ln" })),
            json!({ "type": "content_block_stop", "index": 0 }),
            begin(1, json!({ "type": "text", "text": "" })),
            part(1, json!({ "type": "text_delta", "text": "Hel" })),
            part(1, json!({ "type": "text_delta", "text": "lo" })),
            part(1, json!({ "type": "citations_delta", "citation": { "cited_text": "a" } })),
            json!({ "type": "content_block_stop", "index": 1 }),
            begin(2, json!({ "type": "tool_use", "id": "t1", "name": "weather", "input": {} })),
            part(2, json!({ "type": "input_json_delta", "partial_json": "" })),
            part(2, json!({ "type": "input_json_delta", "partial_json": "{\"city\": \"Par" })),
            part(2, json!({ "type": "input_json_delta", "partial_json": "is\"}" })),
            json!({ "type": "content_block_stop", "index": 2 }),
            begin(3, json!({ "type": "tool_use", "id": "t2", "name": "now", "input": {} })),
            json!({ "type": "something_new", "index": 9 }),
            json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use", "stop_sequence": null },
                "usage": { "output_tokens": 89, "input_tokens": null } }),
            json!({ "type": "message_stop" }),
        ]);
        let expected = json!({ "id": "m1", "type": "message", "role": "assistant", "model": "m",
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": { "input_tokens": 25, "cache_read_input_tokens": 3, "output_tokens": 89 },
            "content": [
                { "type": "thinking", "thinking": "Hmm.", "signature": "c2ln" },
                { "type": "text", "text": "Hello", "citations": [{ "cited_text": "a" }] },
                { "type": "tool_use", "id": "t1", "name": "weather", "input": { "city": "Paris" } },
                { "type": "tool_use", "id": "t2", "name": "now", "input": {} },
            ] });
        assert_eq!(message, Ok(expected));
    }

    #[test]
    fn events_that_are_of_no_message_are_told() {
        let text = || begin(0, json!({ "type": "text", "text": "" }));
        let tool = begin(0, json!({ "type": "tool_use", "input": {} }));
        for (events, says) in [
            (vec![], "without a message"),
            (vec![text()], "does not begin"),
            (vec![start(), start()], "second message"),
            (vec![json!({ "type": "message_start" })], "holds no message"),
            (vec![start(), begin(1, json!({}))], "not in order"),
            (vec![start(), json!({ "type": "content_block_start", "index": 0 })], "holds no block"),
            (vec![start(), part(0, json!({}))], "has not begun"),
            (vec![start(), tool, part(0, json!({ "partial_json": "{" }))], "no JSON"),
        ] {
            let error = of_events(events).unwrap_err();
            assert!(error.code == "E1116" && error.message.contains(says), "{error}");
        }
    }
}
