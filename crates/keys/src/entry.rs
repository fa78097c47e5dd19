//! One key of one tenant, with what is known of it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
pub use subnet::secrets::KEY_PART;
use subnet::secrets::SecretStore;
use zeroize::Zeroizing;

use crate::error::Error;

/// Most parts of one secret.
pub const PARTS_MAX: usize = 8;
/// Longest name of a part.
pub const PART_NAME_BYTES_MAX: usize = 64;
/// Longest label.
pub const LABEL_CHARS_MAX: usize = 200;
/// Longest name of a tenant.
pub const TENANT_BYTES_MAX: usize = 64;

/// A secret: its parts, since when it is kept, and until when it may be used.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    parts: BTreeMap<String, Zeroizing<String>>,
    #[serde(with = "time")]
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_time")]
    expires_at: Option<Timestamp>,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("parts", &self.parts.keys())
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

impl Value {
    /// A key, from now until `expires_at`.
    ///
    /// # Errors
    /// As [`Value::of_parts`].
    pub fn new(key: SecretString, expires_at: Option<Timestamp>) -> Result<Self, Error> {
        Self::of_parts([(KEY_PART.to_owned(), key)], expires_at)
    }

    /// A secret of named parts, for operations that send several, from now until `expires_at`. White space around a
    /// part is dropped, as it comes with copying.
    ///
    /// # Errors
    /// [`Error::Entry`] for no parts, more than [`PARTS_MAX`], or a name that is not of small letters, digits, `-` and
    /// `_`; [`Error::Secret`] for a part that cannot be sent in a header.
    pub fn of_parts(
        parts: impl IntoIterator<Item = (String, SecretString)>,
        expires_at: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let wrong = |why: String| Error::Entry { what: "the secret", why };
        let mut checked = BTreeMap::new();
        for (name, part) in parts {
            if !is_word(&name, PART_NAME_BYTES_MAX) {
                return Err(wrong(
                    "has a part whose name is not of small letters, digits, `-` and `_`".into(),
                ));
            }
            // The very check that a call's store makes, so that what is kept can be used.
            SecretStore::new().insert(&name, "https://host.example", &part)?;
            checked.insert(name, Zeroizing::new(part.expose_secret().trim().to_owned()));
        }
        if checked.is_empty() || checked.len() > PARTS_MAX {
            return Err(wrong(format!("must have 1 to {PARTS_MAX} parts")));
        }
        Ok(Self { parts: checked, created_at: now(), expires_at })
    }

    /// The parts by name; a single key is named [`KEY_PART`].
    pub fn parts(&self) -> impl Iterator<Item = (&str, SecretString)> {
        self.parts.iter().map(|(name, part)| (name.as_str(), SecretString::from(part.as_str())))
    }

    /// The key, where the secret has a part of that name.
    #[must_use]
    pub fn key(&self) -> Option<SecretString> {
        self.parts.get(KEY_PART).map(|key| SecretString::from(key.as_str()))
    }

    /// Since when it is kept, in whole seconds.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// From when on it is refused.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether it is refused at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Bytes that its text form needs at most.
    pub(crate) fn bytes_max(&self) -> usize {
        // An escaped byte takes six.
        200 + self.parts.iter().map(|(name, part)| 8 + name.len() + 6 * part.len()).sum::<usize>()
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|(name, part)| [name.as_str(), part.as_str()])
    }
}

/// A named secret of a tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    pub(crate) value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Value>,
}

impl Entry {
    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// `sn<netuid>`, or the id of one operation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The one origin it is sent to.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What its owner calls it.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The secret that is in use.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The secret that waits to be tested before it takes the other's place.
    #[must_use]
    pub const fn next(&self) -> Option<&Value> {
        self.next.as_ref()
    }

    /// What entries are sorted by.
    pub(crate) fn place(&self) -> (&str, &str) {
        (&self.tenant, &self.name)
    }

    pub(crate) fn bytes_max(&self) -> usize {
        let label = self.label.as_ref().map_or(0, |label| 6 * label.len());
        let values = self.value.bytes_max() + self.next.as_ref().map_or(0, Value::bytes_max);
        100 + self.tenant.len() + self.name.len() + self.origin.len() + label + values
    }
}

/// The subnet that the name of a key is about: `sn22`, or an operation's id such as `sn22.web_search`. `None` for a
/// name that no call would look for.
#[must_use]
pub fn netuid_of(name: &str) -> Option<u16> {
    let (subnet, operation) =
        name.split_once('.').map_or((name, None), |(subnet, rest)| (subnet, Some(rest)));
    let netuid = subnet.strip_prefix("sn")?.parse::<u16>().ok()?;
    // `sn022` and `sn+22` would never be found again.
    let named = format!("sn{netuid}") == subnet && operation.is_none_or(|operation| is_word(operation, 128));
    named.then_some(netuid)
}

/// Whether `name` can be that of a tenant: letters, digits, `-`, `_` and `.`.
#[must_use]
pub fn is_tenant(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=TENANT_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

pub(crate) fn check_label(label: Option<&str>) -> Result<(), Error> {
    let wrong = |why: String| Err(Error::Entry { what: "the label", why });
    match label {
        Some(label) if label.chars().count() > LABEL_CHARS_MAX => {
            wrong(format!("has more than {LABEL_CHARS_MAX} characters"))
        }
        Some(label) if label.chars().any(char::is_control) => wrong("has control characters".into()),
        _ => Ok(()),
    }
}

fn is_word(text: &str, bytes_max: usize) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(allowed)
}

fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default()
}

/// A time as RFC 3339.
mod time {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A time as RFC 3339, where there is one.
mod optional_time {
    use jiff::Timestamp;
    use serde::{Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&at.unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        super::time::deserialize(deserializer).map(Some)
    }
}
