//! `orch ledger add`: a document, a gRPC server, or an example of a call, as callable operations.

use std::path::Path;

use openapi::{Descriptors, Document, ExampleCall, Import, Imported, Origin, public_address};
use schema::operation::Auth;
use serde_json::{Value, json};
use subnet::egress::{Egress, Fetched, Validators};

use super::filing::{Counts, Filing, Outcome, operation_json, report, sound, summary};
use super::{Context, connect, fetch, glob, grpc};
use crate::args::Add;
use crate::exit::{Exit, Failure};
use crate::project;

/// Bytes of the largest file that is read: one more than a document may have, so that too large is told from just
/// fitting.
const FILE_BYTES_MAX: u64 = openapi::DOCUMENT_BYTES_MAX as u64 + 1;

/// Reads the document and files its operations.
pub(super) async fn run(context: &Context, args: &Add) -> Result<(), Failure> {
    let auth = args.key_header.as_deref().map(|text| key_header(text, args.netuid)).transpose()?;
    let egress = fetch::egress(&context.config()?)?;
    let bytes = read(&egress, &args.document).await?;
    let origin = Origin {
        netuid: args.netuid,
        name_prefix: args.name_prefix.clone(),
        server: server(args),
        reference: reference(&args.document),
        auth,
    };
    let mut import = if args.example {
        example(args, &bytes, &origin)?
    } else if grpc::is_server(&args.document) || Descriptors::are_meant(&bytes) {
        descriptors(args, &bytes, &origin)?
    } else {
        document(args, &bytes, &origin)?
    };
    let found = import.operations.len();
    if !args.only.is_empty() {
        import.operations.retain(|operation| args.only.iter().any(|pattern| is_wanted(pattern, operation)));
    }
    if import.operations.is_empty() {
        let what = if found == 0 { "it describes no operation" } else { "no operation fits `--only`" };
        return Err(Failure::new(
            "E1542",
            format!("{}: {what}", args.document),
            "`--dry-run` shows what it describes",
        ));
    }
    if !args.partial {
        sound(&args.document, &import)?;
    }
    let connection = connect(context, &args.source, !args.dry_run).await?;
    let filing =
        Filing { connection: &connection, egress: &egress, replace: args.replace, dry_run: args.dry_run };
    let title = import.title.clone();
    let outcomes = filing.file(import).await?;
    show(context, args, &title, &outcomes);
    let counts = Counts::of(&outcomes);
    if counts.conflicts > 0 || counts.filed() == 0 {
        return Err(Failure::said(Exit::Failed));
    }
    Ok(())
}

fn show(context: &Context, args: &Add, title: &str, outcomes: &[Outcome]) {
    let counts = Counts::of(outcomes);
    if context.output.json {
        let Counts { new, raised, unchanged, conflicts, refused } = counts;
        return context.output.document(&json!({
            "document": reference(&args.document),
            "title": title,
            "dry_run": args.dry_run,
            "new": new, "raised": raised, "unchanged": unchanged, "conflicts": conflicts, "refused": refused,
            "operations": outcomes.iter().map(operation_json).collect::<Value>(),
        }));
    }
    context.output.data(&format!("{}\n{}", report(outcomes), summary(counts, args.dry_run)));
    let callable = outcomes.iter().find(|outcome| {
        outcome.not_callable.is_none() && matches!(outcome.filed, super::filing::Filed::New(_))
    });
    if let (Some(outcome), false) = (callable, args.dry_run) {
        context.output.note(&format!("`orch ledger show {}` shows it as a plan uses it", outcome.id));
    }
}

/// The bytes of a document, from an address or a file.
async fn read(egress: &Egress, document: &str) -> Result<Vec<u8>, Failure> {
    if grpc::is_server(document) {
        return grpc::describe(egress, document).await;
    }
    if !is_address(document) {
        return project::read(Path::new(document), FILE_BYTES_MAX);
    }
    match egress.fetch(document, &Validators::default(), fetch::FETCH_TIME).await {
        Ok(Fetched::Document { bytes, .. }) => Ok(bytes.to_vec()),
        // Only a conditional request is answered so.
        Ok(Fetched::NotModified) => Ok(Vec::new()),
        Err(error) => Err(fetch::failure(document, &error)),
    }
}

fn is_address(document: &str) -> bool {
    document.starts_with("https://") || document.starts_with("http://") || grpc::is_server(document)
}

/// Where the operations are, where that is not for the document to say: a gRPC server is what it describes.
fn server(args: &Add) -> Option<String> {
    let own = || grpc::is_server(&args.document).then_some(&args.document);
    args.base_url.as_ref().or_else(own).map(|address| grpc::base_url(address))
}

/// How a key is sent, of `--key-header`: `NAME: FORMAT`. What is refused is not repeated, as it may be a key.
fn key_header(text: &str, netuid: u16) -> Result<Auth, Failure> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_format = |format: &str| format.matches("<key>").count() == 1 && format.matches('<').count() == 1;
    let parts = text.split_once(':').map(|(name, format)| (name.trim(), format.trim()));
    let (name, format) = parts.filter(|(name, format)| is_name(name) && is_format(format)).ok_or_else(|| {
        let message = "`--key-header` takes the name of a header and how the key stands in it, and no key itself";
        let help = format!(
            "write it like `--key-header 'Authorization: Bearer <key>'`, with `<key>` in place of the key; `orch keys \
             add sn{netuid}` takes the key itself. If a real key was given here, have the subnet replace it: every \
             process of this machine can read the command line, and the shell keeps it in its history"
        );
        Failure::new("E1530", message, help)
    })?;
    Ok(Auth::Header { name: name.to_owned(), format: format.to_owned() })
}

/// What the document is known by: its address without secrets, or the name of its file, which is the same on every machine.
fn reference(document: &str) -> String {
    let file = || Path::new(document).file_name().map(|name| name.to_string_lossy().into_owned());
    if is_address(document) {
        public_address(document)
    } else {
        file().unwrap_or_else(|| document.to_owned())
    }
}

fn descriptors(args: &Add, bytes: &[u8], origin: &Origin) -> Result<Import, Failure> {
    Descriptors::read(bytes)
        .and_then(|descriptors| descriptors.import(origin))
        .map_err(|error| refused(args, &error))
}

fn document(args: &Add, bytes: &[u8], origin: &Origin) -> Result<Import, Failure> {
    if Path::new(&args.document).extension().is_some_and(|extension| extension == "proto") {
        let message = format!("{}: a `.proto` file is the source of descriptors", args.document);
        return Err(Failure::new("E1262", message, grpc::FILE_HELP));
    }
    Document::read(bytes).and_then(|document| document.import(origin)).map_err(|error| refused(args, &error))
}

/// The one operation of an example: JSON, TOML, or a `curl` command line.
fn example(args: &Add, bytes: &[u8], origin: &Origin) -> Result<Import, Failure> {
    let wrong = |message: String| {
        let help = "`orch explain E1260` shows the form of an example";
        Failure::new("E1260", format!("{}: {message}", args.document), help)
    };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not text in UTF-8".into()))?.trim();
    let mut call = if text.starts_with('{') {
        ExampleCall::from_json(text.as_bytes()).map_err(|error| refused(args, &error))?
    } else if text.starts_with("curl ") {
        ExampleCall::from_curl(text).map_err(|error| refused(args, &error))?
    } else {
        toml::from_str(text)
            .map_err(|error| wrong(format!("it is no example of a call: {}", error.message())))?
    };
    if let Some(file) = &args.answer {
        let answer = project::read(file, FILE_BYTES_MAX)?;
        let text = || String::from_utf8_lossy(&answer).into_owned();
        call.answer = Some(serde_json::from_slice(&answer).unwrap_or_else(|_| text().into()));
    }
    let entry = call.entry(origin).map_err(|error| refused(args, &error))?;
    let id = entry.descriptor.id.clone();
    let imported = Imported { call: call_of(&entry), at: "the example".into(), id, entry: Ok(entry) };
    Ok(Import { title: String::new(), operations: vec![imported] })
}

fn call_of(entry: &openapi::Entry) -> String {
    match &entry.descriptor.transport {
        schema::operation::Transport::Http(http) => format!("{} {}", http.method, http.path),
        _ => String::new(),
    }
}

fn refused(args: &Add, error: &openapi::Error) -> Failure {
    Failure::new(error.code, format!("{}: {}, at {}", args.document, error.message, error.at), "")
}

/// Whether a pattern fits the name of an operation, its id, or its path.
fn is_wanted(pattern: &str, operation: &Imported) -> bool {
    let name = operation.id.split_once('.').map_or("", |(_, name)| name);
    let path = operation.call.split_once(' ').map_or("", |(_, path)| path);
    [operation.id.as_str(), name, path].iter().any(|text| glob::fits(pattern, text))
}
