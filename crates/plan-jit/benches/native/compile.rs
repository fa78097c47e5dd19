//! How long a plan takes to become native code, Cranelift's verifier included.

use std::fmt::Write as _;
use std::time::Instant;

use plan_compiler::{Options, Source};
use plan_jit::{Coverage, Engine, fragments};
use schema::lock::Lock;

/// Functions of the plan.
const FUNCTIONS: usize = 50;
/// What the project aims at.
const AIM_MS: f64 = 30.0;

fn text() -> String {
    let mut text =
        String::from("edition 2026\nrecord R { title: String, score: Int, rank: Float, lang: String? }\n");
    for n in 0..FUNCTIONS {
        let function = match n % 4 {
            0 => {
                format!("rs.filter(r => r.score > {n} && r.lang == \"l{n}\").map(r => r.rank * {n}.5).sum()")
            }
            1 => format!("rs.top({n}, r => r.rank).map(r => r.rank + 1.0).max() ?? 0.0"),
            2 => format!("rs.map(r => \"{{r.title}} {n}\").filter(t => t.len() > {n}).len().to_float()"),
            _ => format!(
                "(rs.find(r => r.score % {n} == 1 || r.title.starts_with(\"x{n}\"))?.rank ?? 2.0) + {n}.0"
            ),
        };
        writeln!(text, "fn f{n}(rs: [R]) -> Float = {function}").unwrap();
    }
    text.push_str("plan all(rs: [R]) -> [Float] {\n  return [");
    for n in 0..FUNCTIONS {
        write!(text, "f{n}(rs), ").unwrap();
    }
    text.push_str("]\n}\n");
    text
}

pub(crate) fn measure() {
    let text = text();
    let source = Source { name: "fifty.orch", text: &text };
    let compiled = plan_compiler::compile(&source, &Lock::empty(), &Options::default());
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    let (plan, _) = compiled.plan("all").unwrap();
    let engine = Engine::new().unwrap();
    let all = fragments(&plan.body);
    let mut times: Vec<f64> = (0..25)
        .map(|_| {
            let start = Instant::now();
            let native = engine.compile_fragments(&plan.body, &all, Coverage::All).unwrap();
            let time = start.elapsed().as_secs_f64() * 1e3;
            assert!(native.refused().is_empty(), "{:?}", native.refused());
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let native = engine.compile_fragments(&plan.body, &all, Coverage::All).unwrap();
    println!("\ncompile: a plan of {FUNCTIONS} functions, verifier on; aim: {AIM_MS} ms");
    println!(
        "median {:.1} ms, best {:.1} ms, {} bytes of code",
        times.get(12).unwrap(),
        times.first().unwrap(),
        native.code_bytes()
    );
}
