//! Every change of one bit, every truncation, every inserted zero byte and every dropped, swapped or
//! doubled leaf of small bundles is refused. Not a sample: all of them.

mod support;

use plan_ir::graph::{Graph, NodeKind};
use proof::body::Field;
use proof::builder::Show;
use proof::bundle::Bundle;
use proof::verify::{Attested, Check, verify, verify_with};
use support::attested::{self, holds};
use support::forge::{Forge, forge};
use support::{Script, control, node, panic_on, policy, prove, region};

/// Two calls and an expression.
fn chain() -> Graph {
    Graph {
        nodes: vec![
            node(NodeKind::Call, "a", &[]),
            node(NodeKind::Call, "b", &[0]),
            node(NodeKind::Pure, "c", &[0, 1]),
        ],
        root: region(&[0, 1, 2]),
    }
}

/// A loop over a branch.
fn nested() -> Graph {
    Graph {
        nodes: vec![
            control(NodeKind::FanOut, "f", &[], vec![region(&[1])]),
            control(NodeKind::Branch, "b", &[], vec![region(&[2]), region(&[3])]),
            node(NodeKind::Pure, "x", &[]),
            node(NodeKind::Ensure, "y", &[]),
        ],
        root: region(&[0]),
    }
}

fn bundles() -> [Bundle<'static>; 5] {
    let failing = Script { fails: Box::new(|id, _| id.0 == 1), ..Script::plain() };
    let arms = Script { arm: Box::new(|_, at, _| u32::from(at == [1])), ..Script::plain() };
    [
        prove(&chain(), Script::plain(), Show::Everything, 1),
        prove(&chain(), failing, Show::Run, 2),
        prove(&nested(), arms, Show::Nothing, 3),
        attested::prove(&attested::ed25519(200), false, Show::Everything),
        attested::prove_several(&attested::votes(true), Show::Everything),
    ]
}

fn assert_refused(bytes: &[u8], what: &str, place: usize) {
    assert!(!verify(bytes, &policy()).valid, "{what} {place} was accepted");
}

#[test]
fn every_flipped_bit() {
    for bundle in bundles() {
        let mut bytes = bundle.to_bytes();
        panic_on(&verify(&bytes, &policy()));
        for bit in 0..bytes.len() * 8 {
            let mask = 1_u8 << (bit % 8);
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= mask;
            }
            assert_refused(&bytes, "flipped bit", bit);
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= mask;
            }
        }
    }
}

/// A runtime that changes what a peer signed, and then derives and signs everything anew, is still found out.
#[test]
fn every_flipped_bit_of_what_a_peer_signed() {
    for answer in [attested::ed25519(200), attested::sr25519()] {
        let honest = attested::prove(&answer, false, Show::Everything);
        let verdict = verify_with(&honest.to_bytes(), &policy(), holds);
        panic_on(&verdict);
        assert_eq!(verdict.steps[0].attested, Attested::Attested);
        let peer = |forge: &mut Forge, change: &dyn Fn(&mut proof::commit::Peer)| {
            change(forge.commits[0].peer.as_mut().unwrap());
        };
        let flip = |bytes: &mut [u8], bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
        let refused = |what: &str, bits: usize, change: &dyn Fn(&mut Forge, usize)| {
            for bit in 0..bits {
                let forged = forge(&honest, |forge| change(forge, bit));
                let verdict = verify_with(&forged.to_bytes(), &policy(), holds);
                assert!(verdict.failures.iter().all(|failure| failure.check == Check::Attestation));
                assert!(!verdict.valid, "bit {bit} of the {what}");
            }
        };
        refused("signature", 64 * 8, &|forge, bit| {
            peer(forge, &|peer| flip(peer.signature.as_mut().unwrap(), bit));
        });
        refused("key", 32 * 8, &|forge, bit| peer(forge, &|peer| flip(&mut peer.key, bit)));
        refused("text", answer.signed.len() * 8, &|forge, bit| {
            let mut signed = answer.signed.clone();
            flip(&mut signed, bit);
            forge.show(0, Field::Signed, &signed);
        });
        refused("answer", attested::BODY.len() * 8, &|forge, bit| {
            let mut body = attested::BODY.to_vec();
            flip(&mut body, bit);
            forge.show(0, Field::Response, &body);
        });
    }
}

/// The same of a list of several answers: whatever bit of it is another, some signature or length does not hold.
#[test]
fn every_flipped_bit_of_what_several_peers_signed() {
    let list = attested::votes(true);
    let honest = attested::prove_several(&list, Show::Everything);
    let verdict = verify(&honest.to_bytes(), &policy());
    panic_on(&verdict);
    assert_eq!((verdict.steps[0].attested, verdict.steps[0].signed_by.len()), (Attested::Partly, 2));
    let bytes = proof::answers::to_bytes(&list);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let forged = forge(&honest, |forge| forge.show(0, Field::Signed, &changed));
        let verdict = verify(&forged.to_bytes(), &policy());
        assert!(!verdict.valid, "bit {bit}");
        assert!(verdict.failures.iter().all(|failure| failure.check == Check::Attestation));
    }
}

#[test]
fn every_truncation() {
    for bundle in bundles() {
        let bytes = bundle.to_bytes();
        for length in 0..bytes.len() {
            assert_refused(bytes.get(..length).unwrap_or_default(), "truncation to", length);
        }
    }
}

#[test]
fn every_inserted_zero_byte() {
    for bundle in bundles() {
        let bytes = bundle.to_bytes();
        for place in 0..=bytes.len() {
            let mut longer = bytes.clone();
            longer.insert(place, 0);
            assert_refused(&longer, "zero byte at", place);
        }
    }
}

#[test]
fn every_dropped_swapped_or_doubled_leaf() {
    for bundle in bundles() {
        let leaves = bundle.commits.len();
        for one in 0..leaves {
            let mut dropped = bundle.clone();
            dropped.commits.remove(one);
            assert_refused(&dropped.to_bytes(), "dropped leaf", one);
            let doubled_commit = bundle.commits.get(one).cloned().unwrap_or_default();
            for other in 0..=leaves {
                let mut doubled = bundle.clone();
                doubled.commits.insert(other, doubled_commit.clone());
                assert_refused(&doubled.to_bytes(), "doubled leaf", one);
            }
            for other in 0..one {
                let mut swapped = bundle.clone();
                swapped.commits.swap(one, other);
                assert_refused(&swapped.to_bytes(), "swapped leaf", one);
            }
        }
    }
}
