//! What the subnets of these tests sell, as their Ledger entries.

use schema::operation::{AdapterDescriptor, CapabilityDescriptor, OperationDescriptor, Version};
use serde_json::{Value as Json, json};

/// A plan that is a model: one text goes in, one comes out.
pub(crate) const TEXT_PLAN: &str = "\
edition 2026
use sn65031 { ask }

/// Answers a question.
plan answers(question: String(1..)) -> String with { budget: 0.01USD, deadline: 1m } {
  let said = call ask(prompt: question) with { timeout: 20s }
  return said.answer
}
";

/// A plan that is none: no text comes out.
pub(crate) const OTHER_PLAN: &str = "edition 2026\n\nplan length(text: String) -> Int { text.len() }\n";

/// What both subnets sell: the cheaper one is down.
pub(crate) fn capability() -> CapabilityDescriptor {
    let adapter = |operation: &str, model: &str| AdapterDescriptor {
        operation: operation.into(),
        source: format!(
            "adapter {operation} as say {{\n  request = {{ model: \"{model}\", messages: [{{ role: \"user\", content: prompt }}] }}\n  \
             response = r => r.choices[0].message.content ?? \"\"\n}}\n"
        ),
    };
    CapabilityDescriptor {
        name: "say".into(),
        version: Version::FIRST,
        summary: "Says something.".into(),
        source: "/// Says something.\ncapability say(prompt: String(1..)) -> String\n".into(),
        adapters: vec![adapter("sn65031.chat", "down"), adapter("sn65032.chat", "m")],
    }
}

/// The operations of both subnets at `origin`.
pub(crate) fn operations(origin: &str) -> Vec<OperationDescriptor> {
    let price =
        |units: u64| json!({ "kind": "per_call", "amount": { "units": units, "currency": "micro_usd" } });
    let unknown = json!({ "kind": "unknown" });
    vec![
        chat("sn65031.chat", origin, &price(2_500), true),
        chat("sn65031.unpriced", origin, &unknown, true),
        chat("sn65031.whole", origin, &price(2_500), false),
        chat("sn65032.chat", origin, &price(4_000), true),
        entry(
            "sn65031.completions",
            origin,
            "/v1/completions",
            &price(1_000),
            &json!({
                "input": object(&["model", "prompt"], &json!({ "model": text(), "prompt": text(), "max_tokens": integer() })),
                "output": object(&["choices"], &json!({ "id": text(), "choices": list(&object(&["text"], &json!({
                    "text": text(), "finish_reason": text() }))) })),
            }),
        ),
        entry(
            "sn65031.ask",
            origin,
            "/ask",
            &price(1_000),
            &json!({
                "input": object(&["prompt"], &json!({ "prompt": text() })),
                "output": object(&["answer"], &json!({ "answer": text() })),
            }),
        ),
        entry(
            "sn65031.embeddings",
            origin,
            "/v1/embeddings",
            &price(500),
            &json!({
                "input": object(&["model", "input"], &json!({ "model": text(), "input": list(&text()) })),
                "output": object(&["data"], &json!({
                    "data": list(&object(&["embedding"], &json!({ "embedding": list(&json!({ "type": "number" })), "index": integer() }))),
                    "model": text(), "usage": object(&[], &json!({ "prompt_tokens": integer(), "total_tokens": integer() })),
                })),
            }),
        ),
    ]
}

fn chat(id: &str, origin: &str, price: &Json, streams: bool) -> OperationDescriptor {
    let message = json!({ "role": { "type": "string", "enum": ["system", "user", "assistant", "tool"] },
        "content": { "type": ["string", "null"] } });
    let given = object(
        &["role"],
        &json!({ "role": text(), "content": { "type": ["string", "null"] },
        "tool_calls": list(&json!({ "type": "object" })) }),
    );
    let choice = object(
        &["index", "message"],
        &json!({ "index": integer(), "message": given,
        "finish_reason": { "type": ["string", "null"] } }),
    );
    let usage = object(
        &[],
        &json!({ "prompt_tokens": integer(), "completion_tokens": integer(), "total_tokens": integer() }),
    );
    let mut patch = json!({
        "input": object(&["model", "messages"], &json!({
            "model": text(), "messages": list(&object(&["role"], &message)),
            "temperature": { "type": "number", "minimum": 0 }, "max_tokens": { "type": "integer", "minimum": 1 },
            "stop": text(), "tools": list(&json!({ "type": "object" })), "tool_choice": text(), "seed": integer(), "top_k": integer(),
        })),
        "output": object(&["id", "object", "model", "choices"], &json!({
            "id": text(), "object": { "const": "chat.completion" }, "created": integer(), "model": text(),
            "choices": list(&choice), "usage": usage,
        })),
        "example": { "provenance": "constructed",
            "input": { "model": "small", "messages": [{ "role": "user", "content": "Hi." }] },
            "output": { "id": "c", "object": "chat.completion", "model": "small", "choices": [] } },
    });
    if streams {
        patch["delivery"] = json!({ "kind": "stream", "framing": "events", "end": "[DONE]", "item": true,
            "gather": { "kind": "completion" }, "ask": { "stream": true } });
    }
    entry(id, origin, "/v1/chat/completions", price, &patch)
}

fn entry(id: &str, origin: &str, path: &str, price: &Json, patch: &Json) -> OperationDescriptor {
    let (subnet, _) = id.split_once('.').unwrap();
    let netuid: u16 = subnet.trim_start_matches("sn").parse().unwrap();
    let mut entry = json!({
        "id": id, "netuid": netuid, "version": { "breaking": 1, "compatible": 0 }, "summary": "A stand-in.",
        "access": "key", "auth": { "kind": "header", "name": "Authorization", "format": "Bearer <key>" },
        "transport": { "kind": "http", "method": "POST", "base_url": origin, "path": path, "response": "json",
            "fixed_body": {} },
        "side_effects": "metered", "repeat": { "safe": true, "costs_again": true }, "price": price,
        "output_complete": true, "sources": [{ "kind": "test", "reference": "tests/peers" }],
    });
    if patch.get("delivery").is_some() {
        entry["transport"]["fixed_body"] = json!({ "stream": false });
    }
    entry.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    serde_json::from_value(entry).unwrap()
}

fn object(required: &[&str], properties: &Json) -> Json {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn list(items: &Json) -> Json {
    json!({ "type": "array", "items": items })
}

fn text() -> Json {
    json!({ "type": "string" })
}

fn integer() -> Json {
    json!({ "type": "integer" })
}
