//! Resources: the guide of the language, operations, plans, and what runs left.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::v1;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::Value as Json;

use crate::fault::{ARGUMENTS, Fault};
use crate::result::INLINE_BYTES_MAX;
use crate::service::Service;
use crate::{ErrorPage, GUIDE, tools};

/// The guide of the language.
pub(crate) const LANGUAGE: &str = "orch://docs/language";
const SCHEME: &str = "orch://";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";
/// What a proof bundle is, as far as anyone but a verifier is concerned.
const OCTETS: &str = "application/octet-stream";

/// What can be listed: the guide, and the published plans.
pub(crate) async fn list(service: &Service) -> Result<Vec<Resource>, Fault> {
    let guide = Resource::new(LANGUAGE, "language")
        .with_title("The plan language on one page")
        .with_description("What a plan (.orch) looks like, with examples. Read it before you write one.")
        .with_mime_type(MARKDOWN);
    let plans = service.published().await?;
    let plans = plans.iter().map(|plan| {
        let doc = plan.summary.as_ref().map(|summary| summary.doc.clone()).unwrap_or_default();
        Resource::new(format!("{SCHEME}{}", plan.name), plan.name.clone())
            .with_description(doc)
            .with_mime_type("text/plain")
    });
    Ok(std::iter::once(guide).chain(plans).collect())
}

/// What can be named.
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let template = |uri: &str, name: &str, description: &str, mime: &str| {
        ResourceTemplate::new(format!("{SCHEME}{uri}"), name)
            .with_description(description)
            .with_mime_type(mime)
    };
    let errors = "What an error means and what to do; {code} is such as E1105.";
    vec![
        template("docs/errors/{code}", "error", errors, MARKDOWN),
        template(
            "operations/{id}",
            "operation",
            "What an operation takes, answers and costs, and how its calls went lately.",
            JSON,
        ),
        template("plans/{name}", "plan", "The text of a published plan.", "text/plain"),
        template("runs/{id}", "run", "A run as it stands.", JSON),
        template("runs/{id}/result", "result", "The whole result of a run.", JSON),
        template("runs/{id}/proof", "proof", "The proof bundle of a run, for `orch proof verify`.", OCTETS),
    ]
}

/// The result of `runs/{id}`.
pub(crate) fn result_of(run: &str, bytes: u64) -> Resource {
    Resource::new(format!("{SCHEME}{run}/result"), "result").with_mime_type(JSON).with_size(bytes)
}

/// The proof of `runs/{id}`.
pub(crate) fn proof_of(run: &str, bytes: u64) -> Resource {
    Resource::new(format!("{SCHEME}{run}/proof"), "proof").with_mime_type(OCTETS).with_size(bytes)
}

/// Reads a resource.
pub(crate) async fn read(
    service: &Service,
    uri: &str,
    error_page: ErrorPage,
) -> Result<ReadResourceResult, Fault> {
    let path: Vec<&str> = uri.strip_prefix(SCHEME).unwrap_or_default().split('/').collect();
    let text = |text: String, mime: &str| ResourceContents::text(text, uri).with_mime_type(mime);
    let contents = match path.as_slice() {
        ["docs", "language"] => text(GUIDE.to_owned(), MARKDOWN),
        ["docs", "errors", code] => {
            text(error_page(code).ok_or_else(|| no_error(code))?.to_owned(), MARKDOWN)
        }
        ["operations", id] => text(tools::operation(service, id, "").await?.to_string(), JSON),
        ["plans", name] => text(plan(service, name).await?, "text/plain"),
        ["runs", id] => {
            let run = service.run(&format!("runs/{id}")).await?;
            text(tools::run_view(&run, "", INLINE_BYTES_MAX)?.content.to_string(), JSON)
        }
        ["runs", id, "result"] => text(result(service, id).await?, JSON),
        ["runs", id, "proof"] => {
            let bundle = service.proof(&format!("runs/{id}")).await?;
            ResourceContents::blob(STANDARD.encode(bundle), uri).with_mime_type(OCTETS)
        }
        _ => return Err(unknown(uri)),
    };
    Ok(ReadResourceResult::new(vec![contents]))
}

async fn plan(service: &Service, name: &str) -> Result<String, Fault> {
    let wanted = v1::GetPlanRequest { name: format!("plans/{name}") };
    let plan = service.plans().get_plan(wanted).await?.into_inner().plan.unwrap_or_default();
    Ok(plan.source.unwrap_or_default().text)
}

async fn result(service: &Service, id: &str) -> Result<String, Fault> {
    let run = service.run(&format!("runs/{id}")).await?;
    let result = if run.result_json.is_empty() { Json::Null.to_string().into() } else { run.result_json };
    Ok(String::from_utf8_lossy(&result).into_owned())
}

/// The page of a code.
pub(crate) fn error_uri(code: &str) -> String {
    format!("{SCHEME}docs/errors/{code}")
}

fn no_error(code: &str) -> Fault {
    Fault::new(
        ARGUMENTS,
        format!("there is no error code `{code}`"),
        "write it as the error has it, such as E1105",
    )
}

fn unknown(uri: &str) -> Fault {
    let help = "resources/list and resources/templates/list say what there is";
    Fault::new(ARGUMENTS, format!("there is no resource `{uri}`"), help)
}
