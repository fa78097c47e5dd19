//! Ed25519 keys that can only do one thing each: sign typed bytes, and check such a signature strictly.
//!
//! "A valid Ed25519 signature" is not one predicate: libraries disagree on keys of small order and on
//! unreduced encodings. Here it means `verify_strict` of `ed25519-dalek`, and nothing in this crate
//! can call any other.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use schema::hash::Hash;
use serde::{Deserialize, Serialize};

/// What a signature is over: the statement of a run.
pub const RUN_TYPE: &str = "application/vnd.orchestra.run.v1+cbor";
/// What a signature is over: a challenge.
pub const CHALLENGE_TYPE: &str = "application/vnd.orchestra.challenge.v1+cbor";

/// The bytes a signature covers: DSSE's pre-authentication encoding of a type and a payload, so that
/// a signature for one kind of object never holds for another.
#[must_use]
pub fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    let mut bytes = Vec::with_capacity(head.len() + payload.len());
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A secret key that signs challenges and statements. Its memory is wiped when it is dropped.
pub struct RuntimeKey(SigningKey);

impl RuntimeKey {
    /// The key made from 32 secret random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `payload` as an object of `payload_type`.
    #[must_use]
    pub fn sign(&self, payload_type: &str, payload: &[u8]) -> Signature {
        Signature(self.0.sign(&pre_authentication(payload_type, payload)).to_bytes())
    }
}

impl std::fmt::Debug for RuntimeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RuntimeKey({})", self.public())
    }
}

/// The 32 bytes of an Ed25519 public key, checked only when used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// The 64 bytes of an Ed25519 signature, checked only when used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// A signature that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The bytes of the key are not a point of the curve, or one of small order.
    #[error("the key {0} is not a usable Ed25519 key")]
    Key(PublicKey),
    /// The signature does not hold for these bytes, or is not in the one form allowed.
    #[error("the signature by {0} does not hold")]
    Signature(PublicKey),
}

impl PublicKey {
    /// Checks `signature` over `payload` as an object of `payload_type`.
    ///
    /// # Errors
    /// [`SignatureError`] for a key or signature that a strict verifier refuses.
    pub fn verify(
        &self,
        payload_type: &str,
        payload: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.verify_bytes(&pre_authentication(payload_type, payload), signature)
    }

    /// Checks `signature` over these very bytes.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_bytes(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| SignatureError::Key(*self))?;
        if key.is_weak() {
            return Err(SignatureError::Key(*self));
        }
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0))
            .map_err(|_| SignatureError::Signature(*self))
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Hash(self.0).fmt(f)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl std::str::FromStr for PublicKey {
    type Err = schema::hash::ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|Hash(bytes)| Self(bytes))
    }
}

/// As 64 hex digits.
impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_type_and_payload_only() {
        let key = RuntimeKey::from_seed(&[1; 32]);
        let signature = key.sign(RUN_TYPE, b"payload");
        let public = key.public();
        assert_eq!(public.verify(RUN_TYPE, b"payload", &signature), Ok(()));
        let refused = Err(SignatureError::Signature(public));
        assert_eq!(public.verify(CHALLENGE_TYPE, b"payload", &signature), refused);
        assert_eq!(public.verify(RUN_TYPE, b"payloae", &signature), refused);
        assert!(RuntimeKey::from_seed(&[2; 32]).public().verify(RUN_TYPE, b"payload", &signature).is_err());
    }

    #[test]
    fn the_encoding_that_is_signed_is_dsse_s() {
        // The example of the DSSE specification.
        let bytes = pre_authentication("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    /// The points of small order, in every encoding that decompresses: signing with them needs no secret.
    #[test]
    fn keys_of_small_order_are_refused_whatever_the_signature() {
        const ORDER_8: &str = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
        const ORDER_8_B: &str = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
        let hex = |text: &str| text.parse::<PublicKey>().unwrap().0;
        let mut one = [0; 32];
        one[0] = 1;
        let mut minus_one = [0xff; 32];
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        let mut above_one = [0xff; 32];
        (above_one[0], above_one[31]) = (0xee, 0x7f);
        let points = [one, [0; 32], minus_one, above_one, hex(ORDER_8), hex(ORDER_8_B)];
        for point in points {
            for sign in [0, 0x80] {
                let mut key = point;
                key[31] |= sign;
                for first in points {
                    let mut signature = [0; 64];
                    signature[..32].copy_from_slice(&first);
                    let key = PublicKey(key);
                    let verdict = key.verify(RUN_TYPE, b"any", &Signature(signature));
                    assert_eq!(verdict, Err(SignatureError::Key(key)));
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_no_point_and_points_of_small_order_in_a_signature_are_refused() {
        let mut no_point = [0; 32];
        no_point[0] = 2;
        let key = PublicKey(no_point);
        assert_eq!(key.verify(RUN_TYPE, b"", &Signature([0; 64])), Err(SignatureError::Key(key)));
        let public = RuntimeKey::from_seed(&[1; 32]).public();
        let mut signature = [0; 64];
        signature[0] = 1;
        let refused = public.verify(RUN_TYPE, b"", &Signature(signature));
        assert_eq!(refused, Err(SignatureError::Signature(public)));
    }

    #[test]
    fn a_secret_key_does_not_show_itself() {
        let shown = format!("{:?}", RuntimeKey::from_seed(&[0x5a; 32]));
        assert!(!shown.contains("5a5a") && shown.starts_with("RuntimeKey("));
    }
}
