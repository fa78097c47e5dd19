//! One call as a plan: its parameters are those of the operation, its only node is the call, its result is the answer.
//!
//! It is made without a text, as names of parameters need not be names of the language. What is checked is what is
//! checked of a `call` in a text: whether this version can serve it, whether its price is known, what it can cost and
//! take.

use plan_ir::bound::{Bound, BoundError, bound};
use plan_ir::expr::{Expr, ExprId, ExprTable, Fragment, LocalId};
use plan_ir::graph::{Graph, Node, NodeId, NodeKind, Region};
use plan_ir::plan::{
    CallSpec, Candidate, CompiledPlan, DebugInfo, LIBRARY_VERSION, NodeBody, Param, PinnedOperation,
    PlanBody, Scope, ScopeId, ScopeKind,
};
use plan_lang::suggest;
use schema::amount::Amount;
use schema::json_schema::{OperationTypes, SchemaError};
use schema::lock::{Lock, LockError, PinnedEntry};
use schema::operation::{ObservedCost, OperationDescriptor, Transport};
use schema::price::PriceError;
use schema::types::{DefId, Type, TypeDefs};
use schema::value::{Json, Value};

use crate::{POLICY_DURATION_MAX_US, codes};

/// How much later the deadline of the plan is than the timeout of its call, microseconds: who waits too long is to hear
/// of the call.
pub(crate) const DEADLINE_SLACK_US: u64 = 1_000_000;

/// What an operation takes and answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// Its arguments, in the order of its entry: the required ones first.
    pub params: Vec<Param>,
    /// Type of the answer.
    pub output: Type,
    /// The records and enums of both.
    pub types: TypeDefs,
}

/// On which terms an operation is called once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallTerms {
    /// The most the call may cost, where nobody has published a price; a published price is the limit of itself.
    pub max_price: Option<Amount>,
    /// Longest wait for the answer, microseconds.
    pub timeout_us: u64,
}

/// An operation that cannot be called, or not on these terms.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallRefused {
    /// The lock does not hold it.
    #[error("the lock has no operation `{id}`{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        id: String,
        /// The operation of the lock whose id is nearest.
        near: Option<String>,
    },
    /// Its schemas have no types in this version.
    #[error("`{id}` has a schema this version cannot type: {why}")]
    Untyped {
        /// The operation.
        id: String,
        /// Why.
        why: String,
    },
    /// This version does not speak its protocol.
    #[error("`{id}` cannot be called: this version does not speak its protocol, {protocol}")]
    Protocol {
        /// The operation.
        id: String,
        /// The protocol.
        protocol: String,
    },
    /// No operation that can be called fulfils it.
    #[error("no operation that can be called from here fulfils `{id}`")]
    Unserved {
        /// The capability.
        id: String,
    },
    /// Nobody has published a price, and the terms name no limit.
    #[error("the price of `{id}` is not known, so the call needs a limit")]
    PriceUnknown {
        /// The operation.
        id: String,
    },
    /// The limit leaves nothing for operations of which nobody has published a price.
    #[error("no price of `{id}` is published, and a limit of {limit} leaves nothing for a call")]
    NothingLeft {
        /// The capability.
        id: String,
        /// The limit.
        limit: Amount,
    },
    /// The limit is in another currency than the one in which the operation says what it charged.
    #[error(
        "`{id}` says what it charged in {charged}, and the limit is in {limit}: without an exchange rate the two cannot be \
         compared; give the limit in {charged}"
    )]
    OtherCurrency {
        /// The operation.
        id: String,
        /// Of its charges.
        charged: &'static str,
        /// Of the limit.
        limit: &'static str,
    },
    /// The timeout is zero, or longer than a policy may wait.
    #[error("a timeout of {timeout_us} microseconds is not between one microsecond and 7 days")]
    Timeout {
        /// What was asked for.
        timeout_us: u64,
    },
    /// The most it can cost cannot be told.
    #[error(transparent)]
    Unbounded(#[from] BoundError),
    /// Its entry cannot be written to canonical bytes.
    #[error(transparent)]
    Entry(#[from] LockError),
}

impl CallRefused {
    /// The stable code; its page is `docs/errors/<code>.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } | Self::Untyped { .. } => codes::UNKNOWN_OPERATION.as_str(),
            Self::Protocol { .. } | Self::Unserved { .. } => codes::NOT_ADMISSIBLE.as_str(),
            Self::PriceUnknown { .. } | Self::NothingLeft { .. } => codes::PRICE_UNKNOWN.as_str(),
            Self::OtherCurrency { .. } => codes::NO_RATE.as_str(),
            Self::Timeout { .. } => codes::BAD_POLICY_VALUE.as_str(),
            Self::Unbounded(error) => error.code(),
            Self::Entry(error) => error.code,
        }
    }
}

impl Signature {
    /// Of an operation. An argument whose type has no `null` is required, as it is in a `call`.
    ///
    /// # Errors
    /// [`CallRefused::Untyped`].
    pub fn of(operation: &OperationDescriptor) -> Result<Self, CallRefused> {
        let types = OperationTypes::of(operation);
        Self::with_input(operation, types.as_ref()).map(|(signature, _)| signature)
    }

    /// The same, with the record of all arguments.
    fn with_input(
        operation: &OperationDescriptor,
        types: Result<&OperationTypes, &SchemaError>,
    ) -> Result<(Self, DefId), CallRefused> {
        let OperationTypes { defs, input, output } = types
            .map_err(|error| CallRefused::Untyped { id: operation.id.clone(), why: error.to_string() })?;
        let required = operation.input.get("required").and_then(serde_json::Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
        let fields = defs.record(*input).map(|record| record.fields.as_slice()).unwrap_or_default();
        let params = fields.iter().map(|field| Param {
            name: field.name.clone(),
            ty: field.ty.clone(),
            // What has a type without `null` or one of its own for it needs none: it is missing, or is `null`.
            default: (field.ty == Type::Json && !is_required(&field.name)).then_some(Value::Json(Json::Null)),
            doc: field.doc.clone(),
        });
        Ok((Self { params: params.collect(), output: output.clone(), types: defs.clone() }, *input))
    }
}

/// The plan that calls the operation `id` of `lock` once, and the most it can cost and take. Its budget is the price
/// of the call, its deadline a moment after the timeout.
///
/// # Errors
/// [`CallRefused`].
pub fn one_call(lock: &Lock, id: &str, terms: &CallTerms) -> Result<(CompiledPlan, Bound), CallRefused> {
    let entry = lock.operations.get(id).ok_or_else(|| CallRefused::Unknown {
        id: id.to_owned(),
        near: suggest(id, lock.operations.keys().map(String::as_str)).map(str::to_owned),
    })?;
    let signature = Signature::with_input(entry.descriptor(), entry.types())?;
    let plan = plan(lock, entry, signature, terms)?;
    let bound = bound(&plan, None).map_err(|errors| first(errors, id))?;
    Ok((plan, bound))
}

fn plan(
    lock: &Lock,
    entry: &PinnedEntry,
    (signature, input): (Signature, DefId),
    terms: &CallTerms,
) -> Result<CompiledPlan, CallRefused> {
    let operation = entry.descriptor();
    let id = &operation.id;
    if let Transport::Other { protocol, .. } = &operation.transport {
        return Err(CallRefused::Protocol { id: id.clone(), protocol: protocol.clone() });
    }
    if !(1..=POLICY_DURATION_MAX_US).contains(&terms.timeout_us) {
        return Err(CallRefused::Timeout { timeout_us: terms.timeout_us });
    }
    if let Some(refused) = incomparable(lock, operation, terms.max_price) {
        return Err(refused);
    }
    let price = operation.price.worst(terms.max_price);
    let price = match price {
        // A limit is for what has no price; what the caller admits otherwise is checked when the run is admitted.
        Err(PriceError::AboveMax { price, .. }) => price,
        Ok(worst) => worst.amount,
        Err(_) => return Err(CallRefused::PriceUnknown { id: id.clone() }),
    };
    let Signature { params, output, types } = signature;
    let name = id.split_once('.').map_or(id.as_str(), |(_, name)| name);
    let mut exprs = Expressions::default();
    let fields = (0_u32..).zip(&params).map(|(at, param)| exprs.push(Expr::Param(at), param.ty.clone()));
    let fields = fields.collect();
    // One argument, the whole request: the operation may have more parameters than a frame has room for.
    let request = exprs.push(Expr::Record(input, fields), Type::Named(input));
    let passed = exprs.push(Expr::Local(LocalId(0)), Type::Named(input));
    let answer = exprs.push(Expr::Local(LocalId(1)), output.clone());
    let budget = exprs.push(Expr::Const(Value::Amount(price)), Type::Amount);
    let candidate = Candidate { operation: 0, request: fragment(1, passed), response: fragment(2, answer) };
    let spec = CallSpec {
        args: vec![fragment(0, request)],
        max_price: terms.max_price.filter(|_| operation.price == schema::price::PriceRule::Unknown),
        ..CallSpec::once(name, vec![candidate], output.clone(), terms.timeout_us)
    };
    let scope = Scope {
        budget: Some(fragment(0, budget)),
        deadline_us: Some(terms.timeout_us.saturating_add(DEADLINE_SLACK_US)),
        ..Scope::new(ScopeKind::Plan)
    };
    let node =
        Node { kind: NodeKind::Call, label: name.to_owned(), parents: Vec::new(), regions: Vec::new() };
    let pinned = PinnedOperation {
        entry: entry.hash(),
        entry_bytes: entry.bytes().to_vec(),
        input,
        output: output.clone(),
        id: id.clone(),
    };
    Ok(CompiledPlan {
        graph: Graph { nodes: vec![node], root: Region { nodes: vec![NodeId(0)], result: Some(NodeId(0)) } },
        body: PlanBody {
            name: id.clone(),
            types,
            params,
            output,
            exprs: exprs.table,
            functions: Vec::new(),
            nodes: vec![NodeBody::Call(Box::new(spec))],
            scopes: vec![scope],
            node_scopes: vec![ScopeId(0)],
            operations: vec![pinned],
            rate: lock.rate,
        },
        library_version: LIBRARY_VERSION,
        lock_hash: lock.hash,
        debug: DebugInfo::default(),
    })
}

/// The expressions made so far.
#[derive(Default)]
struct Expressions {
    table: ExprTable,
}

impl Expressions {
    fn push(&mut self, expr: Expr, ty: Type) -> ExprId {
        let id = ExprId(u32::try_from(self.table.exprs.len()).unwrap_or(u32::MAX));
        self.table.exprs.push(expr);
        self.table.types.push(ty);
        id
    }
}

const fn fragment(params: u32, body: ExprId) -> Fragment {
    Fragment { params, frame: params, body }
}

pub(crate) fn first(errors: Vec<BoundError>, id: &str) -> CallRefused {
    let first = errors.into_iter().next();
    first.map_or_else(|| CallRefused::PriceUnknown { id: id.to_owned() }, CallRefused::Unbounded)
}

/// Why what an operation says that it charged cannot be held against `limit`, if it cannot.
pub(crate) fn incomparable(
    lock: &Lock,
    operation: &OperationDescriptor,
    limit: Option<Amount>,
) -> Option<CallRefused> {
    let charged = operation.observed_cost.as_ref().and_then(ObservedCost::currency)?;
    let limit = limit.filter(|limit| limit.currency != charged && lock.rate.is_none())?;
    let (charged, limit) = (charged.symbol(), limit.currency.symbol());
    Some(CallRefused::OtherCurrency { id: operation.id.clone(), charged, limit })
}
