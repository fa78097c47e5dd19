//! `get_proof`: how a result was made, for whoever doubts it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::json;

use super::Said;
use super::runs::name;
use super::schemas::{closed, closed_whole, nullable, plain, reads, tool as define};
use crate::request::Request;
use crate::result::Answer;
use crate::{arguments, resources};

pub(crate) const NAME: &str = "get_proof";

const DESCRIPTION: &str = "Get the proof of a run or call that has ended: a bundle that `orch proof verify` checks offline, \
    byte for byte. Without `include_bundle` it gives the id and the resource that has the bundle; models seldom need the \
    bytes.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    run: String,
    include_bundle: Option<bool>,
}

pub(crate) fn tool() -> Tool {
    let input = closed(
        json!({
            "run": name(),
            "include_bundle": nullable("boolean", "Whether the bundle is to be in the answer, as base64."),
        }),
        &["run"],
    );
    let output = closed_whole(json!({
        "run": name(),
        "proof_id": plain("string", "Id of the proof."),
        "bytes": plain("integer", "Bytes of the bundle."),
        "resource": plain("string", "The resource that has the bundle."),
        "bundle_base64": nullable("string", "The bundle, where it was asked for."),
    }));
    define(NAME, "Get a proof", DESCRIPTION, input, output, reads())
}

pub(crate) async fn run(request: &Request, arguments: JsonObject) -> Said {
    let wanted: Arguments = arguments::read(arguments)?;
    let bundle = request.service.proof(&wanted.run).await?;
    let run = request.service.run(&wanted.run).await?;
    let bytes = u64::try_from(bundle.len()).unwrap_or(u64::MAX);
    let link = resources::proof_of(&run.name, bytes);
    let content = json!({
        "run": run.name, "proof_id": run.proof_id, "bytes": bytes, "resource": link.uri,
        "bundle_base64": wanted.include_bundle.unwrap_or(false).then(|| STANDARD.encode(&bundle)),
    });
    Ok(Answer { content, links: vec![link] })
}
