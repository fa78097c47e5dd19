//! Damaged lockfiles and entries: a lock is read whole, or refused with a code; nothing panics or hangs.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../../fuzz-bodies/src/lock.rs"]
mod lock;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use schema::hash::Hash;
use schema::lock::{Lock, LockBodies, entry_bytes, operation_from_entry};
use schema::operation::{AdapterDescriptor, CapabilityDescriptor, OperationDescriptor, Version};
use serde_json::{Value as Json, json};

use lock::{entry, lockfile};

fn operation(id: &str) -> OperationDescriptor {
    serde_json::from_value(json!({
        "id": id, "netuid": 22, "version": { "breaking": 1, "compatible": 2 }, "summary": "Search.",
        "transport": { "kind": "http", "method": "POST", "base_url": "https://a.example", "path": "/s", "response": "json" },
        "access": "key", "auth": { "kind": "header", "name": "Authorization", "format": "<key>" },
        "side_effects": "metered", "repeat": { "safe": true, "costs_again": true },
        "input": { "type": "object", "properties": { "query": { "type": "string", "maxLength": 9 } } },
        "output": { "type": "array", "items": { "enum": ["a", null] } }, "output_complete": true,
        "price": { "kind": "per_call", "amount": { "units": 4000, "currency": "micro_usd" } }, "sources": [],
    }))
    .unwrap()
}

fn parts() -> (String, LockBodies) {
    let adapters = vec![AdapterDescriptor { operation: "sn22.a".into(), source: "adapter".into() }];
    let capability = CapabilityDescriptor {
        name: "search".into(),
        version: Version::FIRST,
        summary: String::new(),
        source: "capability search() -> Int".into(),
        adapters,
    };
    let lock =
        Lock::pin(Hash([7; 32]), None, [operation("sn22.a"), operation("sn22.b")], [capability]).unwrap();
    lock.to_parts().unwrap()
}

/// Cuts, copies and insertions.
type Cuts = Vec<(usize, usize, u8)>;

fn cuts() -> impl Strategy<Value = Cuts> {
    prop::collection::vec((any::<usize>(), 0_usize..30, any::<u8>()), 1..4)
}

fn damaged(text: &[u8], cuts: &Cuts) -> Vec<u8> {
    const WORDS: [&str; 14] = [
        "\"",
        "\n",
        "[[operation]]\n",
        "= ",
        "{",
        "}",
        "version = 2\n",
        "0",
        "\\",
        "#",
        "'",
        "\u{0}",
        "null",
        ",",
    ];
    let mut text = text.to_vec();
    for (from, length, kind) in cuts {
        let from = from % text.len().max(1);
        let to = (from + length).min(text.len());
        match kind % 4 {
            0 => drop(text.splice(from..to, [])),
            1 => {
                let piece = text.get(from..to).unwrap_or_default().to_vec();
                drop(text.splice(from..from, piece));
            }
            2 => drop(text.splice(from..from, WORDS.get(*length % WORDS.len()).unwrap_or(&"").bytes())),
            _ => {
                if let Some(byte) = text.get_mut(from) {
                    *byte ^= 1 << (kind % 8);
                }
            }
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_damaged_lockfile_is_read_or_refused(cuts in cuts()) {
        let (text, bodies) = parts();
        let changed = String::from_utf8_lossy(&damaged(text.as_bytes(), &cuts)).into_owned();
        if let Some(lock) = lockfile(&changed, &bodies) {
            // Only what is pinned counts: the same pins are the same lock.
            let good = Lock::assemble(&text, &bodies).unwrap();
            prop_assert_eq!(lock.hash == good.hash, lock == good);
        }
    }

    #[test]
    fn a_damaged_body_is_never_taken_for_the_pinned_one(cuts in cuts(), which in any::<prop::sample::Index>()) {
        let (text, mut bodies) = parts();
        let hash = *which.get(&bodies.keys().copied().collect::<Vec<_>>());
        let good = bodies[&hash].clone();
        let changed = damaged(&good, &cuts);
        bodies.insert(hash, changed.clone());
        prop_assert_eq!(lockfile(&text, &bodies).is_some(), changed == good);
    }

    #[test]
    fn a_damaged_entry_is_read_or_refused(cuts in cuts()) {
        let bytes = entry_bytes(&operation("sn22.a")).unwrap();
        entry(&damaged(&bytes, &cuts));
    }

    #[test]
    fn any_text_is_a_lockfile_or_refused(text in "[\\[\\]a-z0-9 =\"'{}.,#\\n\\\\-]{0,120}") {
        lockfile(&text, &LockBodies::new());
    }

    #[test]
    fn any_json_is_an_entry_or_refused(json in "[\\[\\]a-z0-9:\"{},.-]{0,80}") {
        entry(json.as_bytes());
    }
}

fn corpus(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/locks/corpus");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|found| found == kind)).collect();
    assert!(files.len() >= 5, "the corpus is there");
    files
}

/// Lockfiles that a tool, a merge or a stranger might leave; the first line says the code.
#[test]
fn lockfiles_of_the_corpus_have_their_code() {
    let (_, bodies) = parts();
    for file in corpus("lock") {
        let text = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&text);
        let wanted = text.lines().next().unwrap().trim_start_matches("# ");
        let error = Lock::assemble(&text, &bodies).unwrap_err();
        assert_eq!(error.code, wanted, "{}: {error}", file.display());
    }
}

#[test]
fn entries_of_the_corpus_are_refused() {
    for file in corpus("json") {
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(operation_from_entry(&bytes).unwrap_err().code, "E0604", "{}", file.display());
        // Not for being no JSON.
        if !file.ends_with("cut-off.json") {
            assert!(serde_json::from_slice::<Json>(&bytes).is_ok(), "{}", file.display());
        }
    }
}
