//! `orch ledger report`: how the schemas of operations map to types.

use std::fs;
use std::path::{Path, PathBuf};

use ledger_service::{Callability, revise};
use openapi::{Contract, Document, Origin};
use schema::boundary::Checks;
use schema::coverage::Leaves;
use schema::json_schema::{OperationTypes, SchemaError};
use schema::operation::OperationDescriptor;
use serde_json::Value;

use super::Context;
use super::filing::sound;
use crate::exit::{Exit, Failure};
use crate::project;

mod show;

/// Bytes of the largest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// What files of schemas end in.
const EXTENSIONS: [&str; 4] = ["json", "yaml", "yml", "gz"];

const FORMAT_HELP: &str = "name a file of the catalogue's format or an OpenAPI document, or a folder of them";

/// What one file holds.
struct File {
    name: String,
    /// Why the file as a whole cannot be read, if it cannot.
    refused: Option<Refusal>,
    rows: Vec<Row>,
}

/// What became of one operation.
struct Row {
    /// Id in the Ledger, or method and path.
    operation: String,
    /// Whether its answer has a contract at all.
    complete: bool,
    /// Nothing where it maps.
    refusals: Vec<Refusal>,
    /// Of the answer.
    leaves: Leaves,
    /// Patterns that are not checked, with their places.
    unchecked: Vec<(String, String)>,
    imported: Imported,
}

/// Whether an operation becomes an entry of the Ledger.
enum Imported {
    /// One that can be called, once a deployment names its host and key.
    Callable,
    /// One that is listed, and why it cannot be called.
    Listed(String),
    /// None.
    Refused(Refusal),
    /// None, for its document is wrong elsewhere.
    Withheld,
}

/// Why something does not map, or is not imported.
#[derive(PartialEq)]
struct Refusal {
    code: &'static str,
    /// JSON pointer, or line and column.
    at: String,
    message: String,
}

/// Measures the operations in files.
pub(super) fn run(context: &Context, paths: &[PathBuf], at_least: Option<u32>) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in paths {
        for file in files_of(path)? {
            files.push(measure(&file)?);
        }
    }
    let share = show::report(context, &files);
    match at_least {
        // Rounded as it is shown would let 94.96 pass for 95.
        Some(wanted) if share * 100.0 < f64::from(wanted) => Err(Failure::said(Exit::Failed)),
        _ => Ok(()),
    }
}

/// The file, or those of a folder; of a folder laid out like the catalogue, those with operations.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let operations = path.join("operations");
    let folder = if operations.is_dir() { operations } else { path.to_owned() };
    let unreadable = |error| project::cannot_read(&folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let known = file.extension().is_some_and(|found| EXTENSIONS.iter().any(|known| found == *known));
        if known && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        let message =
            format!("there is no file of schemas (*.{}) in {}", EXTENSIONS.join(", *."), folder.display());
        return Err(Failure::new("E1502", message, FORMAT_HELP));
    }
    files.sort();
    Ok(files)
}

fn measure(file: &Path) -> Result<File, Failure> {
    let name = project::relative(file).display().to_string();
    let bytes = project::read(file, FILE_BYTES_MAX)?;
    if let Some(entries) = entries(&bytes) {
        let rows = entries.into_iter().map(|entry| entry_row(entry, &name)).collect::<Result<_, _>>()?;
        return Ok(File { name, refused: None, rows });
    }
    let document = Document::read(&bytes).and_then(|document| Ok((document.operations()?, document)));
    Ok(match document {
        Ok((operations, document)) => {
            let mut rows: Vec<Row> =
                operations.iter().map(|operation| document_row(&document, operation)).collect();
            match import(&document) {
                Ok(all) => rows.iter_mut().zip(all).for_each(|(row, imported)| row.imported = imported),
                Err(error) => return Ok(File { name, refused: Some(error.into()), rows }),
            }
            File { name, refused: None, rows }
        }
        Err(error) => File { name, refused: Some(error.into()), rows: Vec::new() },
    })
}

/// What each operation of a document becomes.
fn import(document: &Document) -> Result<Vec<Imported>, openapi::Error> {
    let import = document.import(&Origin::default())?;
    let is_sound = sound("", &import).is_ok();
    let imported = import.operations.into_iter().map(|operation| match operation.entry {
        Ok(entry) if is_sound => Imported::of(&entry.descriptor, &operation.at),
        Ok(_) => Imported::Withheld,
        Err(error) => Imported::Refused(error.into()),
    });
    Ok(imported.collect())
}

/// The operations of a file in the catalogue's format; nothing where it is something else.
fn entries(bytes: &[u8]) -> Option<Vec<Value>> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    match value.get("operations") {
        Some(Value::Array(operations)) => Some(operations.clone()),
        _ => value.get("id").is_some().then(|| vec![value]),
    }
}

fn entry_row(entry: Value, file: &str) -> Result<Row, Failure> {
    let id = entry.get("id").and_then(Value::as_str).unwrap_or("?").to_owned();
    let entry: OperationDescriptor = serde_json::from_value(entry).map_err(|error| {
        let help = "an entry has the form that `orch ledger show OPERATION --json` prints as `entry`";
        Failure::new("E1203", format!("{file}: {id}: {error}"), help)
    })?;
    let same = |place: &str| place.to_owned();
    let schemas = [("input", &entry.input), ("output", &entry.output)];
    let unchecked = schemas
        .iter()
        .filter(|(side, _)| *side == "input" || entry.output_complete)
        .flat_map(|(side, schema)| unchecked(schema, move |place| format!("{side}{place}")));
    let unchecked = unchecked.collect();
    let row = Row {
        operation: id,
        complete: entry.output_complete,
        refusals: Vec::new(),
        leaves: Leaves::default(),
        unchecked,
        imported: Imported::of(&entry, "$"),
    };
    Ok(row.mapped(OperationTypes::of(&entry), same))
}

fn document_row(document: &Document, operation: &openapi::Operation) -> Row {
    let (request, answer) = (document.request(operation), document.answer(operation));
    let mut row = Row {
        operation: format!("{} {}", operation.method, operation.path),
        // A body that is not there is known to be none.
        complete: answer.as_ref().map_or(true, |answer| answer.complete),
        refusals: Vec::new(),
        leaves: Leaves::default(),
        unchecked: Vec::new(),
        imported: Imported::Callable,
    };
    let (request, answer) = match (request, answer) {
        (Ok(request), Ok(answer)) => (request.contract, answer),
        (request, answer) => {
            row.refusals.extend(request.err().into_iter().chain(answer.err()).map(Refusal::from));
            return row;
        }
    };
    let output = answer.complete.then_some(&answer.contract.schema);
    let types = OperationTypes::from_schemas(&operation.name, &request.schema, output);
    let of =
        |contract: &Contract| unchecked(&contract.schema, |place| contract.locate(place)).collect::<Vec<_>>();
    row.unchecked = of(&request);
    if answer.complete {
        row.unchecked.extend(of(&answer.contract));
    }
    let has_body = answer.form.is_some();
    let locate = |place: &str| match place.split_once('#') {
        Some(("input", place)) => request.locate(place),
        Some((_, place)) => answer.contract.locate(place),
        None => place.to_owned(),
    };
    let row = row.mapped(types, locate);
    // The `Json` of an answer without a body stands for nothing.
    if has_body { row } else { Row { leaves: Leaves::default(), ..row } }
}

impl Imported {
    fn of(entry: &OperationDescriptor, at: &str) -> Self {
        match (revise(None, entry.clone(), false), Callability::of(entry)) {
            (Err(error), _) => {
                Self::Refused(Refusal { code: error.code(), at: at.to_owned(), message: error.to_string() })
            }
            (Ok(_), Callability::No(reason)) => Self::Listed(reason),
            (Ok(_), Callability::Yes | Callability::NeedsEndpoint(_)) => Self::Callable,
        }
    }
}

impl Row {
    fn mapped(mut self, types: Result<OperationTypes, SchemaError>, locate: impl Fn(&str) -> String) -> Self {
        match types {
            Ok(types) if self.complete => self.leaves = Leaves::of(&types.output, &types.defs),
            Ok(_) => {}
            Err(error) => {
                let at = locate(&error.pointer);
                self.refusals.push(Refusal { code: error.code, at, message: error.message });
            }
        }
        self
    }
}

fn unchecked<'s>(
    schema: &'s Value,
    locate: impl Fn(&str) -> String + 's,
) -> impl Iterator<Item = (String, String)> + 's {
    let patterns = Checks::of(schema).map(|checks| checks.unchecked()).unwrap_or_default();
    patterns.into_iter().map(move |(place, pattern)| (locate(&place), pattern))
}

impl From<openapi::Error> for Refusal {
    fn from(error: openapi::Error) -> Self {
        Self { code: error.code, at: error.at, message: error.message }
    }
}
