//! Building and taking apart maps by number, the shape of every proof object.

use std::collections::BTreeMap;

use super::Item;
use crate::hash::Hash;

/// Builds a map by number. An absent field is a key left out.
#[derive(Clone, Debug, Default)]
pub struct MapBuilder(BTreeMap<u64, Item>);

impl MapBuilder {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// With `item` at `key`.
    #[must_use]
    pub fn with(mut self, key: u64, item: impl Into<Item>) -> Self {
        self.0.insert(key, item.into());
        self
    }

    /// With `item` at `key`, if there is one.
    #[must_use]
    pub fn with_some(self, key: u64, item: Option<impl Into<Item>>) -> Self {
        match item {
            Some(item) => self.with(key, item),
            None => self,
        }
    }

    /// The finished map.
    #[must_use]
    pub fn build(self) -> Item {
        Item::Map(self.0)
    }
}

impl From<MapBuilder> for Item {
    fn from(builder: MapBuilder) -> Self {
        builder.build()
    }
}

/// A well-formed item that is not of the expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The item is no map by number.
    #[error("a map was expected")]
    NotAMap,
    /// A required key is absent.
    #[error("key {key} is missing")]
    Missing {
        /// The key.
        key: u64,
    },
    /// The item at a key is of another kind or out of range.
    #[error("key {key} is not {expected}")]
    Kind {
        /// The key.
        key: u64,
        /// What it should be.
        expected: &'static str,
    },
    /// A key that this version does not know. Ignoring it would let two readers disagree on what was
    /// signed.
    #[error("key {key} is not known")]
    Unknown {
        /// The key.
        key: u64,
    },
}

/// Takes a map by number apart, key by key; [`Fields::finish`] refuses what is left.
///
/// ```
/// use schema::ocb::{FieldError, Fields, MapBuilder};
/// let item = MapBuilder::new().with(1, "sn22").with(2, 7_u64).build();
/// let mut fields = Fields::of(item)?;
/// assert_eq!(fields.text(1)?, "sn22");
/// assert_eq!(fields.optional(3, Fields::uint)?, None);
/// assert_eq!(fields.finish(), Err(FieldError::Unknown { key: 2 }));
/// # Ok::<(), FieldError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fields(BTreeMap<u64, Item>);

impl Fields {
    /// The fields of a map by number.
    ///
    /// # Errors
    /// [`FieldError::NotAMap`].
    pub fn of(item: Item) -> Result<Self, FieldError> {
        match item {
            Item::Map(entries) => Ok(Self(entries)),
            _ => Err(FieldError::NotAMap),
        }
    }

    /// The item at `key`, whatever it is.
    ///
    /// # Errors
    /// [`FieldError::Missing`].
    pub fn item(&mut self, key: u64) -> Result<Item, FieldError> {
        self.0.remove(&key).ok_or(FieldError::Missing { key })
    }

    /// What `read` takes from `key`, or `None` where the key is absent.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn optional<T>(
        &mut self,
        key: u64,
        read: impl FnOnce(&mut Self, u64) -> Result<T, FieldError>,
    ) -> Result<Option<T>, FieldError> {
        if self.0.contains_key(&key) { read(self, key).map(Some) } else { Ok(None) }
    }

    /// A non-negative integer.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn uint(&mut self, key: u64) -> Result<u64, FieldError> {
        match self.item(key)? {
            Item::Uint(value) => Ok(value),
            _ => Err(FieldError::Kind { key, expected: "an unsigned integer" }),
        }
    }

    /// An integer that fits `T`, such as `u16`.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn small<T: TryFrom<u64>>(&mut self, key: u64) -> Result<T, FieldError> {
        let kind = FieldError::Kind { key, expected: "an integer in range" };
        self.uint(key)?.try_into().map_err(|_| kind)
    }

    /// A signed integer.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn int(&mut self, key: u64) -> Result<i64, FieldError> {
        self.item(key)?.as_int().ok_or(FieldError::Kind { key, expected: "a 64-bit integer" })
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn boolean(&mut self, key: u64) -> Result<bool, FieldError> {
        match self.item(key)? {
            Item::Bool(value) => Ok(value),
            _ => Err(FieldError::Kind { key, expected: "true or false" }),
        }
    }

    /// Text.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn text(&mut self, key: u64) -> Result<String, FieldError> {
        match self.item(key)? {
            Item::Text(value) => Ok(value),
            _ => Err(FieldError::Kind { key, expected: "text" }),
        }
    }

    /// Octets.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn bytes(&mut self, key: u64) -> Result<Vec<u8>, FieldError> {
        match self.item(key)? {
            Item::Bytes(value) => Ok(value),
            _ => Err(FieldError::Kind { key, expected: "octets" }),
        }
    }

    /// Exactly `N` octets, such as a key or a signature.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn octets<const N: usize>(&mut self, key: u64) -> Result<[u8; N], FieldError> {
        let kind = FieldError::Kind { key, expected: "octets of the right number" };
        self.bytes(key)?.try_into().map_err(|_| kind)
    }

    /// A 32-byte hash.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn hash(&mut self, key: u64) -> Result<Hash, FieldError> {
        self.octets(key).map(Hash)
    }

    /// An array.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn array(&mut self, key: u64) -> Result<Vec<Item>, FieldError> {
        match self.item(key)? {
            Item::Array(items) => Ok(items),
            _ => Err(FieldError::Kind { key, expected: "an array" }),
        }
    }

    /// A map by number, to be taken apart in turn.
    ///
    /// # Errors
    /// [`FieldError::Missing`] or [`FieldError::Kind`].
    pub fn map(&mut self, key: u64) -> Result<Self, FieldError> {
        Self::of(self.item(key)?).map_err(|_| FieldError::Kind { key, expected: "a map" })
    }

    /// Refuses keys that were not taken.
    ///
    /// # Errors
    /// [`FieldError::Unknown`] with the least of them.
    pub fn finish(self) -> Result<(), FieldError> {
        match self.0.first_key_value() {
            Some((key, _)) => Err(FieldError::Unknown { key: *key }),
            None => Ok(()),
        }
    }
}
