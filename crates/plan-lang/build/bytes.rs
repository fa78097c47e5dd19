//! A set of bytes.

use std::ops::{BitAnd, BitOr};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bytes {
    low: u128,
    high: u128,
}

impl Bytes {
    pub(crate) const NONE: Self = Self { low: 0, high: 0 };
    pub(crate) const ALL: Self = Self { low: u128::MAX, high: u128::MAX };

    pub(crate) fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        bytes.into_iter().fold(Self::default(), |set, byte| {
            let bit = 1 << (byte % 128);
            if byte < 128 { Self { low: set.low | bit, ..set } } else { Self { high: set.high | bit, ..set } }
        })
    }

    pub(crate) fn contains(self, byte: u8) -> bool {
        Self::of([byte]) & self != Self::NONE
    }

    /// As a pattern of Rust. None of a set that no byte or every byte is in.
    pub(crate) fn pattern(self) -> Option<String> {
        if self == Self::NONE || self == Self::ALL {
            return None;
        }
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in (0..=u8::MAX).filter(|byte| self.contains(*byte)) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(byte) => *last = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        let ranges = ranges.iter().map(|(first, last)| match first == last {
            true => format!("{first}"),
            false => format!("{first}..={last}"),
        });
        Some(ranges.collect::<Vec<_>>().join(" | "))
    }
}

impl BitOr for Bytes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { low: self.low | other.low, high: self.high | other.high }
    }
}

impl BitAnd for Bytes {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self { low: self.low & other.low, high: self.high & other.high }
    }
}
