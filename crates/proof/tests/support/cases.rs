//! The cases the vectors are made of.

mod attested;
mod lies;

use std::borrow::Cow;

use plan_ir::graph::{Graph, NodeId, NodeKind};
use proof::body::body_commit;
use proof::builder::Show;
use proof::bundle::Bundle;
use proof::commit::{Outcome, Times};
use proof::key::{CHALLENGE_TYPE, PublicKey, RuntimeKey, Signature, pre_authentication};
use proof::lock::{genesis, lock};
use proof::statement::{RunResult, RunStatement, SignedBy};
use proof::tree;
use proof::verify::{TrustPolicy, TrustedKey};
use schema::hash::{Context, Hash};
use serde_json::{Value, json};

use super::forge::{Forge, ISSUER, forge, forge_statement};
use super::{OPENED, Script, control, key, node, plan_bytes, policy, prove, region, sample_graph};

/// A bundle and the codes it must be refused with; none where it must be accepted.
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) comment: &'static str,
    pub(crate) flags: &'static [&'static str],
    pub(crate) policy: TrustPolicy,
    pub(crate) bundle: Vec<u8>,
    pub(crate) codes: &'static [&'static str],
}

struct Cases(Vec<Case>);

impl Cases {
    fn add(
        &mut self,
        id: &'static str,
        comment: &'static str,
        flags: &'static [&'static str],
        codes: &'static [&'static str],
        bundle: &Bundle<'_>,
    ) {
        self.add_bytes(id, comment, flags, codes, bundle.to_bytes());
    }

    fn add_bytes(
        &mut self,
        id: &'static str,
        comment: &'static str,
        flags: &'static [&'static str],
        codes: &'static [&'static str],
        bundle: Vec<u8>,
    ) {
        self.0.push(Case { id, comment, flags, policy: policy(), bundle, codes });
    }

    /// An honest bundle with one lie, derived and signed anew.
    fn lie(
        &mut self,
        id: &'static str,
        comment: &'static str,
        codes: &'static [&'static str],
        bundle: &Bundle<'static>,
        change: impl FnOnce(&mut Forge),
    ) {
        self.add(id, comment, &["resigned"], codes, &forge(bundle, change));
    }

    /// A bundle that was changed without the key.
    fn tamper(
        &mut self,
        id: &'static str,
        comment: &'static str,
        codes: &'static [&'static str],
        bundle: &Bundle<'static>,
        change: impl FnOnce(&mut Bundle<'static>),
    ) {
        let mut bundle = bundle.clone();
        change(&mut bundle);
        self.add(id, comment, &["tampered"], codes, &bundle);
    }

    fn with_policy(&mut self, policy: TrustPolicy) {
        self.0.last_mut().unwrap().policy = policy;
    }
}

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    honest(&mut cases);
    attested::honest(&mut cases);
    encoding(&mut cases);
    signatures(&mut cases);
    objects(&mut cases);
    lies::leaves(&mut cases);
    lies::order_and_totals(&mut cases);
    lies::content(&mut cases);
    attested::lies(&mut cases);
    cases.0
}

fn sample() -> Bundle<'static> {
    let arms = Script { arm: Box::new(|_, at, _| u32::from(at == [1])), ..Script::plain() };
    prove(&sample_graph(), arms, Show::Everything, 1)
}

fn one_call() -> Graph {
    Graph { nodes: vec![node(NodeKind::Call, "ask", &[])], root: region(&[0]) }
}

fn chain() -> Graph {
    let nodes = vec![
        node(NodeKind::Call, "a", &[]),
        node(NodeKind::Call, "b", &[0]),
        node(NodeKind::Pure, "c", &[0, 1]),
    ];
    Graph { nodes, root: region(&[0, 1, 2]) }
}

fn loops() -> Graph {
    let nodes = vec![
        control(NodeKind::FanOut, "outer", &[], vec![region(&[1, 2])]),
        node(NodeKind::Call, "a", &[]),
        control(NodeKind::FanOut, "inner", &[1], vec![region(&[3])]),
        node(NodeKind::Call, "b", &[1]),
    ];
    Graph { nodes, root: region(&[0]) }
}

fn honest(cases: &mut Cases) {
    let elements = |count| Script { count: Box::new(move |_, _| count), ..Script::plain() };
    let fails = |node: u32, at: Vec<u32>, tolerates| Script {
        fails: Box::new(move |id, found: &[u32]| id.0 == node && found == at),
        tolerates,
        ..Script::plain()
    };
    let proof = |graph: &Graph, script| prove(graph, script, Show::Run, 1);
    cases.add("one-call", "A plan of one call", &[], &[], &proof(&one_call(), Script::plain()));
    let shown = prove(&chain(), Script::plain(), Show::Everything, 1);
    cases.add("chain", "Three nodes, all content shown", &[], &[], &shown);
    cases.add("everything", "A loop, both arms of a branch, a gate; all content shown", &[], &[], &sample());
    let redacted = sample().redacted(|shown| shown.ordinal.is_none());
    cases.add("redacted", "The same, with only inputs and result shown", &["disclosure"], &[], &redacted);
    cases.add("hidden", "The same, with nothing shown", &["disclosure"], &[], &sample().redacted(|_| false));
    cases.add("loop-0", "A loop over nothing", &["control"], &[], &proof(&loops(), elements(0)));
    cases.add(
        "loop-3",
        "Loops of three in a loop of three",
        &["control"],
        &[],
        &proof(&loops(), elements(3)),
    );
    let failed = proof(&chain(), fails(0, vec![], false));
    cases.add(
        "failed",
        "The first call fails, the rest is skipped, the run failed",
        &["failure"],
        &[],
        &failed,
    );
    let tolerated = proof(&sample_graph(), fails(3, vec![1], true));
    cases.add("tolerated", "One element of a loop fails and is left out", &["failure"], &[], &tolerated);
    let stopped = proof(&sample_graph(), fails(6, vec![0], false));
    cases.add("untaken", "What would fail is in an arm that is not taken", &["control"], &[], &stopped);
    let two = elements(2);
    let early =
        prove(&loops(), Script { fails: Box::new(|id, at| id.0 == 1 && at == [0]), ..two }, Show::Run, 1);
    let early = forge(&early, |forge| {
        // The join of the loop: it fails with its first element, while the second goes on.
        let (first, last) = (forge.commits[1].times.unwrap(), forge.commits.len() - 1);
        let times = Times { start_us: first.end_us, end_us: first.end_us + 1, monotonic_us: 1 };
        forge.commits[last].times = Some(times);
    });
    cases.add("loop-failed-early", "A loop fails while an element goes on", &["failure"], &[], &early);
    let cached = forge(&proof(&one_call(), Script::plain()), |forge| {
        forge.commits[0].outcome = Outcome::Cached { origin: Hash([1; 32]) };
        forge.commits[0].attempts = None;
        forge.commits[0].cost = None;
    });
    cases.add("cached", "The value of an earlier run", &[], &[], &cached);
    let cancelled = forge(&failed, |forge| forge.statement.result = RunResult::Cancelled);
    cases.add("cancelled", "A run that was told to stop", &["failure"], &[], &cancelled);
    let mut unsigned = proof(&one_call(), Script::plain());
    unsigned.signatures.clear();
    cases.add("unsigned", "No signature: level 0", &["signature"], &[], &unsigned);
    cases.add(
        "stranger",
        "A signer nobody trusts",
        &["signature"],
        &[],
        &proof(&one_call(), Script::plain()),
    );
    cases.with_policy(TrustPolicy::default());
}

fn encoding(cases: &mut Cases) {
    let bytes = sample().to_bytes();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = bytes.clone();
        change(&mut changed);
        changed
    };
    let mut add = |id, comment, code, bytes| cases.add_bytes(id, comment, &["encoding"], code, bytes);
    add("empty", "An empty file", &["E1301"], Vec::new());
    add("text", "A file of text", &["E1301"], b"this is not a proof".to_vec());
    add("truncated", "The last byte is missing", &["E1301"], with(&|bytes| _ = bytes.pop()));
    add("surplus", "A byte after the end", &["E1301"], with(&|bytes| bytes.push(0)));
    add("long-number", "Version 0 as two bytes", &["E1301"], with(&|bytes| bytes[2] = 0x18));
    add("indefinite", "A map of indefinite length", &["E1301"], with(&|bytes| bytes[0] = 0xbf));
    add("version-1", "A bundle of version 1", &["E1302"], with(&|bytes| bytes[2] = 1));
    add(
        "unknown-key",
        "A field this version does not know",
        &["E1301"],
        with(&|bytes| {
            bytes[0] += 1;
            bytes.extend([9, 0]);
        }),
    );
    let huge = with(&|bytes| {
        // The head of the plan's bytes, after the map, the version and the key.
        let end = if bytes[4] == 0x58 { 5 } else { 6 };
        bytes.splice(4..=end, [0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    });
    add("giant-length", "A length beyond all bounds", &["E1301"], huge);
    let plain = prove(&one_call(), Script::plain(), Show::Run, 1);
    cases.tamper("header-version-1", "A header of version 1", &["E1302"], &plain, |bundle| {
        bundle.header.to_mut()[2] = 1;
    });
    cases.tamper("statement-nonsense", "A statement that is none", &["E1301"], &plain, |bundle| {
        bundle.statement = Cow::Borrowed(b"\x80");
    });
    cases.tamper("commit-key-order", "Two fields of a commit change places", &["E1308"], &plain, |bundle| {
        let commit = bundle.commits[0].to_mut();
        let (run_id, ordinal) = (commit[1..19].to_vec(), commit[19..21].to_vec());
        commit.splice(1..21, [ordinal, run_id].concat());
    });
    cases.tamper("two-signatures", "The signature twice", &["E1301"], &plain, |bundle| {
        bundle.signatures.push(bundle.signatures[0]);
    });
}

/// The identity of the curve, a key of small order: `s = 0` would hold for every message.
const IDENTITY: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};

fn signatures(cases: &mut Cases) {
    let honest = prove(&one_call(), Script::plain(), Show::Run, 1);
    let flags = &["signature"];
    cases.tamper("signature-bit", "One bit of the signature", &["E1303"], &honest, |bundle| {
        bundle.signatures[0].signature.0[40] ^= 1;
    });
    cases.tamper(
        "signature-other-key",
        "Signed by a key the header does not name",
        &["E1303"],
        &honest,
        |bundle| {
            bundle.signatures =
                vec![SignedBy::statement(&RuntimeKey::from_seed(&[43; 32]), &bundle.statement)];
        },
    );
    cases.tamper("signature-unreduced", "s + L instead of s", &["E1303"], &honest, |bundle| {
        let order = Hash([
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ]);
        let mut carry = 0;
        for (byte, add) in bundle.signatures[0].signature.0[32..].iter_mut().zip(order.0) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
    });
    let mut small = forge(&honest, |forge| {
        forge.header.runtime_key = PublicKey(IDENTITY);
        forge.challenge.issuer = PublicKey(IDENTITY);
    });
    // The issuer alone, with a runtime that is what it says.
    let mut small_issuer = forge(&honest, |forge| forge.challenge.issuer = PublicKey(IDENTITY));
    let mut forged = [0; 64];
    forged[..32].copy_from_slice(&IDENTITY);
    small.signatures = vec![SignedBy { key: PublicKey(IDENTITY), signature: Signature(forged) }];
    small_issuer.challenge_signature = Some(Signature(forged));
    let comment = "Key of small order with s = 0: holds for any message, unless checked strictly";
    cases.add("small-order-key", comment, flags, &["E1303"], &small);
    cases.add("small-order-issuer", comment, flags, &["E1305"], &small_issuer);
    cases.add("key-expired", "The key was not valid any more", flags, &["E1304"], &honest);
    let window = |valid_from_us, valid_until_us| {
        let trusted = TrustedKey { name: "tests".into(), valid_from_us, valid_until_us };
        TrustPolicy { runtime_keys: [(key().public(), trusted)].into() }
    };
    cases.with_policy(window(None, Some(OPENED + 5)));
    cases.add("key-early", "The key was not valid yet", flags, &["E1304"], &honest);
    cases.with_policy(window(Some(OPENED + 1), None));
    cases.add("key-in-window", "The key was valid", flags, &[], &honest);
    cases.with_policy(window(Some(OPENED), Some(OPENED + 100)));
}

fn objects(cases: &mut Cases) {
    let honest = prove(&chain(), Script::plain(), Show::Run, 1);
    let asked = forge(&honest, |forge| {
        forge.challenge.issuer = RuntimeKey::from_seed(&[ISSUER; 32]).public();
    });
    cases.add("challenge-of-another", "A challenge that somebody else issued", &["signature"], &[], &asked);
    let id = "challenge-unsigned";
    cases.tamper(id, "Somebody else's challenge without its signature", &["E1305"], &asked, |bundle| {
        bundle.challenge_signature = None;
    });
    let id = "challenge-signature-bit";
    cases.tamper(id, "One bit of the signature of the challenge", &["E1305"], &asked, |bundle| {
        bundle.challenge_signature.as_mut().unwrap().0[40] ^= 1;
    });
    let id = "challenge-signed-twice";
    cases.tamper(id, "The runtime's own challenge, signed once more", &["E1305"], &honest, |bundle| {
        bundle.challenge_signature = Some(key().sign(CHALLENGE_TYPE, &bundle.challenge));
    });
    cases.lie("challenge-objective", "A challenge for other inputs", &["E1305"], &honest, |forge| {
        forge.challenge.objective = Hash([1; 32]);
    });
    cases.lie("challenge-expired", "The run opened too late", &["E1305"], &honest, |forge| {
        forge.challenge.issued_at_us -= 10;
        forge.challenge.expires_at_us -= 5;
    });
    cases.lie("challenge-early", "The run opened too early", &["E1305"], &honest, |forge| {
        forge.challenge.issued_at_us += 1;
        forge.challenge.expires_at_us += 1;
    });
    cases.lie("challenge-other", "The header names another challenge", &["E1305"], &honest, |forge| {
        forge.header.challenge_hash = Hash([1; 32]);
    });
    cases.lie("plan-other", "Another plan of the same shape", &["E1306"], &honest, |forge| {
        let mut graph = chain();
        graph.nodes[0].label = "x".into();
        forge.bundle.plan = plan_bytes(&graph).into();
        let plan = proof::plan::PlanGraph::from_bytes(&forge.bundle.plan).unwrap();
        forge.commits[0].node_hash = plan.node_hash(NodeId(0)).unwrap();
    });
    cases.lie("plan-cycle", "A node that waits for itself", &["E1305", "E1306", "E1307"], &honest, |forge| {
        let mut graph = chain();
        graph.nodes[0].parents = vec![NodeId(0)];
        forge.bundle.plan = plan_bytes(&graph).into();
        forge.header.plan_hash = proof::plan::plan_hash(&forge.bundle.plan);
    });
    let lie = |last: &dyn Fn(&mut RunStatement)| forge_statement(&honest, |_| (), last);
    let mut add = |id, comment, codes, bundle: Bundle<'static>| {
        cases.add(id, comment, &["resigned"], codes, &bundle);
    };
    let other = lie(&|statement| statement.genesis = Hash([1; 32]));
    add("genesis-other", "A statement about another header", &["E1307"], other);
    let other = lie(&|statement| statement.plan_hash = Hash([1; 32]));
    add("plan-hash-other", "A statement about another plan", &["E1307"], other);
    let other = lie(&|statement| statement.leaves += 1);
    add("leaf-count", "A statement about more leaves", &["E1309"], other);
    let other = lie(&|statement| statement.root = Hash([1; 32]));
    add("root-other", "A statement about another root", &["E1309"], other);
    let other = lie(&|statement| statement.closed_at_us = OPENED - 1);
    add("closed-early", "Closed before it opened", &["E1307", "E1310"], other);
}

/// Hashes of parts, for those who write a verifier.
pub(crate) fn hashes() -> Value {
    let roots = [1_u8, 2, 3, 7].map(|leaves| {
        let locks: Vec<Hash> = (0..leaves).map(|value| Hash([value; 32])).collect();
        json!({ "leaves": leaves, "root": tree::root(&locks).unwrap() })
    });
    let zero = Hash([0; 32]);
    let first = lock(&zero, 0, &[0xa0], [].iter());
    let contexts = [
        ("body", Context::Body),
        ("plan", Context::Plan),
        ("plan-node", Context::PlanNode),
        ("header", Context::Header),
        ("challenge", Context::Challenge),
        ("node", Context::Node),
        ("attempt", Context::Attempt),
        ("lock", Context::Lock),
        ("merkle-leaf", Context::MerkleLeaf),
        ("merkle-node", Context::MerkleNode),
        ("proof-id", Context::ProofId),
    ]
    .map(|(name, context)| json!({ "context": name, "empty": context.hash(&[]), "abc": context.hash(&[b"abc"]) }));
    json!({
        "format": "orchproof",
        "version": proof::VERSION,
        "contexts": contexts,
        "roots of leaves that are 32 bytes of 0, 1, 2 ..": roots,
        "locks of a commit a0 with a genesis of 32 zero bytes": [
            { "ordinal": 0, "parents": [], "lock": first },
            { "ordinal": 1, "parents": [first], "lock": lock(&zero, 1, &[0xa0], [first].iter()) },
        ],
        "genesis of a header a0": genesis(&[0xa0]),
        "commit of `abc` under a salt of 32 bytes of 5": body_commit(&[5; 32], b"abc"),
        "pre-authentication of `abc` as type t": String::from_utf8(pre_authentication("t", b"abc")).unwrap(),
    })
}
