//! Loops. A chain of library functions over one list is one loop: each element goes through all of them
//! before the next one is read, and no list in between is made.
//!
//! What the interpreter would have charged for the lists in between is charged all the same. It runs one
//! function to its end before it starts the next, so where a function that is not the first of its loop
//! traps, the interpreter might have met something else before: there it is asked.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder as _, Value, types};
use cranelift_frontend::Variable;
use plan_ir::builtin::Builtin;
use plan_ir::expr::{Expr, ExprId, Lambda, LocalId};
use schema::value::Value as Constant;

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::table::{Table, Way};
use super::val::{Place, STEP, Val};
use crate::layout::ReprId;

/// A list and what is done with each of its elements.
#[derive(Debug)]
pub(super) struct Pipeline<'p> {
    /// The list.
    source: ExprId,
    stages: Vec<Stage<'p>>,
}

#[derive(Debug)]
struct Stage<'p> {
    id: ExprId,
    kind: Kind<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Kind<'p> {
    Filter(&'p Lambda),
    Map(&'p Lambda),
    Take(i64),
}

/// How many elements come out of a stage.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    /// All of the list.
    All,
    /// As many as were counted in the loop.
    Counted(Variable),
}

/// A pipeline whose list is evaluated.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) start: Value,
    /// Elements of the list.
    pub(super) length: Value,
    pub(super) element: ReprId,
    /// What comes out of each stage.
    counts: Vec<Count>,
    /// Counts of [`Kind::Take`], by stage.
    taken: Vec<Option<Variable>>,
}

/// Where a loop goes on and where it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loop {
    pub(super) next: Block,
    pub(super) done: Block,
}

/// What is emitted for each element that comes out of a pipeline.
type Visit<'v, 'u, 'p, 'b> = dyn FnMut(&mut Fx<'u, 'p, 'b>, &Val, ReprId, Loop) -> Result<(), Refused> + 'v;

impl<'p> Pipeline<'p> {
    /// Whether something comes in between the list and whoever asks.
    pub(super) fn is_direct(&self) -> bool {
        self.stages.is_empty()
    }
}

impl<'u, 'p, 'b> Fx<'u, 'p, 'b> {
    /// The longest chain that ends in the list at `id` and can be one loop. `sink` is the lambda of what
    /// comes next in the same loop.
    pub(super) fn pipeline(&mut self, id: ExprId, sink: Option<&Lambda>) -> Result<Pipeline<'p>, Refused> {
        let (mut stages, mut source) = (Vec::new(), id);
        while let Some((kind, list)) = self.stage_at(source)? {
            stages.push(Stage { id: source, kind });
            source = list;
        }
        stages.reverse();
        // What looks at the meter has to be the first of its loop.
        let mut first = 0;
        for (place, stage) in stages.iter().enumerate() {
            if let Kind::Filter(lambda) | Kind::Map(lambda) = stage.kind
                && self.unit.table.facts(lambda.body)?.peeks
            {
                first = place;
            }
        }
        if let Some(sink) = sink
            && self.unit.table.facts(sink.body)?.peeks
        {
            first = stages.len();
        }
        let later = stages.split_off(first);
        if let Some(last) = stages.pop() {
            source = last.id;
        }
        Ok(Pipeline { source, stages: later })
    }

    fn stage_at(&self, id: ExprId) -> Result<Option<(Kind<'p>, ExprId)>, Refused> {
        let table = &self.unit.table;
        if table.way(id)? != Way::Native {
            return Ok(None);
        }
        let Expr::Builtin { op, args, lambda } = table.expr(id)? else { return Ok(None) };
        Ok(match (op, args.as_slice(), lambda) {
            (Builtin::Filter, [list], Some(lambda)) => Some((Kind::Filter(lambda), *list)),
            (Builtin::Map, [list], Some(lambda)) => Some((Kind::Map(lambda), *list)),
            // A list that is there is cut without a loop.
            (Builtin::Take, [list, n], None) => match table.expr(*n)? {
                Expr::Const(Constant::Int(n))
                    if table.layouts.element(table.repr(*list)?).is_some()
                        && self.stage_at(*list)?.is_some() =>
                {
                    Some((Kind::Take(*n), *list))
                }
                _ => None,
            },
            _ => None,
        })
    }

    /// Whether leaving the loop early cannot be told from running it to its end: nothing was charged or
    /// could have trapped for the elements that are left out, and their number is known.
    pub(super) fn may_stop(&mut self, pipeline: &Pipeline<'p>) -> Result<bool, Refused> {
        for stage in &pipeline.stages {
            match stage.kind {
                Kind::Map(lambda) if self.unit.table.facts(lambda.body)?.silent() => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Evaluates the list, and charges what is known before the loop starts.
    pub(super) fn open(&mut self, pipeline: &Pipeline<'p>, sink: Option<&Lambda>) -> Result<Open, Refused> {
        let (list, repr) = self.own_value(pipeline.source)?;
        self.open_value(&list, repr, &pipeline.stages, sink)
    }

    /// A list that is there, with nothing between it and `sink`.
    pub(super) fn open_list(
        &mut self,
        list: &Val,
        repr: ReprId,
        sink: Option<&Lambda>,
    ) -> Result<Open, Refused> {
        self.open_value(list, repr, &[], sink)
    }

    fn open_value(
        &mut self,
        list: &Val,
        repr: ReprId,
        stages: &[Stage<'p>],
        sink: Option<&Lambda>,
    ) -> Result<Open, Refused> {
        let (start, length) = Self::two(list)?;
        let element = self.element(repr)?;
        let (mut counts, mut taken) = (Vec::new(), Vec::new());
        let mut count = Count::All;
        let mut loops = false;
        for stage in stages {
            taken.push(None);
            match stage.kind {
                Kind::Filter(lambda) | Kind::Map(lambda) => {
                    loops = true;
                    if matches!(count, Count::All) {
                        let cost = self.unit.table.facts(lambda.body)?.cost;
                        self.charge_times(cost, length);
                    }
                }
                Kind::Take(_) => {
                    if let Some(taken) = taken.last_mut() {
                        *taken = Some(self.counter());
                    }
                }
            }
            if !matches!(stage.kind, Kind::Map(_)) {
                count = Count::Counted(self.counter());
            }
            counts.push(count);
        }
        if let (Some(sink), Count::All) = (sink, count) {
            loops = true;
            let cost = self.unit.table.facts(sink.body)?.cost;
            self.charge_times(cost, length);
        }
        if loops {
            self.check_fuel();
        }
        Ok(Open { start, length, element, counts, taken })
    }

    fn counter(&mut self) -> Variable {
        let counter = self.b.declare_var(types::I64);
        let zero = self.int(0);
        self.b.def_var(counter, zero);
        counter
    }

    /// How many elements came out; known when the loop has ended.
    pub(super) fn count(&mut self, open: &Open) -> Value {
        self.count_of(open.counts.last().copied().unwrap_or(Count::All), open)
    }

    fn count_of(&mut self, count: Count, open: &Open) -> Value {
        match count {
            Count::All => open.length,
            Count::Counted(counter) => self.b.use_var(counter),
        }
    }

    /// Emits the loop.
    pub(super) fn each(
        &mut self,
        pipeline: &Pipeline<'p>,
        open: &Open,
        sink: Option<&Lambda>,
        visit: &mut Visit<'_, 'u, 'p, 'b>,
    ) -> Result<(), Refused> {
        let owed = self.emit_loop(&pipeline.stages, open, visit)?;
        self.charge_after(pipeline, open, &owed, sink)
    }

    /// Emits a loop with nothing between the list and `visit`.
    pub(super) fn each_of(&mut self, open: &Open, visit: &mut Visit<'_, 'u, 'p, 'b>) -> Result<(), Refused> {
        self.emit_loop(&[], open, visit).map(drop)
    }

    fn emit_loop(
        &mut self,
        stages: &[Stage<'p>],
        open: &Open,
        visit: &mut Visit<'_, 'u, 'p, 'b>,
    ) -> Result<Vec<u64>, Refused> {
        let cells = self.unit.table.layouts.cells(open.element);
        let stride = i64::from(cells) * i64::from(STEP);
        let size = self.b.ins().imul_imm_s(open.length, stride);
        let end = self.b.ins().iadd(open.start, size);
        let (body, next, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let at = self.b.append_block_param(body, types::I64);
        let empty = self.b.ins().icmp_imm_u(IntCC::Equal, open.length, 0);
        self.b.ins().brif(empty, done, &[], body, &[BlockArg::from(open.start)]);
        self.b.switch_to_block(body);
        let element = self.load(open.element, Place::element(at));
        let owed = self.through(stages, open, (element, open.element), Loop { next, done }, visit)?;
        self.b.ins().jump(next, &[]);
        self.continue_in(next);
        let following = self.b.ins().iadd_imm_s(at, stride);
        let more = self.b.ins().icmp(IntCC::NotEqual, following, end);
        self.b.ins().brif(more, body, &[BlockArg::from(following)], done, &[]);
        self.b.seal_block(body);
        self.continue_in(done);
        Ok(owed)
    }

    /// One element's way through the stages, and then to `visit`. What each stage charges for every element
    /// that enters it, and has not charged.
    fn through(
        &mut self,
        stages: &[Stage<'p>],
        open: &Open,
        element: Typed,
        around: Loop,
        visit: &mut Visit<'_, 'u, 'p, 'b>,
    ) -> Result<Vec<u64>, Refused> {
        let (mut val, mut repr) = element;
        let mut owed = Vec::with_capacity(stages.len());
        let ordered = self.ordered;
        for ((stage, count), taken) in stages.iter().zip(&open.counts).zip(&open.taken) {
            match stage.kind {
                Kind::Filter(lambda) => {
                    let go_on = self.b.create_block();
                    let param =
                        Table::param(lambda).ok_or(Refused::Malformed("a lambda takes one argument"))?;
                    self.bind(param, val.clone(), repr)?;
                    owed.push(self.owing(lambda.body, |fx| fx.branch(lambda.body, go_on, around.next))?.1);
                    self.unbind(param);
                    self.continue_in(go_on);
                }
                Kind::Map(lambda) => {
                    let made = self.unit.table.layouts.element(self.unit.table.repr(stage.id)?);
                    let made = made.ok_or(Refused::Malformed("a list"))?;
                    let (result, each) = self.owing(lambda.body, |fx| fx.applied(lambda, val, repr, made))?;
                    (val, repr) = (result, made);
                    owed.push(each);
                }
                Kind::Take(n) => {
                    let counter = taken.ok_or(Refused::Malformed("a count"))?;
                    let seen = self.increased(counter);
                    let passes = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, seen, n);
                    self.pass_if(passes, around.next);
                    owed.push(0);
                }
            }
            if let (Kind::Filter(_) | Kind::Take(_), Count::Counted(counter)) = (stage.kind, count) {
                self.increased(*counter);
            }
            self.ordered = false;
        }
        visit(self, &val, repr, around)?;
        self.ordered = ordered;
        Ok(owed)
    }

    /// Emits the body of a lambda. What it charges whichever way it goes is not charged yet, but told.
    fn owing<T>(
        &mut self,
        body: ExprId,
        emit: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<(T, u64), Refused> {
        // A trap that is native code's own comes only where the meter has not run out before.
        let now = self.ordered && self.unit.table.facts(body)?.traps;
        let own = self.b.current_block().filter(|_| !now).map(|block| (block, 0));
        let around = std::mem::replace(&mut self.owed, own);
        let result = emit(self)?;
        let owed = std::mem::replace(&mut self.owed, around);
        Ok((result, owed.map_or(0, |(_, steps)| steps)))
    }

    /// Adds 1 to a counter; what it was.
    fn increased(&mut self, counter: Variable) -> Value {
        let count = self.b.use_var(counter);
        let more = self.b.ins().iadd_imm_s(count, 1);
        self.b.def_var(counter, more);
        count
    }

    fn pass_if(&mut self, condition: Value, next: Block) {
        let go_on = self.b.create_block();
        self.b.ins().brif(condition, go_on, &[], next, &[]);
        self.continue_in(go_on);
    }

    /// The value of a lambda's body for an element.
    pub(super) fn applied(
        &mut self,
        lambda: &Lambda,
        val: Val,
        repr: ReprId,
        want: ReprId,
    ) -> Result<Val, Refused> {
        let param: LocalId = Table::param(lambda).ok_or(Refused::Malformed("a lambda takes one argument"))?;
        self.bind(param, val, repr)?;
        let result = self.value(lambda.body, want)?;
        self.unbind(param);
        Ok(result)
    }

    /// What could not be charged before the counts were known, and the lists the interpreter makes.
    fn charge_after(
        &mut self,
        pipeline: &Pipeline<'p>,
        open: &Open,
        owed: &[u64],
        sink: Option<&Lambda>,
    ) -> Result<(), Refused> {
        let mut before = Count::All;
        for ((stage, after), owed) in pipeline.stages.iter().zip(&open.counts).zip(owed) {
            let entered = self.count_of(before, open);
            match stage.kind {
                Kind::Filter(lambda) | Kind::Map(lambda) => {
                    let late = matches!(before, Count::Counted(_));
                    let cost = if late { self.unit.table.facts(lambda.body)?.cost } else { 0 };
                    self.charge_times(cost.saturating_add(*owed), entered);
                }
                Kind::Take(_) => self.charge_value(entered),
            }
            let made = self.count_of(*after, open);
            self.charge_parts(made);
            before = *after;
        }
        if let (Some(sink), Count::Counted(_)) = (sink, before) {
            let cost = self.unit.table.facts(sink.body)?.cost;
            let entered = self.count_of(before, open);
            self.charge_times(cost, entered);
        }
        Ok(())
    }
}
