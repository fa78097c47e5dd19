//! One evaluation by native code: what the code sees of it, and how it ends.

use std::mem::offset_of;

use plan_ir::interp::{Env, Meter, Trap};

use crate::arena::Arena;
use crate::native::Code;

/// Why native code came back without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Exit {
    /// A number left its range.
    Overflow = 1,
    /// A division by zero.
    DivisionByZero = 2,
    /// An index outside its list; [`Run::detail`] has both.
    Index = 3,
    /// A helper left its trap in [`Run::trap`].
    Trap = 4,
    /// The interpreter has to say what comes of it: a quota, an input that is not of its type, or a failure
    /// where native code does not keep the interpreter's order.
    Interpret = 5,
}

impl Exit {
    pub(crate) const fn code(self) -> i64 {
        self as i64
    }

    pub(crate) const fn of(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::Overflow),
            2 => Some(Self::DivisionByZero),
            3 => Some(Self::Index),
            4 => Some(Self::Trap),
            5 => Some(Self::Interpret),
            _ => None,
        }
    }
}

/// The state of one evaluation. Native code reads and writes the first fields by their offset; helpers get
/// the whole.
#[repr(C)]
pub(crate) struct Run<'a> {
    /// Steps left; below zero where more were used than there were.
    pub(crate) fuel: i64,
    /// Bytes left, likewise.
    pub(crate) bytes: i64,
    /// What a helper hands back.
    pub(crate) out: [u64; 2],
    /// The expression that trapped.
    pub(crate) at: u64,
    /// Index and length, of a trap that has them.
    pub(crate) detail: [i64; 2],
    pub(crate) arena: Box<Arena>,
    pub(crate) code: &'a Code,
    pub(crate) env: &'a dyn Env,
    pub(crate) trap: Option<Trap>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(code: &'a Code, env: &'a dyn Env, arena: Box<Arena>, meter: &Meter) -> Self {
        let (fuel, bytes) = (signed(meter.fuel()), signed(meter.bytes()));
        Self { fuel, bytes, out: [0; 2], at: 0, detail: [0; 2], arena, code, env, trap: None }
    }

    /// What is left, as the interpreter counts it.
    pub(crate) fn meter(&self) -> Meter {
        Meter::new(self.fuel.max(0).cast_unsigned(), self.bytes.max(0).cast_unsigned())
    }

    /// Takes from the meter of the evaluation what the run has used; `fuel` is what it has left.
    pub(crate) fn settle(&self, meter: &mut Meter, fuel: u64) {
        let used = |before: u64, after: u64| signed(before).cast_unsigned().saturating_sub(after);
        let bytes = used(meter.bytes(), self.bytes.max(0).cast_unsigned());
        *meter = Meter::new(meter.fuel() - used(meter.fuel(), fuel), meter.bytes() - bytes);
    }
}

/// A count of the meter as native code counts it. What does not fit can never be used up.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Where native code finds the fields of [`Run`].
pub(crate) mod offset {
    use super::{Run, offset_of};

    pub(crate) const FUEL: i32 = offset_of!(Run<'_>, fuel) as i32;
    pub(crate) const BYTES: i32 = offset_of!(Run<'_>, bytes) as i32;
    pub(crate) const OUT: i32 = offset_of!(Run<'_>, out) as i32;
    pub(crate) const AT: i32 = offset_of!(Run<'_>, at) as i32;
    pub(crate) const DETAIL: i32 = offset_of!(Run<'_>, detail) as i32;
}
