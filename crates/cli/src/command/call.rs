//! `orch call`: one operation or capability, called once. Arguments are checked and completed here, against the operation's types, so
//! that a slip costs nothing; everything else is the service's.

mod arguments;
mod follow;
mod report;
mod signature;

use std::path::Path;

use ::proof::verify::TrustPolicy;
use clap::CommandFactory as _;
use plan_compiler::{CAPABILITY_PREFIX, CallRefused, Signature};
use proto::v1;
use schema::operation::{CapabilityDescriptor, OperationDescriptor, Version};
use schema::price::PriceRule;
use uuid::Uuid;

use super::run::{Interrupts, cost_max};
use super::{Context, ledger, plans, proof};
use crate::args;
use crate::exit::Failure;
use crate::project;
use crate::service::Connection;
use crate::service::local::State;

/// Calls an operation.
pub(crate) async fn run(context: &Context, args: &args::Call) -> Result<(), Failure> {
    let Some(id) = args.operation.as_deref() else {
        let mut command = args::Cli::command();
        // Else the usage is that of a program `call`.
        command.build();
        let call = command.find_subcommand_mut("call");
        context.output.data(&call.map(|call| call.render_long_help().to_string()).unwrap_or_default());
        return Ok(());
    };
    let config = context.config()?;
    // What the call costs cannot be had back, so the place for its receipt is tried first.
    args.receipt.as_deref().map_or(Ok(()), project::writable)?;
    let cost_max = args.max_cost.as_deref().map(cost_max).transpose()?;
    let mut interrupts = Interrupts::new()?;
    let state = if args.no_journal { State::Memory } else { State::Folder(config.state_folder()) };
    let connection = Connection::for_calls(&config, args.server.as_deref(), state).await?;
    let (callee, signature) = look_up(&connection, id, args.version.as_deref()).await?;
    if args.help {
        context.output.data(&signature::page(&callee, &signature));
        return Ok(());
    }
    let request = v1::CallRequest {
        operation: id.to_owned(),
        version: callee.version.clone(),
        arguments_json: arguments::read(args, &callee, &signature)?.into(),
        cost_max,
        timeout: args.timeout.map(wire_duration).transpose()?,
        request_id: Uuid::new_v4().to_string(),
        unpriced_requests_max: None,
        want_receipt: args.receipt.is_some(),
    };
    let trusted = match args.receipt {
        Some(_) => proof::trusted(&config, &connection)?,
        None => TrustPolicy::default(),
    };
    let report = report::Report { context, callee: &callee, receipt: args.receipt.as_deref(), trusted };
    let ended = match follow::follow(&connection, request, context, args.stream, &mut interrupts).await {
        Ok(followed) => report.show(&connection, &followed).await,
        Err(failure) => Err(failure),
    };
    if ended.is_ok() && connection.local.as_ref().is_some_and(|local| local.samples.is_some()) {
        context
            .output
            .note("the call went to a sample subnet on this machine: `samples = true` in orchestra.toml");
    }
    connection.close().await;
    ended
}

/// What is called.
struct Callee {
    /// `sn22.web_search`, or `cap.generate`.
    id: String,
    version: String,
    summary: String,
    /// `None` of a capability: each of its operations has its own.
    price: Option<PriceRule>,
}

/// The operation or capability, and what it takes.
async fn look_up(
    connection: &Connection,
    id: &str,
    version: Option<&str>,
) -> Result<(Callee, Signature), Failure> {
    let typed = |signature: Result<Signature, CallRefused>| {
        signature.map_err(|error| Failure::new("E1210", error.to_string(), "choose another operation"))
    };
    if let Some(name) = id.strip_prefix(CAPABILITY_PREFIX) {
        let found = ledger::capability(connection, name).await?;
        // Its adapters do not matter for what it takes.
        let capability = CapabilityDescriptor {
            name: found.name,
            version: Version::FIRST,
            summary: found.summary.clone(),
            source: found.source,
            adapters: Vec::new(),
        };
        let version = version.map_or(found.version, str::to_owned);
        let callee = Callee { id: id.to_owned(), version, summary: found.summary, price: None };
        return Ok((callee, typed(Signature::of_capability(&capability))?));
    }
    let operation = operation(connection, id, version).await?;
    let signature = typed(Signature::of(&operation))?;
    let OperationDescriptor { version, summary, price, .. } = operation;
    Ok((Callee { id: id.to_owned(), version: version.to_string(), summary, price: Some(price) }, signature))
}

/// The entry of an operation.
async fn operation(
    connection: &Connection,
    id: &str,
    version: Option<&str>,
) -> Result<OperationDescriptor, Failure> {
    let request =
        v1::GetOperationRequest { id: id.to_owned(), version: version.unwrap_or_default().to_owned() };
    let found = match connection.ledger().get_operation(request).await {
        Ok(found) => found.into_inner().operation.unwrap_or_default(),
        Err(status) => {
            let failure = connection.refused(&status);
            let failure = ledger::of_subnet(connection, id, failure).await;
            return Err(match failure.code.as_str() {
                _ if is_plan(id) => run_instead(id, failure),
                "E1201" if ledger::capability(connection, id).await.is_ok() => {
                    let help = format!(
                        "`{id}` is a capability: `orch call {CAPABILITY_PREFIX}{id}`\n{}",
                        failure.help
                    );
                    Failure { help, ..failure }
                }
                _ => failure,
            });
        }
    };
    serde_json::from_slice(&found.entry_json).map_err(|error| {
        let message = format!("the entry of `{id}` cannot be read: {error}");
        Failure::new("E1209", message, "the server is of another version; use the same on both sides")
    })
}

/// Whether somebody means a plan, which is run, by what they want to call.
fn is_plan(id: &str) -> bool {
    id.starts_with(plans::PREFIX) || Path::new(id).extension().is_some_and(|extension| extension == "orch")
}

fn run_instead(id: &str, failure: Failure) -> Failure {
    Failure { help: format!("a plan is run: `orch run {id}`"), ..failure }
}

fn wire_duration(timeout: jiff::SignedDuration) -> Result<prost_types::Duration, Failure> {
    if timeout.is_negative() {
        return Err(Failure::new("E1507", "--timeout is negative", "such as --timeout 90s"));
    }
    Ok(prost_types::Duration { seconds: timeout.as_secs(), nanos: timeout.subsec_nanos() })
}
