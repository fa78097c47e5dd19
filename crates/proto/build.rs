//! Generates messages, clients and servers from `proto/`. protox compiles the files in Rust, so no
//! `protoc` has to be installed.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message as _;

const FILES: [&str; 7] = [
    "orchestra/v1/call.proto",
    "orchestra/v1/common.proto",
    "orchestra/v1/compiler.proto",
    "orchestra/v1/ledger.proto",
    "orchestra/v1/plan.proto",
    "orchestra/v1/run.proto",
    "orchestra/v1/tool.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    let descriptors = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut encoded = Vec::new();
    descriptors.encode(&mut encoded)?;
    fs::write(out.join("orchestra.bin"), encoded)?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    for file in FILES {
        println!("cargo:rerun-if-changed={}", root.join(file).display());
    }
    Ok(())
}
