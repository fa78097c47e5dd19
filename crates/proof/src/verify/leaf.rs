//! Checks of one leaf after another: it is the one the plan asks for, its lock follows from its parents',
//! and it did not run before or without them.

use plan_ir::graph::NodeKind;
use schema::hash::Hash;
use schema::price::PriceBasis;

use super::verdict::{Attested, Check, Level, Step, Verdict};
use super::{attested, shown};
use crate::attestation::VerifySr25519;
use crate::bundle::Bundle;
use crate::commit::{Kind, NodeCommit, Outcome, SkipReason};
use crate::cost::Totals;
use crate::header::Header;
use crate::leaves::{Control, Leaf, Place};
use crate::limits::FAILURES_MAX;
use crate::lock::lock;
use crate::plan::PlanGraph;
use crate::statement::RunStatement;
use crate::tree::TreeHasher;

/// The walk cannot go on; why is in the verdict.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
pub(super) struct Stop;

/// What verifying one bundle needs at every leaf.
pub(super) struct LeafChecks<'v, 'b> {
    pub(super) bundle: &'b Bundle<'b>,
    pub(super) header: &'v Header,
    pub(super) statement: &'v RunStatement,
    pub(super) genesis: Hash,
    pub(super) plan: &'v PlanGraph,
    pub(super) level: Level,
    pub(super) sr25519: Option<VerifySr25519>,
    pub(super) verdict: &'v mut Verdict,
    pub(super) seen: Seen,
}

/// What is kept of the leaves that were visited.
pub(super) struct Seen {
    locks: Vec<Hash>,
    /// When each leaf was over; of one that never began, when the last of its parents was.
    ends: Vec<u64>,
    pub(super) ok: Vec<bool>,
    pub(super) tree: TreeHasher,
    pub(super) totals: Option<Totals>,
    pub(super) tally: Tally,
}

/// Counts for the list of what is not proven.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) unsure_costs: u32,
    /// Peers that signed nothing which could be checked.
    pub(super) peers: u32,
    pub(super) texts_withheld: u32,
    pub(super) bodies_withheld: u32,
    pub(super) unchecked: u32,
    /// Calls of which some answers are signed and some are not.
    pub(super) partly: u32,
    pub(super) evidence: u32,
    pub(super) cached: u32,
    pub(super) ledger_entries: u32,
    pub(super) content: u32,
    pub(super) content_shown: u32,
}

impl Seen {
    pub(super) fn with_capacity(leaves: usize) -> Self {
        Self {
            locks: Vec::with_capacity(leaves),
            ends: Vec::with_capacity(leaves),
            ok: Vec::with_capacity(leaves),
            tree: TreeHasher::default(),
            totals: Some(Totals::default()),
            tally: Tally::default(),
        }
    }

    pub(super) fn is_ok(&self, leaf: u32) -> bool {
        self.ok.get(leaf as usize).copied().unwrap_or(false)
    }

    fn end(&self, leaf: u32) -> u64 {
        self.ends.get(leaf as usize).copied().unwrap_or(0)
    }
}

impl LeafChecks<'_, '_> {
    pub(super) fn visit(&mut self, leaf: &Leaf<'_>) -> Result<Control, Stop> {
        if self.verdict.failures.len() >= FAILURES_MAX {
            return Err(Stop);
        }
        let Some(bytes) = self.bundle.commits.get(leaf.ordinal as usize) else {
            let missing = "the plan and the decisions before it ask for this leaf, and the bundle ends";
            return self.stop(leaf, missing);
        };
        let commit = match NodeCommit::from_bytes(bytes) {
            Ok(commit) if commit.to_bytes() == **bytes => commit,
            Ok(_) => return self.stop(leaf, "its commit is not in the one form allowed"),
            Err(error) => return self.stop(leaf, &format!("its commit cannot be read: {error}")),
        };
        self.check_place(leaf, &commit)?;
        self.check_order(leaf, &commit);
        self.count(&commit);
        let found = self.verdict.failures.len();
        shown::check_leaf(self, leaf, &commit);
        if self.verdict.failures.len() == found {
            self.check_answer(leaf, &commit);
        }
        let locks = &self.seen.locks;
        const NONE: &Hash = &Hash([0; 32]);
        let parents = leaf.parents.iter().map(|&parent| locks.get(parent as usize).unwrap_or(NONE));
        let lock = lock(&self.genesis, leaf.ordinal, bytes, parents);
        self.seen.tree.push(&lock);
        self.seen.locks.push(lock);
        self.seen.ok.push(commit.outcome.is_ok());
        Ok(commit.outcome.control())
    }

    /// Whether the commit is of this run and of the leaf the walk has reached. What follows depends on
    /// it, so nothing after a misplaced leaf is judged.
    fn check_place(&mut self, leaf: &Leaf<'_>, commit: &NodeCommit) -> Result<(), Stop> {
        if commit.run_id != self.header.run_id {
            return self.stop(leaf, "its commit is of another run");
        }
        if commit.ordinal != leaf.ordinal {
            return self.stop(leaf, &format!("its commit has the number {}", commit.ordinal));
        }
        let place = commit.outcome.place();
        if (commit.node, &*commit.iteration, place) != (leaf.node, leaf.iteration, leaf.place) {
            let found = self.plan.name(commit.node, &commit.iteration);
            return self.stop(leaf, &format!("its commit is of {found}, {}", describe(place)));
        }
        if Some(commit.node_hash) != self.plan.node_hash(leaf.node) {
            return self.stop(leaf, "its commit names another node hash than the plan's");
        }
        let Some(kind) = self.plan.shape.kind(leaf.node) else { return Err(Stop) };
        if !commit.outcome.fits(kind) {
            return self.stop(leaf, &format!("a {kind:?} node cannot be {:?}", commit.outcome.kind()));
        }
        if kind != NodeKind::Call && commit.has_call() {
            return self.stop(leaf, "it has an operation, attempts or a peer and is not a call");
        }
        Ok(())
    }

    /// Whether it began after everything it waits for was there, or has a reason not to have begun.
    fn check_order(&mut self, leaf: &Leaf<'_>, commit: &NodeCommit) {
        let opened = self.header.opened_at_us;
        let ready = leaf.parents.iter().map(|&parent| self.seen.end(parent)).max().unwrap_or(opened);
        let held_up = leaf.parents.iter().any(|&parent| !self.seen.is_ok(parent));
        if let Some(times) = &commit.times {
            let failed_join = matches!(commit.outcome, Outcome::Failed { join: true, .. });
            // A loop may fail for one element while others are still being cancelled.
            let first = || leaf.parents.iter().map(|&parent| self.seen.end(parent)).min().unwrap_or(opened);
            let ready = if failed_join { first() } else { ready };
            if times.start_us < ready.max(opened) {
                self.fail(leaf, Check::Order, "it starts before what it waits for has ended");
            }
            if times.end_us < times.start_us || times.end_us > self.statement.closed_at_us {
                self.fail(leaf, Check::Order, "it ends before it starts or after the run");
            }
        }
        self.seen.ends.push(commit.times.map_or(ready, |times| times.end_us));
        let is_loop = self.plan.shape.kind(leaf.node) == Some(NodeKind::FanOut);
        match &commit.outcome {
            // A loop may come to its value though elements failed; any join may report what failed.
            Outcome::Join if is_loop => {}
            Outcome::Failed { join: true, .. } | Outcome::Untaken { .. } => {}
            Outcome::Skipped { reason, .. } if (*reason == SkipReason::Parent) != held_up => {
                self.fail(leaf, Check::Order, "its reason not to begin does not agree with its parents");
            }
            Outcome::Skipped { .. } => {}
            _ if held_up => {
                self.fail(leaf, Check::Order, "it ran though something it waits for failed or never began");
            }
            _ => {}
        }
    }

    fn count(&mut self, commit: &NodeCommit) {
        let money = commit.cost.map(|cost| cost.money).unwrap_or_default();
        let attempts = commit.attempts.map_or(0, |attempts| attempts.count);
        let netuid = commit.operation.as_ref().map(|operation| operation.netuid);
        let totals = &mut self.seen.totals;
        if totals.as_mut().is_some_and(|totals| totals.add(money, attempts, netuid).is_none()) {
            *totals = None;
        }
        let tally = &mut self.seen.tally;
        let unsure = |basis| matches!(basis, PriceBasis::Declared | PriceBasis::Assumed);
        tally.unsure_costs += u32::from(commit.cost.is_some_and(|cost| unsure(cost.basis)));
        tally.evidence += u32::from(!commit.evidence.is_empty());
        tally.cached += u32::from(commit.outcome.kind() == Kind::Cached);
        tally.ledger_entries += u32::from(commit.ledger_entry.is_some());
    }

    /// Whether the one who answered a call signed what it says.
    fn check_answer(&mut self, leaf: &Leaf<'_>, commit: &NodeCommit) {
        if self.plan.shape.kind(leaf.node) != Some(NodeKind::Call) || !commit.outcome.began() {
            return;
        }
        let (attested, signed_by) = attested::check(self, leaf, commit);
        let tally = &mut self.seen.tally;
        match attested {
            Attested::NotAttested => tally.peers += u32::from(commit.peer.is_some()),
            Attested::TextWithheld => tally.texts_withheld += 1,
            Attested::BodyWithheld => tally.bodies_withheld += 1,
            Attested::Unchecked => tally.unchecked += 1,
            Attested::Partly => tally.partly += 1,
            Attested::Attested => {}
        }
        let (kind, level) = (commit.outcome.kind(), self.level);
        let step = Step { leaf: leaf.ordinal, node: leaf.node.0, kind, level, attested, signed_by };
        self.verdict.steps.push(step);
    }

    pub(super) fn fail(&mut self, leaf: &Leaf<'_>, check: Check, message: &str) {
        let node = self.plan.name(leaf.node, leaf.iteration);
        self.verdict.fail_at(check, Some(leaf.ordinal), Some(node), message);
    }

    fn stop<T>(&mut self, leaf: &Leaf<'_>, message: &str) -> Result<T, Stop> {
        self.fail(leaf, Check::Leaf, message);
        Err(Stop)
    }
}

fn describe(place: Place) -> String {
    match place {
        Place::Node => "the node itself".into(),
        Place::Arm(arm) => format!("arm {arm} of it"),
        Place::Join => "its join".into(),
    }
}
