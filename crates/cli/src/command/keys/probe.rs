//! Trying a key: which operation of the Ledger tells whether it works, and what came of calling it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use keys::{Entry, KEY_PART, Value, Vault};
use schema::amount::Amount;
use schema::error::CallErrorKind;
use schema::json_schema::OperationTypes;
use schema::operation::{OperationDescriptor, SideEffects};
use schema::price::{PriceBasis, PriceRule};
use serde_json::Map;
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Client, Follow, PreparedOperation};
use uuid::Uuid;

use crate::command::Context;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::service::local::{Local, egress};
use crate::vault;

/// Longest wait for the answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What a test came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The peer took the key.
    Works,
    /// The peer refused it.
    Refused,
    /// No answer that says anything.
    Unreachable,
    /// An answer that says nothing about the key.
    Unclear,
    /// No operation tells without being charged.
    Unchecked,
}

impl Verdict {
    /// The word for programs.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Unclear => "unclear",
            Self::Unchecked => "unchecked",
        }
    }

    /// How the command ends.
    pub(super) const fn exit(self) -> Option<Exit> {
        match self {
            Self::Works | Self::Unchecked => None,
            Self::Refused => Some(Exit::MissingSecret),
            Self::Unreachable | Self::Unclear => Some(Exit::Failed),
        }
    }
}

/// A test that was made.
#[derive(Debug)]
pub(super) struct Tested {
    pub(super) verdict: Verdict,
    /// What was called.
    pub(super) operation: Option<String>,
    /// The code of the call's failure; empty where there is none.
    pub(super) code: String,
    /// What happened, without any of the key.
    pub(super) message: String,
    /// What the call cost; `None` where none was made, or a free one.
    pub(super) cost: Option<Cost>,
}

/// What a call that is charged cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// The most that was admitted.
    pub(super) max: Amount,
    /// What it cost; at most that where it is not certain.
    pub(super) amount: Amount,
    /// Whether the peer said so, or nothing can have been charged.
    pub(super) is_certain: bool,
}

impl Cost {
    fn of(outcome: &CallOutcome, max: Amount) -> Self {
        let is_charged = outcome.sent && outcome.pages > 0;
        let (amount, is_certain) = match outcome.observed_cost {
            Some(observed) => (observed, true),
            None if is_charged => (max, false),
            None => (Amount::zero(max.currency), true),
        };
        Self { max, amount, is_certain }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max, amount, is_certain } = self;
        let is_above = amount.currency == max.currency && amount.units > max.units;
        let sure = if *is_certain { "" } else { "at most " };
        write!(f, "it cost {sure}{amount}")?;
        if is_above { write!(f, ", above the {max} that it was to cost at most") } else { Ok(()) }
    }
}

/// Tries `value` in the place of the entry's own, at no cost unless `spend` admits one, by an operation for which the vault has
/// no other key.
///
/// Fails where the key has expired, or nothing can be called at all.
pub(super) async fn test(
    context: &Context,
    config: &Config,
    vault: &Vault,
    entry: &Entry,
    value: &Value,
    spend: Option<Amount>,
) -> Result<Tested, Failure> {
    if let Some(at) = value.expires_at().filter(|_| value.is_expired(Timestamp::now())) {
        let message = format!("secret `{}` for {} expired at {at}", entry.name(), entry.origin());
        return Err(Failure::new("E1119", message, "`orch keys rotate NAME` takes a new key"));
    }
    let unchecked = |why: String| Tested {
        verdict: Verdict::Unchecked,
        operation: None,
        code: String::new(),
        message: format!("{why}; its form, its origin and its end are in order"),
        cost: None,
    };
    let mut secrets = SecretStore::new();
    let parts = value.parts().map(|(name, part)| (name.to_owned(), part));
    secrets
        .insert_parts(entry.name(), entry.origin(), parts, None)
        .map_err(|error| vault::failure(error.into()))?;
    let ledger = Ledger::open(config).await?;
    let Some(probe) = ledger.probe(vault, entry, spend) else {
        let (cost, more) = match spend {
            Some(_) => ("costs no more than that", ""),
            None => ("is free", " (--spend 0.01USD tests it by one that is charged)"),
        };
        let origin = entry.origin();
        return Ok(unchecked(format!(
            "the Ledger has no operation at {origin} that takes this key and {cost}{more}"
        )));
    };
    if let Some(cost) = probe.cost {
        context.output.note(&format!("calling {}, which may cost up to {cost}", probe.prepared.id()));
    }
    Ok(probe.call(&ledger.client, &secrets).await)
}

/// What the Ledger says of a key.
pub(super) struct Meant {
    /// The one origin of the operations that would use it.
    pub(super) origin: String,
    /// Its parts, where it has several; none where the operations differ.
    pub(super) parts: Vec<String>,
}

/// What the Ledger says of a key named `name`.
pub(super) async fn meant(config: &Config, name: &str) -> Result<Meant, Failure> {
    let ledger = Ledger::open(config).await?;
    let callable = ledger.callable(name);
    let in_order = |texts: &mut Vec<String>| {
        texts.sort();
        texts.dedup();
    };
    let mut origins: Vec<String> =
        callable.iter().map(|(_, prepared)| prepared.origin().to_string()).collect();
    in_order(&mut origins);
    let parts = callable.iter().map(|(_, prepared)| {
        let mut parts: Vec<String> = prepared.key_parts().into_iter().map(str::to_owned).collect();
        in_order(&mut parts);
        parts
    });
    let parts: BTreeSet<Vec<String>> = parts.collect();
    let parts = parts.first().filter(|first| parts.len() == 1 && first.as_slice() != [KEY_PART]);
    let parts = parts.cloned().unwrap_or_default();
    match <[String; 1]>::try_from(origins) {
        Ok([origin]) => Ok(Meant { origin, parts }),
        Err(origins) if origins.is_empty() => {
            let message = format!("the Ledger does not say where a key named {name} would be sent");
            let known = ledger.operations.iter().map(|operation| operation.id.as_str());
            let help = plan_lang::suggest(name, known.filter(|_| name.contains('.'))).map_or_else(
                || "say so: --origin https://HOST".to_owned(),
                |near| format!("did you mean `{near}`? Else say it: --origin https://HOST"),
            );
            Err(Failure::new("E1532", message, help))
        }
        Err(origins) => {
            let message = format!("a key named {name} could be sent to {}", origins.join(" or "));
            let help = "choose one with --origin, or name the operation, such as sn64.chat_completions";
            Err(Failure::new("E1532", message, help))
        }
    }
}

/// The operations of the Ledger, and what calls them.
struct Ledger<'a> {
    config: &'a Config,
    operations: Vec<OperationDescriptor>,
    client: Client,
}

impl<'a> Ledger<'a> {
    async fn open(config: &'a Config) -> Result<Self, Failure> {
        let client = Client::new(egress(config)?)
            .map_err(|error| Failure::new(error.code(), error.to_string(), ""))?;
        let local = Local::for_reading(config).await?;
        let snapshot = local.service.ledger().snapshot();
        let operations = snapshot.operations().map(|published| published.descriptor.clone()).collect();
        local.service.close().await;
        Ok(Self { config, operations, client })
    }

    /// The operations that would use a key named `name` and can be called.
    fn callable(&self, name: &str) -> Vec<(&OperationDescriptor, PreparedOperation)> {
        let of_name = |operation: &&OperationDescriptor| {
            let takes_key = operation.auth.takes_key();
            takes_key && (operation.id == name || format!("sn{}", operation.netuid) == name)
        };
        let prepare = |operation: &'_ OperationDescriptor| {
            let types = OperationTypes::of(operation).ok()?;
            let endpoints = self.config.endpoints();
            let own = endpoints.get(&operation.id);
            let endpoint = own.or_else(|| endpoints.get(&format!("sn{}", operation.netuid)));
            self.client.prepare(operation, types.into(), endpoint.map(String::as_str)).ok()
        };
        let operations = self.operations.iter().filter(of_name);
        operations.filter_map(|operation| Some((operation, prepare(operation)?))).collect()
    }

    /// The cheapest call that tells whether the key works, and of those the plainest.
    fn probe(&self, vault: &Vault, entry: &Entry, spend: Option<Amount>) -> Option<Probe> {
        let has_own = |id: &str| id != entry.name() && vault.entry(entry.tenant(), id).is_ok();
        let operations = self.callable(entry.name()).into_iter();
        let operations = operations.filter(|(operation, _)| !has_own(&operation.id));
        let probes = operations.filter_map(|(operation, prepared)| {
            let cost = cost_of(operation, spend)?;
            let (required, input) = input_of(operation)?;
            let fits = prepared.origin().as_str() == entry.origin();
            fits.then_some(((cost.map_or(0, |cost| cost.units), required), Probe { prepared, input, cost }))
        });
        // The Ledger gives operations by id, and the first of the best counts, so that a test is the same each time.
        probes.min_by_key(|(order, _)| *order).map(|(_, probe)| probe)
    }
}

/// A call that tells whether a key works.
struct Probe {
    prepared: PreparedOperation,
    input: Map<String, serde_json::Value>,
    /// The most it may cost; `None` where it is free.
    cost: Option<Amount>,
}

impl Probe {
    async fn call(self, client: &Client, secrets: &SecretStore) -> Tested {
        let mut request_nonce = [0; 32];
        let (first, second) = request_nonce.split_at_mut(16);
        first.copy_from_slice(Uuid::new_v4().as_bytes());
        second.copy_from_slice(Uuid::new_v4().as_bytes());
        let context = CallContext {
            request_nonce,
            timeout: TIMEOUT,
            secrets,
            hotkey: None,
            follow: Follow::default(),
            listener: None,
        };
        let outcome = client.call_fields(&self.prepared, self.input, &context).await;
        let operation = self.prepared.id().clone();
        let cost = self.cost.map(|max| Cost::of(&outcome, max));
        let (verdict, code, what) = match outcome.result {
            Ok(_) => (Verdict::Works, String::new(), "answered".to_owned()),
            Err(error) => {
                let is_answer = outcome.status.is_some_and(|status| (200..300).contains(&status));
                let verdict = match error.kind {
                    CallErrorKind::Unauthorized => Verdict::Refused,
                    // Of whatever shape: what a login page gives instead is not in the declared form at all.
                    CallErrorKind::Invalid if is_answer && error.code != subnet::code::FORM => Verdict::Works,
                    CallErrorKind::Timeout | CallErrorKind::Unavailable => Verdict::Unreachable,
                    _ => Verdict::Unclear,
                };
                (verdict, error.code, error.message)
            }
        };
        let code = if verdict == Verdict::Works { String::new() } else { code };
        let cost_told = cost.map(|cost| format!("; {cost}")).unwrap_or_default();
        let message = format!("{operation}: {what}{cost_told}");
        Tested { verdict, code, message, operation: Some(operation), cost }
    }
}

/// The most that one call costs, `Some(None)` where it is free, and `None` where it may not be made.
fn cost_of(operation: &OperationDescriptor, spend: Option<Amount>) -> Option<Option<Amount>> {
    let is_priced = matches!(operation.price, PriceRule::PerCall { amount } if amount.units > 0);
    match operation.side_effects {
        SideEffects::None if !is_priced => Some(None),
        SideEffects::None | SideEffects::Metered => {
            let worst = operation.price.worst(Some(spend?)).ok()?;
            let in_bounds = worst.basis == PriceBasis::Declared || worst.amount.currency == spend?.currency;
            in_bounds.then_some(Some(worst.amount))
        }
        SideEffects::SpendsMoney | SideEffects::Writes => None,
    }
}

/// How many parameters must be given, and an input that gives them.
fn input_of(operation: &OperationDescriptor) -> Option<(usize, Map<String, serde_json::Value>)> {
    let required = operation.input.get("required").and_then(serde_json::Value::as_array);
    let required: Vec<&str> = required.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    if required.is_empty() {
        return Some((0, Map::new()));
    }
    let example = operation.example.as_ref()?.input.as_object()?;
    required.iter().all(|name| example.contains_key(*name)).then(|| (required.len(), example.clone()))
}
