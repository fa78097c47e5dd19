//! A plan checked, explained and evaluated without a server: `cargo run -p plan-compiler --example embed`.
#![expect(clippy::print_stdout, reason = "an example")]

use plan_compiler::{Options, Source, compile};
use plan_ir::explain::explain;
use plan_ir::interp::{PureError, evaluate_json};
use plan_lang::render;
use schema::lock::Lock;

/// What is to be said about `text`, what it can cost, and what it gives for `args`, which are JSON.
fn embed(text: &str, lock: &Lock, args: &[&str]) -> Result<String, PureError> {
    let source = Source { name: "greet.orch", text };
    let compilation = compile(&source, lock, &Options::default());
    let messages = render(&source, &compilation.diagnostics, false);
    let Some((plan, bound)) = compilation.root() else { return Ok(messages) };
    Ok(format!("{messages}{}\n{}\n", explain(plan, bound), evaluate_json(plan, args)?))
}

/// A plan without and with a mistake.
pub(crate) fn shown() -> Result<String, PureError> {
    let text =
        "plan greet(names: [String(..40)](..9)) -> [String(..60)](..9) { names.map(n => \"Hello, {n}!\") }\n";
    let good = embed(text, &Lock::empty(), &[r#"["Ann", "Bo"]"#])?;
    Ok(good + "\n" + &embed(&text.replace("names.map", "names.mapp"), &Lock::empty(), &[])?)
}

fn main() -> Result<(), PureError> {
    shown().map(|text| print!("{text}"))
}
