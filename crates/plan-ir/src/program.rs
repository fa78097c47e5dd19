//! Hand-built plan bodies for unit tests.

pub(crate) mod sketch;

use schema::hash::Hash;
use schema::types::{Type, TypeDefs};
use schema::value::Value;

use crate::expr::{BinaryOp, Expr, ExprId, ExprTable, FnId, Fragment, Lambda, LocalId};
use crate::graph::Graph;
use crate::interp::{Meter, NoEnv, Trap, TrapKind, eval};
use crate::plan::{CompiledPlan, DebugInfo, Function, PlanBody, Scope, ScopeKind};

/// A body that is being built, with the largest local used so far.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) body: PlanBody,
    locals: u32,
}

impl Program {
    pub(crate) fn new() -> Self {
        let body = PlanBody {
            name: "test".into(),
            types: TypeDefs::new(),
            params: Vec::new(),
            output: Type::INT,
            exprs: ExprTable::default(),
            functions: Vec::new(),
            nodes: Vec::new(),
            scopes: vec![Scope::new(ScopeKind::Plan)],
            node_scopes: Vec::new(),
            operations: Vec::new(),
            rate: None,
        };
        Self { body, locals: 0 }
    }

    pub(crate) fn add(&mut self, expr: Expr, ty: Type) -> ExprId {
        self.body.exprs.exprs.push(expr);
        self.body.exprs.types.push(ty);
        ExprId(self.body.exprs.exprs.len() as u32 - 1)
    }

    pub(crate) fn constant(&mut self, value: impl Into<Literal>) -> ExprId {
        let Literal(value, ty) = value.into();
        self.add(Expr::Const(value), ty)
    }

    pub(crate) fn local(&mut self) -> LocalId {
        self.locals += 1;
        LocalId(self.locals - 1)
    }

    pub(crate) fn read(&mut self, local: LocalId, ty: Type) -> ExprId {
        self.add(Expr::Local(local), ty)
    }

    pub(crate) fn binary(&mut self, op: BinaryOp, a: ExprId, b: ExprId) -> ExprId {
        let ty = self.body.exprs.types[a.0 as usize].clone();
        self.add(Expr::Binary(op, a, b), ty)
    }

    pub(crate) fn builtin(&mut self, op: crate::builtin::Builtin, args: &[ExprId], ty: Type) -> ExprId {
        self.add(Expr::Builtin { op, args: args.to_vec(), lambda: None }, ty)
    }

    pub(crate) fn with_lambda(
        &mut self,
        op: crate::builtin::Builtin,
        list: ExprId,
        param: LocalId,
        body: ExprId,
        ty: Type,
    ) -> ExprId {
        let lambda = Some(Lambda { params: vec![param], body });
        self.add(Expr::Builtin { op, args: vec![list], lambda }, ty)
    }

    pub(crate) fn function(&mut self, params: u32, body: ExprId) -> FnId {
        let fragment = Fragment { params, frame: self.locals.max(params), body };
        self.body.functions.push(Function { name: "f".into(), fragment });
        FnId(self.body.functions.len() as u32 - 1)
    }

    pub(crate) fn fragment(&self, body: ExprId) -> Fragment {
        Fragment { params: 0, frame: self.locals, body }
    }

    pub(crate) fn eval(&self, body: ExprId) -> Result<Value, Trap> {
        eval(&self.body, &self.fragment(body), &[], &NoEnv, &mut Meter::default())
    }

    pub(crate) fn trap(&self, body: ExprId) -> TrapKind {
        self.eval(body).unwrap_err().kind
    }

    pub(crate) fn compiled(self, graph: Graph) -> CompiledPlan {
        CompiledPlan {
            graph,
            body: self.body,
            library_version: crate::plan::LIBRARY_VERSION,
            lock_hash: Hash([7; 32]),
            debug: DebugInfo::default(),
        }
    }
}

/// A constant with its type.
#[derive(Clone, Debug)]
pub(crate) struct Literal(pub(crate) Value, pub(crate) Type);

impl From<i64> for Literal {
    fn from(value: i64) -> Self {
        Self(Value::Int(value), Type::INT)
    }
}

impl From<f64> for Literal {
    fn from(value: f64) -> Self {
        Self(Value::Float(value), Type::FLOAT)
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self(Value::Bool(value), Type::Bool)
    }
}

impl From<&str> for Literal {
    fn from(value: &str) -> Self {
        Self(Value::string(value), Type::STRING)
    }
}

impl From<schema::amount::Amount> for Literal {
    fn from(value: schema::amount::Amount) -> Self {
        Self(Value::Amount(value), Type::Amount)
    }
}

impl From<(Value, Type)> for Literal {
    fn from((value, ty): (Value, Type)) -> Self {
        Self(value, ty)
    }
}

impl<T: Into<Literal>> From<Vec<T>> for Literal {
    /// Elements of one type; an empty list is of integers.
    fn from(items: Vec<T>) -> Self {
        let items: Vec<Self> = items.into_iter().map(Into::into).collect();
        let ty = items.first().map_or(Type::INT, |item| item.1.clone());
        Self(Value::list(items.into_iter().map(|item| item.0)), Type::list(ty))
    }
}

/// A pinned operation that costs `price`.
pub(crate) fn operation(id: &str, price: schema::price::PriceRule) -> crate::plan::PinnedOperation {
    let descriptor = serde_json::json!({
        "id": id,
        "netuid": 22,
        "version": { "breaking": 1, "compatible": 0 },
        "summary": "A test operation",
        "transport": { "kind": "other", "protocol": "none", "base_url": null },
        "access": "open",
        "auth": { "kind": "none" },
        "side_effects": "none",
        "repeat": { "safe": true, "costs_again": true },
        "input": { "type": "object" },
        "output": { "type": "string" },
        "output_complete": true,
        "price": price,
        "sources": [],
    });
    let descriptor = serde_json::from_value(descriptor).unwrap();
    crate::plan::PinnedOperation {
        entry: schema::lock::entry_hash(&descriptor).unwrap(),
        entry_bytes: schema::lock::entry_bytes(&descriptor).unwrap(),
        input: schema::types::DefId(0),
        output: Type::STRING,
        id: id.into(),
    }
}
