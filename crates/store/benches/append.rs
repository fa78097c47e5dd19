//! What an append costs: alone, and in fan-outs that share commits; durable and in memory.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use store::{Append, Log, Memory, Options, Sqlite, StreamName};

/// Bytes of a typical journal record.
const RECORD: [u8; 200] = [7; 200];

fn append(stream: &StreamName) -> Append {
    Append::to(stream.clone()).record(&RECORD[..])
}

fn appends(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    let stores: [(&str, Arc<dyn Log>); 2] = [
        ("memory", Arc::new(Memory::new())),
        ("durable", Arc::new(Sqlite::open(&Options::new(dir.path())).unwrap())),
    ];
    let mut group = criterion.benchmark_group("append");
    group.sample_size(20);
    for (kind, log) in &stores {
        let stream = StreamName::new("runs/bench").unwrap();
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new(*kind, 1), |bench| {
            bench.to_async(&runtime).iter(|| log.append(append(&stream)));
        });
        for fan_out in [100_u64, 1_000] {
            group.throughput(Throughput::Elements(fan_out));
            group.bench_function(BenchmarkId::new(*kind, fan_out), |bench| {
                bench.to_async(&runtime).iter(|| async {
                    let tasks: Vec<_> = (0..fan_out)
                        .map(|i| {
                            let (log, stream) =
                                (Arc::clone(log), StreamName::new(&format!("runs/{i}")).unwrap());
                            tokio::spawn(async move { log.append(append(&stream)).await.unwrap() })
                        })
                        .collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, appends);
criterion_main!(benches);
