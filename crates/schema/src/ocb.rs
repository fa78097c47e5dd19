//! OCB1, the deterministic CBOR profile of everything that is hashed or signed.
//!
//! It is RFC 8949 section 4.2.1 cut down until one item has one encoding and one only. [`Profile::Proof`]
//! (OCB1): integers, octets, text, arrays, `true`/`false` and maps whose keys are unsigned integers,
//! nesting at most 8. [`Profile::Value`] (OCB1-V): the same with `null` and doubles, map keys are text,
//! nesting at most 64. In both, lengths are definite and minimal, keys are unique and ascend by their
//! encoded bytes (for text: by length in octets, then by octets), a double always takes nine bytes and is
//! neither NaN nor `-0`.
//!
//! Hash and sign the bytes as carried; decode to look inside. The decoder refuses whatever the encoder
//! would not write, so `encode(decode(bytes)) == bytes` for every accepted input, and it never allocates
//! more than the input pays for.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::hash::Hash;
use crate::limits::{JSON_DEPTH_MAX, OCB_DEPTH_MAX};

mod decoder;
mod encoder;
mod fields;
#[cfg(test)]
mod tests;

pub use fields::{FieldError, Fields, MapBuilder};

/// Which items may occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// OCB1: proof objects and statements.
    Proof,
    /// OCB1-V: values and Ledger entries.
    Value,
}

impl Profile {
    /// How deep arrays and maps may nest.
    #[must_use]
    pub const fn depth_max(self) -> usize {
        match self {
            Self::Proof => OCB_DEPTH_MAX,
            Self::Value => JSON_DEPTH_MAX,
        }
    }
}

/// A decoded item. Keys are unique and in order by construction.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A non-negative integer.
    Uint(u64),
    /// The negative integer `-1 - n`.
    Nint(u64),
    /// Octets.
    Bytes(Vec<u8>),
    /// UTF-8 text, not normalised.
    Text(String),
    /// An array.
    Array(Vec<Item>),
    /// A map by unsigned integer, of [`Profile::Proof`] only.
    Map(BTreeMap<u64, Item>),
    /// A map by text, of [`Profile::Value`] only.
    TextMap(BTreeMap<TextKey, Item>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`, of [`Profile::Value`] only.
    Null,
    /// A double, of [`Profile::Value`] only.
    Float(f64),
}

/// A text key, ordered as its encoding is: shorter first, then by octets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TextKey(pub String);

impl Ord for TextKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.as_bytes().cmp(other.0.as_bytes()))
    }
}

impl PartialOrd for TextKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Bytes that are not of the profile, or an item that cannot be written in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OcbError {
    /// The input ends inside an item, or a length exceeds what is left.
    #[error("the input ends inside the item at byte {at}")]
    Truncated {
        /// Offset of the item's first byte.
        at: usize,
    },
    /// An integer or length is written longer than necessary.
    #[error("the number at byte {at} is not in its shortest form")]
    NotMinimal {
        /// Offset of the item's first byte.
        at: usize,
    },
    /// An indefinite length.
    #[error("the item at byte {at} has an indefinite length")]
    Indefinite {
        /// Offset of the item's first byte.
        at: usize,
    },
    /// A tag, a short float or another simple value; in OCB1 also `null` and doubles.
    #[error("byte {byte:#04x} at {at} starts no item of this profile")]
    NotInProfile {
        /// Offset.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// Text that is not UTF-8.
    #[error("the text at byte {at} is not UTF-8")]
    NotUtf8 {
        /// Offset of the item's first byte.
        at: usize,
    },
    /// A map key of the wrong kind.
    #[error("the map key at byte {at} is of the wrong kind")]
    KeyKind {
        /// Offset of the key.
        at: usize,
    },
    /// A map key that is not greater than the one before it.
    #[error("the map key at byte {at} is a duplicate or out of order")]
    KeyOrder {
        /// Offset of the key.
        at: usize,
    },
    /// Arrays and maps nest deeper than the profile allows.
    #[error("the item at byte {at} nests too deep")]
    TooDeep {
        /// Offset of the item's first byte; 0 where an item was to be written.
        at: usize,
    },
    /// Bytes after the item.
    #[error("bytes are left from {at} on")]
    Trailing {
        /// Offset of the first of them.
        at: usize,
    },
    /// NaN, or `-0`.
    #[error("the double at byte {at} is NaN or -0")]
    Double {
        /// Offset of the item's first byte; 0 where an item was to be written.
        at: usize,
    },
    /// An item of the other profile was to be written.
    #[error("{kind} cannot be written in this profile")]
    Kind {
        /// What it is.
        kind: &'static str,
    },
}

impl Item {
    /// The one encoding of this item.
    ///
    /// # Errors
    /// [`OcbError::Kind`], [`OcbError::TooDeep`] or, for NaN, [`OcbError::Double`].
    ///
    /// ```
    /// use schema::ocb::{Item, MapBuilder, Profile};
    /// let item = MapBuilder::new().with(1, "a").with(2, 1_000_u64).build();
    /// let bytes = item.encode(Profile::Proof)?;
    /// assert_eq!(bytes, b"\xa2\x01\x61a\x02\x19\x03\xe8");
    /// assert_eq!(Item::decode(&bytes, Profile::Proof)?, item);
    /// # Ok::<(), schema::ocb::OcbError>(())
    /// ```
    pub fn encode(&self, profile: Profile) -> Result<Vec<u8>, OcbError> {
        let mut out = Vec::new();
        encoder::write(&mut out, self, profile, 0)?;
        Ok(out)
    }

    /// The item that `bytes` encode, all of them.
    ///
    /// # Errors
    /// [`OcbError`] with the offset of whatever is not in the profile.
    pub fn decode(bytes: &[u8], profile: Profile) -> Result<Self, OcbError> {
        decoder::decode(bytes, profile)
    }

    /// A signed integer.
    #[must_use]
    pub const fn int(value: i64) -> Self {
        // `!v` is `-1 - v`, non-negative for a negative `v`.
        if value < 0 { Self::Nint((!value).cast_unsigned()) } else { Self::Uint(value.cast_unsigned()) }
    }

    /// The signed integer, where it fits 64 bits.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Uint(value) => i64::try_from(*value).ok(),
            Self::Nint(value) => i64::try_from(*value).ok().map(|value| !value),
            _ => None,
        }
    }

    /// A map by text.
    pub fn text_map(entries: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::TextMap(entries.into_iter().map(|(key, item)| (TextKey(key), item)).collect())
    }

    /// An array.
    pub fn array(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Array(items.into_iter().collect())
    }
}

impl From<u64> for Item {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}

impl From<u32> for Item {
    fn from(value: u32) -> Self {
        Self::Uint(value.into())
    }
}

impl From<i64> for Item {
    fn from(value: i64) -> Self {
        Self::int(value)
    }
}

impl From<bool> for Item {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Item {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Item {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Item {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.into())
    }
}

impl From<Vec<u8>> for Item {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<const N: usize> From<[u8; N]> for Item {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.into())
    }
}

impl From<Hash> for Item {
    fn from(value: Hash) -> Self {
        Self::Bytes(value.0.into())
    }
}

impl From<Vec<Self>> for Item {
    fn from(value: Vec<Self>) -> Self {
        Self::Array(value)
    }
}
