//! Media types, as far as it matters what is within.

use serde_json::{Map, Value as Json};

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Media {
    /// One JSON document.
    Json,
    /// Anything, so what the schema says.
    Any,
    /// Fields of a form.
    Form,
    /// Text that is handed on as it stands.
    Text,
    /// Octets.
    Octets,
    /// One part after the other, without an end that is known before.
    Stream,
}

impl Media {
    /// What a media type such as `application/json; charset=utf-8` holds.
    pub(crate) fn of(media_type: &str) -> Self {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            // `json` is no media type, but authors write it.
            "application/json" | "text/json" | "json" => Self::Json,
            "*/*" | "application/*" => Self::Any,
            "application/x-www-form-urlencoded" | "multipart/form-data" => Self::Form,
            "text/event-stream"
            | "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/json-seq"
            | "application/stream+json"
            | "multipart/mixed" => Self::Stream,
            "application/xml" | "application/yaml" | "application/x-yaml" | "application/graphql" => {
                Self::Text
            }
            other if other.ends_with("+json") => Self::Json,
            other if other.ends_with("+xml") || other.ends_with("+yaml") => Self::Text,
            other if other.starts_with("text/") => Self::Text,
            _ => Self::Octets,
        }
    }

    /// The same, told by the schema where the media type leaves it open.
    pub(crate) fn settled(self, schema: Option<&Json>) -> Self {
        let is =
            |keyword: &str, value: &str| schema.is_some_and(|s| s.get(keyword).is_some_and(|v| v == value));
        match self {
            Self::Any if is("type", "string") && (is("format", "binary") || is("format", "byte")) => {
                Self::Octets
            }
            Self::Any if is("type", "string") => Self::Text,
            Self::Any => Self::Json,
            other => other,
        }
    }

    /// The best of the media types in a `content` mapping: JSON first, streams last.
    pub(crate) fn best(content: &Map<String, Json>) -> Option<(Self, &str, &Json)> {
        let all = content.iter().map(|(name, value)| (Self::of(name), name.as_str(), value));
        // JSON of a vendor is second to plain JSON.
        all.min_by_key(|(media, name, _)| (*media, !is_plain_json(name)))
    }
}

/// Whether a media type is JSON under its common names, which every service takes and answers.
pub(crate) fn is_plain_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json" | "json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_say_what_is_within() {
        for (name, media) in [
            ("application/json; charset=utf-8", Media::Json),
            ("application/vnd.schemaregistry.v1+json", Media::Json),
            ("application/create.extended+json", Media::Json),
            ("*/*", Media::Any),
            ("text/plain", Media::Text),
            ("text/event-stream", Media::Stream),
            ("application/problem+xml", Media::Text),
            ("application/zip", Media::Octets),
            ("multipart/form-data", Media::Form),
        ] {
            assert_eq!(Media::of(name), media, "{name}");
        }
        let schema = |text: &str| Some(serde_json::from_str::<Json>(text).unwrap());
        assert_eq!(Media::Any.settled(schema(r#"{"type":"string"}"#).as_ref()), Media::Text);
        assert_eq!(Media::Any.settled(schema(r#"{"type":"object"}"#).as_ref()), Media::Json);
        assert_eq!(Media::Any.settled(None), Media::Json);
    }
}
