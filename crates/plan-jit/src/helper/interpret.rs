//! What the interpreter evaluates for native code.
#![expect(unsafe_code, reason = "called by native code with addresses")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use plan_ir::interp::shared::eval_within;
use plan_ir::interp::{Trap, TrapKind};
use schema::value::{Json, Value};

use crate::cells::{Writer, read};
use crate::count::Counter;
use crate::layout::ReprId;
use crate::native::{Code, Site};
use crate::run::{Exit, Run};

/// # Safety
/// The address is that of an opaque value.
pub(super) unsafe extern "C" fn is_null(value: *const Value) -> bool {
    // SAFETY: by contract.
    matches!(unsafe { &*value }, Value::Null | Value::Json(Json::Null))
}

/// # Safety
/// `run` is that of the evaluation under way; a value of `from` lies at `input`, and there is room for one of
/// `to` at `output`.
pub(super) unsafe extern "C" fn rewrite(
    run: *mut Run<'_>,
    from: u64,
    to: u64,
    input: *const u64,
    output: *mut u64,
) -> i32 {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    let [from, to] = [from, to].map(|number| ReprId::from_number(number as u32));
    // SAFETY: by contract.
    match unsafe { part(run.code, from, input) } {
        // SAFETY: by contract.
        Some(value) => unsafe { put(run, value, to, output) },
        None => Exit::Interpret as i32,
    }
}

/// # Safety
/// `run` is that of the evaluation under way; the operands of the site lie at `operands`, and there is
/// room for its value at `output`.
pub(super) unsafe extern "C" fn interpret(
    run: *mut Run<'_>,
    site: u64,
    operands: *const u64,
    output: *mut u64,
) -> i32 {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    // A panic must not go through native code. It is met again when the interpreter evaluates the whole.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let Some(site) = run.code.sites.get(site as usize) else { return Exit::Interpret as i32 };
        // SAFETY: by contract.
        unsafe { evaluate(run, site, operands, output) }
    }));
    outcome.unwrap_or(Exit::Interpret as i32)
}

/// # Safety
/// As [`interpret`].
unsafe fn evaluate(run: &mut Run<'_>, site: &Site, operands: *const u64, output: *mut u64) -> i32 {
    if run.fuel < 0 || run.bytes < 0 {
        return Exit::Interpret as i32;
    }
    let code = run.code;
    let mut frame = vec![Value::Null; site.frame as usize];
    let mut at = 0;
    for (local, repr) in &site.operands {
        // SAFETY: operands lie side by side.
        let value = unsafe { part(code, *repr, operands.add(at)) };
        let (Some(value), Some(slot)) = (value, frame.get_mut(local.0 as usize)) else {
            return Exit::Interpret as i32;
        };
        *slot = value;
        at += code.layouts.cells(*repr) as usize;
    }
    let mut left = run.meter();
    let result = eval_within(&code.body, site.expr, frame, run.env, &mut left);
    // INVARIANT: a meter that started within 63 bits stays there.
    (run.fuel, run.bytes) = (left.fuel().cast_signed(), left.bytes().cast_signed());
    match result {
        // SAFETY: by contract.
        Ok(value) => unsafe { put(run, value, site.result, output) },
        Err(Trap { kind: TrapKind::Quota(_), .. }) => Exit::Interpret as i32,
        Err(trap) => {
            // What was made for the site stands for the expression it was made of.
            let expr = if (trap.expr.0 as usize) < code.originals { trap.expr } else { site.original };
            run.trap = Some(Trap { expr, ..trap });
            Exit::Trap as i32
        }
    }
}

/// A value in the middle of an evaluation, unless it is too large.
///
/// # Safety
/// A value of `repr` lies at `at`.
unsafe fn part(code: &Code, repr: ReprId, at: *const u64) -> Option<Value> {
    // SAFETY: by contract.
    unsafe {
        Counter::of_parts(&code.layouts).count(repr, at).ok()?;
        Some(read(&code.layouts, repr, at))
    }
}

/// Lays `value` out at `output`, and keeps it where cells refer to it.
///
/// # Safety
/// There is room for a value of `repr`.
unsafe fn put(run: &mut Run<'_>, value: Value, repr: ReprId, output: *mut u64) -> i32 {
    let code = run.code;
    let kept: &Value = if code.layouts.is_plain(repr) {
        &value
    } else {
        let Some(kept) = run.arena.value(value) else { return Exit::Interpret as i32 };
        // SAFETY: the arena keeps it until the evaluation ends.
        unsafe { &*kept }
    };
    let mut writer = Writer { layouts: &code.layouts, arena: &mut run.arena, needs: None };
    // SAFETY: by contract.
    match unsafe { writer.write(kept, repr, output) } {
        Ok(()) => 0,
        Err(_) => Exit::Interpret as i32,
    }
}
