//! `orch explain FILE | CODE | policy`.

use plan_compiler::Options;
use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use serde_json::{Map, Value, json};

use super::{Context, run};
use crate::args::Explain;
use crate::diagnostics;
use crate::exit::Failure;
use crate::pages;
use crate::project::{self, PlanFile, lockfile};

/// How policies nest; one text for terminals and documentation.
const POLICY: &str = include_str!("../../templates/policy.txt");

/// The word that asks for [`POLICY`].
const POLICY_WORD: &str = "policy";

/// Shows the graph of a plan and its bounds, the page of a code, or how policies nest.
pub(crate) fn run(context: &Context, args: &Explain) -> Result<(), Failure> {
    let word = args.what.to_str().unwrap_or_default();
    // A file of that name is meant where there is one: it can be told apart by `./`, the word cannot.
    match pages::find(word) {
        Some(page) if !args.what.exists() => {
            return show(
                context,
                &page.plain(),
                &json!({
                    "code": page.code,
                    "title": page.title(),
                    "text": page.markdown,
                }),
            );
        }
        _ if pages::is_code(word) && !args.what.exists() => return Err(unknown_code(word)),
        _ if word == POLICY_WORD && !args.what.exists() => {
            return show(context, POLICY, &json!({ "topic": POLICY_WORD, "text": POLICY }));
        }
        _ => {}
    }
    let file = PlanFile::read(&args.what).map_err(|failure| or_topic(failure, word))?;
    let lock = lockfile::load(&file.folder())?;
    let compiled = diagnostics::compile_with(&file, &lock, &Options::to_explain());
    let chosen = run::choose(&compiled, args.plan.as_deref());
    if compiled.compilation.has_errors() {
        // Where a bound is all that is wrong, what it comes from says what to change.
        let mut members = Map::new();
        match chosen {
            Ok((plan, bound)) if context.output.json => members = document(plan, bound),
            Ok((plan, bound)) => {
                context.output.data(&plan_ir::explain::explain(plan, bound));
                if context.output.stdout_is_terminal() {
                    // Both streams meet there.
                    context.output.error("");
                }
            }
            Err(why) if !compiled.compilation.plans.is_empty() => {
                context.output.note(&format!("{}: {}", why.message, why.help));
            }
            Err(_) => {}
        }
        return diagnostics::show_found(context, &compiled, members);
    }
    diagnostics::show_found(context, &compiled, Map::new())?;
    let (plan, bound) = chosen?;
    if context.output.json {
        context.output.document(&Value::Object(document(plan, bound)));
    } else {
        context.output.data(&plan_ir::explain::explain(plan, bound));
    }
    Ok(())
}

fn show(context: &Context, text: &str, document: &Value) -> Result<(), Failure> {
    if context.output.json {
        context.output.document(document);
    } else {
        context.output.data(text);
    }
    Ok(())
}

fn unknown_code(word: &str) -> Failure {
    let code = word.to_ascii_uppercase();
    let whole = code.split_at_checked(1).map(|(letter, digits)| format!("{letter}{digits:0>4}"));
    if let Some(page) = whole.as_deref().and_then(pages::find) {
        let help = format!("did you mean {}, {}?", page.code, page.title());
        return Failure::new("E1515", format!("there is no error code {code}"), help);
    }
    // Codes of one kind stand next to each other. The nearest number of another kind would say nothing.
    let kind = code.get(..3).unwrap_or_default();
    let of_kind: Vec<&str> = pages::codes().filter(|other| other.starts_with(kind)).collect();
    let help = match of_kind.as_slice() {
        [] => {
            let range = |letter: char| {
                let mut codes = pages::codes().filter(|code| code.starts_with(letter));
                let first = codes.next().unwrap_or_default();
                format!("{first} to {}", codes.last().unwrap_or(first))
            };
            format!("there are errors from {} and warnings from {}", range('E'), range('W'))
        }
        codes => format!("those that begin with {kind} are {}", codes.join(", ")),
    };
    Failure::new("E1515", format!("there is no error code {code}"), help)
}

/// A file that is not there may have been meant as a code or a topic.
fn or_topic(failure: Failure, word: &str) -> Failure {
    let meant = plan_lang::suggest(word, [POLICY_WORD]).map(str::to_owned);
    let coded = word.chars().next().is_some_and(|first| first.is_ascii_digit());
    let meant =
        meant.or_else(|| coded.then(|| format!("E{word}")).filter(|code| pages::find(code).is_some()));
    match meant {
        Some(meant) if failure.code == "E1502" && !project::is_stdin(word.as_ref()) => {
            Failure { help: format!("did you mean `orch explain {meant}`?"), ..failure }
        }
        _ => failure,
    }
}

fn document(plan: &CompiledPlan, bound: &Bound) -> Map<String, Value> {
    let contributors: Vec<Value> = bound
        .contributors
        .iter()
        .map(|row| {
            let mut document = json!({
                "node": row.node,
                "label": row.label,
                "target": row.target,
                "factors": row.factors(),
                "cost_max": row.cost,
                "latency_us_max": row.latency_us,
                "basis": row.basis,
                "in_cost": row.in_cost,
                "in_latency": row.in_latency,
            });
            if let Some(purse) = row.purse {
                document.as_object_mut().map(|row| row.insert("purse".into(), json!(purse)));
            }
            document
        })
        .collect();
    let own = bound.scopes.first();
    let hash = plan_ir::bytes::encode(plan).map(|bytes| plan_ir::bytes::plan_hash(&bytes).to_hex());
    let members = [
        ("plan", json!(plan.body.name)),
        ("plan_hash", json!(hash.ok())),
        ("cost_max", json!(bound.cost)),
        ("latency_us_max", json!(bound.latency_us)),
        ("basis", json!(bound.basis)),
        ("budget", json!(own.and_then(|scope| scope.budget))),
        ("deadline_us", json!(own.and_then(|scope| scope.deadline_us))),
        ("contributors", Value::Array(contributors)),
        ("graph", json!(plan.graph)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
