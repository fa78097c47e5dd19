//! JSON that is none, read as far as it goes: an item that was cut off, or that something stands behind. Nobody is given
//! what comes of it; it is only searched for texts that must not be kept.

use serde_json::{Map, Value};

use crate::echo;

/// Lists and objects inside each other that are looked into, as many as of JSON that is whole.
const DEPTH_MAX: u32 = 128;

/// The values that `data` begins, one after the other. A text that nothing ends goes to the end, a value that nothing ends has
/// what came of it, and what cannot begin a value is a text of its own with all that follows.
pub(crate) fn values(data: &[u8]) -> Vec<Value> {
    let mut reader = Reader { rest: data };
    let mut all = Vec::new();
    while let Some(next) = reader.peek() {
        match next {
            b'{' | b'[' | b'"' => all.push(reader.value(DEPTH_MAX)),
            _ => all.push(text(std::mem::take(&mut reader.rest))),
        }
    }
    all
}

/// A text as it is, with escapes undone.
fn text(bytes: &[u8]) -> Value {
    Value::from(String::from_utf8_lossy(&echo::unescaped(bytes)))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// What stands before the first byte that `ends` knows, which is next then.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| ends(*byte)).unwrap_or(self.rest.len());
        let (head, tail) = self.rest.split_at(end);
        self.rest = tail;
        head
    }

    /// The next value; `null` for one that is not to be read. What cannot go on is left out to its end.
    fn value(&mut self, depth: u32) -> Value {
        match self.peek() {
            Some(b'"') => text(self.quoted()),
            Some(b'[' | b'{') if depth == 0 => {
                self.rest = &[];
                Value::Null
            }
            Some(b'[') => {
                self.skip();
                self.list(depth - 1)
            }
            Some(b'{') => {
                self.skip();
                self.object(depth - 1)
            }
            _ => {
                let word = self.until(|byte| b",]}\":".contains(&byte) || byte.is_ascii_whitespace());
                serde_json::from_slice(word).unwrap_or_default()
            }
        }
    }

    /// The bytes of a text that begins here, to its quotation mark or the end.
    fn quoted(&mut self) -> &'a [u8] {
        self.skip();
        let whole = self.rest;
        let mut is_escaped = false;
        let end = whole.iter().position(|byte| {
            let ends = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            ends
        });
        let (head, tail) = whole.split_at(end.unwrap_or(whole.len()));
        self.rest = tail;
        self.skip();
        head
    }

    fn list(&mut self, depth: u32) -> Value {
        let mut elements = Vec::new();
        while let Some(next) = self.peek() {
            match next {
                b']' => {
                    self.skip();
                    break;
                }
                b',' => self.skip(),
                b'}' | b':' => self.rest = &[],
                _ => elements.push(self.value(depth)),
            }
        }
        Value::Array(elements)
    }

    fn object(&mut self, depth: u32) -> Value {
        let mut members = Map::new();
        while let Some(next) = self.peek() {
            match next {
                b'}' => {
                    self.skip();
                    break;
                }
                b',' => self.skip(),
                b'"' => {
                    let name = text(self.quoted());
                    if self.peek() == Some(b':') {
                        self.skip();
                        let value = self.value(depth);
                        members.insert(name.as_str().unwrap_or_default().to_owned(), value);
                    }
                }
                _ => self.rest = &[],
            }
        }
        Value::Object(members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_cut_off_is_read_as_far_as_it_goes() {
        let whole = r#"{"a": [1, {"index": 2, "t": "x\u0041\"y"}], "b": "z"}"#;
        for (end, read) in [
            (whole.len(), json!({ "a": [1, { "index": 2, "t": "xA\"y" }], "b": "z" })),
            (whole.len() - 2, json!({ "a": [1, { "index": 2, "t": "xA\"y" }], "b": "z" })),
            (whole.len() - 3, json!({ "a": [1, { "index": 2, "t": "xA\"y" }], "b": "" })),
            (whole.len() - 6, json!({ "a": [1, { "index": 2, "t": "xA\"y" }] })),
            (whole.find("\\\"").unwrap(), json!({ "a": [1, { "index": 2, "t": "xA" }] })),
            (whole.find("0041").unwrap(), json!({ "a": [1, { "index": 2, "t": "x\\u" }] })),
            (1, json!({})),
        ] {
            assert_eq!(values(&whole.as_bytes()[..end]), [read], "the first {end} bytes");
        }
        assert!(values(b" \n").is_empty());
    }

    #[test]
    fn what_is_no_json_keeps_the_texts_that_it_has() {
        assert_eq!(values(br#"{"t":"a"} {"t":"b"}"#), [json!({ "t": "a" }), json!({ "t": "b" })]);
        assert_eq!(values(b"plain \\u0041"), [json!("plain A")]);
        assert_eq!(values(br#"{"t":"a",} oops "b""#), [json!({ "t": "a" }), json!("oops \"b\"")]);
        assert_eq!(values(b"{\"t\":\"\\ud800a\n\xff\"}"), [json!({ "t": "\u{fffd}a\n\u{fffd}" })]);
        let deep = format!("{}\"x\"", "[".repeat(200));
        assert_eq!(values(deep.as_bytes()).len(), 1);
    }

    proptest! {
        #[test]
        fn anything_is_read_to_its_end_and_json_as_it_is(bytes in prop::collection::vec(any::<u8>(), 0..64), text in ".*") {
            let _ = values(&bytes);
            let likely: Vec<u8> = bytes.iter().map(|byte| b"{}[]\",:\\ ua1"[usize::from(byte % 12)]).collect();
            let _ = values(&likely);
            let whole = json!({ "a": [text, { "b": &text }], "c": null, "n": 1.5 });
            prop_assert_eq!(values(whole.to_string().as_bytes()), [whole]);
        }
    }
}
