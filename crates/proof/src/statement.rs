//! What the runtime signs when a run is over.

use schema::hash::{Context, Hash};
use serde::Serialize;

use crate::VERSION;
use crate::cost::Totals;
use crate::key::{PublicKey, RUN_TYPE, RuntimeKey, Signature};
use crate::limits::{NAME_LENGTH_MAX, OBJECT_BYTES_MAX};
use crate::object::{ObjectError, Problem, Reader, Writer, decode, encode};

/// The signed statement of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStatement {
    /// The hash of the header, which all locks start from.
    pub genesis: Hash,
    /// Hash of the compiled plan.
    pub plan_hash: Hash,
    /// Number of leaves.
    pub leaves: u32,
    /// Root of the tree over all locks.
    pub root: Hash,
    /// Salted commit to the result; only of a run that succeeded.
    pub output_commit: Option<Hash>,
    /// Sums over all leaves.
    pub totals: Totals,
    /// When the run ended, microseconds since 1970 UTC.
    pub closed_at_us: u64,
    /// How it ended.
    pub result: RunResult,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunResult {
    /// With a result: nothing at the top level of the plan failed.
    Succeeded,
    /// With an error.
    Failed {
        /// Code of the error's page.
        code: String,
    },
    /// It was told to stop.
    Cancelled,
}

impl RunStatement {
    /// The bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(256, |fields| {
            fields.uint(0, VERSION);
            fields.bytes(1, &self.genesis.0);
            fields.bytes(2, &self.plan_hash.0);
            fields.uint(3, u64::from(self.leaves));
            fields.bytes(4, &self.root.0);
            fields.maybe(5, self.output_commit.as_ref(), |w, commit| w.bytes(&commit.0));
            fields.put(6, |w| self.totals.write(w));
            fields.uint(7, self.closed_at_us);
            match &self.result {
                RunResult::Succeeded => fields.uint(8, 0),
                RunResult::Failed { code } => {
                    fields.uint(8, 1);
                    fields.text(9, code);
                }
                RunResult::Cancelled => fields.uint(8, 2),
            }
        })
    }

    /// The statement that `bytes` are.
    ///
    /// # Errors
    /// [`ObjectError`] for anything [`RunStatement::to_bytes`] does not make; [`crate::Problem::Version`] for another
    /// version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ObjectError> {
        // Calls are counted by subnet, and there are at most 2^16 of those.
        crate::object::limit(bytes, OBJECT_BYTES_MAX, "the size of a statement")?;
        decode(bytes, |fields| {
            fields.get(0, |r| r.version())?;
            let genesis = Hash(fields.get(1, |r| r.fixed())?);
            let plan_hash = Hash(fields.get(2, |r| r.fixed())?);
            let leaves = fields.get(3, |r| r.u32("the number of leaves"))?;
            let root = Hash(fields.get(4, |r| r.fixed())?);
            let output_commit = fields.maybe(5, |r| r.fixed())?.map(Hash);
            let totals = fields.get(6, Totals::read)?;
            let closed_at_us = fields.get(7, |r| r.uint())?;
            let kind = fields.get(8, |r| r.uint())?;
            let code = fields.maybe(9, |r| r.text(NAME_LENGTH_MAX, "the length of a code"))?;
            let result = match (kind, code) {
                (0, None) => RunResult::Succeeded,
                (1, Some(code)) => RunResult::Failed { code: code.to_owned() },
                (2, None) => RunResult::Cancelled,
                _ => return fields.reader.fail(Problem::Range("the result")),
            };
            let succeeded = result == RunResult::Succeeded;
            fields.check(output_commit.is_some() == succeeded, "a result without its output")?;
            Ok(Self { genesis, plan_hash, leaves, root, output_commit, totals, closed_at_us, result })
        })
    }
}

/// The name of a proof: the hash of its statement. Signatures do not count, so adding one does not
/// change the name.
#[must_use]
pub fn proof_id(statement: &[u8]) -> Hash {
    Context::ProofId.hash(&[statement])
}

/// A signature with the key that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// The key.
    pub key: PublicKey,
    /// Its signature over the pre-authentication encoding of the statement.
    pub signature: Signature,
}

impl SignedBy {
    /// Signs the bytes of a statement.
    #[must_use]
    pub fn statement(key: &RuntimeKey, statement: &[u8]) -> Self {
        Self { key: key.public(), signature: key.sign(RUN_TYPE, statement) }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.object(|fields| {
            fields.bytes(0, &self.key.0);
            fields.bytes(1, &self.signature.0);
        });
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        reader.object(|fields| {
            let key = PublicKey(fields.get(0, |r| r.fixed())?);
            Ok(Self { key, signature: Signature(fields.get(1, |r| r.fixed())?) })
        })
    }
}
