//! What is committed about one leaf of a run.

use plan_ir::graph::NodeId;
use schema::hash::{Context, Hash};

use crate::cost::Cost;
use crate::limits::{COMMIT_BYTES_MAX, EVIDENCE_MAX, ITERATION_DEPTH_MAX, NAME_LENGTH_MAX, OPAQUE_BYTES_MAX};
use crate::object::{Entries, Fields, ObjectError, Problem, Reader, Writer, decode, encode};

mod outcome;

pub use outcome::{Kind, Outcome, SkipReason};
use outcome::{Status, read_outcome};

/// The commit of one leaf. Message content stands in it only as salted hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCommit {
    /// The run, so that a commit of one run is never one of another.
    pub run_id: [u8; 16],
    /// The leaf's number.
    pub ordinal: u32,
    /// The plan's node.
    pub node: NodeId,
    /// Hash of that node in the plan's graph.
    pub node_hash: Hash,
    /// Index of the element in each enclosing fan-out, outermost first.
    pub iteration: Vec<u32>,
    /// What became of it.
    pub outcome: Outcome,
    /// The operation that answered, or refused last.
    pub operation: Option<OperationRef>,
    /// Hash of the Ledger entry the call was made by.
    pub ledger_entry: Option<Hash>,
    /// Salted commits to content.
    pub bodies: Bodies,
    /// When; of everything that was not skipped.
    pub times: Option<Times>,
    /// What was tried; of calls.
    pub attempts: Option<Attempts>,
    /// What all attempts cost together.
    pub cost: Option<Cost>,
    /// Who answered, where the transport says so.
    pub peer: Option<Peer>,
    /// Further evidence, by hash.
    pub evidence: Vec<Evidence>,
}

/// Salted commits to content; see [`crate::body`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bodies {
    /// What the node was given, as canonical bytes.
    pub input: Option<Hash>,
    /// The request, redacted, as it would be on the wire.
    pub request: Option<Hash>,
    /// The answer, as it was on the wire.
    pub response: Option<Hash>,
    /// The node's value as canonical bytes. Of a branch's head it is the index of the arm, of a
    /// fan-out's head the list of its elements.
    pub output: Option<Hash>,
}

/// A catalogued operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRef {
    /// The subnet.
    pub netuid: u16,
    /// Its id, such as `sn22.web_search`.
    pub id: String,
}

/// When a leaf began and ended. Microseconds; the clock of a run never goes backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Since 1970 UTC.
    pub start_us: u64,
    /// Since 1970 UTC.
    pub end_us: u64,
    /// Measured on a clock that is never set.
    pub monotonic_us: u64,
}

/// All attempts of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub count: u32,
    /// Head of their chain, see [`crate::attempt`].
    pub head: Hash,
}

/// Who answered, as the transport tells it. Recorded, not judged, by this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// How it identified itself, such as `axon-v10/sr25519`.
    pub scheme: String,
    /// Its key.
    pub key: Vec<u8>,
    /// Its signature over its answer, where it gave one.
    pub signature: Option<Vec<u8>>,
    /// Salted commit to the bytes it signed.
    pub signed: Option<Hash>,
}

/// A piece of evidence kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it is.
    pub kind: String,
    /// Its hash.
    pub hash: Hash,
}

/// The hash of a commit, as it goes into its lock.
#[must_use]
pub fn commit_hash(bytes: &[u8]) -> Hash {
    Context::Node.hash(&[bytes])
}

impl NodeCommit {
    /// The bytes that are hashed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(384, |fields| self.write(fields))
    }

    /// Whether it has anything that only calls have.
    #[must_use]
    pub const fn has_call(&self) -> bool {
        self.operation.is_some()
            || self.ledger_entry.is_some()
            || self.bodies.request.is_some()
            || self.bodies.response.is_some()
            || self.attempts.is_some()
            || self.cost.is_some()
            || self.peer.is_some()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.bytes(1, &self.run_id);
        fields.uint(2, u64::from(self.ordinal));
        fields.put(3, |w| {
            w.object(|fields| {
                fields.uint(0, u64::from(self.node.0));
                fields.bytes(1, &self.node_hash.0);
                let iteration = Some(&self.iteration).filter(|iteration| !iteration.is_empty());
                fields.maybe(2, iteration, |w, iteration| {
                    w.array(iteration.len());
                    iteration.iter().for_each(|index| w.uint(u64::from(*index)));
                });
            });
        });
        fields.uint(4, self.outcome.kind() as u64);
        fields.maybe(5, self.operation.as_ref(), |w, operation| {
            w.object(|fields| {
                fields.uint(0, u64::from(operation.netuid));
                fields.text(1, &operation.id);
            });
        });
        let hash = |w: &mut Writer, hash: Hash| w.bytes(&hash.0);
        fields.maybe(6, self.ledger_entry, hash);
        fields.maybe(7, self.bodies.input, hash);
        fields.maybe(8, self.bodies.request, hash);
        fields.maybe(9, self.bodies.response, hash);
        fields.maybe(10, self.bodies.output, hash);
        if let Some(times) = &self.times {
            fields.uint(11, times.start_us);
            fields.uint(12, times.end_us);
            fields.uint(13, times.monotonic_us);
        }
        fields.maybe(14, self.attempts, |w, attempts| {
            w.object(|fields| {
                fields.uint(0, u64::from(attempts.count));
                fields.bytes(1, &attempts.head.0);
            });
        });
        fields.maybe(15, self.cost, |w, cost| cost.write(w));
        self.outcome.write_status(fields);
        fields.maybe(17, self.peer.as_ref(), |w, peer| peer.write(w));
        let evidence = Some(&self.evidence).filter(|evidence| !evidence.is_empty());
        fields.maybe(18, evidence, |w, evidence| {
            w.array(evidence.len());
            evidence.iter().for_each(|evidence| evidence.write(w));
        });
        self.outcome.write_decision(fields);
    }

    /// The commit that `bytes` are.
    ///
    /// # Errors
    /// [`ObjectError`] for anything [`NodeCommit::to_bytes`] does not make of a commit whose fields go
    /// together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ObjectError> {
        crate::object::limit(bytes, COMMIT_BYTES_MAX, "the size of a node commit")?;
        decode(bytes, Self::read)
    }

    /// Whether each of its names, keys, signatures and lists is as short as [`NodeCommit::from_bytes`] asks for.
    pub(crate) fn keeps_limits(&self) -> bool {
        let is_name = |text: &str| text.len() <= NAME_LENGTH_MAX;
        let is_opaque = |bytes: &[u8]| bytes.len() <= OPAQUE_BYTES_MAX;
        let is_peer = |peer: &Peer| {
            is_name(&peer.scheme)
                && is_opaque(&peer.key)
                && peer.signature.as_ref().is_none_or(|signature| is_opaque(signature))
        };
        self.iteration.len() <= ITERATION_DEPTH_MAX
            && self.operation.as_ref().is_none_or(|operation| is_name(&operation.id))
            && self.outcome.code().is_none_or(is_name)
            && self.peer.as_ref().is_none_or(is_peer)
            && self.evidence.len() <= EVIDENCE_MAX
            && self.evidence.iter().all(|evidence| is_name(&evidence.kind))
    }

    fn read(fields: &mut Entries<'_, '_>) -> Result<Self, ObjectError> {
        let run_id = fields.get(1, |r| r.fixed())?;
        let ordinal = fields.get(2, |r| r.u32("the ordinal"))?;
        let (node, node_hash, iteration) = fields.get(3, read_node)?;
        let kind = fields.get(4, |r| r.uint())?;
        let operation = fields.maybe(5, read_operation)?;
        let ledger_entry = fields.maybe(6, |r| r.fixed())?.map(Hash);
        let bodies = Bodies {
            input: fields.maybe(7, |r| r.fixed())?.map(Hash),
            request: fields.maybe(8, |r| r.fixed())?.map(Hash),
            response: fields.maybe(9, |r| r.fixed())?.map(Hash),
            output: fields.maybe(10, |r| r.fixed())?.map(Hash),
        };
        let times = match fields.maybe(11, |r| r.uint())? {
            Some(start_us) => {
                let end_us = fields.get(12, |r| r.uint())?;
                Some(Times { start_us, end_us, monotonic_us: fields.get(13, |r| r.uint())? })
            }
            None => None,
        };
        let attempts = fields.maybe(14, read_attempts)?;
        let cost = fields.maybe(15, Cost::read)?;
        let status = fields.maybe(16, Status::read)?;
        let peer = fields.maybe(17, Peer::read)?;
        let evidence = fields.maybe(18, read_evidence)?.unwrap_or_default();
        let outcome = read_outcome(kind, status, fields)?;
        let began = outcome.began();
        fields.check(times.is_some() == began, "a time of what never began, or none of what did")?;
        let idle = operation.is_none()
            && ledger_entry.is_none()
            && bodies == Bodies::default()
            && attempts.is_none()
            && cost.is_none()
            && peer.is_none()
            && evidence.is_empty();
        fields.check(began || idle, "content of what never began")?;
        fields.check(cost.is_none() || attempts.is_some(), "a cost without attempts")?;
        Ok(Self {
            run_id,
            ordinal,
            node,
            node_hash,
            iteration,
            outcome,
            operation,
            ledger_entry,
            bodies,
            times,
            attempts,
            cost,
            peer,
            evidence,
        })
    }
}

fn read_node(reader: &mut Reader<'_>) -> Result<(NodeId, Hash, Vec<u32>), ObjectError> {
    reader.object(|fields| {
        let id = NodeId(fields.get(0, |r| r.u32("the node id"))?);
        let hash = Hash(fields.get(1, |r| r.fixed())?);
        let iteration = fields.maybe(2, |r| {
            let count = r.array(ITERATION_DEPTH_MAX, "the length of an iteration vector")?;
            if count == 0 {
                return r.fail(Problem::Range("an iteration vector of no fan-out"));
            }
            (0..count).map(|_| r.u32("an index")).collect::<Result<Vec<_>, _>>()
        })?;
        Ok((id, hash, iteration.unwrap_or_default()))
    })
}

pub(crate) fn read_operation(reader: &mut Reader<'_>) -> Result<OperationRef, ObjectError> {
    reader.object(|fields| {
        let netuid = fields.get(0, |r| r.uint_to(u64::from(u16::MAX), "the netuid"))? as u16;
        let id = fields.get(1, |r| r.text(NAME_LENGTH_MAX, "the length of an operation id"))?;
        Ok(OperationRef { netuid, id: id.to_owned() })
    })
}

fn read_attempts(reader: &mut Reader<'_>) -> Result<Attempts, ObjectError> {
    reader.object(|fields| {
        let count = fields.get(0, |r| r.u32("the number of attempts"))?;
        fields.check((1..=crate::limits::ATTEMPTS_MAX).contains(&count), "the number of attempts")?;
        Ok(Attempts { count, head: Hash(fields.get(1, |r| r.fixed())?) })
    })
}

fn read_evidence(reader: &mut Reader<'_>) -> Result<Vec<Evidence>, ObjectError> {
    let count = reader.array(EVIDENCE_MAX, "the number of pieces of evidence")?;
    if count == 0 {
        return reader.fail(Problem::Range("a list of no evidence, which is left out"));
    }
    (0..count).map(|_| Evidence::read(reader)).collect()
}

impl Peer {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.object(|fields| {
            fields.text(0, &self.scheme);
            fields.bytes(1, &self.key);
            fields.maybe(2, self.signature.as_ref(), |w, signature| w.bytes(signature));
            fields.maybe(3, self.signed, |w, hash| w.bytes(&hash.0));
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        reader.object(|fields| {
            Ok(Self {
                scheme: fields.get(0, |r| r.text(NAME_LENGTH_MAX, "the length of a scheme"))?.to_owned(),
                key: fields.get(1, |r| r.bytes(OPAQUE_BYTES_MAX, "the size of a key"))?.to_vec(),
                signature: fields
                    .maybe(2, |r| r.bytes(OPAQUE_BYTES_MAX, "the size of a signature"))?
                    .map(<[u8]>::to_vec),
                signed: fields.maybe(3, |r| r.fixed())?.map(Hash),
            })
        })
    }
}

impl Evidence {
    fn write(&self, writer: &mut Writer) {
        writer.object(|fields| {
            fields.text(0, &self.kind);
            fields.bytes(1, &self.hash.0);
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        reader.object(|fields| {
            let kind = fields.get(0, |r| r.text(NAME_LENGTH_MAX, "the length of a name"))?.to_owned();
            Ok(Self { kind, hash: Hash(fields.get(1, |r| r.fixed())?) })
        })
    }
}
