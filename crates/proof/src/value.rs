//! Canonical bytes of values (OCB1-V), looked at without decoding them into a tree.

use crate::object::{ObjectError, Problem, Reader};

const NEGATIVE: u8 = 1;
const NULL: u8 = 0xf6;
const DOUBLE: u8 = 0xfb;

/// Checks that `bytes` are the one encoding of one value.
pub(crate) fn check(bytes: &[u8]) -> Result<(), ObjectError> {
    let mut reader = Reader::new(bytes);
    skip(&mut reader, 0)?;
    reader.end()
}

/// The number of elements of the list that `bytes` are; `None` where they are no list.
pub(crate) fn list_length(bytes: &[u8]) -> Option<u64> {
    let count = Reader::new(bytes).array(bytes.len(), "the length of a list").ok()?;
    Some(count as u64)
}

/// The unsigned number that `bytes` are.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(bytes);
    let number = reader.uint().ok()?;
    reader.end().ok().map(|()| number)
}

/// The canonical bytes of an unsigned number: what the head of a branch commits as its output.
#[must_use]
pub fn number_bytes(number: u64) -> Vec<u8> {
    let mut writer = crate::object::Writer::default();
    writer.uint(number);
    writer.into_bytes()
}

fn skip(reader: &mut Reader<'_>, depth: usize) -> Result<(), ObjectError> {
    let max = usize::MAX;
    match reader.peek().map(|first| (first >> 5, first)) {
        Some((4 | 5, _)) if depth >= schema::limits::JSON_DEPTH_MAX => {
            reader.fail(Problem::Range("the depth of a value"))
        }
        Some((0, _)) => reader.uint().map(|_| ()),
        Some((NEGATIVE, _)) => reader.head(NEGATIVE, "a number").map(|_| ()),
        Some((2, _)) => reader.bytes(max, "the size of a value").map(|_| ()),
        Some((3, _)) => reader.text(max, "the size of a value").map(|_| ()),
        Some((4, _)) => {
            let count = reader.array(max, "the length of a list")?;
            (0..count).try_for_each(|_| skip(reader, depth + 1))
        }
        Some((5, _)) => {
            let count = reader.map(max, "the size of a map")?;
            let mut last: Option<&str> = None;
            for _ in 0..count {
                let key = reader.text(max, "the size of a key")?;
                let key_order = |last: &str| (last.len(), last) >= (key.len(), key);
                if last.is_some_and(key_order) {
                    return reader.fail(Problem::Range("the order of a map's keys"));
                }
                last = Some(key);
                skip(reader, depth + 1)?;
            }
            Ok(())
        }
        Some((_, DOUBLE)) => double(reader),
        Some((_, NULL)) => reader.skip_byte(),
        _ => reader.bool(),
    }
}

/// A double is written in eight bytes, is a number, and is not `-0`.
fn double(reader: &mut Reader<'_>) -> Result<(), ObjectError> {
    reader.skip_byte()?;
    let bytes = reader.take(8)?.try_into().unwrap_or_default();
    let value = f64::from_be_bytes(bytes);
    if value.is_nan() || (value == 0.0 && value.is_sign_negative()) {
        return reader.fail(Problem::Range("a double"));
    }
    Ok(())
}
