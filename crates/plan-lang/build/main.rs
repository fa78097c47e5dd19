//! Makes the parser of `grammar/orch.pest`: reads the grammar as pest does, and writes a function for each rule.
//!
//! What a function does to a text is `src/parser/machine.rs`. That the result is what pest's own parser makes of the
//! same grammar is what `tests/lang/reference.rs` tests.

#![expect(clippy::print_stdout, reason = "it is how cargo is told")]

mod bytes;
mod code;
mod first;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const GRAMMAR: &str = "../../grammar/orch.pest";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={GRAMMAR}");
    let grammar = fs::read_to_string(GRAMMAR)?;
    let (_, rules) = pest_meta::parse_and_optimize(&grammar).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(|error| error.to_string()).collect();
        format!("{GRAMMAR} is no grammar of pest:\n{}", errors.join("\n"))
    })?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("grammar.rs"), code::of(&rules)?)?;
    Ok(())
}
