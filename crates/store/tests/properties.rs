//! Scans against a model, both stores against each other, and arbitrary search text.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use schema::hash::Hash;
use store::{Append, Claim, IndexDoc, Log, Memory, Options, Search, Sqlite, StreamName, ViewScan};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn ledger() -> Append {
    Append::to(StreamName::new("ledger").unwrap())
}

/// Short keys over an alphabet with the awkward neighbours: prefix, separator, 2-, 3- and 4-byte characters.
fn key() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop::sample::select(vec!['a', 'b', '/', '0', '%', '_', 'é', '\u{d7ff}', '\u{e000}', '\u{10ffff}']),
        1..5,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

/// Appends to few streams under few keys, so that they meet: records, claims that expire, rows, blobs, and positions that
/// are right or wrong.
fn append() -> impl Strategy<Value = Append> {
    let claim = (0..3_u8, 0..2_u8, 0..50_u64).prop_map(|(key, digest, now_us)| Claim {
        scope: "t".into(),
        key: key.to_string(),
        digest: Hash([digest; 32]),
        now_us,
        expires_at_us: now_us + 20,
    });
    let rows = proptest::collection::vec((key(), proptest::option::weighted(0.7, any::<u8>())), 0..3);
    let records = proptest::collection::vec(any::<u8>(), 0..3);
    let claim = proptest::option::weighted(0.4, claim);
    let expected = proptest::option::weighted(0.3, 0..6_u64);
    (0..3_u8, records, rows, claim, expected, any::<bool>()).prop_map(
        |(stream, records, rows, claim, expected_seq, blob)| {
            let mut append = Append::to(StreamName::new(&format!("runs/{stream}")).unwrap());
            append = records.into_iter().fold(append, |append, byte| append.record(vec![byte]));
            for (key, value) in rows {
                append = match value {
                    Some(value) => append.view("v", key, vec![value]),
                    None => append.drop_view("v", key),
                };
            }
            append = if blob { append.blob(vec![stream]) } else { append };
            Append { claim, expected_seq, ..append }
        },
    )
}

/// All that can be read of a store.
fn contents(log: &dyn Log) -> impl PartialEq + std::fmt::Debug + use<> {
    block_on(async {
        let streams = log.streams("runs/", None, 10).await.unwrap();
        let mut records = Vec::new();
        for stream in &streams {
            records.push((
                log.last_seq(&stream.name).await.unwrap(),
                log.read(&stream.name, 2, 100).await.unwrap(),
            ));
        }
        let rows = log.view_scan(ViewScan::of("v", 1_000)).await.unwrap();
        let mut blobs = Vec::new();
        for byte in 0..3 {
            blobs.push(log.get_blob(&store::blob_hash(&[byte])).await.unwrap());
        }
        (streams, records, rows, blobs)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_in_memory_answers_as_the_one_on_disk(appends in proptest::collection::vec(append(), 0..30)) {
        let dir = tempfile::tempdir().unwrap();
        let (memory, disk) = (Memory::new(), Sqlite::open(&Options::new(dir.path())).unwrap());
        for append in appends {
            let text = |answer: Result<store::Appended, store::Error>| answer.map_err(|error| error.to_string());
            if let Some(claim) = &append.claim {
                let claimed = |log: &dyn Log| block_on(log.claimed(claim)).map_err(|error| error.to_string());
                prop_assert_eq!(claimed(&memory), claimed(&disk));
            }
            prop_assert_eq!(text(block_on(memory.append(append.clone()))), text(block_on(disk.append(append))));
        }
        prop_assert_eq!(contents(&memory), contents(&disk));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_in_pages_is_the_sorted_map(
        writes in proptest::collection::vec((key(), proptest::option::weighted(0.8, any::<u8>())), 0..60),
        prefix in prop_oneof![Just(String::new()), key()],
        page in 1_usize..7,
        descending in any::<bool>(),
        on_disk in any::<bool>(),
    ) {
        let mut model = BTreeMap::new();
        let dir = tempfile::tempdir().unwrap();
        let log: Box<dyn Log> = if on_disk {
            Box::new(Sqlite::open(&Options::new(dir.path())).unwrap())
        } else {
            Box::new(Memory::new())
        };
        for (key, value) in writes {
            match value {
                Some(value) => {
                    block_on(log.append(ledger().view("v", key.clone(), vec![value]))).unwrap();
                    model.insert(key, value);
                }
                None => {
                    block_on(log.append(ledger().drop_view("v", key.clone()))).unwrap();
                    model.remove(&key);
                }
            }
        }
        let mut expected: Vec<(String, u8)> = model.into_iter().filter(|(k, _)| k.starts_with(&prefix)).collect();
        if descending {
            expected.reverse();
        }
        let mut found: Vec<(String, u8)> = Vec::new();
        loop {
            let mut scan = ViewScan::of("v", page).prefix(&prefix).after(found.last().map(|(k, _)| k.as_str()));
            if descending {
                scan = scan.descending();
            }
            let rows = block_on(log.view_scan(scan)).unwrap();
            if rows.is_empty() {
                break;
            }
            found.extend(rows.into_iter().map(|row| (row.key, *row.value.first().unwrap())));
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_search_text_is_an_error(text in "\\PC{0,60}", syntax in "[\"*():^+\\-a-z{}\\x00 ]{0,30}") {
        let log = Memory::new();
        let doc = IndexDoc { title: text.clone(), text: syntax.clone(), ..IndexDoc::default() };
        block_on(log.append(ledger().index("i", "k", doc))).unwrap();
        for text in [text.clone(), syntax.clone(), format!("{syntax}{text}"), format!("NEAR({text} AND {syntax}")] {
            let search = Search { index: "i".into(), text, limit: 5, ..Search::default() };
            block_on(log.search(search)).unwrap();
        }
    }
}
