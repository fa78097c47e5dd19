//! The published vectors: bundles with the verdict every verifier must give, and hashes to check
//! parts against. The committed files are what is tested; `ORCHESTRA_UPDATE_VECTORS=1` writes them anew
//! from the cases in `support::cases`, which must otherwise give the same bytes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proof::verify::{Attested, TrustPolicy, Verdict, verify, verify_with};
use serde_json::{Value, json};
use support::attested::holds;
use support::cases::{self, Case};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("vectors").join(name)
}

fn summary(verdict: &Verdict) -> Value {
    let codes: BTreeSet<&str> = verdict.failures.iter().map(|failure| failure.code).collect();
    let signer = serde_json::to_value(&verdict.signer).unwrap();
    json!({
        "valid": verdict.valid,
        "codes": codes,
        "level": verdict.level,
        "signer": signer["kind"],
        "attested": attested(verdict),
    })
}

/// Number of calls by what is known of their peers' signatures, of those that have one.
fn attested(verdict: &Verdict) -> BTreeMap<Attested, u32> {
    let mut found = BTreeMap::new();
    for step in verdict.steps.iter().filter(|step| step.attested != Attested::NotAttested) {
        *found.entry(step.attested).or_default() += 1;
    }
    found
}

/// Whether only a verifier that has sr25519 can give the verdict.
fn needs_sr25519(flags: &[&str]) -> bool {
    flags.contains(&"sr25519")
}

fn to_json(cases: &[Case]) -> Value {
    let tests: Vec<Value> = cases
        .iter()
        .map(|case| {
            let mut test = json!({
                "id": case.id,
                "comment": case.comment,
                "flags": case.flags,
                "policy": case.policy,
                "bundle": STANDARD.encode(&case.bundle),
                "expected": summary(&verify_with(&case.bundle, &case.policy, holds)),
            });
            if needs_sr25519(case.flags) {
                test["expected_without_sr25519"] = summary(&verify(&case.bundle, &case.policy));
            }
            test
        })
        .collect();
    json!({ "format": "orchproof", "version": proof::VERSION, "tests": tests })
}

fn check_or_write(name: &str, made: &Value) {
    let path = file(name);
    if std::env::var_os("ORCHESTRA_UPDATE_VECTORS").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(made).unwrap() + "\n").unwrap();
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(&committed, made, "{name} is not what this program makes");
}

#[test]
fn each_case_gives_the_verdict_it_is_made_for() {
    for case in cases::all() {
        let verdict = verify_with(&case.bundle, &case.policy, holds);
        let codes: BTreeSet<&str> = verdict.failures.iter().map(|failure| failure.code).collect();
        let expected: BTreeSet<&str> = case.codes.iter().copied().collect();
        assert_eq!(codes, expected, "{}: {:#?}", case.id, verdict.failures);
        assert_eq!(verdict.valid, expected.is_empty(), "{}", case.id);
    }
}

#[test]
fn the_committed_bundles_are_the_cases() {
    check_or_write("bundles.json", &to_json(&cases::all()));
}

#[test]
fn the_committed_bundles_give_their_verdicts() {
    let committed: Value =
        serde_json::from_str(&std::fs::read_to_string(file("bundles.json")).unwrap()).unwrap();
    for test in committed["tests"].as_array().unwrap() {
        let policy: TrustPolicy = serde_json::from_value(test["policy"].clone()).unwrap();
        let bundle = STANDARD.decode(test["bundle"].as_str().unwrap()).unwrap();
        assert_eq!(summary(&verify_with(&bundle, &policy, holds)), test["expected"], "{}", test["id"]);
        let without = test.get("expected_without_sr25519").unwrap_or(&test["expected"]);
        assert_eq!(&summary(&verify(&bundle, &policy)), without, "{}", test["id"]);
    }
}

#[test]
fn the_committed_hashes_are_those_of_this_program() {
    check_or_write("hashes.json", &cases::hashes());
}

#[test]
fn there_are_more_refusals_than_acceptances_and_every_check_has_one() {
    let cases = cases::all();
    let refused = cases.iter().filter(|case| !case.codes.is_empty()).count();
    assert!(refused > cases.len() - refused);
    let codes: BTreeSet<&str> = cases.iter().flat_map(|case| case.codes.iter().copied()).collect();
    let all: BTreeSet<String> = (1301..=1315).map(|number| format!("E{number}")).collect();
    assert_eq!(codes, all.iter().map(String::as_str).collect());
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id).collect();
    assert_eq!(ids.len(), cases.len(), "ids are unique");
}
