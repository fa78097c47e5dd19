//! `orch ledger import`.

use std::fs;
use std::path::{Path, PathBuf};

use ledger_service::{Catalog, SubnetDescriptor};
use proto::v1;
use serde_json::{Value, json};

use super::{Context, connect};
use crate::args::LedgerSource;
use crate::exit::Failure;
use crate::project;
use crate::service::Connection;

/// Bytes of the largest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Files that mark a folder as laid out like the catalogue.
const CATALOG_MARKS: [&str; 3] = ["operations", "capabilities.json", "subnets.json"];

const FORMAT_HELP: &str = "an entry has the form that `orch ledger show OPERATION --json` prints as `entry`; a file \
                           holds one, or several as `operations`\nan OpenAPI document is taken by `orch ledger add FILE --netuid N`";

/// An entry to publish.
enum Entry {
    Operation(Value),
    Capability(Value),
    Subnet(Box<SubnetDescriptor>),
}

/// Publishes entries.
pub(super) async fn run(context: &Context, source: &LedgerSource, paths: &[PathBuf]) -> Result<(), Failure> {
    // Every file is read before the first entry is published.
    let mut entries = Vec::new();
    for path in paths {
        if CATALOG_MARKS.iter().any(|mark| path.join(mark).exists()) {
            entries.extend(read_catalog(path)?);
        } else {
            for file in json_files(path)? {
                entries.extend(read_file(&file)?);
            }
        }
    }
    let connection = connect(context, source, true).await?;
    let (mut published, mut unchanged, mut left_out) = (0, 0, 0);
    for (file, entry) in entries {
        match publish(&connection, entry).await {
            Ok(Some(true)) => published += 1,
            Ok(Some(false)) => unchanged += 1,
            Ok(None) => left_out += 1,
            Err(failure) => return Err(at(&file, published, failure)),
        }
    }
    if context.output.json {
        context.output.document(&json!({
            "published": published,
            "unchanged": unchanged,
            "left_out": left_out,
        }));
        return Ok(());
    }
    context.output.data(&format!("{published} published, {unchanged} unchanged"));
    if left_out > 0 {
        context
            .output
            .note(&format!("{left_out} subnets left out: a server takes operations and capabilities"));
    }
    Ok(())
}

fn at(file: &Path, published: usize, failure: Failure) -> Failure {
    let before = match published {
        0 => String::new(),
        _ => format!("\n{published} entries before this one were published; importing again skips them"),
    };
    Failure {
        message: format!("{}: {}", file.display(), failure.message),
        help: format!("{}{before}", failure.help).trim_start().to_owned(),
        ..failure
    }
}

/// Publishes one entry: whether it was new, or nothing where the way to this Ledger has no place for it.
async fn publish(connection: &Connection, entry: Entry) -> Result<Option<bool>, Failure> {
    let mut ledger = connection.ledger();
    let changed = match entry {
        Entry::Operation(entry) => {
            let request = v1::PublishOperationRequest { entry_json: entry.to_string().into() };
            ledger.publish_operation(request).await.map(|response| response.into_inner().changed)
        }
        Entry::Capability(entry) => {
            let request = v1::PublishCapabilityRequest { entry_json: entry.to_string().into() };
            ledger.publish_capability(request).await.map(|response| response.into_inner().changed)
        }
        Entry::Subnet(subnet) => {
            let Some(local) = &connection.local else { return Ok(None) };
            let published = local.service.ledger().publish_subnet(*subnet).await;
            return published
                .map(Some)
                .map_err(|error| Failure::new(error.code(), error.to_string(), error.help()));
        }
    };
    changed.map(Some).map_err(|status| connection.refused(&status))
}

/// The files of a folder, or the one file.
fn json_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| project::cannot_read(path, &error))? {
        let file = entry.map_err(|error| project::cannot_read(path, &error))?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            files.push(file);
        }
    }
    if files.is_empty() {
        let message = format!("there is no entry (*.json) in {}", path.display());
        return Err(Failure::new("E1502", message, FORMAT_HELP));
    }
    files.sort();
    Ok(files)
}

/// The entries of a file: an operation, a capability, or the `operations` of a catalogue's file.
fn read_file(file: &Path) -> Result<Vec<(PathBuf, Entry)>, Failure> {
    let wrong = |why: String| Failure::new("E1203", format!("{}: {why}", file.display()), FORMAT_HELP);
    let bytes = project::read(file, FILE_BYTES_MAX)?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    let entries = match value.get("operations") {
        Some(Value::Array(operations)) => operations.clone(),
        _ if value.get("id").is_some() || value.get("adapters").is_some() => vec![value],
        _ => return Err(wrong("it holds neither an operation, nor a capability, nor `operations`".into())),
    };
    let kind = |entry: Value| match entry.get("adapters") {
        Some(_) => Entry::Capability(entry),
        None => Entry::Operation(entry),
    };
    Ok(entries.into_iter().map(|entry| (file.to_owned(), kind(entry))).collect())
}

fn read_catalog(folder: &Path) -> Result<Vec<(PathBuf, Entry)>, Failure> {
    let wrong = |error: ledger_service::Error| {
        Failure::new(error.code(), format!("{}: {error}", folder.display()), error.help())
    };
    let catalog = Catalog::read(folder).map_err(wrong)?;
    let json = |value: Result<Value, serde_json::Error>| value.unwrap_or_default();
    let subnets = catalog.subnets.into_iter().map(|subnet| Entry::Subnet(Box::new(subnet)));
    let operations =
        catalog.operations.iter().map(|entry| Entry::Operation(json(serde_json::to_value(entry))));
    let capabilities =
        catalog.capabilities.iter().map(|entry| Entry::Capability(json(serde_json::to_value(entry))));
    let entries = subnets.chain(operations).chain(capabilities);
    Ok(entries.map(|entry| (folder.to_owned(), entry)).collect())
}
