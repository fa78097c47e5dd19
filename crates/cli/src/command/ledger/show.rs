//! `orch ledger show`.

use plan_lang::written_name;
use proto::v1;
use schema::delivery::Delivery;
use schema::json_schema::OperationTypes;
use schema::operation::{ExampleProvenance, OperationDescriptor, Transport};
use schema::stream::{Framing, Stream};
use schema::types::{RecordDef, TypeDef, TypeDefs, VariantDef};
use serde_json::{Value, json};

use super::{Context, PAGE_SIZE, capability, connect, document, list, price};
use crate::args::LedgerSource;
use crate::exit::Failure;
use crate::output::money;
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
        Err(status) => return Err(of_subnet(&connection, id, connection.refused(&status)).await),
    };
    let v1::GetOperationResponse { operation, lately } = response.into_inner();
    let operation = operation.unwrap_or_default();
    if context.output.json {
        let mut fields = document(&operation);
        fields.insert("entry_hash".into(), operation.entry_hash.into());
        let entry = serde_json::from_slice(&operation.entry_json).unwrap_or(Value::Null);
        fields.insert("entry".into(), entry);
        fields.insert("lately".into(), lately.as_ref().map_or(Value::Null, lately_document));
        context.output.document(&Value::Object(fields));
        return Ok(());
    }
    let entry: Option<OperationDescriptor> = serde_json::from_slice(&operation.entry_json).ok();
    let mut text = head(&operation, entry.as_ref(), lately.as_ref());
    if let Some(entry) = &entry {
        text.push_str(&body(entry));
    }
    context.output.data(&text);
    Ok(())
}

/// Who names a subnet wants to know its operations; and who names an operation of a subnet without any, that there are none.
pub(crate) async fn of_subnet(connection: &Connection, id: &str, failure: Failure) -> Failure {
    let (subnet, name) = id.split_once('.').map_or((id, None), |(subnet, name)| (subnet, Some(name)));
    // Also as people write it: `SN22`, `22`.
    let number = match subnet.split_at_checked(2) {
        Some((prefix, number)) if prefix.eq_ignore_ascii_case("sn") => number,
        _ => subnet,
    };
    let Ok(netuid) = number.parse::<u16>() else { return failure };
    let Ok(operations) = list(connection, Some(netuid.into())).await else { return failure };
    if operations.is_empty() {
        return unknown_subnet(connection, netuid, failure).await;
    }
    if name.is_some() {
        return failure;
    }
    let ids: Vec<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    Failure { help: format!("sn{netuid} is a subnet; its operations are {}", ids.join(", ")), ..failure }
}

/// What is known of a subnet without operations, and how to add one.
async fn unknown_subnet(connection: &Connection, netuid: u16, failure: Failure) -> Failure {
    let known = subnets(connection).await.unwrap_or_default();
    let named = known.iter().find(|subnet| subnet.netuid == u32::from(netuid));
    let what = named.map_or_else(
        || "nothing is known of it".to_owned(),
        |subnet| format!("it is {}, {}", subnet.name, subnet.status.replace('_', " ")),
    );
    let message = format!("the Ledger has no operation of sn{netuid}: {what}");
    let document = named.and_then(|subnet| subnet.openapi_urls.first()).map_or("URL", String::as_str);
    let help = format!(
        "`orch ledger add {document} --netuid {netuid}` adds those of an OpenAPI document, and with --example one of an example \
         of a call\n`orch ledger search WORDS` finds operations of other subnets by what they do"
    );
    Failure { message, help, ..failure }
}

/// All subnets that the Ledger knows.
async fn subnets(connection: &Connection) -> Result<Vec<v1::Subnet>, Failure> {
    let mut subnets = Vec::new();
    let mut request = v1::ListSubnetsRequest { page_size: PAGE_SIZE, ..v1::ListSubnetsRequest::default() };
    loop {
        let page = connection.ledger().list_subnets(request.clone()).await;
        let page = page.map_err(|status| connection.refused(&status))?.into_inner();
        subnets.extend(page.subnets);
        if page.next_page_token.is_empty() {
            return Ok(subnets);
        }
        request.page_token = page.next_page_token;
    }
}

/// How its calls went, for a program.
fn lately_document(lately: &v1::CallStatistics) -> Value {
    json!({
        "calls": lately.calls,
        "success_share": lately.success_share,
        "latency_ms_p50": lately.latency_ms_p50,
        "latency_ms_p95": lately.latency_ms_p95,
        "charged_p50": money::document(lately.charged_p50.as_ref()),
    })
}

/// How its calls went, in words.
fn lately_shown(lately: &v1::CallStatistics) -> String {
    let v1::CallStatistics { calls, success_share, latency_ms_p50, latency_ms_p95, charged_p50 } = lately;
    let times = [("half within", latency_ms_p50), ("95% within", latency_ms_p95)];
    let times = times.into_iter().filter_map(|(what, ms)| ms.map(|ms| format!(", {what} {ms} ms")));
    let charged = charged_p50.as_ref().and_then(money::of_wire);
    let charged = charged.map(|amount| format!(", median charge {amount}"));
    let plural = if *calls == 1 { "call" } else { "calls" };
    format!(
        "{calls} {plural} within the hour; {:.0}% may be expected to succeed{}{}",
        success_share * 100.0,
        times.collect::<String>(),
        charged.unwrap_or_default()
    )
}

fn head(
    operation: &v1::Operation,
    entry: Option<&OperationDescriptor>,
    lately: Option<&v1::CallStatistics>,
) -> String {
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
    rows.extend(lately.map(|lately| ("lately", lately_shown(lately))));
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
