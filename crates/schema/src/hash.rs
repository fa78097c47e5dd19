//! 32-byte BLAKE3 hashes, separated by context so that bytes of one kind can never pass for another.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use blake3::hazmat::{ContextKey, HasherExt as _, hash_derive_key_context};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Prefix of every derive-key context. A new format version changes this text, so no hash of one
/// version is ever a hash of another.
const PREFIX: &str = "orchestra.proof 2026-11-22 v1 ";

/// A BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

/// What a hash is a hash of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Context {
    /// Salted message content and values.
    Body,
    /// The bytes of a compiled plan.
    Plan,
    /// One node of a plan's graph.
    PlanNode,
    /// The header of a run.
    Header,
    /// A challenge and the nonces derived from it.
    Challenge,
    /// A node commit.
    Node,
    /// One link of an attempt chain.
    Attempt,
    /// A node lock.
    Lock,
    /// A leaf of the run's tree.
    MerkleLeaf,
    /// An inner node of the run's tree.
    MerkleNode,
    /// A signed statement, hashed to the id of its proof.
    ProofId,
    /// One entry of the Ledger's log.
    LedgerEntry,
    /// One state of the Ledger.
    LedgerSnapshot,
    /// A bundle of evidence.
    Evidence,
    /// A JSON Schema or typed descriptor.
    Schema,
    /// A lockfile.
    Lockfile,
}

/// The key that each context derives, computed once: a proof hashes a dozen small inputs a node.
static KEYS: LazyLock<[ContextKey; Context::ALL.len()]> =
    LazyLock::new(|| Context::ALL.map(|context| hash_derive_key_context(&context.text())));

impl Context {
    /// All contexts, in declared order.
    const ALL: [Self; 16] = [
        Self::Body,
        Self::Plan,
        Self::PlanNode,
        Self::Header,
        Self::Challenge,
        Self::Node,
        Self::Attempt,
        Self::Lock,
        Self::MerkleLeaf,
        Self::MerkleNode,
        Self::ProofId,
        Self::LedgerEntry,
        Self::LedgerSnapshot,
        Self::Evidence,
        Self::Schema,
        Self::Lockfile,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Plan => "plan",
            Self::PlanNode => "plan-node",
            Self::Header => "header",
            Self::Challenge => "challenge",
            Self::Node => "node",
            Self::Attempt => "attempt",
            Self::Lock => "lock",
            Self::MerkleLeaf => "merkle-leaf",
            Self::MerkleNode => "merkle-node",
            Self::ProofId => "proof-id",
            Self::LedgerEntry => "ledger-entry",
            Self::LedgerSnapshot => "ledger-snapshot",
            Self::Evidence => "evidence",
            Self::Schema => "schema",
            Self::Lockfile => "lockfile",
        }
    }

    fn text(self) -> String {
        format!("{PREFIX}{}", self.name())
    }

    /// A hasher that starts in this context; feed it the parts in order.
    #[must_use]
    pub fn hasher(self) -> Hasher {
        Hasher(match KEYS.get(self as usize) {
            Some(key) => blake3::Hasher::new_from_context_key(key),
            None => blake3::Hasher::new_derive_key(&self.text()),
        })
    }

    /// The hash of the concatenation of `parts` in this context.
    #[must_use]
    pub fn hash(self, parts: &[&[u8]]) -> Hash {
        let mut hasher = self.hasher();
        for part in parts {
            hasher.update(part);
        }
        hasher.finish()
    }
}

/// An incremental hash in one [`Context`].
#[derive(Clone, Debug)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Appends `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of everything appended so far.
    #[must_use]
    pub fn finish(&self) -> Hash {
        Hash(*self.0.finalize().as_bytes())
    }
}

impl Hash {
    /// Lower-case hex, 64 characters.
    #[must_use]
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().as_str().to_owned()
    }

    /// The first 8 hex characters, for people.
    #[must_use]
    pub fn short(self) -> String {
        self.to_hex().chars().take(8).collect()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// Text that is not 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hex digits, not `{0}`")]
pub struct ParseHashError(String);

impl FromStr for Hash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let bad = || ParseHashError(text.chars().take(80).collect());
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Err(bad());
        }
        let mut bytes = [0_u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_context_matches_the_published_vector() {
        let hash = Context::Lock.hash(&[]).to_hex();
        assert!(hash.starts_with("29e32f27e81da1e5") && hash.ends_with("03f259"), "{hash}");
    }

    #[test]
    fn a_context_is_hashed_with_the_key_its_own_text_derives() {
        for (place, context) in Context::ALL.into_iter().enumerate() {
            assert_eq!(context as usize, place);
            let expected = blake3::Hasher::new_derive_key(&context.text()).update(b"x").finalize();
            assert_eq!(context.hash(&[b"x"]), Hash(*expected.as_bytes()), "{}", context.name());
        }
    }

    #[test]
    fn hex_round_trips_and_bad_text_is_refused() {
        let hash = Context::Plan.hash(&[b"x"]);
        assert_eq!(hash.to_hex().parse::<Hash>(), Ok(hash));
        assert!("00".parse::<Hash>().is_err());
        assert!(hash.to_hex().to_uppercase().parse::<Hash>().is_err());
        assert!(format!("{}é", "0".repeat(62)).parse::<Hash>().is_err());
    }
}
