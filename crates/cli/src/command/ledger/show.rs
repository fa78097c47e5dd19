//! `orch ledger show`.

use plan_lang::written_name;
use proto::v1;
use schema::delivery::Delivery;
use schema::json_schema::OperationTypes;
use schema::operation::{ExampleProvenance, OperationDescriptor, Transport};
use schema::stream::{Framing, Stream};
use schema::types::{RecordDef, TypeDef, TypeDefs, VariantDef};
use serde_json::Value;

use super::{Context, capability, connect, document, list, price};
use crate::args::LedgerSource;
use crate::exit::Failure;
use crate::service::Connection;

/// Shows one operation, or a capability where the name is that of one.
pub(super) async fn run(
    context: &Context,
    source: &LedgerSource,
    id: &str,
    version: Option<&str>,
) -> Result<(), Failure> {
    let connection = connect(context, source, false).await?;
    // As plans import it: `use cap { generate }`.
    if let Some(name) = id.strip_prefix("cap.") {
        capability::show(context, &super::capability(&connection, name).await?);
        return Ok(());
    }
    let request =
        v1::GetOperationRequest { id: id.to_owned(), version: version.unwrap_or_default().to_owned() };
    let response = match connection.ledger().get_operation(request).await {
        Ok(response) => response,
        Err(status) if !id.contains('.') => {
            let failure = connection.refused(&status);
            let failure = of_subnet(&connection, id, failure).await;
            capability::show(context, &capability::find(&connection, id, failure).await?);
            return Ok(());
        }
        Err(status) => return Err(connection.refused(&status)),
    };
    let operation = response.into_inner().operation.unwrap_or_default();
    if context.output.json {
        let mut fields = document(&operation);
        fields.insert("entry_hash".into(), operation.entry_hash.into());
        let entry = serde_json::from_slice(&operation.entry_json).unwrap_or(Value::Null);
        fields.insert("entry".into(), entry);
        context.output.document(&Value::Object(fields));
        return Ok(());
    }
    let entry: Option<OperationDescriptor> = serde_json::from_slice(&operation.entry_json).ok();
    let mut text = head(&operation, entry.as_ref());
    if let Some(entry) = &entry {
        text.push_str(&body(entry));
    }
    context.output.data(&text);
    Ok(())
}

/// Who names a subnet wants to know its operations.
pub(crate) async fn of_subnet(connection: &Connection, id: &str, failure: Failure) -> Failure {
    let Some(netuid) = id.strip_prefix("sn").and_then(|netuid| netuid.parse().ok()) else { return failure };
    let operations = list(connection, Some(netuid)).await.unwrap_or_default();
    let ids: Vec<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    if ids.is_empty() {
        return failure;
    }
    Failure { help: format!("{id} is a subnet; its operations are {}", ids.join(", ")), ..failure }
}

fn head(operation: &v1::Operation, entry: Option<&OperationDescriptor>) -> String {
    let or_none = |words: &[String]| if words.is_empty() { "-".to_owned() } else { words.join(", ") };
    let mut rows = vec![
        ("tags", or_none(&operation.tags)),
        ("capabilities", or_none(&operation.capabilities)),
        (
            "price",
            match operation.price_known {
                true => price(operation),
                false => "unknown: a plan has to say `max_price`".to_owned(),
            },
        ),
        ("access", operation.access.clone()),
    ];
    if !operation.callable {
        rows.push(("not callable", operation.not_callable_reason.clone()));
    }
    if let Some(entry) = entry {
        let safe = if entry.repeat.safe { "safe" } else { "not safe" };
        let again = if entry.repeat.costs_again { ", and costs again" } else { "" };
        rows.push(("repeating", format!("{safe}{again}")));
        rows.push(("reached by", transport(&entry.transport)));
        rows.extend(entry.delivery.as_ref().map(|delivery| ("answer", answer(delivery))));
    }
    let verified = if operation.verified { "by real calls" } else { "no: facts of public sources only" };
    rows.push(("verified", verified.to_owned()));
    rows.push(("entry", operation.entry_hash.clone()));
    let mut text = format!("{} {}\n{}\n\n", operation.id, operation.version, operation.summary);
    for (name, value) in rows {
        text.push_str(&format!("  {name:<13} {value}\n"));
    }
    text
}

fn transport(transport: &Transport) -> String {
    match transport {
        Transport::Http(http) => format!("{} {}{}", http.method, http.base_url, http.path),
        Transport::Grpc(grpc) => format!("gRPC {}{}", grpc.base_url, grpc.method),
        Transport::Axon(axon) => format!("axon, synapse {}", axon.synapse),
        Transport::Other { protocol, base_url } => {
            format!("{protocol} {}", base_url.as_deref().unwrap_or_default())
        }
    }
}

fn answer(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Pages(pages) => {
            format!("in pages, the next by `{}`: `page` says how many are read", pages.next.parameter())
        }
        Delivery::Task(task) => {
            let every = f64::from(task.every_ms) / 1e3;
            format!("by a task that is asked after every {every} s, unless `poll` says otherwise")
        }
        Delivery::Stream(stream) => streamed(stream),
    }
}

/// Whether and when items come while the answer is made.
fn streamed(stream: &Stream) -> String {
    let when = if stream.ask.is_empty() { "always" } else { "where the caller listens" };
    let what = match stream.framing {
        Framing::Events => "server-sent events",
        Framing::Lines => "lines of JSON",
        Framing::Text => "text",
    };
    format!("as a stream of {what}, {when}; a plan sees the whole")
}

/// How a plan uses it, in the plan's own language, and where the facts are from.
fn body(entry: &OperationDescriptor) -> String {
    let mut text = String::new();
    if let (Ok(types), Some((subnet, name))) = (OperationTypes::of(entry), entry.id.split_once('.')) {
        text.push_str(&format!("\nIn a plan:\n\n  use {subnet} {{ {name} }}\n\n"));
        text.push_str(&signature(name, &types));
        for (_, def) in types.defs.iter() {
            match def {
                // Its fields are the parameters above.
                TypeDef::Record(record) if types.defs.record(types.input) == Some(record) => {}
                def => text.push_str(&definition(def, &types.defs)),
            }
        }
    }
    if let Some(example) = &entry.example {
        let pretty =
            |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default().replace('\n', "\n  ");
        let made_up = if example.provenance == ExampleProvenance::Constructed { " (made up)" } else { "" };
        text.push_str(&format!("\nExample input{made_up}:\n\n  {}\n", pretty(&example.input)));
        text.push_str(&format!("\nExample output{made_up}:\n\n  {}\n", pretty(&example.output)));
    }
    text.push_str("\nSources:\n\n");
    for source in &entry.sources {
        let rest = [&source.path, &source.commit].into_iter().flatten();
        let rest: String = rest.map(|part| format!(" {part}")).collect();
        text.push_str(&format!("  {}: {}{rest}\n", source.kind, source.reference));
    }
    text
}

fn signature(name: &str, types: &OperationTypes) -> String {
    let fields = types.defs.record(types.input).map(|record| record.fields.as_slice()).unwrap_or_default();
    let mut text = format!("  {name}(");
    for field in fields {
        text.push_str(&format!("\n    {}: {},", written_name(&field.name), types.defs.show(&field.ty)));
    }
    let end = if fields.is_empty() { ")" } else { "\n  )" };
    format!("{text}{end} -> {}\n", types.defs.show(&types.output))
}

fn definition(def: &TypeDef, defs: &TypeDefs) -> String {
    match def {
        TypeDef::Record(record) => self::record(record, defs),
        TypeDef::Enum(def) => {
            let variants = def.variants.iter().map(|variant| match &variant.payload {
                Some(payload) => format!("{}({})", variant.name, defs.show(payload)),
                None => variant.name.clone(),
            });
            let variants = variants.collect::<Vec<_>>().join(", ");
            let differs = |variant: &VariantDef| variant.wire != format!("\"{}\"", variant.name);
            let literals: Vec<&str> = def.literals().collect();
            let is_json = !literals.is_empty() && def.variants.iter().any(differs);
            let json = if is_json { format!("  // in JSON: {}", literals.join(", ")) } else { String::new() };
            format!("\n  enum {} {{ {variants} }}{json}\n", def.name)
        }
    }
}

fn record(record: &RecordDef, defs: &TypeDefs) -> String {
    let mut text = format!("\n  record {} {{", record.name);
    for field in &record.fields {
        text.push_str(&format!("\n    {}: {},", written_name(&field.name), defs.show(&field.ty)));
    }
    text + if record.fields.is_empty() { "}\n" } else { "\n  }\n" }
}
