//! Detectors in the shapes of SN34 (`POST /detect-image`) and SN32 (`POST /text`, `POST /batch`). They judge by what
//! can be read in plain sight: an image by its address, a text by stock phrases.

use http::StatusCode;
use serde_json::{Value, json};

use crate::pages::number_of;
use crate::serve::{Answer, Asked, problem, reply};

/// Shorter texts are not judged.
const TEXT_CHARS_MIN: usize = 200;
/// Texts of one batch.
const TEXTS_MAX: usize = 100;

/// What machines like to write.
const STOCK_PHRASES: [&str; 6] = [
    "it is important to note",
    "in today's fast-paced world",
    "a testament to",
    "furthermore",
    "in conclusion",
    "delve into",
];

/// The score of a text with so many stock phrases, or more.
const SCORES: [f64; 4] = [0.06, 0.55, 0.93, 0.99];

/// An image with `generated` in its address is generated, one with `blurred` cannot be told, others are real. As at
/// the real service, `confidence` is how likely the image is generated.
pub(crate) fn image(request: &Asked) -> Answer {
    let Some(image) = field(request, "image").and_then(|image| image.as_str().map(str::to_owned)) else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "image is required");
    };
    let thousandths = number_of(&image) % 90;
    let thousandths = match image.to_lowercase() {
        address if address.contains("generated") => 905 + thousandths,
        address if address.contains("blurred") => 480 + thousandths / 3,
        _ => 5 + thousandths,
    };
    let confidence = thousandths as f64 / 1_000.0;
    reply(
        StatusCode::OK,
        &json!({"isAI": confidence >= 0.5, "confidence": confidence, "similarity": 0.1, "fqdn": "sn34"}),
    )
}

/// The score of one text.
pub(crate) fn text(request: &Asked) -> Answer {
    let text = field(request, "text");
    match text.as_ref().and_then(Value::as_str).map(score) {
        None => problem(StatusCode::UNPROCESSABLE_ENTITY, "text is required"),
        Some(None) => problem(StatusCode::UNPROCESSABLE_ENTITY, "text has less than 200 characters"),
        Some(Some(score)) => reply(StatusCode::OK, &json!({ "score": score })),
    }
}

/// The score of each text, or why it has none.
pub(crate) fn texts(request: &Asked) -> Answer {
    let texts = field(request, "texts");
    let texts =
        texts.as_ref().and_then(Value::as_array).filter(|texts| (1..=TEXTS_MAX).contains(&texts.len()));
    let Some(texts) = texts else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "1 to 100 texts are required");
    };
    let results = texts.iter().map(|text| match text.as_str().and_then(score) {
        Some(score) => json!({ "score": score }),
        None => json!({"error": {"code": "too_short"}}),
    });
    reply(StatusCode::OK, &json!({"results": results.collect::<Vec<_>>()}))
}

fn score(text: &str) -> Option<f64> {
    if text.chars().count() < TEXT_CHARS_MIN {
        return None;
    }
    let folded = text.to_lowercase();
    let found = STOCK_PHRASES.iter().filter(|phrase| folded.contains(*phrase)).count();
    SCORES.get(found).or(SCORES.last()).copied()
}

fn field(request: &Asked, name: &str) -> Option<Value> {
    let mut body: Value = serde_json::from_slice(request.body()).ok()?;
    body.get_mut(name).map(Value::take)
}
