//! Bytes to items: accepts exactly what the encoder writes.

use std::collections::BTreeMap;

use super::{Item, OcbError, Profile, TextKey};

pub(super) fn decode(bytes: &[u8], profile: Profile) -> Result<Item, OcbError> {
    let mut decoder = Decoder { bytes, at: 0, profile };
    let item = decoder.item(0)?;
    if decoder.at < bytes.len() {
        return Err(OcbError::Trailing { at: decoder.at });
    }
    Ok(item)
}

struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    profile: Profile,
}

impl<'a> Decoder<'a> {
    fn item(&mut self, depth: usize) -> Result<Item, OcbError> {
        let at = self.at;
        let first = self.first(at)?;
        let (major, info) = (first >> 5, first & 0x1f);
        if major >= 6 {
            return self.simple(at, first);
        }
        let argument = self.argument(at, info)?;
        if major >= 4 && depth >= self.profile.depth_max() {
            return Err(OcbError::TooDeep { at });
        }
        Ok(match major {
            0 => Item::Uint(argument),
            1 => Item::Nint(argument),
            2 => Item::Bytes(self.take(at, argument)?.into()),
            3 => Item::Text(self.text(at, argument)?.into()),
            4 => {
                // Nothing is reserved for the announced length: growth is paid for by items read.
                let mut items = Vec::new();
                for _ in 0..self.count(at, argument, 1)? {
                    items.push(self.item(depth + 1)?);
                }
                Item::Array(items)
            }
            _ => {
                let count = self.count(at, argument, 2)?;
                match self.profile {
                    Profile::Proof => Item::Map(self.map(count, depth, Self::number_key)?),
                    Profile::Value => Item::TextMap(self.map(count, depth, Self::text_key)?),
                }
            }
        })
    }

    /// The byte at the cursor, which starts the item at `at`.
    fn first(&mut self, at: usize) -> Result<u8, OcbError> {
        let byte = self.bytes.get(self.at).copied().ok_or(OcbError::Truncated { at })?;
        self.at += 1;
        Ok(byte)
    }

    fn simple(&mut self, at: usize, byte: u8) -> Result<Item, OcbError> {
        match (byte, self.profile) {
            (0xf4, _) => Ok(Item::Bool(false)),
            (0xf5, _) => Ok(Item::Bool(true)),
            (0xf6, Profile::Value) => Ok(Item::Null),
            (0xfb, Profile::Value) => {
                let octets = self.take(at, 8)?;
                let value =
                    octets.try_into().map(f64::from_be_bytes).map_err(|_| OcbError::Truncated { at })?;
                if value.is_nan() || (value == 0.0 && value.is_sign_negative()) {
                    return Err(OcbError::Double { at });
                }
                Ok(Item::Float(value))
            }
            _ => Err(OcbError::NotInProfile { at, byte }),
        }
    }

    /// The argument of a head whose low five bits are `info`, minimal or refused.
    fn argument(&mut self, at: usize, info: u8) -> Result<u64, OcbError> {
        let (width, least) = match info {
            0..=23 => return Ok(info.into()),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            31 => return Err(OcbError::Indefinite { at }),
            _ => {
                let byte = self.bytes.get(at).copied().unwrap_or(0);
                return Err(OcbError::NotInProfile { at, byte });
            }
        };
        let octets = self.take(at, width)?;
        let argument = octets.iter().fold(0_u64, |sum, octet| (sum << 8) | u64::from(*octet));
        if argument < least { Err(OcbError::NotMinimal { at }) } else { Ok(argument) }
    }

    fn take(&mut self, at: usize, length: u64) -> Result<&'a [u8], OcbError> {
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| self.at.checked_add(length))
            .and_then(|end| Some((end, self.bytes.get(self.at..end)?)));
        let (end, octets) = taken.ok_or(OcbError::Truncated { at })?;
        self.at = end;
        Ok(octets)
    }

    fn text(&mut self, at: usize, length: u64) -> Result<&'a str, OcbError> {
        std::str::from_utf8(self.take(at, length)?).map_err(|_| OcbError::NotUtf8 { at })
    }

    /// A number of elements of at least `size` bytes each, all of which the rest of the input can hold.
    fn count(&self, at: usize, count: u64, size: u64) -> Result<u64, OcbError> {
        let rest = self.bytes.len().saturating_sub(self.at) as u64;
        if count > rest / size { Err(OcbError::Truncated { at }) } else { Ok(count) }
    }

    fn map<K: Ord>(
        &mut self,
        count: u64,
        depth: usize,
        read_key: impl Fn(&mut Self) -> Result<K, OcbError>,
    ) -> Result<BTreeMap<K, Item>, OcbError> {
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let at = self.at;
            let key = read_key(self)?;
            if entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(OcbError::KeyOrder { at });
            }
            let item = self.item(depth + 1)?;
            entries.insert(key, item);
        }
        Ok(entries)
    }

    fn number_key(&mut self) -> Result<u64, OcbError> {
        let at = self.at;
        match self.first(at)? {
            byte if byte >> 5 == 0 => self.argument(at, byte & 0x1f),
            _ => Err(OcbError::KeyKind { at }),
        }
    }

    fn text_key(&mut self) -> Result<TextKey, OcbError> {
        let at = self.at;
        match self.first(at)? {
            byte if byte >> 5 == 3 => {
                let length = self.argument(at, byte & 0x1f)?;
                Ok(TextKey(self.text(at, length)?.into()))
            }
            _ => Err(OcbError::KeyKind { at }),
        }
    }
}
