//! What a call gave: its answer, what it cost, its receipt, and why there is no answer where there is none.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use ::proof::verify::TrustPolicy;
use proto::v1;
use schema::amount::Amount;
use schema::error::CallErrorKind;
use serde_json::{Value, json};
use subnet::code::TASK_LATE;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::Callee;
use super::follow::Followed;
use crate::command::run::{cost_rows, read_proof, with_advice};
use crate::command::{Context, proof};
use crate::exit::{Exit, Failure, exit_of};
use crate::output::money;
use crate::project;
use crate::service::Connection;

/// The failed calls' kind for a limit that was met.
const OVER_BUDGET: &str = "over_budget";

/// Everything a report needs beside the call itself.
pub(super) struct Report<'a> {
    pub(super) context: &'a Context,
    pub(super) callee: &'a Callee,
    /// Where the proof bundle is to be kept.
    pub(super) receipt: Option<&'a Path>,
    pub(super) trusted: TrustPolicy,
}

impl Report<'_> {
    /// Shows what became of a call.
    pub(super) async fn show(&self, connection: &Connection, followed: &Followed) -> Result<(), Failure> {
        match &followed.ended {
            Ok(answer) => self.answered(answer, followed),
            Err(status) => self.refused(connection, status, followed).await,
        }
    }

    /// Shows the answer, then in one line what it cost.
    fn answered(&self, answer: &v1::CallResponse, followed: &Followed) -> Result<(), Failure> {
        let output = self.context.output;
        let saved = self.save(&answer.receipt);
        let result = serde_json::from_slice::<Value>(&answer.result_json).unwrap_or(Value::Null);
        if output.json {
            let receipt = self.receipt_document(&answer.proof_id, &saved);
            output.document(&json!({
                "operation": answer.operation,
                "version": answer.version,
                "entry_hash": answer.entry_hash,
                "run": answer.run,
                "result": result,
                "error": null,
                "costs": cost_rows(&answer.costs),
                "total": money::document(answer.total.as_ref()),
                "total_certain": answer.total_certain,
                "charge_remarks": followed.charge_remarks,
                "latency_us": answer.latency_us,
                "receipt": receipt,
            }));
            return saved.map(|_| ()).map_err(|failure| Failure::said(failure.exit));
        }
        if !followed.printed {
            output.data(&serde_json::to_string_pretty(&result).unwrap_or_default());
        }
        let basis = answer.costs.first().map_or("nothing sent", |row| money::basis(row.basis()));
        let above = above(&answer.costs);
        output.note(&format!(
            "{} {}: {} ({basis}{above}), {} ms, receipt {}",
            answer.operation,
            answer.version,
            money::shown(answer.total.as_ref()),
            answer.latency_us.div_ceil(1_000),
            short(&answer.proof_id),
        ));
        self.say_where(&saved);
        saved.map(|_| ())
    }

    /// Says why there is no answer, and what was charged all the same.
    async fn refused(
        &self,
        connection: &Connection,
        status: &Status,
        followed: &Followed,
    ) -> Result<(), Failure> {
        let info = status.get_details_error_info();
        let told = info.as_ref().map(|info| &info.metadata);
        let Some((told, run)) = told.and_then(|told| Some((told, told.get("run")?))) else {
            let failure = connection.refused(status);
            return Err(match &followed.accepted {
                Some(accepted) => self.lost(connection, accepted, failure),
                None => self.not_made(failure),
            });
        };
        let refused = |status| connection.refused(&status);
        let code = info.as_ref().map(|info| info.reason.clone()).unwrap_or_default();
        let text = |name: &str| told.get(name).map_or("", String::as_str);
        let request = v1::GetRunRequest { name: run.clone() };
        let costs = connection.runs().get_run(request).await.map_err(refused)?.into_inner();
        let costs = costs.run.unwrap_or_default().costs;
        let bundle = match self.receipt {
            Some(_) => read_proof(connection, run).await.map_err(refused)?,
            None => Vec::new(),
        };
        let saved = self.save(&bundle);
        let (exit, wait) = (exit(&code, text("call_kind")), retry_after(status));
        if self.context.output.json {
            let total = text("charged").parse::<Amount>().ok();
            self.context.output.document(&json!({
                "operation": self.callee.id,
                "version": self.callee.version,
                "run": run,
                "result": null,
                "error": {
                    "code": code,
                    "message": status.message(),
                    "call_kind": text("call_kind"),
                    "path": text("path"),
                    "retry_after_ms": wait.and_then(|wait| u64::try_from(wait.as_millis()).ok()),
                },
                "costs": cost_rows(&costs),
                "total": total,
                "total_certain": text("certain") == "true",
                "charge_remarks": followed.charge_remarks,
                "receipt": self.receipt_document(text("proof_id"), &saved),
            }));
            return Err(Failure::said(exit));
        }
        self.say_where(&saved);
        let message = format!("{}{}{}", why(status.message(), told, exit), charged(told), above(&costs));
        let failure = Failure::new(code, message, "").exit(exit);
        let Some(wait) = wait else { return Err(failure) };
        let help = format!("{}\n{}", advice(&failure.code, wait), failure.next_step());
        Err(Failure { help: help.trim_end().to_owned(), ..failure })
    }

    /// A call that is on its way where nobody tells any more how it ends.
    fn lost(&self, connection: &Connection, accepted: &v1::CallAccepted, failure: Failure) -> Failure {
        let v1::CallAccepted { run, cost_max, .. } = accepted;
        let message = format!(
            "{}; the call is {run} there, and may cost up to {}",
            failure.message,
            money::shown(cost_max.as_ref())
        );
        let help = format!(
            "`orch runs show {run}{}` says what became of it; a server that stopped goes on with it when it starts again",
            connection.option()
        );
        let failure = Failure { message, help, ..failure };
        if !self.context.output.json {
            return failure;
        }
        self.context.output.document(&json!({
            "operation": self.callee.id,
            "version": self.callee.version,
            "run": run,
            "cost_max": money::document(cost_max.as_ref()),
            "error": failure.parts(),
        }));
        Failure::said(failure.exit)
    }

    /// A call of which nothing was sent, with what to do in terms of this command line.
    fn not_made(&self, failure: Failure) -> Failure {
        let help = match failure.code.as_str() {
            "E0404" => "such as --timeout 90s",
            "E0703" => "say the most it may cost: --max-cost 0.01USD, or 0USD where it is free",
            "E0707" => "give --max-cost in the currency in which the operation says what it charged",
            "E1402" => "nothing was sent; raise --max-cost, or call another operation",
            "E1403" => "give --max-cost in the currency of the operation's price",
            _ => return with_advice(failure),
        };
        // Said in a plan, both are findings; here they are switches.
        let exit = if failure.code.starts_with("E0") { Exit::Usage } else { failure.exit };
        Failure { help: help.to_owned(), ..failure }.exit(exit)
    }

    /// The verdict on the bundle, written where it is to be kept.
    fn save(&self, bundle: &[u8]) -> Result<Option<String>, Failure> {
        let Some(path) = self.receipt else { return Ok(None) };
        project::make_parent(path)
            .and_then(|()| project::write_whole(path, bundle))
            .map_err(|error| project::cannot_write(path, &error))?;
        Ok(Some(proof::verdict_line(&proof::verify(bundle, &self.trusted))))
    }

    fn say_where(&self, saved: &Result<Option<String>, Failure>) {
        if let (Some(path), Ok(Some(verdict))) = (self.receipt, saved) {
            self.context.output.note(&format!("receipt {} ({verdict})", project::relative(path).display()));
        }
    }

    fn receipt_document(&self, id: &str, saved: &Result<Option<String>, Failure>) -> Value {
        match saved {
            Ok(verdict) => json!({ "id": id, "file": self.receipt, "verdict": verdict }),
            Err(failure) => failure.json(),
        }
    }
}

/// A call that failed on a secret or a store failed as a call; only money and Ctrl-C have an exit code of their own.
fn exit(code: &str, kind: &str) -> Exit {
    match exit_of(code) {
        exit @ (Exit::OverBudget | Exit::Interrupted) => exit,
        _ if kind == OVER_BUDGET => Exit::OverBudget,
        _ => Exit::Failed,
    }
}

fn why(message: &str, told: &HashMap<String, String>, exit: Exit) -> String {
    if exit == Exit::Interrupted {
        return message.to_owned();
    }
    // Some reasons name the place themselves.
    let path = told.get("path").filter(|path| !message.ends_with(&format!("at {path}")));
    // Where it was refused before it was sent there is no answer.
    let is_refused = told.get("call_kind").is_some_and(|kind| kind == CallErrorKind::Rejected.name());
    let whole = if is_refused { "arguments" } else { "answer" };
    let at = path.map(|path| format!(", at {path} of the {whole}")).unwrap_or_default();
    format!("the call failed: {message}{at}")
}

fn charged(told: &HashMap<String, String>) -> String {
    let certain = told.get("certain").is_some_and(|certain| certain == "true");
    let charged = told.get("charged").map_or("-", String::as_str);
    format!("; it cost {}{charged}", if certain { "" } else { "at most " })
}

/// The beginning of a hash, enough to find it again.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Whether a subnet charged more than was agreed, for people.
fn above(costs: &[v1::CostRow]) -> &'static str {
    if costs.iter().any(|row| row.charged_above_agreed) { ", above agreed" } else { "" }
}

/// What to do where the subnet asked to be left alone for so long.
fn advice(code: &str, wait: Duration) -> String {
    let seconds = wait.as_millis().div_ceil(1_000);
    match code {
        TASK_LATE => format!(
            "the subnet asks to be left alone for {seconds} s: give the call a longer --timeout; another call creates another \
             task, while this one may go on and be charged"
        ),
        _ => format!("try again in {seconds} s, as the subnet asks"),
    }
}

/// How long the subnet asked to be left alone.
fn retry_after(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_is_late_is_not_to_be_created_again() {
        let wait = Duration::from_millis(1_500);
        assert_eq!(advice("E1144", wait), "try again in 2 s, as the subnet asks");
        let late = advice(TASK_LATE, wait);
        assert!(
            late.contains("for 2 s: give the call a longer --timeout") && !late.contains("try again"),
            "{late}"
        );
    }

    #[test]
    fn the_place_is_one_of_what_was_refused() {
        let at = |kind: CallErrorKind| {
            let told = [("path", "$.q"), ("call_kind", kind.name())];
            let told = told.map(|(name, value)| (name.to_owned(), value.to_owned()));
            why("it does not fit", &HashMap::from(told), Exit::Failed)
        };
        assert_eq!(at(CallErrorKind::Invalid), "the call failed: it does not fit, at $.q of the answer");
        assert_eq!(at(CallErrorKind::Rejected), "the call failed: it does not fit, at $.q of the arguments");
    }
}
