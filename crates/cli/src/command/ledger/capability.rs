//! Capabilities, as `orch ledger show` and `search --capability` know them.

use plan_compiler::CAPABILITY_PREFIX;
use proto::v1;
use serde_json::{Value, json};

use super::{Context, PAGE_SIZE};
use crate::exit::Failure;
use crate::service::Connection;

/// Shows a capability.
pub(super) fn show(context: &Context, capability: &v1::Capability) {
    if context.output.json {
        let mut shown = document(capability);
        if let Value::Object(fields) = &mut shown {
            fields.insert("source".into(), capability.source.clone().into());
            fields.insert("entry_hash".into(), capability.entry_hash.clone().into());
        }
        context.output.document(&shown);
    } else {
        context.output.data(&text(capability));
    }
}

/// The capability `name`; where there is none, `failure`, with the one that was meant.
pub(super) async fn find(
    connection: &Connection,
    name: &str,
    failure: Failure,
) -> Result<v1::Capability, Failure> {
    let mut capabilities = list(connection).await?;
    if let Some(at) = capabilities.iter().position(|capability| capability.name == name) {
        return Ok(capabilities.swap_remove(at));
    }
    let near = plan_lang::suggest(name, capabilities.iter().map(|capability| capability.name.as_str()));
    let help = near.map_or(failure.help.clone(), |near| format!("did you mean the capability `{near}`?"));
    Err(Failure { help, ..failure })
}

/// The capabilities whose name and summary have all words of `query`, by the beginning of a word as operations are found.
pub(super) async fn search(connection: &Connection, query: &str) -> Result<Vec<v1::Capability>, Failure> {
    let wanted = words(query);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = list(connection).await?;
    found.retain(|capability| {
        let own = words(&format!("{CAPABILITY_PREFIX}{} {}", capability.name, capability.summary));
        wanted.iter().all(|wanted| own.iter().any(|own| own.starts_with(wanted.as_str())))
    });
    Ok(found)
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// A capability in a list of operations.
pub(super) fn row(capability: &v1::Capability) -> Vec<String> {
    let v1::Capability { name, summary, operations, .. } = capability;
    let why = format!("fulfilled by {}", operations.join(", "));
    vec![format!("{CAPABILITY_PREFIX}{name}"), "-".into(), "capability".into(), summary.clone(), why]
}

/// A capability for a program.
pub(super) fn document(capability: &v1::Capability) -> Value {
    json!({
        "capability": capability.name,
        "version": capability.version,
        "summary": capability.summary,
        "operations": capability.operations,
    })
}

fn text(capability: &v1::Capability) -> String {
    let v1::Capability { name, version, summary, .. } = capability;
    let mut text = format!("{name} {version}\n{summary}\n\n");
    for (label, value) in
        [("fulfilled by", capability.operations.join(", ")), ("entry", capability.entry_hash.clone())]
    {
        text.push_str(&format!("  {label:<13} {value}\n"));
    }
    text.push_str(&format!("\nIn a plan:\n\n  use cap {{ {name} }}\n\n"));
    for line in capability.source.lines() {
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
    text
}

/// A capability that is not there is refused with those that are.
pub(super) async fn with_names(connection: &Connection, failure: Failure) -> Failure {
    let names: Vec<String> =
        list(connection).await.unwrap_or_default().into_iter().map(|capability| capability.name).collect();
    if names.is_empty() || failure.help.starts_with("did you mean") {
        return failure;
    }
    Failure { help: format!("there are {}; `orch ledger show NAME` shows one", names.join(", ")), ..failure }
}

async fn list(connection: &Connection) -> Result<Vec<v1::Capability>, Failure> {
    let mut capabilities = Vec::new();
    let mut request = v1::ListCapabilitiesRequest { page_size: PAGE_SIZE, page_token: String::new() };
    loop {
        let response = connection.ledger().list_capabilities(request.clone()).await;
        let page = response.map_err(|status| connection.refused(&status))?.into_inner();
        capabilities.extend(page.capabilities);
        if page.next_page_token.is_empty() {
            return Ok(capabilities);
        }
        request.page_token = page.next_page_token;
    }
}
