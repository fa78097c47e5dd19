//! The short way through a list: a lambda made ready once, for all its elements.
//!
//! What it reads is found before the loop, functions it calls are put in their place, and a number or a condition
//! stays in registers. It only reads; what it is charged is charged at the end of each element. Wherever anything
//! else comes up it gives up, and the element is evaluated from its start the long way, which says what happens.

use schema::value::Value;

use super::{EVAL_DEPTH_MAX, FRAME_LOCALS_MAX, Machine, Meter, arithmetic, is_null, text_steps};
use crate::expr::{BinaryOp, Expr, ExprId, Fragment, LocalId, UnaryOp};

/// Operators, branches and calls below each other.
const LEVELS: u32 = 8;

/// Elements below which making a lambda ready takes longer than it saves.
const ELEMENTS_MIN: usize = 4;

/// A lambda that is ready.
pub(super) struct Quick<'a>(Node<'a>);

enum Node<'a> {
    Place(Place<'a>),
    Known(Scalar),
    Not(Box<Self>),
    /// `&&`, which `false` decides, or `||`, which `true` does.
    Logic {
        decides: bool,
        operands: Box<[Self; 2]>,
    },
    Compare(BinaryOp, Box<[Self; 2]>),
    Arithmetic(BinaryOp, Box<[Self; 2]>),
    /// `==` of what is at hand, or `!=` where `holds` is false.
    Equal {
        operands: [Place<'a>; 2],
        holds: bool,
    },
    /// The body of a function, and what it is charged to enter it.
    Call(u64, Box<Self>),
    /// Condition and branches.
    If(Box<[Self; 3]>),
}

/// Where a value is at hand.
#[derive(Clone, Copy)]
enum Place<'a> {
    Const(&'a Value),
    Item,
    ItemField(usize),
    Local(usize),
    LocalField(usize, usize),
}

/// What there is for one element.
#[derive(Clone, Copy)]
struct Here<'v> {
    item: &'v Value,
    frame: &'v [Value],
}

/// A condition or number. Of a form that fits two registers, as an enum of these would not.
#[derive(Clone, Copy)]
struct Scalar {
    kind: Kind,
    bits: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Float,
}

/// What locals stand for: the element and the frame around the lambda, or the arguments of a function.
#[derive(Clone, Copy)]
enum Locals<'p, 'a> {
    Lambda(LocalId),
    Args(&'p [Place<'a>]),
}

impl<'a> Machine<'a> {
    /// Makes a lambda ready for `count` elements, if it is simple enough.
    pub(super) fn quick(&mut self, param: LocalId, body: ExprId, count: usize) -> Option<Quick<'a>> {
        // A level takes at most two of the evaluation's own, its operand included.
        if count < ELEMENTS_MIN || self.depth + 2 * LEVELS >= EVAL_DEPTH_MAX {
            return None;
        }
        self.frame.get(param.0 as usize)?;
        self.node(Locals::Lambda(param), LEVELS, body).map(Quick)
    }

    fn node(&mut self, locals: Locals<'_, 'a>, levels: u32, id: ExprId) -> Option<Node<'a>> {
        let expr = self.body.exprs.get(id)?;
        if let Some(place) = self.place(locals, expr) {
            return Some(Node::Place(place));
        }
        let levels = levels.checked_sub(1)?;
        let mut node = |id| self.node(locals, levels, id);
        Some(match expr {
            Expr::Unary(UnaryOp::Not, operand) => Node::Not(Box::new(node(*operand)?)),
            Expr::Binary(op @ (BinaryOp::Equal | BinaryOp::NotEqual), left, right) => {
                let (Node::Place(left), Node::Place(right)) = (node(*left)?, node(*right)?) else {
                    return None;
                };
                Node::Equal { operands: [left, right], holds: *op == BinaryOp::Equal }
            }
            Expr::Binary(op, left, right) => {
                let operands = Box::new([node(*left)?.known(), node(*right)?.known()]);
                match op {
                    BinaryOp::And | BinaryOp::Or => Node::Logic { decides: *op == BinaryOp::Or, operands },
                    BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                        Node::Compare(*op, operands)
                    }
                    BinaryOp::Coalesce => return None,
                    _ => Node::Arithmetic(*op, operands),
                }
            }
            Expr::If { condition, then, otherwise } => {
                Node::If(Box::new([node(*condition)?, node(*then)?, node(*otherwise)?]))
            }
            Expr::Apply(function, args) => {
                let fragment = self.body.functions.get(function.0 as usize)?.fragment;
                self.call_of(locals, levels, fragment, args)?
            }
            _ => return None,
        })
    }

    /// A call whose arguments are at hand needs no frame.
    fn call_of(
        &mut self,
        locals: Locals<'_, 'a>,
        levels: u32,
        fragment: Fragment,
        args: &[ExprId],
    ) -> Option<Node<'a>> {
        if args.len() != fragment.params as usize
            || !(fragment.params..=FRAME_LOCALS_MAX).contains(&fragment.frame)
        {
            return None;
        }
        let place = |id: &ExprId| self.place(locals, self.body.exprs.get(*id)?);
        let args: Vec<Place<'a>> = args.iter().map(place).collect::<Option<_>>()?;
        let entered = self.cost_of(fragment.body).ok()?.checked_add(u64::from(fragment.frame))?;
        let body = self.node(Locals::Args(&args), levels, fragment.body)?;
        Some(Node::Call(entered, Box::new(body)))
    }

    /// Where the value of `expr` is at hand, if evaluating it is no more than reading it.
    fn place(&self, locals: Locals<'_, 'a>, expr: &'a Expr) -> Option<Place<'a>> {
        match expr {
            Expr::Const(value) => Some(Place::Const(value)),
            Expr::Local(local) => locals.place(*local),
            Expr::Field { record, index, .. } => {
                let Expr::Local(local) = self.body.exprs.get(*record)? else { return None };
                locals.place(*local)?.field(*index as usize)
            }
            _ => None,
        }
    }
}

impl<'a> Locals<'_, 'a> {
    fn place(self, local: LocalId) -> Option<Place<'a>> {
        match self {
            Self::Lambda(param) if local == param => Some(Place::Item),
            Self::Lambda(_) => Some(Place::Local(local.0 as usize)),
            Self::Args(args) => args.get(local.0 as usize).copied(),
        }
    }
}

impl<'a> Place<'a> {
    fn field(self, index: usize) -> Option<Self> {
        match self {
            Self::Const(value) => field(value, index).map(Self::Const),
            Self::Item => Some(Self::ItemField(index)),
            Self::Local(local) => Some(Self::LocalField(local, index)),
            Self::ItemField(_) | Self::LocalField(..) => None,
        }
    }

    #[inline]
    fn value<'v>(self, here: &Here<'v>) -> Option<&'v Value>
    where
        'a: 'v,
    {
        match self {
            Self::Const(value) => Some(value),
            Self::Item => Some(here.item),
            Self::ItemField(index) => field(here.item, index),
            Self::Local(local) => here.frame.get(local),
            Self::LocalField(local, index) => field(here.frame.get(local)?, index),
        }
    }
}

#[inline]
fn field(record: &Value, index: usize) -> Option<&Value> {
    match record {
        Value::Record(fields) => fields.get(index),
        _ => None,
    }
}

impl Quick<'_> {
    /// What the lambda gives for `item`, if that can be had the short way and `meter` has what it takes.
    #[inline]
    pub(super) fn value(&self, frame: &[Value], item: &Value, meter: &mut Meter) -> Option<Value> {
        let mut steps = 0;
        let value = self.0.value(&Here { item, frame }, &mut steps)?;
        meter.has_taken(steps).then_some(value)
    }

    /// As [`Self::value`], of a condition.
    #[inline]
    pub(super) fn holds(&self, frame: &[Value], item: &Value, meter: &mut Meter) -> Option<bool> {
        let mut steps = 0;
        let holds = self.0.operand(&Here { item, frame }, &mut steps)?.bool()?;
        meter.has_taken(steps).then_some(holds)
    }
}

impl Node<'_> {
    /// What an operand that is a literal is worth is found once.
    fn known(self) -> Self {
        match self {
            Self::Place(Place::Const(value)) => Scalar::of(value).map_or(self, Self::Known),
            _ => self,
        }
    }

    #[inline]
    fn value(&self, here: &Here<'_>, steps: &mut u64) -> Option<Value> {
        match self {
            Self::Place(place) => place.value(here).cloned(),
            Self::If(parts) => branch(parts, here, steps)?.value(here, steps),
            _ => Some(self.scalar(here, steps)?.value()),
        }
    }

    fn scalar(&self, here: &Here<'_>, steps: &mut u64) -> Option<Scalar> {
        match self {
            Self::Place(place) => Scalar::of(place.value(here)?),
            Self::Known(scalar) => Some(*scalar),
            Self::Not(operand) => Some(Scalar::of_bool(!operand.scalar(here, steps)?.bool()?)),
            Self::Logic { decides, operands } => {
                let [left, right] = &**operands;
                let left = left.operand(here, steps)?.bool()?;
                let holds = if left == *decides { left } else { right.operand(here, steps)?.bool()? };
                Some(Scalar::of_bool(holds))
            }
            Self::Compare(op, operands) => compared(*op, pair(operands, here, steps)?),
            Self::Arithmetic(op, operands) => computed(*op, pair(operands, here, steps)?),
            Self::Equal { operands: [left, right], holds } => {
                let equal = equal(left.value(here)?, right.value(here)?, steps)?;
                Some(Scalar::of_bool(equal == *holds))
            }
            Self::Call(entered, body) => {
                *steps = steps.checked_add(*entered)?;
                body.scalar(here, steps)
            }
            Self::If(parts) => branch(parts, here, steps)?.scalar(here, steps),
        }
    }

    /// Most operands are at hand.
    #[inline]
    fn operand(&self, here: &Here<'_>, steps: &mut u64) -> Option<Scalar> {
        match self {
            Self::Place(Place::ItemField(index)) => Scalar::of(field(here.item, *index)?),
            Self::Known(scalar) => Some(*scalar),
            _ => self.scalar(here, steps),
        }
    }
}

impl Scalar {
    #[inline]
    const fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::of_bool(*value)),
            Value::Int(value) => Some(Self::of_int(*value)),
            Value::Float(value) => Some(Self::of_float(*value)),
            _ => None,
        }
    }

    const fn of_bool(value: bool) -> Self {
        Self { kind: Kind::Bool, bits: value as u64 }
    }

    const fn of_int(value: i64) -> Self {
        Self { kind: Kind::Int, bits: value.cast_unsigned() }
    }

    const fn of_float(value: f64) -> Self {
        Self { kind: Kind::Float, bits: value.to_bits() }
    }

    #[inline]
    const fn bool(self) -> Option<bool> {
        match self.kind {
            Kind::Bool => Some(self.bits != 0),
            _ => None,
        }
    }

    #[inline]
    const fn value(self) -> Value {
        match self.kind {
            Kind::Bool => Value::Bool(self.bits != 0),
            Kind::Int => Value::Int(self.bits.cast_signed()),
            Kind::Float => Value::Float(f64::from_bits(self.bits)),
        }
    }
}

/// Two operands of one kind of number.
enum Pair {
    Int(i64, i64),
    Float(f64, f64),
}

#[inline]
fn pair([left, right]: &[Node<'_>; 2], here: &Here<'_>, steps: &mut u64) -> Option<Pair> {
    let left = left.operand(here, steps)?;
    let right = right.operand(here, steps)?;
    match (left.kind, right.kind) {
        (Kind::Int, Kind::Int) => Some(Pair::Int(left.bits.cast_signed(), right.bits.cast_signed())),
        (Kind::Float, Kind::Float) => {
            Some(Pair::Float(f64::from_bits(left.bits), f64::from_bits(right.bits)))
        }
        _ => None,
    }
}

#[inline]
fn computed(op: BinaryOp, operands: Pair) -> Option<Scalar> {
    match operands {
        Pair::Int(left, right) => arithmetic::whole(op, left, right).map(Scalar::of_int),
        Pair::Float(left, right) => {
            arithmetic::real(op, left, right).and_then(arithmetic::finite).map(Scalar::of_float)
        }
    }
}

#[inline]
fn compared(op: BinaryOp, operands: Pair) -> Option<Scalar> {
    let order = match operands {
        Pair::Int(left, right) => left.cmp(&right),
        Pair::Float(left, right) => left.partial_cmp(&right)?,
    };
    Some(Scalar::of_bool(match op {
        BinaryOp::Less => order.is_lt(),
        BinaryOp::LessEqual => order.is_le(),
        BinaryOp::Greater => order.is_gt(),
        BinaryOp::GreaterEqual => order.is_ge(),
        _ => return None,
    }))
}

#[inline]
fn branch<'n, 'a>(
    [condition, then, otherwise]: &'n [Node<'a>; 3],
    here: &Here<'_>,
    steps: &mut u64,
) -> Option<&'n Node<'a>> {
    Some(if condition.scalar(here, steps)?.bool()? { then } else { otherwise })
}

/// What `==` means of texts and scalars, charged as it is.
fn equal(left: &Value, right: &Value, steps: &mut u64) -> Option<bool> {
    let equal = match (left, right) {
        (Value::String(left), Value::String(right)) => {
            let same_length = left.len() == right.len();
            if same_length {
                *steps = steps.checked_add(text_steps(left.len() as u64))?;
            }
            same_length && left == right
        }
        (Value::Int(left), Value::Int(right)) => left == right,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Null, other) | (other, Value::Null) => is_null(other),
        _ => return None,
    };
    *steps = steps.checked_add(1)?;
    Some(equal)
}

#[cfg(test)]
mod tests {
    use schema::types::Type;

    use super::super::{NoEnv, Trap};
    use super::*;
    use crate::builtin::Builtin;
    use crate::expr::Lambda;
    use crate::program::Program;

    /// `rs.map(r => if wanted(r) { r.0 } else { -1 })` with `fn wanted(r) = r.0 + 1 > 40 && r.1 == text`, of records
    /// that are a constant.
    fn picked(records: &[(i64, Value)], text: &str) -> (Program, ExprId) {
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
        let wanted = program.function(1, both);
        let records = records.iter().map(|(number, lang)| Value::record([Value::Int(*number), lang.clone()]));
        let records = program.constant((Value::list(records), Type::list(Type::INT)));
        let argument = program.read(record, Type::INT);
        let condition = program.add(Expr::Apply(wanted, vec![argument]), Type::Bool);
        let (then, otherwise) = (field(&mut program, 0, Type::INT), program.constant(-1));
        let body = program.add(Expr::If { condition, then, otherwise }, Type::INT);
        let lambda = Some(Lambda { params: vec![record], body });
        let map = Expr::Builtin { op: Builtin::Map, args: vec![records], lambda };
        let map = program.add(map, Type::list(Type::INT));
        (program, map)
    }

    /// The value and what is left, at a depth where the short way is taken or is not.
    fn evaluate(program: &Program, id: ExprId, depth: u32, fuel: u64) -> (Result<Value, Trap>, Meter) {
        let mut meter = Meter::new(fuel, 1_000);
        let mut machine = Machine::within(&program.body, &NoEnv, &mut meter, vec![Value::Null]);
        machine.depth = depth;
        let value = machine.value(id);
        (value, meter)
    }

    /// Where a list function is too deep for it.
    const DEEP: u32 = EVAL_DEPTH_MAX - 2 * LEVELS;

    #[test]
    fn the_short_way_gives_and_charges_what_the_long_one_does() {
        let long = "en".repeat(40);
        let en = || Value::string("en");
        for (text, last, expected) in [
            ("en", (50, en()), Some(50)),
            ("en", (50, Value::string("de")), Some(-1)),
            ("en", (50, Value::Null), Some(-1)),
            ("en", (39, en()), Some(-1)),
            (long.as_str(), (50, Value::string(long.as_str())), Some(50)),
            ("en", (i64::MAX, Value::Null), None),
            ("en", (50, Value::Float(1.0)), Some(-1)),
        ] {
            let records = [(41, en()), (0, Value::Null), (50, Value::string("de")), last];
            let (program, map) = picked(&records, text);
            for fuel in 0..120 {
                let short = evaluate(&program, map, 0, fuel);
                let long = evaluate(&program, map, DEEP, fuel);
                assert_eq!(short, long, "{records:?} {text} with {fuel} steps");
            }
            let value = evaluate(&program, map, 0, 120).0.ok();
            let first = if text == "en" { 41 } else { -1 };
            let wanted = expected.map(|last| Value::list([first, -1, -1, last].map(Value::Int)));
            assert_eq!(value, wanted, "{records:?} {text}");
        }
    }

    #[test]
    fn it_is_taken_where_nothing_traps() {
        let records = [(50, Value::string("en")), (i64::MAX, Value::Null), (50, Value::Float(1.0))];
        let (program, map) = picked(&records, "en");
        let Some(Expr::Builtin { lambda: Some(lambda), .. }) = program.body.exprs.get(map) else {
            unreachable!()
        };
        let (mut meter, mut used) = (Meter::default(), Meter::default());
        let mut machine = Machine::within(&program.body, &NoEnv, &mut meter, vec![Value::Null]);
        let ready = machine.quick(lambda.params[0], lambda.body, ELEMENTS_MIN).unwrap();
        let items: Vec<Value> =
            records.iter().map(|(n, lang)| Value::record([Value::Int(*n), lang.clone()])).collect();
        assert_eq!(ready.value(&[], &items[0], &mut used), Some(Value::Int(50)));
        assert_eq!(ready.holds(&[], &items[0], &mut used.clone()), None, "it is a number");
        let charged = used.clone();
        assert!(charged.fuel() < Meter::default().fuel());
        assert_eq!(ready.value(&[], &items[1], &mut used), None, "it overflows");
        assert_eq!(ready.value(&[], &items[2], &mut used), None, "numbers are compared the long way");
        assert_eq!(ready.value(&[], &items[0], &mut Meter::new(1, 0)), None, "there is too little left");
        assert_eq!(used, charged, "what is not taken is not charged");
        assert!(
            machine.quick(lambda.params[0], lambda.body, ELEMENTS_MIN - 1).is_none(),
            "it is not worth it"
        );
        machine.depth = DEEP;
        assert!(
            machine.quick(lambda.params[0], lambda.body, ELEMENTS_MIN).is_none(),
            "a level may be one too many"
        );
    }
}
