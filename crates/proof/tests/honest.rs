//! Honest bundles of random plans and runs pass; what was changed does not.

#![expect(clippy::indexing_slicing, reason = "tests")]

mod support;

use proof::builder::Show;
use proof::bundle::Bundle;
use proof::verify::{Level, Signer, TrustPolicy, verify};
use proptest::prelude::*;
use support::{Rng, Script, key, panic_on, policy, prove, random_graph, sample_graph};

#[test]
fn an_honest_bundle_is_attributed_and_says_what_it_does_not_prove() {
    let bundle = prove(&sample_graph(), Script::plain(), Show::Everything, 1);
    let verdict = verify(&bundle.to_bytes(), &policy());
    panic_on(&verdict);
    assert!(verdict.is_attributed());
    assert_eq!(verdict.level, Some(Level::L1));
    assert_eq!(verdict.histogram[&Level::L1], 4);
    assert!(verdict.not_proven.iter().any(|note| note.contains("never made")), "{:?}", verdict.not_proven);
    let stranger = verify(&bundle.to_bytes(), &TrustPolicy::default());
    assert!(stranger.valid && !stranger.is_attributed());
    assert_eq!(stranger.signer, Signer::Unknown { key: key().public() });
}

#[test]
fn a_bundle_without_signature_is_level_0() {
    let mut bundle = prove(&sample_graph(), Script::plain(), Show::Run, 1);
    bundle.signatures.clear();
    let verdict = verify(&bundle.to_bytes(), &policy());
    panic_on(&verdict);
    assert_eq!((verdict.level, &verdict.signer), (Some(Level::L0), &Signer::None));
    assert!(!verdict.is_attributed());
}

#[test]
fn less_may_be_shown_and_the_rest_still_holds() {
    let bundle = prove(&sample_graph(), Script::plain(), Show::Everything, 1);
    let redacted = bundle.clone().redacted(|shown| shown.ordinal.is_none());
    let verdict = verify(&redacted.to_bytes(), &policy());
    panic_on(&verdict);
    let full = verify(&bundle.to_bytes(), &policy());
    assert_eq!(full.run.map(|run| run.proof_id), verdict.run.map(|run| run.proof_id));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_runs_verify_whatever_the_order_of_records(seed: u64, order: u64, size in 1_u64..7) {
        let graph = random_graph(&mut Rng(seed), size);
        let bundle = prove(&graph, Script::random(seed), Show::Everything, order);
        let bytes = bundle.to_bytes();
        let verdict = verify(&bytes, &policy());
        prop_assert!(verdict.valid, "{:#?}", verdict.failures);
        prop_assert_eq!(&Bundle::from_bytes(&bytes).unwrap(), &bundle);
        let again = prove(&graph, Script::random(seed), Show::Everything, !order);
        prop_assert_eq!(again, bundle);
    }

    #[test]
    fn a_changed_bundle_is_refused(seed: u64, change: u64, size in 1_u64..6) {
        let graph = random_graph(&mut Rng(seed), size);
        let bundle = prove(&graph, Script::random(seed), Show::Everything, seed);
        let honest = bundle.to_bytes();
        let changed = change_one(bundle, &mut Rng(change));
        if let Some(changed) = changed && changed != honest {
            prop_assert!(!verify(&changed, &policy()).valid);
        }
    }
}

/// One random change; `None` where the bundle has nothing to change in that way.
fn change_one(mut bundle: Bundle<'static>, rng: &mut Rng) -> Option<Vec<u8>> {
    let leaves = bundle.commits.len() as u64;
    let (one, other) = (rng.below(leaves) as usize, rng.below(leaves) as usize);
    match rng.below(8) {
        0 => {
            let mut bytes = bundle.to_bytes();
            let bit = rng.below(bytes.len() as u64 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
            return Some(bytes);
        }
        1 => {
            let mut bytes = bundle.to_bytes();
            bytes.truncate(rng.below(bytes.len() as u64) as usize);
            return Some(bytes);
        }
        2 => {
            let mut bytes = bundle.to_bytes();
            bytes.insert(rng.below(bytes.len() as u64 + 1) as usize, rng.next() as u8);
            return Some(bytes);
        }
        3 => drop(bundle.commits.remove(one)),
        4 => bundle.commits.swap(one, other),
        5 => bundle.commits.insert(one, bundle.commits[other].clone()),
        6 => {
            let shown = bundle.disclosures.len() as u64;
            let shown = bundle.disclosures.get_mut(rng.below(shown) as usize)?;
            let byte = rng.below(shown.bytes.len() as u64) as usize;
            *shown.bytes.to_mut().get_mut(byte)? ^= 1 << rng.below(8);
        }
        _ => {
            let commit = bundle.commits[one].to_mut();
            let byte = rng.below(commit.len() as u64) as usize;
            commit[byte] = commit[byte].wrapping_add(1 + rng.below(255) as u8);
        }
    }
    Some(bundle.to_bytes())
}
