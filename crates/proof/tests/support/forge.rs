//! A runtime that lies: takes an honest bundle apart, changes what it likes, and derives and signs
//! everything again, so that only the check meant for the lie can find it.

use std::borrow::Cow;

use proof::body::{Field, body_commit};
use proof::bundle::Bundle;
use proof::challenge::{Challenge, challenge_hash};
use proof::commit::NodeCommit;
use proof::cost::Totals;
use proof::header::Header;
use proof::key::{CHALLENGE_TYPE, RuntimeKey};
use proof::leaves::walk;
use proof::lock::{genesis, lock};
use proof::plan::PlanGraph;
use proof::statement::{RunStatement, SignedBy};
use proof::tree::TreeHasher;
use schema::hash::Hash;

/// An open bundle.
pub(crate) struct Forge {
    pub(crate) bundle: Bundle<'static>,
    pub(crate) header: Header,
    pub(crate) challenge: Challenge,
    pub(crate) commits: Vec<NodeCommit>,
    pub(crate) statement: RunStatement,
}

impl Forge {
    pub(crate) fn new(bundle: &Bundle<'static>) -> Self {
        let commits = bundle.commits.iter().map(|commit| NodeCommit::from_bytes(commit).unwrap());
        Self {
            header: Header::from_bytes(&bundle.header).unwrap(),
            challenge: Challenge::from_bytes(&bundle.challenge).unwrap(),
            statement: RunStatement::from_bytes(&bundle.statement).unwrap(),
            commits: commits.collect(),
            bundle: bundle.clone(),
        }
    }

    /// Shows other content for a leaf and commits to it.
    pub(crate) fn show(&mut self, ordinal: u32, field: Field, bytes: &[u8]) {
        let place = (Some(ordinal), field);
        let shown = self.bundle.disclosures.iter_mut().find(|shown| (shown.ordinal, shown.field) == place);
        let shown = shown.unwrap();
        shown.bytes = Cow::Owned(bytes.to_vec());
        let hash = Some(body_commit(&shown.salt, bytes));
        let commit = &mut self.commits[ordinal as usize];
        match field {
            Field::Input => commit.bodies.input = hash,
            Field::Request => commit.bodies.request = hash,
            Field::Response => commit.bodies.response = hash,
            Field::Output => commit.bodies.output = hash,
            Field::Signed => commit.peer.as_mut().unwrap().signed = hash,
            _ => panic!("not needed"),
        }
    }

    /// Derives hashes, locks, root and totals; `last` may change the statement before it is signed.
    pub(crate) fn close(mut self, last: impl FnOnce(&mut RunStatement)) -> Bundle<'static> {
        let challenge = self.challenge.to_bytes();
        if challenge != *self.bundle.challenge {
            self.header.challenge_hash = challenge_hash(&challenge);
            let issuer = RuntimeKey::from_seed(&[ISSUER; 32]);
            let signed = issuer.public() == self.challenge.issuer;
            self.bundle.challenge_signature = signed.then(|| issuer.sign(CHALLENGE_TYPE, &challenge));
            self.bundle.challenge = challenge.into();
        }
        let header = self.header.to_bytes();
        self.statement.genesis = genesis(&header);
        self.bundle.header = header.into();
        self.bundle.commits = self.commits.iter().map(|commit| commit.to_bytes().into()).collect();
        self.derive();
        last(&mut self.statement);
        let statement = self.statement.to_bytes();
        if !self.bundle.signatures.is_empty() {
            self.bundle.signatures = vec![SignedBy::statement(&key(&self.header), &statement)];
        }
        self.bundle.statement = statement.into();
        self.bundle
    }

    /// Locks along the walk as far as it goes; leaves after that are locked without parents.
    fn derive(&mut self) {
        let genesis = self.statement.genesis;
        let commits = &self.bundle.commits;
        let mut locks: Vec<Hash> = Vec::new();
        if let Ok(plan) = PlanGraph::from_bytes(&self.bundle.plan) {
            let _ = walk(&plan.shape, |leaf| {
                let commit = self.commits.get(leaf.ordinal as usize).ok_or(())?;
                let parents: Vec<Hash> = leaf.parents.iter().map(|&parent| locks[parent as usize]).collect();
                let bytes = &commits[leaf.ordinal as usize];
                locks.push(lock(&genesis, leaf.ordinal, bytes, parents.iter()));
                Ok::<_, ()>(commit.outcome.control())
            });
        }
        for (ordinal, bytes) in commits.iter().enumerate().skip(locks.len()) {
            locks.push(lock(&genesis, u32::try_from(ordinal).unwrap(), bytes, [].iter()));
        }
        let mut tree = TreeHasher::default();
        locks.iter().for_each(|lock| tree.push(lock));
        let mut totals = Totals::default();
        for commit in &self.commits {
            let money = commit.cost.map(|cost| cost.money).unwrap_or_default();
            let attempts = commit.attempts.map_or(0, |attempts| attempts.count);
            // A sum that does not fit is one of the lies.
            let _ = totals.add(money, attempts, commit.operation.as_ref().map(|operation| operation.netuid));
        }
        self.statement.root = tree.root().unwrap_or_default();
        self.statement.leaves = u32::try_from(commits.len()).unwrap();
        self.statement.totals = totals;
    }
}

/// Seed of the key of somebody else who issues challenges.
pub(crate) const ISSUER: u8 = 44;

/// The key the header names, where the tests have it; else any.
fn key(header: &Header) -> RuntimeKey {
    let known = [42, 43].map(|seed| RuntimeKey::from_seed(&[seed; 32]));
    let [first, second] = known;
    if second.public() == header.runtime_key { second } else { first }
}

/// An honest bundle after one lie.
pub(crate) fn forge(bundle: &Bundle<'static>, change: impl FnOnce(&mut Forge)) -> Bundle<'static> {
    forge_statement(bundle, change, |_| ())
}

pub(crate) fn forge_statement(
    bundle: &Bundle<'static>,
    change: impl FnOnce(&mut Forge),
    last: impl FnOnce(&mut RunStatement),
) -> Bundle<'static> {
    let mut forge = Forge::new(bundle);
    change(&mut forge);
    forge.close(last)
}
