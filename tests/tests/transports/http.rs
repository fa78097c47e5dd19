//! Forms of requests and answers over HTTP, against the stand-in on FastAPI.

use std::sync::OnceLock;

use super::*;

pub(crate) fn peer() -> &'static Peer {
    static SHARED: OnceLock<Peer> = OnceLock::new();
    SHARED.get_or_init(|| start("http_server", &[]))
}

/// `<method> <path>` with more of the binding.
fn http(line: &str, more: &Json) -> Json {
    let (method, path) = line.split_once(' ').unwrap();
    let mut http = json!({ "kind": "http", "method": method, "base_url": peer().origin, "path": path, "response": "json" });
    http.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    http
}

fn octets() -> Json {
    json!({ "type": "string", "contentEncoding": "base64" })
}

#[tokio::test]
async fn a_form_arrives_field_by_field() {
    let tags = json!({ "type": "array", "items": text() });
    let operation = entry(&json!({
        "transport": http("POST /form", &json!({ "body": { "kind": "form" } })),
        "input": object(2, &[("word", text()), ("count", integer()), ("tag", tags)]),
    }));
    let input = json!({ "word": "a b&c=ü+%", "count": 7, "tag": ["x", "y z"] });
    let (answer, _) = Caller::default().call(&operation, input).await;
    assert_eq!(answer, json!({ "word": "a b&c=ü+%", "count": 7, "tags": ["x", "y z"] }));
}

#[tokio::test]
async fn a_file_arrives_as_it_is() {
    let operation = entry(&json!({
        "transport": http("POST /upload", &json!({ "body": { "kind": "multipart", "media_types": { "file": "video/mp4" } } })),
        "input": object(2, &[("file", octets()), ("note", text()), ("fps", json!({ "type": "number" }))]),
    }));
    // Octets that would break out of a part that was not bounded well, and those 0 to 255.
    let input = json!({ "file": "DQotLQ0KAAECAwQFBgcICQoLDA0ODxAREhMU/v8=", "note": "two\r\nlines \"quoted\"", "fps": 2.5 });
    let (answer, _) = Caller::default().call(&operation, input).await;
    assert_eq!(
        (&answer["media_type"], &answer["size"], &answer["fps"]),
        (&json!("video/mp4"), &json!(29), &json!(2.5))
    );
    assert_eq!(answer["note"], json!("two\r\nlines \"quoted\""));
    assert_eq!(answer["sha256"], json!("47a3b90ef01ad44403ad549487a70774513fad14fe1544eb120b32b4a70c2da5"));
}

#[tokio::test]
async fn octets_are_put_and_got() {
    let parameters = json!({ "bucket": "path", "name": "path" });
    let raw = json!({ "kind": "raw", "parameter": "content", "media_type": "image/png" });
    let put = entry(&json!({
        "transport": http("PUT /objects/{bucket}/{name}", &json!({ "body": raw, "parameters": parameters })),
        "input": object(3, &[("bucket", text()), ("name", text()), ("content", octets())]),
    }));
    let (answer, _) =
        Caller::default().call(&put, json!({ "bucket": "b", "name": "n.png", "content": "AAECAw==" })).await;
    assert_eq!(answer, json!({ "size": 4, "media_type": "image/png", "place": "b/n.png" }));
    let get = entry(&json!({
        "transport": http("GET /objects/{bucket}/{name}", &json!({ "response": "bytes", "parameters": parameters })),
        "input": object(2, &[("bucket", text()), ("name", text())]), "output": octets(),
    }));
    let (answer, _) = Caller::default().call(&get, json!({ "bucket": "b", "name": "n" })).await;
    assert_eq!(answer, json!("Yi9uAA=="));
}

#[tokio::test]
async fn keys_go_into_the_query_and_parameters_into_headers() {
    let operation = entry(&json!({
        "transport": http("GET /keyed", &json!({ "parameters": { "x-kind": "header" } })),
        "auth": { "kind": "query", "name": "api_key" }, "access": "key",
        "input": object(1, &[("x-kind", text())]),
    }));
    let key = Some(peer().said("key"));
    let (answer, outcome) =
        Caller { key, ..Caller::default() }.call(&operation, json!({ "x-kind": "blue" })).await;
    assert_eq!(answer, json!({ "kind": "blue" }));
    let kept = String::from_utf8(outcome.redacted_request.to_vec()).unwrap();
    assert!(
        kept.contains("api_key=<key>") && kept.contains("x-kind: blue") && !kept.contains(peer().said("key"))
    );
    let wrong = Caller { key: Some("another-key-987654321"), ..Caller::default() };
    let (_, outcome) = wrong.call(&operation, json!({ "x-kind": "blue" })).await;
    assert_eq!(failure(&outcome, "no such key"), is("unauthorized", "E1145"));
}

#[tokio::test]
async fn an_offer_to_be_paid_is_told_and_not_taken() {
    let operation = entry(&json!({ "transport": http("GET /paid", &json!({})) }));
    let (_, outcome) = Caller::default().call(&operation, json!({})).await;
    assert_eq!(
        failure(&outcome, "10000 units of USDC on base to 0xB; Orchestra does not pay"),
        is("rejected", "E1132")
    );
}

/// An OpenAI-compatible chat at a price for each token.
fn chat() -> OperationDescriptor {
    let message = object(2, &[("role", text()), ("content", text())]);
    let choice = json!({ "type": "object", "required": ["message"], "properties": { "message": message, "finish_reason": text() } });
    let per = |pointer: &str, units: u32| json!({ "pointer": pointer, "per_million": { "units": units, "currency": "micro_usd" } });
    entry(&json!({
        "transport": http("POST /v1/chat/completions", &json!({ "fixed_body": { "stream": false } })),
        "auth": { "kind": "header", "name": "Authorization", "format": "Bearer <key>" }, "access": "key",
        "input": object(2, &[("model", text()), ("messages", json!({ "type": "array", "items": message }))]),
        "output": { "type": "object", "required": ["choices"], "properties": { "choices": { "type": "array", "items": choice } } },
        "observed_cost": { "kind": "usage", "tokens": [per("/usage/prompt_tokens", 1_000_000), per("/usage/completion_tokens", 2_000_000)] },
        "delivery": { "kind": "stream", "framing": "events", "end": "[DONE]", "item": true, "gather": { "kind": "completion" },
            "ask": { "stream": true, "stream_options": { "include_usage": true } } },
    }))
}

#[tokio::test]
async fn a_chat_is_the_same_in_one_piece_and_as_a_stream() {
    let key = Some(peer().said("key"));
    let input = json!({ "model": "m", "messages": [{ "role": "user", "content": "one two three" }] });
    let (whole, outcome) = Caller { key, ..Caller::default() }.call(&chat(), input.clone()).await;
    let heard = Heard::default();
    let (streamed, same) =
        Caller { key, heard: Some(&heard), ..Caller::default() }.call(&chat(), input).await;
    assert_eq!(whole, streamed);
    assert_eq!(whole["choices"][0]["finish_reason"], json!("stop"));
    assert_eq!(heard.0.lock().unwrap().len(), 9, "the role, six words, the reason to stop, the usage");
    let cost = outcome.observed_cost.unwrap();
    assert_eq!((cost.units, same.observed_cost), (3 + 2 * 6, Some(cost)), "by tokens, either way");
}

#[tokio::test]
async fn a_legacy_completion_is_typed_and_charged_by_its_tokens() {
    let choice = object(2, &[("text", text()), ("finish_reason", text())]);
    let operation = entry(&json!({
        "transport": http("POST /v1/completions", &json!({})),
        "auth": { "kind": "header", "name": "Authorization", "format": "Bearer <key>" }, "access": "key",
        "input": object(2, &[("model", text()), ("prompt", text())]),
        "output": { "type": "object", "required": ["choices"], "properties": { "choices": { "type": "array", "items": choice } } },
        "observed_cost": { "kind": "usage", "tokens": [
            { "pointer": "/usage/completion_tokens", "per_million": { "units": 2_000_000, "currency": "micro_usd" } },
        ] },
    }));
    let caller = Caller { key: Some(peer().said("key")), ..Caller::default() };
    let (answer, outcome) = caller.call(&operation, json!({ "model": "m", "prompt": "one two" })).await;
    assert_eq!(answer["choices"][0]["text"].as_str().unwrap().split_whitespace().count(), 6);
    assert_eq!(outcome.observed_cost.map(|cost| cost.units), Some(12));
    let (_, outcome) = Caller { key: Some("another-key-987654321"), ..Caller::default() }
        .call(&operation, json!({ "model": "m", "prompt": "one two" }))
        .await;
    // Turned away: nothing is charged.
    assert_eq!((failure(&outcome, "no such key"), outcome.pages), (is("unauthorized", "E1145"), 0));
}

#[tokio::test]
async fn a_key_of_several_parts_goes_into_as_many_headers() {
    let operation = entry(&json!({
        "transport": http("GET /several", &json!({})), "access": "key",
        "auth": { "kind": "headers", "headers": { "X-Client-Id": "<id>", "X-Client-Secret": "<secret>" } },
    }));
    let secret = peer().said("key");
    let several = Caller { parts: &[("id", "client-7"), ("secret", secret)], ..Caller::default() };
    let (answer, outcome) = several.call(&operation, json!({})).await;
    assert_eq!(answer, json!({ "client": "d2a75315" }));
    let kept = String::from_utf8(outcome.redacted_request.to_vec()).unwrap();
    assert!(kept.contains("x-client-id: <id>") && kept.contains("x-client-secret: <secret>"), "{kept}");
    assert!(!kept.contains("client-7") && !kept.contains(secret));
    let wrong =
        Caller { parts: &[("id", "client-7"), ("secret", "another-key-987654321")], ..Caller::default() };
    let (_, outcome) = wrong.call(&operation, json!({})).await;
    assert_eq!(failure(&outcome, "no such key"), is("unauthorized", "E1145"));
    // One part alone is no key: nothing is sent.
    let half = Caller { parts: &[("secret", secret)], ..Caller::default() };
    let (_, outcome) = half.call(&operation, json!({})).await;
    assert_eq!((failure(&outcome, "needs its part `id`").0, outcome.sent), ("unauthorized", false));
}

#[tokio::test]
async fn embeddings_and_images_have_their_types() {
    let row = object(
        0,
        &[
            ("object", text()),
            ("index", integer()),
            ("embedding", json!({ "type": "array", "items": { "type": "number" } })),
        ],
    );
    let embeddings = entry(&json!({
        "transport": http("POST /v1/embeddings", &json!({})),
        "input": object(2, &[("model", text()), ("input", json!({ "type": "array", "items": text() }))]),
        "output": { "type": "object", "required": ["data"], "properties": { "data": { "type": "array", "items": row } } },
    }));
    let (answer, _) = Caller::default().call(&embeddings, json!({ "model": "m", "input": ["a", "b"] })).await;
    assert_eq!(
        (answer["data"].as_array().unwrap().len(), answer["data"][1]["embedding"].as_array().unwrap().len()),
        (2, 4)
    );
    let image = object(1, &[("b64_json", octets())]);
    let images = entry(&json!({
        "transport": http("POST /v1/images/generations", &json!({})), "input": object(1, &[("prompt", text())]),
        "output": { "type": "object", "required": ["data"], "properties": { "data": { "type": "array", "items": image } } },
    }));
    let (answer, _) = Caller::default().call(&images, json!({ "prompt": "cat" })).await;
    assert_eq!(answer["data"][0]["b64_json"], json!("iVBORw0KY2F0"));
}

#[tokio::test]
async fn lines_and_text_come_piece_by_piece() {
    let item = json!({ "type": "object", "required": ["n"], "properties": { "n": integer() } });
    let lines = entry(&json!({
        "transport": http("GET /lines", &json!({ "parameters": { "count": "query" } })), "input": object(1, &[("count", integer())]),
        "output": { "type": "array", "items": item },
        "delivery": { "kind": "stream", "framing": "lines", "item": item, "gather": { "kind": "items" } },
    }));
    let heard = Heard::default();
    let (answer, _) =
        Caller { heard: Some(&heard), ..Caller::default() }.call(&lines, json!({ "count": 3 })).await;
    assert_eq!((answer, heard.0.lock().unwrap().len()), (json!([{ "n": 0 }, { "n": 1 }, { "n": 2 }]), 3));
    let words = entry(&json!({
        "transport": http("GET /text", &json!({ "parameters": { "prompt": "query" }, "response": "text" })),
        "input": object(1, &[("prompt", text())]), "output": text(),
        "delivery": { "kind": "stream", "framing": "text", "item": text(), "gather": { "kind": "text", "from": "" } },
    }));
    let heard = Heard::default();
    let (answer, _) =
        Caller { heard: Some(&heard), ..Caller::default() }.call(&words, json!({ "prompt": "x" })).await;
    assert_eq!(
        heard.0.lock().unwrap().iter().map(|item| item.as_str().unwrap()).collect::<String>(),
        answer.as_str().unwrap()
    );
}

#[tokio::test]
async fn pages_and_tasks_are_one_operation() {
    let paged = entry(&json!({
        "transport": http("GET /list", &json!({ "parameters": { "cursor": "query" } })), "input": object(0, &[("cursor", integer())]),
        "output": { "type": "object", "required": ["items"], "properties": { "items": { "type": "array", "items": integer() } } },
        "delivery": { "kind": "pages", "items": "/items", "next": { "by": "cursor", "parameter": "cursor", "from": "/next" } },
    }));
    let (answer, outcome) = Caller { pages: Some(9), ..Caller::default() }.call(&paged, json!({})).await;
    assert_eq!((answer, outcome.pages), (json!({ "items": [0, 1, 2, 3, 4] }), 3));
    let task = entry(&json!({
        "transport": http("POST /tasks", &json!({})), "input": object(1, &[("word", text())]),
        "output": object(1, &[("word", text())]),
        "delivery": { "kind": "task", "id": "/task/id", "path": "/tasks/{id}", "state": "/state", "done": ["done"],
            "failed": ["failed"], "result": "/result", "every_ms": 1 },
    }));
    let (answer, _) = Caller::default().call(&task, json!({ "word": "hi" })).await;
    assert_eq!(answer, json!({ "word": "HI" }));
}

/// The dialects that published verifiers check, each as an entry's template.
fn dialects() -> [(&'static str, Json, bool); 3] {
    let epistula = json!({
        "Epistula-Version": "2", "Epistula-Timestamp": "{timestamp_ms}", "Epistula-Uuid": "{uuid}",
        "Epistula-Signed-By": "{sender}", "Epistula-Signed-For": "{receiver}", "Epistula-Request-Signature": "{signature_hex}",
    });
    let apex = json!({
        "Epistula-Timestamp": "{timestamp_ms}", "Epistula-Signed-By": "{sender}", "Epistula-Request-Signature": "{signature_hex}",
    });
    let x_tao = json!({
        "X-Tao-Version": "2", "X-Tao-Timestamp": "{timestamp_ms}", "X-Tao-Nonce": "{uuid}", "X-Tao-Signed-By": "{sender}",
        "X-Tao-Signature": "{signature_base64}",
    });
    let signed =
        |message: &str, headers: Json| json!({ "kind": "signed", "message": message, "headers": headers });
    [
        ("/epistula", signed("{body_sha256}.{uuid}.{timestamp_ms}.{receiver}", epistula), true),
        ("/apex", signed("{body_sha256}.{timestamp_ms}.{receiver}", apex), false),
        ("/x-tao", signed("{body_sha256}.{uuid}.{timestamp_ms}", x_tao), false),
    ]
}

#[tokio::test]
async fn signed_requests_are_verified_by_another_implementation() {
    for (path, mut auth, has_receiver) in dialects() {
        if has_receiver {
            auth["receiver"] = json!(peer().said("hotkey"));
        }
        let operation = |auth: &Json| {
            entry(&json!({
                "transport": http(&format!("POST {path}"), &json!({})), "auth": auth, "access": "registered_hotkey",
                "input": object(1, &[("word", text())]), "output": object(1, &[("sender", text())]),
            }))
        };
        let caller = Caller { hotkey: Some(Hotkey::from_seed(&[9; 32])), ..Caller::default() };
        let (answer, _) = caller.call(&operation(&auth), json!({ "word": "ü" })).await;
        assert_eq!(answer["sender"], json!(Hotkey::from_seed(&[9; 32]).address()), "{path}");
        auth["message"] = json!("{body_sha256}.{timestamp_ms}.x");
        let (_, outcome) = caller.call(&operation(&auth), json!({ "word": "ü" })).await;
        assert_eq!(failure(&outcome, "Signature Mismatch"), is("unauthorized", "E1145"), "{path}");
    }
}
