//! twresp/1: answers signed by the receiver's hotkey, the one form of answer that can be attributed.
//!
//! Headers `X-TW-Resp-Version: 1`, `-Hotkey`, `-Crypto` (`ed25519`; absent means sr25519) and `-Signature` (`0x` and
//! hex). Signed are seven lines: `twresp/1`, the scheme, the request's nonce and sender, the responder, the HTTP
//! status, and the SHA-256 of the raw body in hex. Of errors only those made after the caller was verified are signed.

use http::HeaderMap;
use proof::attestation::{AnswerText, Attestation, Scheme, body_sha256};
use schema::error::{CallError, CallErrorKind};

use crate::code;
use crate::hotkey::{self, unhex};
use crate::signed::Asked;
use crate::ss58;

const VERSION: &str = "x-tw-resp-version";
const HOTKEY: &str = "x-tw-resp-hotkey";
const CRYPTO: &str = "x-tw-resp-crypto";
const SIGNATURE: &str = "x-tw-resp-signature";

/// Checks the signature of an answer with `status` and raw `body` to the request that `asked` tells of, and gives what is
/// to be kept of it; `None` for an error that has none.
///
/// # Errors
/// E1131 where it is missing on a success, or is not the receiver's over this very answer.
pub(crate) fn verify(
    asked: &Asked,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<Attestation>, CallError> {
    let refuse = |why: String| {
        Err(CallError::new(
            CallErrorKind::Invalid,
            code::ANSWER_SIGNATURE,
            format!("the answer's signature: {why}"),
        ))
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(signature) = text(SIGNATURE) else {
        return match (200..300).contains(&status) {
            true => refuse("there is none, and this peer signs its answers".into()),
            false => Ok(None),
        };
    };
    if headers.get_all(SIGNATURE).iter().count() > 1 || headers.get_all(HOTKEY).iter().count() > 1 {
        return refuse("there are several".into());
    }
    if text(VERSION) != Some("1") {
        return refuse("its version is not 1".into());
    }
    let responder = text(HOTKEY).unwrap_or_default();
    if responder != asked.receiver {
        return refuse(format!("it is by another hotkey than {}", asked.receiver));
    }
    let Some(scheme) = Scheme::of_name(text(CRYPTO).unwrap_or(Scheme::Sr25519.name())) else {
        return refuse("its scheme is neither sr25519 nor ed25519".into());
    };
    let key = ss58::decode(responder)
        .map_err(|error| CallError::new(CallErrorKind::Invalid, code::ANSWER_SIGNATURE, error.to_string()))?;
    let Some(signature) = unhex::<64>(signature) else { return refuse("it is not 64 bytes in hex".into()) };
    let body_sha256 = body_sha256(body);
    let Asked { nonce, sender, .. } = asked;
    let signed = AnswerText { scheme, nonce: *nonce, sender, responder, status, body_sha256 }.to_string();
    match scheme.holds(Some(hotkey::verify), &key, signed.as_bytes(), &signature) {
        Some(true) => Ok(Some(Attestation { scheme, key, signed, signature: *signature })),
        _ => refuse("it does not cover this answer".into()),
    }
}
