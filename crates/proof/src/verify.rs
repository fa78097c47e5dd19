//! The offline verifier: from the bytes of a bundle and a trust policy to a verdict. It needs no
//! network, no clock and no help from whoever made the bundle.
//!
//! It takes time linear in the bundle (and in the parents of its locks, which are limited), and memory
//! of at most four times the bundle plus what the limits on a plan's nodes allow.

use crate::attestation::VerifySr25519;
use crate::body::{Field, body_commit};
use crate::bundle::Bundle;
use crate::challenge::{Challenge, challenge_hash, objective};
use crate::header::Header;
use crate::key::{CHALLENGE_TYPE, RUN_TYPE};
use crate::leaves::{WalkError, Walked, walk};
use crate::lock::genesis;
use crate::object::{ObjectError, Problem};
use crate::plan::{PlanGraph, plan_hash};
use crate::statement::{RunResult, RunStatement, proof_id};
use crate::value;

mod attested;
mod leaf;
mod notes;
mod policy;
mod shown;
mod verdict;

use leaf::{LeafChecks, Seen};
pub use policy::{TrustPolicy, TrustedKey};
pub use verdict::{Attested, Check, Failure, Level, RunSummary, Signer, Step, Verdict};

/// Checks the bundle that `bytes` are against `policy`. Signatures of answers that are of sr25519 stay unchecked.
#[must_use]
pub fn verify(bytes: &[u8], policy: &TrustPolicy) -> Verdict {
    verify_by(bytes, policy, None)
}

/// As [`verify`]; `sr25519` tells of signatures of answers whether they hold.
#[must_use]
pub fn verify_with(bytes: &[u8], policy: &TrustPolicy, sr25519: VerifySr25519) -> Verdict {
    verify_by(bytes, policy, Some(sr25519))
}

fn verify_by(bytes: &[u8], policy: &TrustPolicy, sr25519: Option<VerifySr25519>) -> Verdict {
    let mut verdict = Verdict::new();
    if let Some(bundle) = read(&mut verdict, "the bundle", bytes, Bundle::from_bytes, Bundle::to_bytes) {
        verify_bundle(&mut verdict, &bundle, policy, sr25519);
    }
    verdict
}

/// Reads one object and makes sure that it has no second form.
fn read<'a, T>(
    verdict: &mut Verdict,
    what: &str,
    bytes: &'a [u8],
    from_bytes: impl FnOnce(&'a [u8]) -> Result<T, ObjectError>,
    to_bytes: impl FnOnce(&T) -> Vec<u8>,
) -> Option<T> {
    match from_bytes(bytes) {
        Ok(object) if to_bytes(&object) == bytes => Some(object),
        Ok(_) => {
            verdict.fail(Check::Encoding, format!("{what} is not in the one form allowed"));
            None
        }
        Err(error) => {
            let is_version = matches!(error.problem, Problem::Version(_));
            let check = if is_version { Check::Version } else { Check::Encoding };
            verdict.fail(check, format!("{what} cannot be read: {error}"));
            None
        }
    }
}

fn verify_bundle(
    verdict: &mut Verdict,
    bundle: &Bundle<'_>,
    policy: &TrustPolicy,
    sr25519: Option<VerifySr25519>,
) {
    let header = read(verdict, "the header", &bundle.header, Header::from_bytes, Header::to_bytes);
    let statement =
        read(verdict, "the statement", &bundle.statement, RunStatement::from_bytes, RunStatement::to_bytes);
    let challenge =
        read(verdict, "the challenge", &bundle.challenge, Challenge::from_bytes, Challenge::to_bytes);
    let (Some(header), Some(statement), Some(challenge)) = (header, statement, challenge) else {
        return;
    };
    verdict.run = Some(summary(bundle, &header, &statement));
    check_signature(verdict, bundle, &header, &statement, policy);
    check_challenge(verdict, bundle, &header, &challenge);
    check_header(verdict, bundle, &header, &statement);
    if plan_hash(&bundle.plan) != header.plan_hash {
        verdict.fail(Check::Plan, "the plan is not the one the header names");
    }
    let plan = match PlanGraph::from_bytes(&bundle.plan) {
        Ok(plan) => plan,
        Err(error) => return verdict.fail(Check::Plan, error.to_string()),
    };
    let level = if bundle.signatures.is_empty() { Level::L0 } else { Level::L1 };
    let mut checks = LeafChecks {
        bundle,
        header: &header,
        statement: &statement,
        genesis: genesis(&bundle.header),
        plan: &plan,
        level,
        sr25519,
        verdict,
        seen: Seen::with_capacity(bundle.commits.len()),
    };
    let walked = walk(&plan.shape, |leaf| checks.visit(leaf));
    let seen = checks.seen;
    match walked {
        Ok(walked) => check_end(verdict, bundle, &statement, &seen, &walked),
        // The verdict holds the reason already.
        Err(WalkError::Refused(_)) => {}
        Err(error) => verdict.fail(Check::Leaf, error.to_string()),
    }
    if verdict.valid {
        notes::conclude(verdict, &header, &challenge, level, &seen.tally);
    } else {
        verdict.steps.clear();
    }
}

fn summary(bundle: &Bundle<'_>, header: &Header, statement: &RunStatement) -> RunSummary {
    RunSummary {
        proof_id: proof_id(&bundle.statement),
        run_id: uuid_text(&header.run_id),
        plan_hash: header.plan_hash,
        build_hash: header.build_hash,
        leaves: statement.leaves,
        result: statement.result.clone(),
        totals: statement.totals.clone(),
        opened_at_us: header.opened_at_us,
        closed_at_us: statement.closed_at_us,
    }
}

/// A UUID as people write it.
fn uuid_text(id: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in id.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn check_signature(
    verdict: &mut Verdict,
    bundle: &Bundle<'_>,
    header: &Header,
    statement: &RunStatement,
    policy: &TrustPolicy,
) {
    let Some(signed) = bundle.signatures.first() else { return };
    if signed.key != header.runtime_key {
        return verdict
            .fail(Check::Signature, "the statement is signed by another key than the header names");
    }
    if let Err(error) = signed.key.verify(RUN_TYPE, &bundle.statement, &signed.signature) {
        return verdict.fail(Check::Signature, error.to_string());
    }
    let key = signed.key;
    let Some(trusted) = policy.runtime_keys.get(&key) else {
        verdict.signer = Signer::Unknown { key };
        return;
    };
    verdict.signer = Signer::Trusted { key, name: trusted.name.clone() };
    if !trusted.covers(header.opened_at_us, statement.closed_at_us) {
        verdict.fail(Check::Key, format!("the key of {} was not valid when the run was made", trusted.name));
    }
}

fn check_challenge(verdict: &mut Verdict, bundle: &Bundle<'_>, header: &Header, challenge: &Challenge) {
    match (&bundle.challenge_signature, challenge.issuer == header.runtime_key) {
        // The statement, which the same key signs, commits to it.
        (None, true) => {}
        (Some(_), true) => {
            verdict.fail(Check::Challenge, "a challenge of the runtime itself has a signature of its own");
        }
        (None, false) => verdict.fail(Check::Challenge, "the challenge is not signed by its issuer"),
        (Some(signature), false) => {
            if let Err(error) = challenge.issuer.verify(CHALLENGE_TYPE, &bundle.challenge, signature) {
                verdict.fail(Check::Challenge, error.to_string());
            }
        }
    }
    if challenge_hash(&bundle.challenge) != header.challenge_hash {
        verdict.fail(Check::Challenge, "the challenge is not the one the header names");
    }
    if challenge.objective != objective(&header.plan_hash, &header.input_commit) {
        verdict.fail(Check::Challenge, "the challenge is for another plan or other inputs");
    }
    if !(challenge.issued_at_us..=challenge.expires_at_us).contains(&header.opened_at_us) {
        verdict.fail(Check::Challenge, "the run opened before the challenge was issued or after it expired");
    }
}

fn check_header(verdict: &mut Verdict, bundle: &Bundle<'_>, header: &Header, statement: &RunStatement) {
    if statement.genesis != genesis(&bundle.header) {
        verdict.fail(Check::Header, "the statement is about another header");
    }
    if statement.plan_hash != header.plan_hash {
        verdict.fail(Check::Header, "header and statement name different plans");
    }
    if statement.closed_at_us < header.opened_at_us {
        verdict.fail(Check::Header, "the run closed before it opened");
    }
    let commits = [(Field::RunInput, Some(header.input_commit)), (Field::RunOutput, statement.output_commit)];
    for (field, commit) in commits {
        let Some(shown) = bundle.disclosed(None, field) else { continue };
        if commit != Some(body_commit(&shown.salt, &shown.bytes)) {
            verdict.fail(Check::Disclosure, format!("the {field:?} shown is not what was committed"));
        } else if let Err(error) = value::check(&shown.bytes) {
            verdict.fail(Check::Disclosure, format!("the {field:?} shown is not canonical: {error}"));
        }
    }
}

/// What can only be judged when all leaves were seen.
fn check_end(
    verdict: &mut Verdict,
    bundle: &Bundle<'_>,
    statement: &RunStatement,
    seen: &Seen,
    walked: &Walked,
) {
    let leaves = bundle.commits.len();
    if leaves != walked.leaves as usize {
        let message = format!("the bundle has {leaves} leaves; plan and decisions ask for {}", walked.leaves);
        // The root and the sums are over other leaves than the walk's, so they say nothing more.
        return verdict.fail(Check::Leaf, message);
    }
    if statement.leaves != walked.leaves {
        verdict.fail(Check::Root, format!("the statement counts {} leaves", statement.leaves));
    }
    if seen.tree.root() != Some(statement.root) {
        verdict.fail(Check::Root, "the locks of the leaves do not give the root of the statement");
    }
    if seen.totals.as_ref() != Some(&statement.totals) {
        verdict.fail(Check::Totals, "cost, attempts or calls of the leaves do not add up to the statement's");
    }
    let last_shown = bundle.disclosures.last().and_then(|shown| shown.ordinal);
    if last_shown >= Some(walked.leaves) {
        verdict.fail(Check::Disclosure, "content is shown for a leaf the run does not have");
    }
    if statement.result != RunResult::Succeeded {
        return;
    }
    if !walked.tails.iter().all(|&tail| seen.is_ok(tail)) {
        verdict.fail(Check::Result, "the run is said to have succeeded, and a node at its top level did not");
    }
    let of_run = bundle.disclosed(None, Field::RunOutput);
    let of_leaf = bundle.disclosed(Some(walked.result), Field::Output);
    if let (Some(of_run), Some(of_leaf)) = (of_run, of_leaf)
        && of_run.bytes != of_leaf.bytes
    {
        verdict.fail(Check::Result, "the result of the run is not the value of the plan's result node");
    }
}
