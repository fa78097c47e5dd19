//! twresp/1: answers signed by the receiver's hotkey, the one form of answer that can be attributed.
//!
//! Headers `X-TW-Resp-Version: 1`, `-Hotkey`, `-Crypto` (`ed25519`; absent means sr25519) and `-Signature` (`0x` and
//! hex). Signed are seven lines: `twresp/1`, the scheme, the request's nonce and sender, the responder, the HTTP
//! status, and the SHA-256 of the raw body in hex. Of errors only those made after the caller was verified are signed.

use http::HeaderMap;
use schema::error::{CallError, CallErrorKind};

use crate::code;
use crate::hotkey::unhex;
use crate::signed::{Asked, sha256_hex};
use crate::ss58;

const VERSION: &str = "x-tw-resp-version";
const HOTKEY: &str = "x-tw-resp-hotkey";
const CRYPTO: &str = "x-tw-resp-crypto";
const SIGNATURE: &str = "x-tw-resp-signature";

/// Checks the signature of an answer with `status` and raw `body` to the request that `asked` tells of. `true` where
/// it is there and right, `false` for an error that has none.
///
/// # Errors
/// E1131 where it is missing on a success, or is not the receiver's over this very answer.
pub(crate) fn verify(
    asked: &Asked,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<bool, CallError> {
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
            false => Ok(false),
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
    let scheme = text(CRYPTO).unwrap_or("sr25519");
    let Asked { nonce, sender, .. } = asked;
    let message =
        format!("twresp/1\n{scheme}\n{nonce}\n{sender}\n{responder}\n{status}\n{}", sha256_hex(body));
    let key = ss58::decode(responder)
        .map_err(|error| CallError::new(CallErrorKind::Invalid, code::ANSWER_SIGNATURE, error.to_string()))?;
    let Some(signature) = unhex::<64>(signature) else { return refuse("it is not 64 bytes in hex".into()) };
    let is_right = match scheme {
        "sr25519" => crate::hotkey::verify(&key, message.as_bytes(), &signature),
        "ed25519" => verify_ed25519(&key, message.as_bytes(), &signature),
        _ => return refuse("its scheme is neither sr25519 nor ed25519".into()),
    };
    if is_right { Ok(true) } else { refuse("it does not cover this answer".into()) }
}

fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key) else { return false };
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
}
