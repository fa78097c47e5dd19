//! Answers that come item by item: each is checked and handed on at once, all together are the answer.

use std::fmt;
use std::ops::ControlFlow;

use http::{HeaderMap, StatusCode, header};
use schema::decode::decode_body;
use schema::error::{CallError, CallErrorKind};
use schema::json_schema::OperationTypes;
use schema::operation::ResponseBody;
use schema::stream::{Framing, Gather, Stream};
use schema::types::{Type, TypeDefs};
use serde_json::Value;

use crate::egress::Watch;
use crate::events::{EventReader, LineReader};
use crate::exchanged::repeats_the_key;
use crate::secrets::Key;
use crate::{broken, code, completion, echo, message, pieces, status};

/// Hears the items of an answer while they come. It is called between two reads of the connection, so it must not
/// block; an attempt that fails after some of its items may be followed by another that begins anew.
pub trait Listen: fmt::Debug + Send + Sync {
    /// The next item, which fits the schema of items.
    fn item(&self, item: &Value);
}

/// A [`Stream`] with the type of its items.
#[derive(Debug)]
pub(crate) struct StreamPlan {
    stream: Stream,
    item: Type,
    defs: TypeDefs,
    /// Whether the content type says that it is a stream; an axon's does not.
    is_labelled: bool,
}

impl StreamPlan {
    /// Checks the schema of items; `is_labelled` where the content type must fit the framing.
    ///
    /// # Errors
    /// Why it does not map to a type.
    pub(crate) fn new(stream: &Stream, is_labelled: bool) -> Result<Self, String> {
        let none = serde_json::json!({ "type": "object" });
        let types = OperationTypes::from_schemas("item", &none, Some(&stream.item))
            .map_err(|error| error.to_string())?;
        Ok(Self { stream: stream.clone(), item: types.output, defs: types.defs, is_labelled })
    }
}

/// Reads one answer.
pub(crate) struct StreamReader<'a> {
    plan: &'a StreamPlan,
    listener: Option<&'a dyn Listen>,
    key: Option<&'a Key>,
    is_stream: bool,
    lines: LineReader,
    events: EventReader,
    /// The begin of a character whose rest has not come yet.
    tail: Vec<u8>,
    items: Vec<Value>,
    /// What came and is no item: it does not fit, it was cut off, or it came when the answer was over already. It is received all the
    /// same, and so it is recorded.
    rest: Vec<Value>,
    ended: bool,
    failed: Option<CallError>,
}

impl<'a> StreamReader<'a> {
    pub(crate) fn new(plan: &'a StreamPlan, listener: Option<&'a dyn Listen>, key: Option<&'a Key>) -> Self {
        let lines = match plan.stream.framing {
            Framing::Events => LineReader::of_events(),
            Framing::Lines | Framing::Text => LineReader::default(),
        };
        Self {
            plan,
            listener,
            key,
            is_stream: false,
            lines,
            events: EventReader::default(),
            tail: Vec::new(),
            items: Vec::new(),
            rest: Vec::new(),
            ended: false,
            failed: None,
        }
    }

    /// Whether the answer is a stream: one that was asked for may come in one piece all the same.
    pub(crate) const fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Takes what no end of an item stands behind, after the last part.
    pub(crate) fn close(&mut self) {
        let rest = self.lines.rest();
        match self.plan.stream.framing {
            // The standard: what no empty line ends is no event.
            Framing::Events => {
                let rest = self.events.rest(&rest);
                self.rest.extend(broken::values(&rest));
            }
            Framing::Lines => self.item(&rest),
            Framing::Text => self.text(&[], true),
        }
    }

    /// The texts that all that came makes together, place by place.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = String> {
        pieces::joined(self.items.iter().chain(&self.rest))
    }

    /// The answer's JSON, once it is closed.
    ///
    /// # Errors
    /// The first item that is none, or half a stream.
    pub(crate) fn finish(self) -> Result<Value, CallError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if (self.plan.stream.end.is_some() || self.plan.stream.gather.has_end()) && !self.ended {
            let message = format!("the stream broke off after {} items", self.items.len());
            return Err(CallError::new(CallErrorKind::Unavailable, code::STREAM_CUT, message));
        }
        gathered(&self.plan.stream.gather, self.items)
    }

    fn item(&mut self, data: &[u8]) {
        if data.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if self.ended || self.failed.is_some() {
            self.rest.extend(broken::values(data));
            return;
        }
        if self.plan.stream.end.as_deref().is_some_and(|end| end.as_bytes() == data.trim_ascii()) {
            self.ended = true;
            return;
        }
        if let Err(error) = self.admit(data) {
            self.failed = Some(error);
            self.rest.extend(broken::values(data));
        }
    }

    fn admit(&mut self, data: &[u8]) -> Result<(), CallError> {
        let at = self.items.len();
        let of_item =
            |error: CallError| CallError { message: format!("item {at}: {}", error.message), ..error };
        if self.key.is_some_and(|key| echo::is_echoed(key, data)) {
            return Err(repeats_the_key());
        }
        let item = serde_json::from_slice::<Value>(data);
        if let Some(words) = item.as_ref().ok().and_then(status::error_in) {
            let message = format!("the peer failed within its answer, after {at} items: {words}");
            return Err(CallError::new(CallErrorKind::Unavailable, code::PEER_FAILED, message));
        }
        decode_body(data, ResponseBody::Json, &self.plan.item, &self.plan.defs)
            .map_err(|error| of_item(error.into()))?;
        let item = item.map_err(|error| of_item(CallError::invalid(code::FORM, "$", error.to_string())))?;
        if self.plan.stream.gather == Gather::Message {
            if message::is_empty(&item) {
                return Ok(());
            }
            self.ended = message::is_end(&item);
        }
        self.hand_on(item);
        Ok(())
    }

    /// As much text as is whole characters; the rest of a character waits for the next part.
    fn text(&mut self, part: &[u8], is_last: bool) {
        let mut bytes = std::mem::take(&mut self.tail);
        bytes.extend_from_slice(part);
        if self.failed.is_some() || bytes.is_empty() {
            return;
        }
        let whole = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && !is_last => {
                let (head, tail) = bytes.split_at(error.valid_up_to());
                self.tail = tail.to_vec();
                std::str::from_utf8(head).unwrap_or_default()
            }
            Err(error) => {
                let message = format!("the text is no UTF-8 at byte {} of a part", error.valid_up_to());
                self.failed = Some(CallError::invalid(code::FORM, "$", message));
                return;
            }
        };
        if self.key.is_some_and(|key| echo::is_echoed(key, whole.as_bytes())) {
            self.failed = Some(repeats_the_key());
        } else if !whole.is_empty() {
            self.hand_on(Value::from(whole));
        }
    }

    fn hand_on(&mut self, item: Value) {
        if let Some(listener) = self.listener {
            listener.item(&item);
        }
        self.items.push(item);
    }
}

impl Watch for StreamReader<'_> {
    fn head(&mut self, status: StatusCode, headers: &HeaderMap) {
        let media_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
        let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
        let is = |word: &str| media_type.starts_with(word);
        let fits = match self.plan.stream.framing {
            Framing::Events => is("text/event-stream"),
            Framing::Lines => {
                media_type.is_empty()
                    || !(is("application/json;") || media_type == "application/json" || is("text/html"))
            }
            Framing::Text => !is("text/html") && !is("application/json"),
        };
        self.is_stream = status.is_success() && (fits || !self.plan.is_labelled);
    }

    fn part(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if !self.is_stream {
            return ControlFlow::Continue(());
        }
        match self.plan.stream.framing {
            Framing::Text => self.text(bytes, false),
            framing => {
                let mut whole = Vec::new();
                self.lines.take(bytes, |line| whole.push(line.to_vec()));
                for line in whole {
                    match framing {
                        Framing::Events => {
                            if let Some(data) = self.events.line(&line) {
                                self.item(&data);
                            }
                        }
                        _ => self.item(&line),
                    }
                }
            }
        }
        if self.ended || self.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn gathered(gather: &Gather, items: Vec<Value>) -> Result<Value, CallError> {
    match gather {
        Gather::Items => Ok(Value::Array(items)),
        Gather::Last => items
            .into_iter()
            .next_back()
            .ok_or_else(|| CallError::invalid(code::DELIVERY, "$", "the stream ended without an item")),
        Gather::Text { from } => {
            let texts = items.iter().filter_map(|item| item.pointer(from)?.as_str());
            Ok(Value::from(texts.collect::<String>()))
        }
        Gather::Completion => completion::of_chunks(items),
        Gather::Message => message::of_events(items),
    }
}
