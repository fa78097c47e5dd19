//! Requests signed by templates and by btauth/1, and answers signed by twresp/1, against the vectors of the real packages.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use schema::json_schema::OperationTypes;
use schema::operation::{Auth, AxonBinding, OperationDescriptor, SignedRequest, Transport};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subnet::hotkey::{self, Hotkey};
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, ss58};
use support::*;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/peers/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn text<'v>(vector: &'v Value, pointer: &str) -> &'v str {
    vector.pointer(pointer).unwrap().as_str().unwrap()
}

fn signature(hex: &str) -> [u8; 64] {
    let digits = hex.strip_prefix("0x").unwrap();
    std::array::from_fn(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2).unwrap(), 16).unwrap())
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Epistula v2, as an entry has it.
fn epistula(receiver: &str) -> SignedRequest {
    let headers = [
        ("Epistula-Version", "2"),
        ("Epistula-Timestamp", "{timestamp_ms}"),
        ("Epistula-Uuid", "{uuid}"),
        ("Epistula-Signed-By", "{sender}"),
        ("Epistula-Signed-For", "{receiver}"),
        ("Epistula-Request-Signature", "{signature_hex}"),
    ];
    SignedRequest {
        message: "{body_sha256}.{uuid}.{timestamp_ms}.{receiver}".into(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        receiver: Some(receiver.into()),
    }
}

async fn call(peer: &Peer, auth: Auth, hotkey: Option<&Hotkey>) -> CallOutcome {
    let client = peer.client();
    let operation = OperationDescriptor { auth, ..operation(&peer.origin(), "POST") };
    let secrets = SecretStore::new();
    let context = CallContext { hotkey, ..context(&secrets, PATIENT_MS) };
    client.call_fields(&prepare(&client, &operation), fields(json!({ "q": "x" })), &context).await
}

/// The vector's own message and signature hold what the template makes of the same facts.
#[test]
fn the_epistula_template_is_the_published_one() {
    let vector = &vectors("epistula")["v2"];
    let headers = &vector["headers"];
    let body = text(vector, "/body_utf8");
    let filled = epistula(text(headers, "/Epistula-Signed-For"))
        .message
        .replace("{body_sha256}", &sha256_hex(body.as_bytes()))
        .replace("{uuid}", text(headers, "/Epistula-Uuid"))
        .replace("{timestamp_ms}", text(headers, "/Epistula-Timestamp"))
        .replace("{receiver}", text(headers, "/Epistula-Signed-For"));
    assert_eq!(filled, text(vector, "/message"));
    let sender = ss58::decode(text(headers, "/Epistula-Signed-By")).unwrap();
    assert!(hotkey::verify(
        &sender,
        filled.as_bytes(),
        &signature(text(headers, "/Epistula-Request-Signature"))
    ));
}

#[tokio::test]
async fn a_template_is_filled_signed_and_kept_without_its_signature() {
    let (caller, receiver) = (Hotkey::from_seed(&[1; 32]), Hotkey::from_seed(&[2; 32]));
    let peer = Peer::start(|_| json_answer(&json!({ "n": 1 }))).await;
    let outcome = call(&peer, Auth::Signed(epistula(receiver.address())), Some(&caller)).await;
    assert!(outcome.result.is_ok());
    assert_eq!((outcome.peer.as_deref(), !outcome.answers.is_empty()), (Some(receiver.address()), false));
    let seen = &peer.seen()[0];
    let header = |name: &str| seen.header(name).unwrap();
    assert_eq!((header("epistula-signed-by"), header("epistula-version")), (caller.address(), "2"));
    let (uuid, time) = (header("epistula-uuid"), header("epistula-timestamp"));
    let message = format!("{}.{uuid}.{time}.{}", sha256_hex(&seen.body), receiver.address());
    let signed = header("epistula-request-signature");
    assert!(hotkey::verify(&caller.public_key(), message.as_bytes(), &signature(signed)));
    let kept = String::from_utf8(outcome.redacted_request.to_vec()).unwrap();
    assert!(kept.contains(uuid) && kept.contains("epistula-timestamp") && !kept.contains(signed), "{kept}");
}

#[tokio::test]
async fn without_a_hotkey_nothing_is_sent() {
    let peer = Peer::start(|_| json_answer(&json!({ "n": 1 }))).await;
    let receiver = Hotkey::from_seed(&[2; 32]);
    let outcome = call(&peer, Auth::Signed(epistula(receiver.address())), None).await;
    assert_eq!((outcome.result.unwrap_err().code.as_str(), outcome.sent), ("E1108", false));
}

#[tokio::test]
async fn btauth_signs_the_eight_lines() {
    for vector in
        vectors("btauth")["build"].as_array().unwrap().iter().filter(|vector| vector["scheme"] == "sr25519")
    {
        let lines: Vec<&str> = text(vector, "/payload_utf8").split('\n').collect();
        let expected = [
            "btauth/1",
            "sr25519",
            text(vector, "/method"),
            text(vector, "/target"),
            &sha256_hex(text(vector, "/body_utf8").as_bytes()),
            text(vector, "/nonce_ns"),
            text(vector, "/sender"),
            vector["receiver"].as_str().unwrap_or("-"),
        ]
        .map(str::to_owned);
        assert_eq!(lines, expected);
    }
    let (caller, receiver) = (Hotkey::from_seed(&[1; 32]), Hotkey::from_seed(&[2; 32]));
    let peer = Peer::start(|_| json_answer(&json!({ "n": 1 }))).await;
    let auth = Auth::Btauth { receiver: receiver.address().into(), signed_answers: false };
    assert!(call(&peer, auth, Some(&caller)).await.result.is_ok());
    let seen = &peer.seen()[0];
    let header = |name: &str| seen.header(name).unwrap();
    let message = [
        "btauth/1",
        "sr25519",
        "POST",
        "/items",
        &sha256_hex(&seen.body),
        header("x-bittensor-nonce"),
        caller.address(),
        receiver.address(),
    ]
    .join("\n");
    assert_eq!((header("x-bittensor-version"), header("x-bittensor-receiver")), ("1", receiver.address()));
    assert!(hotkey::verify(
        &caller.public_key(),
        message.as_bytes(),
        &signature(header("x-bittensor-signature"))
    ));
}

/// An answer signed as twresp/1 has it, with `change` applied to the facts that are signed or sent.
async fn signed_answer(change: &'static str) -> CallOutcome {
    let miner = Hotkey::from_seed(&[2; 32]);
    let receiver = miner.address().to_owned();
    let peer = Peer::start(move |seen| {
        let status = if change == "error" || change == "bare error" { 500 } else { 200 };
        let body = r#"{"n":1}"#;
        let sender = seen.header("x-bittensor-hotkey").unwrap();
        let nonce = if change == "nonce" { "7" } else { seen.header("x-bittensor-nonce").unwrap() };
        let message = format!(
            "twresp/1\nsr25519\n{nonce}\n{sender}\n{}\n{status}\n{}",
            miner.address(),
            sha256_hex(body.as_bytes())
        );
        let hex: String = miner.sign(message.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let other = Hotkey::from_seed(&[3; 32]);
        let hotkey = if change == "hotkey" { other.address() } else { miner.address() };
        let sent = if change == "body" { r#"{"n":2}"# } else { body };
        let version = if change == "version" { "2" } else { "1" };
        let signed = format!(
            "x-tw-resp-version: {version}\r\nx-tw-resp-hotkey: {hotkey}\r\nx-tw-resp-signature: 0x{hex}\r\n"
        );
        let signed = if change == "none" || change == "bare error" { String::new() } else { signed };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{signed}\r\n",
            sent.len()
        );
        Reply::Bytes(format!("{head}{sent}").into_bytes())
    })
    .await;
    call(&peer, Auth::Btauth { receiver, signed_answers: true }, Some(&Hotkey::from_seed(&[1; 32]))).await
}

#[tokio::test]
async fn only_an_answer_that_its_peer_signed_is_taken() {
    let outcome = signed_answer("nothing").await;
    assert!(outcome.result.is_ok() && outcome.answers.len() == 1);
    for change in ["nonce", "body", "hotkey", "version", "none"] {
        let outcome = signed_answer(change).await;
        assert_eq!(outcome.result.unwrap_err().code, "E1131", "{change}");
        assert!(outcome.answers.is_empty(), "{change}");
    }
    let error = signed_answer("error").await;
    assert_eq!((error.result.unwrap_err().code.as_str(), !error.answers.is_empty()), ("E1143", true));
    let error = signed_answer("bare error").await;
    assert_eq!((error.result.unwrap_err().code.as_str(), !error.answers.is_empty()), ("E1143", false));
}

/// A synapse's field that must be there and may be null is there, and one that need not be is left out.
#[tokio::test]
async fn a_required_null_reaches_an_axon() {
    let peer = Peer::start(|_| json_answer(&json!({ "n": 1 }))).await;
    let hotkey = Hotkey::from_seed(&[3; 32]);
    let maybe = json!({ "type": ["string", "null"] });
    let binding = AxonBinding {
        base_url: peer.origin(),
        synapse: "Search".into(),
        hotkey: Hotkey::from_seed(&[4; 32]).address().to_owned(),
        hash_fields: vec!["q".into()],
    };
    let operation = OperationDescriptor {
        auth: Auth::Hotkey,
        transport: Transport::Axon(binding),
        input: json!({ "type": "object", "required": ["q", "note"],
            "properties": { "q": { "type": "string" }, "note": maybe, "page": maybe } }),
        ..operation(&peer.origin(), "POST")
    };
    let client = peer.client();
    let prepared = client.prepare(&operation, OperationTypes::of(&operation).unwrap().into(), None).unwrap();
    let secrets = SecretStore::new();
    let context = CallContext { hotkey: Some(&hotkey), ..context(&secrets, PATIENT_MS) };
    let input = fields(json!({ "q": "x", "page": null }));
    assert!(client.call_fields(&prepared, input, &context).await.sent);
    let sent: Value = serde_json::from_slice(&peer.seen()[0].body).unwrap();
    assert_eq!(sent, json!({ "q": "x", "note": null }));
}
