//! A plan checked, explained and evaluated without a server: `cargo run -p plan-compiler --example embed`.
#![expect(clippy::print_stdout, reason = "an example")]

use std::error::Error;

use plan_compiler::{Options, Source, compile};
use plan_ir::explain::explain;
use plan_ir::interp::evaluate;
use plan_lang::{SourceFile, render};
use schema::decode::decode;
use schema::encode::to_json;
use schema::lock::Lock;

/// What `text` can cost and what it gives for `args`, which are JSON; or what is wrong with it.
fn embed(text: &str, lock: &Lock, args: &[&str]) -> Result<String, Box<dyn Error>> {
    let name = "greet.orch";
    let compilation = compile(&Source { name, text }, lock, &Options::default());
    let messages = render(&SourceFile { name, text }, &compilation.diagnostics, false);
    let Some(plan) = compilation.root() else { return Err(messages.into()) };
    let (plan, bound) = compilation.plan(&plan.body.name).ok_or("a plan without a bound")?;
    let types = &plan.body.types;
    let args =
        args.iter().zip(&plan.body.params).map(|(arg, param)| decode(arg.as_bytes(), &param.ty, types));
    let value = evaluate(plan, args.collect::<Result<_, _>>()?)?;
    let value = to_json(&value, &plan.body.output, types)?;
    Ok(format!("{messages}{}\n{value}\n", explain(plan, bound)))
}

/// A plan without and with a mistake.
pub(crate) fn shown() -> Result<String, Box<dyn Error>> {
    let text =
        "plan greet(names: [String(..40)](..9)) -> [String(..60)](..9) { names.map(n => \"Hello, {n}!\") }\n";
    let good = embed(text, &Lock::empty(), &[r#"["Ann", "Bo"]"#])?;
    let bad = embed(&text.replace("names.map", "names.mapp"), &Lock::empty(), &[]);
    Ok(format!("{good}\n{}", bad.err().ok_or("the mistake is not found")?))
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", shown()?);
    Ok(())
}
