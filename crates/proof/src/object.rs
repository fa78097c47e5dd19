//! Objects of the proof format as bytes: deterministic CBOR maps with small unsigned keys.
//!
//! The reader never builds a tree: it walks the bytes once, in the order the format prescribes, and
//! refuses whatever a writer would not have written (longer number forms, keys out of order or unknown,
//! indefinite lengths, tags, floats, `null`). So what it accepts has exactly one encoding, and the
//! memory it takes does not depend on what the bytes claim.

use crate::VERSION;

/// Bytes that are not the object they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {problem}")]
pub struct ObjectError {
    /// Where, counted from the start of the object's own bytes.
    pub offset: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with the bytes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// They end too early.
    #[error("the bytes end in the middle of an item")]
    Truncated,
    /// There are more bytes than the object.
    #[error("there are bytes after the object")]
    Surplus,
    /// A number or length in more bytes than needed.
    #[error("a number is not in its shortest form")]
    Longer,
    /// Another type of item than the format prescribes.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A key that is unknown, repeated or out of order.
    #[error("key {0} is unknown, repeated or out of order")]
    Key(u64),
    /// A key that must be there.
    #[error("key {0} is missing")]
    Missing(u64),
    /// An object of another version of the format.
    #[error("this is version {0} of the format; this program knows version {VERSION} only")]
    Version(u64),
    /// Text that is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// A value outside its range.
    #[error("{0} is out of range")]
    Range(&'static str),
}

const UINT: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;

/// Appends items to a byte string.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        let be = value.to_be_bytes();
        let [.., b4, b5, b6, b7] = be;
        match value {
            0..24 => self.bytes.push(major | b7),
            24..=0xff => self.bytes.extend([major | 24, b7]),
            0x100..=0xffff => self.bytes.extend([major | 25, b6, b7]),
            0x1_0000..=0xffff_ffff => self.bytes.extend([major | 26, b4, b5, b6, b7]),
            _ => {
                self.bytes.push(major | 27);
                self.bytes.extend(be);
            }
        }
    }

    pub(crate) fn uint(&mut self, value: u64) {
        self.head(UINT, value);
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.head(BYTES, value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.head(TEXT, value.len() as u64);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.bytes.push(if value { TRUE } else { FALSE });
    }

    pub(crate) fn array(&mut self, items: usize) {
        self.head(ARRAY, items as u64);
    }

    /// The head of a map of `entries` entries; the caller writes them in ascending key order.
    pub(crate) fn map(&mut self, entries: usize) {
        self.head(MAP, entries as u64);
    }

    /// A map of fewer than 24 entries, as all objects of the format are.
    pub(crate) fn object(&mut self, fill: impl FnOnce(&mut Fields<'_>)) {
        let start = self.bytes.len();
        self.bytes.push(MAP << 5);
        let mut fields = Fields { writer: self, count: 0 };
        fill(&mut fields);
        let count = fields.count;
        if let Some(head) = self.bytes.get_mut(start) {
            *head |= count;
        }
    }
}

/// The bytes of one object.
pub(crate) fn encode(capacity: usize, fill: impl FnOnce(&mut Fields<'_>)) -> Vec<u8> {
    let mut writer = Writer::with_capacity(capacity);
    writer.object(fill);
    writer.into_bytes()
}

/// Writes the fields of one object, which must come in ascending key order.
pub(crate) struct Fields<'w> {
    writer: &'w mut Writer,
    count: u8,
}

impl Fields<'_> {
    pub(crate) fn put(&mut self, key: u8, value: impl FnOnce(&mut Writer)) {
        self.count += 1;
        self.writer.uint(u64::from(key));
        value(self.writer);
    }

    pub(crate) fn uint(&mut self, key: u8, value: u64) {
        self.put(key, |w| w.uint(value));
    }

    pub(crate) fn bytes(&mut self, key: u8, value: &[u8]) {
        self.put(key, |w| w.bytes(value));
    }

    pub(crate) fn text(&mut self, key: u8, value: &str) {
        self.put(key, |w| w.text(value));
    }

    pub(crate) fn maybe<T>(&mut self, key: u8, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        if let Some(value) = value {
            self.put(key, |w| write(w, value));
        }
    }
}

/// Reads items from a byte string.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(crate) fn fail<T>(&self, problem: Problem) -> Result<T, ObjectError> {
        Err(ObjectError { offset: self.offset, problem })
    }

    pub(crate) fn end(&self) -> Result<(), ObjectError> {
        if self.offset == self.bytes.len() { Ok(()) } else { self.fail(Problem::Surplus) }
    }

    pub(crate) fn take(&mut self, count: u64) -> Result<&'a [u8], ObjectError> {
        let taken = usize::try_from(count)
            .ok()
            .and_then(|count| self.offset.checked_add(count))
            .and_then(|end| self.bytes.get(self.offset..end));
        match taken {
            Some(taken) => {
                self.offset += taken.len();
                Ok(taken)
            }
            None => self.fail(Problem::Truncated),
        }
    }

    /// What `read` reads, and the bytes it read it from.
    pub(crate) fn span<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ObjectError>,
    ) -> Result<(T, &'a [u8]), ObjectError> {
        let start = self.offset;
        let value = read(self)?;
        Ok((value, self.bytes.get(start..self.offset).unwrap_or_default()))
    }

    fn byte(&mut self) -> Result<u8, ObjectError> {
        match self.take(1)? {
            [byte] => Ok(*byte),
            _ => self.fail(Problem::Truncated),
        }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    pub(crate) fn at_text(&self) -> bool {
        self.peek().is_some_and(|byte| byte >> 5 == TEXT)
    }

    /// The number in the head of an item of type `major`.
    pub(crate) fn head(&mut self, major: u8, expected: &'static str) -> Result<u64, ObjectError> {
        let start = self.offset;
        let at = |problem| ObjectError { offset: start, problem };
        let first = self.byte()?;
        if first >> 5 != major {
            return Err(at(Problem::Expected(expected)));
        }
        let (extra, smallest) = match first & 0x1f {
            short @ 0..24 => return Ok(u64::from(short)),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            _ => return Err(at(Problem::Expected(expected))),
        };
        let value = self.take(extra)?.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        if value < smallest { Err(at(Problem::Longer)) } else { Ok(value) }
    }

    pub(crate) fn uint(&mut self) -> Result<u64, ObjectError> {
        self.head(UINT, "an unsigned number")
    }

    /// The version of the format, which must be this one.
    pub(crate) fn version(&mut self) -> Result<(), ObjectError> {
        match self.uint()? {
            VERSION => Ok(()),
            other => self.fail(Problem::Version(other)),
        }
    }

    /// A number from 0 to `max`.
    pub(crate) fn uint_to(&mut self, max: u64, what: &'static str) -> Result<u64, ObjectError> {
        let start = self.offset;
        let value = self.uint()?;
        if value > max {
            return Err(ObjectError { offset: start, problem: Problem::Range(what) });
        }
        Ok(value)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, ObjectError> {
        self.uint_to(u64::from(u32::MAX), what).map(|value| value as u32)
    }

    pub(crate) fn bytes(&mut self, max: usize, what: &'static str) -> Result<&'a [u8], ObjectError> {
        let start = self.offset;
        let count = self.head(BYTES, "a byte string")?;
        if count > max as u64 {
            return Err(ObjectError { offset: start, problem: Problem::Range(what) });
        }
        self.take(count)
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], ObjectError> {
        let start = self.offset;
        let bytes = self.bytes(N, "the length of a byte string")?;
        let short = ObjectError { offset: start, problem: Problem::Range("the length of a byte string") };
        <[u8; N]>::try_from(bytes).map_err(|_| short)
    }

    pub(crate) fn text(&mut self, max: usize, what: &'static str) -> Result<&'a str, ObjectError> {
        let start = self.offset;
        let at = |problem| ObjectError { offset: start, problem };
        let count = self.head(TEXT, "text")?;
        if count > max as u64 {
            return Err(at(Problem::Range(what)));
        }
        std::str::from_utf8(self.take(count)?).map_err(|_| at(Problem::Utf8))
    }

    /// `true`: a flag that is not set is left out.
    pub(crate) fn flag(&mut self) -> Result<bool, ObjectError> {
        if self.peek() == Some(TRUE) {
            self.offset += 1;
            return Ok(true);
        }
        self.fail(Problem::Expected("true"))
    }

    pub(crate) fn bool(&mut self) -> Result<(), ObjectError> {
        match self.peek() {
            Some(TRUE | FALSE) => self.skip_byte(),
            _ => self.fail(Problem::Expected("a value")),
        }
    }

    pub(crate) fn skip_byte(&mut self) -> Result<(), ObjectError> {
        self.byte().map(|_| ())
    }

    /// The number of items that follow.
    pub(crate) fn array(&mut self, max: usize, what: &'static str) -> Result<usize, ObjectError> {
        self.count(ARRAY, "an array", max, what)
    }

    /// The number of entries that follow.
    pub(crate) fn map(&mut self, max: usize, what: &'static str) -> Result<usize, ObjectError> {
        self.count(MAP, "a map", max, what)
    }

    fn count(
        &mut self,
        major: u8,
        expected: &'static str,
        max: usize,
        what: &'static str,
    ) -> Result<usize, ObjectError> {
        let start = self.offset;
        let count = self.head(major, expected)?;
        // Every item takes at least one byte, so a count beyond the bytes left is known to be false
        // before anything is reserved for it.
        let left = self.bytes.len().saturating_sub(self.offset);
        match usize::try_from(count) {
            Ok(count) if count <= max && count <= left => Ok(count),
            Ok(count) if count <= max => self.fail(Problem::Truncated),
            _ => Err(ObjectError { offset: start, problem: Problem::Range(what) }),
        }
    }

    pub(crate) fn object<T>(
        &mut self,
        read: impl FnOnce(&mut Entries<'a, '_>) -> Result<T, ObjectError>,
    ) -> Result<T, ObjectError> {
        let left = self.map(23, "the number of fields")?;
        let mut entries = Entries { reader: self, left, key: None, last: None };
        entries.advance()?;
        let value = read(&mut entries)?;
        match entries.key {
            Some(key) => entries.reader.fail(Problem::Key(key)),
            None => Ok(value),
        }
    }
}

/// The object that `bytes` are, to the last byte.
pub(crate) fn decode<'a, T>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut Entries<'a, '_>) -> Result<T, ObjectError>,
) -> Result<T, ObjectError> {
    let mut reader = Reader::new(bytes);
    let value = reader.object(read)?;
    reader.end()?;
    Ok(value)
}

/// Refuses bytes that are more than an object of their kind ever has.
pub(crate) fn limit(bytes: &[u8], max: usize, what: &'static str) -> Result<(), ObjectError> {
    if bytes.len() <= max { Ok(()) } else { Err(ObjectError { offset: max, problem: Problem::Range(what) }) }
}

/// Reads the fields of one object in ascending key order.
#[derive(Debug)]
pub(crate) struct Entries<'a, 'r> {
    pub(crate) reader: &'r mut Reader<'a>,
    left: usize,
    /// The key that was read and whose value was not.
    key: Option<u64>,
    last: Option<u64>,
}

impl<'a> Entries<'a, '_> {
    fn advance(&mut self) -> Result<(), ObjectError> {
        self.key = None;
        if self.left > 0 {
            self.left -= 1;
            let key = self.reader.uint()?;
            if self.last >= Some(key) {
                return self.reader.fail(Problem::Key(key));
            }
            self.last = Some(key);
            self.key = Some(key);
        }
        Ok(())
    }

    pub(crate) fn maybe<T>(
        &mut self,
        key: u8,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, ObjectError>,
    ) -> Result<Option<T>, ObjectError> {
        if self.key != Some(u64::from(key)) {
            return Ok(None);
        }
        let value = read(self.reader)?;
        self.advance()?;
        Ok(Some(value))
    }

    pub(crate) fn get<T>(
        &mut self,
        key: u8,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, ObjectError>,
    ) -> Result<T, ObjectError> {
        match self.maybe(key, read)? {
            Some(value) => Ok(value),
            None => self.reader.fail(Problem::Missing(u64::from(key))),
        }
    }

    /// Refuses what was read where its fields do not go together.
    pub(crate) fn check(&self, holds: bool, what: &'static str) -> Result<(), ObjectError> {
        if holds { Ok(()) } else { self.reader.fail(Problem::Range(what)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schema::ocb::{Item, Profile};

    use super::*;

    /// An object with a field of every type.
    type Sample = (u64, Vec<u8>, Option<String>, Vec<u64>, bool);

    fn write((number, bytes, text, list, flag): &Sample) -> Vec<u8> {
        encode(0, |fields| {
            fields.uint(0, *number);
            fields.bytes(3, bytes);
            fields.maybe(4, text.as_ref(), |w, text| w.text(text));
            fields.put(30, |w| {
                w.object(|fields| {
                    fields.put(1, |w| {
                        w.array(list.len());
                        list.iter().for_each(|number| w.uint(*number));
                    });
                });
            });
            fields.maybe(31, flag.then_some(()), |w, ()| w.bool(true));
        })
    }

    fn read(bytes: &[u8]) -> Result<Sample, ObjectError> {
        decode(bytes, |fields| {
            let number = fields.get(0, |r| r.uint())?;
            let bytes = fields.get(3, |r| r.bytes(100, "bytes"))?.to_vec();
            let text = fields.maybe(4, |r| r.text(100, "text"))?.map(str::to_owned);
            let list = fields.get(30, |r| {
                r.object(|fields| {
                    fields.get(1, |r| {
                        let count = r.array(100, "list")?;
                        (0..count).map(|_| r.uint()).collect()
                    })
                })
            })?;
            Ok((number, bytes, text, list, fields.maybe(31, |r| r.flag())?.unwrap_or(false)))
        })
    }

    fn sample() -> impl Strategy<Value = Sample> {
        let number = prop_oneof![any::<u64>(), 0..300_u64, (0..5_u32).prop_map(|power| 1 << (8 * power))];
        let bytes = proptest::collection::vec(any::<u8>(), 0..40);
        let list = proptest::collection::vec(number.clone(), 0..40);
        (number, bytes, proptest::option::of(".{0,9}"), list, any::<bool>())
    }

    proptest! {
        #[test]
        fn objects_are_what_the_codec_of_items_writes(sample in sample()) {
            let bytes = write(&sample);
            prop_assert_eq!(read(&bytes), Ok(sample));
            let item = Item::decode(&bytes, Profile::Proof).unwrap();
            prop_assert_eq!(item.encode(Profile::Proof).unwrap(), bytes);
        }

        #[test]
        fn what_is_accepted_has_one_form(sample in sample(), at: usize, bit in 0..8_u32) {
            let mut bytes = write(&sample);
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(changed) = read(&bytes) {
                prop_assert_eq!(write(&changed), bytes.clone());
                prop_assert!(Item::decode(&bytes, Profile::Proof).is_ok());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let policy = crate::verify::TrustPolicy::default();
            prop_assert!(!crate::verify::verify(&bytes, &policy).valid);
        }
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let of_length = |length: usize| read(&write(&(1, vec![7; length], None, vec![], false))).is_ok();
        assert!(of_length(100) && !of_length(101));
        let of_count = |count: usize| read(&write(&(1, vec![], None, vec![7; count], false))).is_ok();
        assert!(of_count(100) && !of_count(101));
    }
}
