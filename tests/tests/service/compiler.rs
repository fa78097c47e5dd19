//! `CompilerService`, and what a client may send to be compiled.

use e2e::service::{Clients, request, source};
use e2e::subnet::{micro_usd, operation};
use proto::v1;
use schema::operation::{OperationDescriptor, Version};
use serde_json::{Value as Json, json};
use tonic::{Code, Status};

use super::{MANY, World, assert_refused, bare};

async fn check(clients: &Clients, source: v1::PlanSource) -> Result<v1::CheckResponse, Status> {
    let request = v1::CheckRequest { source: Some(source) };
    clients.compiler().check(request).await.map(tonic::Response::into_inner)
}

fn errors(found: &[v1::Diagnostic]) -> Vec<&str> {
    let errors = found.iter().filter(|found| found.severity() == v1::Severity::Error);
    errors.map(|found| found.code.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_plan_is_summed_up() {
    let World { clients, served: _served, subnet: _subnet } = World::echoing().await;
    let good = check(&clients, source(MANY)).await.unwrap();
    assert_eq!(errors(&good.diagnostics), [""; 0], "{}", good.rendered);
    let [plan] = good.plans.as_slice() else { panic!("{:?}", good.plans) };
    assert_eq!((plan.name.as_str(), plan.doc.as_str()), ("many", "Asks about each word."));
    // 64 words at 100 micro-dollars each; 16 rounds of four calls of 60 s.
    assert_eq!(plan.cost_max.unwrap().units, 6_400);
    assert_eq!(plan.latency_us_max, 16 * 60_000_000);
    assert_eq!(plan.plan_hash.len(), 64);
    let input: Json = serde_json::from_slice(&plan.input_schema_json).unwrap();
    assert_eq!(input["required"], json!(["words"]));
    assert_eq!(input["properties"]["words"]["maxItems"], 64);
    let output: Json = serde_json::from_slice(&plan.output_schema_json).unwrap();
    assert_eq!(output["type"], "array");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_diagnostics_with_places_and_not_a_status() {
    let World { clients, served: _served, subnet: _subnet } = World::echoing().await;
    let bad = MANY.replace("answer.v\n", "answer.w\n");
    let found = check(&clients, source(&bad)).await.unwrap();
    assert_eq!(errors(&found.diagnostics).len(), 1, "{}", found.rendered);
    assert!(found.plans.is_empty());
    let span = found.diagnostics[0].labels[0].span.unwrap();
    let line = bad.lines().position(|line| line.contains("answer.w")).unwrap() + 1;
    assert_eq!(span.line as usize, line);
    assert_eq!(bad.get(span.start as usize..span.end as usize), Some("w"));
    assert!(found.rendered.contains("plan.orch:") && !found.rendered.contains('\u{1b}'));

    for (text, code) in [
        (MANY.replace("edition 2026", "edition 1999"), "E0"),
        ("plan broken(".to_owned(), "E01"),
        ("\u{0}\u{feff}\u{202e}".to_owned(), "E01"),
        (format!("edition 2026\n{}", "# x\n".repeat(300_000)), "E01"),
    ] {
        let found = check(&clients, source(&text)).await.unwrap();
        let codes = errors(&found.diagnostics);
        let start: String = text.chars().take(40).collect();
        assert!(codes.iter().any(|found| found.starts_with(code)), "{codes:?} for {start:?}");
    }
    let nothing = check(&clients, source("")).await.unwrap();
    assert!(errors(&nothing.diagnostics).is_empty() && nothing.plans.is_empty(), "{}", nothing.rendered);
    let missing = clients.compiler().check(v1::CheckRequest { source: None }).await;
    assert_refused(missing, Code::InvalidArgument, "E1510", &["source"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn formatting_twice_is_formatting_once() {
    let (_served, clients) = bare().await;
    let format = async |text: &str| {
        let request = v1::FormatRequest { text: text.into() };
        clients.compiler().format(request).await.unwrap().into_inner()
    };
    let loose = MANY.replace("  ", "      ").replace(" -> ", "->");
    let once = format(&loose).await;
    assert!(once.diagnostics.is_empty() && once.text != loose);
    assert_eq!(format(&once.text).await.text, once.text);
    let broken = format("plan broken(").await;
    assert!(broken.text.is_empty() && !errors(&broken.diagnostics).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_explained_as_the_runtime_will_see_it() {
    let World { clients, served: _served, subnet: _subnet } = World::echoing().await;
    let explain = async |text: &str, plan: &str| {
        let request = v1::ExplainRequest { source: Some(source(text)), plan: plan.into() };
        clients.compiler().explain(request).await.map(tonic::Response::into_inner)
    };
    let explained = explain(MANY, "").await.unwrap().explanation.unwrap();
    assert_eq!(explained.summary.unwrap().name, "many");
    let call = explained.nodes.iter().find(|node| node.kind == "call").unwrap();
    assert_eq!(call.operations, ["sn65020.ask"]);
    let fan_out = explained.nodes.iter().find(|node| node.kind == "fan_out").unwrap();
    assert_eq!(call.control, Some(fan_out.id));
    let [row] = explained.contributors.as_slice() else { panic!("{:?}", explained.contributors) };
    assert_eq!((row.node, row.cost_max.unwrap().units), (call.id, 6_400));
    assert_eq!((row.basis(), row.purse), (v1::PriceBasis::Known, None));
    assert!(explained.rendered.contains("many"), "{}", explained.rendered);

    let with_purse = MANY.replace("concurrency: 4", "concurrency: 4, budget: 0.002USD, on_error: drop");
    let explained = explain(&with_purse, "").await.unwrap().explanation.unwrap();
    assert!(explained.rendered.contains("until a budget of 0.002 USD is spent"), "{}", explained.rendered);
    assert_eq!(explained.contributors[0].purse.map(|purse| purse.units), Some(2_000));

    // One whose bound is all that is wrong is explained as well: what the bound comes from says what to change.
    let over = explain(&MANY.replace("1USD", "0.006USD"), "").await.unwrap();
    assert_eq!(errors(&over.diagnostics), ["E0701"]);
    let over = over.explanation.unwrap();
    assert_eq!(over.contributors[0].cost_max.unwrap().units, 6_400);
    assert!(over.rendered.contains("costs at most 0.0064 USD of a budget of 0.006 USD"), "{}", over.rendered);
    let unnamed = explain(&MANY.replace("1USD", "0.006USD"), "few").await.unwrap();
    assert!(unnamed.explanation.is_none() && errors(&unnamed.diagnostics) == ["E0701"]);

    let two = format!("{MANY}\nplan other() -> Int with {{ budget: 1USD, deadline: 1s }} {{ return 1 }}\n");
    assert_eq!(explain(&two, "other").await.unwrap().explanation.unwrap().summary.unwrap().name, "other");
    let unnamed = explain(&two, "").await;
    assert!(unnamed.as_ref().unwrap_err().message().contains("many, other"), "{unnamed:?}");
    assert_refused(unnamed, Code::InvalidArgument, "E1506", &["plan"]);
    let slip = explain(&two, "othr").await;
    assert!(slip.as_ref().unwrap_err().message().contains("did you mean `other`?"), "{slip:?}");
    assert_refused(slip, Code::InvalidArgument, "E1506", &["plan"]);
    let broken = explain("plan broken(", "").await.unwrap();
    assert!(broken.explanation.is_none() && !errors(&broken.diagnostics).is_empty());
}

/// A lock is believed only so far as this server's own Ledger holds the same entries.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_another_ledger_or_a_forged_one_is_refused() {
    let World { served: _served, clients, subnet: _subnet } = World::echoing().await;
    let own = clients.lock(&["sn65020.ask"], &[]).await;
    let locked = |lock: &v1::Lock| v1::PlanSource { lock: Some(lock.clone()), ..source(MANY) };
    let good = check(&clients, locked(&own)).await.unwrap();
    assert_eq!(errors(&good.diagnostics), [""; 0]);

    // The same id and version at another address, from a Ledger that really holds it.
    let (_other, elsewhere) = bare().await;
    elsewhere.publish(&operation("ask", "https://evil.example", micro_usd(1), true)).await;
    let foreign = elsewhere.lock(&["sn65020.ask"], &[]).await;
    let refused = check(&clients, locked(&foreign)).await;
    assert!(refused.as_ref().unwrap_err().message().contains("sn65020.ask"));
    assert_refused(refused, Code::FailedPrecondition, "E0608", &[]);
    let mut create = request(MANY, &json!({"words": []}));
    create.source = Some(locked(&foreign));
    assert_refused(clients.runs().create_run(create).await, Code::FailedPrecondition, "E0608", &[]);

    let mut edited = own.clone();
    let body = String::from_utf8(edited.bodies[0].content.to_vec()).unwrap();
    edited.bodies[0].content = body.replace("Answers", "answers").into_bytes().into();
    assert_refused(check(&clients, locked(&edited)).await, Code::InvalidArgument, "E0603", &["source.lock"]);
    let mut missing = own.clone();
    missing.bodies.clear();
    assert_refused(check(&clients, locked(&missing)).await, Code::InvalidArgument, "E0602", &["source.lock"]);
    let mut no_hash = own.clone();
    no_hash.bodies[0].hash = "abc".into();
    let field = &["source.lock.bodies"];
    assert_refused(check(&clients, locked(&no_hash)).await, Code::InvalidArgument, "E0603", field);
    let no_toml = v1::Lock { toml: "[".into(), ..own.clone() };
    assert_refused(check(&clients, locked(&no_toml)).await, Code::InvalidArgument, "E0601", &["source.lock"]);

    // An older version that the Ledger still holds is as good as the newest.
    let next = operation("ask", "https://moved.example", micro_usd(7), true);
    clients.publish(&OperationDescriptor { version: Version { breaking: 1, compatible: 1 }, ..next }).await;
    let pinned = check(&clients, locked(&own)).await.unwrap();
    assert_eq!(pinned.plans[0].cost_max.unwrap().units, 6_400);
    let newest = check(&clients, source(MANY)).await.unwrap();
    assert_eq!(newest.plans[0].cost_max.unwrap().units, 64 * 7);
}

/// Text is all a client can send: the contract has no place for a compiled plan, and its bytes are no text.
#[tokio::test(flavor = "multi_thread")]
async fn a_compiled_plan_cannot_be_sent() {
    let World { clients, served: _served, subnet: _subnet } = World::echoing().await;
    let files =
        <prost_types::FileDescriptorSet as prost::Message>::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let messages = files.file.iter().flat_map(|file| &file.message_type);
    let fields = |name: &str| -> Vec<String> {
        let message = messages.clone().find(|message| message.name() == name).unwrap();
        message.field.iter().map(|field| field.name().to_owned()).collect()
    };
    assert_eq!(
        fields("CreateRunRequest"),
        [
            "request_id",
            "source",
            "plan",
            "inputs_json",
            "cost_max",
            "published_plan",
            "unpriced_requests_max"
        ]
    );
    assert_eq!(fields("PlanSource"), ["file_name", "text", "lock"]);

    let lock = clients.lock(&["sn65020.ask"], &[]).await;
    let bodies = lock.bodies.iter().map(|body| (body.hash.parse().unwrap(), body.content.to_vec())).collect();
    let lock = schema::lock::Lock::assemble(&lock.toml, &bodies).unwrap();
    let text = plan_compiler::Source { name: "plan.orch", text: MANY };
    let compiled = plan_compiler::compile(&text, &lock, &plan_compiler::Options::default());
    let bytes = plan_ir::bytes::encode(&compiled.plans[0]).unwrap();
    let sent = request(&String::from_utf8_lossy(&bytes), &json!({"words": []}));
    let status = clients.runs().create_run(sent).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(e2e::service::code_of(&status).starts_with("E01"), "{status:?}");
}
