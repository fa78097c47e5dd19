//! Whether the peer of a call signed its answer, as far as the bundle shows it.

use super::leaf::LeafChecks;
use super::verdict::{Attested, Check};
use crate::attestation::{AnswerText, Scheme, body_sha256};
use crate::body::Field;
use crate::commit::{Kind, NodeCommit, Peer};
use crate::leaves::Leaf;
use crate::ss58;

/// How a redacted request names the number that the signature of its answer covers.
const NONCE_HEADER: &str = "x-bittensor-nonce: ";

/// Judges the signature of an answer, where the commit has one, and whose it is. What is shown of the leaf opens its
/// commits.
pub(super) fn check(
    checks: &mut LeafChecks<'_, '_>,
    leaf: &Leaf<'_>,
    commit: &NodeCommit,
) -> (Attested, Option<String>) {
    let Some((peer, scheme)) =
        commit.peer.as_ref().and_then(|peer| Some((peer, Scheme::of_peer(&peer.scheme)?)))
    else {
        return (Attested::NotAttested, None);
    };
    match judge(checks, leaf, commit, peer, scheme) {
        Ok((attested, address)) => (attested, Some(address)),
        Err(why) => {
            checks.fail(leaf, Check::Attestation, why);
            (Attested::NotAttested, None)
        }
    }
}

fn judge(
    checks: &LeafChecks<'_, '_>,
    leaf: &Leaf<'_>,
    commit: &NodeCommit,
    peer: &Peer,
    scheme: Scheme,
) -> Result<(Attested, String), &'static str> {
    let key = <[u8; 32]>::try_from(peer.key.as_slice()).ok();
    let signature = peer.signature.as_ref().and_then(|bytes| <[u8; 64]>::try_from(bytes.as_slice()).ok());
    let (Some(key), Some(signature), Some(_)) = (key, signature, peer.signed) else {
        return Err("its peer is said to sign answers, and a key, a signature or what was signed is missing");
    };
    let address = ss58::encode(&key);
    let shown = |field| checks.bundle.disclosed(Some(leaf.ordinal), field);
    let Some(signed) = shown(Field::Signed) else { return Ok((Attested::TextWithheld, address)) };
    let text = AnswerText::parse(&signed.bytes).ok_or("what its peer signed is no text of twresp/1")?;
    if text.scheme != scheme || text.responder != address {
        return Err("what is signed is by another hotkey, or in another way, than its peer's");
    }
    if commit.outcome.kind() == Kind::Call && !(200..300).contains(&text.status) {
        return Err("its peer signed a refusal, and it has a value");
    }
    if let Some(request) = shown(Field::Request)
        && !names(&request.bytes, text.nonce)
    {
        return Err("what its peer signed is the answer to another request");
    }
    let holds = scheme.holds(checks.sr25519, &key, &signed.bytes, &signature);
    if holds == Some(false) {
        return Err("the signature of its peer does not hold");
    }
    let body = match commit.bodies.response {
        None => Some(&[][..]),
        Some(_) => shown(Field::Response).map(|shown| &*shown.bytes),
    };
    if body.is_some_and(|body| body_sha256(body) != text.body_sha256) {
        return Err("what its peer signed is another answer");
    }
    let attested = match (holds, body) {
        (None, _) => Attested::Unchecked,
        (Some(_), None) => Attested::BodyWithheld,
        (Some(_), Some(_)) => Attested::Attested,
    };
    Ok((attested, address))
}

/// Whether the head of a redacted request has this number.
fn names(request: &[u8], nonce: u64) -> bool {
    let head = request.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let expected = format!("{NONCE_HEADER}{nonce}");
    head.into_iter().any(|line| line == expected.as_bytes())
}
