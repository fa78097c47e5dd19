//! Objects of the proof format as bytes: deterministic CBOR maps with small unsigned keys.
//!
//! The reader never builds a tree: it walks the bytes once, in the order the format prescribes, and
//! refuses whatever a writer would not have written (longer number forms, keys out of order or unknown,
//! indefinite lengths, tags, floats, `null`). So what it accepts has exactly one encoding, and the
//! memory it takes does not depend on what the bytes claim.

use crate::VERSION;

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use reader::{Entries, Reader};
pub(crate) use writer::{Fields, Writer};

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

/// The bytes of one object.
pub(crate) fn encode(capacity: usize, fill: impl FnOnce(&mut Fields<'_>)) -> Vec<u8> {
    let mut writer = Writer::with_capacity(capacity);
    writer.object(fill);
    writer.into_bytes()
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
