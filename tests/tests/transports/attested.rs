//! Answers that the real peers of btauth/1 sign, from the wire to a verifier that trusts no runtime for them.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::process::Orch;
use e2e::service::{Clients, Host, development, failure_of, request, result_of, verified};
use e2e::subnet::{Gate, Reply, Subnet, micro_usd};
use proof::body::Field;
use proof::bundle::Bundle;
use proof::commit::NodeCommit;
use proof::verify::{Attested, TrustPolicy, verify_with};
use proto::v1;
use server::StoreLocation;

use super::btauth::{sdk, search};
use super::*;

/// One search, whose price nobody has published.
const SEARCH: &str = r#"
edition 2026
use sn65030 { peer }

plan find(query: String(1..20)) -> Int with { budget: 1USD, deadline: 10m } {
  let found = call peer(query, count: 2) with { timeout: 60s, max_price: 0.001USD }
  return found.results.len()
}
"#;

/// The same, then a question that can be held up.
const SEARCH_AND_ASK: &str = r#"
edition 2026
use sn65020 { ask }
use sn65030 { peer }

plan find(query: String(1..20)) -> String with { budget: 1USD, deadline: 24h } {
  let found = call peer(query, count: 2) with { timeout: 60s, max_price: 0.001USD }
  let told = call ask(q: "{query} {found.results.len()}") with { timeout: 60s }
  return told.v
}
"#;

fn caller() -> Hotkey {
    Hotkey::from_seed(&[9; 32])
}

async fn host(peer: &Peer, signed_answers: bool, show: proof::builder::Show) -> Host {
    let mut options = development(StoreLocation::Memory);
    options.hotkey = Some(caller());
    options.runtime.proofs_show = show;
    let host = Host::open(options).await;
    host.clients.publish(&search(peer, signed_answers)).await;
    host
}

fn first_commit(bundle: &Bundle<'_>) -> NodeCommit {
    NodeCommit::from_bytes(&bundle.commits[0]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_sees_that_the_peer_signed_this_very_answer() {
    let host = host(sdk(), true, proof::builder::Show::Answers).await;
    let run = host.clients.run(SEARCH, &json!({ "query": "rust" })).await;
    assert_eq!(result_of(&run), json!(2));
    let bytes = host.clients.proof(&run.name).await.unwrap();
    let [step] = &verified(&bytes, &run, &host.trust()).steps[..] else { panic!("one call") };
    assert_eq!(
        (step.attested, &step.signed_by[..]),
        (Attested::Attested, &[sdk().said("hotkey").to_owned()][..])
    );
    let bundle = Bundle::from_bytes(&bytes).unwrap();
    let shown = bundle.disclosed(Some(0), Field::Response).unwrap();
    let answer: Json = serde_json::from_slice(&shown.bytes).unwrap();
    assert_eq!(answer["results"].as_array().map(Vec::len), Some(2));

    // Whoever passes it on may show less, and the verifier says what it sees then.
    for (hidden, left) in [(Field::Response, Attested::BodyWithheld), (Field::Signed, Attested::TextWithheld)]
    {
        let less = bundle.clone().redacted(|shown| shown.field != hidden).to_bytes();
        let verdict = verified(&less, &run, &host.trust());
        assert_eq!(verdict.steps[0].attested, left);
        assert!(verdict.not_proven.iter().any(|note| note.starts_with("1 signed answers: ")));
    }
    // Other bytes in place of the answer are found out, whoever signed the rest.
    let mut changed = bundle.clone();
    for shown in changed.disclosures.iter_mut().filter(|shown| shown.field == Field::Response) {
        shown.bytes.to_mut()[0] ^= 1;
    }
    let verdict = verify_with(&changed.to_bytes(), &host.trust(), subnet::hotkey::verify);
    assert_eq!(verdict.failures[0].code, "E1312");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_answer_its_hash_is_signed_and_without_a_signature_nothing_is() {
    let show = proof::builder::Show::default();
    let signing = host(sdk(), true, show).await;
    let run = signing.clients.run(SEARCH, &json!({ "query": "rust" })).await;
    assert_eq!(signing.verified(&run).await.steps[0].attested, Attested::BodyWithheld);

    let silent = host(sdk(), false, show).await;
    let run = silent.clients.run(SEARCH, &json!({ "query": "rust" })).await;
    let verdict = silent.verified(&run).await;
    assert_eq!((verdict.steps[0].attested, &verdict.steps[0].signed_by), (Attested::NotAttested, &vec![]));
    let bytes = silent.clients.proof(&run.name).await.unwrap();
    let peer = first_commit(&Bundle::from_bytes(&bytes).unwrap()).peer.unwrap();
    assert_eq!((peer.scheme.as_str(), peer.signature), ("btauth/1/sr25519", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_refusal_is_attested_and_a_changed_answer_is_not() {
    for (fault, code, attested) in
        [("--error-rate", "E1143", Attested::Attested), ("--tamper-rate", "E1131", Attested::NotAttested)]
    {
        let peer = start("btauth_server", &["--until-stdin-closes", "1", fault, "1"]);
        let host = host(&peer, true, proof::builder::Show::Answers).await;
        let run = host.clients.run(SEARCH, &json!({ "query": "rust" })).await;
        assert_eq!(failure_of(&run).1, code);
        assert_eq!(host.verified(&run).await.steps[0].attested, attested, "{fault}");
    }
}

/// An Ed25519 key signs as well, and any verifier can check that.
#[tokio::test(flavor = "multi_thread")]
async fn an_ed25519_peer_is_checked_without_sr25519() {
    let peer = start("btauth_server", &["--until-stdin-closes", "1", "--crypto", "ed25519"]);
    let host = host(&peer, true, proof::builder::Show::Answers).await;
    let run = host.clients.run(SEARCH, &json!({ "query": "rust" })).await;
    let bytes = host.clients.proof(&run.name).await.unwrap();
    let verdict = proof::verify::verify(&bytes, &host.trust());
    assert_eq!(verdict.steps[0].attested, Attested::Attested, "{:?}", verdict.failures);
}

/// Of a call that several answers make up each is signed, and the leaf holds them all.
#[tokio::test(flavor = "multi_thread")]
async fn each_vote_each_page_and_each_answer_about_a_task_is_attested() {
    let plan = |call: &str| {
        format!(
            "edition 2026\nuse sn65030 {{ peer }}\n\n\
             plan find(query: String(1..20)) -> Int with {{ budget: 1USD, deadline: 10m }} {{\n  {call}\n}}\n"
        )
    };
    let voted = plan(
        "let found = call peer(query, count: 2) with {\n    timeout: 60s, max_price: 0.001USD, quorum: { of: 3, need: 2 }\n  }\n  \
         return found.value.results.len()",
    );
    let paged = plan(
        "let found = call peer(query, count: 1) with { timeout: 60s, max_price: 0.001USD, page: { max: 3 } }\n  \
         return found.results.len()",
    );
    let polled = plan(
        "let found = call peer(query, count: 1) with { timeout: 60s, max_price: 0.001USD }\n  \
         return found.results.len()",
    );
    let pages =
        json!({ "kind": "pages", "items": "/results", "next": { "by": "offset", "parameter": "count" } });
    let task = json!({
        "kind": "task", "id": "/id", "path": "/v1/tasks/{id}", "state": "/state", "done": ["done"],
        "failed": ["failed"], "result": "/result", "every_ms": 10,
    });
    for (source, delivery, path, found, answers) in [
        (&voted, None, "/v1/search", 2, 3),
        (&paged, Some(&pages), "/v1/search", 1 + 2 + 4, 3),
        (&polled, Some(&task), "/v1/tasks", 0, 2),
    ] {
        let mut entry = serde_json::to_value(search(sdk(), true)).unwrap();
        entry["transport"]["path"] = json!(path);
        if let Some(delivery) = delivery {
            entry["delivery"] = delivery.clone();
        }
        let mut options = development(StoreLocation::Memory);
        options.hotkey = Some(caller());
        options.runtime.proofs_show = proof::builder::Show::Everything;
        let host = Host::open(options).await;
        host.clients.publish(&serde_json::from_value(entry).unwrap()).await;
        let run = host.clients.run(source, &json!({ "query": "rust" })).await;
        assert_eq!(result_of(&run), json!(found), "{path}");
        let bytes = host.clients.proof(&run.name).await.unwrap();
        let [step] = &verified(&bytes, &run, &host.trust()).steps[..] else { panic!("one call") };
        assert_eq!(
            (step.attested, &step.signed_by[..]),
            (Attested::Attested, &[sdk().said("hotkey").to_owned()][..])
        );
        let bundle = Bundle::from_bytes(&bytes).unwrap();
        let list =
            proof::answers::from_bytes(&bundle.disclosed(Some(0), Field::Signed).unwrap().bytes).unwrap();
        let signed: Vec<&str> =
            list.iter().filter_map(|answer| Some(&*answer.attestation.as_ref()?.signed)).collect();
        assert_eq!((list.len(), signed.len()), (answers, answers));
        assert!(signed.iter().enumerate().all(|(at, text)| !signed[..at].contains(text)), "each is its own");
    }
}

fn project(folder: &Path) {
    caller().save(&folder.join("hotkey")).unwrap();
    let config = "hotkey = \"hotkey\"\n[proofs]\nanswers = true\n[development]\nallow_loopback = true\n";
    fs::write(folder.join("orchestra.toml"), config).unwrap();
}

async fn serve(folder: &Path) -> (Orch, Clients) {
    let folder = folder.to_owned();
    let orch = tokio::task::spawn_blocking(move || Orch::serve(&folder)).await.unwrap();
    let clients = Clients::connect(orch.address).await;
    (orch, clients)
}

/// `orch proof verify` in `folder`: its exit code and what it says.
async fn judged(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(e2e::process::orch());
    command.args(["proof", "verify", "run.orchproof"]).args(args).current_dir(folder);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_survives_kill_9_and_is_shown_by_the_command_line() {
    let gate = Gate::closed();
    let held_up = gate.clone();
    let subnet = Subnet::start(move |question| Reply::Gated(question.to_owned(), held_up.clone())).await;
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let (orch, clients) = serve(folder.path()).await;
    clients.publish(&search(sdk(), true)).await;
    clients.publish(&subnet.operation("ask", micro_usd(100), true)).await;
    let run = clients.runs().create_run(request(SEARCH_AND_ASK, &json!({ "query": "rust" }))).await;
    let run = run.unwrap().into_inner().run.unwrap();
    // The signed answer is in the journal before the question that follows from it is sent.
    subnet.arrived(1).await;
    orch.kill();

    gate.open();
    let (_orch, clients) = serve(folder.path()).await;
    let ended = clients.ended(&run.name).await;
    assert_eq!(result_of(&ended), json!("rust 2"));
    let events = clients.events(&run.name, 0).await;
    let searched = |event: &&v1::RunEvent| {
        event.kind() == v1::RunEventKind::AttemptSent && event.operation == "sn65030.peer"
    };
    assert_eq!(events.iter().filter(searched).count(), 1, "it was not asked again");
    let key = runtime::keys::load_or_create(&folder.path().join(".orchestra")).unwrap().public();
    let bytes = clients.proof(&run.name).await.unwrap();
    let verdict = verified(&bytes, &ended, &TrustPolicy::of_key(key, "orch serve"));
    let states: Vec<Attested> = verdict.steps.iter().map(|step| step.attested).collect();
    assert_eq!(states, [Attested::Attested, Attested::NotAttested]);

    fs::write(folder.path().join("run.orchproof"), &bytes).unwrap();
    let (code, said) = judged(folder.path(), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("answers    1 of 2 signed by their peers, as they are shown here"), "{said}");
    let (_, document) = judged(folder.path(), &["--json"]).await;
    let document: Json = serde_json::from_str(&document).unwrap();
    assert_eq!(document["steps"][0]["attested"], "attested");
    assert_eq!(document["steps"][0]["signed_by"], json!([sdk().said("hotkey")]));
}
