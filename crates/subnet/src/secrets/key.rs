//! A key in memory: one text, or several parts that are sent side by side.

use std::collections::BTreeMap;

use secrecy::SecretString;

/// The part that a key of one text consists of.
pub const KEY_PART: &str = "key";

/// A key by parts. It shows none of them when it is printed.
#[derive(Clone, Debug)]
pub struct Key(BTreeMap<String, SecretString>);

impl Key {
    pub(super) const fn new(parts: BTreeMap<String, SecretString>) -> Self {
        Self(parts)
    }

    /// The part of this name.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name)
    }

    /// The names of its parts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The texts that must be shown nowhere.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &SecretString> {
        self.0.values()
    }
}

/// A key of one text.
impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(BTreeMap::from([(KEY_PART.to_owned(), SecretString::from(text))]))
    }
}
