//! Scans against a model, and arbitrary search text.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use store::{Append, IndexDoc, Log, Search, Sqlite, StreamName, ViewScan};

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_in_pages_is_the_sorted_map(
        writes in proptest::collection::vec((key(), proptest::option::weighted(0.8, any::<u8>())), 0..60),
        prefix in prop_oneof![Just(String::new()), key()],
        page in 1_usize..7,
        descending in any::<bool>(),
    ) {
        let mut model = BTreeMap::new();
        let log = Sqlite::in_memory().unwrap();
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
        let log = Sqlite::in_memory().unwrap();
        let doc = IndexDoc { title: text.clone(), text: syntax.clone(), ..IndexDoc::default() };
        block_on(log.append(ledger().index("i", "k", doc))).unwrap();
        for text in [text.clone(), syntax.clone(), format!("{syntax}{text}"), format!("NEAR({text} AND {syntax}")] {
            let search = Search { index: "i".into(), text, limit: 5, ..Search::default() };
            block_on(log.search(search)).unwrap();
        }
    }
}
