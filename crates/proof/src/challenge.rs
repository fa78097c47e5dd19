//! What a run answers to: a fresh nonce, bound to a plan and its inputs.

use schema::hash::{Context, Hash};

use crate::VERSION;
use crate::key::PublicKey;
use crate::limits::OBJECT_BYTES_MAX;
use crate::object::{ObjectError, decode, encode};

/// A challenge. Where nobody else set one, the runtime issues its own; such a challenge binds plan,
/// inputs and run together but does not show that the run came after anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// 32 random bytes of the issuer.
    pub nonce: [u8; 32],
    /// The key that signs the challenge.
    pub issuer: PublicKey,
    /// When it was issued, microseconds since 1970 UTC.
    pub issued_at_us: u64,
    /// The last microsecond at which a run may open on it.
    pub expires_at_us: u64,
    /// What is to be done, see [`objective`].
    pub objective: Hash,
}

/// The objective of a run of a compiled plan on committed inputs.
#[must_use]
pub fn objective(plan_hash: &Hash, input_commit: &Hash) -> Hash {
    Context::Challenge.hash(&[&plan_hash.0, &input_commit.0])
}

/// The hash by which a header names a challenge.
#[must_use]
pub fn challenge_hash(bytes: &[u8]) -> Hash {
    Context::Challenge.hash(&[bytes])
}

impl Challenge {
    /// The bytes that are signed and hashed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(160, |fields| {
            fields.uint(0, VERSION);
            fields.bytes(1, &self.nonce);
            fields.bytes(2, &self.issuer.0);
            fields.uint(3, self.issued_at_us);
            fields.uint(4, self.expires_at_us);
            fields.bytes(5, &self.objective.0);
        })
    }

    /// The challenge that `bytes` are.
    ///
    /// # Errors
    /// [`ObjectError`] for anything [`Challenge::to_bytes`] does not make; [`crate::Problem::Version`] for another
    /// version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ObjectError> {
        crate::object::limit(bytes, OBJECT_BYTES_MAX, "the size of a challenge")?;
        decode(bytes, |fields| {
            fields.get(0, |r| r.version())?;
            Ok(Self {
                nonce: fields.get(1, |r| r.fixed())?,
                issuer: PublicKey(fields.get(2, |r| r.fixed())?),
                issued_at_us: fields.get(3, |r| r.uint())?,
                expires_at_us: fields.get(4, |r| r.uint())?,
                objective: Hash(fields.get(5, |r| r.fixed())?),
            })
        })
    }
}
