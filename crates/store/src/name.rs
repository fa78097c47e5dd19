//! Names of streams, and the rules for every other name and key.

use std::fmt;
use std::sync::Arc;

use crate::{Error, MAX_KEY_BYTES, MAX_STREAM_NAME_BYTES};

/// The name of a stream: segments of `A-Z a-z 0-9 . _ - :` joined by `/`, such as `runs/0192f0c1-...`.
///
/// The alphabet is that of message-broker subjects, so a replicated log can use the same names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// Checks `name`. Errors: [`Error::InvalidName`], [`Error::TooLarge`].
    pub fn new(name: &str) -> Result<Self, Error> {
        if name.len() > MAX_STREAM_NAME_BYTES {
            return Err(Error::TooLarge {
                what: "bytes of a stream name",
                actual: name.len() as u64,
                limit: MAX_STREAM_NAME_BYTES as u64,
            });
        }
        let refuse = |reason| Err(Error::InvalidName { name: name.to_owned(), what: "stream name", reason });
        if name.split('/').any(str::is_empty) {
            return refuse("it is empty or has an empty segment");
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/".contains(&b)) {
            return refuse("only A-Z a-z 0-9 . _ - : and / are allowed");
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name read back from the store, where only checked names are.
    pub(crate) fn stored(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// Checks the name of a view, index, scope, tag or key: 1 to 512 bytes without NUL.
pub(crate) fn check_key(what: &'static str, key: &str) -> Result<(), Error> {
    if key.len() > MAX_KEY_BYTES {
        return Err(Error::TooLarge {
            what: "bytes of a name or key",
            actual: key.len() as u64,
            limit: MAX_KEY_BYTES as u64,
        });
    }
    let refuse = |reason| Err(Error::InvalidName { name: key.escape_debug().to_string(), what, reason });
    if key.is_empty() {
        return refuse("it is empty");
    }
    if key.contains('\0') {
        return refuse("it holds a NUL");
    }
    Ok(())
}

/// The smallest text greater than every text that starts with `prefix`, in byte order; `None` if there is none.
pub(crate) fn prefix_end(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // Byte order of UTF-8 is code point order, so the next code point (past the surrogate gap) is the bound.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_names_at_and_above_the_limit() {
        assert!(StreamName::new(&"a".repeat(MAX_STREAM_NAME_BYTES)).is_ok());
        assert_eq!(StreamName::new(&"a".repeat(MAX_STREAM_NAME_BYTES + 1)).unwrap_err().code(), "E1009");
        for bad in ["", "/", "a//b", "a/", "/a", "a b", "ä", "a*", "a>"] {
            assert_eq!(StreamName::new(bad).unwrap_err().code(), "E1010", "{bad:?}");
        }
    }

    #[test]
    fn keys_at_and_above_the_limit() {
        assert!(check_key("key", &"k".repeat(MAX_KEY_BYTES)).is_ok());
        assert_eq!(check_key("key", &"k".repeat(MAX_KEY_BYTES + 1)).unwrap_err().code(), "E1009");
        assert_eq!(check_key("key", "").unwrap_err().code(), "E1010");
        assert_eq!(check_key("key", "a\0").unwrap_err().code(), "E1010");
    }

    #[test]
    fn prefix_end_is_the_tight_bound() {
        assert_eq!(prefix_end("ab").as_deref(), Some("ac"));
        assert_eq!(prefix_end("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(prefix_end("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(prefix_end("\u{10ffff}"), None);
        assert_eq!(prefix_end(""), None);
    }
}
