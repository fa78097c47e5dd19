//! What an evaluation may use.

use super::{Quota, TrapKind};

/// Steps of one evaluation, where nobody says otherwise: about a second of the interpreter's time.
pub const EVAL_FUEL_MAX: u64 = 20_000_000;

/// Bytes one evaluation may build, where nobody says otherwise; what it drops on the way counts too.
pub const EVAL_BYTES_MAX: u64 = 64 << 20;

/// What one element of a list, field of a record or entry of a map counts for. A fixed figure, not the
/// size in memory, so that a plan meets its limit at the same point on every machine.
pub(crate) const ELEMENT_BYTES: u64 = 16;

/// Bytes of text that are scanned, compared or copied for one step.
const BYTES_PER_STEP: u64 = 32;

/// The steps and bytes an evaluation may still use.
///
/// Charges depend only on the expression and its values. An expression is charged once, for all it
/// contains on every branch, when its fragment is entered; the body of a lambda is charged for all elements
/// when its loop is entered. Text and comparisons are charged by length on top. So an engine that compiles
/// loops can charge exactly the same without counting inside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    fuel: u64,
    bytes: u64,
}

impl Meter {
    /// A meter with this many steps and bytes.
    #[must_use]
    pub const fn new(fuel: u64, bytes: u64) -> Self {
        Self { fuel, bytes }
    }

    /// Steps left.
    #[must_use]
    pub const fn fuel(&self) -> u64 {
        self.fuel
    }

    /// Bytes left.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    #[inline]
    pub(crate) fn work(&mut self, steps: u64) -> Result<(), TrapKind> {
        if self.has_taken(steps) { Ok(()) } else { Err(TrapKind::Quota(Quota::Steps)) }
    }

    /// Takes as many steps, or nothing where there are fewer left.
    #[inline]
    pub(super) const fn has_taken(&mut self, steps: u64) -> bool {
        let enough = steps <= self.fuel;
        if enough {
            self.fuel -= steps;
        }
        enough
    }

    /// Charges for going once through `bytes` of text.
    pub(crate) fn scan(&mut self, bytes: usize) -> Result<(), TrapKind> {
        self.work(text_steps(bytes as u64))
    }

    /// Charges for `bytes` of new text.
    pub(crate) fn text(&mut self, bytes: usize) -> Result<(), TrapKind> {
        self.scan(bytes)?;
        self.bytes = self.bytes.checked_sub(bytes as u64).ok_or(TrapKind::Quota(Quota::Bytes))?;
        Ok(())
    }

    /// Charges for a new list, record or map of `count` parts.
    pub(crate) fn elements(&mut self, count: usize) -> Result<(), TrapKind> {
        let bytes = (count as u64).saturating_mul(ELEMENT_BYTES);
        self.bytes = self.bytes.checked_sub(bytes).ok_or(TrapKind::Quota(Quota::Bytes))?;
        Ok(())
    }
}

/// Steps of going once through this much text.
pub(crate) const fn text_steps(bytes: u64) -> u64 {
    bytes / BYTES_PER_STEP
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(EVAL_FUEL_MAX, EVAL_BYTES_MAX)
    }
}
