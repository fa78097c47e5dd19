//! `orch ledger search | show | import`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use proto::v1;
use serde_json::{Value, json};

use super::Context;
use crate::args::{Ledger, LedgerSource};
use crate::exit::{Exit, Failure};
use crate::output::{amount, table};
use crate::service::{Connection, State, refused};

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
        Ledger::Show { operation, version, source } => {
            show(context, source, operation, version.as_deref()).await
        }
        Ledger::Import { paths, source } => import(context, source, paths).await,
    }
}

/// The Ledger of the server, or that of this project.
pub(crate) async fn connect(context: &Context, source: &LedgerSource) -> Result<Connection, Failure> {
    let state = State::Folder(context.config.state_folder());
    Connection::open(&context.config, source.server.as_deref(), state).await
}

async fn search(
    context: &Context,
    source: &LedgerSource,
    request: v1::SearchOperationsRequest,
) -> Result<(), Failure> {
    let connection = connect(context, source).await?;
    let response = connection.ledger().search_operations(request).await;
    let hits = response.map_err(|status| refused(&status))?.into_inner().hits;
    let hits: Vec<(v1::Operation, String)> =
        hits.into_iter().filter_map(|hit| Some((hit.operation?, hit.reason))).collect();
    if context.output.json {
        let rows: Vec<Value> = hits.iter().map(|(operation, reason)| row_json(operation, reason)).collect();
        context.output.data(&json!({ "hits": rows }).to_string());
        return Ok(());
    }
    if hits.is_empty() {
        context.output.note("nothing found; fewer or other words may help");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = hits
        .iter()
        .map(|(operation, reason)| {
            vec![
                operation.id.clone(),
                price(operation),
                access(operation),
                operation.summary.clone(),
                reason.clone(),
            ]
        })
        .collect();
    let head = ["OPERATION", "PRICE", "ACCESS", "WHAT IT DOES", "WHY HERE"];
    context.output.data(&table(&head, &rows, io::stdout().is_terminal()));
    Ok(())
}

fn row_json(operation: &v1::Operation, reason: &str) -> Value {
    json!({
        "operation": operation.id,
        "version": operation.version,
        "summary": operation.summary,
        "tags": operation.tags,
        "capabilities": operation.capabilities,
        "price": operation.price.as_ref().map(|price| amount(Some(price))),
        "price_known": operation.price_known,
        "access": operation.access,
        "callable": operation.callable,
        "not_callable_reason": operation.not_callable_reason,
        "verified": operation.verified,
        "reason": reason,
    })
}

fn price(operation: &v1::Operation) -> String {
    match &operation.price {
        Some(price) => amount(Some(price)),
        None if operation.price_known => "free".into(),
        None => "unknown".into(),
    }
}

fn access(operation: &v1::Operation) -> String {
    if operation.callable { operation.access.clone() } else { "not callable".into() }
}

async fn show(
    context: &Context,
    source: &LedgerSource,
    id: &str,
    version: Option<&str>,
) -> Result<(), Failure> {
    let connection = connect(context, source).await?;
    let request =
        v1::GetOperationRequest { id: id.to_owned(), version: version.unwrap_or_default().to_owned() };
    let response = connection.ledger().get_operation(request).await;
    let operation = response.map_err(|status| refused(&status))?.into_inner().operation.unwrap_or_default();
    let entry: Value = serde_json::from_slice(&operation.entry_json).unwrap_or(Value::Null);
    if context.output.json {
        let mut row = row_json(&operation, "");
        if let Some(row) = row.as_object_mut() {
            row.remove("reason");
            row.insert("entry_hash".into(), operation.entry_hash.into());
            row.insert("entry".into(), entry);
        }
        context.output.data(&row.to_string());
        return Ok(());
    }
    context.output.data(&describe(&operation, &entry));
    Ok(())
}

fn describe(operation: &v1::Operation, entry: &Value) -> String {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let field = |name: &str| entry.get(name).unwrap_or(&Value::Null);
    let or_none = |words: &[String]| if words.is_empty() { "-".to_owned() } else { words.join(", ") };
    let mut lines = vec![
        format!("{} {}  {}", operation.id, operation.version, operation.summary),
        format!("  tags          {}", or_none(&operation.tags)),
        format!("  capabilities  {}", or_none(&operation.capabilities)),
        format!("  price         {}", price(operation)),
        format!("  access        {}", operation.access),
        format!("  side effects  {}", field("side_effects").as_str().unwrap_or("-")),
        format!("  transport     {}", field("transport")),
        format!(
            "  verified      {}",
            if operation.verified { "by real calls" } else { "no: facts of public sources only" }
        ),
        format!("  entry         {}", operation.entry_hash),
    ];
    if !operation.callable {
        lines.push(format!("  not callable  {}", operation.not_callable_reason));
    }
    lines.push(format!("input {}", pretty(field("input"))));
    lines.push(format!("output {}", pretty(field("output"))));
    if !field("example").is_null() {
        lines.push(format!("example {}", pretty(field("example"))));
    }
    lines.push(format!("sources {}", pretty(field("sources"))));
    lines.join("\n")
}

async fn import(context: &Context, source: &LedgerSource, paths: &[PathBuf]) -> Result<(), Failure> {
    // Every file is read before the first entry is published.
    let mut entries = Vec::new();
    for path in paths {
        for file in json_files(path)? {
            entries.extend(read_entries(&file)?);
        }
    }
    let connection = connect(context, source).await?;
    let mut ledger = connection.ledger();
    let (mut changed, mut unchanged) = (0, 0);
    for (file, entry) in entries {
        let entry_json = entry.to_string().into();
        let published = if entry.get("adapters").is_some() {
            let request = v1::PublishCapabilityRequest { entry_json };
            ledger.publish_capability(request).await.map(|response| response.into_inner().changed)
        } else {
            let request = v1::PublishOperationRequest { entry_json };
            ledger.publish_operation(request).await.map(|response| response.into_inner().changed)
        };
        match published.map_err(|status| refused(&status)) {
            Ok(true) => changed += 1,
            Ok(false) => unchanged += 1,
            Err(mut failure) => {
                failure.message = format!("{}: {}", file.display(), failure.message);
                failure.help =
                    format!("{changed} entries before this one were published; importing again skips them");
                return Err(failure);
            }
        }
    }
    if context.output.json {
        context.output.data(&json!({ "published": changed, "unchanged": unchanged }).to_string());
    } else {
        context.output.data(&format!("{changed} published, {unchanged} unchanged"));
    }
    Ok(())
}

fn json_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error: io::Error| {
        Failure::new(
            Exit::Usage,
            "E1502",
            format!("{} cannot be read: {error}", path.display()),
            "check the path",
        )
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// The entries of a file: an operation, a capability, or the `operations` of a catalogue file.
fn read_entries(file: &Path) -> Result<Vec<(PathBuf, Value)>, Failure> {
    let wrong = |why: String| {
        let help = "`catalog/README.md` describes the format";
        Failure::new(Exit::Usage, "E1203", format!("{}: {why}", file.display()), help)
    };
    let text = fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let value: Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let entries = match value.get("operations") {
        Some(Value::Array(operations)) => operations.clone(),
        _ if value.get("id").is_some() || value.get("adapters").is_some() => vec![value],
        _ => return Err(wrong("it holds neither an operation nor `operations`".into())),
    };
    Ok(entries.into_iter().map(|entry| (file.to_owned(), entry)).collect())
}
