//! Putting the records of a run in canonical order: ordinals, locks, root and totals.

use std::borrow::Cow;
use std::sync::Arc;

use schema::hash::Hash;

use super::record::Recorded;
use super::{BuildError, Locks, ProofPlan, Records};
use crate::bundle::Disclosure;
use crate::commit::{Bodies, NodeCommit, Outcome, SkipReason};
use crate::cost::Totals;
use crate::leaves::{Control, Leaf, Place};
use crate::lock::lock;
use crate::tree::TreeHasher;

/// Visits the leaves of a run in order.
pub(super) struct Ordering {
    plan: Arc<ProofPlan>,
    run_id: [u8; 16],
    genesis: Hash,
    records: Records,
    placed: usize,
    locks: Vec<Hash>,
    ok: Vec<bool>,
    pub(super) tree: TreeHasher,
    pub(super) totals: Totals,
    pub(super) commits: Vec<Cow<'static, [u8]>>,
    pub(super) disclosures: Vec<Disclosure<'static>>,
    /// The leaves whose locks are asked for.
    pub(super) wanted: Locks,
}

impl Ordering {
    pub(super) fn new(
        plan: Arc<ProofPlan>,
        run_id: [u8; 16],
        genesis: Hash,
        records: Records,
        wanted: Locks,
    ) -> Self {
        let leaves = records.count;
        Self {
            plan,
            run_id,
            genesis,
            records,
            placed: 0,
            locks: Vec::with_capacity(leaves),
            ok: Vec::with_capacity(leaves),
            tree: TreeHasher::default(),
            totals: Totals::default(),
            commits: Vec::with_capacity(leaves),
            disclosures: Vec::new(),
            wanted,
        }
    }

    pub(super) fn visit(&mut self, leaf: &Leaf<'_>) -> Result<Control, BuildError> {
        let Recorded { mut commit, shown } = match self.records.take(leaf) {
            Some(recorded) => {
                self.placed += 1;
                recorded
            }
            None => Recorded { commit: self.not_begun(leaf), shown: Vec::new() },
        };
        commit.ordinal = leaf.ordinal;
        let bytes = commit.to_bytes();
        let parents = leaf.parents.iter().map(|&parent| at(&self.locks, parent));
        let lock = lock(&self.genesis, leaf.ordinal, &bytes, parents);
        if leaf.place == Place::Node
            && !self.wanted.is_empty()
            && let Some(wanted) = self.wanted.get_mut(&(leaf.node, leaf.iteration.to_vec()))
        {
            *wanted = Some(lock);
        }
        self.tree.push(&lock);
        self.locks.push(lock);
        self.ok.push(commit.outcome.is_ok());
        let money = commit.cost.map(|cost| cost.money).unwrap_or_default();
        let attempts = commit.attempts.map_or(0, |attempts| attempts.count);
        let netuid = commit.operation.as_ref().map(|operation| operation.netuid);
        let overflow = || BuildError::Run("its total cost does not fit 64 bits".into());
        self.totals.add(money, attempts, netuid).ok_or_else(overflow)?;
        self.commits.push(Cow::Owned(bytes));
        self.disclosures.extend(shown.into_iter().map(|(field, salt, bytes)| Disclosure {
            ordinal: Some(leaf.ordinal),
            field,
            salt,
            bytes: Cow::Owned(bytes),
        }));
        Ok(commit.outcome.control())
    }

    /// The commit of a leaf nobody recorded: an arm that was not taken, or a node that never began.
    fn not_begun(&self, leaf: &Leaf<'_>) -> NodeCommit {
        let held_up = leaf.parents.iter().any(|&parent| self.ok.get(parent as usize) == Some(&false));
        let reason = if held_up { SkipReason::Parent } else { SkipReason::Stopped };
        NodeCommit {
            run_id: self.run_id,
            ordinal: leaf.ordinal,
            node: leaf.node,
            node_hash: self.plan.graph.node_hash(leaf.node).unwrap_or_default(),
            iteration: leaf.iteration.to_vec(),
            outcome: match leaf.place {
                Place::Arm(arm) => Outcome::Untaken { arm },
                place => Outcome::Skipped { reason, join: place == Place::Join },
            },
            operation: None,
            ledger_entry: None,
            bodies: Bodies::default(),
            times: None,
            attempts: None,
            cost: None,
            peer: None,
            evidence: Vec::new(),
        }
    }

    /// Refuses records that belong to no leaf, such as one of a loop's element past its last.
    pub(super) fn all_placed(&self) -> Result<(), BuildError> {
        if self.placed == self.records.count {
            return Ok(());
        }
        let node = self
            .records
            .first_left()
            .map_or_else(String::new, |commit| self.plan.graph.name(commit.node, &commit.iteration));
        let reason = "no leaf of the run is there: a branch or loop before it decided otherwise";
        Err(BuildError::Record { node, reason })
    }
}

/// The lock of a leaf that was visited.
fn at(locks: &[Hash], ordinal: u32) -> &Hash {
    const NONE: &Hash = &Hash([0; 32]);
    locks.get(ordinal as usize).unwrap_or(NONE)
}
