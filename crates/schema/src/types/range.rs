//! Refinements: the numbers and lengths that a type has.

use serde::{Deserialize, Serialize};

/// Inclusive integer bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntRange {
    /// Smallest admitted value.
    pub min: i64,
    /// Largest admitted value.
    pub max: i64,
}

/// Inclusive float bounds; infinite where unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FloatRange {
    /// Smallest admitted value.
    pub min: f64,
    /// Largest admitted value.
    pub max: f64,
}

/// Inclusive bounds of a length; `max: None` is unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LengthRange {
    /// Smallest admitted length.
    pub min: u64,
    /// Largest admitted length, if there is one.
    pub max: Option<u64>,
}

impl IntRange {
    /// Every 64-bit integer.
    pub const FULL: Self = Self { min: i64::MIN, max: i64::MAX };

    /// Whether every value of `self` lies in `other`.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.min >= other.min && self.max <= other.max
    }

    /// Whether `value` lies in the range.
    #[must_use]
    pub const fn contains(self, value: i64) -> bool {
        value >= self.min && value <= self.max
    }
}

impl FloatRange {
    /// Every number.
    pub const FULL: Self = Self { min: f64::NEG_INFINITY, max: f64::INFINITY };

    /// Whether every value of `self` lies in `other`.
    #[must_use]
    pub fn within(self, other: Self) -> bool {
        self.min >= other.min && self.max <= other.max
    }

    /// Whether `value` lies in the range.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        value >= self.min && value <= self.max
    }
}

impl LengthRange {
    /// Any length.
    pub const FULL: Self = Self { min: 0, max: None };

    /// At most `max`.
    #[must_use]
    pub const fn up_to(max: u64) -> Self {
        Self { min: 0, max: Some(max) }
    }

    /// Exactly `length`.
    #[must_use]
    pub const fn exactly(length: u64) -> Self {
        Self { min: length, max: Some(length) }
    }

    /// Whether every length of `self` lies in `other`.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.min >= other.min
            && match (self.max, other.max) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(own), Some(limit)) => own <= limit,
            }
    }

    /// The least range that has the lengths of both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        let max = self.max.zip(other.max).map(|(a, b)| a.max(b));
        Self { min: self.min.min(other.min), max }
    }

    /// Whether `length` lies in the range.
    #[must_use]
    pub const fn contains(self, length: u64) -> bool {
        length >= self.min
            && match self.max {
                None => true,
                Some(max) => length <= max,
            }
    }
}
