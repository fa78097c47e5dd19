//! Items to bytes.

use super::{Item, OcbError, Profile};

pub(super) fn write(out: &mut Vec<u8>, item: &Item, profile: Profile, depth: usize) -> Result<(), OcbError> {
    let value_only = |kind| match profile {
        Profile::Value => Ok(()),
        Profile::Proof => Err(OcbError::Kind { kind }),
    };
    if matches!(item, Item::Array(_) | Item::Map(_) | Item::TextMap(_)) && depth >= profile.depth_max() {
        return Err(OcbError::TooDeep { at: 0 });
    }
    match item {
        Item::Uint(value) => head(out, 0, *value),
        Item::Nint(value) => head(out, 1, *value),
        Item::Bytes(bytes) => {
            head(out, 2, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        Item::Text(text) => {
            head(out, 3, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        Item::Array(items) => {
            head(out, 4, items.len() as u64);
            for item in items {
                write(out, item, profile, depth + 1)?;
            }
        }
        Item::Map(entries) => {
            if profile == Profile::Value {
                return Err(OcbError::Kind { kind: "a map by number" });
            }
            head(out, 5, entries.len() as u64);
            for (key, item) in entries {
                head(out, 0, *key);
                write(out, item, profile, depth + 1)?;
            }
        }
        Item::TextMap(entries) => {
            value_only("a map by text")?;
            head(out, 5, entries.len() as u64);
            for (key, item) in entries {
                head(out, 3, key.0.len() as u64);
                out.extend_from_slice(key.0.as_bytes());
                write(out, item, profile, depth + 1)?;
            }
        }
        Item::Bool(value) => out.push(if *value { 0xf5 } else { 0xf4 }),
        Item::Null => {
            value_only("null")?;
            out.push(0xf6);
        }
        Item::Float(value) => {
            value_only("a double")?;
            if value.is_nan() {
                return Err(OcbError::Double { at: 0 });
            }
            out.push(0xfb);
            // `-0 + 0` is `0`.
            out.extend_from_slice(&(value + 0.0).to_be_bytes());
        }
    }
    Ok(())
}

/// A major type with its argument in the shortest form.
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    let (info, skipped) = match argument {
        0..=23 => {
            out.push(major | bytes.last().copied().unwrap_or(0));
            return;
        }
        24..=0xff => (24, 7),
        0x100..=0xffff => (25, 6),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 0),
    };
    out.push(major | info);
    out.extend(bytes.iter().skip(skipped));
}
