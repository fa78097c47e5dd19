//! Chat completions in the shape of SN28, SN64 and SN96, and embeddings in that of SN64. The "model" rearranges its
//! prompt: where the prompt holds a JSON Schema it gives an instance of it, otherwise a plain text.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::CHAT_KEY;
use crate::embed;
use crate::instance;
use crate::pages::number_of;
use crate::serve::{Answer, Asked, problem, refused, reply};

/// A constant, because equal requests get equal answers.
const CREATED: u64 = 1_766_000_000;

pub(crate) fn answer(request: &Asked) -> Answer {
    let path = request.uri().path();
    if !matches!(path, "/v1/chat/completions" | "/chat/completions" | "/v1/embeddings") {
        return problem(StatusCode::NOT_FOUND, "Not Found");
    }
    if let Some(refused) = refused(request, &Method::POST, &format!("Bearer {CHAT_KEY}")) {
        return refused;
    }
    let Ok(body) = serde_json::from_slice::<Value>(request.body()) else {
        return problem(StatusCode::BAD_REQUEST, "the body is not JSON");
    };
    if path == "/v1/embeddings" {
        return match body.get("input").and_then(Value::as_array) {
            Some(texts) => reply(StatusCode::OK, &embed::vectors(texts)),
            None => problem(StatusCode::UNPROCESSABLE_ENTITY, "input is required"),
        };
    }
    let (Some(model), Some(prompt)) = (body.get("model").and_then(Value::as_str), last_user_message(&body))
    else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "model and a user message are required");
    };
    let schema = body.pointer("/response_format/json_schema/schema");
    let content = complete(prompt, schema);
    let (asked, given) = (tokens(prompt), tokens(&content));
    let body = json!({
        "id": format!("chatcmpl-{:016x}", number_of(prompt)),
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content},
            "finish_reason": "stop",
        }],
        "usage": {"prompt_tokens": asked, "completion_tokens": given, "total_tokens": asked + given},
        // Two fields that SN96 adds; the others' schemas are read open.
        "proof_verified": true,
        "timing": {"inference_ms": 1.0, "verify_ms": 1.0},
    });
    reply(StatusCode::OK, &body)
}

fn last_user_message(body: &Value) -> Option<&str> {
    let messages = body.get("messages")?.as_array()?;
    let from_user = |message: &&Value| message.get("role").and_then(Value::as_str) == Some("user");
    messages.iter().rev().find(from_user)?.get("content")?.as_str()
}

/// About what tokenizers make of English.
fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

/// The answer to `prompt`: an instance of `schema` or of the schema in the prompt, or a plain text.
pub(crate) fn complete(prompt: &str, schema: Option<&Value>) -> String {
    let (prompt, found) = split_schema(prompt);
    match schema.or(found.as_ref()) {
        // A text that fits "type: string" is the text itself.
        Some(schema) if schema.get("type").and_then(Value::as_str) != Some("string") => {
            instance::of(schema, prompt).to_string()
        }
        _ => plain(prompt),
    }
}

/// The prompt without the schema at its end, and the schema: the last line that begins a JSON object which looks like
/// one.
fn split_schema(prompt: &str) -> (&str, Option<Value>) {
    let starts = std::iter::once(0).chain(prompt.match_indices('\n').map(|(at, _)| at + 1));
    for start in starts.collect::<Vec<_>>().into_iter().rev() {
        let Some((head, tail)) = prompt.split_at_checked(start) else { continue };
        if !tail.starts_with('{') {
            continue;
        }
        let parsed = serde_json::Deserializer::from_str(tail).into_iter::<Value>().next();
        if let Some(Ok(schema)) = parsed
            && ["type", "properties", "items", "$ref", "enum", "const", "anyOf", "oneOf"]
                .iter()
                .any(|keyword| schema.get(keyword).is_some())
        {
            return (head, Some(schema));
        }
    }
    (prompt, None)
}

/// Questions with an answer that everybody agrees on, for plans that vote.
const KNOWN: [(&str, &str); 4] = [
    ("capital of france", "Paris"),
    ("capital of japan", "Tokyo"),
    ("answer to life", "42"),
    ("largest planet", "Jupiter"),
];

/// Sentences of a plain summary.
const SUMMARY_SENTENCES: usize = 2;

fn plain(prompt: &str) -> String {
    if let Some(summary) = summary_of_claims(prompt) {
        return summary;
    }
    let folded = prompt.to_lowercase();
    if let Some((_, answer)) = KNOWN.iter().find(|(question, _)| folded.contains(question)) {
        return (*answer).to_owned();
    }
    let sentences: Vec<&str> =
        instance::sentences(instance::matter(prompt)).take(SUMMARY_SENTENCES).collect();
    if sentences.is_empty() {
        "In short: nothing.".to_owned()
    } else {
        format!("In short: {}", sentences.join(" "))
    }
}

/// A paragraph per rival about the claims whose JSON is in the prompt.
fn summary_of_claims(prompt: &str) -> Option<String> {
    let start = prompt.find("[{")?;
    let tail = prompt.get(start..)?;
    let claims = serde_json::Deserializer::from_str(tail).into_iter::<Vec<Value>>().next()?.ok()?;
    let field = |claim: &Value, name: &str| claim.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut rivals: Vec<String> = Vec::new();
    for rival in claims.iter().filter_map(|claim| field(claim, "rival")) {
        if !rivals.contains(&rival) {
            rivals.push(rival);
        }
    }
    let paragraphs = rivals.iter().map(|rival| {
        let own: Vec<&Value> =
            claims.iter().filter(|claim| field(claim, "rival").as_deref() == Some(rival)).collect();
        let count = |stance: &str| {
            own.iter().filter(|claim| field(claim, "stance").as_deref() == Some(stance)).count()
        };
        let texts: Vec<String> = own.iter().filter_map(|claim| field(claim, "text")).collect();
        let (ahead, behind) = (count("Ahead"), count("Behind"));
        format!(
            "Against {rival}: ahead in {ahead} of {} points, behind in {behind}. {}",
            own.len(),
            texts.join(" ")
        )
    });
    let summary = paragraphs.collect::<Vec<_>>().join("\n");
    (!summary.is_empty()).then_some(summary)
}
