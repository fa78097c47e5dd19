//! The chain of a call's attempts: retries, failovers and losers all leave a link, each with its own
//! cost, so a commit cannot show fewer than its head covers.

use schema::error::CallErrorKind;
use schema::hash::{Context, Hash};

use crate::commit::{OperationRef, read_operation};
use crate::cost::Cost;
use crate::limits::{COMMIT_BYTES_MAX, NAME_LENGTH_MAX};
use crate::object::{ObjectError, Problem, decode, encode};

/// One try on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The operation it was sent to.
    pub operation: OperationRef,
    /// When it was sent, microseconds since 1970 UTC.
    pub start_us: u64,
    /// When its answer was complete or given up, microseconds since 1970 UTC.
    pub end_us: u64,
    /// Why it gave no value; `None` for success.
    pub error: Option<CallErrorKind>,
    /// What it cost, where it cost anything.
    pub cost: Option<Cost>,
}

impl Attempt {
    /// The bytes that are chained.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(96, |fields| {
            fields.put(0, |w| {
                w.object(|fields| {
                    fields.uint(0, u64::from(self.operation.netuid));
                    fields.text(1, &self.operation.id);
                });
            });
            fields.uint(1, self.start_us);
            fields.uint(2, self.end_us);
            fields.maybe(3, self.error, |w, error| w.text(error.name()));
            fields.maybe(4, self.cost, |w, cost| cost.write(w));
        })
    }

    /// The attempt that `bytes` are.
    ///
    /// # Errors
    /// [`ObjectError`] for anything [`Attempt::to_bytes`] does not make.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ObjectError> {
        crate::object::limit(bytes, COMMIT_BYTES_MAX, "the size of an attempt")?;
        decode(bytes, |fields| {
            let operation = fields.get(0, read_operation)?;
            let start_us = fields.get(1, |r| r.uint())?;
            let end_us = fields.get(2, |r| r.uint())?;
            fields.check(start_us <= end_us, "an end before the start")?;
            let error = fields.maybe(3, |r| {
                let name = r.text(NAME_LENGTH_MAX, "the length of a kind")?;
                let kind = CallErrorKind::ALL.into_iter().find(|kind| kind.name() == name);
                kind.map_or_else(|| r.fail(Problem::Range("the kind of an error")), Ok)
            })?;
            Ok(Self { operation, start_us, end_us, error, cost: fields.maybe(4, Cost::read)? })
        })
    }
}

/// The start of a chain: attempts are as guessable as content, so it is salted too.
#[must_use]
pub fn chain_start(genesis: &Hash, salt: &[u8; 32]) -> Hash {
    Context::Attempt.hash(&[&genesis.0, salt])
}

/// The head of a chain after one more attempt with these bytes.
#[must_use]
pub fn chain_next(head: &Hash, attempt: &[u8]) -> Hash {
    Context::Attempt.hash(&[&head.0, attempt])
}

/// What attempts cost together: the least sure basis counts. `None` where the sum does not fit 64 bits.
#[must_use]
pub fn add_cost(sum: Option<Cost>, next: Option<Cost>) -> Option<Option<Cost>> {
    let (Some(sum), Some(next)) = (sum, next) else {
        return Some(sum.or(next));
    };
    let money = sum.money.checked_add(next.money)?;
    Some(Some(Cost { money, basis: sum.basis.max(next.basis) }))
}
