//! A compiled plan, and how its code is entered.
#![expect(unsafe_code, reason = "compiled code is called")]

use std::mem::ManuallyDrop;
use std::sync::Arc;

use cranelift_jit::JITModule;
use parking_lot::Mutex;
use plan_ir::expr::{ExprId, Fragment, LocalId};
use plan_ir::interp::{Env, Meter, Trap, TrapKind};
use plan_ir::plan::PlanBody;
use schema::value::Value;

use crate::arena::Arena;
use crate::cells::{Reader, Writer};
use crate::compile::{Compiled, Output, Read, Refused};
use crate::constants::Constants;
use crate::layout::{Layouts, ReprId};
use crate::run::{Exit, Run};

/// Bytes that the arena of one evaluation takes at most. Not a rule of the language: an evaluation that
/// needs more is left to the interpreter, which shares parts of values that native code copies.
pub const ARENA_BYTES_MAX: usize = 256 << 20;

/// Arenas that a plan keeps for evaluations to come.
const ARENAS_KEPT: usize = 4;
/// Bytes of an arena that is kept.
const ARENA_KEPT_BYTES: usize = 4 << 20;

/// What code and helpers share of a compiled plan.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) layouts: Layouts,
    /// The plan, with copies of the expressions that sites evaluate behind its own.
    pub(crate) body: PlanBody,
    /// Number of the plan's own expressions.
    pub(crate) originals: usize,
    pub(crate) sites: Vec<Site>,
    /// What the code refers to.
    _constants: Constants,
}

/// A place where the interpreter evaluates an expression for native code.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// What is evaluated, perhaps a copy.
    pub(crate) expr: ExprId,
    /// What it is a copy of.
    pub(crate) original: ExprId,
    /// The locals it reads, as they lie side by side.
    pub(crate) operands: Vec<(LocalId, ReprId)>,
    /// Locals of its frame.
    pub(crate) frame: u32,
    pub(crate) result: ReprId,
}

/// How compiled code is called: the run, the cells of what is read, room for the result. 0 or an [`Exit`].
type Entry = unsafe extern "C" fn(*mut Run<'_>, *const u64, *mut u64) -> i32;

/// A fragment that can be entered.
#[derive(Clone, Debug)]
struct Entered {
    fragment: Fragment,
    entry: Entry,
    reads: Vec<Read>,
    cells: u32,
    result: ReprId,
}

/// What native code made of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The value or trap of the interpreter. After a value the meter is what the interpreter leaves.
    Done(Result<Value, Trap>),
    /// Only the interpreter can tell: a limit was reached, an input is not of its type, or functions of one
    /// loop trapped in another order than the interpreter runs them.
    Undecided,
    /// The fragment is not compiled.
    NotCompiled,
}

/// A plan as native code. Its fragments give what [`plan_ir::interp::eval`] gives.
pub struct NativePlan {
    code: Arc<Code>,
    entries: Vec<Entered>,
    refused: Vec<(Fragment, Refused)>,
    module: ManuallyDrop<JITModule>,
    code_bytes: usize,
    arenas: Mutex<Vec<Arena>>,
}

// SAFETY: once it is made, nothing changes the module, and code and literals are only read.
unsafe impl Sync for NativePlan {}

impl std::fmt::Debug for NativePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NativePlan")
            .field("fragments", &self.entries.len())
            .field("refused", &self.refused)
            .field("code_bytes", &self.code_bytes)
            .finish_non_exhaustive()
    }
}

impl Drop for NativePlan {
    fn drop(&mut self) {
        // SAFETY: it is taken once, here.
        let module = unsafe { ManuallyDrop::take(&mut self.module) };
        // SAFETY: code runs only while the plan is borrowed, and no address of it gets out.
        unsafe { module.free_memory() };
    }
}

impl NativePlan {
    pub(crate) fn new(body: &PlanBody, output: Output) -> Self {
        let Output { module, compiled, refused, layouts, constants, shadows, sites, code_bytes } = output;
        let mut body = body.clone();
        let originals = body.exprs.exprs.len();
        for (expr, ty) in shadows {
            body.exprs.exprs.push(expr);
            body.exprs.types.push(ty);
        }
        let mut entries: Vec<Entered> = compiled.into_iter().map(|done| entered(&module, done)).collect();
        entries.sort_by_key(|entry| key(&entry.fragment));
        let code = Code { layouts, body, originals, sites, _constants: constants };
        Self {
            code: Arc::new(code),
            entries,
            refused,
            module: ManuallyDrop::new(module),
            code_bytes,
            arenas: Mutex::new(Vec::new()),
        }
    }

    /// The value of `fragment` applied to `args`, as [`plan_ir::interp::eval`] gives it; what native code
    /// cannot decide, and what is not compiled, the interpreter evaluates.
    ///
    /// # Errors
    /// A [`Trap`]. After a value, `meter` is what the interpreter would leave; after a trap it is not
    /// specified.
    pub fn eval(
        &self,
        fragment: &Fragment,
        args: &[Value],
        env: &dyn Env,
        meter: &mut Meter,
    ) -> Result<Value, Trap> {
        match self.eval_native(fragment, args, env, meter) {
            Outcome::Done(result) => result,
            Outcome::Undecided | Outcome::NotCompiled => {
                plan_ir::interp::eval(&self.code.body, fragment, args, env, meter)
            }
        }
    }

    /// [`NativePlan::eval`] without the interpreter. `meter` is charged only where it comes to a value.
    pub fn eval_native(
        &self,
        fragment: &Fragment,
        args: &[Value],
        env: &dyn Env,
        meter: &mut Meter,
    ) -> Outcome {
        let Some(entry) = self.entry(fragment) else { return Outcome::NotCompiled };
        if args.len() != fragment.params as usize {
            return Outcome::Undecided;
        }
        let inputs: Option<Vec<Value>> =
            entry.reads.iter().map(|read| read.source.read(args, env)).collect();
        let Some(inputs) = inputs else { return Outcome::Undecided };
        let mut arena = self.arena();
        let Some(cells) = self.lay_out(entry, &inputs, &mut arena) else {
            self.keep(arena);
            return Outcome::Undecided;
        };
        let (fuel, bytes) = (signed(meter.fuel()), signed(meter.bytes()));
        let mut run = Run {
            fuel,
            bytes,
            out: [0; 2],
            at: 0,
            detail: [0; 2],
            arena,
            code: &self.code,
            env,
            trap: None,
        };
        let outcome = self.enter(entry, &cells, &mut run, meter);
        if outcome.is_some() {
            // What was used is known where nothing went wrong.
            let used = |before: i64, after: i64| before.saturating_sub(after).max(0).cast_unsigned();
            let left = (meter.fuel() - used(fuel, run.fuel), meter.bytes() - used(bytes, run.bytes));
            if matches!(outcome, Some(Ok(_))) {
                *meter = Meter::new(left.0, left.1);
            }
        }
        self.keep(run.arena);
        outcome.map_or(Outcome::Undecided, Outcome::Done)
    }

    fn lay_out(&self, entry: &Entered, inputs: &[Value], arena: &mut Arena) -> Option<Vec<u64>> {
        let mut cells = vec![0_u64; entry.cells as usize];
        let mut writer = Writer { layouts: &self.code.layouts, arena };
        for (read, input) in entry.reads.iter().zip(inputs) {
            let room = cells.get_mut(read.cell as usize..)?.as_mut_ptr();
            // SAFETY: there is room for all that is read, each from its cell on; `inputs` outlives the run.
            unsafe { writer.write(input, read.repr, room) }.ok()?;
        }
        Some(cells)
    }

    /// Runs the code; `None` is for the interpreter to decide.
    fn enter(
        &self,
        entry: &Entered,
        cells: &[u64],
        run: &mut Run<'_>,
        meter: &Meter,
    ) -> Option<Result<Value, Trap>> {
        let mut out = vec![0_u64; self.code.layouts.cells(entry.result) as usize];
        // SAFETY: the code was compiled for this layout of what it reads and of its result, and everything
        // that cells refer to lives until after the call.
        let status = unsafe { (entry.entry)(run, cells.as_ptr(), out.as_mut_ptr()) };
        if run.fuel < 0 || run.bytes < 0 {
            return None;
        }
        let at = ExprId(u32::try_from(run.at).unwrap_or(u32::MAX));
        let trap = |kind| Some(Err(Trap { kind, expr: at }));
        match Exit::of(status) {
            None => {
                let left = Meter::new(run.fuel.cast_unsigned(), run.bytes.cast_unsigned());
                let mut reader = Reader::new(&self.code.layouts, &left);
                // SAFETY: the code has written its result, and what it refers to is still there.
                let value = unsafe { reader.read(entry.result, out.as_ptr()) }.ok()?;
                run.fuel = signed(reader.fuel());
                let _ = meter;
                Some(Ok(value))
            }
            Some(Exit::Overflow) => trap(TrapKind::Overflow),
            Some(Exit::DivisionByZero) => trap(TrapKind::DivisionByZero),
            Some(Exit::Index) => {
                let [index, length] = run.detail;
                trap(TrapKind::Index { index, length: length.cast_unsigned() })
            }
            Some(Exit::Trap) => run.trap.take().map(Err),
            Some(Exit::Interpret) => None,
        }
    }

    fn entry(&self, fragment: &Fragment) -> Option<&Entered> {
        let place = self.entries.binary_search_by_key(&key(fragment), |entry| key(&entry.fragment)).ok()?;
        self.entries.get(place)
    }

    fn arena(&self) -> Arena {
        self.arenas.lock().pop().unwrap_or_else(|| Arena::new(ARENA_BYTES_MAX))
    }

    fn keep(&self, mut arena: Arena) {
        arena.reset();
        if arena.size() <= ARENA_KEPT_BYTES {
            let mut arenas = self.arenas.lock();
            if arenas.len() < ARENAS_KEPT {
                arenas.push(arena);
            }
        }
    }

    /// Whether `fragment` is compiled.
    #[must_use]
    pub fn covers(&self, fragment: &Fragment) -> bool {
        self.entry(fragment).is_some()
    }

    /// The fragments that are left to the interpreter, and why.
    #[must_use]
    pub fn refused(&self) -> &[(Fragment, Refused)] {
        &self.refused
    }

    /// Bytes of machine code.
    #[must_use]
    pub const fn code_bytes(&self) -> usize {
        self.code_bytes
    }
}

fn key(fragment: &Fragment) -> (u32, u32, u32) {
    (fragment.body.0, fragment.params, fragment.frame)
}

/// A count of the meter as native code counts it. What does not fit can never be used up.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn entered(module: &JITModule, done: Compiled) -> Entered {
    let address = module.get_finalized_function(done.function);
    // SAFETY: the function was compiled with this signature and is executable now.
    let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
    Entered { fragment: done.fragment, entry, reads: done.reads, cells: done.cells, result: done.result }
}
