//! A compiled plan, and how its code is entered.
#![expect(unsafe_code, reason = "compiled code is called")]

use std::mem::ManuallyDrop;
use std::sync::Arc;

use cranelift_jit::JITModule;
use parking_lot::Mutex;
use plan_ir::expr::{ExprId, Fragment, LocalId};
use plan_ir::graph::NodeId;
use plan_ir::interp::{Env, Meter, Trap, TrapKind};
use plan_ir::plan::PlanBody;
use schema::types::Type;
use schema::value::Value;
use smallvec::SmallVec;

use crate::arena::Arena;
use crate::cells::{Writer, read, text};
use crate::compile::{Compiled, Output, Read, Refused};
use crate::constants::Constants;
use crate::count::Counter;
use crate::flat::{Flat, Shape, Stores};
use crate::layout::{CELLS_MAX, Layouts, Need, ReprId};
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
    pub(crate) layouts: Arc<Layouts>,
    /// The plan, with copies of the expressions that sites evaluate behind its own.
    pub(crate) body: PlanBody,
    /// Number of the plan's own expressions.
    pub(crate) originals: usize,
    pub(crate) sites: Vec<Site>,
    /// What the code looks at of records that come from values.
    needs: Vec<Vec<Need>>,
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
    /// Whether the result refers to nothing.
    is_plain: bool,
}

/// What native code made of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T> {
    /// The value or trap of the interpreter. After a value the meter is what the interpreter leaves.
    Done(Result<T, Trap>),
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
    #[expect(clippy::vec_box, reason = "what is moved in and out is an address")]
    arenas: Mutex<Vec<Box<Arena>>>,
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
        let Output { module, compiled, refused, layouts, constants, needs, shadows, sites, code_bytes } =
            output;
        let mut body = body.clone();
        let originals = body.exprs.exprs.len();
        for (expr, ty) in shadows {
            body.exprs.exprs.push(expr);
            body.exprs.types.push(ty);
        }
        let mut entries: Vec<Entered> =
            compiled.into_iter().map(|done| entered(&module, &layouts, done)).collect();
        entries.sort_by_key(|entry| key(&entry.fragment));
        let code = Code { layouts: Arc::new(layouts), body, originals, sites, needs, _constants: constants };
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
    ) -> Outcome<Value> {
        let Some(entry) = self.entry(fragment) else { return Outcome::NotCompiled };
        if args.len() != fragment.params as usize {
            return Outcome::Undecided;
        }
        let inputs: Option<SmallVec<[Value; 4]>> =
            entry.reads.iter().map(|read| read.source.read(args, env)).collect();
        let Some(inputs) = inputs else { return Outcome::Undecided };
        let mut arena = self.arena();
        let Some(cells) = self.lay_out(entry, &inputs, &mut arena) else {
            self.keep(arena);
            return Outcome::Undecided;
        };
        let mut run = Run::new(&self.code, env, arena, meter);
        let mut out = [0; CELLS_MAX as usize];
        // SAFETY: the cells were laid out for this entry, and `inputs` outlive the run.
        let outcome = unsafe { enter(entry, &cells, &mut run, &mut out) };
        let outcome = outcome.and_then(|result| match result {
            Ok(()) => {
                let mut counter = Counter::new(&self.code.layouts, &run.meter(), false);
                // SAFETY: the code has written its result, and what it refers to is still there.
                let value = unsafe {
                    counter.count(entry.result, out.as_ptr()).ok()?;
                    read(&self.code.layouts, entry.result, out.as_ptr())
                };
                run.settle(meter, counter.fuel());
                Some(Ok(value))
            }
            Err(trap) => Some(Err(trap)),
        });
        self.keep(run.arena);
        outcome.map_or(Outcome::Undecided, Outcome::Done)
    }

    /// [`NativePlan::eval`] on values that are laid out. What native code cannot decide, the interpreter
    /// evaluates on values made of them.
    ///
    /// # Errors
    /// As [`NativePlan::eval`].
    pub fn eval_flat(
        &self,
        fragment: &Fragment,
        args: &[Flat],
        env: &dyn FlatEnv,
        meter: &mut Meter,
    ) -> Result<Flat, Trap> {
        match self.eval_flat_native(fragment, args, env, meter) {
            Outcome::Done(result) => result,
            Outcome::Undecided | Outcome::NotCompiled => self.interpret_flat(fragment, args, env, meter),
        }
    }

    fn interpret_flat(
        &self,
        fragment: &Fragment,
        args: &[Flat],
        env: &dyn FlatEnv,
        meter: &mut Meter,
    ) -> Result<Flat, Trap> {
        let malformed = |what| Trap { kind: TrapKind::Malformed(what), expr: fragment.body };
        let args: Option<Vec<Value>> = args.iter().map(Flat::to_value).collect();
        let args = args.ok_or_else(|| malformed("an argument is too large"))?;
        let value = plan_ir::interp::eval(&self.code.body, fragment, &args, &Values(env), meter)?;
        let ty = self.code.body.exprs.ty(fragment.body);
        let ty = ty.ok_or_else(|| malformed("an expression without a type"))?;
        let flat = Shape::new(ty, &self.code.body.types).lay_out(value, ARENA_BYTES_MAX);
        flat.ok_or_else(|| malformed("a value does not have the type of its expression"))
    }

    /// [`NativePlan::eval_flat`] without the interpreter. `meter` is charged only where it comes to a value.
    pub fn eval_flat_native(
        &self,
        fragment: &Fragment,
        args: &[Flat],
        env: &dyn FlatEnv,
        meter: &mut Meter,
    ) -> Outcome<Flat> {
        let Some(entry) = self.entry(fragment) else { return Outcome::NotCompiled };
        if args.len() != fragment.params as usize {
            return Outcome::Undecided;
        }
        let mut cells = SmallVec::<[u64; 16]>::new();
        let mut inputs = SmallVec::<[Flat; 4]>::new();
        for read in &entry.reads {
            let Some(flat) = read.source.read_flat(args, env) else { return Outcome::Undecided };
            if !flat.shape().is(&self.code.layouts, read.repr) {
                return Outcome::Undecided;
            }
            // What is read lies side by side, in this order.
            cells.extend_from_slice(flat.cells());
            inputs.push(flat);
        }
        let values = Values(env);
        let mut run = Run::new(&self.code, &values, self.arena(), meter);
        let mut out = [0; CELLS_MAX as usize];
        // SAFETY: each input has the layout the entry reads, and is held.
        let outcome = unsafe { enter(entry, &cells, &mut run, &mut out) };
        match outcome {
            Some(Ok(())) => {
                let mut counter = Counter::new(&self.code.layouts, &run.meter(), true);
                // SAFETY: the code has written its result, and what it refers to is still there.
                if unsafe { counter.count(entry.result, out.as_ptr()) }.is_err() {
                    self.keep(run.arena);
                    return Outcome::Undecided;
                }
                run.settle(meter, counter.fuel());
                let shape = Shape { layouts: Arc::clone(&self.code.layouts), repr: entry.result };
                let out = out.get(..self.code.layouts.cells(entry.result) as usize).unwrap_or_default();
                if entry.is_plain {
                    self.keep(run.arena);
                    return Outcome::Done(Ok(Flat::plain(shape, out)));
                }
                if entry.result == ReprId::TEXT {
                    // Cheaper than handing the arena over.
                    // SAFETY: the code has written a text, and what it refers to is still there.
                    let flat = Flat::text(shape, unsafe { text(out.as_ptr()) });
                    self.keep(run.arena);
                    return Outcome::Done(Ok(flat));
                }
                let mut stores = Stores::new();
                inputs.iter().for_each(|input| input.add_stores(&mut stores));
                // SAFETY: the cells are the result's, and what they may refer to is handed over with them.
                Outcome::Done(Ok(unsafe { Flat::result(shape, out, run.arena, stores, &self.code) }))
            }
            Some(Err(trap)) => {
                self.keep(run.arena);
                Outcome::Done(Err(trap))
            }
            None => {
                self.keep(run.arena);
                Outcome::Undecided
            }
        }
    }

    /// The layout of values of a type of this plan. Values of another layout table are read, too, but have
    /// to be compared with what is wanted each time.
    #[must_use]
    pub fn shape(&self, ty: &Type) -> Shape {
        match self.code.layouts.known(ty) {
            Some(repr) => Shape { layouts: Arc::clone(&self.code.layouts), repr },
            None => Shape::new(ty, &self.code.body.types),
        }
    }

    fn lay_out(&self, entry: &Entered, inputs: &[Value], arena: &mut Arena) -> Option<SmallVec<[u64; 16]>> {
        let mut cells = SmallVec::from_elem(0_u64, entry.cells as usize);
        let mut writer = Writer { layouts: &self.code.layouts, arena, needs: Some(&self.code.needs) };
        for (read, input) in entry.reads.iter().zip(inputs) {
            let room = cells.get_mut(read.cell as usize..)?.as_mut_ptr();
            // SAFETY: there is room for all that is read, each from its cell on; `inputs` outlives the run.
            unsafe { writer.write(input, read.repr, room) }.ok()?;
        }
        Some(cells)
    }

    fn entry(&self, fragment: &Fragment) -> Option<&Entered> {
        let place = self.entries.binary_search_by_key(&key(fragment), |entry| key(&entry.fragment)).ok()?;
        self.entries.get(place)
    }

    fn arena(&self) -> Box<Arena> {
        let kept = self.arenas.lock().pop();
        kept.unwrap_or_else(|| Box::new(Arena::new(ARENA_BYTES_MAX)))
    }

    fn keep(&self, mut arena: Box<Arena>) {
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

    /// Whether any fragment is compiled.
    pub(crate) const fn has_code(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Where the code of `fragment` starts: for looking at the memory map.
    #[must_use]
    pub fn code_address(&self, fragment: &Fragment) -> Option<usize> {
        self.entry(fragment).map(|entry| entry.entry as usize)
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

/// Runs the code: its result is in `out`, or it trapped. `None` is for the interpreter to decide.
///
/// # Safety
/// The cells are those that the entry reads, and what they refer to lives as long as the run.
unsafe fn enter(
    entry: &Entered,
    cells: &[u64],
    run: &mut Run<'_>,
    out: &mut [u64; CELLS_MAX as usize],
) -> Option<Result<(), Trap>> {
    // SAFETY: the code was compiled for this layout of what it reads; any result has room; and everything
    // that cells refer to lives until after the call.
    let status = unsafe { (entry.entry)(run, cells.as_ptr(), out.as_mut_ptr()) };
    if run.fuel < 0 || run.bytes < 0 {
        return None;
    }
    let at = ExprId(u32::try_from(run.at).unwrap_or(u32::MAX));
    let trap = |kind| Some(Err(Trap { kind, expr: at }));
    match Exit::of(status) {
        None => Some(Ok(())),
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

fn key(fragment: &Fragment) -> (u32, u32, u32) {
    (fragment.body.0, fragment.params, fragment.frame)
}

/// Where an expression finds values from outside, laid out. The counterpart of [`Env`].
pub trait FlatEnv {
    /// The plan's argument at `index`.
    fn param(&self, index: u32) -> Option<Flat>;
    /// The value of a finished node.
    fn node(&self, node: NodeId) -> Option<Flat>;
    /// The current element of an enclosing fan-out.
    fn item(&self, fan_out: NodeId) -> Option<Flat>;
    /// What the taken arm of an enclosing branch bound at position `index`.
    fn bound(&self, branch: NodeId, index: u32) -> Option<Flat>;
}

/// Values that are laid out, for the interpreter.
struct Values<'a>(&'a dyn FlatEnv);

impl Env for Values<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        self.0.param(index)?.to_value()
    }

    fn node(&self, node: NodeId) -> Option<Value> {
        self.0.node(node)?.to_value()
    }

    fn item(&self, fan_out: NodeId) -> Option<Value> {
        self.0.item(fan_out)?.to_value()
    }

    fn bound(&self, branch: NodeId, index: u32) -> Option<Value> {
        self.0.bound(branch, index)?.to_value()
    }
}

fn entered(module: &JITModule, layouts: &Layouts, done: Compiled) -> Entered {
    let address = module.get_finalized_function(done.function);
    // SAFETY: the function was compiled with this signature and is executable now.
    let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
    let Compiled { fragment, reads, cells, result, .. } = done;
    Entered { fragment, entry, reads, cells, result, is_plain: layouts.is_plain(result) }
}
