//! Web search and crawl in the shape of SN22: `GET /web`, `GET /web/crawl`.

use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::SEARCH_KEY;
use crate::pages::{self, Hit};
use crate::serve::{Answer, Asked, problem, query_parameter, refused, reply, text};

/// The charge that SN22 states in each answer.
const COST: HeaderName = HeaderName::from_static("x-desearch-cost-usd");
const SEARCH_COST_USD: HeaderValue = HeaderValue::from_static("0.0025");
const CRAWL_COST_USD: HeaderValue = HeaderValue::from_static("0.0005");

pub(crate) fn answer(request: &Asked) -> Answer {
    if let Some(refused) = refused(request, &Method::GET, SEARCH_KEY) {
        return refused;
    }
    let (mut answer, cost) = match request.uri().path() {
        "/web" => (search(request), SEARCH_COST_USD),
        "/web/crawl" => (crawl(request), CRAWL_COST_USD),
        _ => return problem(StatusCode::NOT_FOUND, "Not Found"),
    };
    if answer.status().is_success() {
        answer.headers_mut().insert(COST, cost);
    }
    answer
}

fn search(request: &Asked) -> Answer {
    let Some(query) = query_parameter(request, "query").filter(|query| !query.is_empty()) else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "query is required");
    };
    let start = query_parameter(request, "start").map_or(Ok(0), |start| start.parse());
    let Ok(start) = start else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "start is not a number");
    };
    reply(StatusCode::OK, &json!({ "data": hits(pages::search(&query, start)) }))
}

fn crawl(request: &Asked) -> Answer {
    match query_parameter(request, "url") {
        None => problem(StatusCode::UNPROCESSABLE_ENTITY, "url is required"),
        Some(url) => match pages::crawl(&url) {
            Some(page) => text(StatusCode::OK, page),
            None => problem(StatusCode::NOT_FOUND, "the page is not of the sample web"),
        },
    }
}

/// Search results as JSON.
pub(crate) fn hits(hits: Vec<Hit>) -> Vec<Value> {
    let row = |hit: Hit| json!({"title": hit.title, "snippet": hit.snippet, "link": hit.link});
    hits.into_iter().map(row).collect()
}
