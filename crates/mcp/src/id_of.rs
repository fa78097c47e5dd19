//! The `id` of a message that is too long to be kept, by which its sender is told so.

use rmcp::model::RequestId;

/// Bytes of the longest `id` that is found, and of the longest name beside it.
const WORD_BYTES_MAX: usize = 256;

/// Looks at a message byte by byte, and keeps nothing but its `id`. What is no JSON has any or none.
#[derive(Debug, Default)]
pub(crate) struct IdOf {
    depth: u64,
    is_text: bool,
    is_escaped: bool,
    /// The name or value that goes on among the members of the message; empty once it is too long.
    word: Vec<u8>,
    is_long: bool,
    /// Whether the value that goes on is that of `id`.
    is_id: bool,
    id: Option<RequestId>,
}

impl IdOf {
    pub(crate) fn look(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
    }

    /// The `id`, once the whole message was looked at.
    pub(crate) fn found(self) -> Option<RequestId> {
        self.id
    }

    fn byte(&mut self, byte: u8) {
        if self.is_text {
            self.add(byte);
            self.is_text = byte != b'"' || self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return;
        }
        match byte {
            b'"' => {
                self.is_text = true;
                self.add(byte);
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.end_of_value();
                self.depth = self.depth.saturating_sub(1);
            }
            b',' => self.end_of_value(),
            b':' if self.depth == 1 => {
                self.is_id = self.word == b"\"id\"";
                self.begin_word();
            }
            byte if !byte.is_ascii_whitespace() => self.add(byte),
            _ => {}
        }
    }

    fn add(&mut self, byte: u8) {
        if self.depth != 1 {
            return;
        }
        self.is_long |= self.word.len() >= WORD_BYTES_MAX;
        if self.is_long {
            self.word.clear();
        } else {
            self.word.push(byte);
        }
    }

    fn begin_word(&mut self) {
        self.word.clear();
        self.is_long = false;
    }

    fn end_of_value(&mut self) {
        if self.depth != 1 {
            return;
        }
        if std::mem::take(&mut self.is_id) {
            self.id = serde_json::from_slice(&self.word).ok();
        }
        self.begin_word();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(message: &str) -> Option<RequestId> {
        // However it is cut.
        let mut whole = IdOf::default();
        whole.look(message.as_bytes());
        let mut cut = IdOf::default();
        message.as_bytes().chunks(1).for_each(|byte| cut.look(byte));
        let found = whole.found();
        assert_eq!(cut.found(), found);
        found
    }

    #[test]
    fn the_id_is_that_of_the_message_wherever_it_stands() {
        let seven = Some(RequestId::Number(7));
        for message in [
            r#"{"id":7,"method":"x"}"#,
            r#"{"params":{"id":8,"a":[{"id":"n"}],"t":"\"id\":9, }"}, "jsonrpc":"2.0", "id" : 7 }"#,
            r#"{"a":"\\","id":7}"#,
            r#"{"id":7,"params":{"#,
        ] {
            assert_eq!(id(message), seven, "{message}");
        }
        assert_eq!(id(r#"{"id":"a\"b"}"#), Some(RequestId::String("a\"b".into())));
        let long = "x".repeat(WORD_BYTES_MAX);
        for message in
            ["", "{}", r#"{"method":"x"}"#, r#"{"id":null}"#, r#"{"id":{"a":1}}"#, r#"["id",7]"#, "}}:]"]
        {
            assert_eq!(id(message), None, "{message}");
        }
        assert_eq!(id(&format!(r#"{{"id":"{long}"}}"#)), None);
        assert_eq!(id(&format!(r#"{{"{long}":"{long}","id":7}}"#)), seven);
    }
}
