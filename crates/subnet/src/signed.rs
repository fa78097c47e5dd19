//! Requests that carry the caller's signature over a text made of them: the Epistula family, and btauth/1.
//!
//! The texts are templates of the operation's entry, so a dialect needs no code; btauth/1 is one of them with the one
//! addition that its answers may be signed, too (twresp/1).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{HeaderName, HeaderValue};
use schema::operation::SignedRequest;
use sha2::{Digest as _, Sha256};

use crate::entry::Fault;
use crate::hotkey::{Hotkey, hex};
use crate::ss58;

/// A [`SignedRequest`], checked and taken apart once.
#[derive(Debug)]
pub(crate) struct Signer {
    message: Vec<Part>,
    headers: Vec<(HeaderName, Vec<Part>)>,
    receiver: String,
    answers_are_signed: bool,
}

/// What the texts of one request are made of.
pub(crate) struct Facts<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) uuid: &'a str,
}

/// A signed request's headers, and what its answer's signature must cover.
pub(crate) struct Signed {
    /// Each with whether it holds the signature, which differs from one signing to the next.
    pub(crate) headers: Vec<(HeaderName, HeaderValue, bool)>,
    pub(crate) asked: Asked,
}

/// What the signature of an answer is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) nonce: u64,
    pub(crate) sender: String,
    pub(crate) receiver: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    BodySha256,
    Method,
    Target,
    TimestampS,
    TimestampMs,
    TimestampNs,
    Uuid,
    Sender,
    Receiver,
    SignatureHex,
    SignatureBase64,
}

const PLACEHOLDERS: [(&str, Placeholder); 11] = [
    ("body_sha256", Placeholder::BodySha256),
    ("method", Placeholder::Method),
    ("target", Placeholder::Target),
    ("timestamp_s", Placeholder::TimestampS),
    ("timestamp_ms", Placeholder::TimestampMs),
    ("timestamp_ns", Placeholder::TimestampNs),
    ("uuid", Placeholder::Uuid),
    ("sender", Placeholder::Sender),
    ("receiver", Placeholder::Receiver),
    ("signature_hex", Placeholder::SignatureHex),
    ("signature_base64", Placeholder::SignatureBase64),
];

#[derive(Debug)]
enum Part {
    Text(String),
    Of(Placeholder),
}

impl Signer {
    /// Checks `request`.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub(crate) fn new(request: &SignedRequest) -> Result<Self, Fault> {
        let receiver = request.receiver.clone().unwrap_or_default();
        if !receiver.is_empty() {
            ss58::decode(&receiver)
                .map_err(|error| Fault::new("receiver", format!("the receiver's hotkey: {error}")))?;
        }
        let message = parts(&request.message).map_err(|why| Fault::new("message", why))?;
        if message.iter().any(Part::is_signature) {
            return Err(Fault::new("message", "the signed text cannot hold its own signature"));
        }
        let mut headers = Vec::new();
        for (name, value) in &request.headers {
            let wrong = |why: String| Fault::new("headers", why);
            let header = HeaderName::try_from(name.as_str())
                .map_err(|_| wrong(format!("`{name}` is no header name")))?;
            headers.push((header, parts(value).map_err(|why| wrong(format!("`{name}`: {why}")))?));
        }
        if !headers.iter().any(|(_, value)| value.iter().any(Part::is_signature)) {
            return Err(Fault::new("headers", "no header carries the signature"));
        }
        Ok(Self { message, headers, receiver, answers_are_signed: false })
    }

    /// The signer of btauth/1 for `receiver`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn btauth(receiver: &str, answers_are_signed: bool) -> Result<Self, Fault> {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let lines = [
            "btauth/1",
            "sr25519",
            "{method}",
            "{target}",
            "{body_sha256}",
            "{timestamp_ns}",
            "{sender}",
            "{receiver}",
        ];
        let signer = Self::new(&SignedRequest {
            message: lines.join("\n"),
            headers: [
                header("x-bittensor-version", "1"),
                header("x-bittensor-hotkey", "{sender}"),
                header("x-bittensor-receiver", "{receiver}"),
                header("x-bittensor-nonce", "{timestamp_ns}"),
                header("x-bittensor-signature", "{signature_hex}"),
            ]
            .into(),
            receiver: Some(receiver.into()),
        })?;
        Ok(Self { answers_are_signed, ..signer })
    }

    pub(crate) fn receiver(&self) -> Option<&str> {
        (!self.receiver.is_empty()).then_some(self.receiver.as_str())
    }

    pub(crate) const fn answers_are_signed(&self) -> bool {
        self.answers_are_signed
    }

    /// Signs a request.
    ///
    /// # Errors
    /// A header that cannot be sent, in words.
    pub(crate) fn sign(&self, facts: &Facts<'_>, hotkey: &Hotkey) -> Result<Signed, String> {
        let nonce = unique_now_ns();
        let values =
            Values { facts, hotkey, nonce, receiver: &self.receiver, body_sha256: sha256_hex(facts.body) };
        let signature = hotkey.sign(values.fill(&self.message, &[]).as_bytes());
        let mut headers = Vec::with_capacity(self.headers.len());
        for (name, parts) in &self.headers {
            let value = HeaderValue::from_str(&values.fill(parts, &signature))
                .map_err(|_| format!("header `{name}` cannot be sent"))?;
            headers.push((name.clone(), value, parts.iter().any(Part::is_signature)));
        }
        let (sender, receiver) = (hotkey.address().to_owned(), self.receiver.clone());
        Ok(Signed { headers, asked: Asked { nonce, sender, receiver } })
    }
}

impl Part {
    const fn is_signature(&self) -> bool {
        matches!(self, Self::Of(Placeholder::SignatureHex | Placeholder::SignatureBase64))
    }
}

struct Values<'a> {
    facts: &'a Facts<'a>,
    hotkey: &'a Hotkey,
    nonce: u64,
    receiver: &'a str,
    body_sha256: String,
}

impl Values<'_> {
    fn fill(&self, parts: &[Part], signature: &[u8]) -> String {
        parts.iter().map(|part| self.text(part, signature)).collect()
    }

    fn text(&self, part: &Part, signature: &[u8]) -> String {
        let placeholder = match part {
            Part::Text(text) => return text.clone(),
            Part::Of(placeholder) => placeholder,
        };
        match placeholder {
            Placeholder::BodySha256 => self.body_sha256.clone(),
            Placeholder::Method => self.facts.method.to_owned(),
            Placeholder::Target => self.facts.target.to_owned(),
            Placeholder::TimestampS => (self.nonce / 1_000_000_000).to_string(),
            Placeholder::TimestampMs => (self.nonce / 1_000_000).to_string(),
            Placeholder::TimestampNs => self.nonce.to_string(),
            Placeholder::Uuid => self.facts.uuid.to_owned(),
            Placeholder::Sender => self.hotkey.address().to_owned(),
            Placeholder::Receiver => self.receiver.to_owned(),
            Placeholder::SignatureHex => hex(signature),
            Placeholder::SignatureBase64 => BASE64.encode(signature),
        }
    }
}

fn parts(template: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, tail)) = rest.split_once('{') {
        let Some((name, after)) = tail.split_once('}') else {
            return Err(format!("template `{template}` has a brace without its partner"));
        };
        let Some((_, placeholder)) = PLACEHOLDERS.iter().find(|(own, _)| *own == name) else {
            let known: Vec<&str> = PLACEHOLDERS.iter().map(|(name, _)| *name).collect();
            return Err(format!("template `{template}` has `{{{name}}}`; known are {}", known.join(", ")));
        };
        if !text.is_empty() {
            parts.push(Part::Text(text.into()));
        }
        parts.push(Part::Of(*placeholder));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    Ok(parts)
}

/// Now in nanoseconds since 1970, larger than any it gave before: peers refuse a nonce that they have seen.
fn unique_now_ns() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let now = u64::try_from(now).unwrap_or(u64::MAX);
    let later = |last: u64| Some(now.max(last.saturating_add(1)));
    LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later)
        .map_or(now, |last| now.max(last.saturating_add(1)))
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)).split_off(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(message: &str, headers: &[(&str, &str)]) -> SignedRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        SignedRequest { message: message.into(), headers, receiver: None }
    }

    #[test]
    fn nonces_are_never_given_twice() {
        let nonces: Vec<u64> = (0..1_000).map(|_| unique_now_ns()).collect();
        assert!(nonces.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn templates_that_sign_nothing_are_told() {
        let wrong = |message: &str, headers: &[(&str, &str)]| {
            Signer::new(&request(message, headers)).unwrap_err().to_string()
        };
        let sig = ("a", "{signature_hex}");
        assert!(wrong("{uid}", &[sig]).contains("known are body_sha256"));
        assert!(wrong("{uuid", &[sig]).contains("partner"));
        assert!(wrong("{signature_hex}", &[sig]).contains("own signature"));
        assert!(wrong("{uuid}", &[("a", "{uuid}")]).contains("no header"));
        assert!(wrong("{uuid}", &[("a b", "{signature_hex}")]).contains("header name"));
        let receiver = Some("5abc".into());
        assert!(
            Signer::new(&SignedRequest { receiver, ..request("x", &[sig]) })
                .unwrap_err()
                .to_string()
                .contains("receiver")
        );
    }
}
