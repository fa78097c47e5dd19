//! Runs of one call whose peer signed its answer.

use std::path::Path;

use ed25519_dalek::Signer as _;
use plan_ir::graph::{Graph, NodeId, NodeKind};
use proof::answers;
use proof::attestation::{AnswerText, Attestation, Scheme, body_sha256};
use proof::body::RunSecret;
use proof::builder::{Closing, Contents, NodeRecord, PeerRecord, ProofBuilder, Show};
use proof::bundle::Bundle;
use proof::commit::{Outcome, Times};
use proof::ss58;
use proof::statement::RunResult;
use schema::hash::Hash;

use super::{INPUTS, OPENED, key, node, opening, operation, plan, region};

/// The number of the request.
pub(crate) const NONCE: u64 = 1_790_000_000_000_000_000;
pub(crate) const BODY: &[u8] = br#"{"results":[]}"#;
/// Who asked, in the vectors of `taowire`.
const SENDER: &str = "5CzRdZLnRxWkyWoGZZbfvSCY4mbw1cmsow5q8cgZyGg1aiDq";

/// An answer as its peer signed it.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) scheme: Scheme,
    pub(crate) key: [u8; 32],
    pub(crate) signed: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

/// Signed by an Ed25519 key of the tests.
pub(crate) fn ed25519(status: u16) -> Answer {
    let pair = ed25519_dalek::SigningKey::from_bytes(&[77; 32]);
    let key = pair.verifying_key().to_bytes();
    let signed = text(Scheme::Ed25519, &key, status, NONCE, BODY).into_bytes();
    let signature = pair.sign(&signed).to_bytes();
    Answer { scheme: Scheme::Ed25519, key, signed, signature }
}

/// Signed by a key of small order, for which every signature of zeros holds unless it is checked strictly.
pub(crate) fn small_order() -> Answer {
    let (mut key, mut signature) = ([0; 32], [0; 64]);
    (key[0], signature[0]) = (1, 1);
    Answer {
        scheme: Scheme::Ed25519,
        key,
        signed: text(Scheme::Ed25519, &key, 200, NONCE, BODY).into_bytes(),
        signature,
    }
}

/// As `taowire` signed it: signatures of sr25519 are never the same twice.
pub(crate) fn sr25519() -> Answer {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/vectors/twresp.json");
    let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let case = &vectors["cases"][0];
    let hex = case["headers"]["X-TW-Resp-Signature"].as_str().unwrap().trim_start_matches("0x");
    let byte = |at: usize| u8::from_str_radix(hex.get(2 * at..2 * at + 2).unwrap(), 16).unwrap();
    Answer {
        scheme: Scheme::Sr25519,
        key: ss58::decode(case["responder"].as_str().unwrap()).unwrap(),
        signed: case["payload_utf8"].as_str().unwrap().into(),
        signature: std::array::from_fn(byte),
    }
}

fn text(scheme: Scheme, key: &[u8; 32], status: u16, nonce: u64, body: &[u8]) -> String {
    let (responder, body_sha256) = (ss58::encode(key), body_sha256(body));
    AnswerText { scheme, nonce, sender: SENDER, responder: &responder, status, body_sha256 }.to_string()
}

/// Whether a signature of sr25519 holds.
pub(crate) fn holds(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let key = schnorrkel::PublicKey::from_bytes(key);
    let signature = schnorrkel::Signature::from_bytes(signature);
    key.is_ok_and(|key| {
        signature.is_ok_and(|signature| key.verify_simple(b"substrate", message, &signature).is_ok())
    })
}

/// The proof of a run of one call that was answered so.
pub(crate) fn prove(answer: &Answer, refused: bool, show: Show) -> Bundle<'static> {
    let peer = PeerRecord {
        scheme: answer.scheme.of_peer_name(),
        key: &answer.key,
        signature: Some(&answer.signature),
        signed: Some(&answer.signed),
    };
    record(peer, &request(NONCE), BODY, refused, show)
}

/// Two votes signed by Ed25519 keys of the tests, and where `unsigned` a third that nobody signed.
pub(crate) fn votes(unsigned: bool) -> Vec<answers::Answer> {
    let mut votes: Vec<answers::Answer> = (0..2)
        .map(|at| {
            let pair = ed25519_dalek::SigningKey::from_bytes(&[77 + at; 32]);
            let key = pair.verifying_key().to_bytes();
            let signed = text(Scheme::Ed25519, &key, 200, NONCE + u64::from(at), BODY);
            let signature = pair.sign(signed.as_bytes()).to_bytes();
            let attestation = Attestation::read(signed, &signature);
            answers::Answer::new(request(NONCE + u64::from(at)).as_bytes(), BODY, attestation)
        })
        .collect();
    votes.extend(unsigned.then(|| answers::Answer::new(b"", BODY, None)));
    votes
}

/// The proof of a run of one call whose value was made of these answers.
pub(crate) fn prove_several(list: &[answers::Answer], show: Show) -> Bundle<'static> {
    let requests = [request(NONCE), request(NONCE + 1), String::new()];
    let requests = requests.get(..list.len()).unwrap().join("\n");
    let responses = vec![BODY; list.len()].join(&b"\n"[..]);
    let key = list.iter().find_map(|answer| Some(answer.attestation.as_ref()?.key)).unwrap();
    let signed = answers::to_bytes(list);
    let peer = PeerRecord { scheme: answers::PEER, key: &key, signature: None, signed: Some(&signed) };
    record(peer, &requests, &responses, false, show)
}

fn request(nonce: u64) -> String {
    format!("POST https://peer/search\nx-bittensor-nonce: {nonce}\n\n{{}}")
}

fn record(
    peer: PeerRecord<'_>,
    request: &str,
    response: &[u8],
    refused: bool,
    show: Show,
) -> Bundle<'static> {
    let plan = plan(&Graph { nodes: vec![node(NodeKind::Call, "ask", &[])], root: region(&[0]) });
    let secret = RunSecret::new([5; 32]);
    let opened = opening(INPUTS).open(&plan, &secret, key().public()).unwrap();
    let mut builder = ProofBuilder::new(plan, opened, secret, INPUTS, show).unwrap();
    let failed = Outcome::Failed { code: "E1143".into(), join: false };
    let times = Times { start_us: OPENED, end_us: OPENED + 10, monotonic_us: 10 };
    let outcome = if refused { failed } else { Outcome::Call };
    let output: &[u8] = b"\x80";
    let mut record = NodeRecord::new(NodeId(0), &[], outcome, times);
    record.operation = Some(operation(NodeId(0)));
    record.ledger_entry = Some(Hash([8; 32]));
    record.contents = Contents {
        input: Some(b"\xa0"),
        request: Some(request.as_bytes()),
        response: Some(response),
        output: (!refused).then_some(output),
    };
    record.peer = Some(peer);
    builder.record(&record).unwrap();
    let result = match refused {
        true => RunResult::Failed { code: "E1143".into() },
        false => RunResult::Succeeded,
    };
    let closing = Closing { result, output: (!refused).then_some(output), closed_at_us: OPENED + 20 };
    builder.finish(&closing, &key()).unwrap()
}
