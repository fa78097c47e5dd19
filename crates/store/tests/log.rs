//! The contract of `Log`, on disk and in memory alike.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bytes::Bytes;
use schema::hash::Hash;
use store::{
    Append, Claim, Error, IndexDoc, Log, MAX_PAGE_BYTES, Memory, Options, Search, Sqlite, StreamName,
    ViewScan,
};
use tempfile::TempDir;

fn name(text: &str) -> StreamName {
    StreamName::new(text).unwrap()
}

/// Runs `body` on a fresh store of each kind.
async fn on_both<F: Future<Output = ()>>(body: impl Fn(Arc<dyn Log>) -> F) {
    body(Arc::new(Memory::new())).await;
    let dir = TempDir::new().unwrap();
    body(Arc::new(Sqlite::open(&Options::new(dir.path())).unwrap())).await;
}

fn claim(key: &str, digest: u8, now_us: u64) -> Claim {
    let expires_at_us = now_us + 100;
    Claim {
        scope: "tenant/create".into(),
        key: key.into(),
        digest: Hash([digest; 32]),
        now_us,
        expires_at_us,
    }
}

#[tokio::test]
async fn records_come_back_in_order_and_pages_continue() {
    on_both(|log| async move {
        let (a, b) = (name("runs/a"), name("runs/b"));
        for i in 0..5_u8 {
            log.append(Append::to(a.clone()).record(vec![i]).record(vec![i, i])).await.unwrap();
            log.append(Append::to(b.clone()).record(vec![100 + i])).await.unwrap();
        }
        assert_eq!((log.last_seq(&a).await.unwrap(), log.last_seq(&b).await.unwrap()), (10, 5));
        let page = log.read(&a, 4, 3).await.unwrap();
        assert_eq!(page.iter().map(|r| r.seq).collect::<Vec<_>>(), [4, 5, 6]);
        assert_eq!(
            page.iter().map(|r| r.bytes.to_vec()).collect::<Vec<_>>(),
            [vec![1, 1], vec![2], vec![2, 2]]
        );
        assert_eq!(log.read(&b, 0, 100).await.unwrap().len(), 5);
        assert!(log.read(&a, 11, 100).await.unwrap().is_empty());
        assert!(log.read(&a, u64::MAX, 100).await.unwrap().is_empty());
        assert!(log.read(&name("runs/c"), 1, 100).await.unwrap().is_empty());
        assert_eq!(log.last_seq(&name("runs/c")).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn streams_are_listed_by_prefix_and_page() {
    on_both(|log| async move {
        for stream in ["ledger", "runs/1", "runs/2", "runs/3", "runs2"] {
            log.append(Append::to(name(stream)).record("x").record("y")).await.unwrap();
        }
        let list = |after: Option<StreamName>, limit| {
            let log = Arc::clone(&log);
            async move {
                let found = log.streams("runs/", after.as_ref(), limit).await.unwrap();
                found.into_iter().map(|s| (s.name.to_string(), s.last_seq)).collect::<Vec<_>>()
            }
        };
        assert_eq!(list(None, 2).await, [("runs/1".into(), 2), ("runs/2".into(), 2)]);
        assert_eq!(list(Some(name("runs/2")), 9).await, [("runs/3".into(), 2)]);
        assert_eq!(log.streams("", None, 9).await.unwrap().len(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_writer_with_a_stale_position_is_fenced_and_leaves_nothing() {
    on_both(|log| async move {
        let run = name("runs/a");
        log.append(Append::to(run.clone()).expecting(0).record("1")).await.unwrap();
        let stale = Append::to(run.clone()).expecting(0).record("2").view("v", "k", "never").blob("never");
        let error = log.append(stale).await.unwrap_err();
        assert!(matches!(&error, Error::Fenced { expected: 0, actual: 1, .. }), "{error}");
        assert_eq!(error.code(), "E1007");
        assert_eq!(log.last_seq(&run).await.unwrap(), 1);
        assert_eq!(log.view_get("v", "k").await.unwrap(), None);
        assert_eq!(log.get_blob(&store::blob_hash(b"never")).await.unwrap(), None);
        log.append(Append::to(run).expecting(1).record("2")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_request_id_answers_once_conflicts_on_another_body_and_expires() {
    on_both(|log| async move {
        let create =
            |run: &str, digest, now| Append::to(name(run)).record("open").claim(claim("id", digest, now));
        assert_eq!(log.claimed(&claim("id", 1, 1_000)).await.unwrap(), None);
        let first = log.append(create("runs/1", 1, 1_000)).await.unwrap();
        assert!(!first.repeated);
        let known = log.claimed(&claim("id", 1, 1_099)).await.unwrap().unwrap();
        assert_eq!((known.stream, known.last_seq, known.repeated), (name("runs/1"), 1, true));
        assert_eq!(log.claimed(&claim("id", 1, 1_100)).await.unwrap(), None);
        let other = log.claimed(&claim("id", 2, 1_099)).await.unwrap_err();
        assert!(matches!(other, Error::ClaimConflict { .. }), "{other}");

        let again = log.append(create("runs/2", 1, 1_099)).await.unwrap();
        assert_eq!((again.stream, again.last_seq, again.repeated), (name("runs/1"), 1, true));
        assert_eq!(log.last_seq(&name("runs/2")).await.unwrap(), 0);

        let other = log.append(create("runs/3", 2, 1_099)).await.unwrap_err();
        assert!(
            matches!(&other, Error::ClaimConflict { stream, .. } if *stream == name("runs/1")),
            "{other}"
        );

        let late = log.append(create("runs/4", 2, 1_100)).await.unwrap();
        assert_eq!((late.stream, late.repeated), (name("runs/4"), false));

        let elsewhere = Claim { scope: "other".into(), ..claim("id", 9, 1_000) };
        assert!(!log.append(Append::to(name("runs/5")).claim(elsewhere)).await.unwrap().repeated);
    })
    .await;
}

#[tokio::test]
async fn one_request_id_racing_with_itself_makes_one_run() {
    on_both(|log| async move {
        let tasks: Vec<_> = (0..50)
            .map(|i| {
                let log = Arc::clone(&log);
                let append = Append::to(name(&format!("runs/{i}"))).record("open").claim(claim("id", 1, 1));
                tokio::spawn(async move { log.append(append).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|a| !a.repeated).count(), 1);
        assert!(answers.iter().all(|a| a.stream == answers[0].stream));
        assert_eq!(log.streams("runs/", None, 100).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn views_change_with_the_record_and_scan_both_ways() {
    on_both(|log| async move {
        let mut append = Append::to(name("ledger")).record("e");
        for key in ["op/1", "op/2", "op/3", "op0", "oq"] {
            append = append.view("state", key, key.to_owned()).view("other", key, "");
        }
        log.append(append).await.unwrap();
        log.append(Append::to(name("ledger")).view("state", "op/2", "new").drop_view("state", "op/3"))
            .await
            .unwrap();
        assert_eq!(log.view_get("state", "op/2").await.unwrap(), Some(Bytes::from("new")));
        assert_eq!(log.view_get("state", "op/3").await.unwrap(), None);
        assert_eq!(log.last_seq(&name("ledger")).await.unwrap(), 1);

        let keys = |scan: ViewScan| {
            let log = Arc::clone(&log);
            async move { log.view_scan(scan).await.unwrap().into_iter().map(|r| r.key).collect::<Vec<_>>() }
        };
        assert_eq!(keys(ViewScan::of("state", 9).prefix("op/")).await, ["op/1", "op/2"]);
        assert_eq!(keys(ViewScan::of("state", 9).after(Some("op/1"))).await, ["op/2", "op0", "oq"]);
        assert_eq!(keys(ViewScan::of("state", 2).descending()).await, ["oq", "op0"]);
        assert_eq!(keys(ViewScan::of("state", 9).descending().after(Some("op/2"))).await, ["op/1"]);
        assert_eq!(keys(ViewScan::of("absent", 9)).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn search_ranks_filters_pages_and_follows_changes() {
    on_both(|log| async move {
        let doc = |title: &str, text: &str, tags: &[&str]| IndexDoc {
            title: title.into(),
            text: text.into(),
            tags: tags.iter().map(|&t| t.to_owned()).collect(),
        };
        let ledger = || Append::to(name("ledger"));
        log.append(
            ledger()
                .index(
                    "ops",
                    "sn22.web_search",
                    doc("sn22.web_search", "Web pages for a query", &["web", "sn22"]),
                )
                .index(
                    "ops",
                    "sn22.crawl",
                    doc("sn22.web_crawl", "Text of a page; no searching", &["web", "sn22"]),
                )
                .index("ops", "sn64.chat", doc("sn64.chat", "Talk to a model", &["llm", "sn64"]))
                .index("docs", "sn22.web_search", doc("web search", "", &[])),
        )
        .await
        .unwrap();
        let find = |text: &str, tags: &[&str], limit, offset| {
            let search = Search {
                index: "ops".into(),
                text: text.into(),
                tags: tags.iter().map(|&t| t.to_owned()).collect(),
                limit,
                offset,
            };
            let log = Arc::clone(&log);
            async move { log.search(search).await.unwrap().into_iter().map(|h| h.key).collect::<Vec<_>>() }
        };
        assert_eq!(find("web search", &[], 9, 0).await, ["sn22.web_search", "sn22.crawl"]);
        assert_eq!(find("web search", &[], 9, 1).await, ["sn22.crawl"]);
        assert_eq!(find("searches", &["sn22"], 1, 0).await, ["sn22.web_search"]);
        assert_eq!(find("mod", &[], 9, 0).await, ["sn64.chat"]);
        assert_eq!(find("web", &["llm"], 9, 0).await, Vec::<String>::new());
        assert_eq!(find("", &["web", "sn22"], 9, 0).await, ["sn22.crawl", "sn22.web_search"]);

        let drop = store::IndexWrite { index: "ops".into(), key: "sn22.web_search".into(), doc: None };
        log.append(Append { index: vec![drop], ..ledger() }).await.unwrap();
        log.append(ledger().index("ops", "sn64.chat", doc("sn64.chat", "Search by talking", &["llm"])))
            .await
            .unwrap();
        assert_eq!(find("search", &[], 9, 0).await, ["sn64.chat", "sn22.crawl"]);
        assert_eq!(find("model", &[], 9, 0).await, Vec::<String>::new());
        assert_eq!(find("", &["sn64"], 9, 0).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn blobs_are_addressed_by_content() {
    on_both(|log| async move {
        let body = Bytes::from(vec![7; 200_000]);
        let hash = log.put_blob(body.clone()).await.unwrap();
        assert_eq!(hash, store::blob_hash(&body));
        assert_eq!(log.put_blob(body.clone()).await.unwrap(), hash);
        assert_eq!(log.get_blob(&hash).await.unwrap(), Some(body));
        assert_eq!(log.get_blob(&Hash([0; 32])).await.unwrap(), None);
        assert!(log.streams("", None, 9).await.unwrap().is_empty());
        let with_record = Append::to(name("runs/a")).record("see blob").blob("body");
        log.append(with_record).await.unwrap();
        assert_eq!(log.get_blob(&store::blob_hash(b"body")).await.unwrap(), Some(Bytes::from("body")));
    })
    .await;
}

#[tokio::test]
async fn a_page_ends_by_bytes_and_the_next_one_goes_on() {
    on_both(|log| async move {
        let run = name("runs/a");
        let half = MAX_PAGE_BYTES / 20;
        for _ in 0..21 {
            log.append(Append::to(run.clone()).record(vec![1; half])).await.unwrap();
        }
        let first = log.read(&run, 1, 100).await.unwrap();
        assert_eq!(first.len(), 20);
        assert_eq!(log.read(&run, 21, 100).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_watch_tells_of_growth_and_of_the_end() {
    let log = Memory::new();
    let mut watch = log.watch(&name("runs/a"));
    let mut other = log.watch(&name("runs/a"));
    for _ in 0..3 {
        log.append(Append::to(name("runs/a")).record("x")).await.unwrap();
        log.append(Append::to(name("runs/b")).record("x")).await.unwrap();
    }
    assert_eq!(watch.grown().await, Some(3));
    assert_eq!(other.grown().await, Some(3));
    drop(log);
    assert_eq!(watch.grown().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_that_wait_together_share_commits() {
    let dir = TempDir::new().unwrap();
    let log = Arc::new(Sqlite::open(&Options::new(dir.path())).unwrap());
    for fan_out in [100_u64, 1_000] {
        let before = log.stats();
        let tasks: Vec<_> = (0..fan_out)
            .map(|i| {
                let log = Arc::clone(&log);
                let append = Append::to(name(&format!("runs/{i}"))).record("opened");
                tokio::spawn(async move { log.append(append).await.unwrap() })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let after = log.stats();
        assert_eq!(after.appends - before.appends, fan_out);
        // Each commit takes all that wait; how many that is depends on the disk, but never nearly one by one.
        assert!(after.commits - before.commits <= fan_out / 2, "{after:?}");
        assert!(after.largest_group > 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_and_reads_that_meet_all_end() {
    on_both(|log| async move {
        let tasks: Vec<_> = (0..32_u8)
            .map(|task| {
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    let (own, common) = (name(&format!("runs/{task}")), name("runs/common"));
                    for seq in 1..=50_u8 {
                        let append =
                            Append { expected_seq: Some(u64::from(seq) - 1), ..Append::to(own.clone()) };
                        assert_eq!(
                            log.append(append.record(vec![seq])).await.unwrap().last_seq,
                            u64::from(seq)
                        );
                        log.append(Append::to(common.clone()).record(vec![task])).await.unwrap();
                        assert!(log.last_seq(&common).await.unwrap() >= u64::from(seq));
                        // Nobody waits for this one, so it does not begin.
                        drop(log.append(Append::to(name("runs/dropped")).record("x")));
                    }
                    log.read(&own, 1, 100).await.unwrap().len()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 50);
        }
        assert_eq!(log.last_seq(&name("runs/common")).await.unwrap(), 32 * 50);
        assert_eq!(log.last_seq(&name("runs/dropped")).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_refused_append_does_not_harm_its_group() {
    let dir = TempDir::new().unwrap();
    let log = Sqlite::open(&Options::new(dir.path())).unwrap();
    let good = |i: u64| Append::to(name("runs/good")).expecting(i).record("x");
    let bad = || Append::to(name("runs/bad")).expecting(9).record("x");
    let (a, b, c, d) =
        tokio::join!(log.append(good(0)), log.append(bad()), log.append(good(1)), log.append(bad()));
    assert_eq!((a.unwrap().last_seq, c.unwrap().last_seq), (1, 2));
    assert_eq!((b.unwrap_err().code(), d.unwrap_err().code()), ("E1007", "E1007"));
}

#[cfg(unix)]
#[test]
fn a_new_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("new");
    Sqlite::open(&Options::new(&path)).unwrap();
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let dir = TempDir::new().unwrap();
    {
        let log = Sqlite::open(&Options::new(dir.path())).unwrap();
        let append = Append::to(name("runs/a")).record("1").view("v", "k", "value").blob("body");
        log.append(append.index("i", "d", IndexDoc { title: "word".into(), ..IndexDoc::default() }))
            .await
            .unwrap();
    }
    let log = Sqlite::open(&Options::new(dir.path())).unwrap();
    assert_eq!(log.read(&name("runs/a"), 1, 9).await.unwrap()[0].bytes, "1");
    assert_eq!(log.view_get("v", "k").await.unwrap(), Some(Bytes::from("value")));
    assert!(log.get_blob(&store::blob_hash(b"body")).await.unwrap().is_some());
    let search = Search { index: "i".into(), text: "WORD".into(), limit: 9, ..Search::default() };
    assert_eq!(log.search(search).await.unwrap().len(), 1);
    log.verify().await.unwrap();
}

#[tokio::test]
async fn a_store_is_read_beside_its_owner() {
    let dir = tempfile::TempDir::new().unwrap();
    let (name, other) = (StreamName::new("ledger").unwrap(), StreamName::new("runs/1").unwrap());
    let log = Sqlite::open(&Options::new(dir.path())).unwrap();
    assert!(Sqlite::records_of(dir.path(), &name).unwrap().is_empty());
    let written: Vec<Vec<u8>> = (0..3_u8).map(|byte| vec![byte; 100_000]).collect();
    for bytes in &written {
        log.append(Append::to(name.clone()).record(bytes.clone())).await.unwrap();
        log.append(Append::to(other.clone()).record("other")).await.unwrap();
    }
    let read = || Sqlite::records_of(dir.path(), &name).unwrap();
    let bytes =
        |records: Vec<store::Record>| records.iter().map(|record| record.bytes.to_vec()).collect::<Vec<_>>();
    assert_eq!(read().iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(bytes(read()), written, "from the write-ahead log");
    assert!(Sqlite::rows_of(dir.path(), "v").unwrap().is_empty());
    log.append(Append::to(other).view("v", "b", "2").view("v", "a", "1").view("w", "c", "3")).await.unwrap();
    let rows = || Sqlite::rows_of(dir.path(), "v").unwrap();
    let keys = || rows().into_iter().map(|row| row.key).collect::<Vec<_>>();
    assert_eq!((keys(), &rows()[0].value[..]), (vec!["a".to_owned(), "b".to_owned()], &b"1"[..]));
    // The owner goes on, and its records and rows are there after it, too.
    log.append(Append::to(name.clone()).record("last")).await.unwrap();
    drop(log);
    assert_eq!((read().len(), keys().len()), (4, 2));
    let nowhere = Sqlite::records_of(&dir.path().join("none"), &name).unwrap_err();
    assert!(matches!(nowhere, store::Error::NotWritable { .. }), "{nowhere}");
}
