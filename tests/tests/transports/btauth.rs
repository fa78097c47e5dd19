//! btauth/1 against the `http_auth` of `bittensor` 11.3.0 and against the TaoWire miner, with twresp/1 answers.

use std::sync::OnceLock;

use super::*;

pub(super) fn sdk() -> &'static Peer {
    static SHARED: OnceLock<Peer> = OnceLock::new();
    SHARED.get_or_init(|| start("btauth_server", &["--until-stdin-closes", "1"]))
}

pub(super) fn search(peer: &Peer, signed_answers: bool) -> OperationDescriptor {
    let hit = json!({ "type": "object", "required": ["link"], "properties": { "link": text() } });
    entry(&json!({
        "transport": { "kind": "http", "method": "POST", "base_url": peer.origin, "path": "/v1/search", "response": "json" },
        "auth": { "kind": "btauth", "receiver": peer.said("hotkey"), "signed_answers": signed_answers },
        "access": "permit_and_stake",
        "input": object(1, &[("query", text()), ("count", integer())]),
        "output": { "type": "object", "required": ["results"], "properties": { "results": { "type": "array", "items": hit } } },
    }))
}

/// `//Alice` of the development keys, whom the TaoWire miner knows as a validator.
fn alice() -> Hotkey {
    Hotkey::from_seed(&hex("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"))
}

fn hex(digits: &str) -> [u8; 32] {
    std::array::from_fn(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2).unwrap(), 16).unwrap())
}

#[tokio::test]
async fn the_sdk_accepts_the_request_and_its_answer_is_attested() {
    let caller = Caller { hotkey: Some(Hotkey::from_seed(&[9; 32])), ..Caller::default() };
    for signed_answers in [true, false] {
        let operation = search(sdk(), signed_answers);
        let (answer, outcome) = caller.call(&operation, json!({ "query": "rust ü", "count": 2 })).await;
        assert_eq!(answer["results"].as_array().unwrap().len(), 2);
        assert_eq!(
            (outcome.peer.as_deref(), !outcome.answers.is_empty()),
            (Some(sdk().said("hotkey")), signed_answers)
        );
    }
    let alive = entry(&json!({
        "transport": { "kind": "http", "method": "GET", "base_url": sdk().origin, "path": "/v1/alive", "response": "json",
            "parameters": { "x": "query" } },
        "auth": { "kind": "btauth", "receiver": sdk().said("hotkey"), "signed_answers": true },
        "input": object(0, &[("x", text())]),
    }));
    let (answer, _) = caller.call(&alive, json!({ "x": "a b&c" })).await;
    assert_eq!(answer, json!({ "answer": "True" }), "the target is signed as it is sent");
}

#[tokio::test]
async fn many_at_once_have_a_nonce_each() {
    let operation = search(sdk(), true);
    let calls = (0..16).map(|at| {
        let operation = operation.clone();
        tokio::spawn(async move {
            let caller = Caller { hotkey: Some(Hotkey::from_seed(&[9; 32])), ..Caller::default() };
            let (_, outcome) =
                caller.call(&operation, json!({ "query": format!("q{at}"), "count": 1 })).await;
            outcome.result.map(|_| ()).map_err(|error| error.to_string())
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
}

#[tokio::test]
async fn an_answer_that_was_changed_on_its_way_is_refused() {
    let peer = start("btauth_server", &["--until-stdin-closes", "1", "--tamper-rate", "1"]);
    let caller = Caller { hotkey: Some(Hotkey::from_seed(&[9; 32])), ..Caller::default() };
    let (_, outcome) = caller.call(&search(&peer, true), json!({ "query": "x" })).await;
    assert_eq!(failure(&outcome, "does not cover this answer"), is("invalid", "E1131"));
}

#[tokio::test]
async fn a_request_for_another_receiver_is_told_as_such() {
    let mut operation = search(sdk(), false);
    operation.auth =
        serde_json::from_value(json!({ "kind": "btauth", "receiver": alice().address() })).unwrap();
    let caller = Caller { hotkey: Some(Hotkey::from_seed(&[9; 32])), ..Caller::default() };
    let (_, outcome) = caller.call(&operation, json!({ "query": "x" })).await;
    assert_eq!(failure(&outcome, "different receiving hotkey"), is("unauthorized", "E1145"));
}

#[tokio::test]
async fn a_miner_answers_validators_and_nobody_else() {
    let miner = start("btauth_server", &["--until-stdin-closes", "1", "--engine", "taowire"]);
    let operation = search(&miner, true);
    let (answer, outcome) = Caller { hotkey: Some(alice()), ..Caller::default() }
        .call(&operation, json!({ "query": "x", "count": 1 }))
        .await;
    assert_eq!((answer["results"].as_array().unwrap().len(), !outcome.answers.is_empty()), (1, true));
    let stranger = Caller { hotkey: Some(Hotkey::from_seed(&[9; 32])), ..Caller::default() };
    let (_, outcome) = stranger.call(&operation, json!({ "query": "x" })).await;
    assert_eq!(failure(&outcome, "").0, "unauthorized");
}
