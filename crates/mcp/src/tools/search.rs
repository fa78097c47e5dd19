//! `search_subnets`: what can be asked for.

use proto::v1;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Said;
use super::schemas::{closed, closed_whole, list, nullable, plain, reads, tool as define};
use crate::arguments::{self, Within};
use crate::money;
use crate::request::Request;

pub(crate) const NAME: &str = "search_subnets";

const DESCRIPTION: &str = "Find operations of Bittensor subnets by what they do: web search, text generation, forecasts, \
    detection and more. Best first, each with its price, who may call it and why it ranks there. Read the schemas of one \
    with get_operation before you call it.";

/// Hits of one search.
type Limit = Within<1, 100>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: Option<String>,
    tags: Option<Vec<String>>,
    capability: Option<String>,
    limit: Option<Limit>,
}

pub(crate) fn tool() -> Tool {
    let input = closed(
        json!({
            "query": nullable("string", "Words to look for, such as \"news search\"."),
            "tags": { "type": ["array", "null"], "items": { "type": "string" }, "description": "Only operations with all of these tags." },
            "capability": nullable("string", "Only operations that fulfil this capability, such as \"generate\"."),
            "limit": Limit::schema("Most hits; 20 where left out."),
        }),
        &[],
    );
    let hit = closed_whole(json!({
        "operation": plain("string", "Its id, such as `sn22.web_search`."),
        "version": plain("string", "Version of its entry."),
        "summary": plain("string", "What it does."),
        "tags": list(json!({ "type": "string" }), "Labels."),
        "capabilities": list(json!({ "type": "string" }), "Capabilities it fulfils."),
        "callable": plain("boolean", "Whether it can be called."),
        "not_callable_reason": nullable("string", "Why not."),
        "price": nullable("string", "Price of one call, where it is known and always the same."),
        "access": plain("string", "Who may call it: open, key, x402, registered_hotkey or permit_and_stake."),
        "verified": plain("boolean", "Whether its entry was checked by real calls."),
        "reason": plain("string", "Why it ranks where it does."),
    }));
    let output = closed_whole(json!({ "hits": list(hit, "Best first.") }));
    define(NAME, "Search subnets", DESCRIPTION, input, output, reads())
}

pub(crate) async fn run(request: &Request, arguments: JsonObject) -> Said {
    let wanted: Arguments = arguments::read(arguments)?;
    let search = v1::SearchOperationsRequest {
        query: wanted.query.unwrap_or_default(),
        tags: wanted.tags.unwrap_or_default(),
        capability: wanted.capability.unwrap_or_default(),
        limit: wanted.limit.map_or(0, |limit| limit.0),
    };
    let found = request.service.ledger().search_operations(search).await?.into_inner();
    let hits: Vec<Json> = found.hits.into_iter().map(hit).collect();
    Ok(json!({ "hits": hits }).into())
}

fn hit(hit: v1::SearchHit) -> Json {
    let operation = hit.operation.unwrap_or_default();
    json!({
        "operation": operation.id, "version": operation.version, "summary": operation.summary,
        "tags": operation.tags, "capabilities": operation.capabilities, "callable": operation.callable,
        "not_callable_reason": (!operation.callable).then_some(operation.not_callable_reason),
        "price": money::text(operation.price.as_ref().filter(|_| operation.price_known)),
        "access": operation.access, "verified": operation.verified, "reason": hit.reason,
    })
}
