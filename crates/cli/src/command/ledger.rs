//! `orch ledger search | show | import | add | crawl | report`.

mod add;
mod capability;
mod crawl;
mod fetch;
mod filing;
mod glob;
mod grpc;
mod import;
mod report;
mod show;
mod tool;

use std::collections::BTreeSet;

use proto::v1;
use serde_json::{Value, json};

use super::Context;
use crate::args::{Ledger, LedgerSource};
use crate::exit::Failure;
use crate::output::money;
use crate::output::table::{aligned, tabbed, text};
use crate::service::Connection;

pub(crate) use show::of_subnet;

/// Rows of one page of a list.
const PAGE_SIZE: u32 = 500;

/// Runs one of the subcommands.
pub(crate) async fn run(context: &Context, args: &Ledger) -> Result<(), Failure> {
    match args {
        Ledger::Search { query, tag, capability, limit, source } => {
            let request = v1::SearchOperationsRequest {
                query: query.join(" "),
                tags: tag.clone(),
                capability: capability.clone().unwrap_or_default(),
                limit: *limit,
            };
            search(context, source, request).await
        }
        Ledger::Show { operation, form: Some(form), source, .. } => {
            tool::run(context, source, operation, *form).await
        }
        Ledger::Show { operation, version, source, .. } => {
            show::run(context, source, operation, version.as_deref()).await
        }
        Ledger::Import { paths, source } => import::run(context, source, paths).await,
        Ledger::Add(args) => add::run(context, args).await,
        Ledger::Crawl(args) => crawl::run(context, args).await,
        Ledger::Report { paths, at_least } => report::run(context, paths, *at_least),
    }
}

/// The capability called `name`.
pub(crate) async fn capability(connection: &Connection, name: &str) -> Result<v1::Capability, Failure> {
    let unknown = Failure::new("E1202", format!("there is no capability `{name}`"), "");
    let unknown = capability::with_names(connection, unknown).await;
    capability::find(connection, name, unknown).await
}

/// The Ledger of the server, or that of this project.
async fn connect(context: &Context, source: &LedgerSource, change: bool) -> Result<Connection, Failure> {
    Connection::for_ledger(&context.config()?, source.server.as_deref(), change).await
}

async fn search(
    context: &Context,
    source: &LedgerSource,
    request: v1::SearchOperationsRequest,
) -> Result<(), Failure> {
    let connection = connect(context, source, false).await?;
    let (tags, limit) = (request.tags.clone(), request.limit);
    // Who asks for a tag, or for what fulfils a capability, asks for operations.
    let capabilities = match tags.is_empty() && request.capability.is_empty() {
        true => capability::search(&connection, &request.query).await?,
        false => Vec::new(),
    };
    let hits = match connection.ledger().search_operations(request).await {
        Ok(response) => response.into_inner().hits,
        Err(status) => {
            let failure = connection.refused(&status);
            let unknown = failure.code == "E1202";
            return Err(if unknown { capability::with_names(&connection, failure).await } else { failure });
        }
    };
    let hits: Vec<(v1::Operation, String)> =
        hits.into_iter().filter_map(|hit| Some((hit.operation?, hit.reason))).collect();
    if hits.is_empty() {
        check_tags(&connection, &tags).await?;
    }
    if context.output.json {
        let rows: Vec<Value> = hits
            .iter()
            .map(|(operation, reason)| {
                let mut row = document(operation);
                row.insert("reason".into(), reason.clone().into());
                row.into()
            })
            .collect();
        let capabilities: Vec<Value> = capabilities.iter().map(capability::document).collect();
        context.output.document(&json!({ "hits": rows, "capabilities": capabilities }));
        return Ok(());
    }
    if hits.is_empty() && capabilities.is_empty() {
        context.output.note("nothing found; fewer or other words may help");
        return Ok(());
    }
    print(context, &capabilities, &hits);
    if hits.len() == limit as usize {
        context.output.note(&format!("the best {limit}; --limit N shows more, more words find better ones"));
    }
    Ok(())
}

/// Capabilities first: each is a way to several operations.
fn print(context: &Context, capabilities: &[v1::Capability], hits: &[(v1::Operation, String)]) {
    let cells = |(operation, reason): &(v1::Operation, String)| {
        let access = if operation.callable { operation.access.clone() } else { "not callable".to_owned() };
        vec![operation.id.clone(), price(operation), access, operation.summary.clone(), reason.clone()]
    };
    let rows: Vec<Vec<String>> =
        capabilities.iter().map(capability::row).chain(hits.iter().map(cells)).collect();
    if !context.output.stdout_is_terminal() {
        return context.output.data(&tabbed(&rows));
    }
    let columns = [text("OPERATION"), text("PRICE"), text("ACCESS"), text("WHAT IT DOES"), text("WHY HERE")];
    let width = usize::from(console::Term::stdout().size().1);
    context.output.data(&aligned(&columns, &rows, width));
}

/// A tag that nothing has is a slip, not an empty answer.
async fn check_tags(connection: &Connection, tags: &[String]) -> Result<(), Failure> {
    if tags.is_empty() {
        return Ok(());
    }
    let operations = list(connection, None).await?;
    let known: BTreeSet<&str> =
        operations.iter().flat_map(|operation| operation.tags.iter().map(String::as_str)).collect();
    let Some(unknown) = tags.iter().find(|tag| !known.contains(tag.as_str())) else { return Ok(()) };
    // A tag is words joined by `_`, and people remember one of them.
    let by_word = || {
        let of = |word: &str| known.iter().copied().find(|tag| tag.split('_').any(|part| part == word));
        let words = known.iter().flat_map(|tag| tag.split('_'));
        of(unknown).or_else(|| plan_lang::suggest(unknown, words).and_then(of))
    };
    let near = plan_lang::suggest(unknown, known.iter().copied()).or_else(by_word);
    let help = near.map_or_else(
        || format!("there are {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(Failure::new("E1507", format!("no operation has the tag `{unknown}`"), help))
}

/// All operations, or those of one subnet.
async fn list(connection: &Connection, netuid: Option<u32>) -> Result<Vec<v1::Operation>, Failure> {
    let mut operations = Vec::new();
    let mut request =
        v1::ListOperationsRequest { page_size: PAGE_SIZE, netuid, ..v1::ListOperationsRequest::default() };
    loop {
        let response = connection.ledger().list_operations(request.clone()).await;
        let page = response.map_err(|status| connection.refused(&status))?.into_inner();
        operations.extend(page.operations);
        if page.next_page_token.is_empty() {
            return Ok(operations);
        }
        request.page_token = page.next_page_token;
    }
}

/// An operation for a program.
fn document(operation: &v1::Operation) -> serde_json::Map<String, Value> {
    let document = json!({
        "operation": operation.id,
        "version": operation.version,
        "summary": operation.summary,
        "tags": operation.tags,
        "capabilities": operation.capabilities,
        "price": money::document(operation.price.as_ref()),
        "price_known": operation.price_known,
        "access": operation.access,
        "callable": operation.callable,
        "not_callable_reason": operation.not_callable_reason,
        "verified": operation.verified,
    });
    match document {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}

fn price(operation: &v1::Operation) -> String {
    match &operation.price {
        Some(price) => money::shown(Some(price)),
        None if operation.price_known => "free".into(),
        None => "unknown".into(),
    }
}
