//! What is fixed about a run before its first call. Every lock starts from the hash of the header.

use schema::hash::Hash;

use crate::VERSION;
use crate::key::PublicKey;
use crate::limits::{OBJECT_BYTES_MAX, OPAQUE_BYTES_MAX};
use crate::object::{ObjectError, decode, encode};

/// The only signature algorithm of this version: Ed25519, strict.
const ED25519_STRICT: u64 = 1;

/// The header of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// A UUID of version 7, big-endian.
    pub run_id: [u8; 16],
    /// Hash of the compiled plan.
    pub plan_hash: Hash,
    /// Hash of the challenge the run answers.
    pub challenge_hash: Hash,
    /// Salted commit to the plan's inputs as canonical bytes.
    pub input_commit: Hash,
    /// The key that will sign the statement.
    pub runtime_key: PublicKey,
    /// Hash that names the build of the runtime.
    pub build_hash: Hash,
    /// When the run began, microseconds since 1970 UTC.
    pub opened_at_us: u64,
    /// The head of the Ledger's log the run's entries are from, where there is such a log.
    pub ledger: Option<LedgerCheckpoint>,
    /// A pseudonym of the tenant.
    pub tenant: Option<Vec<u8>>,
    /// Hash whose preimage pays for the run.
    pub payment_hash: Option<[u8; 32]>,
}

/// A head of the Ledger's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerCheckpoint {
    /// Number of entries.
    pub size: u64,
    /// Root over them.
    pub root: [u8; 32],
}

impl Header {
    /// The bytes that are hashed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(320, |fields| {
            fields.uint(0, VERSION);
            fields.bytes(1, &self.run_id);
            fields.bytes(2, &self.plan_hash.0);
            fields.bytes(3, &self.challenge_hash.0);
            fields.bytes(4, &self.input_commit.0);
            fields.bytes(5, &self.runtime_key.0);
            fields.uint(6, ED25519_STRICT);
            fields.bytes(7, &self.build_hash.0);
            fields.uint(8, self.opened_at_us);
            fields.maybe(9, self.ledger.as_ref(), |w, ledger| {
                w.object(|fields| {
                    fields.uint(0, ledger.size);
                    fields.bytes(1, &ledger.root);
                });
            });
            fields.maybe(10, self.tenant.as_ref(), |w, tenant| w.bytes(tenant));
            fields.maybe(11, self.payment_hash.as_ref(), |w, hash| w.bytes(hash));
        })
    }

    /// The header that `bytes` are.
    ///
    /// # Errors
    /// [`ObjectError`] for anything [`Header::to_bytes`] does not make; [`crate::Problem::Version`] for another
    /// version, key 6 another signature algorithm.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ObjectError> {
        crate::object::limit(bytes, OBJECT_BYTES_MAX, "the size of a header")?;
        decode(bytes, |fields| {
            fields.get(0, |r| r.version())?;
            let run_id = fields.get(1, |r| r.fixed())?;
            let plan_hash = Hash(fields.get(2, |r| r.fixed())?);
            let challenge_hash = Hash(fields.get(3, |r| r.fixed())?);
            let input_commit = Hash(fields.get(4, |r| r.fixed())?);
            let runtime_key = PublicKey(fields.get(5, |r| r.fixed())?);
            let algorithm = fields.get(6, |r| r.uint())?;
            fields.check(algorithm == ED25519_STRICT, "the signature algorithm")?;
            Ok(Self {
                run_id,
                plan_hash,
                challenge_hash,
                input_commit,
                runtime_key,
                build_hash: Hash(fields.get(7, |r| r.fixed())?),
                opened_at_us: fields.get(8, |r| r.uint())?,
                ledger: fields.maybe(9, |r| {
                    r.object(|fields| {
                        let size = fields.get(0, |r| r.uint())?;
                        Ok(LedgerCheckpoint { size, root: fields.get(1, |r| r.fixed())? })
                    })
                })?,
                tenant: fields
                    .maybe(10, |r| r.bytes(OPAQUE_BYTES_MAX, "the size of a tenant"))?
                    .map(<[u8]>::to_vec),
                payment_hash: fields.maybe(11, |r| r.fixed())?,
            })
        })
    }
}
