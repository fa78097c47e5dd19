//! Making a proof: what a runtime calls when a run opens, when a node is done, and when the run closes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::graph::NodeId;
use schema::hash::Hash;

use crate::body::{Field, RunSecret, body_commit};
use crate::bundle::{Bundle, Disclosure, SignError};
use crate::challenge::challenge_hash;
use crate::commit::NodeCommit;
use crate::header::Header;
use crate::key::{PublicKey, RuntimeKey};
use crate::leaves::{Leaf, Place, WalkError, walk};
use crate::lock::genesis;
use crate::object::ObjectError;
use crate::plan::{PlanGraph, PlanGraphError};
use crate::statement::{RunResult, RunStatement};

mod opening;
mod ordering;
mod record;

pub use opening::{Opened, Opening};
use ordering::Ordering;
use record::Recorded;
pub use record::{Contents, NodeRecord, PeerRecord};

/// A proof that cannot be made. Each of these is a mistake of the runtime or a limit of the format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A record of something the plan or the format does not have.
    #[error("[E1320] the record of node {node} cannot be proven: {reason}")]
    Record {
        /// The node's instance.
        node: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Opening, plan, secret, key and result do not belong together.
    #[error("[E1321] the proof of this run cannot be made: {0}")]
    Opening(String),
    /// The run is larger than a proof may be.
    #[error("[E1322] the run is too large to be proven: {0}")]
    Run(String),
}

impl From<SignError> for BuildError {
    fn from(error: SignError) -> Self {
        Self::Opening(error.to_string())
    }
}

/// A plan, prepared for proofs of its runs.
#[derive(Clone, Debug)]
pub struct ProofPlan {
    /// Its graph.
    pub graph: PlanGraph,
    bytes: Vec<u8>,
}

impl ProofPlan {
    /// Prepares the plan that `bytes` are.
    ///
    /// # Errors
    /// [`PlanGraphError`] where the bytes are not a compiled plan.
    pub fn new(bytes: Vec<u8>) -> Result<Self, PlanGraphError> {
        Ok(Self { graph: PlanGraph::from_bytes(&bytes)?, bytes })
    }
}

/// What content a bundle shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// Only commits.
    Nothing,
    /// Inputs and result of the run, and what peers signed of their answers: the hash of the answer among other things.
    #[default]
    Run,
    /// The answers of calls too, as they were on the wire.
    Answers,
    /// All content of all leaves too.
    Everything,
}

impl Show {
    /// Whether this content of a leaf is shown.
    pub(super) const fn shows(self, field: Field) -> bool {
        match self {
            Self::Nothing => false,
            Self::Run => matches!(field, Field::Signed),
            Self::Answers => matches!(field, Field::Signed | Field::Response),
            Self::Everything => true,
        }
    }
}

/// What is known when a run ends.
#[derive(Clone, Debug)]
pub struct Closing<'a> {
    /// How it ended.
    pub result: RunResult,
    /// The result as canonical bytes; of a run that succeeded.
    pub output: Option<&'a [u8]>,
    /// Now, microseconds since 1970 UTC.
    pub closed_at_us: u64,
}

/// Locks of node instances, by node and iteration; `None` of those that are no leaf.
pub type Locks = BTreeMap<(NodeId, Vec<u32>), Option<Hash>>;

/// Collects the records of one run, in whatever order nodes finish, and makes its proof.
///
/// Content is hashed when it is recorded and not kept, unless the bundle is to show it.
#[derive(Debug)]
pub struct ProofBuilder {
    plan: Arc<ProofPlan>,
    opened: Opened,
    header: Header,
    genesis: Hash,
    secret: RunSecret,
    inputs: Option<Vec<u8>>,
    show: Show,
    records: Records,
}

/// The leaves that were recorded, by node and iteration: that of the node itself and its join.
#[derive(Debug)]
struct Records {
    by_node: Vec<BTreeMap<Vec<u32>, [Option<Recorded>; 2]>>,
    count: usize,
}

impl Records {
    fn put(&mut self, recorded: Recorded) -> Result<(), &'static str> {
        let commit = &recorded.commit;
        let node = self.by_node.get_mut(commit.node.0 as usize).ok_or("the plan has no such node")?;
        let [leaf, join] = node.entry(commit.iteration.clone()).or_default();
        let slot = match commit.outcome.place() {
            Place::Node => leaf,
            Place::Join => join,
            Place::Arm(_) => return Err("arms that were not taken are not recorded"),
        };
        if slot.is_some() {
            return Err("it was recorded before");
        }
        *slot = Some(recorded);
        self.count += 1;
        Ok(())
    }

    fn take(&mut self, leaf: &Leaf<'_>) -> Option<Recorded> {
        let [node, join] = self.by_node.get_mut(leaf.node.0 as usize)?.get_mut(leaf.iteration)?;
        match leaf.place {
            Place::Node => node.take(),
            Place::Join => join.take(),
            Place::Arm(_) => None,
        }
    }

    fn first_left(&self) -> Option<&NodeCommit> {
        let leaves = self.by_node.iter().flat_map(BTreeMap::values).flatten();
        leaves.flatten().map(|recorded| &recorded.commit).next()
    }
}

impl ProofBuilder {
    /// Starts the proof of a run of `plan` on `inputs`, opened as `opened` under `secret`.
    ///
    /// # Errors
    /// [`BuildError::Opening`] where these do not belong together.
    pub fn new(
        plan: Arc<ProofPlan>,
        opened: Opened,
        secret: RunSecret,
        inputs: &[u8],
        show: Show,
    ) -> Result<Self, BuildError> {
        let unreadable = |error: ObjectError| BuildError::Opening(error.to_string());
        let header = Header::from_bytes(&opened.header).map_err(unreadable)?;
        if header.plan_hash != plan.graph.hash || header.challenge_hash != challenge_hash(&opened.challenge) {
            return Err(BuildError::Opening("its header is of another plan or challenge".into()));
        }
        if header.input_commit != body_commit(&secret.run_salt(Field::RunInput), inputs) {
            return Err(BuildError::Opening("its header commits to other inputs or another secret".into()));
        }
        Ok(Self::of_header(plan, (opened, header), secret, inputs, show))
    }

    /// Opens a run of `plan` and starts its proof: as [`Opening::open`] and [`ProofBuilder::new`] together, which reads and
    /// checks what the first has made.
    ///
    /// # Errors
    /// As [`Opening::open`].
    pub fn open(
        plan: Arc<ProofPlan>,
        opening: &Opening<'_>,
        secret: RunSecret,
        key: PublicKey,
        show: Show,
    ) -> Result<Self, BuildError> {
        let objects = opening.objects(&plan, &secret, key)?;
        Ok(Self::of_header(plan, objects, secret, opening.inputs, show))
    }

    /// What was fixed before the first call.
    #[must_use]
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The hash of the challenge that the run answers.
    #[must_use]
    pub const fn challenge_hash(&self) -> Hash {
        self.header.challenge_hash
    }

    fn of_header(
        plan: Arc<ProofPlan>,
        (opened, header): (Opened, Header),
        secret: RunSecret,
        inputs: &[u8],
        show: Show,
    ) -> Self {
        let inputs = (show != Show::Nothing).then(|| inputs.to_vec());
        let mut by_node = Vec::new();
        by_node.resize_with(plan.graph.shape.len(), BTreeMap::new);
        let records = Records { by_node, count: 0 };
        let genesis = genesis(&opened.header);
        Self { plan, opened, header, genesis, secret, inputs, show, records }
    }

    /// Commits to what became of one instance of a node. Order does not matter.
    ///
    /// # Errors
    /// [`BuildError::Record`] for what the plan or the format does not have, or what is recorded twice.
    pub fn record(&mut self, record: &NodeRecord<'_>) -> Result<(), BuildError> {
        let recorded = self.check(record).and_then(|()| self.commit(record));
        recorded.and_then(|recorded| self.records.put(recorded)).map_err(|reason| BuildError::Record {
            node: self.plan.graph.name(record.node, record.iteration),
            reason,
        })
    }

    /// Orders the leaves, locks them, and signs. Nodes without a record become skipped leaves.
    ///
    /// # Errors
    /// [`BuildError::Record`] for a record that belongs to no leaf of the run, [`BuildError::Run`] where
    /// the run exceeds a limit of the format, [`BuildError::Opening`] for a key that is not the header's
    /// or an output that does not go with the result.
    pub fn finish(self, closing: &Closing<'_>, key: &RuntimeKey) -> Result<Bundle<'static>, BuildError> {
        let (mut bundle, _) = self.finish_unsigned(closing, Locks::new())?;
        bundle.sign(key)?;
        Ok(bundle)
    }

    /// As [`ProofBuilder::finish`], without the signature, which takes longer than all else of a small proof and which the
    /// proof's id does not depend on: [`Bundle::sign`] adds it. Also tells the lock of each instance in `locks` that is a
    /// leaf of the run.
    ///
    /// # Errors
    /// As [`ProofBuilder::finish`], but for those of a key.
    pub fn finish_unsigned(
        self,
        closing: &Closing<'_>,
        locks: Locks,
    ) -> Result<(Bundle<'static>, Locks), BuildError> {
        if closing.output.is_some() != (closing.result == RunResult::Succeeded) {
            return Err(BuildError::Opening("a run has an output if and only if it succeeded".into()));
        }
        let genesis = self.genesis;
        let plan = Arc::clone(&self.plan);
        let mut ordering = Ordering::new(Arc::clone(&plan), self.header.run_id, genesis, self.records, locks);
        let walked = walk(&plan.graph.shape, |leaf| ordering.visit(leaf)).map_err(|error| match error {
            WalkError::Refused(error) => error,
            limit => BuildError::Run(limit.to_string()),
        })?;
        ordering.all_placed()?;
        let mut disclosures = Vec::with_capacity(ordering.disclosures.len() + 2);
        let mut show = |field, bytes: Option<Vec<u8>>| {
            let salt = self.secret.run_salt(field);
            disclosures.extend(bytes.map(|bytes| Disclosure {
                ordinal: None,
                field,
                salt,
                bytes: bytes.into(),
            }));
        };
        show(Field::RunInput, self.inputs);
        show(Field::RunOutput, closing.output.filter(|_| self.show != Show::Nothing).map(<[u8]>::to_vec));
        disclosures.append(&mut ordering.disclosures);
        let output_salt = self.secret.run_salt(Field::RunOutput);
        let statement = RunStatement {
            genesis,
            plan_hash: plan.graph.hash,
            leaves: walked.leaves,
            // A walk visits at least one leaf.
            root: ordering.tree.root().unwrap_or_default(),
            output_commit: closing.output.map(|output| body_commit(&output_salt, output)),
            totals: ordering.totals,
            closed_at_us: closing.closed_at_us,
            result: closing.result.clone(),
        }
        .to_bytes();
        let bundle = Bundle {
            plan: Cow::Owned(plan.bytes.clone()),
            challenge: self.opened.challenge.into(),
            challenge_signature: None,
            header: self.opened.header.into(),
            commits: ordering.commits,
            signatures: Vec::new(),
            statement: statement.into(),
            disclosures,
        };
        Ok((bundle, ordering.wanted))
    }
}
