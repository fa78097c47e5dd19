//! Answers that come item by item, and how the items become the one answer that a plan and a proof see.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{OperationDescriptor, Transport};
use crate::pointer;

/// How an answer is streamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// How the items stand in the body.
    pub framing: Framing,
    /// Body properties that ask for the stream, such as `"stream": true`, in place of those that are always sent.
    /// Without any, every answer of the operation is a stream; with some, only where the caller listens to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ask: BTreeMap<String, Value>,
    /// The item that says that the stream is over, such as `[DONE]`. Where there is one, a body that ends without it
    /// is half an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// JSON Schema of an item; anything where it is `true`.
    pub item: Value,
    /// How the items become the answer.
    pub gather: Gather,
}

/// How items stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Server-sent events; the data of each is JSON.
    Events,
    /// A JSON document a line.
    Lines,
    /// Text; an item is as much of it as came at once.
    Text,
}

/// How items become an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Gather {
    /// The list of them.
    Items,
    /// The last one.
    Last,
    /// The texts at one place in each, joined; items without one are passed over.
    Text {
        /// Where: a JSON pointer, empty where the item is the text.
        from: String,
    },
    /// Chunks of an OpenAI-compatible completion become the completion.
    Completion,
    /// Events of Anthropic's messages API become the message. The event `message_stop` ends them.
    Message,
}

impl Gather {
    /// Whether one of the items themselves says that the stream is over.
    #[must_use]
    pub const fn has_end(&self) -> bool {
        matches!(self, Self::Message)
    }
}

impl Stream {
    /// Checks it as that of `operation`.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub fn check(&self, operation: &OperationDescriptor) -> Result<(), (&'static str, String)> {
        match &operation.transport {
            Transport::Http(_) => {}
            Transport::Axon(_) if self.ask.is_empty() => {}
            Transport::Axon(_) => {
                return Err(("ask", "a synapse either streams or does not; it is not asked to".into()));
            }
            Transport::Grpc(_) => {
                return Err(("", "whether a gRPC method streams stands in its descriptors".into()));
            }
            Transport::Other { .. } => return Err(("", "only HTTP and axons stream".into())),
        }
        if let Gather::Text { from } = &self.gather {
            pointer::check(from).map_err(|why| ("gather.from", why))?;
        }
        if self.gather.has_end() && self.end.is_some() {
            return Err(("end", "one of the events says the end".into()));
        }
        match (self.framing, &self.gather) {
            (Framing::Text, Gather::Text { from }) if from.is_empty() => Ok(()),
            (Framing::Text, Gather::Items) => Ok(()),
            (Framing::Text, _) => Err(("gather", "items of text have no parts".into())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_that_end_themselves_have_no_other_end() {
        let operation = json!({
            "id": "sn1.chat", "netuid": 1, "version": { "breaking": 1, "compatible": 0 }, "summary": "",
            "transport": { "kind": "http", "method": "POST", "base_url": "https://a.example", "path": "/a",
                "response": "json" },
            "access": "open", "auth": { "kind": "none" }, "side_effects": "none",
            "repeat": { "safe": true, "costs_again": false },
            "input": { "type": "object" }, "output": {}, "output_complete": true, "sources": [],
        });
        let operation: OperationDescriptor = serde_json::from_value(operation).unwrap();
        let stream = |gather: &str, end: Option<&str>| {
            let stream =
                json!({ "framing": "events", "end": end, "item": true, "gather": { "kind": gather } });
            serde_json::from_value::<Stream>(stream).unwrap().check(&operation)
        };
        assert_eq!(stream("message", None), Ok(()));
        assert_eq!(stream("completion", Some("[DONE]")), Ok(()));
        assert_eq!(stream("message", Some("[DONE]")).unwrap_err().0, "end");
    }
}
