//! Well-typed expressions over every type, operator and library function.

use plan_ir::builtin::Builtin;
use plan_ir::expr::{
    Arm, BinaryOp, Expr, ExprId, ExprTable, FnId, Fragment, Lambda, LocalId, Pattern, UnaryOp, Widening,
};
use plan_ir::plan::{Function, Param, PlanBody, Scope, ScopeKind};
use schema::amount::{Amount, Currency, Rate};
use schema::types::{DefId, EnumDef, EnumWire, FieldDef, RecordDef, Type, TypeDef, TypeDefs, VariantDef};
use schema::value::{Json, Value};

use super::Choices;

/// How deeply operands nest.
const DEPTH_MAX: u32 = 5;

/// A body with one expression of type `ty` to evaluate, over parameters whose values are their defaults.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) body: PlanBody,
    pub(crate) fragment: Fragment,
    pub(crate) ty: Type,
}

pub(crate) fn program(numbers: Vec<u32>) -> Program {
    let mut make = Generator::new(Choices::new(numbers));
    for _ in 0..make.choices.below(3) {
        make.function();
    }
    let ty = make.ty(2);
    make.locals = 0;
    let root = make.expr(&ty, &mut Vec::new(), 0);
    let fragment = Fragment { params: 0, frame: make.locals, body: root };
    Program { body: make.body, fragment, ty }
}

pub(super) struct Generator {
    pub(super) choices: Choices,
    body: PlanBody,
    record: DefId,
    enumeration: DefId,
    /// What `zip` and `entries` of `Int`s give.
    pub(super) pair: DefId,
    pub(super) entry: DefId,
    /// Result types of the functions; each takes one `Int`.
    functions: Vec<Type>,
    locals: u32,
    /// Whether parameters of the plan are out of sight, as they are in functions.
    closed: bool,
}

pub(super) type Locals = Vec<(LocalId, Type)>;

pub(super) fn list_of(ty: Type) -> Type {
    Type::list(ty)
}

impl Generator {
    fn new(choices: Choices) -> Self {
        let mut types = TypeDefs::new();
        let field = |name: &str, ty| FieldDef { name: name.into(), ty, doc: String::new() };
        let record = types.push(TypeDef::Record(RecordDef {
            name: "Item".into(),
            fields: vec![
                field("title", Type::STRING),
                field("score", Type::INT),
                field("note", Type::STRING.optional()),
            ],
            doc: String::new(),
        }));
        let mut two = |name: &str, fields| {
            types.push(TypeDef::Record(RecordDef { name: name.into(), fields, doc: String::new() }))
        };
        let pair = two("Pair", vec![field("left", Type::INT), field("right", Type::INT)]);
        let entry = two("Entry", vec![field("key", Type::STRING), field("value", Type::INT)]);
        let variant = |name: &str, payload| VariantDef {
            name: name.into(),
            wire: format!("\"{}\"", name.to_lowercase()),
            payload,
            doc: String::new(),
        };
        let enumeration = types.push(TypeDef::Enum(EnumDef {
            name: "Stance".into(),
            variants: vec![variant("Ahead", None), variant("Level", Some(Type::INT))],
            wire: EnumWire::Literal,
            doc: String::new(),
        }));
        let param =
            |name: &str, ty, value| Param { name: name.into(), ty, default: Some(value), doc: String::new() };
        let words = Value::list(["naïve", "", "Straße 5", "b"].map(Value::string));
        let params = vec![
            param("n", Type::INT, Value::Int(3)),
            param("words", list_of(Type::STRING), words),
            param("purse", Type::Amount, Value::Amount(Amount::new(7, Currency::Rao))),
        ];
        let body = PlanBody {
            name: "generated".into(),
            types,
            params,
            output: Type::INT,
            exprs: ExprTable::default(),
            functions: Vec::new(),
            nodes: Vec::new(),
            scopes: vec![Scope::new(ScopeKind::Plan)],
            node_scopes: Vec::new(),
            operations: Vec::new(),
            rate: Some(Rate { micro_usd_per_tao: 300_000_000 }),
        };
        Self {
            choices,
            body,
            record,
            enumeration,
            pair,
            entry,
            functions: Vec::new(),
            locals: 0,
            closed: false,
        }
    }

    pub(super) fn ty(&mut self, depth: u32) -> Type {
        let kinds = if depth == 0 { 10 } else { 14 };
        match self.choices.below(kinds) {
            0 => Type::INT,
            1 => Type::Bool,
            2 => Type::FLOAT,
            3 => Type::STRING,
            4 => Type::Amount,
            5 => Type::Duration,
            6 => Type::Time,
            7 => Type::Json,
            8 => Type::Named(self.record),
            9 => Type::Named(self.enumeration),
            10 => list_of(self.ty(depth - 1)),
            11 => self.ty(depth - 1).optional(),
            12 => Type::Map(Box::new(self.ty(depth - 1))),
            _ => Type::Result(Box::new(self.ty(depth - 1)), Box::new(Type::STRING)),
        }
    }

    pub(super) fn push(&mut self, expr: Expr, ty: &Type) -> ExprId {
        self.body.exprs.exprs.push(expr);
        self.body.exprs.types.push(ty.clone());
        ExprId(self.body.exprs.exprs.len() as u32 - 1)
    }

    fn function(&mut self) {
        let ty = self.ty(1);
        self.locals = 1;
        self.closed = true;
        let body = self.expr(&ty, &mut vec![(LocalId(0), Type::INT)], 2);
        self.closed = false;
        let fragment = Fragment { params: 1, frame: self.locals, body };
        self.body.functions.push(Function { name: "f".into(), fragment });
        self.functions.push(ty);
    }

    fn param(&mut self, index: u32, ty: &Type, locals: &Locals) -> ExprId {
        if self.closed { self.leaf(ty, locals) } else { self.push(Expr::Param(index), ty) }
    }

    pub(super) fn local(&mut self) -> LocalId {
        self.locals += 1;
        LocalId(self.locals - 1)
    }

    pub(super) fn expr(&mut self, ty: &Type, locals: &mut Locals, depth: u32) -> ExprId {
        if depth >= DEPTH_MAX {
            return self.leaf(ty, locals);
        }
        match self.choices.below(8) {
            0 => self.leaf(ty, locals),
            1 => self.block(ty, locals, depth),
            2 => self.choice(ty, locals, depth),
            3 => self.taken(ty, locals, depth),
            _ => self.special(ty, locals, depth),
        }
    }

    fn leaf(&mut self, ty: &Type, locals: &Locals) -> ExprId {
        let fitting: Vec<LocalId> =
            locals.iter().filter(|(_, of)| of == ty).map(|(local, _)| *local).collect();
        if !fitting.is_empty() && self.choices.below(3) > 0 {
            let local = *self.choices.one_of(&fitting);
            return self.push(Expr::Local(local), ty);
        }
        let value = self.value(ty);
        self.push(Expr::Const(value), ty)
    }

    fn value(&mut self, ty: &Type) -> Value {
        match ty {
            Type::Bool => Value::Bool(self.choices.below(2) == 1),
            Type::Int(_) => Value::Int(*self.choices.one_of(&[0, 1, -1, 7, i64::MAX, i64::MIN])),
            Type::Float(_) => Value::Float(*self.choices.one_of(&[0.0, 1.5, -2.25, f64::MAX, 1e-300])),
            Type::String(_) => {
                Value::string(*self.choices.one_of(&["", "a", "Straße", "😀 b", "[1, 2]", "PT4S"]))
            }
            Type::Amount => {
                let currency = *self.choices.one_of(&[Currency::Rao, Currency::MicroUsd]);
                Value::Amount(Amount::new(*self.choices.one_of(&[0, 1, 1_000, u64::MAX]), currency))
            }
            Type::Duration => Value::Duration(*self.choices.one_of(&[0, 1, -5_000_000, i64::MAX])),
            Type::Time => Value::Time(*self.choices.one_of(&[0, -1, 253_402_300_799_999_999])),
            Type::Json => Value::Json(match self.choices.below(4) {
                0 => Json::Null,
                1 => Json::Int(4),
                2 => Json::String("x".into()),
                _ => Json::Array([Json::Int(1), Json::Bool(true)].into()),
            }),
            Type::List(inner, _) => {
                let length = self.choices.below(4);
                Value::list((0..length).map(|_| self.value(inner)).collect::<Vec<_>>())
            }
            Type::Map(inner) => {
                let value = self.value(inner);
                Value::Map(std::sync::Arc::new([("k".into(), value)].into()))
            }
            Type::Optional(inner) => match self.choices.below(2) {
                0 => Value::Null,
                _ => self.value(inner),
            },
            Type::Named(id) if *id == self.record => {
                let fields = [Type::STRING, Type::INT, Type::STRING.optional()].map(|ty| self.value(&ty));
                Value::record(fields)
            }
            Type::Named(_) => match self.choices.below(2) {
                0 => Value::Variant(0, None),
                _ => Value::Variant(1, Some(self.value(&Type::INT).into())),
            },
            Type::Result(ok, err) => match self.choices.below(2) {
                0 => Value::ok(self.value(ok)),
                _ => Value::err(self.value(err)),
            },
            other => unreachable!("{other:?} is not generated"),
        }
    }

    fn block(&mut self, ty: &Type, locals: &mut Locals, depth: u32) -> ExprId {
        let of = self.ty(1);
        let value = self.expr(&of, locals, depth + 1);
        let local = self.local();
        locals.push((local, of));
        let body = self.expr(ty, locals, depth + 1);
        locals.pop();
        self.push(Expr::Let { local, value, body }, ty)
    }

    fn choice(&mut self, ty: &Type, locals: &mut Locals, depth: u32) -> ExprId {
        let condition = self.expr(&Type::Bool, locals, depth + 1);
        let then = self.expr(ty, locals, depth + 1);
        let otherwise = self.expr(ty, locals, depth + 1);
        self.push(Expr::If { condition, then, otherwise }, ty)
    }

    /// What is taken out of something larger: an arm, an element, a field, a result of a function.
    fn taken(&mut self, ty: &Type, locals: &mut Locals, depth: u32) -> ExprId {
        match self.choices.below(4) {
            0 => {
                let scrutinee = self.expr(&Type::Named(self.enumeration), locals, depth + 1);
                let first = self.expr(ty, locals, depth + 1);
                let local = self.local();
                locals.push((local, Type::INT));
                let second = self.expr(ty, locals, depth + 1);
                locals.pop();
                let bind = Some(Box::new(Pattern::Bind(local)));
                let arms = vec![
                    Arm { pattern: Pattern::Variant(0, None), body: first },
                    Arm { pattern: Pattern::Variant(1, bind), body: second },
                ];
                self.push(Expr::Match { scrutinee, arms }, ty)
            }
            1 => {
                let list = self.expr(&list_of(ty.clone()), locals, depth + 1);
                let index = self.expr(&Type::INT, locals, depth + 1);
                self.push(Expr::Index { list, index }, ty)
            }
            2 if !matches!(ty, Type::Optional(_) | Type::Json) => {
                let maybe = self.expr(&ty.clone().optional(), locals, depth + 1);
                let otherwise = self.expr(ty, locals, depth + 1);
                self.push(Expr::Binary(BinaryOp::Coalesce, maybe, otherwise), ty)
            }
            _ => match self.functions.iter().position(|result| result == ty) {
                Some(index) => {
                    let arg = self.expr(&Type::INT, locals, depth + 1);
                    self.push(Expr::Apply(FnId(index as u32), vec![arg]), ty)
                }
                None => self.leaf(ty, locals),
            },
        }
    }

    /// What only this type has.
    fn special(&mut self, ty: &Type, locals: &mut Locals, depth: u32) -> ExprId {
        if self.choices.below(2) == 1
            && let Some(call) = self.library(ty, locals, depth)
        {
            return call;
        }
        match ty {
            Type::Bool => self.test(locals, depth),
            Type::Int(_) => self.number(locals, depth),
            Type::String(_) => self.text(locals, depth),
            Type::Float(_) => match self.choices.below(3) {
                0 => {
                    let int = self.expr(&Type::INT, locals, depth + 1);
                    self.push(Expr::Widen(int, Widening::IntToFloat), ty)
                }
                _ => self.arithmetic(ty, ty, ty, ALL, locals, depth),
            },
            Type::Amount => match self.choices.below(4) {
                0 => self.param(2, ty, locals),
                1 => self.arithmetic(ty, &Type::INT, ty, TIMES, locals, depth),
                _ => self.arithmetic(ty, ty, ty, PLUS, locals, depth),
            },
            Type::Duration => match self.choices.below(3) {
                0 => self.arithmetic(&Type::Time, &Type::Time, ty, MINUS, locals, depth),
                1 => self.arithmetic(ty, &Type::INT, ty, TIMES, locals, depth),
                _ => self.arithmetic(ty, ty, ty, PLUS, locals, depth),
            },
            Type::Time => self.arithmetic(ty, &Type::Duration, ty, PLUS, locals, depth),
            Type::Json => {
                let of = self.ty(1);
                let value = self.expr(&of, locals, depth + 1);
                self.push(Expr::Widen(value, Widening::ToJson), ty)
            }
            Type::List(inner, _) => self.list(ty, inner, locals, depth),
            Type::Map(inner) => {
                let entries = (0..self.choices.below(3))
                    .map(|_| {
                        let key = self.expr(&Type::STRING, locals, depth + 1);
                        (key, self.expr(inner, locals, depth + 1))
                    })
                    .collect();
                self.push(Expr::Map(entries), ty)
            }
            Type::Optional(inner) => {
                let op = *self.choices.one_of(&[Builtin::First, Builtin::Last]);
                let list = self.expr(&list_of(inner.as_ref().clone()), locals, depth + 1);
                self.builtin(op, vec![list], ty)
            }
            Type::Named(id) if *id == self.record => {
                let fields = [Type::STRING, Type::INT, Type::STRING.optional()]
                    .map(|ty| self.expr(&ty, locals, depth + 1));
                self.push(Expr::Record(*id, fields.into()), ty)
            }
            Type::Named(_) => {
                let payload = self.expr(&Type::INT, locals, depth + 1);
                self.push(Expr::Variant(1, Some(payload)), ty)
            }
            Type::Result(ok, err) => {
                let place = self.choices.below(2);
                let payload = self.expr(if place == 0 { ok } else { err }, locals, depth + 1);
                self.push(Expr::Variant(place, Some(payload)), ty)
            }
            _ => self.leaf(ty, locals),
        }
    }

    fn builtin(&mut self, op: Builtin, args: Vec<ExprId>, ty: &Type) -> ExprId {
        self.push(Expr::Builtin { op, args, lambda: None }, ty)
    }

    fn arithmetic(
        &mut self,
        left: &Type,
        right: &Type,
        ty: &Type,
        ops: &[BinaryOp],
        locals: &mut Locals,
        depth: u32,
    ) -> ExprId {
        let op = *self.choices.one_of(ops);
        let (a, b) = (self.expr(left, locals, depth + 1), self.expr(right, locals, depth + 1));
        self.push(Expr::Binary(op, a, b), ty)
    }

    fn test(&mut self, locals: &mut Locals, depth: u32) -> ExprId {
        use BinaryOp::{And, Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual, Or};
        let ty = &Type::Bool;
        match self.choices.below(7) {
            0 => {
                let operand = self.expr(ty, locals, depth + 1);
                self.push(Expr::Unary(UnaryOp::Not, operand), ty)
            }
            1 => self.arithmetic(ty, ty, ty, &[And, Or], locals, depth),
            2 => {
                let of = self.ty(2);
                self.arithmetic(&of, &of, ty, &[Equal, NotEqual], locals, depth)
            }
            3 => {
                const ORDERED: [Type; 6] =
                    [Type::INT, Type::FLOAT, Type::STRING, Type::Amount, Type::Time, Type::Duration];
                let of = self.choices.one_of(&ORDERED).clone();
                self.arithmetic(&of, &of, ty, &[Less, LessEqual, Greater, GreaterEqual], locals, depth)
            }
            4 => {
                let op = *self.choices.one_of(&[Builtin::All, Builtin::Any]);
                let of = self.ty(0);
                self.with_lambda(op, &of, &Type::Bool, ty, locals, depth)
            }
            5 => {
                let op = *self.choices.one_of(&[Builtin::Contains, Builtin::StartsWith, Builtin::EndsWith]);
                let text = self.expr(&Type::STRING, locals, depth + 1);
                let part = self.expr(&Type::STRING, locals, depth + 1);
                self.builtin(op, vec![text, part], ty)
            }
            _ => {
                let of = self.ty(1);
                let list = self.expr(&list_of(of.clone()), locals, depth + 1);
                let item = self.expr(&of, locals, depth + 1);
                self.builtin(Builtin::Contains, vec![list, item], ty)
            }
        }
    }

    fn number(&mut self, locals: &mut Locals, depth: u32) -> ExprId {
        let ty = &Type::INT;
        match self.choices.below(7) {
            0 => self.param(0, ty, locals),
            1 => {
                let operand = self.expr(ty, locals, depth + 1);
                self.push(Expr::Unary(UnaryOp::Negate, operand), ty)
            }
            2 => {
                let of = match self.choices.below(3) {
                    0 => Type::STRING,
                    1 => Type::Map(Box::new(self.ty(0))),
                    _ => list_of(self.ty(1)),
                };
                let receiver = self.expr(&of, locals, depth + 1);
                self.builtin(Builtin::Len, vec![receiver], ty)
            }
            3 => {
                let record = self.expr(&Type::Named(self.record), locals, depth + 1);
                self.push(Expr::Field { record, index: 1, optional: false }, ty)
            }
            4 => {
                let json = self.expr(&Type::Json, locals, depth + 1);
                self.push(Expr::Cast(json), ty)
            }
            5 => {
                let text = self.expr(&Type::STRING, locals, depth + 1);
                self.push(Expr::DecodeText(text), ty)
            }
            _ => self.arithmetic(ty, ty, ty, ALL, locals, depth),
        }
    }

    fn text(&mut self, locals: &mut Locals, depth: u32) -> ExprId {
        let ty = &Type::STRING;
        match self.choices.below(6) {
            0 => {
                let parts = (0..self.choices.below(4))
                    .map(|_| {
                        let of = self.ty(1);
                        self.expr(&of, locals, depth + 1)
                    })
                    .collect();
                self.push(Expr::Template(parts), ty)
            }
            1 => {
                let op = *self.choices.one_of(&[Builtin::Folded, Builtin::Normalize, Builtin::Trim]);
                let text = self.expr(ty, locals, depth + 1);
                self.builtin(op, vec![text], ty)
            }
            2 => {
                let op = *self.choices.one_of(&[Builtin::Take, Builtin::Skip]);
                let text = self.expr(ty, locals, depth + 1);
                let n = self.expr(&Type::INT, locals, depth + 1);
                self.builtin(op, vec![text, n], ty)
            }
            3 => {
                let texts = self.expr(&list_of(Type::STRING), locals, depth + 1);
                let separator = self.expr(ty, locals, depth + 1);
                self.builtin(Builtin::Join, vec![texts, separator], ty)
            }
            4 => {
                let of = self.ty(2);
                let value = self.expr(&of, locals, depth + 1);
                self.builtin(Builtin::ToJson, vec![value], ty)
            }
            _ => self.arithmetic(ty, ty, ty, &[BinaryOp::Add], locals, depth),
        }
    }

    fn list(&mut self, ty: &Type, inner: &Type, locals: &mut Locals, depth: u32) -> ExprId {
        match self.choices.below(7) {
            0 if *inner == Type::STRING => self.param(1, ty, locals),
            0 | 1 => {
                let items = (0..self.choices.below(4)).map(|_| self.expr(inner, locals, depth + 1)).collect();
                self.push(Expr::List(items), ty)
            }
            2 => self.with_lambda(Builtin::Filter, inner, &Type::Bool, ty, locals, depth),
            3 => {
                let of = self.ty(0);
                self.with_lambda(Builtin::Map, &of, inner, ty, locals, depth)
            }
            4 => {
                let op = *self.choices.one_of(&[Builtin::Take, Builtin::Skip]);
                let list = self.expr(ty, locals, depth + 1);
                let n = self.expr(&Type::INT, locals, depth + 1);
                self.builtin(op, vec![list, n], ty)
            }
            5 => {
                let lists = self.expr(&list_of(ty.clone()), locals, depth + 1);
                self.builtin(Builtin::Flatten, vec![lists], ty)
            }
            _ => {
                let result = Type::Result(Box::new(inner.clone()), Box::new(Type::STRING));
                let results = self.expr(&list_of(result), locals, depth + 1);
                self.builtin(Builtin::Ok, vec![results], ty)
            }
        }
    }

    fn with_lambda(
        &mut self,
        op: Builtin,
        of: &Type,
        gives: &Type,
        ty: &Type,
        locals: &mut Locals,
        depth: u32,
    ) -> ExprId {
        let list = self.expr(&list_of(of.clone()), locals, depth + 1);
        let param = self.local();
        locals.push((param, of.clone()));
        let body = self.expr(gives, locals, depth + 1);
        locals.pop();
        let lambda = Some(Lambda { params: vec![param], body });
        self.push(Expr::Builtin { op, args: vec![list], lambda }, ty)
    }
}

const ALL: &[BinaryOp] =
    &[BinaryOp::Add, BinaryOp::Subtract, BinaryOp::Multiply, BinaryOp::Divide, BinaryOp::Remainder];
const PLUS: &[BinaryOp] = &[BinaryOp::Add, BinaryOp::Subtract];
const MINUS: &[BinaryOp] = &[BinaryOp::Subtract];
const TIMES: &[BinaryOp] = &[BinaryOp::Multiply, BinaryOp::Divide];
