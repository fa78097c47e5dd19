//! A plain executor: one node after the other, mocked answers, no clock. It shows that what the compiler
//! lays out means what the text says; how it is scheduled is tested elsewhere.

use std::collections::BTreeMap;

use plan_ir::expr::Fragment;
use plan_ir::graph::{NodeId, Region};
use plan_ir::interp::{Env, Meter, Trap, eval, match_pattern};
use plan_ir::plan::{CallSpec, CompiledPlan, Fallback, NodeBody, OnError, Tolerance};
use schema::amount::{Amount, Currency};
use schema::decode::decode;
use schema::encode::to_json;
use schema::types::Type;
use schema::value::Value;

use crate::common::compiled;

/// What a run did.
pub(crate) struct Outcome {
    /// The result as JSON, or why it failed.
    pub(crate) result: Result<String, String>,
    /// Every call with its input as JSON, in order.
    pub(crate) calls: Vec<String>,
}

/// Runs the plan `name` of `text` with JSON arguments. `answer` gives for an operation and its input the
/// JSON of the answer, or `None` for a failed call.
pub(crate) fn execute(
    text: &str,
    name: &str,
    args: &[&str],
    answer: impl Fn(&str, &str) -> Option<String>,
) -> Outcome {
    let compilation = compiled(text);
    assert!(!compilation.has_errors(), "{}", crate::common::shown(text));
    let (plan, _) = compilation.plan(name).unwrap();
    plan_ir::validate::validate(plan).unwrap();
    let types = &plan.body.types;
    let mut params: Vec<Value> = args
        .iter()
        .zip(&plan.body.params)
        .map(|(arg, p)| decode(arg.as_bytes(), &p.ty, types).unwrap())
        .collect();
    let defaults = plan.body.params.iter().skip(params.len()).map(|p| p.default.clone().unwrap());
    params.extend(defaults.collect::<Vec<_>>());
    let mut run = Run { plan, answer: &answer, calls: Vec::new() };
    let mut frame = Frame { params, ..Frame::default() };
    let result = run.region(&plan.graph.root, &mut frame);
    let result = result.map(|value| to_json(&value, &plan.body.output, types).unwrap());
    Outcome { result, calls: run.calls }
}

#[derive(Clone, Default)]
struct Frame {
    params: Vec<Value>,
    nodes: BTreeMap<NodeId, Value>,
    items: BTreeMap<NodeId, Value>,
    bound: BTreeMap<NodeId, Vec<Value>>,
}

impl Env for Frame {
    fn param(&self, index: u32) -> Option<Value> {
        self.params.get(index as usize).cloned()
    }

    fn node(&self, node: NodeId) -> Option<Value> {
        self.nodes.get(&node).cloned()
    }

    fn item(&self, fan_out: NodeId) -> Option<Value> {
        self.items.get(&fan_out).cloned()
    }

    fn bound(&self, branch: NodeId, index: u32) -> Option<Value> {
        self.bound.get(&branch)?.get(index as usize).cloned()
    }
}

struct Run<'a> {
    plan: &'a CompiledPlan,
    answer: &'a dyn Fn(&str, &str) -> Option<String>,
    calls: Vec<String>,
}

impl Run<'_> {
    fn region(&mut self, region: &Region, frame: &mut Frame) -> Result<Value, String> {
        for &id in &region.nodes {
            let value = self.node(id, frame)?;
            frame.nodes.insert(id, value);
        }
        Ok(frame.nodes[&region.result.unwrap()].clone())
    }

    fn eval(&self, fragment: &Fragment, args: &[Value], frame: &Frame) -> Result<Value, String> {
        eval(&self.plan.body, fragment, args, frame, &mut Meter::default())
            .map_err(|trap: Trap| trap.to_string())
    }

    fn node(&mut self, id: NodeId, frame: &mut Frame) -> Result<Value, String> {
        let plan = self.plan;
        let node = plan.graph.node(id).unwrap();
        for parent in &node.parents {
            assert!(frame.nodes.contains_key(parent), "{} runs before {}", id.0, parent.0);
        }
        match &plan.body.nodes[id.0 as usize] {
            NodeBody::Pure(fragment) => self.eval(fragment, &[], frame),
            // Answers cost nothing here.
            NodeBody::Spent(_) => Ok(Value::Amount(Amount::zero(Currency::MicroUsd))),
            NodeBody::Ensure { condition, message } => match self.eval(condition, &[], frame)? {
                Value::Bool(true) => Ok(Value::Bool(true)),
                _ => Err(self.eval(message, &[], frame)?.as_str().unwrap().to_owned()),
            },
            NodeBody::Call(spec) => self.call(spec, frame),
            NodeBody::Branch { scrutinee, patterns } => {
                let value = self.eval(scrutinee, &[], frame)?;
                let taken = patterns.iter().zip(&node.regions).find_map(|(pattern, region)| {
                    match_pattern(pattern, &value).map(|bound| (bound, region))
                });
                let (bound, region) = taken.unwrap();
                frame.bound.insert(id, bound);
                self.region(region, frame)
            }
            NodeBody::FanOut { list, tolerate, on_error, .. } => {
                let list = self.eval(list, &[], frame)?;
                let items = list.as_list().unwrap();
                let (mut kept, mut failed) = (Vec::new(), 0);
                for (index, item) in items.iter().enumerate() {
                    let mut inner = frame.clone();
                    inner.items.insert(id, item.clone());
                    match (self.region(&node.regions[0], &mut inner), on_error) {
                        (Ok(value), OnError::Keep { .. }) => kept.push(Value::ok(value)),
                        (Ok(value), OnError::Drop) => kept.push(value),
                        (Err(why), OnError::Keep { .. }) => {
                            let error = [Value::string("E1101"), Value::string(why), Value::Null];
                            let index = Value::Int(index as i64);
                            kept.push(Value::err(Value::record([index, item.clone(), Value::record(error)])));
                        }
                        (Err(why), OnError::Drop) => {
                            failed += 1;
                            let within = match tolerate {
                                Tolerance::All => true,
                                Tolerance::Count(count) => failed <= *count,
                                Tolerance::BasisPoints(share) => {
                                    u64::from(failed) * 10_000 <= u64::from(*share) * items.len() as u64
                                }
                            };
                            if !within {
                                return Err(why);
                            }
                        }
                    }
                }
                Ok(Value::list(kept))
            }
        }
    }

    fn call(&mut self, spec: &CallSpec, frame: &Frame) -> Result<Value, String> {
        let args: Vec<Value> =
            spec.args.iter().map(|arg| self.eval(arg, &[], frame)).collect::<Result<_, _>>()?;
        let mut last = String::new();
        for _ in 0..=spec.retry.max {
            match self.attempt(spec, &args, frame) {
                Ok(value) => return Ok(value),
                Err(why) => last = why,
            }
        }
        match &spec.fallback {
            Some(Fallback::Value(value)) => self.eval(value, &[], frame),
            Some(Fallback::Call(call)) => self.call(call, frame),
            None => Err(last),
        }
    }

    fn attempt(&mut self, spec: &CallSpec, args: &[Value], frame: &Frame) -> Result<Value, String> {
        let candidate = &spec.candidates[0];
        let operation = &self.plan.body.operations[candidate.operation as usize];
        let types = &self.plan.body.types;
        let request = self.eval(&candidate.request, args, frame)?;
        let request = to_json(&request, &Type::Named(operation.input), types).unwrap();
        self.calls.push(format!("{} {request}", operation.id));
        let answer = (self.answer)(&operation.id, &request).ok_or("no answer")?;
        let answer =
            decode(answer.as_bytes(), &operation.output, types).map_err(|error| error.to_string())?;
        let mut with_answer = args.to_vec();
        with_answer.push(answer);
        let value = self.eval(&candidate.response, &with_answer, frame)?;
        match &spec.accept {
            Some(accept) if self.eval(accept, std::slice::from_ref(&value), frame)? != Value::Bool(true) => {
                Err("unaccepted".into())
            }
            _ => Ok(value),
        }
    }
}
