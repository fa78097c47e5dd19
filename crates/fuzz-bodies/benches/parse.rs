//! How long it takes to read and to format a file of 1,000 lines, and to read it again after one change.
#![allow(missing_docs, reason = "the macros of criterion make undocumented functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

/// The fixtures again and again, 1,000 lines of them.
fn source() -> String {
    let fixtures = [
        include_str!("../../plan-lang/tests/fixtures/analyse.orch"),
        include_str!("../../plan-lang/tests/fixtures/answer.orch"),
        include_str!("../../plan-lang/tests/fixtures/screen.orch"),
        include_str!("../../plan-lang/tests/fixtures/everything.orch"),
    ];
    let lines = fixtures.iter().cycle().flat_map(|text| text.lines());
    // One edition is enough.
    let lines = lines.filter(|line| !line.starts_with("edition")).take(1_000);
    let mut text = lines.collect::<Vec<_>>().join("\n");
    // The last declaration may be cut in half; leave it out.
    text.truncate(text.rfind("\n}\n").map_or(text.len(), |end| end + 3));
    text
}

fn benches(criterion: &mut Criterion) {
    let text = source();
    let parse = plan_lang::parse(&text);
    assert!(!parse.has_errors(), "the benchmark is about correct text");
    let changed = text.replacen("budget: 0.60USD", "budget: 0.61USD", 1);
    criterion.bench_function("parse 1,000 lines", |b| b.iter(|| plan_lang::parse(black_box(&text))));
    criterion.bench_function("update 1 of 1,000 lines", |b| b.iter(|| parse.update(black_box(&changed))));
    let mut changing = parse.clone();
    changing.change(&changed);
    let mut texts = [&text, &changed].into_iter().cycle();
    criterion.bench_function("change 1 of 1,000 lines in place", |b| {
        b.iter(|| changing.change(black_box(texts.next().unwrap_or(&text))));
    });
    criterion.bench_function("format 1,000 lines", |b| b.iter(|| plan_lang::format(black_box(&text))));
}

criterion_group!(parse, benches);
criterion_main!(parse);
