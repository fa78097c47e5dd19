//! A plan that makes no calls, evaluated on the spot: nothing to wait for, nothing to pay.

use std::collections::BTreeMap;

use schema::decode::{DecodeError, decode};
use schema::encode::{EncodeError, to_json};
use schema::value::Value;

use super::{Env, Meter, Trap, eval, match_pattern};
use crate::expr::Fragment;
use crate::graph::{NodeId, Region};
use crate::plan::{CompiledPlan, NodeBody};

/// Why a plan has no value here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PureError {
    /// It makes calls, or asks what was spent, which only a runtime can.
    #[error("`{node}` is no pure code: run the plan in a runtime")]
    Call {
        /// Label of the first node that is no pure code.
        node: String,
    },
    /// An `ensure` does not hold.
    #[error("{message}")]
    Ensure {
        /// Label of the `ensure`.
        node: String,
        /// What the plan says.
        message: String,
    },
    /// There are fewer arguments than parameters without a default, or more than parameters.
    #[error("the plan takes {wanted} arguments")]
    Arguments {
        /// How many parameters it has.
        wanted: usize,
    },
    /// An argument that is not of its parameter's type.
    #[error("the argument `{param}`: {why}")]
    Argument {
        /// Name of the parameter.
        param: String,
        /// What does not fit.
        why: DecodeError,
    },
    /// The result cannot be written as JSON.
    #[error("the result: {0}")]
    Result(#[from] EncodeError),
    /// An expression has no value.
    #[error(transparent)]
    Trap(#[from] Trap),
    /// The plan contradicts itself; never the case for what this compiler makes.
    #[error("the compiled plan is malformed: {0}")]
    Malformed(&'static str),
}

/// The value of a plan that makes no calls, for arguments in the order of its parameters; those that are left out at
/// the end take their defaults. The arguments must be of the parameters' types: decode them with
/// [`schema::decode::decode`].
///
/// # Errors
/// A [`PureError`]; [`PureError::Call`] at the first call, which is not made.
pub fn evaluate(plan: &CompiledPlan, mut args: Vec<Value>) -> Result<Value, PureError> {
    let params = &plan.body.params;
    for param in params.get(args.len()..).ok_or(PureError::Arguments { wanted: params.len() })? {
        let default = param.default.clone();
        args.push(default.ok_or(PureError::Arguments { wanted: params.len() })?);
    }
    let mut run = Run { plan, args, nodes: BTreeMap::new(), bound: BTreeMap::new() };
    run.region(&plan.graph.root)
}

/// As [`evaluate`], with arguments and result as JSON.
///
/// # Errors
/// A [`PureError`], also where an argument is not of its type.
pub fn evaluate_json(plan: &CompiledPlan, args: &[impl AsRef<[u8]>]) -> Result<String, PureError> {
    let (params, types) = (&plan.body.params, &plan.body.types);
    if args.len() > params.len() {
        return Err(PureError::Arguments { wanted: params.len() });
    }
    let args = params.iter().zip(args).map(|(param, arg)| {
        let misfit = |why| PureError::Argument { param: param.name.clone(), why };
        decode(arg.as_ref(), &param.ty, types).map_err(misfit)
    });
    let value = evaluate(plan, args.collect::<Result<_, _>>()?)?;
    Ok(to_json(&value, &plan.body.output, types)?)
}

/// Values so far. A node of a region that runs again takes the place of its last value.
struct Run<'a> {
    plan: &'a CompiledPlan,
    args: Vec<Value>,
    nodes: BTreeMap<NodeId, Value>,
    bound: BTreeMap<NodeId, Vec<Value>>,
}

impl Env for Run<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        self.args.get(index as usize).cloned()
    }

    fn node(&self, node: NodeId) -> Option<Value> {
        self.nodes.get(&node).cloned()
    }

    fn item(&self, _: NodeId) -> Option<Value> {
        // Loops without calls are expressions; one with calls does not get that far.
        None
    }

    fn bound(&self, branch: NodeId, index: u32) -> Option<Value> {
        self.bound.get(&branch)?.get(index as usize).cloned()
    }
}

impl Run<'_> {
    fn region(&mut self, region: &Region) -> Result<Value, PureError> {
        for id in &region.nodes {
            let value = self.node(*id)?;
            self.nodes.insert(*id, value);
        }
        let result = region.result.and_then(|result| self.nodes.get(&result));
        result.cloned().ok_or(PureError::Malformed("a region without a result"))
    }

    fn node(&mut self, id: NodeId) -> Result<Value, PureError> {
        let node = self.plan.graph.node(id).zip(self.plan.body.nodes.get(id.0 as usize));
        let (node, body) = node.ok_or(PureError::Malformed("a region with a node that is not there"))?;
        match body {
            NodeBody::Pure(fragment) => self.eval(fragment),
            NodeBody::Ensure { condition, message } => match self.eval(condition)? {
                Value::Bool(true) => Ok(Value::Bool(true)),
                _ => {
                    let message = self.eval(message)?.as_str().unwrap_or_default().to_owned();
                    Err(PureError::Ensure { node: node.label.clone(), message })
                }
            },
            NodeBody::Branch { scrutinee, patterns } => {
                let value = self.eval(scrutinee)?;
                let taken = patterns.iter().zip(&node.regions).find_map(|(pattern, region)| {
                    match_pattern(pattern, &value).map(|bound| (bound, region))
                });
                let (bound, region) = taken.ok_or(PureError::Malformed("a branch without an arm"))?;
                self.bound.insert(id, bound);
                self.region(region)
            }
            _ => Err(PureError::Call { node: node.label.clone() }),
        }
    }

    fn eval(&self, fragment: &Fragment) -> Result<Value, PureError> {
        Ok(eval(&self.plan.body, fragment, &[], self, &mut Meter::default())?)
    }
}
