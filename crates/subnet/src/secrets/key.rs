//! A key in memory: one text, or several parts that are sent side by side.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::echo;

/// The part that a key of one text consists of.
pub const KEY_PART: &str = "key";

/// A key by parts. It shows none of them when it is printed.
#[derive(Clone, Debug)]
pub struct Key {
    parts: BTreeMap<String, SecretString>,
    /// What the parts hold that is a secret of its own: the password of HTTP Basic.
    within: Vec<SecretString>,
}

impl Key {
    pub(super) fn new(parts: BTreeMap<String, SecretString>) -> Self {
        let within = parts.values().flat_map(secrets_within).collect();
        Self { parts, within }
    }

    /// The part of this name.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&SecretString> {
        self.parts.get(name)
    }

    /// The names of its parts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(String::as_str)
    }

    /// The texts that must be shown nowhere.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &SecretString> {
        self.parts.values().chain(&self.within)
    }
}

/// A key of one text.
impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::new(BTreeMap::from([(KEY_PART.to_owned(), SecretString::from(text))]))
    }
}

/// Of a key that is `user:password`, plain or in base64: the pair and the password. Without a password, the user name
/// is what identifies the caller, as with services that take a token in its place.
fn secrets_within(key: &SecretString) -> Vec<SecretString> {
    let key = echo::bare(key.expose_secret());
    let pair = match key.contains(':') {
        true => Zeroizing::new(key.to_owned()),
        false => match decoded(key) {
            Some(pair) => pair,
            None => return Vec::new(),
        },
    };
    let Some((user, password)) = pair.split_once(':') else { return Vec::new() };
    let own = if password.is_empty() { user } else { password };
    [pair.as_str(), own].into_iter().filter(|text| !text.is_empty()).map(SecretString::from).collect()
}

/// The text that `key` is in base64.
fn decoded(key: &str) -> Option<Zeroizing<String>> {
    let bare = key.trim_end_matches('=');
    let octets = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()?;
    let text = Zeroizing::new(String::from_utf8(octets).ok()?);
    (!text.chars().any(char::is_control)).then_some(text)
}
