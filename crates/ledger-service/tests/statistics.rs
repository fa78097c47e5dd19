//! Statistics of calls: told, published, and there again in the next process.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ledger_service::{STATISTICS, Statistics};
use schema::amount::{Amount, Currency};
use schema::error::CallErrorKind;
use schema::route::{CallSample, Route};
use store::{Log, Memory, ViewScan};

const CHARGED: Amount = Amount::new(2_000, Currency::MicroUsd);

fn sample(ms: u64, error: Option<CallErrorKind>) -> CallSample {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    CallSample {
        operation: "sn1.a".to_owned(),
        started_at_us: i64::try_from(now.as_micros()).unwrap(),
        duration_us: ms * 1_000,
        error,
        cost: Some(CHARGED),
    }
}

// With paused time a tick is due as soon as nothing else is.
#[tokio::test(start_paused = true)]
async fn calls_are_known_in_the_next_process() {
    let log: Arc<dyn Log> = Arc::new(Memory::new());
    let statistics = Statistics::open(&log, Vec::new()).await.unwrap();
    let mut routes = statistics.routes();
    assert!(routes.borrow_and_update().routes.is_empty());
    for ms in [5, 1, 4, 2, 3] {
        statistics.samples().send(sample(ms, None)).await.unwrap();
    }
    statistics.samples().send(sample(1, Some(CallErrorKind::Rejected))).await.unwrap();
    routes.changed().await.unwrap();
    let known =
        Route { calls: 5, latency_ms_p50: Some(3), success_share: Some(6.0 / 7.0), ..Route::default() };
    assert_eq!(routes.borrow().routes["sn1.a"], known);

    // What was told and not taken in yet is stored, too.
    statistics.samples().send(sample(3, Some(CallErrorKind::Timeout))).await.unwrap();
    statistics.close().await;
    assert_eq!(Arc::strong_count(&log), 1);
    let next = Statistics::open(&log, Vec::new()).await.unwrap();
    let known = Route { calls: 6, latency_ms_p50: Some(4), success_share: Some(6.0 / 8.0), ..known };
    assert_eq!(next.routes().borrow().routes["sn1.a"], known);
    assert_eq!(next.routes().borrow().charged["sn1.a"], CHARGED);

    // And where a service in memory begins with it.
    let rows = log.view_scan(ViewScan::of(STATISTICS, 9)).await.unwrap();
    let elsewhere: Arc<dyn Log> = Arc::new(Memory::new());
    let beside = Statistics::open(&elsewhere, rows).await.unwrap();
    assert_eq!(beside.routes().borrow().routes["sn1.a"], known);
}

#[tokio::test(start_paused = true)]
async fn statistics_that_nobody_closes_end_with_their_owner() {
    let log: Arc<dyn Log> = Arc::new(Memory::new());
    let statistics = Statistics::open(&log, Vec::new()).await.unwrap();
    let (samples, mut routes) = (statistics.samples(), statistics.routes());
    drop(statistics);
    // The task is over: the table has no owner any more, and nobody takes calls.
    let over = async { while routes.changed().await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(60), over).await.unwrap();
    assert!(samples.is_closed());
    // Nothing is left that would hold up closing twice.
    let again = Statistics::open(&log, Vec::new()).await.unwrap();
    again.close().await;
    again.close().await;
}
