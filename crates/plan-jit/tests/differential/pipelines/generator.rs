//! What the parts of a random chain are made from: the record of its items, their values, and reads of locals.

use plan_ir::builtin::Builtin;
use plan_ir::expr::{BinaryOp, Expr, ExprId, ExprTable, Lambda, LocalId};
use plan_ir::plan::{Param, PlanBody, Scope, ScopeKind};
use schema::amount::{Amount, Currency};
use schema::types::{DefId, EnumDef, EnumWire, FieldDef, RecordDef, Type, TypeDef, TypeDefs, VariantDef};
use schema::value::Value;

use crate::generate::Choices;

pub(super) struct Generator {
    pub(super) choices: Choices,
    pub(super) body: PlanBody,
    pub(super) item: DefId,
    pub(super) mood: DefId,
    pub(super) locals: u32,
    /// Locals that can be read, with their types.
    pub(super) scope: Vec<(LocalId, Type)>,
}

pub(super) const TITLE: u32 = 0;
pub(super) const SCORE: u32 = 1;
pub(super) const RANK: u32 = 2;
pub(super) const TAGS: u32 = 3;
pub(super) const NOTE: u32 = 4;
pub(super) const MOOD: u32 = 5;
pub(super) const PRICE: u32 = 6;

impl Generator {
    pub(super) fn new(numbers: Vec<u32>) -> Self {
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

    pub(super) fn push(&mut self, expr: Expr, ty: &Type) -> ExprId {
        self.body.exprs.exprs.push(expr);
        self.body.exprs.types.push(ty.clone());
        ExprId(self.body.exprs.exprs.len() as u32 - 1)
    }

    pub(super) fn constant(&mut self, value: Value, ty: &Type) -> ExprId {
        self.push(Expr::Const(value), ty)
    }

    pub(super) fn items(&mut self) -> Value {
        let length = *self.choices.one_of(&[3, 0, 1, 2, 7, 20, 60]);
        let items: Vec<Value> = (0..length).map(|_| self.item_value()).collect();
        Value::list(items)
    }

    pub(super) fn item_value(&mut self) -> Value {
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

    pub(super) fn lambda(&mut self, over: &Type, body: impl FnOnce(&mut Self) -> ExprId) -> Lambda {
        let param = LocalId(self.locals);
        self.locals += 1;
        self.scope.push((param, over.clone()));
        let body = body(self);
        self.scope.pop();
        Lambda { params: vec![param], body }
    }

    /// A local of this type that can be read here.
    pub(super) fn read(&mut self, ty: &Type) -> Option<ExprId> {
        let fitting: Vec<LocalId> =
            self.scope.iter().filter(|(_, of)| of == ty).map(|(local, _)| *local).collect();
        if fitting.is_empty() {
            return None;
        }
        let local = *self.choices.one_of(&fitting);
        Some(self.push(Expr::Local(local), ty))
    }

    /// A field of an item that can be read here.
    pub(super) fn field(&mut self, index: u32, ty: &Type) -> Option<ExprId> {
        let record = self.read(&Type::Named(self.item))?;
        Some(self.push(Expr::Field { record, index, optional: false }, ty))
    }

    pub(super) fn binary(&mut self, op: BinaryOp, left: ExprId, right: ExprId, ty: &Type) -> ExprId {
        self.push(Expr::Binary(op, left, right), ty)
    }

    pub(super) fn call(&mut self, op: Builtin, args: Vec<ExprId>, ty: &Type) -> ExprId {
        self.push(Expr::Builtin { op, args, lambda: None }, ty)
    }
}
