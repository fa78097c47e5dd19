//! Random chains of list functions over records, which native code fuses into loops, with meters that run
//! out anywhere.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plan_ir::builtin::Builtin;
use plan_ir::expr::{
    Arm, BinaryOp, Expr, ExprId, ExprTable, FnId, Fragment, Lambda, LocalId, Pattern, UnaryOp, Widening,
};
use plan_ir::interp::{Env, Meter, Trap, eval};
use plan_ir::plan::{Function, Param, PlanBody, Scope, ScopeKind};
use plan_jit::{Coverage, Engine, Flat, FlatEnv, NativePlan, Outcome, Shape};
use proptest::prelude::*;
use schema::amount::{Amount, Currency};
use schema::types::{
    DefId, EnumDef, EnumWire, FieldDef, IntRange, RecordDef, Type, TypeDef, TypeDefs, VariantDef,
};
use schema::value::Value;

use crate::generate::Choices;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

/// A chain with the list it runs over.
struct Chain {
    body: PlanBody,
    fragment: Fragment,
    items: Value,
}

impl Env for Chain {
    fn param(&self, index: u32) -> Option<Value> {
        (index == 0).then(|| self.items.clone())
    }
    fn node(&self, _: plan_ir::graph::NodeId) -> Option<Value> {
        None
    }
    fn item(&self, _: plan_ir::graph::NodeId) -> Option<Value> {
        None
    }
    fn bound(&self, _: plan_ir::graph::NodeId, _: u32) -> Option<Value> {
        None
    }
}

struct Generator {
    choices: Choices,
    body: PlanBody,
    item: DefId,
    mood: DefId,
    locals: u32,
    /// Locals that can be read, with their types.
    scope: Vec<(LocalId, Type)>,
}

const TITLE: u32 = 0;
const SCORE: u32 = 1;
const RANK: u32 = 2;
const TAGS: u32 = 3;
const NOTE: u32 = 4;
const MOOD: u32 = 5;
const PRICE: u32 = 6;

impl Generator {
    fn new(numbers: Vec<u32>) -> Self {
        let mut types = TypeDefs::new();
        let variant = |name: &str, payload| VariantDef {
            name: name.into(),
            wire: format!("{name:?}"),
            payload,
            doc: String::new(),
        };
        let variants =
            vec![variant("Good", None), variant("Bad", Some(Type::INT)), variant("Odd", Some(Type::STRING))];
        let mood = types.push(TypeDef::Enum(EnumDef {
            name: "Mood".into(),
            variants,
            wire: EnumWire::Literal,
            doc: String::new(),
        }));
        let field = |name: &str, ty| FieldDef { name: name.into(), ty, doc: String::new() };
        let item = types.push(TypeDef::Record(RecordDef {
            name: "Item".into(),
            fields: vec![
                field("title", Type::STRING),
                field("score", Type::INT),
                field("rank", Type::FLOAT),
                field("tags", Type::list(Type::STRING)),
                field("note", Type::STRING.optional()),
                field("mood", Type::Named(mood)),
                field("price", Type::Amount),
            ],
            doc: String::new(),
        }));
        let list = Type::list(Type::Named(item));
        let body = PlanBody {
            name: "chain".into(),
            types,
            params: vec![Param { name: "items".into(), ty: list, default: None, doc: String::new() }],
            output: Type::INT,
            exprs: ExprTable::default(),
            functions: Vec::new(),
            nodes: Vec::new(),
            scopes: vec![Scope::new(ScopeKind::Plan)],
            node_scopes: Vec::new(),
            operations: Vec::new(),
            rate: None,
        };
        Self { choices: Choices::new(numbers), body, item, mood, locals: 0, scope: Vec::new() }
    }

    fn push(&mut self, expr: Expr, ty: &Type) -> ExprId {
        self.body.exprs.exprs.push(expr);
        self.body.exprs.types.push(ty.clone());
        ExprId(self.body.exprs.exprs.len() as u32 - 1)
    }

    fn constant(&mut self, value: Value, ty: &Type) -> ExprId {
        self.push(Expr::Const(value), ty)
    }

    fn items(&mut self) -> Value {
        let length = *self.choices.one_of(&[3, 0, 1, 2, 7, 20, 60]);
        let items: Vec<Value> = (0..length).map(|_| self.item_value()).collect();
        Value::list(items)
    }

    fn item_value(&mut self) -> Value {
        let text = |choices: &mut Choices| {
            Value::string(*choices.one_of(&[
                "a",
                "",
                "naïve title",
                "a title that is longer than one step is",
                "b",
            ]))
        };
        let title = text(&mut self.choices);
        let scores = [3, 0, 1, -2, 70, 5, i64::MAX, 12, i64::MIN, 9, 4];
        let score = Value::Int(*self.choices.one_of(&scores));
        let rank = Value::Float(*self.choices.one_of(&[0.5, 0.0, 2.0, -1.5, 1e308, 3.25, 0.1]));
        let count = self.choices.below(3);
        let tags = Value::list((0..count).map(|_| text(&mut self.choices)).collect::<Vec<_>>());
        let note = if self.choices.below(2) == 0 { Value::Null } else { text(&mut self.choices) };
        let mood = match self.choices.below(3) {
            0 => Value::Variant(0, None),
            1 => Value::Variant(1, Some(Value::Int(i64::from(self.choices.below(4))).into())),
            _ => Value::Variant(2, Some(text(&mut self.choices).into())),
        };
        let currency = *self.choices.one_of(&[Currency::MicroUsd, Currency::MicroUsd, Currency::Rao]);
        let price = Value::Amount(Amount::new(u64::from(self.choices.below(9)), currency));
        Value::record([title, score, rank, tags, note, mood, price])
    }

    fn lambda(&mut self, over: &Type, body: impl FnOnce(&mut Self) -> ExprId) -> Lambda {
        let param = LocalId(self.locals);
        self.locals += 1;
        self.scope.push((param, over.clone()));
        let body = body(self);
        self.scope.pop();
        Lambda { params: vec![param], body }
    }

    /// A local of this type that can be read here.
    fn read(&mut self, ty: &Type) -> Option<ExprId> {
        let fitting: Vec<LocalId> =
            self.scope.iter().filter(|(_, of)| of == ty).map(|(local, _)| *local).collect();
        if fitting.is_empty() {
            return None;
        }
        let local = *self.choices.one_of(&fitting);
        Some(self.push(Expr::Local(local), ty))
    }

    /// A field of an item that can be read here.
    fn field(&mut self, index: u32, ty: &Type) -> Option<ExprId> {
        let record = self.read(&Type::Named(self.item))?;
        Some(self.push(Expr::Field { record, index, optional: false }, ty))
    }

    fn binary(&mut self, op: BinaryOp, left: ExprId, right: ExprId, ty: &Type) -> ExprId {
        self.push(Expr::Binary(op, left, right), ty)
    }

    fn call(&mut self, op: Builtin, args: Vec<ExprId>, ty: &Type) -> ExprId {
        self.push(Expr::Builtin { op, args, lambda: None }, ty)
    }

    fn int(&mut self, depth: u32) -> ExprId {
        let ty = &Type::INT;
        let choice = if depth == 0 { self.choices.below(3) } else { self.choices.below(14) };
        let found = match choice {
            0 => self.field(SCORE, ty),
            1 => self.read(ty),
            3 | 4 => {
                use BinaryOp::{Add, Divide, Multiply, Remainder, Subtract};
                let op = *self.choices.one_of(&[Add, Subtract, Multiply, Divide, Remainder]);
                let (left, right) = (self.int(depth - 1), self.int(depth - 1));
                Some(self.binary(op, left, right, ty))
            }
            5 => {
                let (condition, then) = (self.test(depth - 1), self.int(depth - 1));
                let otherwise = self.int(depth - 1);
                Some(self.push(Expr::If { condition, then, otherwise }, ty))
            }
            6 => {
                let text = self.text(depth - 1);
                Some(self.call(Builtin::Len, vec![text], ty))
            }
            7 => self
                .field(TAGS, &Type::list(Type::STRING))
                .map(|tags| self.call(Builtin::Len, vec![tags], ty)),
            8 => {
                let inner = self.int(depth - 1);
                let narrow = Type::Int(IntRange { min: 0, max: 100 });
                Some(self.push(Expr::Cast(inner), &narrow))
            }
            9 => self.matched(depth),
            10 => {
                let value = self.int(depth - 1);
                let local = LocalId(self.locals);
                self.locals += 1;
                self.scope.push((local, ty.clone()));
                let body = self.int(depth - 1);
                self.scope.pop();
                Some(self.push(Expr::Let { local, value, body }, ty))
            }
            11 if !self.body.functions.is_empty() => {
                let arg = self.int(depth - 1);
                let function = FnId(self.choices.below(self.body.functions.len() as u32));
                Some(self.push(Expr::Apply(function, vec![arg]), ty))
            }
            12 => {
                let inner = self.int(depth - 1);
                Some(self.push(Expr::Unary(UnaryOp::Negate, inner), ty))
            }
            13 => {
                // A loop in the loop.
                let tags = self.field(TAGS, &Type::list(Type::STRING));
                tags.map(|tags| {
                    let lambda = self.lambda(&Type::STRING, |this| this.int(depth - 1));
                    let list = Type::list(Type::INT);
                    let mapped = Expr::Builtin { op: Builtin::Map, args: vec![tags], lambda: Some(lambda) };
                    let mapped = self.push(mapped, &list);
                    self.call(Builtin::Sum, vec![mapped], &Type::INT)
                })
            }
            _ => None,
        };
        found.unwrap_or_else(|| {
            let value = *self.choices.one_of(&[2, 0, 1, 7, -1, 100]);
            self.constant(Value::Int(value), ty)
        })
    }

    fn matched(&mut self, depth: u32) -> Option<ExprId> {
        let scrutinee = self.field(MOOD, &Type::Named(self.mood))?;
        let first = self.int(depth - 1);
        let local = LocalId(self.locals);
        self.locals += 1;
        self.scope.push((local, Type::INT));
        let second = self.int(depth - 1);
        self.scope.pop();
        let third = self.int(depth - 1);
        let arms = vec![
            Arm { pattern: Pattern::Variant(0, None), body: first },
            Arm { pattern: Pattern::Variant(1, Some(Box::new(Pattern::Bind(local)))), body: second },
            Arm {
                pattern: Pattern::Variant(2, Some(Box::new(Pattern::Literal(Value::string("a"))))),
                body: third,
            },
            Arm { pattern: Pattern::Any, body: first },
        ];
        Some(self.push(Expr::Match { scrutinee, arms }, &Type::INT))
    }

    fn float(&mut self, depth: u32) -> ExprId {
        let ty = &Type::FLOAT;
        let choice = if depth == 0 { self.choices.below(2) } else { self.choices.below(5) };
        let found = match choice {
            0 => self.field(RANK, ty),
            1 => self.read(ty),
            2 | 3 => {
                use BinaryOp::{Add, Divide, Multiply, Remainder, Subtract};
                let op = *self.choices.one_of(&[Add, Subtract, Multiply, Divide, Remainder]);
                let (left, right) = (self.float(depth - 1), self.float(depth - 1));
                Some(self.binary(op, left, right, ty))
            }
            _ => {
                let int = self.int(depth - 1);
                Some(self.push(Expr::Widen(int, Widening::IntToFloat), ty))
            }
        };
        found.unwrap_or_else(|| {
            let value = *self.choices.one_of(&[1.5, 0.0, -2.0, 1e300]);
            self.constant(Value::Float(value), ty)
        })
    }

    fn text(&mut self, depth: u32) -> ExprId {
        let ty = &Type::STRING;
        let choice = if depth == 0 { self.choices.below(2) } else { self.choices.below(8) };
        let found = match choice {
            0 => self.field(TITLE, ty),
            1 => self.read(ty),
            2 => {
                let (text, number) = (self.text(depth - 1), self.int(depth - 1));
                Some(self.push(Expr::Template(vec![text, number]), ty))
            }
            3 => {
                let (note, otherwise) = (self.field(NOTE, &ty.clone().optional()), self.text(depth - 1));
                note.map(|note| self.binary(BinaryOp::Coalesce, note, otherwise, ty))
            }
            4 => {
                let text = self.text(depth - 1);
                let op = *self.choices.one_of(&[
                    Builtin::Normalize,
                    Builtin::Trim,
                    Builtin::Folded,
                    Builtin::Upper,
                ]);
                Some(self.call(op, vec![text], ty))
            }
            5 => {
                let tags = self.field(TAGS, &Type::list(Type::STRING));
                let index = self.int(depth - 1);
                tags.map(|list| self.push(Expr::Index { list, index }, ty))
            }
            6 => {
                let price = self.field(PRICE, &Type::Amount);
                price.map(|price| self.push(Expr::Template(vec![price]), ty))
            }
            _ => {
                let (text, n) = (self.text(depth - 1), self.int(depth - 1));
                Some(self.call(Builtin::Take, vec![text, n], ty))
            }
        };
        found.unwrap_or_else(|| {
            let value = *self.choices.one_of(&["a", "", "Straße"]);
            self.constant(Value::string(value), ty)
        })
    }

    fn test(&mut self, depth: u32) -> ExprId {
        use BinaryOp::{And, Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual, Or};
        let ty = &Type::Bool;
        let choice = if depth == 0 { 0 } else { self.choices.below(9) };
        match choice {
            0 | 1 => {
                let op = *self.choices.one_of(&[Greater, Less, LessEqual, GreaterEqual, Equal, NotEqual]);
                let (left, right) = (self.int(depth.saturating_sub(1)), self.int(depth.saturating_sub(1)));
                self.binary(op, left, right, ty)
            }
            2 => {
                let op = *self.choices.one_of(&[Greater, Less, Equal, NotEqual]);
                let (left, right) = (self.text(depth - 1), self.text(depth - 1));
                self.binary(op, left, right, ty)
            }
            3 => {
                let op = *self.choices.one_of(&[And, Or]);
                let (left, right) = (self.test(depth - 1), self.test(depth - 1));
                self.binary(op, left, right, ty)
            }
            4 => {
                let op = *self.choices.one_of(&[Greater, LessEqual, Equal]);
                let (left, right) = (self.float(depth - 1), self.float(depth - 1));
                self.binary(op, left, right, ty)
            }
            5 => match self.field(TAGS, &Type::list(Type::STRING)) {
                Some(tags) => {
                    let op = *self.choices.one_of(&[Builtin::Any, Builtin::All]);
                    let lambda = self.lambda(&Type::STRING, |this| this.test(depth - 1));
                    self.push(Expr::Builtin { op, args: vec![tags], lambda: Some(lambda) }, ty)
                }
                None => self.test(depth - 1),
            },
            6 => match self.field(NOTE, &Type::STRING.optional()) {
                Some(note) => {
                    let op = *self.choices.one_of(&[NotEqual, Equal]);
                    let other = match self.choices.below(3) {
                        0 => self.constant(Value::Null, &Type::Bool.optional()),
                        1 => self.text(depth - 1),
                        _ => self.note(depth - 1),
                    };
                    self.binary(op, note, other, ty)
                }
                None => self.test(depth - 1),
            },
            7 => {
                let (text, part) = (self.text(depth - 1), self.text(depth - 1));
                self.call(Builtin::Contains, vec![text, part], ty)
            }
            _ => {
                let inner = self.test(depth - 1);
                self.push(Expr::Unary(UnaryOp::Not, inner), ty)
            }
        }
    }

    /// A text that may be `null`.
    fn note(&mut self, depth: u32) -> ExprId {
        let ty = &Type::STRING.optional();
        let choice = if depth == 0 { self.choices.below(2) } else { self.choices.below(4) };
        let found = match choice {
            0 => self.field(NOTE, ty),
            2 => {
                let text = self.text(depth - 1);
                Some(self.push(Expr::Widen(text, Widening::Identity), ty))
            }
            3 => {
                let (condition, then) = (self.test(depth - 1), self.note(depth - 1));
                let otherwise = self.note(depth - 1);
                Some(self.push(Expr::If { condition, then, otherwise }, ty))
            }
            _ => None,
        };
        found.unwrap_or_else(|| self.constant(Value::Null, ty))
    }

    /// A record that comes from no value.
    fn made(&mut self, depth: u32) -> ExprId {
        let (tags, mood) = (Type::list(Type::STRING), Type::Named(self.mood));
        let fields = vec![
            self.text(depth),
            self.int(depth),
            self.float(depth),
            self.field(TAGS, &tags).unwrap_or_else(|| self.constant(Value::list([]), &tags)),
            self.note(depth),
            self.field(MOOD, &mood).unwrap_or_else(|| self.constant(Value::Variant(0, None), &mood)),
            self.constant(Value::Amount(Amount::new(1, Currency::Rao)), &Type::Amount),
        ];
        self.push(Expr::Record(self.item, fields), &Type::Named(self.item))
    }

    fn of(&mut self, ty: &Type, depth: u32) -> ExprId {
        match ty {
            Type::Int(_) => self.int(depth),
            Type::Float(_) => self.float(depth),
            Type::String(_) => self.text(depth),
            Type::Bool => self.test(depth),
            _ if depth > 0 && self.choices.below(2) == 1 => self.made(depth - 1),
            other => match self.read(other) {
                Some(read) => read,
                None => {
                    let item = self.item_value();
                    self.constant(item, other)
                }
            },
        }
    }

    /// A chain of list functions that ends anywhere.
    fn chain(&mut self) -> (ExprId, Type) {
        let mut element = Type::Named(self.item);
        let mut list = self.push(Expr::Param(0), &Type::list(element.clone()));
        for _ in 0..=self.choices.below(4) {
            let ty = Type::list(element.clone());
            match self.choices.below(7) {
                0..=2 => {
                    let lambda = self.lambda(&element, |this| this.test(3));
                    list = self.push(
                        Expr::Builtin { op: Builtin::Filter, args: vec![list], lambda: Some(lambda) },
                        &ty,
                    );
                }
                3 | 4 => {
                    let item = Type::Named(self.item);
                    let made = self.choices.one_of(&[Type::INT, Type::STRING, Type::FLOAT, item]).clone();
                    let lambda = self.lambda(&element, |this| this.of(&made, 3));
                    element = made;
                    let ty = Type::list(element.clone());
                    list = self.push(
                        Expr::Builtin { op: Builtin::Map, args: vec![list], lambda: Some(lambda) },
                        &ty,
                    );
                }
                5 => {
                    let n = i64::from(self.choices.below(6)) - 1;
                    let n = self.constant(Value::Int(n), &Type::INT);
                    let op = *self.choices.one_of(&[Builtin::Take, Builtin::Take, Builtin::Skip]);
                    list = self.call(op, vec![list, n], &ty);
                }
                _ => {
                    let key = self.choices.one_of(&[Type::INT, Type::STRING, Type::FLOAT]).clone();
                    let lambda = self.lambda(&element, |this| this.of(&key, 2));
                    let (op, mut args) = (*self.choices.one_of(&[Builtin::SortBy, Builtin::Top]), vec![list]);
                    if op == Builtin::Top {
                        args.push(self.int(1));
                    }
                    list = self.push(Expr::Builtin { op, args, lambda: Some(lambda) }, &ty);
                }
            }
        }
        self.end(list, element)
    }

    fn end(&mut self, list: ExprId, element: Type) -> (ExprId, Type) {
        let ty = Type::list(element.clone());
        let sink = |this: &mut Self, op, depth| {
            let lambda = this.lambda(&element, |this| this.test(depth));
            Expr::Builtin { op, args: vec![list], lambda: Some(lambda) }
        };
        match self.choices.below(12) {
            0 => (self.call(Builtin::Len, vec![list], &Type::INT), Type::INT),
            1 | 2 => {
                let op = *self.choices.one_of(&[Builtin::All, Builtin::Any]);
                let expr = sink(self, op, 3);
                (self.push(expr, &Type::Bool), Type::Bool)
            }
            3 => {
                let expr = sink(self, Builtin::Count, 3);
                (self.push(expr, &Type::INT), Type::INT)
            }
            4 => {
                let expr = sink(self, Builtin::Find, 3);
                let ty = element.optional();
                (self.push(expr, &ty), ty)
            }
            5 => {
                let expr = sink(self, Builtin::Position, 3);
                let ty = Type::INT.optional();
                (self.push(expr, &ty), ty)
            }
            6 if element == Type::STRING => {
                let separator = self.constant(Value::string(", "), &Type::STRING);
                (self.call(Builtin::Join, vec![list, separator], &Type::STRING), Type::STRING)
            }
            6 | 7 if matches!(element, Type::Int(_) | Type::Float(_)) => {
                let op = *self.choices.one_of(&[Builtin::Sum, Builtin::Min, Builtin::Max, Builtin::Average]);
                let ty = match op {
                    Builtin::Sum => element,
                    Builtin::Average => Type::FLOAT.optional(),
                    _ => element.optional(),
                };
                (self.call(op, vec![list], &ty), ty)
            }
            8 => {
                let op = *self.choices.one_of(&[Builtin::MinBy, Builtin::MaxBy]);
                let key = self.choices.one_of(&[Type::INT, Type::FLOAT, Type::STRING]).clone();
                let lambda = self.lambda(&element, |this| this.of(&key, 2));
                let ty = element.optional();
                (self.push(Expr::Builtin { op, args: vec![list], lambda: Some(lambda) }, &ty), ty)
            }
            9 => {
                let op = *self.choices.one_of(&[Builtin::GroupBy, Builtin::KeyBy]);
                let lambda = self.lambda(&element, |this| this.text(2));
                let ty = Type::Map(Box::new(if op == Builtin::GroupBy { ty } else { element }));
                (self.push(Expr::Builtin { op, args: vec![list], lambda: Some(lambda) }, &ty), ty)
            }
            10 => {
                let op = *self.choices.one_of(&[Builtin::First, Builtin::Last]);
                let ty = element.optional();
                (self.call(op, vec![list], &ty), ty)
            }
            _ => (list, ty),
        }
    }

    fn function(&mut self) {
        self.locals = 1;
        self.scope = vec![(LocalId(0), Type::INT)];
        let depth = 1 + self.choices.below(4);
        let body = self.int(depth);
        self.scope.clear();
        let fragment = Fragment { params: 1, frame: self.locals, body };
        self.body.functions.push(Function { name: "f".into(), fragment });
    }
}

fn chain(numbers: Vec<u32>) -> Chain {
    let mut make = Generator::new(numbers);
    let items = make.items();
    for _ in 0..make.choices.below(3) {
        make.function();
    }
    make.locals = 0;
    // A local that lambdas capture.
    let captured = LocalId(0);
    make.locals = 1;
    let value = make.int(0);
    make.scope = vec![(captured, Type::INT)];
    let (body, ty) = make.chain();
    let body = make.push(Expr::Let { local: captured, value, body }, &ty);
    let fragment = Fragment { params: 0, frame: make.locals, body };
    Chain { body: make.body, fragment, items }
}

fn shown(chain: &Chain) -> String {
    let table = &chain.body.exprs;
    let lines = table.exprs.iter().zip(&table.types).enumerate();
    let lines = lines.map(|(id, (expr, ty))| format!("{id}: {expr:?} : {ty:?}\n"));
    format!(
        "{:?}\n{}{:?}\n{:?}",
        chain.fragment,
        lines.collect::<String>(),
        chain.body.functions,
        chain.items
    )
}

/// Both engines with these meters; what native code made of it.
fn check(chain: &Chain, native: &NativePlan, fuel: u64, bytes: u64) -> (Result<Value, Trap>, Outcome<Value>) {
    let mut expected_meter = Meter::new(fuel, bytes);
    let expected = eval(&chain.body, &chain.fragment, &[], chain, &mut expected_meter);
    let mut meter = Meter::new(fuel, bytes);
    let outcome = native.eval_native(&chain.fragment, &[], chain, &mut meter);
    match &outcome {
        Outcome::Done(result) => {
            assert_eq!(result, &expected, "{}", shown(chain));
            if result.is_ok() {
                assert_eq!(meter, expected_meter, "{}", shown(chain));
            }
        }
        Outcome::Undecided => assert!(expected.is_err(), "undecided though {expected:?}: {}", shown(chain)),
        Outcome::NotCompiled => panic!("{:?}: {}", native.refused(), shown(chain)),
    }
    check_flat(chain, native, Meter::new(fuel, bytes), &outcome, &meter);
    (expected, outcome)
}

/// The items, laid out.
struct FlatItems(Flat);

impl FlatEnv for FlatItems {
    fn param(&self, index: u32) -> Option<Flat> {
        (index == 0).then(|| self.0.clone())
    }
    fn node(&self, _: plan_ir::graph::NodeId) -> Option<Flat> {
        None
    }
    fn item(&self, _: plan_ir::graph::NodeId) -> Option<Flat> {
        None
    }
    fn bound(&self, _: plan_ir::graph::NodeId, _: u32) -> Option<Flat> {
        None
    }
}

/// On values that are laid out, the same.
fn check_flat(chain: &Chain, native: &NativePlan, mut meter: Meter, outcome: &Outcome<Value>, after: &Meter) {
    let shape = Shape::new(&chain.body.params[0].ty, &chain.body.types);
    let items = FlatItems(shape.lay_out(chain.items.clone(), 1 << 24).unwrap());
    let flat = native.eval_flat_native(&chain.fragment, &[], &items, &mut meter);
    drop(items);
    match (flat, outcome) {
        (Outcome::Done(Ok(flat)), Outcome::Done(Ok(value))) => {
            assert_eq!(flat.to_value().as_ref(), Some(value), "{}", shown(chain));
            assert_eq!(&meter, after, "{}", shown(chain));
        }
        (Outcome::Done(Err(flat)), Outcome::Done(Err(trap))) => assert_eq!(&flat, trap),
        (Outcome::Undecided, Outcome::Undecided) => {}
        (flat, outcome) => panic!("{flat:?} and {outcome:?}: {}", shown(chain)),
    }
}

fn compiled(chain: &Chain) -> NativePlan {
    ENGINE.compile_fragments(&chain.body, &[chain.fragment], Coverage::All).unwrap()
}

const FUEL: u64 = 2_000_000;
const BYTES: u64 = 1 << 22;

proptest! {
    #![proptest_config(crate::generate::cases(crate::cases()))]

    #[test]
    fn chains_give_what_the_interpreter_gives(numbers in prop::collection::vec(any::<u32>(), 0..900)) {
        let chain = chain(numbers);
        let _ = check(&chain, &compiled(&chain), FUEL, BYTES);
    }

    #[test]
    fn chains_end_where_the_meter_does(
        numbers in prop::collection::vec(any::<u32>(), 0..900),
        shares in prop::collection::vec((0..=1_100_u64, 0..=1_100_u64), 1..8),
    ) {
        let chain = chain(numbers);
        let native = compiled(&chain);
        let mut whole = Meter::new(FUEL, BYTES);
        let _ = eval(&chain.body, &chain.fragment, &[], &chain, &mut whole);
        let (fuel, bytes) = (FUEL - whole.fuel(), BYTES - whole.bytes());
        // Exactly enough is enough, and one less is not.
        let _ = check(&chain, &native, fuel, BYTES);
        let _ = check(&chain, &native, fuel.saturating_sub(1), BYTES);
        let _ = check(&chain, &native, FUEL, bytes);
        let _ = check(&chain, &native, FUEL, bytes.saturating_sub(1));
        for (fuel_share, bytes_share) in shares {
            let _ = check(&chain, &native, fuel * fuel_share / 1_000, bytes * bytes_share / 1_000 + 16);
        }
    }
}

#[test]
fn most_chains_are_decided_and_every_trap_is_met() {
    let mut ends = BTreeMap::<String, usize>::new();
    for numbers in crate::streams(4_321, 900, crate::cases()) {
        let chain = chain(numbers);
        let (expected, outcome) = check(&chain, &compiled(&chain), FUEL, BYTES);
        let end = match (outcome, expected) {
            (Outcome::Done(Ok(_)), _) => "value".into(),
            (Outcome::Done(Err(trap)), _) => trap.kind.code().to_owned(),
            (_, Err(trap)) => format!("undecided {}", trap.kind.code()),
            (outcome, value) => unreachable!("{outcome:?} though {value:?}"),
        };
        *ends.entry(end).or_default() += 1;
    }
    // Where a later function of a loop traps, the interpreter is asked.
    for end in ["value", "E0801", "E0802", "E0803", "E0804", "undecided E0801", "undecided E0803"] {
        assert!(ends.contains_key(end), "no chain ends in {end}: {ends:?}");
    }
    let undecided: usize =
        ends.iter().filter(|(end, _)| end.starts_with("undecided")).map(|(_, count)| count).sum();
    assert!(undecided * 10 < ends.values().sum(), "{ends:?}");
}
