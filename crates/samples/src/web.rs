//! Search in the shape of SN22: `GET /web`, `GET /web/crawl`, and posts of X by `GET /twitter` and
//! `POST /desearch/ai/search/links/twitter`.

use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::SEARCH_KEY;
use crate::pages::{self, Hit};
use crate::posts;
use crate::serve::{Answer, Asked, problem, query_parameter, refused, reply, text};

/// The charge that SN22 states in each answer.
const COST: HeaderName = HeaderName::from_static("x-desearch-cost-usd");
const SEARCH_COST_USD: HeaderValue = HeaderValue::from_static("0.0025");
const CRAWL_COST_USD: HeaderValue = HeaderValue::from_static("0.0005");
const POSTS_COST_USD: HeaderValue = HeaderValue::from_static("0.003");

const POSTS_BY_PROMPT: &str = "/desearch/ai/search/links/twitter";
/// Posts that a search gives where nothing is said.
const POSTS: usize = 20;

pub(crate) fn answer(request: &Asked) -> Answer {
    let path = request.uri().path();
    let method = if path == POSTS_BY_PROMPT { Method::POST } else { Method::GET };
    if let Some(refused) = refused(request, &method, SEARCH_KEY) {
        return refused;
    }
    let (mut answer, cost) = match path {
        "/web" => (search(request), SEARCH_COST_USD),
        "/web/crawl" => (crawl(request), CRAWL_COST_USD),
        "/twitter" => (posts_by_words(request), POSTS_COST_USD),
        POSTS_BY_PROMPT => (posts_by_prompt(request), POSTS_COST_USD),
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

fn posts_by_words(request: &Asked) -> Answer {
    let Some(query) = query_parameter(request, "query").filter(|query| !query.is_empty()) else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "query is required");
    };
    let count = query_parameter(request, "count").and_then(|count| count.parse().ok()).unwrap_or(POSTS);
    reply(StatusCode::OK, &Value::Array(posts::about(&query, count)))
}

fn posts_by_prompt(request: &Asked) -> Answer {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let Some(prompt) = body.get("prompt").and_then(Value::as_str).filter(|prompt| !prompt.is_empty()) else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "prompt is required");
    };
    let count = body.get("count").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    reply(StatusCode::OK, &json!({ "miner_tweets": posts::about(prompt, count.unwrap_or(POSTS)) }))
}

/// Search results as JSON.
pub(crate) fn hits(hits: Vec<Hit>) -> Vec<Value> {
    let row = |hit: Hit| json!({"title": hit.title, "snippet": hit.snippet, "link": hit.link});
    hits.into_iter().map(row).collect()
}
