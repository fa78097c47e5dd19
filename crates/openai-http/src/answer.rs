//! Answers of models as OpenAI's `chat.completion` and `chat.completion.chunk`. What already is one passes as it is.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::shape::Answer;

/// What every object of one answer says alike.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    /// Of an answer of `model` that `run` gives.
    pub(crate) fn new(model: &str, run: &str) -> Self {
        let created =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let run = run.strip_prefix("runs/").unwrap_or(run);
        Self { id: format!("chatcmpl-{run}"), created, model: model.to_owned() }
    }

    /// The completion that `result` is or holds; `None` where it holds no text.
    pub(crate) fn completion(&self, kind: &Answer, result: Value) -> Option<Value> {
        match kind {
            Answer::Chat => {
                result.get("choices")?.as_array()?;
                Some(self.filled(result, "chat.completion"))
            }
            Answer::Completion => {
                let Value::Object(mut whole) = result else { return None };
                let Some(Value::Array(choices)) = whole.remove("choices") else { return None };
                let choices = choices.into_iter().enumerate().map(|(at, choice)| {
                    let text = choice.get("text").cloned().unwrap_or_default();
                    let finish = choice.get("finish_reason").cloned().unwrap_or_else(|| "stop".into());
                    choice_of(choice.get("index").cloned().unwrap_or_else(|| at.into()), text, finish)
                });
                whole.insert("choices".into(), choices.collect());
                whole.remove("object");
                Some(self.filled(Value::Object(whole), "chat.completion"))
            }
            Answer::Blocks => {
                let blocks = result.get("content")?.as_array()?;
                let text: String = blocks.iter().filter_map(|block| block.get("text")?.as_str()).collect();
                let finish = finish_of(result.get("stop_reason").and_then(Value::as_str));
                let mut whole = self.of_choice(choice_of(0.into(), text.into(), finish.into()));
                if let (Some(usage), Value::Object(fields)) = (usage_of(&result), &mut whole) {
                    fields.insert("usage".into(), usage);
                }
                Some(whole)
            }
            Answer::Text => self.of_text(result),
            Answer::TextIn(name) => match result {
                Value::Object(mut whole) => self.of_text(whole.remove(name)?),
                _ => None,
            },
        }
    }

    fn of_text(&self, text: Value) -> Option<Value> {
        (text.is_string() || text.is_null()).then(|| self.of_choice(choice_of(0.into(), text, "stop".into())))
    }

    fn of_choice(&self, choice: Value) -> Value {
        let Self { id, created, model } = self;
        json!({ "id": id, "object": "chat.completion", "created": created, "model": model, "choices": [choice] })
    }

    /// The object with what it lacks of what each has.
    fn filled(&self, mut whole: Value, object: &str) -> Value {
        if let Value::Object(fields) = &mut whole {
            fields.entry("id").or_insert_with(|| self.id.clone().into());
            fields.entry("object").or_insert_with(|| object.into());
            fields.entry("created").or_insert_with(|| self.created.into());
            fields.entry("model").or_insert_with(|| self.model.clone().into());
        }
        whole
    }

    /// A chunk with these choices.
    pub(crate) fn chunk(&self, choices: Value) -> Value {
        let Self { id, created, model } = self;
        json!({ "id": id, "object": "chat.completion.chunk", "created": created, "model": model, "choices": choices })
    }

    /// The chunk that a part of an answer is or holds; `None` where it is of another kind.
    pub(crate) fn chunk_of(&self, kind: &Answer, part_text: Option<&str>, part: Value) -> Option<Value> {
        let text = |text: &Value, finish: Option<&Value>| {
            self.chunk(json!([{ "index": 0, "delta": { "content": text }, "finish_reason": finish }]))
        };
        match kind {
            Answer::Chat => {
                let choices = part.get("choices")?.as_array()?;
                let are_deltas = choices.iter().all(|choice| choice.get("delta").is_some());
                are_deltas.then(|| self.filled(part, "chat.completion.chunk"))
            }
            Answer::Completion => {
                let choice = part.get("choices")?.get(0)?;
                Some(text(choice.get("text")?, choice.get("finish_reason")))
            }
            Answer::Blocks => {
                part.pointer("/delta/text").filter(|said| said.is_string()).map(|said| text(said, None))
            }
            Answer::Text | Answer::TextIn(_) => {
                let said = part.pointer(part_text.unwrap_or_default())?;
                said.is_string().then(|| text(said, None))
            }
        }
    }
}

/// The chunks that say what a completion says: one for each choice, and one for its end.
pub(crate) fn chunks_of(head: &Head, completion: &Value) -> Vec<Value> {
    let choices = completion.get("choices").and_then(Value::as_array);
    let mut chunks = Vec::new();
    for choice in choices.into_iter().flatten() {
        let index = choice.get("index").cloned().unwrap_or_else(|| 0.into());
        let delta = delta_of(choice.get("message"));
        chunks.push(head.chunk(json!([{ "index": index, "delta": delta, "finish_reason": null }])));
        let finish = choice.get("finish_reason").filter(|finish| !finish.is_null());
        let finish = finish.cloned().unwrap_or_else(|| "stop".into());
        chunks.push(head.chunk(json!([{ "index": index, "delta": {}, "finish_reason": finish }])));
    }
    chunks
}

/// A message as what is added to nothing; calls of tools are told apart by `index`.
fn delta_of(message: Option<&Value>) -> Value {
    let mut delta = message.and_then(Value::as_object).cloned().unwrap_or_default();
    delta.entry("role").or_insert_with(|| "assistant".into());
    if let Some(Value::Array(calls)) = delta.get_mut("tool_calls") {
        for (at, call) in calls.iter_mut().enumerate() {
            if let Value::Object(call) = call {
                call.insert("index".into(), at.into());
            }
        }
    }
    Value::Object(delta)
}

fn choice_of(index: Value, content: Value, finish: Value) -> Value {
    let message = json!({ "role": "assistant", "content": content, "refusal": null });
    json!({ "index": index, "message": message, "logprobs": null, "finish_reason": finish })
}

/// Why Anthropic's messages end, in the words of OpenAI's.
fn finish_of(reason: Option<&str>) -> &'static str {
    match reason {
        Some("max_tokens") => "length",
        Some("tool_use") => "tool_calls",
        Some("refusal") => "content_filter",
        _ => "stop",
    }
}

fn usage_of(message: &Value) -> Option<Value> {
    let count = |name: &str| message.get("usage")?.get(name)?.as_u64();
    let (asked, given) = (count("input_tokens")?, count("output_tokens")?);
    Some(
        json!({ "prompt_tokens": asked, "completion_tokens": given, "total_tokens": asked.saturating_add(given) }),
    )
}

/// Takes the usage out of a chunk; whether the chunk says anything else.
pub(crate) fn take_usage(chunk: &mut Value) -> (Option<Value>, bool) {
    let Value::Object(fields) = chunk else { return (None, false) };
    let usage = fields.remove("usage").filter(|usage| !usage.is_null());
    let says_more =
        fields.get("choices").and_then(Value::as_array).is_some_and(|choices| !choices.is_empty());
    (usage, says_more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head::new("sn1.ask", "runs/7")
    }

    #[test]
    fn a_completion_passes_as_it_is() {
        let whole = json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{ "index": 0, "message": { "role": "assistant", "content": "hi" } }], "usage": { "total_tokens": 3 } });
        assert_eq!(head().completion(&Answer::Chat, whole.clone()), Some(whole));
        assert_eq!(head().completion(&Answer::Chat, json!({})), None);
    }

    #[test]
    fn other_answers_become_completions() {
        let text = head().completion(&Answer::Text, json!("hi")).unwrap();
        assert_eq!(text["id"], "chatcmpl-7");
        assert_eq!(text["model"], "sn1.ask");
        for (kind, result) in [
            (Answer::Text, json!("hi")),
            (Answer::TextIn("answer".into()), json!({ "answer": "hi" })),
            (Answer::Completion, json!({ "choices": [{ "text": "hi" }] })),
            (Answer::Blocks, json!({ "content": [{ "text": "h" }, { "type": "x" }, { "text": "i" }] })),
        ] {
            let whole = head().completion(&kind, result).unwrap();
            assert_eq!(whole["choices"][0]["message"]["content"], "hi", "{kind:?}");
            assert_eq!(whole["object"], "chat.completion");
            assert_eq!(whole["choices"][0]["finish_reason"], "stop");
        }
        let message = json!({ "content": [], "stop_reason": "max_tokens", "usage": { "input_tokens": 2, "output_tokens": 3 } });
        let whole = head().completion(&Answer::Blocks, message).unwrap();
        assert_eq!(
            (&whole["choices"][0]["finish_reason"], &whole["usage"]["total_tokens"]),
            (&json!("length"), &json!(5))
        );
        assert_eq!(head().completion(&Answer::Text, json!(1)), None);
    }

    #[test]
    fn parts_become_chunks() {
        let delta = json!({ "choices": [{ "index": 0, "delta": { "content": "h" } }] });
        let chunk = head().chunk_of(&Answer::Chat, None, delta).unwrap();
        assert_eq!((&chunk["object"], &chunk["id"]), (&json!("chat.completion.chunk"), &json!("chatcmpl-7")));
        let said = |chunk: Option<Value>| chunk.map(|chunk| chunk["choices"][0]["delta"]["content"].clone());
        let older = json!({ "choices": [{ "text": "h" }] });
        assert_eq!(said(head().chunk_of(&Answer::Completion, None, older)), Some(json!("h")));
        assert_eq!(said(head().chunk_of(&Answer::Text, Some("/t"), json!({ "t": "h" }))), Some(json!("h")));
        assert_eq!(head().chunk_of(&Answer::Text, None, json!({ "n": 1 })), None);
    }

    #[test]
    fn a_completion_becomes_chunks_with_indexed_calls() {
        let call = json!({ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } });
        let whole = json!({ "choices": [{ "index": 0, "message": { "content": null, "tool_calls": [call] }, "finish_reason": "tool_calls" }] });
        let chunks = chunks_of(&head(), &whole);
        let [said, end] = chunks.as_slice() else { panic!("{chunks:?}") };
        assert_eq!(said["choices"][0]["delta"]["tool_calls"][0]["index"], 0);
        assert_eq!(said["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(end["choices"][0]["finish_reason"], "tool_calls");
    }
}
