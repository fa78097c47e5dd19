//! Equality and order, where it takes more than a few instructions.
#![expect(unsafe_code, reason = "called by native code with addresses")]

use plan_ir::interp::Meter;
use plan_ir::interp::shared;
use schema::value::Value;

use crate::cells::{amount, cell, text, text_of};
use crate::layout::{ORIGIN_CELLS, Repr, ReprId};
use crate::run::Run;

/// Bytes of text that are compared for one step.
const BYTES_PER_STEP: i64 = 32;

/// # Safety
/// `length` bytes lie at both addresses.
pub(super) unsafe extern "C" fn same_bytes(a: *const u8, b: *const u8, length: u64) -> bool {
    // SAFETY: by contract.
    let [a, b] = [a, b].map(|at| unsafe { std::slice::from_raw_parts(at, length as usize) });
    a == b
}

/// # Safety
/// Both are texts.
pub(super) unsafe extern "C" fn text_order(a: *const u8, a_len: u64, b: *const u8, b_len: u64) -> i64 {
    // SAFETY: by contract.
    let (a, b) = unsafe { (text_of(a, a_len as usize), text_of(b, b_len as usize)) };
    a.cmp(b) as i64
}

pub(super) extern "C" fn float_remainder(a: f64, b: f64) -> f64 {
    a % b
}

pub(super) extern "C" fn float_round(how: u64, value: f64) -> f64 {
    match how {
        0 => value.floor(),
        1 => value.ceil(),
        _ => value.round(),
    }
}

/// # Safety
/// `run` is that of the evaluation under way; `a` and `b` are values of the representation.
pub(super) unsafe extern "C" fn equal(run: *mut Run<'_>, repr: u64, a: *const u64, b: *const u64) -> bool {
    // SAFETY: by contract.
    unsafe { same(&mut *run, ReprId::from_number(repr as u32), a, b) }
}

/// # Safety
/// As [`equal`]; `length` elements of the representation lie at `list`, `wanted` is another.
pub(super) unsafe extern "C" fn list_contains(
    run: *mut Run<'_>,
    element: u64,
    list: *const u64,
    length: u64,
    wanted: *const u64,
) -> bool {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    let element = ReprId::from_number(element as u32);
    let stride = run.code.layouts.cells(element) as usize;
    // SAFETY: by contract.
    (0..length as usize).any(|index| unsafe { same(run, element, list.add(index * stride), wanted) })
}

/// What `==` means, charged as the interpreter charges it. Ends with any answer once there are no steps
/// left: nobody will look at it.
///
/// # Safety
/// As [`equal`].
unsafe fn same(run: &mut Run<'_>, repr: ReprId, a: *const u64, b: *const u64) -> bool {
    let code = run.code;
    if run.fuel < 0 {
        return false;
    }
    // SAFETY, here and below: by contract, at the places the layout says.
    let both = |index| unsafe { (cell(a, index), cell(b, index)) };
    let part = |run: &mut Run<'_>| run.fuel -= 1;
    match code.layouts.get(repr) {
        Repr::Bool | Repr::Int | Repr::Time | Repr::Duration => {
            part(run);
            let (a, b) = both(0);
            a == b
        }
        Repr::Float => {
            part(run);
            let (a, b) = both(0);
            f64::from_bits(a) == f64::from_bits(b)
        }
        Repr::Text => {
            part(run);
            let (a, b) = unsafe { (text(a), text(b)) };
            if a.len() != b.len() {
                return false;
            }
            run.fuel -= a.len() as i64 / BYTES_PER_STEP;
            a == b
        }
        Repr::Amount => {
            part(run);
            let (a, b) = unsafe { (amount(a), amount(b)) };
            shared::compare_amounts(a, b, code.body.rate).is_some_and(std::cmp::Ordering::is_eq)
        }
        Repr::Opaque => {
            let (a, b) = both(0);
            let [a, b] = [a, b].map(|at| unsafe { &*(at as *const Value) });
            let mut meter = Meter::new(run.fuel.cast_unsigned(), u64::MAX);
            let equal = shared::equal(a, b, code.body.rate, &mut meter);
            run.fuel = if equal.is_ok() { meter.fuel().cast_signed() } else { -1 };
            equal.unwrap_or(false)
        }
        Repr::Optional(inner) => match both(0) {
            (0, _) | (_, 0) => {
                part(run);
                both(0) == (0, 0)
            }
            _ => unsafe { same(run, *inner, a.add(1), b.add(1)) },
        },
        Repr::List(element) => {
            part(run);
            let ((list_a, list_b), (length, other)) = (both(0), both(1));
            let stride = code.layouts.cells(*element) as usize;
            let [a, b] = [list_a, list_b].map(|at| at as *const u64);
            length == other
                && (0..length as usize)
                    .all(|index| unsafe { same(run, *element, a.add(index * stride), b.add(index * stride)) })
        }
        Repr::Map(value) => {
            part(run);
            let ((map_a, map_b), (length, other)) = (both(0), both(1));
            let (stride, behind) = code.layouts.entry_cells(*value);
            let (stride, behind) = (stride as usize, behind as usize);
            length == other
                && (0..length as usize).all(|index| unsafe {
                    let [a, b] = [map_a, map_b].map(|at| (at as *const u64).add(index * stride));
                    let [key_a, key_b] = [a, b].map(|entry| text(entry.add(ORIGIN_CELLS as usize)));
                    if key_a.len() == key_b.len() {
                        run.fuel -= key_a.len() as i64 / BYTES_PER_STEP;
                    }
                    key_a == key_b && same(run, *value, a.add(behind), b.add(behind))
                })
        }
        Repr::Boxed(record) => {
            let (a, b) = both(0);
            unsafe { same(run, *record, a as *const u64, b as *const u64) }
        }
        Repr::Record(fields) => {
            part(run);
            let mut at = ORIGIN_CELLS as usize;
            fields.iter().all(|field| {
                let equal = unsafe { same(run, *field, a.add(at), b.add(at)) };
                at += code.layouts.cells(*field) as usize;
                equal
            })
        }
        Repr::Variants(payloads) => {
            part(run);
            let (place, other) = both(0);
            place == other
                && match payloads.get(place as usize) {
                    Some(Some(payload)) => unsafe { same(run, *payload, a.add(1), b.add(1)) },
                    _ => true,
                }
        }
    }
}
