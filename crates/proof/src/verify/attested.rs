//! Whether the peers of a call signed their answers, as far as the bundle shows it.

use super::leaf::LeafChecks;
use super::verdict::{Attested, Check};
use crate::answers::{self, Answer};
use crate::attestation::{AnswerText, Attestation, Scheme, VerifySr25519, body_sha256};
use crate::body::Field;
use crate::commit::{Kind, NodeCommit, Peer};
use crate::leaves::Leaf;
use crate::ss58;

/// How a redacted request names the number that the signature of its answer covers.
const NONCE_HEADER: &str = "x-bittensor-nonce: ";

/// What is known of the signatures, and the addresses of those who signed.
type Judged = Result<(Attested, Vec<String>), &'static str>;

/// Judges the signatures of the answers that a call's value was made of, where the commit has any, and whose they are. What is
/// shown of the leaf opens its commits.
pub(super) fn check(
    checks: &mut LeafChecks<'_, '_>,
    leaf: &Leaf<'_>,
    commit: &NodeCommit,
) -> (Attested, Vec<String>) {
    let none = (Attested::NotAttested, Vec::new());
    let Some(peer) = &commit.peer else { return none };
    let shown = |field| checks.bundle.disclosed(Some(leaf.ordinal), field).map(|shown| &*shown.bytes);
    let content = Content {
        request: shown(Field::Request),
        // A commit without a response is of one of no bytes.
        response: commit.bodies.response.map_or(Some(&[]), |_| shown(Field::Response)),
        signed: shown(Field::Signed),
        has_value: commit.outcome.kind() == Kind::Call,
        sr25519: checks.sr25519,
    };
    let judged = match Scheme::of_peer(&peer.scheme) {
        Some(scheme) => content.judge_one(peer, scheme),
        None if peer.scheme == answers::PEER => content.judge_several(peer),
        None => return none,
    };
    judged.unwrap_or_else(|why| {
        checks.fail(leaf, Check::Attestation, why);
        none
    })
}

/// What is shown of a call.
struct Content<'a> {
    request: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
    signed: Option<&'a [u8]>,
    has_value: bool,
    sr25519: Option<VerifySr25519>,
}

impl Content<'_> {
    fn judge_one(&self, peer: &Peer, scheme: Scheme) -> Judged {
        let key = <[u8; 32]>::try_from(peer.key.as_slice()).ok();
        let signature = peer.signature.as_ref().and_then(|bytes| <[u8; 64]>::try_from(bytes.as_slice()).ok());
        let (Some(key), Some(signature), Some(_)) = (key, signature, peer.signed) else {
            return Err(
                "its peer is said to sign answers, and a key, a signature or what was signed is missing",
            );
        };
        let address = ss58::encode(&key);
        let Some(signed) = self.signed else { return Ok((Attested::TextWithheld, vec![address])) };
        let text = AnswerText::parse(signed).ok_or("what its peer signed is no text of twresp/1")?;
        if text.scheme != scheme || text.responder != address {
            return Err("what is signed is by another hotkey, or in another way, than its peer's");
        }
        let signed = std::str::from_utf8(signed).unwrap_or_default().to_owned();
        let attestation = Attestation { scheme, key, signed, signature };
        Ok((self.judge(&attestation, self.request, self.response)?, vec![address]))
    }

    fn judge_several(&self, peer: &Peer) -> Judged {
        if peer.key.len() != 32 || peer.signature.is_some() || peer.signed.is_none() {
            return Err("its peers are said to sign answers, and a key or the list of answers is missing");
        }
        let Some(list) = self.signed else {
            let key = <[u8; 32]>::try_from(peer.key.as_slice()).unwrap_or_default();
            return Ok((Attested::TextWithheld, vec![ss58::encode(&key)]));
        };
        let list = answers::from_bytes(list).map_err(|_| "what its peers signed is no list of answers")?;
        let requests = parts(self.request, list.iter().map(|answer| answer.request))?;
        let responses = parts(self.response, list.iter().map(|answer| answer.response))?;
        let (mut least, mut signers) = (Attested::Attested, Vec::new());
        for (index, Answer { attestation, .. }) in list.iter().enumerate() {
            let Some(attestation) = attestation else {
                least = Attested::Partly;
                continue;
            };
            let part = |parts: &Option<Vec<_>>| parts.as_ref().and_then(|parts| parts.get(index).copied());
            least = least.min(self.judge(attestation, part(&requests), part(&responses))?);
            if signers.is_empty() && attestation.key != *peer.key {
                return Err("the first answer that is signed is by another hotkey than its peer's");
            }
            let address = ss58::encode(&attestation.key);
            if !signers.contains(&address) {
                signers.push(address);
            }
        }
        Ok((least, signers))
    }

    /// What is known of the signature of one answer, of which the request and the response are shown or not.
    fn judge(
        &self,
        attestation: &Attestation,
        request: Option<&[u8]>,
        response: Option<&[u8]>,
    ) -> Result<Attested, &'static str> {
        let Attestation { scheme, key, signed, signature } = attestation;
        let text =
            AnswerText::parse(signed.as_bytes()).ok_or("what its peer signed is no text of twresp/1")?;
        if self.has_value && !(200..300).contains(&text.status) {
            return Err("its peer signed a refusal, and it has a value");
        }
        if request.is_some_and(|request| !names(request, text.nonce)) {
            return Err("what its peer signed is the answer to another request");
        }
        let holds = scheme.holds(self.sr25519, key, signed.as_bytes(), signature);
        if holds == Some(false) {
            return Err("the signature of its peer does not hold");
        }
        if response.is_some_and(|body| body_sha256(body) != text.body_sha256) {
            return Err("what its peer signed is another answer");
        }
        Ok(match (holds, response) {
            (None, _) => Attested::Unchecked,
            (Some(_), None) => Attested::BodyWithheld,
            (Some(_), Some(_)) => Attested::Attested,
        })
    }
}

/// The parts of content that is shown.
fn parts(
    shown: Option<&[u8]>,
    lengths: impl Iterator<Item = u64>,
) -> Result<Option<Vec<&[u8]>>, &'static str> {
    let Some(shown) = shown else { return Ok(None) };
    let parts = answers::parts(shown, lengths);
    parts.map(Some).ok_or("the list of its answers does not add up to what is shown of them")
}

/// Whether the head of a redacted request has this number.
fn names(request: &[u8], nonce: u64) -> bool {
    let head = request.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let expected = format!("{NONCE_HEADER}{nonce}");
    head.into_iter().any(|line| line == expected.as_bytes())
}
