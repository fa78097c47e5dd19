//! `orch proof show`: what a bundle says about its run, under the verdict on it.

use std::path::Path;

use ::proof::body::Field;
use ::proof::bundle::Bundle;
use ::proof::commit::{NodeCommit, Outcome};
use ::proof::cost::Money;
use ::proof::plan::PlanGraph;
use ::proof::statement::RunResult;
use ::proof::verify::{Attested, RunSummary, Step, Verdict};
use schema::amount::{Amount, Currency};
use schema::ocb::{Item, Profile};
use serde_json::{Value, json};

use super::{Context, describe, document, end, policy, read, verify};
use crate::exit::{Exit, Failure};
use crate::output::table::{aligned, figures, text};

/// Calls that are listed; a bundle may have a hundred thousand.
const CALLS_SHOWN_MAX: usize = 500;

/// Code of a step that was given up because its run was cancelled, or had failed elsewhere.
const CANCELLED: &str = "E1156";

/// Prints the bundle, and ends as its verification does.
pub(super) fn run(context: &Context, file: &Path, trust: &[String]) -> Result<(), Failure> {
    let bytes = read(file)?;
    let verdict = verify(&bytes, &policy(context, trust)?);
    let bundle = Bundle::from_bytes(&bytes).map_err(|error| {
        let message = format!("{}: {error}", file.display());
        Failure::new("E1301", message, "it is no proof bundle, or a damaged one").exit(Exit::ProofRefused)
    })?;
    let calls = calls(&bundle, &verdict);
    let shown = |field| bundle.disclosed(None, field).map_or(Value::Null, |shown| value(&shown.bytes));
    let (inputs, output) = (shown(Field::RunInput), shown(Field::RunOutput));
    if context.output.json {
        let calls: Vec<Value> = calls.iter().map(Call::document).collect();
        context.output.document(&json!({
            "verdict": document(&verdict),
            "bytes": bytes.len(),
            "calls": calls,
            "inputs": inputs,
            "output": output,
        }));
        return end(context, &verdict);
    }
    let mut parts = vec![describe(&verdict)];
    parts.extend(verdict.run.as_ref().map(|run| summary(run, &verdict, bytes.len())));
    if !calls.is_empty() {
        parts.push(table(&calls).trim_end().to_owned());
    }
    for (name, value) in [("inputs", inputs), ("output", output)] {
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        parts.push(format!("{name} {}", if value.is_null() { "not shown" } else { &text }));
    }
    context.output.data(&parts.join("\n\n"));
    end(context, &verdict)
}

/// What the signed statement says.
fn summary(run: &RunSummary, verdict: &Verdict, bytes: usize) -> String {
    let says = if verdict.valid { "" } else { " (so it says)" };
    let ended = match &run.result {
        RunResult::Succeeded => "succeeded".to_owned(),
        RunResult::Failed { code } => format!("failed with {code}"),
        RunResult::Cancelled => "was cancelled".to_owned(),
    };
    let took = run.closed_at_us.saturating_sub(run.opened_at_us) / 1_000;
    let calls: u64 = run.totals.calls.values().sum();
    format!(
        "the run {ended}{says}\n  began      {}\n  took       {took} ms\n  paid       {}\n  calls      {calls}, \
         {} attempts\n  bundle     {bytes} bytes",
        time(run.opened_at_us),
        paid(run.totals.money),
        run.totals.attempts,
    )
}

fn time(us: u64) -> String {
    let us = i64::try_from(us).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(us).map_or_else(|_| format!("{us} us"), |time| time.to_string())
}

fn paid(money: Money) -> String {
    let parts = [(money.rao, Currency::Rao), (money.micro_usd, Currency::MicroUsd)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(units, _)| *units > 0)
        .map(|(units, currency)| Amount::new(units, currency).to_string())
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" and ") }
}

/// One call of the run, from its commit.
struct Call {
    step: String,
    operation: String,
    ended: String,
    attempts: u32,
    money: Money,
    basis: Option<schema::price::PriceBasis>,
    took_us: u64,
    attested: Option<Attested>,
    signed_by: Vec<String>,
}

/// The calls, and whatever else failed, in the order of the leaves.
fn calls(bundle: &Bundle<'_>, verdict: &Verdict) -> Vec<Call> {
    let plan = PlanGraph::from_bytes(&bundle.plan).ok();
    let commits = bundle.commits.iter().filter_map(|bytes| NodeCommit::from_bytes(bytes).ok());
    let step = |commit: &NodeCommit| {
        let found = verdict.steps.binary_search_by_key(&commit.ordinal, |step| step.leaf);
        found.ok().and_then(|index| verdict.steps.get(index))
    };
    commits.filter_map(|commit| call(plan.as_ref(), &commit, step(&commit))).collect()
}

fn call(plan: Option<&PlanGraph>, commit: &NodeCommit, step: Option<&Step>) -> Option<Call> {
    let ended = match &commit.outcome {
        Outcome::Call => "ok".to_owned(),
        Outcome::Cached { .. } => "from an earlier run".to_owned(),
        Outcome::Failed { code, .. } if code == CANCELLED => "cancelled".to_owned(),
        Outcome::Failed { code, .. } => format!("failed, {code}"),
        _ => return None,
    };
    let label = plan.and_then(|plan| plan.label(commit.node)).unwrap_or("node");
    let indices: String = commit.iteration.iter().map(|index| format!("[{index}]")).collect();
    Some(Call {
        step: format!("{label}{indices}"),
        operation: commit.operation.as_ref().map(|operation| operation.id.clone()).unwrap_or_default(),
        ended,
        attempts: commit.attempts.map_or(0, |attempts| attempts.count),
        money: commit.cost.map(|cost| cost.money).unwrap_or_default(),
        basis: commit.cost.map(|cost| cost.basis),
        took_us: commit.times.map_or(0, |times| times.end_us.saturating_sub(times.start_us)),
        attested: step.map(|step| step.attested),
        signed_by: step.map(|step| step.signed_by.clone()).unwrap_or_default(),
    })
}

impl Call {
    fn document(&self) -> Value {
        json!({
            "step": self.step,
            "operation": self.operation,
            "ended": self.ended,
            "attempts": self.attempts,
            "cost": self.money,
            "basis": self.basis,
            "took_us": self.took_us,
            "attested": self.attested,
            "signed_by": self.signed_by,
        })
    }
}

fn table(calls: &[Call]) -> String {
    let columns = [
        text("STEP"),
        text("OPERATION"),
        text("ENDED"),
        figures("ATTEMPTS"),
        figures("COST"),
        figures("TIME"),
    ];
    let rows: Vec<Vec<String>> = calls
        .iter()
        .take(CALLS_SHOWN_MAX)
        .map(|call| {
            vec![
                call.step.clone(),
                call.operation.clone(),
                call.ended.clone(),
                call.attempts.to_string(),
                if call.money == Money::default() { "-".to_owned() } else { paid(call.money) },
                format!("{} ms", call.took_us / 1_000),
            ]
        })
        .collect();
    let mut table = aligned(&columns, &rows, usize::MAX);
    if calls.len() > CALLS_SHOWN_MAX {
        table.push_str(&format!("and {} more; --json has them all\n", calls.len() - CALLS_SHOWN_MAX));
    }
    table
}

/// Disclosed content as JSON: canonical values as the JSON they stand for.
fn value(bytes: &[u8]) -> Value {
    Item::decode(bytes, Profile::Value).map_or(Value::Null, item_json)
}

fn item_json(item: Item) -> Value {
    match item {
        Item::Uint(number) => number.into(),
        Item::Nint(number) => {
            (-1 - i128::from(number)).to_string().parse().map_or(Value::Null, Value::Number)
        }
        Item::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Item::Text(text) => text.into(),
        Item::Array(items) => items.into_iter().map(item_json).collect(),
        Item::Map(entries) => {
            entries.into_iter().map(|(key, item)| (key.to_string(), item_json(item))).collect()
        }
        Item::TextMap(entries) => entries.into_iter().map(|(key, item)| (key.0, item_json(item))).collect(),
        Item::Bool(value) => value.into(),
        Item::Null => Value::Null,
        Item::Float(number) => number.into(),
    }
}
