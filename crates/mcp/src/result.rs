//! Answers of tools. What is large is left out and named instead, so that a model's context is not filled by accident.

use rmcp::model::{CallToolResult, ContentBlock, Resource};
use serde_json::{Value as Json, json};

use crate::fault::{ARGUMENTS, Fault};
use crate::resources;

/// Bytes of a result that is still given in place.
pub(crate) const INLINE_BYTES_MAX: usize = 32 << 10;
/// Members that are named of an object that is left out.
const KEYS_SHOWN_MAX: usize = 50;

/// An answer: structured content, and where to find what was left out of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) content: Json,
    pub(crate) links: Vec<Resource>,
}

impl From<Json> for Answer {
    fn from(content: Json) -> Self {
        Self { content, links: Vec::new() }
    }
}

impl From<Answer> for CallToolResult {
    fn from(answer: Answer) -> Self {
        // The text block is the structured content word for word: some frameworks show the model nothing else.
        let mut result = Self::structured(answer.content);
        result.content.extend(answer.links.into_iter().map(ContentBlock::resource_link));
        result
    }
}

/// A result, or what is said in place of it.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) value: Json,
    /// `null`, or what is known of a value that was left out.
    pub(crate) omitted: Json,
    pub(crate) links: Vec<Resource>,
}

impl Shown {
    /// Of a run without a result.
    pub(crate) const fn nothing() -> Self {
        Self { value: Json::Null, omitted: Json::Null, links: Vec::new() }
    }

    /// The part of a run's result at `pointer` (RFC 6901; empty for all of it), if it has at most `bytes_max`.
    pub(crate) fn part(run: &str, result: &[u8], pointer: &str, bytes_max: usize) -> Result<Self, Fault> {
        let mut whole: Json = serde_json::from_slice(result).map_err(|error| {
            Fault::new("E1853", format!("the result is no JSON: {error}"), "the server is of another version")
        })?;
        let value = whole.pointer_mut(pointer).map(Json::take).ok_or_else(|| {
            let help = "begin with an empty pointer: what is said of a large result names its members";
            Fault::new(ARGUMENTS, format!("the result has nothing at `{pointer}`"), help)
                .with("path", "pointer")
        })?;
        let bytes = if pointer.is_empty() { result.len() } else { value.to_string().len() };
        if bytes <= bytes_max {
            return Ok(Self { value, ..Self::nothing() });
        }
        let link = resources::result_of(run, u64::try_from(result.len()).unwrap_or(u64::MAX));
        let omitted = outline(&value, bytes, &link.uri);
        Ok(Self { value: Json::Null, omitted, links: vec![link] })
    }
}

/// What a value is, without what is in it.
fn outline(value: &Json, bytes: usize, resource: &str) -> Json {
    let (kind, members, keys) = match value {
        Json::Array(items) => ("array", items.len(), Vec::new()),
        Json::Object(map) => ("object", map.len(), map.keys().take(KEYS_SHOWN_MAX).collect()),
        Json::String(text) => ("string", text.chars().count(), Vec::new()),
        _ => ("scalar", 1, Vec::new()),
    };
    json!({ "kind": kind, "members": members, "keys": keys, "bytes": bytes, "resource": resource })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_given_and_one_byte_more_is_named() {
        let result = br#"{"a":[1,2,3],"b":"x"}"#;
        let all = Shown::part("runs/1", result, "", result.len()).unwrap();
        assert_eq!(all.value, json!({"a": [1, 2, 3], "b": "x"}));
        let left_out = Shown::part("runs/1", result, "", result.len() - 1).unwrap();
        assert_eq!(left_out.value, Json::Null);
        assert_eq!(
            left_out.omitted,
            json!({"kind": "object", "members": 2, "keys": ["a", "b"], "bytes": result.len(),
                   "resource": "orch://runs/1/result"})
        );
        assert_eq!(left_out.links.len(), 1);
        assert_eq!(Shown::part("runs/1", result, "/a/1", 1).unwrap().value, json!(2));
        assert_eq!(Shown::part("runs/1", result, "/c", 1).unwrap_err().code(), ARGUMENTS);
    }

    #[test]
    fn the_text_is_the_structured_content() {
        let content = json!({"b": 1, "a": [null]});
        let result = CallToolResult::from(Answer::from(content.clone()));
        assert_eq!(result.content.first().unwrap().as_text().unwrap().text, content.to_string());
        assert_eq!(result.structured_content.unwrap(), content);
    }
}
