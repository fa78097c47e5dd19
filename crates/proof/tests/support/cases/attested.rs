//! Answers that their peers signed, and runtimes that lie about it.

use proof::answers::{self, Answer};
use proof::attestation::Scheme;
use proof::body::Field;
use proof::builder::Show;
use proof::bundle::Bundle;
use proof::commit::Outcome;
use proof::statement::RunResult;

use super::super::attested::{ed25519, prove, prove_several, small_order, sr25519, votes};
use super::super::forge::Forge;
use super::Cases;

/// Only verifiers that have sr25519 see what these are about.
const SR25519: &[&str] = &["attested", "sr25519"];

pub(super) fn honest(cases: &mut Cases) {
    let flags = &["attested"];
    let whole = prove(&ed25519(200), false, Show::Everything);
    cases.add(
        "attested",
        "An answer signed by its peer's Ed25519 key, all content shown",
        flags,
        &[],
        &whole,
    );
    let without = |field| whole.clone().redacted(|shown| shown.field != field);
    let mut add = |id, comment, bundle: &Bundle<'_>| cases.add(id, comment, flags, &[], bundle);
    add("attested-body-withheld", "The same, without the answer itself", &without(Field::Response));
    add("attested-text-withheld", "The same, without what was signed", &without(Field::Signed));
    add("attested-request-withheld", "The same, without the request", &without(Field::Request));
    let refusal = prove(&ed25519(500), true, Show::Everything);
    add("attested-refusal", "A refusal that its peer signed", &refusal);
    let several = prove_several(&votes(false), Show::Everything);
    add("attested-several", "Two answers that one value was made of, each signed by its peer", &several);
    let without = |field| several.clone().redacted(|shown| shown.field != field);
    let comment = "The same, without the answers themselves";
    add("attested-several-bodies-withheld", comment, &without(Field::Response));
    let comment = "The same, without the list of what was signed";
    add("attested-several-texts-withheld", comment, &without(Field::Signed));
    let partly = prove_several(&votes(true), Show::Everything);
    add("attested-several-partly", "Three answers, of which the last is not signed", &partly);
    let wallet = prove(&sr25519(), false, Show::Everything);
    cases.add("attested-sr25519", "An answer signed by the key of a wallet", SR25519, &[], &wallet);
}

pub(super) fn lies(cases: &mut Cases) {
    let honest = prove(&ed25519(200), false, Show::Everything);
    let code = &["E1315"];
    let flags = &["attested", "resigned"];
    let small = prove(&small_order(), false, Show::Everything);
    cases.add("attested-small-order", "Signed by a key of small order", flags, code, &small);
    let wallet = prove(&sr25519(), false, Show::Everything);
    let forged = super::forge(&wallet, |forge| {
        forge.commits[0].peer.as_mut().unwrap().signature.as_mut().unwrap()[40] ^= 1;
    });
    let comment = "One bit of a signature of sr25519, of which the runtime says that it held";
    cases.add("attested-sr25519-bit", comment, &["attested", "resigned", "sr25519"], code, &forged);
    cases.lie("attested-signature-bit", "One bit of the peer's signature", code, &honest, |forge| {
        forge.commits[0].peer.as_mut().unwrap().signature.as_mut().unwrap()[40] ^= 1;
    });
    cases.lie("attested-no-signature", "A peer that signs, and no signature", code, &honest, |forge| {
        forge.commits[0].peer.as_mut().unwrap().signature = None;
    });
    cases.lie("attested-other-key", "Another key than the one that signed", code, &honest, |forge| {
        forge.commits[0].peer.as_mut().unwrap().key = vec![1; 32];
    });
    cases.lie("attested-other-scheme", "Another scheme than the one that signed", code, &honest, |forge| {
        forge.commits[0].peer.as_mut().unwrap().scheme = Scheme::Sr25519.of_peer_name().into();
    });
    cases.lie("attested-other-body", "Another answer than the one that was signed", code, &honest, |forge| {
        forge.show(0, Field::Response, br#"{"results":[1]}"#);
    });
    cases.lie("attested-other-request", "The answer to another request", code, &honest, |forge| {
        forge.show(0, Field::Request, b"POST https://peer/search\nx-bittensor-nonce: 7\n\n{}");
    });
    cases.lie("attested-nonsense", "A text that is none of twresp/1", code, &honest, |forge| {
        forge.show(0, Field::Signed, b"nonce.hotkey");
    });
    let refusal = prove(&ed25519(500), true, Show::Everything);
    cases.lie(
        "attested-refusal-taken",
        "A signed refusal that passes for a value",
        code,
        &refusal,
        |forge| {
            forge.commits[0].outcome = Outcome::Call;
            forge.statement.result = RunResult::Cancelled;
        },
    );
    lies_about_several(cases);
    cases.tamper("attested-shown", "Other words than the peer signed", &["E1312"], &honest, |bundle| {
        let at = bundle.disclosures.iter().position(|shown| shown.field == Field::Signed).unwrap();
        bundle.disclosures[at].bytes.to_mut()[12] ^= 1;
    });
}

fn lies_about_several(cases: &mut Cases) {
    let honest = prove_several(&votes(true), Show::Everything);
    let mut lie = |id, comment, change: &dyn Fn(&mut Forge)| {
        cases.lie(id, comment, &["E1315"], &honest, change);
    };
    let listed = |change: &dyn Fn(&mut Vec<Answer>)| {
        let mut list = votes(true);
        change(&mut list);
        answers::to_bytes(&list)
    };
    let list = |change: &dyn Fn(&mut Vec<Answer>)| {
        let bytes = listed(change);
        move |forge: &mut Forge| forge.show(0, Field::Signed, &bytes)
    };
    lie(
        "attested-several-signature-bit",
        "One bit of the signature of the second of several answers",
        &list(&|list| list[1].attestation.as_mut().unwrap().signature[40] ^= 1),
    );
    lie(
        "attested-several-swapped",
        "Each of two signatures is said to be of the other answer",
        &list(&|list| {
            let [first, second, ..] = &mut list[..] else { return };
            std::mem::swap(&mut first.attestation, &mut second.attestation);
        }),
    );
    lie("attested-several-left-out", "An answer is shown and not listed", &list(&|list| list.truncate(2)));
    lie("attested-several-longer", "Answers longer than what is shown", &list(&|list| list[2].response += 1));
    lie("attested-several-of-one", "A list of one answer", &list(&|list| list.truncate(1)));
    lie(
        "attested-several-unsigned",
        "A list of answers of which none is signed",
        &list(&|list| list.iter_mut().for_each(|answer| answer.attestation = None)),
    );
    lie("attested-several-nonsense", "A list that is none", &|forge| {
        forge.show(0, Field::Signed, b"twresp/1");
    });
    lie("attested-several-other-key", "Another key than that of the first signature", &|forge| {
        forge.commits[0].peer.as_mut().unwrap().key = vec![1; 32];
    });
    lie("attested-several-signature", "A list of answers and a signature beside it", &|forge| {
        forge.commits[0].peer.as_mut().unwrap().signature = Some(vec![1; 64]);
    });
    lie("attested-several-other-body", "Another answer than the one that was signed", &|forge| {
        let shown = br#"{"results":[]}"#.repeat(3);
        let shown: Vec<&[u8]> = shown.chunks(14).collect();
        forge.show(0, Field::Response, &[shown[0], br#"{"results":{}}"#, shown[2]].join(&b"\n"[..]));
    });
}
