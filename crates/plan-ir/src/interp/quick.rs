//! The short way to a number or a condition: operators on values that are at hand, where nothing traps.
//!
//! It only reads, and returns a scalar in registers; what it is charged is charged at the end. Wherever anything
//! else comes up it gives up, and the expression is evaluated from its start the long way, which says what
//! happens. It looks only a few levels down, so what is done twice is little.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schema::value::Value;

use super::machine::{Locals, there};
use super::{EVAL_DEPTH_MAX, FRAME_LOCALS_MAX, Machine, arithmetic, is_null, text_steps};
use crate::expr::{BinaryOp, Expr, ExprId, FnId, UnaryOp};
use crate::plan::PlanBody;

/// Operators and calls below each other.
const LEVELS: u32 = 4;

/// Arguments of a function that is called the short way.
const ARGS: usize = 4;

#[derive(Clone, Copy)]
enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
}

impl Scalar {
    #[inline]
    const fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) => Some(Self::Int(*value)),
            Value::Float(value) => Some(Self::Float(*value)),
            _ => None,
        }
    }
}

impl Machine<'_> {
    /// The value of the operator or call at `id`, and its charge, if it can be had the short way.
    #[inline]
    pub(super) fn quick(&mut self, id: ExprId) -> Option<Value> {
        // A level takes at most two of the evaluation's own, its operand included.
        if self.depth + 2 * LEVELS >= EVAL_DEPTH_MAX
            || !matches!(self.body.exprs.get(id)?, Expr::Binary(..) | Expr::Unary(..) | Expr::Apply(..))
        {
            return None;
        }
        let mut quick = Quick { body: self.body, costs: &self.costs, steps: 0 };
        let value = quick.operator(Locals::Frame(&self.frame), LEVELS, id)?;
        let steps = quick.steps;
        // Where there is too little left, nothing is taken.
        self.meter.work(steps).ok()?;
        Some(match value {
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => Value::Int(value),
            Scalar::Float(value) => Value::Float(value),
        })
    }
}

struct Quick<'a> {
    body: &'a PlanBody,
    costs: &'a BTreeMap<ExprId, u64>,
    steps: u64,
}

impl Quick<'_> {
    /// An operand: most are at hand.
    #[inline]
    fn scalar(&mut self, locals: Locals<'_>, levels: u32, id: ExprId) -> Option<Scalar> {
        match there(self.body, locals, id) {
            Some(value) => Scalar::of(value),
            None => self.operator(locals, levels, id),
        }
    }

    fn operator(&mut self, locals: Locals<'_>, levels: u32, id: ExprId) -> Option<Scalar> {
        let levels = levels.checked_sub(1)?;
        match self.body.exprs.get(id)? {
            Expr::Binary(op, left, right) => self.binary(locals, levels, *op, *left, *right),
            Expr::Unary(UnaryOp::Not, operand) => match self.scalar(locals, levels, *operand)? {
                Scalar::Bool(value) => Some(Scalar::Bool(!value)),
                _ => None,
            },
            Expr::Apply(function, args) => self.apply(locals, levels, *function, args),
            _ => None,
        }
    }

    #[inline]
    fn binary(
        &mut self,
        locals: Locals<'_>,
        levels: u32,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    ) -> Option<Scalar> {
        if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual)
            && let Some(left) = there(self.body, locals, left)
            && let Some(right) = there(self.body, locals, right)
        {
            let equal = self.equal(left, right)?;
            return Some(Scalar::Bool(equal == (op == BinaryOp::Equal)));
        }
        let left = self.scalar(locals, levels, left)?;
        match (op, left) {
            (BinaryOp::And, Scalar::Bool(false)) | (BinaryOp::Or, Scalar::Bool(true)) => return Some(left),
            _ => {}
        }
        match (op, left, self.scalar(locals, levels, right)?) {
            (BinaryOp::And | BinaryOp::Or, Scalar::Bool(_), right @ Scalar::Bool(_)) => Some(right),
            (_, Scalar::Int(left), Scalar::Int(right)) => match arithmetic::whole(op, left, right) {
                Some(value) => Some(Scalar::Int(value)),
                None => compared(op, left.cmp(&right)),
            },
            (_, Scalar::Float(left), Scalar::Float(right)) => match arithmetic::real(op, left, right) {
                Some(value) => arithmetic::finite(value).map(Scalar::Float),
                None => compared(op, left.partial_cmp(&right)?),
            },
            _ => None,
        }
    }

    /// What `==` means of texts and scalars, charged as it is.
    fn equal(&mut self, left: &Value, right: &Value) -> Option<bool> {
        let equal = match (left, right) {
            (Value::String(left), Value::String(right)) => {
                let same_length = left.len() == right.len();
                if same_length {
                    self.steps = self.steps.checked_add(text_steps(left.len() as u64))?;
                }
                same_length && left == right
            }
            (Value::Int(left), Value::Int(right)) => left == right,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Null, other) | (other, Value::Null) => is_null(other),
            _ => return None,
        };
        self.steps = self.steps.checked_add(1)?;
        Some(equal)
    }

    /// A call whose arguments are at hand needs no frame. A function that was not called yet has no cost yet.
    fn apply(&mut self, locals: Locals<'_>, levels: u32, function: FnId, args: &[ExprId]) -> Option<Scalar> {
        let fragment = &self.body.functions.get(function.0 as usize)?.fragment;
        if args.len() != fragment.params as usize
            || !(fragment.params..=FRAME_LOCALS_MAX).contains(&fragment.frame)
        {
            return None;
        }
        let mut values = [&Value::Null; ARGS];
        for (place, arg) in args.iter().enumerate() {
            *values.get_mut(place)? = there(self.body, locals, *arg)?;
        }
        let entered = self.costs.get(&fragment.body)?.checked_add(u64::from(fragment.frame))?;
        self.steps = self.steps.checked_add(entered)?;
        self.scalar(Locals::Args(values.get(..args.len())?), levels, fragment.body)
    }
}

const fn compared(op: BinaryOp, order: Ordering) -> Option<Scalar> {
    Some(Scalar::Bool(match op {
        BinaryOp::Less => order.is_lt(),
        BinaryOp::LessEqual => order.is_le(),
        BinaryOp::Greater => order.is_gt(),
        BinaryOp::GreaterEqual => order.is_ge(),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use schema::types::Type;

    use super::super::{Meter, NoEnv, Trap};
    use super::*;
    use crate::program::Program;

    /// `wanted(r)` with `fn wanted(r) = r.0 + 1 > 40 && r.1 == text`, of a record that is a constant.
    fn wanted(number: i64, lang: Value, text: &str) -> (Program, ExprId) {
        let mut program = Program::new();
        let record = program.local();
        let field = |program: &mut Program, index, ty| {
            let record = program.read(record, Type::INT);
            program.add(Expr::Field { record, index, optional: false }, ty)
        };
        let (score, one) = (field(&mut program, 0, Type::INT), program.constant(1));
        let score = program.binary(BinaryOp::Add, score, one);
        let most = program.constant(40);
        let more = program.binary(BinaryOp::Greater, score, most);
        let (lang_of, text) = (field(&mut program, 1, Type::STRING), program.constant(text));
        let same = program.binary(BinaryOp::Equal, lang_of, text);
        let both = program.binary(BinaryOp::And, more, same);
        let function = program.function(1, both);
        let record = program.constant((Value::record([Value::Int(number), lang]), Type::INT));
        let call = program.add(Expr::Apply(function, vec![record]), Type::Bool);
        (program, call)
    }

    /// The value and what is left, at a depth where the short way is taken or is not; after a first call, which
    /// is what fills in the costs.
    fn evaluate(program: &Program, id: ExprId, depth: u32, fuel: u64) -> (Result<Value, Trap>, Meter) {
        let (mut first, mut meter) = (Meter::default(), Meter::new(fuel, 1_000));
        let mut machine = Machine::new(&program.body, &NoEnv, &mut first);
        let _ = machine.value(id);
        let costs = machine.costs;
        let mut machine = Machine::new(&program.body, &NoEnv, &mut meter);
        (machine.costs, machine.depth) = (costs, depth);
        let value = machine.value(id);
        (value, meter)
    }

    #[test]
    fn the_short_way_gives_and_charges_what_the_long_one_does() {
        let long = "en".repeat(40);
        for (number, lang, text, expected) in [
            (50, Value::string("en"), "en", Some(true)),
            (50, Value::string("de"), "en", Some(false)),
            (50, Value::Null, "en", Some(false)),
            (39, Value::string("en"), "en", Some(false)),
            (50, Value::string(long.as_str()), long.as_str(), Some(true)),
            (i64::MAX, Value::Null, "en", None),
        ] {
            let (program, call) = wanted(number, lang, text);
            for fuel in 0..40 {
                let short = evaluate(&program, call, 0, fuel);
                let long = evaluate(&program, call, EVAL_DEPTH_MAX - 2 * LEVELS, fuel);
                assert_eq!(short, long, "{number} {text} with {fuel} steps");
            }
            let value = evaluate(&program, call, 0, 40).0.ok();
            assert_eq!(value, expected.map(Value::Bool), "{number} {text}");
        }
    }

    #[test]
    fn it_is_taken_where_nothing_traps() {
        let (program, call) = wanted(50, Value::string("en"), "en");
        let mut meter = Meter::default();
        let mut machine = Machine::new(&program.body, &NoEnv, &mut meter);
        assert_eq!(machine.quick(call), None, "what a call costs is not known yet");
        assert_eq!(machine.value(call), Ok(Value::Bool(true)));
        assert_eq!(machine.quick(call), Some(Value::Bool(true)));
        machine.depth = EVAL_DEPTH_MAX - 2 * LEVELS;
        assert_eq!(machine.quick(call), None, "a level may be one too many");
    }
}
