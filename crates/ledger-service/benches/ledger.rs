//! What starting a Ledger costs: the seed catalogue into a fresh store, and the fold of an existing one; a search.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ledger_service::{Catalog, Handle, Options, SearchRequest};
use store::{Log, Memory, Sqlite};

async fn fresh(log: Arc<dyn Log>) -> Handle {
    let ledger = Options::new(log).open().await.unwrap();
    ledger.load(&Catalog::embedded().unwrap()).await.unwrap();
    ledger
}

fn starting(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("ledger");
    group.sample_size(20);
    group.bench_function("seed a durable store", |bench| {
        bench.iter_batched(
            || tempfile::TempDir::new().unwrap(),
            |dir| {
                let log = Arc::new(Sqlite::open(&store::Options::new(dir.path())).unwrap());
                runtime.block_on(fresh(log));
                dir
            },
            BatchSize::PerIteration,
        );
    });
    let log: Arc<dyn Log> = Arc::new(Memory::new());
    let ledger = runtime.block_on(fresh(Arc::clone(&log)));
    group.bench_function("open a seeded store", |bench| {
        bench.iter(|| runtime.block_on(Options::new(Arc::clone(&log)).open()).unwrap());
    });
    group.bench_function("search two words", |bench| {
        bench.iter(|| runtime.block_on(ledger.search(&SearchRequest::for_text("web search"))).unwrap());
    });
    group.finish();
}

criterion_group!(benches, starting);
criterion_main!(benches);
