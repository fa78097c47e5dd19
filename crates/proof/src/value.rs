//! Canonical bytes of values (OCB1-V), looked at without decoding them into a tree. [`canonical`] makes
//! them: they are what inputs, outputs and results are committed as.

pub use schema::encode::canonical;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schema::ocb::{Item, Profile};

    use super::*;

    fn item() -> impl Strategy<Value = Item> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Item::int),
            any::<u64>().prop_map(Item::Uint),
            ".{0,30}".prop_map(Item::Text),
            proptest::collection::vec(any::<u8>(), 0..30).prop_map(Item::Bytes),
            any::<bool>().prop_map(Item::Bool),
            Just(Item::Null),
            (-1e9..1e9).prop_map(Item::Float),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Item::Array),
                proptest::collection::btree_map("[a-z]{0,4}", inner, 0..6).prop_map(Item::text_map),
            ]
        })
    }

    proptest! {
        #[test]
        fn exactly_what_the_codec_decodes_is_canonical(item in item(), at: usize, bit in 0..9_u32) {
            let mut bytes = item.encode(Profile::Value).unwrap();
            if bit < 8 {
                let at = at % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            let decoded = Item::decode(&bytes, Profile::Value);
            prop_assert_eq!(check(&bytes).is_ok(), decoded.is_ok(), "{:?} {:?}", check(&bytes), decoded);
            let length = match &decoded {
                Ok(Item::Array(items)) => Some(items.len() as u64),
                _ => None,
            };
            if decoded.is_ok() {
                prop_assert_eq!(list_length(&bytes), length);
            }
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
        let most = schema::limits::JSON_DEPTH_MAX;
        assert!(check(&nested(most)).is_ok() && Item::decode(&nested(most), Profile::Value).is_ok());
        assert!(check(&nested(most + 1)).is_err() && check(&nested(1_000_000)).is_err());
    }
}
