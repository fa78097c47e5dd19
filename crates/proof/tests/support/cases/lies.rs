//! Runtimes that lie about leaves, order, sums and content, and content that was changed by others.

use std::borrow::Cow;

use plan_ir::graph::NodeId;
use proof::body::{Field, body_commit};
use proof::builder::Show;
use proof::bundle::{Bundle, Disclosure};
use proof::commit::{Outcome, SkipReason};
use proof::cost::Money;
use proof::statement::RunStatement;

use super::super::forge::{Forge, forge, forge_statement};
use super::super::{OPENED, Script, prove};
use super::{Cases, chain, one_call, sample};

pub(super) fn leaves(cases: &mut Cases) {
    // 0 search, 1 best, 2 pages, 3 scrape[0], 4 long[0], 5 whole[0], 6 arm 1 of long[0], 7 join of it,
    // 8 scrape[1], 9 long[1], 10 arm 0 of it, 11 summary[1], 12 short[1], 13 join, 14 join of pages,
    // 15 some, 16 report.
    let honest = sample().redacted(|shown| shown.ordinal.is_none());
    let code = &["E1308"];
    let mut lie = |id, comment, change: &dyn Fn(&mut Forge)| cases.lie(id, comment, code, &honest, change);
    lie("leaf-run", "A leaf of another run", &|forge| forge.commits[1].run_id = [0; 16]);
    lie("leaf-ordinal", "A leaf with another number", &|forge| forge.commits[1].ordinal = 2);
    lie("leaf-node", "A leaf of another node", &|forge| forge.commits[1].node = NodeId(0));
    lie("leaf-node-hash", "A leaf with the hash of another node", &|forge| {
        forge.commits[1].node_hash = forge.commits[0].node_hash;
    });
    lie("leaf-iteration", "A leaf of another element", &|forge| forge.commits[8].iteration = vec![0]);
    lie("leaf-iteration-extra", "A leaf of a loop it is not in", &|forge| {
        forge.commits[0].iteration = vec![0]
    });
    lie("leaf-kind", "An expression that says it was a gate", &|forge| {
        forge.commits[1].outcome = Outcome::Ensure;
    });
    lie("leaf-cost-of-expression", "An expression that cost something", &|forge| {
        forge.commits[1].attempts = forge.commits[0].attempts;
        forge.commits[1].cost = forge.commits[0].cost;
    });
    lie("leaf-not-join", "A join that says it is the loop itself", &|forge| {
        forge.commits[14].outcome = Outcome::FanOut { count: 2 };
    });
    lie("leaf-missing", "The last leaf is missing", &|forge| drop(forge.commits.pop()));
    lie("leaf-missing-join", "A join is missing", &|forge| drop(forge.commits.remove(14)));
    lie("leaf-missing-arm", "The arm not taken is missing", &|forge| drop(forge.commits.remove(6)));
    lie("leaf-missing-element", "An element of the loop is missing", &|forge| {
        drop(forge.commits.drain(8..14));
        forge.commits.iter_mut().zip(0..).for_each(|(commit, ordinal)| commit.ordinal = ordinal);
    });
    lie("leaf-surplus", "A leaf too many", &|forge| {
        let mut last = forge.commits[16].clone();
        last.ordinal = 17;
        forge.commits.push(last);
    });
    lie("loop-giant", "A loop of 2^32 - 1 elements", &|forge| {
        forge.commits[2].outcome = Outcome::FanOut { count: u32::MAX };
    });
    lie("branch-no-such-arm", "A branch to an arm it does not have", &|forge| {
        forge.commits[4].outcome = Outcome::Branch { arm: 2 };
    });
    lie("branch-other-arm", "A branch to the other arm", &|forge| {
        forge.commits[4].outcome = Outcome::Branch { arm: 1 };
    });
    lie("branch-failed-but-ran", "A branch that failed, with leaves of its arm", &|forge| {
        forge.commits[4].outcome = Outcome::Failed { code: "E1101".into(), join: false };
    });
}

pub(super) fn order_and_totals(cases: &mut Cases) {
    let honest = sample().redacted(|shown| shown.ordinal.is_none());
    let order = &["E1310"];
    cases.lie("early", "A call before what it waits for was over", order, &honest, |forge| {
        forge.commits[3].times.as_mut().unwrap().start_us -= 1;
    });
    cases.lie("early-element", "An element of a loop before the loop", order, &honest, |forge| {
        let times = forge.commits[2].times.as_mut().unwrap();
        times.end_us = forge.statement.closed_at_us;
    });
    cases.lie("backwards", "A call that ended before it started", order, &honest, |forge| {
        let times = forge.commits[16].times.as_mut().unwrap();
        times.end_us = times.start_us - 1;
    });
    cases.lie("late", "A call that ended after the run", order, &honest, |forge| {
        forge.commits[16].times.as_mut().unwrap().end_us = forge.statement.closed_at_us + 1;
    });
    let before = forge(&prove(&one_call(), Script::plain(), Show::Run, 1), |forge| {
        forge.commits[0].times.as_mut().unwrap().start_us = OPENED - 1;
    });
    cases.add("before-opening", "A call before the run opened", &["resigned"], order, &before);
    cases.lie("ran-without-parent", "A call though what it waits for failed", &["E1310"], &honest, |forge| {
        forge.commits[8].outcome = Outcome::Failed { code: "E1103".into(), join: false };
    });
    let skipping = Script { fails: Box::new(|id, _| id.0 == 0), ..Script::plain() };
    let failed = prove(&chain(), skipping, Show::Run, 1);
    cases.lie("skip-reason", "Skipped for the wrong reason", order, &failed, |forge| {
        forge.commits[1].outcome = Outcome::Skipped { reason: SkipReason::Stopped, join: false };
    });
    cases.lie(
        "skip-for-no-reason",
        "Skipped though nothing held it up",
        &["E1310", "E1314"],
        &honest,
        |forge| {
            let last = &mut forge.commits[16];
            *last = proof::commit::NodeCommit {
                outcome: Outcome::Skipped { reason: SkipReason::Parent, join: false },
                operation: None,
                ledger_entry: None,
                bodies: Default::default(),
                times: None,
                attempts: None,
                cost: None,
                peer: None,
                evidence: Vec::new(),
                ..last.clone()
            };
        },
    );
    cases.lie(
        "hidden-failure",
        "A run that succeeded though its last call failed",
        &["E1314"],
        &honest,
        |forge| {
            forge.commits[16].outcome = Outcome::Failed { code: "E1103".into(), join: false };
        },
    );
    let lie = |last: &dyn Fn(&mut RunStatement)| forge_statement(&honest, |_| (), last);
    let before = lie(&|statement| statement.totals.money.rao -= 1);
    cases.add("total-cost", "A total that is too low", &["resigned"], &["E1311"], &before);
    let before = lie(&|statement| statement.totals.attempts -= 1);
    cases.add("total-attempts", "An attempt left out of the total", &["resigned"], &["E1311"], &before);
    let before = lie(&|statement| _ = statement.totals.calls.insert(99, 1));
    cases.add("total-calls", "A call of another subnet in the total", &["resigned"], &["E1311"], &before);
    let two_calls = prove(&chain(), Script::plain(), Show::Run, 1);
    cases.lie("total-overflow", "Costs that do not fit 64 bits", &["E1311"], &two_calls, |forge| {
        forge.commits[0].cost.as_mut().unwrap().money = Money { rao: u64::MAX, micro_usd: 0 };
    });
}

pub(super) fn content(cases: &mut Cases) {
    let honest = sample();
    let shown = |bundle: &mut Bundle<'static>, ordinal, field| {
        bundle.disclosures.iter().position(|shown| (shown.ordinal, shown.field) == (ordinal, field)).unwrap()
    };
    let code = &["E1312"];
    cases.tamper("shown-bytes", "An answer that was changed", code, &honest, |bundle| {
        let at = shown(bundle, Some(0), Field::Response);
        bundle.disclosures[at].bytes.to_mut()[2] ^= 1;
    });
    cases.tamper("shown-salt", "A salt that was changed", code, &honest, |bundle| {
        let at = shown(bundle, Some(0), Field::Response);
        bundle.disclosures[at].salt[0] ^= 1;
    });
    cases.tamper("shown-inputs", "Other inputs of the run", code, &honest, |bundle| {
        let at = shown(bundle, None, Field::RunInput);
        bundle.disclosures[at].bytes = Cow::Borrowed(b"\xa0");
    });
    cases.tamper("shown-attempts", "An attempt left out", code, &honest, |bundle| {
        let at = shown(bundle, Some(0), Field::Attempts);
        bundle.disclosures[at].bytes = Cow::Borrowed(b"\x80");
    });
    cases.tamper("shown-nowhere", "Content of a leaf the run does not have", code, &honest, |bundle| {
        let bytes = Cow::Borrowed(&b"\x00"[..]);
        bundle.disclosures.push(Disclosure { ordinal: Some(17), field: Field::Output, salt: [0; 32], bytes });
    });
    cases.tamper("shown-uncommitted", "A request of an expression", code, &honest, |bundle| {
        let at = shown(bundle, Some(1), Field::Output);
        let bytes = Cow::Borrowed(&b"GET /"[..]);
        bundle
            .disclosures
            .insert(at, Disclosure { ordinal: Some(1), field: Field::Request, salt: [0; 32], bytes });
    });
    cases.lie("shown-float", "A value with a short double", code, &honest, |forge| {
        forge.show(0, Field::Output, b"\xf9\x3c\x00");
    });
    cases.lie("attempt-cost", "A cost that is not the sum of its attempts", code, &honest, |forge| {
        forge.commits[0].cost.as_mut().unwrap().money.rao += 1;
    });
    cases.lie("attempt-count", "More attempts than the chain has", code, &honest, |forge| {
        forge.commits[0].attempts.as_mut().unwrap().count += 1;
    });
    let code = &["E1313"];
    let mut lie = |id, comment, ordinal, value: &[u8]| {
        cases.lie(id, comment, code, &honest, |forge| forge.show(ordinal, Field::Output, value));
    };
    lie("decided-other-arm", "A branch that shows the other arm", 4, b"\x01");
    lie("decided-other-count", "A loop that shows three elements", 2, b"\x83\x00\x01\x02");
    lie("decided-no-list", "A loop that shows no list", 2, b"\x02");
    lie("decided-false", "A gate that shows `false`", 15, b"\xf4");
    lie("decided-other-value", "A branch whose value is not its arm's", 7, b"\x61x");
    lie("decided-dropped", "A loop that dropped an element that did not fail", 14, b"\x81\x61x");
    cases.lie("result-other", "A result that is not the result node's value", &["E1314"], &honest, |forge| {
        forge.bundle.disclosures.retain(|shown| shown.ordinal.is_some() || shown.field == Field::RunInput);
        let bytes = Cow::Borrowed(&b"\x61x"[..]);
        forge.statement.output_commit = Some(body_commit(&[0; 32], &bytes));
        let shown = Disclosure { ordinal: None, field: Field::RunOutput, salt: [0; 32], bytes };
        forge.bundle.disclosures.insert(1, shown);
    });
}
