//! Text embeddings in the shape of SN64: texts with words in common point in similar directions.

use serde_json::{Value, json};

use crate::pages::number_of;

const DIMENSIONS: usize = 64;
/// Words that every text has.
const STOP_WORDS: [&str; 16] =
    ["a", "an", "and", "do", "how", "i", "in", "is", "it", "my", "of", "on", "the", "to", "what", "your"];

/// One vector per text.
pub(crate) fn vectors(texts: &[Value]) -> Value {
    let rows = texts.iter().enumerate().map(|(index, text)| {
        json!({"object": "embedding", "index": index, "embedding": vector(text.as_str().unwrap_or_default())})
    });
    json!({"object": "list", "data": rows.collect::<Vec<_>>()})
}

/// Counts words by the first letters, so that `bill` and `billing` count as one, and scales to length 1.
fn vector(text: &str) -> Vec<f64> {
    let mut sums = vec![0.0_f64; DIMENSIONS];
    let folded = text.to_lowercase();
    for word in folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if STOP_WORDS.contains(&word) {
            continue;
        }
        let stem: String = word.chars().take(4).collect();
        let place = usize::try_from(number_of(&stem) % DIMENSIONS as u64).unwrap_or(0);
        if let Some(sum) = sums.get_mut(place) {
            *sum += 1.0;
        }
    }
    let length = sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
    // Rounded, as what is sent need not be exact.
    let scale = |sum: f64| if length == 0.0 { 0.0 } else { (sum / length * 1e6).round() / 1e6 };
    sums.into_iter().map(scale).collect()
}
