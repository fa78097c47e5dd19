//! What is fixed before the first call: the run's own challenge and its header.

use schema::hash::Hash;

use super::{BuildError, ProofPlan};
use crate::body::{Field, RunSecret, body_commit};
use crate::challenge::{Challenge, challenge_hash, objective};
use crate::header::{Header, LedgerCheckpoint};
use crate::key::PublicKey;
use crate::limits::OPAQUE_BYTES_MAX;

/// What is known when a run begins.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// A new UUID of version 7, big-endian.
    pub run_id: [u8; 16],
    /// The inputs as canonical bytes.
    pub inputs: &'a [u8],
    /// Now, microseconds since 1970 UTC.
    pub opened_at_us: u64,
    /// 32 random bytes for the self-issued challenge.
    pub nonce: [u8; 32],
    /// Hash that names the build of the runtime.
    pub build_hash: Hash,
    /// The head of the Ledger's log, where there is one.
    pub ledger: Option<LedgerCheckpoint>,
    /// A pseudonym of the tenant.
    pub tenant: Option<Vec<u8>>,
    /// Hash whose preimage pays for the run.
    pub payment_hash: Option<[u8; 32]>,
}

/// The objects that are fixed before the first call. A runtime journals them, so that after a crash the
/// run goes on under the same header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The challenge.
    pub challenge: Vec<u8>,
    /// The header.
    pub header: Vec<u8>,
}

impl Opening<'_> {
    /// Issues the run's own challenge and fixes its header; `key` will sign the statement, and by that both.
    ///
    /// # Errors
    /// [`BuildError::Opening`] where a field is longer than the format allows.
    pub fn open(&self, plan: &ProofPlan, secret: &RunSecret, key: PublicKey) -> Result<Opened, BuildError> {
        self.objects(plan, secret, key).map(|(opened, _)| opened)
    }

    /// The objects, and the header before it was written.
    pub(super) fn objects(
        &self,
        plan: &ProofPlan,
        secret: &RunSecret,
        key: PublicKey,
    ) -> Result<(Opened, Header), BuildError> {
        if self.tenant.as_ref().is_some_and(|tenant| tenant.len() > OPAQUE_BYTES_MAX) {
            return Err(BuildError::Opening("the tenant's pseudonym is too long".into()));
        }
        let input_commit = body_commit(&secret.run_salt(Field::RunInput), self.inputs);
        let challenge = Challenge {
            nonce: self.nonce,
            issuer: key,
            issued_at_us: self.opened_at_us,
            expires_at_us: self.opened_at_us,
            objective: objective(&plan.graph.hash, &input_commit),
        }
        .to_bytes();
        let header = Header {
            run_id: self.run_id,
            plan_hash: plan.graph.hash,
            challenge_hash: challenge_hash(&challenge),
            input_commit,
            runtime_key: key,
            build_hash: self.build_hash,
            opened_at_us: self.opened_at_us,
            ledger: self.ledger,
            tenant: self.tenant.clone(),
            payment_hash: self.payment_hash,
        };
        Ok((Opened { challenge, header: header.to_bytes() }, header))
    }
}
