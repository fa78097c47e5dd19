//! Answers that their peer signed, by twresp/1: the text that is signed, and what a runtime keeps of it.

use std::fmt;

use schema::hash::Hash;
use sha2::{Digest as _, Sha256};

use crate::key::{PublicKey, Signature};
use crate::ss58;

/// Whether a signature of sr25519, in the signing context `substrate`, is one of these bytes by this key. It is given to a
/// verifier rather than built in: the packages that have it bring in randomness, which nothing here may.
pub type VerifySr25519 = fn(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool;

const FIRST_LINE: &str = "twresp/1";

/// How an answer is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The keys of wallets.
    Sr25519,
    /// Ed25519, strict.
    Ed25519,
}

impl Scheme {
    /// Its name in the text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sr25519 => "sr25519",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The scheme of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Sr25519, Self::Ed25519].into_iter().find(|scheme| scheme.name() == name)
    }

    /// What a commit calls the peer that signed so.
    #[must_use]
    pub const fn of_peer_name(self) -> &'static str {
        match self {
            Self::Sr25519 => "twresp/1/sr25519",
            Self::Ed25519 => "twresp/1/ed25519",
        }
    }

    /// The scheme by which the peer of a commit signed its answer; `None` where it did not.
    #[must_use]
    pub fn of_peer(peer: &str) -> Option<Self> {
        Self::of_name(peer.strip_prefix(FIRST_LINE)?.strip_prefix('/')?)
    }

    /// Whether a signature holds; `None` where it is of sr25519 and nothing is given to tell.
    #[must_use]
    pub fn holds(
        self,
        sr25519: Option<VerifySr25519>,
        key: &[u8; 32],
        message: &[u8],
        signature: &[u8; 64],
    ) -> Option<bool> {
        match self {
            Self::Sr25519 => sr25519.map(|holds| holds(key, message, signature)),
            Self::Ed25519 => Some(PublicKey(*key).verify_bytes(message, &Signature(*signature)).is_ok()),
        }
    }
}

/// What a peer signs of its answer: seven lines, without one's end after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerText<'a> {
    /// How it is signed.
    pub scheme: Scheme,
    /// Number of the request: nanoseconds since 1970 by the clock of who asked, never the same twice.
    pub nonce: u64,
    /// SS58 address of who asked.
    pub sender: &'a str,
    /// SS58 address of who answered.
    pub responder: &'a str,
    /// HTTP status.
    pub status: u16,
    /// SHA-256 of the body as it was on the wire.
    pub body_sha256: [u8; 32],
}

impl fmt::Display for AnswerText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, nonce, sender, responder, status, body_sha256 } = self;
        write!(f, "{FIRST_LINE}\n{}\n{nonce}\n{sender}\n{responder}\n{status}\n", scheme.name())?;
        body_sha256.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<'a> AnswerText<'a> {
    /// What `bytes` say; `None` where they are no such text in its one form.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.split('\n');
        let mut line = || lines.next();
        line().filter(|first| *first == FIRST_LINE)?;
        let parsed = Self {
            scheme: Scheme::of_name(line()?)?,
            nonce: line()?.parse().ok()?,
            sender: line()?,
            responder: line()?,
            status: line()?.parse().ok()?,
            body_sha256: line()?.parse::<Hash>().ok()?.0,
        };
        (parsed.to_string() == text).then_some(parsed)
    }
}

/// The SHA-256 by which the text names a body.
#[must_use]
pub fn body_sha256(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// A peer's signature over its answer, which was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// How it is signed.
    pub scheme: Scheme,
    /// The public key of who signed.
    pub key: [u8; 32],
    /// What is signed: the bytes of an [`AnswerText`].
    pub signed: String,
    /// The signature.
    pub signature: [u8; 64],
}

impl Attestation {
    /// The signature over a text, which says how it was made and by whom; `None` where the text or the signature is none.
    #[must_use]
    pub fn read(signed: String, signature: &[u8]) -> Option<Self> {
        let text = AnswerText::parse(signed.as_bytes())?;
        let (scheme, key) = (text.scheme, ss58::decode(text.responder).ok()?);
        Some(Self { scheme, key, signature: signature.try_into().ok()?, signed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "twresp/1\ned25519\n1790000000000000000\n5CzR\n5Gjr\n200\n\
                        5021e624e752b001ce3e3846e8f158ed4aeb93a4c9a72fdb35a0c5b14a0eea84";

    #[test]
    fn a_text_has_one_form() {
        let text = AnswerText::parse(TEXT.as_bytes()).unwrap();
        assert_eq!((text.nonce, text.status), (1_790_000_000_000_000_000, 200));
        assert_eq!(text.body_sha256, body_sha256(br#"{"results":[]}"#));
        assert_eq!(text.to_string(), TEXT);
        for (from, to) in [
            ("twresp/1", "twresp/2"),
            ("ed25519", "ecdsa"),
            ("\n1790", "\n01790"),
            ("\n200", "\n+200"),
            ("5021e6", "5021E6"),
            ("ea84", "ea8"),
            ("ea84", "ea84\n"),
            ("5CzR\n", ""),
        ] {
            assert_eq!(AnswerText::parse(TEXT.replacen(from, to, 1).as_bytes()), None, "{to}");
        }
        assert_eq!(AnswerText::parse(b"\xff"), None);
    }

    #[test]
    fn a_peer_tells_how_it_signs() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            assert_eq!(Scheme::of_peer(scheme.of_peer_name()), Some(scheme));
        }
        for other in ["axon-v10/sr25519", "twresp/1", "twresp/1/", "twresp/1sr25519", "twresp/2/sr25519"] {
            assert_eq!(Scheme::of_peer(other), None, "{other}");
        }
    }
}
