//! Bytes to objects, item by item.

use super::{ARRAY, BYTES, FALSE, MAP, ObjectError, Problem, TEXT, TRUE, UINT};
use crate::VERSION;

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
