//! `orch keys test`.

use keys::{Entry, Value, Vault};
use schema::amount::Amount;
use serde_json::json;

use super::probe::{self, Tested, Verdict};
use super::{Context, Named};
use crate::args::{Spend, Which};
use crate::exit::Failure;
use crate::vault;

/// Tests a key: the one that waits, where one does, which then takes the other's place.
pub(super) async fn run(context: &Context, which: &Which, spend: &Spend) -> Result<(), Failure> {
    let named = Named::of(context, which)?;
    let spend = amount(spend)?;
    let (vault, unlock) = vault::open_required(&named.place)?;
    let entry = vault.entry(&named.tenant, named.name).map_err(vault::failure)?;
    let value = entry.next().unwrap_or_else(|| entry.value());
    let tested = probe::test(context, &named.config, &vault, entry, value, spend).await?;
    let takes_over = tested.verdict == Verdict::Works && entry.next().is_some();
    if takes_over {
        Vault::change(&named.place, &unlock, |vault| vault.replace(&named.tenant, named.name, value.clone()))
            .map_err(vault::failure)?;
    }
    report(context, &vault, entry, value, &tested)?;
    if takes_over {
        context.output.note("it has taken the place of the old key");
    } else if entry.next().is_some() {
        context.output.note("the new key goes on waiting, and the old one stays in use");
    }
    Ok(())
}

/// Says what a test came to, and ends the command accordingly.
pub(super) fn report(
    context: &Context,
    vault: &Vault,
    entry: &Entry,
    value: &Value,
    tested: &Tested,
) -> Result<(), Failure> {
    let Tested { verdict, operation, code, message, cost } = tested;
    if context.output.json {
        context.output.document(&json!({
            "name": entry.name(),
            "tenant": entry.tenant(),
            "origin": entry.origin(),
            "fingerprint": vault.fingerprint(value),
            "result": verdict.word(),
            "operation": operation,
            "code": (!code.is_empty()).then_some(code),
            "message": message,
            "cost_max": cost.map(|cost| cost.max),
            "cost": cost.map(|cost| cost.amount),
            "cost_certain": cost.map(|cost| cost.is_certain),
        }));
        return verdict.exit().map_or(Ok(()), |exit| Err(Failure::said(exit)));
    }
    match verdict.exit() {
        None => {
            context.output.data(&format!("{} {}: {message}", entry.name(), verdict.word()));
            Ok(())
        }
        Some(exit) => Err(failure(entry, tested).exit(exit)),
    }
}

fn failure(entry: &Entry, tested: &Tested) -> Failure {
    let name = entry.name();
    let help = match tested.verdict {
        Verdict::Refused => format!(
            "is it the key of {name} for {}, and still valid? `orch keys rotate {name}` takes another",
            entry.origin()
        ),
        Verdict::Unreachable => "nothing is known about the key; try again later".to_owned(),
        _ => "that says nothing about the key".to_owned(),
    };
    Failure::new(tested.code.as_str(), format!("{name} {}: {}", tested.verdict.word(), tested.message), help)
}

/// What the test may cost.
pub(super) fn amount(spend: &Spend) -> Result<Option<Amount>, Failure> {
    let parse = |text: &String| {
        text.parse().map_err(|error: schema::amount::ParseAmountError| {
            Failure::new("E1507", format!("--spend: {error}"), "such as --spend 0.01USD")
        })
    };
    spend.max.as_ref().map(parse).transpose()
}
