//! Levels, and what a bundle that passed every check still does not prove.

use super::leaf::Tally;
use super::verdict::{Level, Signer, Verdict};
use crate::challenge::Challenge;
use crate::header::Header;

/// Fills in what holds only where every check did.
pub(super) fn conclude(
    verdict: &mut Verdict,
    header: &Header,
    challenge: &Challenge,
    level: Level,
    tally: &Tally,
) {
    for step in &verdict.steps {
        *verdict.histogram.entry(step.level).or_default() += 1;
    }
    verdict.level = Some(verdict.histogram.first_key_value().map_or(level, |(level, _)| *level));
    verdict.not_proven = not_proven(verdict, header, challenge, tally);
}

fn not_proven(verdict: &Verdict, header: &Header, challenge: &Challenge, tally: &Tally) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    let mut note = |text: &str| notes.push(text.to_owned());
    match &verdict.signer {
        Signer::None => {
            note("Who made this bundle: nobody signed it, so anyone could have written all of it.")
        }
        Signer::Unknown { .. } => note("Who made this bundle: its signer is not one of the keys you trust."),
        Signer::Trusted { .. } => {}
    }
    note("That the calls happened: a runtime can sign calls it never made.");
    note("That the answers are right, or that their subnets are honest.");
    note("The times: they are the runtime's own, and only their order was checked.");
    note("That there were no other runs: one that went badly can be left out.");
    if challenge.issuer == header.runtime_key {
        note("That the run was made after anything: the runtime issued its own challenge.");
    }
    if tally.ledger_entries > 0 {
        note("That the Ledger held the entries named: they were not compared with its log.");
    }
    let mut count = |count: u32, text: &str| {
        if count > 0 {
            notes.push(format!("{count} {text}"));
        }
    };
    count(tally.unsure_costs, "costs: they are declared or assumed, because the price was not known.");
    count(tally.peers, "identities of peers: they are recorded and were not checked.");
    count(
        tally.texts_withheld,
        "signed answers: what their peers signed is not shown, so it was not checked.",
    );
    count(
        tally.bodies_withheld,
        "signed answers: they are not shown, so only hashes are known to be signed.",
    );
    count(tally.unchecked, "signed answers: their signatures are of sr25519, which was not checked here.");
    count(tally.partly, "calls: some of the answers they were made of are not signed.");
    count(tally.cached, "values from earlier runs: the proofs of those runs are not part of this one.");
    count(tally.evidence, "pieces of evidence: they are named by hash and were not looked at.");
    let hidden = tally.content.saturating_sub(tally.content_shown);
    count(hidden, "contents: only their salted hashes are here, so what they are cannot be seen.");
    notes
}
