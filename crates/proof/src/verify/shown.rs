//! Content that a bundle shows: it opens its commit, is canonical, and agrees with what was decided.

use plan_ir::graph::NodeKind;
use schema::hash::Hash;

use super::leaf::LeafChecks;
use super::verdict::Check;
use crate::attempt::{Attempt, add_cost, chain_next, chain_start};
use crate::body::{Field, body_commit};
use crate::bundle::Disclosure;
use crate::commit::{Attempts, NodeCommit, Outcome};
use crate::cost::Cost;
use crate::leaves::Leaf;
use crate::limits::{ATTEMPTS_MAX, COMMIT_BYTES_MAX};
use crate::object::{ObjectError, Problem, Reader};
use crate::value;

/// Checks all content shown for a leaf.
pub(super) fn check_leaf(checks: &mut LeafChecks<'_, '_>, leaf: &Leaf<'_>, commit: &NodeCommit) {
    let bodies = &commit.bodies;
    let fields = [
        (Field::Input, bodies.input),
        (Field::Request, bodies.request),
        (Field::Response, bodies.response),
        (Field::Output, bodies.output),
        (Field::Signed, commit.peer.as_ref().and_then(|peer| peer.signed)),
    ];
    let bundle = checks.bundle;
    checks.seen.tally.content += fields.iter().filter(|(_, hash)| hash.is_some()).count() as u32;
    let from = bundle.disclosures.partition_point(|shown| shown.ordinal < Some(leaf.ordinal));
    let shown = bundle.disclosures.iter().skip(from);
    for disclosure in shown.take_while(|shown| shown.ordinal == Some(leaf.ordinal)) {
        if disclosure.field == Field::Attempts {
            check_attempts(checks, leaf, commit, disclosure);
            continue;
        }
        let hash = fields.iter().find(|(field, _)| *field == disclosure.field).and_then(|(_, hash)| *hash);
        if hash != Some(body_commit(&disclosure.salt, &disclosure.bytes)) {
            checks.fail(leaf, Check::Disclosure, &mismatch(disclosure.field));
            continue;
        }
        checks.seen.tally.content_shown += 1;
        if matches!(disclosure.field, Field::Input | Field::Output)
            && let Err(error) = value::check(&disclosure.bytes)
        {
            let message = format!("its {:?} is not canonical: {error}", disclosure.field);
            checks.fail(leaf, Check::Disclosure, &message);
        } else if disclosure.field == Field::Output {
            check_decision(checks, leaf, commit, &disclosure.bytes);
        }
    }
}

fn mismatch(field: Field) -> String {
    format!("the content shown as {field:?} is not what was committed")
}

/// Whether the value shown for a leaf agrees with what the leaf, or the leaves before it, decided.
fn check_decision(checks: &mut LeafChecks<'_, '_>, leaf: &Leaf<'_>, commit: &NodeCommit, output: &[u8]) {
    let agrees = match &commit.outcome {
        Outcome::Ensure => output == [0xf5],
        Outcome::Branch { arm } => value::number(output) == Some(u64::from(*arm)),
        Outcome::FanOut { count } => value::list_length(output) == Some(u64::from(*count)),
        Outcome::Join if checks.plan.shape.kind(leaf.node) == Some(NodeKind::FanOut) => {
            // Elements that failed stand in the list as errors, or are left out of it.
            let elements = leaf.results.len() as u64;
            let length = value::list_length(output);
            length == Some(elements) || length == Some(elements_ok(checks, leaf))
        }
        Outcome::Join => {
            let taken =
                leaf.results.first().and_then(|&result| checks.bundle.disclosed(Some(result), Field::Output));
            taken.is_none_or(|taken| *taken.bytes == *output)
        }
        _ => true,
    };
    if !agrees {
        checks.fail(leaf, Check::Decision, "the value shown does not agree with what was decided");
    }
}

/// The number of a loop's elements whose body came to its end.
fn elements_ok(checks: &LeafChecks<'_, '_>, join: &Leaf<'_>) -> u64 {
    let elements = join.results.len().max(1);
    let tails = (join.parents.len() / elements).max(1);
    let bodies = join.parents.chunks(tails).take(join.results.len());
    bodies.filter(|tails| tails.iter().all(|&tail| checks.seen.is_ok(tail))).count() as u64
}

/// Whether the attempts shown are the chain that was committed, and their costs its cost.
fn check_attempts(
    checks: &mut LeafChecks<'_, '_>,
    leaf: &Leaf<'_>,
    commit: &NodeCommit,
    shown: &Disclosure<'_>,
) {
    let holds = match (commit.attempts, fold_attempts(&checks.genesis, shown, commit)) {
        (Some(committed), Ok((found, cost))) => found == committed && cost == commit.cost,
        _ => false,
    };
    if !holds {
        checks.fail(leaf, Check::Disclosure, &mismatch(Field::Attempts));
    }
}

/// The chain over the attempts shown, and what they cost together.
fn fold_attempts(
    genesis: &Hash,
    shown: &Disclosure<'_>,
    commit: &NodeCommit,
) -> Result<(Attempts, Option<Cost>), ObjectError> {
    let mut reader = Reader::new(&shown.bytes);
    let count = reader.array(ATTEMPTS_MAX as usize, "the number of attempts")?;
    let mut head = chain_start(genesis, &shown.salt);
    let mut sum = None;
    for _ in 0..count {
        let bytes = reader.bytes(COMMIT_BYTES_MAX, "the size of an attempt")?;
        let attempt = Attempt::from_bytes(bytes)?;
        // The end is not held to the node's: the loser of a race may be answered late.
        if commit.times.is_none_or(|times| attempt.start_us < times.start_us) {
            return reader.fail(Problem::Range("an attempt before its node began"));
        }
        let Some(added) = add_cost(sum, attempt.cost) else {
            return reader.fail(Problem::Range("the sum of costs"));
        };
        (head, sum) = (chain_next(&head, bytes), added);
    }
    reader.end()?;
    Ok((Attempts { count: count as u32, head }, sum))
}
