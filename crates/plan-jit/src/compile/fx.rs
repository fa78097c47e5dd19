//! One function while its code is emitted: blocks, locals, the meter, helpers and ways out.

use std::collections::BTreeMap;
use std::sync::Arc;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, FuncRef, InstBuilder as _, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_frontend::{FunctionBuilder, Variable};
use plan_ir::expr::{ExprId, LocalId};

use super::val::{CELLS, Val};
use super::{Refused, Unit};
use crate::helper::Helper;
use crate::layout::ReprId;
use crate::run::{Exit, offset};

/// Nesting of emitted expressions.
const NEST_MAX: u32 = 1_000;
/// Expressions emitted in one function, shared operands counted each time.
const EMITTED_MAX: u32 = 20_000;
/// Cells of one function's frame.
const FRAME_CELLS_MAX: u32 = 1_024;

/// A local that is bound.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) val: Val,
    pub(super) repr: ReprId,
}

/// A function that is being emitted.
pub(super) struct Fx<'u, 'p, 'b> {
    pub(super) b: FunctionBuilder<'b>,
    pub(super) unit: &'u mut Unit<'p>,
    pub(super) run: Value,
    pub(super) args: Value,
    fuel: Variable,
    bytes: Variable,
    /// Takes the exit's code.
    exit: Block,
    pub(super) locals: BTreeMap<LocalId, Bound>,
    /// Locals of the fragment that is being emitted.
    pub(super) frame: u32,
    /// Whether things happen in the interpreter's order. Where they do not, a trap is for it to tell.
    pub(super) ordered: bool,
    /// What is to be charged whenever the block is entered, summed up by whoever emits the block.
    pub(super) owed: Option<(Block, u64)>,
    /// Functions that are being emitted in place of their calls.
    pub(super) inlined: u32,
    /// Whether what the fragment reads from outside can be read here.
    pub(super) sees_inputs: bool,
    nest: u32,
    emitted: u32,
    frame_cells: u32,
    helpers: BTreeMap<Helper, FuncRef>,
    /// Short texts that are known, by the register with their address.
    pub(super) known_texts: BTreeMap<Value, Arc<str>>,
}

impl<'u, 'p, 'b> Fx<'u, 'p, 'b> {
    /// Starts a function whose parameters are the run, its arguments and where its result goes. The
    /// meter is read into registers.
    pub(super) fn new(
        mut b: FunctionBuilder<'b>,
        unit: &'u mut Unit<'p>,
        frame: u32,
    ) -> Result<Self, Refused> {
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        b.seal_block(entry);
        let [run, args, _] = b.block_params(entry) else {
            return Err(Refused::Malformed("a function has three parameters"));
        };
        let (run, args) = (*run, *args);
        let exit = b.create_block();
        b.append_block_param(exit, types::I32);
        b.set_cold_block(exit);
        let (fuel, bytes) = (b.declare_var(types::I64), b.declare_var(types::I64));
        let mut fx = Self {
            b,
            unit,
            run,
            args,
            fuel,
            bytes,
            exit,
            locals: BTreeMap::new(),
            frame,
            ordered: true,
            owed: None,
            inlined: 0,
            sees_inputs: true,
            nest: 0,
            emitted: 0,
            frame_cells: 0,
            helpers: BTreeMap::new(),
            known_texts: BTreeMap::new(),
        };
        fx.reload();
        Ok(fx)
    }

    /// Writes the result and ends the function.
    pub(super) fn finish(mut self, val: &Val, repr: ReprId, out: Value) -> Result<(), Refused> {
        self.store(val, repr, super::val::Place::new(out, 0))?;
        self.flush();
        let ok = self.b.ins().iconst(types::I32, 0);
        self.b.ins().return_(&[ok]);
        self.b.switch_to_block(self.exit);
        self.b.seal_block(self.exit);
        let code = self.b.block_params(self.exit).first().copied();
        self.flush();
        self.b.ins().return_(&[code.ok_or(Refused::Malformed("an exit has a code"))?]);
        self.b.seal_all_blocks();
        let config = self.unit.frontend_config();
        self.b.finalize(config);
        Ok(())
    }

    /// Counts an expression that is being emitted, and the ones around it.
    pub(super) fn enter(&mut self) -> Result<(), Refused> {
        self.nest += 1;
        self.emitted += 1;
        if self.nest > NEST_MAX || self.emitted > EMITTED_MAX {
            return Err(Refused::Limit("an expression is too large"));
        }
        Ok(())
    }

    pub(super) const fn leave(&mut self) {
        self.nest -= 1;
    }

    /// Goes on in a block that is reached only from what was emitted so far.
    pub(super) fn continue_in(&mut self, block: Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    pub(super) fn int(&mut self, value: i64) -> Value {
        self.b.ins().iconst(types::I64, value)
    }

    pub(super) fn frame_room(&mut self, cells: u32) -> Result<Value, Refused> {
        self.frame_cells += cells;
        if self.frame_cells > FRAME_CELLS_MAX {
            return Err(Refused::Limit("a function needs too large a frame"));
        }
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, cells.max(1) * 8, 3);
        let slot = self.b.create_sized_stack_slot(data);
        Ok(self.b.ins().stack_addr(types::I64, slot, 0))
    }

    // The meter.

    fn flush(&mut self) {
        let (fuel, bytes) = (self.b.use_var(self.fuel), self.b.use_var(self.bytes));
        self.b.ins().store(CELLS, fuel, self.run, offset::FUEL);
        self.b.ins().store(CELLS, bytes, self.run, offset::BYTES);
    }

    fn reload(&mut self) {
        let fuel = self.b.ins().load(types::I64, CELLS, self.run, offset::FUEL);
        let bytes = self.b.ins().load(types::I64, CELLS, self.run, offset::BYTES);
        self.b.def_var(self.fuel, fuel);
        self.b.def_var(self.bytes, bytes);
    }

    /// Charges steps. Looked at when a loop is entered and when the evaluation ends: in between, what
    /// runs is bounded by the size of the code.
    pub(super) fn charge(&mut self, steps: u64) {
        let here = self.b.current_block();
        if let Some((block, owed)) = &mut self.owed
            && here == Some(*block)
        {
            *owed = owed.saturating_add(steps);
        } else if steps > 0 {
            let fuel = self.b.use_var(self.fuel);
            let left = self.b.ins().iadd_imm_s(fuel, -i64::try_from(steps).unwrap_or(i64::MAX));
            self.b.def_var(self.fuel, left);
        }
    }

    pub(super) fn charge_value(&mut self, steps: Value) {
        let fuel = self.b.use_var(self.fuel);
        let left = self.b.ins().isub(fuel, steps);
        self.b.def_var(self.fuel, left);
    }

    /// Charges `each` steps for `times`.
    pub(super) fn charge_times(&mut self, each: u64, times: Value) {
        let steps = match each {
            0 => return,
            1 => times,
            _ => self.b.ins().imul_imm_s(times, i64::try_from(each).unwrap_or(i64::MAX)),
        };
        self.charge_value(steps);
    }

    pub(super) fn charge_bytes(&mut self, count: Value) {
        let bytes = self.b.use_var(self.bytes);
        let left = self.b.ins().isub(bytes, count);
        self.b.def_var(self.bytes, left);
    }

    /// Charges for a new list, record or map of `count` parts.
    pub(super) fn charge_parts(&mut self, count: Value) {
        let bytes = self.b.ins().ishl_imm_u(count, 4);
        self.charge_bytes(bytes);
    }

    pub(super) fn charge_known_parts(&mut self, count: usize) {
        let count = self.int(i64::try_from(count).unwrap_or(i64::MAX >> 8) << 4);
        self.charge_bytes(count);
    }

    /// Charges for going through `length` bytes of text.
    pub(super) fn charge_scan(&mut self, length: Value) {
        let steps = self.b.ins().ushr_imm_u(length, 5);
        self.charge_value(steps);
    }

    /// Charges for `length` bytes of new text.
    pub(super) fn charge_text(&mut self, length: Value) {
        self.charge_scan(length);
        self.charge_bytes(length);
    }

    /// Leaves where more steps were used than there were.
    pub(super) fn check_fuel(&mut self) {
        let fuel = self.b.use_var(self.fuel);
        let out = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, fuel, 0);
        self.exit_if(out, Exit::Interpret, None);
    }

    // Ways out.

    /// Leaves with `exit` at expression `at` where `condition` holds.
    pub(super) fn trap_if(&mut self, condition: Value, exit: Exit, at: ExprId) {
        self.exit_if(condition, exit, Some((at, None)));
    }

    pub(super) fn index_trap_if(&mut self, condition: Value, at: ExprId, index: Value, length: Value) {
        self.exit_if(condition, Exit::Index, Some((at, Some([index, length]))));
    }

    fn exit_if(&mut self, condition: Value, exit: Exit, at: Option<(ExprId, Option<[Value; 2]>)>) {
        let (out, go_on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(out);
        self.b.ins().brif(condition, out, &[], go_on, &[]);
        self.continue_in(out);
        if let (Some((at, detail)), true) = (at, self.ordered) {
            let at = self.int(i64::from(at.0));
            self.b.ins().store(CELLS, at, self.run, offset::AT);
            for (value, place) in detail.into_iter().flatten().zip([offset::DETAIL, offset::DETAIL + 8]) {
                self.b.ins().store(CELLS, value, self.run, place);
            }
        }
        let exit = if self.ordered { exit } else { Exit::Interpret };
        let code = self.b.ins().iconst(types::I32, exit.code());
        self.b.ins().jump(self.exit, &[BlockArg::from(code)]);
        self.continue_in(go_on);
    }

    /// Leaves the function; what follows is never reached.
    pub(super) fn leave_to_interpreter(&mut self) {
        let code = self.b.ins().iconst(types::I32, Exit::Interpret.code());
        self.b.ins().jump(self.exit, &[BlockArg::from(code)]);
        let unreached = self.b.create_block();
        self.continue_in(unreached);
    }

    /// The body of a function that cannot be compiled.
    pub(super) fn left_to_interpreter(&mut self) -> Result<(Val, ReprId), Refused> {
        self.leave_to_interpreter();
        let never = self.b.ins().iconst(types::I8, 0);
        Ok((Val::One(never), ReprId::BOOL))
    }

    /// Leaves with the code in `status` where it is not 0.
    pub(super) fn unless_ok(&mut self, status: Option<Value>) -> Result<(), Refused> {
        let status = status.ok_or(Refused::Malformed("a helper tells how it went"))?;
        let (out, go_on) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(out);
        self.b.ins().brif(status, out, &[], go_on, &[]);
        self.continue_in(out);
        let code =
            if self.ordered { status } else { self.b.ins().iconst(types::I32, Exit::Interpret.code()) };
        self.b.ins().jump(self.exit, &[BlockArg::from(code)]);
        self.continue_in(go_on);
        Ok(())
    }

    // Helpers.

    /// Calls a helper with the run and `args`. Helpers that charge see the meter and change it.
    pub(super) fn call(&mut self, helper: Helper, args: &[Value]) -> Option<Value> {
        let function = match self.helpers.get(&helper) {
            Some(function) => *function,
            None => {
                let function = self.unit.import(helper, self.b.func);
                self.helpers.insert(helper, function);
                function
            }
        };
        let with_run: Vec<Value> = std::iter::once(self.run).chain(args.iter().copied()).collect();
        if helper.is_metered() {
            self.flush();
        }
        let call = self.b.ins().call(function, if helper.takes_run() { &with_run } else { args });
        let result = self.b.inst_results(call).first().copied();
        if helper.is_metered() {
            self.reload();
        }
        result
    }

    /// Calls a function of the plan.
    pub(super) fn call_function(
        &mut self,
        function: FuncRef,
        args: Value,
        out: Value,
    ) -> Result<(), Refused> {
        self.flush();
        let call = self.b.ins().call(function, &[self.run, args, out]);
        let status = self.b.inst_results(call).first().copied();
        self.reload();
        self.unless_ok(status)
    }

    /// The two cells that a helper hands back.
    pub(super) fn handed(&mut self) -> Val {
        Val::Two(
            self.b.ins().load(types::I64, CELLS, self.run, offset::OUT),
            self.b.ins().load(types::I64, CELLS, self.run, offset::OUT + 8),
        )
    }

    /// Room in the arena.
    pub(super) fn allocate(&mut self, cells: u32) -> Result<Value, Refused> {
        let cells = self.int(i64::from(cells));
        self.allocate_value(cells)
    }

    pub(super) fn allocate_value(&mut self, cells: Value) -> Result<Value, Refused> {
        let room = self.call(Helper::Allocate, &[cells]).ok_or(Refused::Malformed("an address"))?;
        let full = self.b.ins().icmp_imm_s(IntCC::Equal, room, 0);
        self.exit_if(full, Exit::Interpret, None);
        Ok(room)
    }

    // Locals.

    /// Binds a local until [`Fx::unbind`]. The interpreter has one slot per local, so one that is bound
    /// while it is bound would be seen after its end.
    pub(super) fn bind(&mut self, local: LocalId, val: Val, repr: ReprId) -> Result<(), Refused> {
        if local.0 >= self.frame {
            return Err(Refused::Malformed("a local outside its frame"));
        }
        match self.locals.insert(local, Bound { val, repr }) {
            None => Ok(()),
            Some(_) => Err(Refused::Malformed("a local is bound twice")),
        }
    }

    pub(super) fn unbind(&mut self, local: LocalId) {
        self.locals.remove(&local);
    }
}

/// A block where values of one representation come together.
#[derive(Debug)]
pub(super) struct Join {
    block: Block,
    repr: ReprId,
    stable: bool,
}

impl Fx<'_, '_, '_> {
    pub(super) fn join(&mut self, repr: ReprId) -> Join {
        let block = self.b.create_block();
        for ty in self.shape(repr) {
            self.b.append_block_param(block, ty);
        }
        Join { block, repr, stable: true }
    }

    /// Ends the current block with `val` as the value.
    pub(super) fn join_with(&mut self, join: &mut Join, val: &Val) -> Result<(), Refused> {
        let (values, stable) = self.explode(val, join.repr)?;
        join.stable &= stable;
        let values: Vec<BlockArg> = values.into_iter().map(BlockArg::from).collect();
        self.b.ins().jump(join.block, &values);
        Ok(())
    }

    /// Goes on where the values come together.
    pub(super) fn joined(&mut self, join: &Join) -> Result<Val, Refused> {
        self.continue_in(join.block);
        let values = self.b.block_params(join.block).to_vec();
        self.implode(&values, join.repr, join.stable)
    }
}
