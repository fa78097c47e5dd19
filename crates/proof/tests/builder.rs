//! What a runtime may not record, and where the limits of the format lie.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;

use plan_ir::graph::{Graph, NodeId, NodeKind};
use proof::attempt::Attempt;
use proof::body::RunSecret;
use proof::builder::{BuildError, Closing, Locks, NodeRecord, PeerRecord, ProofBuilder, ProofPlan, Show};
use proof::bundle::SignError;
use proof::challenge::Challenge;
use proof::commit::{Evidence, OperationRef, Outcome, SkipReason, Times};
use proof::cost::{Cost, Money};
use proof::key::RuntimeKey;
use proof::limits::{
    ATTEMPTS_MAX, EVIDENCE_MAX, FAILURES_MAX, NAME_LENGTH_MAX, OBJECT_BYTES_MAX, OPAQUE_BYTES_MAX,
};
use proof::statement::{RunResult, proof_id};
use proof::verify::{Check, Signer, verify};
use schema::hash::Hash;
use schema::price::PriceBasis;
use support::forge::forge;
use support::{
    INPUTS, OPENED, Script, key, node, opening, panic_on, plan, policy, prove, region, sample_graph,
};

const TIMES: Times = Times { start_us: OPENED, end_us: OPENED + 1, monotonic_us: 1 };

fn secret() -> RunSecret {
    RunSecret::new([5; 32])
}

fn builder(plan: &Arc<ProofPlan>) -> ProofBuilder {
    let opened = opening(INPUTS).open(plan, &secret(), key().public()).unwrap();
    ProofBuilder::new(Arc::clone(plan), opened, secret(), INPUTS, Show::Run).unwrap()
}

fn failed() -> Closing<'static> {
    let result = RunResult::Failed { code: "E1101".into() };
    Closing { result, output: None, closed_at_us: OPENED + 100 }
}

fn call() -> NodeRecord<'static> {
    NodeRecord::new(NodeId(0), &[], Outcome::Call, TIMES)
}

/// Why a record of the first node, a call, is refused.
fn refused(change: impl FnOnce(&mut NodeRecord<'_>)) -> &'static str {
    let mut record = call();
    change(&mut record);
    match builder(&plan(&sample_graph())).record(&record) {
        Err(BuildError::Record { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_of_what_the_plan_does_not_have_are_refused() {
    assert_eq!(refused(|record| record.node = NodeId(10)), "the plan has no such node");
    assert!(refused(|record| record.iteration = &[0]).contains("one index for each fan-out"));
    assert!(refused(|record| record.node = NodeId(3)).contains("one index for each fan-out"));
    assert!(refused(|record| record.outcome = Outcome::Pure).contains("kind of node"));
    assert!(refused(|record| record.outcome = Outcome::Join).contains("kind of node"));
    assert!(refused(|record| record.outcome = Outcome::Untaken { arm: 0 }).contains("never began"));
    let skipped = Outcome::Skipped { reason: SkipReason::Stopped, join: false };
    assert!(refused(|record| record.outcome = skipped).contains("never began"));
    assert!(refused(|record| record.times.end_us = OPENED - 1).contains("ends before"));
    let call_of_pure = refused(|record| {
        (record.node, record.outcome) = (NodeId(1), Outcome::Pure);
        record.ledger_entry = Some(Hash([1; 32]));
    });
    assert!(call_of_pure.contains("only calls"));
}

#[test]
fn a_record_comes_once_and_has_a_leaf() {
    let plan = plan(&sample_graph());
    let mut builder = builder(&plan);
    builder.record(&call()).unwrap();
    let again = builder.record(&call()).unwrap_err();
    assert_eq!(
        again.to_string(),
        "[E1320] the record of node search#0 cannot be proven: it was recorded before"
    );
    // The loop has one element, and this is the second.
    let list = NodeRecord::new(NodeId(1), &[], Outcome::Pure, TIMES);
    builder.record(&list).unwrap();
    builder.record(&NodeRecord::new(NodeId(2), &[], Outcome::FanOut { count: 1 }, TIMES)).unwrap();
    builder.record(&NodeRecord { node: NodeId(3), iteration: &[1], ..call() }).unwrap();
    let error = builder.finish(&failed(), &key()).unwrap_err();
    assert!(matches!(error, BuildError::Record { node, .. } if node == "scrape#3[1]"));
}

#[test]
fn what_is_longer_than_the_format_allows_is_refused_at_the_limit_exactly() {
    let plan = plan(&sample_graph());
    let record = |change: &dyn Fn(&mut NodeRecord<'_>)| {
        let mut record = call();
        change(&mut record);
        builder(&plan).record(&record).is_ok()
    };
    let name = |length: usize| {
        let operation = OperationRef { netuid: 1, id: "x".repeat(length) };
        record(&|record| record.operation = Some(operation.clone()))
    };
    assert!(name(NAME_LENGTH_MAX) && !name(NAME_LENGTH_MAX + 1));
    let code = |length: usize| {
        record(&|record| record.outcome = Outcome::Failed { code: "E".repeat(length), join: false })
    };
    assert!(code(NAME_LENGTH_MAX) && !code(NAME_LENGTH_MAX + 1));
    let peer = |length: usize| {
        let key = vec![1; length];
        let mut record = call();
        record.peer = Some(PeerRecord { scheme: "s", key: &key, signature: None, signed: None });
        builder(&plan).record(&record).is_ok()
    };
    assert!(peer(OPAQUE_BYTES_MAX) && !peer(OPAQUE_BYTES_MAX + 1));
    let evidence = |count: usize| {
        let evidence = Evidence { kind: "headers".into(), hash: Hash([1; 32]) };
        record(&|record| record.evidence = vec![evidence.clone(); count])
    };
    assert!(evidence(EVIDENCE_MAX) && !evidence(EVIDENCE_MAX + 1));
    let attempts = |count: usize| {
        let operation = OperationRef { netuid: 1, id: "sn1.x".into() };
        let (start_us, end_us) = (OPENED, OPENED);
        let attempts = vec![Attempt { operation, start_us, end_us, error: None, cost: None }; count];
        builder(&plan).record(&NodeRecord { attempts: &attempts, ..call() }).is_ok()
    };
    assert!(attempts(ATTEMPTS_MAX as usize) && !attempts(ATTEMPTS_MAX as usize + 1));
    let tenant = |length: usize| {
        let mut opening = opening(INPUTS);
        opening.tenant = Some(vec![1; length]);
        opening.open(&plan, &secret(), key().public()).is_ok()
    };
    assert!(tenant(OPAQUE_BYTES_MAX) && !tenant(OPAQUE_BYTES_MAX + 1));
    let problem = |length: usize| Challenge::from_bytes(&vec![0xff; length]).unwrap_err().to_string();
    assert!(!problem(OBJECT_BYTES_MAX).contains("size") && problem(OBJECT_BYTES_MAX + 1).contains("size"));
}

#[test]
fn costs_that_do_not_fit_are_refused() {
    let cost = |rao| Some(Cost { money: Money { rao, micro_usd: 0 }, basis: PriceBasis::Known });
    let operation = OperationRef { netuid: 1, id: "sn1.x".into() };
    let attempt = |rao| Attempt {
        operation: operation.clone(),
        start_us: OPENED,
        end_us: OPENED,
        error: None,
        cost: cost(rao),
    };
    let attempts = [attempt(u64::MAX), attempt(1)];
    let both = builder(&plan(&sample_graph())).record(&NodeRecord { attempts: &attempts, ..call() });
    assert!(matches!(both, Err(BuildError::Record { reason, .. }) if reason.contains("64 bits")));
    let graph = Graph {
        nodes: vec![node(NodeKind::Call, "a", &[]), node(NodeKind::Call, "b", &[])],
        root: region(&[0, 1]),
    };
    let mut builder = builder(&plan(&graph));
    builder.record(&NodeRecord { attempts: &attempts[..1], ..call() }).unwrap();
    builder.record(&NodeRecord { node: NodeId(1), attempts: &attempts[1..], ..call() }).unwrap();
    let error = builder.finish(&failed(), &key()).unwrap_err();
    assert!(matches!(error, BuildError::Run(_)) && error.to_string().starts_with("[E1322]"), "{error}");
}

#[test]
fn objects_that_do_not_belong_together_are_refused() {
    let (plan, other) = (
        plan(&sample_graph()),
        plan(&Graph { nodes: vec![node(NodeKind::Call, "a", &[])], root: region(&[0]) }),
    );
    let opened = opening(INPUTS).open(&plan, &secret(), key().public()).unwrap();
    let start = |plan: &Arc<ProofPlan>, secret, inputs: &[u8]| {
        ProofBuilder::new(Arc::clone(plan), opened.clone(), secret, inputs, Show::Run).map(|_| ())
    };
    assert_eq!(start(&plan, secret(), INPUTS), Ok(()));
    for wrong in [
        start(&other, secret(), INPUTS),
        start(&plan, RunSecret::new([6; 32]), INPUTS),
        start(&plan, secret(), b"\xa0"),
    ] {
        assert!(matches!(wrong, Err(BuildError::Opening(_))), "{wrong:?}");
    }
    let stranger = RuntimeKey::from_seed(&[1; 32]);
    assert!(matches!(builder(&plan).finish(&failed(), &stranger), Err(BuildError::Opening(_))));
    let closing = Closing { result: RunResult::Succeeded, ..failed() };
    assert!(matches!(builder(&plan).finish(&closing, &key()), Err(BuildError::Opening(_))));
    let closing = Closing { output: Some(b"\x00"), ..failed() };
    assert!(matches!(builder(&plan).finish(&closing, &key()), Err(BuildError::Opening(_))));
}

#[test]
fn a_run_of_which_nothing_is_known_is_all_skipped() {
    let closing = Closing { result: RunResult::Cancelled, ..failed() };
    let bundle = builder(&plan(&sample_graph())).finish(&closing, &key()).unwrap();
    assert_eq!(bundle.commits.len(), 5);
    panic_on(&verify(&bundle.to_bytes(), &policy()));
}

#[test]
fn a_restart_goes_on_under_the_same_header() {
    let plan = plan(&sample_graph());
    let opened = opening(INPUTS).open(&plan, &secret(), key().public()).unwrap();
    let make = || {
        let mut builder =
            ProofBuilder::new(Arc::clone(&plan), opened.clone(), secret(), INPUTS, Show::Run).unwrap();
        builder.record(&call()).unwrap();
        builder.finish(&failed(), &key()).unwrap().to_bytes()
    };
    assert_eq!(make(), make());
}

#[test]
fn a_proof_is_the_same_when_it_is_signed_later() {
    let plan = plan(&sample_graph());
    let open = || {
        let (plan, key) = (Arc::clone(&plan), key().public());
        let mut builder = ProofBuilder::open(plan, &opening(INPUTS), secret(), key, Show::Run).unwrap();
        builder.record(&call()).unwrap();
        builder
    };
    assert_eq!(open().opened(), builder(&plan).opened());
    let at_once = open().finish(&failed(), &key()).unwrap();
    let verdict = verify(&at_once.to_bytes(), &policy());
    panic_on(&verdict);
    assert_ne!(verdict.signer, Signer::None);
    let (mut later, _) = open().finish_unsigned(&failed(), Locks::new()).unwrap();
    assert_eq!(proof_id(&later.statement), proof_id(&at_once.statement));
    assert_eq!(verify(&later.to_bytes(), &policy()).signer, Signer::None);
    assert_eq!(later.sign(&RuntimeKey::from_seed(&[1; 32])), Err(SignError::Key));
    assert_eq!(later.signatures, []);
    later.sign(&key()).unwrap();
    assert_eq!(later, at_once);
    later.sign(&key()).unwrap();
    assert_eq!(later, at_once);
}

#[test]
fn a_verdict_lists_no_more_failures_than_it_may() {
    let count = u32::try_from(FAILURES_MAX).unwrap() + 5;
    let nodes = (0..count).map(|_| node(NodeKind::Pure, "p", &[])).collect();
    let graph = Graph { nodes, root: region(&(0..count).collect::<Vec<_>>()) };
    let honest = prove(&graph, Script::plain(), Show::Run, 1);
    let early = forge(&honest, |forge| {
        for commit in &mut forge.commits {
            commit.times.as_mut().unwrap().start_us = OPENED - 1;
        }
    });
    let verdict = verify(&early.to_bytes(), &policy());
    assert_eq!(verdict.failures.len(), FAILURES_MAX);
    assert!(!verdict.valid && verdict.failed(Check::Order) && verdict.level.is_none());
    let first = verdict.failures[0].to_string();
    assert_eq!(first, "[E1310] leaf 0 (p#0): it starts before what it waits for has ended");
}
