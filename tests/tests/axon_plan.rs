//! Plans over capabilities that the real axon of `bittensor` 10.5.0 fulfils through adapters of its own:
//! published, locked, compiled, run through the gRPC service and proven; then everything the peer can do
//! wrong.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::sync::OnceLock;

use e2e::axon::Axon;
use e2e::service::{
    Host, code_of, counts_of, development, failure_of, request, result_of, total_of, use_samples,
};
use e2e::subnet::micro_usd;
use proof::verify::Level;
use proto::v1;
use schema::operation::{AdapterDescriptor, CapabilityDescriptor, OperationDescriptor, Version};
use schema::price::PriceRule;
use serde_json::{Value as Json, json};
use server::StoreLocation;
use subnet::hotkey::Hotkey;

/// `examples/plans/competitive_analysis.orch` over capabilities alone: an axon has no crawl, so the pages are
/// the snippets of the search.
const ANALYSIS: &str = r#"
edition 2026
use cap { web_search, generate }

record Claim { rival: String(..80), text: String(..600), stance: Stance, sources: [Url](1..8) }
enum Stance { Ahead, Level, Behind }
record Report { company: String(..80), claims: [Claim](..40), summary: String(..4000) }

policy web   = { timeout: 60s, retry: { max: 1, backoff: 10ms } }
policy model = { timeout: 60s }

/// Compare `company` with each rival from live web pages.
plan analyse(company: String(1..80), rivals: [String(1..80)](1..5)) -> Report
  with { budget: 0.60USD, deadline: 10m }
{
  let claims = for rival in rivals with { concurrency: 5, tolerate: 1 } {
    let hits = call web_search(query: "{company} versus {rival}", limit: 4) with web
    let best = hits.filter(h => (h.title ?? "").folded().contains(rival.folded()))
    let pages = best.map(h => "{h.url}\n{h.snippet ?? ""}").join("\n---\n")
    call generate(prompt: "Compare {company} with {rival}.\n{pages}") as [Claim](..8) with model {
      accept: cs => cs.all(c => c.sources.all(s => best.any(h => h.url == s))),
      retry: { max: 1, backoff: 10ms },
    }
  }
  let flat = claims.flatten()
  ensure flat.len() > 0 else "no claim could be sourced for {company}"
  let summary = call generate(prompt: "Summarise in plain words: {flat.to_json()}") as String(..4000) with model
  return Report { company, claims: flat, summary }
}
"#;

/// One search, with `POLICY` in place of its policies.
const SEARCH: &str = r#"
edition 2026
use cap { web_search }

plan find(query: String(1..200)) -> [Url](..50) with { budget: 1USD, deadline: 10m } {
  let hits = call web_search(query, limit: 3) with { POLICY }
  return hits.map(h => h.url)
}
"#;

/// Prices of the two operations, so that every attempt shows in the total.
const SEARCH_PRICE: u64 = 300;
const GENERATE_PRICE: u64 = 20;

/// The hotkey that the shared peer admits.
fn caller() -> Hotkey {
    Hotkey::from_seed(b"cnry-0rch3stra-seed-of-a-caller!")
}

/// Obeys requests for a fault, and refuses everyone but [`caller`].
fn obedient() -> &'static Axon {
    static SHARED: OnceLock<Axon> = OnceLock::new();
    SHARED.get_or_init(|| Axon::start(&["--obey", "1", "--allow", caller().address()]))
}

/// Fails twice, then at random, but always alike.
fn unreliable() -> &'static Axon {
    static SHARED: OnceLock<Axon> = OnceLock::new();
    SHARED.get_or_init(|| {
        Axon::start(&["--fail-first", "2", "--error-rate", "0.3", "--drop-rate", "0.1", "--fault-seed", "7"])
    })
}

fn operations(axon: &Axon) -> [OperationDescriptor; 2] {
    let text = json!({"type": "string"});
    let hit = json!({
        "type": "object", "required": ["title", "link", "snippet"],
        "properties": {"title": text, "link": {"type": "string", "format": "uri"}, "snippet": text},
    });
    let search = axon.operation(
        "web_search",
        "WebSearch",
        json!({
            "type": "object", "required": ["query"], "additionalProperties": false,
            "properties": {"query": text, "count": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10}},
        }),
        json!({
            "type": "object", "required": ["results"],
            "properties": {"results": {"type": "array", "maxItems": 50, "items": hit}},
        }),
        &["query", "count"],
    );
    let generate = axon.operation(
        "structured_generation",
        "StructuredGeneration",
        json!({
            "type": "object", "required": ["prompt"], "additionalProperties": false,
            "properties": {"prompt": text, "response_schema": {"type": "string", "default": ""}},
        }),
        json!({"type": "object", "required": ["answer"], "properties": {"answer": text}}),
        &["prompt", "response_schema"],
    );
    let priced = |operation: OperationDescriptor, units| OperationDescriptor {
        price: PriceRule::PerCall { amount: micro_usd(units) },
        ..operation
    };
    [priced(search, SEARCH_PRICE), priced(generate, GENERATE_PRICE)]
}

/// The capability as the catalogue has it, in a version whose only adapter is this one.
async fn publish_version(host: &Host, name: &str, operation: &str, adapter: &str) {
    let page = host.clients.ledger().list_capabilities(v1::ListCapabilitiesRequest::default()).await.unwrap();
    let known =
        page.into_inner().capabilities.into_iter().find(|capability| capability.name == name).unwrap();
    assert_eq!(known.version, "1.0");
    let version = Version { compatible: 1, ..Version::FIRST };
    let adapter = AdapterDescriptor { operation: operation.into(), source: adapter.into() };
    host.clients
        .publish_capability(&CapabilityDescriptor {
            name: name.into(),
            version,
            summary: known.summary,
            source: known.source,
            adapters: vec![adapter],
        })
        .await;
}

/// A fresh service whose capabilities are fulfilled by `axon`.
async fn host(axon: &Axon, hotkey: Option<Hotkey>, samples: Option<&samples::Samples>) -> Host {
    let mut options = development(StoreLocation::Memory);
    options.hotkey = hotkey;
    if let Some(samples) = samples {
        use_samples(&mut options, samples);
    }
    let host = Host::open(options).await;
    for operation in operations(axon) {
        host.clients.publish(&operation).await;
    }
    publish_version(
        &host,
        "web_search",
        "sn65010.web_search",
        "adapter sn65010.web_search as web_search {
           request  = { query, count: limit }
           response = r => r.results.map(d => Hit { url: d.link, title: d.title, snippet: d.snippet })
         }",
    )
    .await;
    let generate = samples::AXON_GENERATE_ADAPTER.replace("sn65000.structured", "sn65010.structured");
    publish_version(&host, "generate", "sn65010.structured_generation", &generate).await;
    host
}

/// Starts a peer without holding up the other tasks of the thread.
async fn started(peer: fn() -> &'static Axon) -> &'static Axon {
    tokio::task::spawn_blocking(peer).await.unwrap()
}

async fn find(host: &Host, policy: &str, query: &str) -> v1::Run {
    host.clients.run(&SEARCH.replace("POLICY", policy), &json!({ "query": query })).await
}

/// What an event of a failed attempt says first: its code.
async fn attempts(host: &Host, run: &v1::Run) -> Vec<String> {
    let events = host.clients.events(&run.name, 0).await;
    let done = events.iter().filter(|event| event.kind() == v1::RunEventKind::AttemptDone);
    done.map(|event| event.message.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analysis_runs_on_real_axons_and_is_proven() {
    let host = host(started(obedient).await, Some(caller()), None).await;
    let lock = host.clients.lock(&[], &["generate", "web_search"]).await;
    assert!(lock.toml.contains("sn65010.web_search") && !lock.toml.contains("sn22"), "{}", lock.toml);

    let inputs = json!({"company": "Halcyon", "rivals": ["Meridian", "Northwind", "Vantage"]});
    let mut request = request(ANALYSIS, &inputs);
    request.source.as_mut().unwrap().lock = Some(lock);
    let run = host.clients.runs().create_run(request).await.unwrap().into_inner().run.unwrap();
    let run = host.clients.ended(&run.name).await;

    let report = result_of(&run);
    assert_eq!(report["company"], "Halcyon");
    let claims = report["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 6, "two of each rival");
    for claim in claims {
        let sources = claim["sources"].as_array().unwrap();
        assert!(sources.iter().all(|url| url.as_str().unwrap().starts_with("https://example.invalid/")));
    }
    assert_eq!(counts_of(&run), (7, 7));
    assert_eq!(total_of(&run), 3 * SEARCH_PRICE + 4 * GENERATE_PRICE);
    assert!(run.total_certain);
    let called: Vec<_> = run.costs.iter().map(|row| row.operation.as_str()).collect();
    assert!(called.iter().all(|operation| operation.starts_with("sn65010.")), "{called:?}");

    let verdict = host.verified(&run).await;
    assert_eq!((verdict.level, verdict.histogram[&Level::L1]), (Some(Level::L1), 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_peer_fails_the_run_under_its_own_name() {
    let host = host(started(obedient).await, Some(caller()), None).await;
    for (fault, kind, code, path) in [
        ("error", "unavailable", "E1143", ""),
        ("wrong_schema", "invalid", "E1120", "$.results"),
        ("drop", "unavailable", "E1142", ""),
        ("truncate", "unavailable", "E1142", ""),
    ] {
        let run = find(&host, "timeout: 60s", &format!("fault:{fault}")).await;
        assert_eq!(failure_of(&run), (kind.into(), code.into(), path.into()), "{fault}: {:?}", run.error);
        assert!(run.error.as_ref().unwrap().node.starts_with("hits#"), "{:?}", run.error);
        // The request left, so it may be charged: a price that is known, or assumed where nobody answered.
        assert_eq!((counts_of(&run), total_of(&run)), ((1, 1), SEARCH_PRICE), "{fault}");
        assert_eq!(run.total_certain, fault == "wrong_schema", "{fault}: {:?}", run.costs);
        // A run that failed is proven like any other.
        host.verified(&run).await;
    }
    let run = find(&host, "timeout: 60s", "nothing wrong").await;
    assert_eq!(result_of(&run).as_array().map(Vec::len), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_later_than_the_timeout_is_a_timeout() {
    let host = host(started(obedient).await, Some(caller()), None).await;
    let run = find(&host, "timeout: 1500ms, retry: { max: 1, backoff: 10ms }", "fault:hang").await;
    let (kind, code, _) = failure_of(&run);
    // Transport and scheduler watch the same clock, and either may be the first to say so.
    assert!(kind == "timeout" && ["E1140", "E1153"].contains(&code.as_str()), "{:?}", run.error);
    assert_eq!((counts_of(&run), total_of(&run)), ((1, 2), 2 * SEARCH_PRICE));
    assert!(!run.total_certain, "nobody knows what a peer charges for an answer that never came");
    host.verified(&run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_the_peer_does_not_list_is_unauthorized_and_not_repeated() {
    let stranger = host(started(obedient).await, Some(Hotkey::from_seed(&[2; 32])), None).await;
    let run = find(&stranger, "timeout: 60s, retry: { max: 3, backoff: 10ms }", "q").await;
    assert_eq!(failure_of(&run), ("unauthorized".into(), "E1145".into(), String::new()));
    assert!(run.error.as_ref().unwrap().message.contains("blacklisted"), "{:?}", run.error);
    assert_eq!(counts_of(&run), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_hotkey_says_so_before_anything_is_spent() {
    let keyless = host(started(obedient).await, None, None).await;
    let plan = SEARCH.replace("POLICY", "timeout: 60s");
    let refused = keyless.clients.start(&plan, &json!({"query": "q"})).await.unwrap_err();
    assert_eq!(code_of(&refused), "E1108", "{refused:?}");
    let page = keyless.clients.runs().list_runs(v1::ListRunsRequest::default()).await.unwrap();
    assert!(page.into_inner().runs.is_empty(), "nothing was begun");
}

/// The peer's faults depend on the order of arrival alone, and one call after the other makes that the plan's.
#[tokio::test(flavor = "multi_thread")]
async fn retries_heal_an_unreliable_peer_and_every_attempt_is_counted() {
    let host = host(started(unreliable).await, Some(caller()), None).await;
    let plan = r#"
edition 2026
use cap { web_search }

plan find(queries: [String(1..40)](1..20)) -> [Int](..20) with { budget: 1USD, deadline: 24h } {
  let counts = for query in queries with { concurrency: 1 } {
    let hits = call web_search(query, limit: 3) with { timeout: 60s, retry: { max: 6, backoff: 1ms } }
    hits.len()
  }
  return counts
}
"#;
    let queries: Vec<Json> = (0..12).map(|index| json!(format!("q{index}"))).collect();
    let run = host.clients.run(plan, &json!({ "queries": queries })).await;
    assert_eq!(result_of(&run), json!(vec![3; 12]));

    let attempts = attempts(&host, &run).await;
    assert_eq!(attempts[..2], ["[E1143]", "[E1143]"], "the first two fail");
    let failed = attempts.iter().filter(|code| !code.is_empty()).count();
    assert!(attempts.iter().any(|code| code == "[E1142]"), "some are dropped: {attempts:?}");
    let (calls, sent) = counts_of(&run);
    assert_eq!((calls, sent as usize), (12, attempts.len()));
    assert_eq!(attempts.len() - failed, 12);
    assert_eq!(total_of(&run), SEARCH_PRICE * u64::from(sent));
    assert!(!run.total_certain);
    host.verified(&run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fallback_takes_over_where_the_peer_fails() {
    let samples = samples::start(samples::Options::default()).await.unwrap();
    let host = host(started(obedient).await, Some(caller()), Some(&samples)).await;
    let plan = r#"
edition 2026
use cap { web_search }
use sn22 { web_search as other_search }

record Found { links: [String](..5), from: String(..10) }

plan find(query: String(1..200)) -> Found with { budget: 1USD, deadline: 10m } {
  let links = call other_search(query: "Halcyon versus Meridian") with { timeout: 60s, max_price: 0.005USD }
  let hits = call web_search(query, limit: 3) with { timeout: 60s, fallback: [] }
  return Found { links: links.data.take(5).map(d => d.link), from: if hits.len() > 0 { "axon" } else { "web" } }
}
"#;
    let run = host.clients.run(plan, &json!({"query": "fault:drop"})).await;
    let found = result_of(&run);
    assert_eq!(found["from"], "web");
    assert_eq!(found["links"].as_array().map(Vec::len), Some(5));
    // The search states its charge of 0.0025 USD; that of the axon nobody knows.
    assert_eq!(total_of(&run), 2_500 + SEARCH_PRICE);
    let bases: Vec<_> = run.costs.iter().map(v1::CostRow::basis).collect();
    assert_eq!(bases, [v1::PriceBasis::Observed, v1::PriceBasis::Assumed]);
    let run = host.clients.run(plan, &json!({"query": "fine"})).await;
    assert_eq!(result_of(&run)["from"], "axon");
    host.verified(&run).await;
}
