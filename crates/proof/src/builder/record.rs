//! What a runtime tells about one leaf, and the commit that is made of it.

use plan_ir::graph::{NodeId, NodeKind};
use schema::hash::Hash;

use super::ProofBuilder;
use crate::attempt::{Attempt, add_cost, chain_next, chain_start};
use crate::body::{Field, body_commit};
use crate::commit::{Attempts, Bodies, Evidence, NodeCommit, OperationRef, Outcome, Peer, Times};
use crate::cost::Cost;
use crate::limits::{ATTEMPTS_MAX, COMMIT_BYTES_MAX};

/// What became of one instance of a node that began.
#[derive(Clone, Debug)]
pub struct NodeRecord<'a> {
    /// The node.
    pub node: NodeId,
    /// Index of the element in each enclosing fan-out, outermost first.
    pub iteration: &'a [u32],
    /// The outcome. Nodes that never began, and arms not taken, have no record.
    pub outcome: Outcome,
    /// When.
    pub times: Times,
    /// The operation that answered, or refused last.
    pub operation: Option<OperationRef>,
    /// Hash of its Ledger entry.
    pub ledger_entry: Option<Hash>,
    /// Content.
    pub contents: Contents<'a>,
    /// Everything that was sent, in order of sending; its cost is the cost of the node.
    pub attempts: &'a [Attempt],
    /// Who answered.
    pub peer: Option<PeerRecord<'a>>,
    /// Evidence kept elsewhere.
    pub evidence: Vec<Evidence>,
}

impl<'a> NodeRecord<'a> {
    /// The record of a node with an outcome and nothing else.
    #[must_use]
    pub fn new(node: NodeId, iteration: &'a [u32], outcome: Outcome, times: Times) -> Self {
        Self {
            node,
            iteration,
            outcome,
            times,
            operation: None,
            ledger_entry: None,
            contents: Contents::default(),
            attempts: &[],
            peer: None,
            evidence: Vec::new(),
        }
    }
}

/// Content of a leaf; see [`Bodies`] for what each is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contents<'a> {
    /// Canonical bytes of what the node was given.
    pub input: Option<&'a [u8]>,
    /// The redacted request.
    pub request: Option<&'a [u8]>,
    /// The answer.
    pub response: Option<&'a [u8]>,
    /// Canonical bytes of its value.
    pub output: Option<&'a [u8]>,
}

/// Who answered a call.
#[derive(Clone, Copy, Debug)]
pub struct PeerRecord<'a> {
    /// How it identified itself.
    pub scheme: &'a str,
    /// Its key.
    pub key: &'a [u8],
    /// Its signature, where it gave one.
    pub signature: Option<&'a [u8]>,
    /// The bytes it signed.
    pub signed: Option<&'a [u8]>,
}

/// A leaf that waits for its ordinal.
#[derive(Debug)]
pub(super) struct Recorded {
    /// Complete but for the ordinal.
    pub(super) commit: NodeCommit,
    /// Content to show, ascending by field.
    pub(super) shown: Vec<Shown>,
}

pub(super) type Shown = (Field, [u8; 32], Vec<u8>);

impl ProofBuilder {
    pub(super) fn check(&self, record: &NodeRecord<'_>) -> Result<(), &'static str> {
        let shape = &self.plan.graph.shape;
        let kind = shape.kind(record.node).ok_or("the plan has no such node")?;
        if shape.depth(record.node) != Some(record.iteration.len()) {
            return Err("the iteration does not have one index for each fan-out around the node");
        }
        if !record.outcome.began() {
            return Err("what never began is not recorded");
        }
        if !record.outcome.fits(kind) {
            return Err("the outcome is not one of this kind of node");
        }
        if record.times.start_us > record.times.end_us {
            return Err("it ends before it starts");
        }
        if record.attempts.len() > ATTEMPTS_MAX as usize {
            return Err("it has more attempts than a proof may hold");
        }
        Ok(())
    }

    /// The commit, complete but for its ordinal, with the content to show.
    pub(super) fn commit(&self, record: &NodeRecord<'_>) -> Result<Recorded, &'static str> {
        let place = record.outcome.place();
        let mut shown = Vec::new();
        let mut commit_to = |field, bytes: Option<&[u8]>| {
            let bytes = bytes?;
            let salt = self.secret.salt(record.node, place, record.iteration, field);
            if self.show.shows(field) {
                shown.push((field, salt, bytes.to_vec()));
            }
            Some(body_commit(&salt, bytes))
        };
        let bodies = Bodies {
            input: commit_to(Field::Input, record.contents.input),
            request: commit_to(Field::Request, record.contents.request),
            response: commit_to(Field::Response, record.contents.response),
            output: commit_to(Field::Output, record.contents.output),
        };
        let signed = commit_to(Field::Signed, record.peer.and_then(|peer| peer.signed));
        let (attempts, cost) = self.attempts(record, &mut shown)?;
        shown.sort_by_key(|(field, ..)| *field);
        let commit = NodeCommit {
            run_id: self.header.run_id,
            ordinal: 0,
            node: record.node,
            node_hash: self.plan.graph.node_hash(record.node).ok_or("the plan has no such node")?,
            iteration: record.iteration.to_vec(),
            outcome: record.outcome.clone(),
            operation: record.operation.clone(),
            ledger_entry: record.ledger_entry,
            bodies,
            times: Some(record.times),
            attempts,
            cost,
            peer: record.peer.map(|peer| Peer {
                scheme: peer.scheme.to_owned(),
                key: peer.key.to_vec(),
                signature: peer.signature.map(<[u8]>::to_vec),
                signed,
            }),
            evidence: record.evidence.clone(),
        };
        if commit.has_call() && self.plan.graph.shape.kind(record.node) != Some(NodeKind::Call) {
            return Err("only calls have operations, requests, answers, attempts and peers");
        }
        // An ordinal takes up to four bytes more than the zero that stands for it.
        let bytes = commit.to_bytes();
        if bytes.len() + 4 > COMMIT_BYTES_MAX || !commit.keeps_limits() {
            return Err("a name, a key, a signature or a list is longer than the format allows");
        }
        debug_assert_eq!(NodeCommit::from_bytes(&bytes).as_ref(), Ok(&commit), "as a verifier reads it");
        Ok(Recorded { commit, shown })
    }

    fn attempts(
        &self,
        record: &NodeRecord<'_>,
        shown: &mut Vec<Shown>,
    ) -> Result<(Option<Attempts>, Option<Cost>), &'static str> {
        if record.attempts.is_empty() {
            return Ok((None, None));
        }
        let salt = self.secret.salt(record.node, record.outcome.place(), record.iteration, Field::Attempts);
        let mut head = chain_start(&self.genesis, &salt);
        let mut chain = crate::object::Writer::default();
        chain.array(record.attempts.len());
        let mut cost: Option<Cost> = None;
        for attempt in record.attempts {
            let bytes = attempt.to_bytes();
            head = chain_next(&head, &bytes);
            cost = add_cost(cost, attempt.cost).ok_or("its cost does not fit 64 bits")?;
            if self.show.shows(Field::Attempts) {
                chain.bytes(&bytes);
            }
        }
        if self.show.shows(Field::Attempts) {
            shown.push((Field::Attempts, salt, chain.into_bytes()));
        }
        let count = u32::try_from(record.attempts.len()).map_err(|_| "it has too many attempts")?;
        Ok((Some(Attempts { count, head }), cost))
    }
}
