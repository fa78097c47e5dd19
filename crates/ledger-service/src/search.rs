//! Search over operations: ranking, and why each hit is one.

use std::collections::BTreeSet;
use std::sync::Arc;

use schema::operation::OperationDescriptor;
use serde_json::Value;
use store::IndexDoc;

use crate::entry::Published;
use crate::limits::{DEFAULT_SEARCH_HITS, MAX_SEARCH_HITS};
use crate::snapshot::Snapshot;

/// Name of the full-text index.
pub(crate) const INDEX: &str = "ledger.operations";
/// Hits taken from the index before ranking.
pub(crate) const CANDIDATES: usize = 1_000;

/// What to look for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchRequest {
    /// Words, as typed; any text is allowed.
    pub text: String,
    /// Only operations with all of these tags.
    pub tags: BTreeSet<String>,
    /// Only operations that fulfil this capability.
    pub capability: Option<String>,
    /// Hits at most; 0 is [`DEFAULT_SEARCH_HITS`], more than [`MAX_SEARCH_HITS`] is that.
    pub limit: usize,
}

impl SearchRequest {
    /// A search for words alone.
    #[must_use]
    pub fn for_text(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    pub(crate) fn hits(&self) -> usize {
        if self.limit == 0 { DEFAULT_SEARCH_HITS } else { self.limit.min(MAX_SEARCH_HITS) }
    }

    /// The tags to demand from the index.
    pub(crate) fn index_tags(&self) -> BTreeSet<String> {
        let capability = self.capability.iter().map(|name| capability_tag(name));
        self.tags.iter().map(|tag| format!("tag:{tag}")).chain(capability).collect()
    }
}

/// One operation found.
#[derive(Clone, Debug)]
pub struct SearchHit {
    /// The operation.
    pub operation: Arc<Published<OperationDescriptor>>,
    /// Greater is better; comparable within one search only.
    pub score: f64,
    /// Why it is a hit, and what speaks against it.
    pub reason: String,
}

/// What the index holds of an operation.
pub(crate) fn document(snapshot: &Snapshot, operation: &OperationDescriptor) -> IndexDoc {
    let mut text = vec![operation.tags.join(" ")];
    let mut tags: BTreeSet<String> = operation.tags.iter().map(|tag| format!("tag:{tag}")).collect();
    for name in snapshot.capabilities_of(&operation.id) {
        text.push(name.to_owned());
        tags.insert(capability_tag(name));
    }
    text.extend(snapshot.subnet(operation.netuid).map(|subnet| subnet.descriptor.name.clone()));
    text.extend(parameters(operation).map(str::to_owned));
    IndexDoc { title: format!("{} {}", operation.id, operation.summary), text: text.join(" "), tags }
}

/// Orders candidates and says why each is one.
pub(crate) fn rank(
    snapshot: &Snapshot,
    request: &SearchRequest,
    candidates: impl Iterator<Item = (Arc<Published<OperationDescriptor>>, f64)>,
) -> Vec<SearchHit> {
    let words: Vec<String> = request
        .text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut hits: Vec<SearchHit> = candidates
        .map(|(operation, score)| {
            let (bonus, reason) = judge(snapshot, request, &words, &operation.descriptor);
            SearchHit { operation, score: score + bonus, reason }
        })
        .collect();
    hits.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then_with(|| a.operation.descriptor.id.cmp(&b.operation.descriptor.id))
    });
    hits.truncate(request.hits());
    hits
}

/// What the index cannot know: whole names weigh more than words, and what cannot be called less.
fn judge(
    snapshot: &Snapshot,
    request: &SearchRequest,
    words: &[String],
    operation: &OperationDescriptor,
) -> (f64, String) {
    let mut bonus = 0.0;
    let mut reasons = Vec::new();
    let name = operation.id.split_once('.').map_or(operation.id.as_str(), |(_, name)| name);
    if request.text.trim() == operation.id || (!words.is_empty() && words.join("_") == name) {
        bonus += 10.0;
        reasons.push("it has this name".to_owned());
    }
    for name in snapshot.capabilities_of(&operation.id) {
        if words.join("_") == name || request.capability.as_deref() == Some(name) {
            bonus += 5.0;
            reasons.push(format!("fulfils `{name}`"));
        }
    }
    let found = |place: &str| -> Vec<&str> {
        // By the start of a word, as the index matches.
        let place = place.to_lowercase();
        let starts =
            |word: &str| place.split(|c: char| !c.is_alphanumeric()).any(|part| part.starts_with(word));
        words.iter().map(String::as_str).filter(|word| starts(word)).collect()
    };
    let places = [
        ("its id", operation.id.clone()),
        ("its summary", operation.summary.clone()),
        ("its tags", operation.tags.join(" ")),
        ("its parameters", parameters(operation).collect::<Vec<_>>().join(" ")),
        (
            "its subnet's name",
            snapshot.subnet(operation.netuid).map_or_else(String::new, |s| s.descriptor.name.clone()),
        ),
    ];
    for (place, text) in places {
        let found = found(&text);
        if !found.is_empty() {
            reasons.push(format!("{} in {place}", quoted(&found)));
        }
    }
    if reasons.is_empty() {
        let asked = request.tags.iter().map(String::as_str).collect::<Vec<_>>();
        reasons.push(match (words.is_empty(), asked.is_empty()) {
            (false, _) => "a form of a word".to_owned(),
            (true, false) => format!("tagged {}", quoted(&asked)),
            (true, true) => "listed".to_owned(),
        });
    }
    if let Some(reason) =
        snapshot.callability(&operation.id).ok().and_then(|callability| callability.reason())
    {
        bonus -= 1.0;
        reasons.push(format!("not callable: {reason}"));
    }
    (bonus, reasons.join("; "))
}

fn parameters(operation: &OperationDescriptor) -> impl Iterator<Item = &str> {
    let properties = operation.input.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str))
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn capability_tag(name: &str) -> String {
    format!("capability:{name}")
}
