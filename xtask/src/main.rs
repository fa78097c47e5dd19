//! The project's task list: `cargo xtask test | check | proto-image | bench | dist | descriptors | demo`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod build_health;
mod canary;
mod guided;
mod layout;
mod tools;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test [ARGS]   install what the tests need into .tools/, run every test, and search what they left for secrets;
                ARGS go to `cargo test`
  check         formatting, clippy (with each feature by itself too), documentation, licences and sources, style and compatibility of the contract
  proto-image   what later changes of the contract must stay compatible with: the contract as it is now
  bench [NAME]  run the benchmarks (or those whose name contains NAME) and print their tables
  bench build   how long builds take, from nothing and after a change to one crate, and the compiler's tests
  dist          `orch` as servers should run it, into target/guided/: built, rehearsed, and built again by what calls went through
  descriptors FILE  what an entry of the Ledger needs of a .proto file, in base64
  demo          the main job in one command, on sample subnets
";

/// The compiled contract that changes are compared with, in `proto/`.
const PROTO_IMAGE: &str = "image.binpb";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if args.iter().take(2).any(|arg| arg == "--help" || arg == "-h") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let outcome = match args.split_first() {
        Some((command, rest)) if command == "test" => test(rest),
        Some((command, [])) if command == "check" => check(),
        Some((command, [])) if command == "proto-image" => proto_image(),
        Some((command, [what])) if command == "bench" && what == "build" => build_health::bench(),
        Some((command, rest)) if command == "bench" && rest.len() < 2 => bench(rest.first()),
        Some((command, [])) if command == "dist" => guided::build(),
        Some((command, [file])) if command == "descriptors" => descriptors(Path::new(file)),
        Some((command, [])) if command == "demo" => {
            cargo(&["run", "--release", "--package", "orch", "--", "demo"])
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn test(args: &[String]) -> Result<()> {
    tools::venv("venv-v10", &["tests/peers/requirements-v10.txt"], Some("tests/peers/constraints-v10.txt"))?;
    tools::venv("venv-v11", &["tests/peers/requirements-v11.txt"], Some("tests/peers/constraints-v11.txt"))?;
    tools::venv("venv-clients", &["tests/clients/requirements.txt"], None)?;
    tools::venv("venv-agents", &["tests/clients/requirements-agents.txt"], None)?;
    tools::venv("venv-package", &["clients/python/requirements-dev.txt"], None)?;
    lint_tools()?;
    tools::npm("tests/clients")?;
    tools::npm("clients/typescript")?;
    if !["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .iter()
        .any(|path| Path::new(path).exists())
        && env::var_os("ORCHESTRA_CHROMIUM").is_none()
    {
        println!(
            "No Chromium: the TypeScript package is not tried in a browser (Debian: apt-get install chromium)"
        );
    }
    every_test(args)
}

/// Every test, and then a search of what they left and printed for secrets.
fn every_test(args: &[String]) -> Result<()> {
    let suite = canary::Suite::begin()?;
    let (cargo_args, test_args) = match args.iter().position(|arg| arg == "--") {
        Some(at) => args.split_at(at),
        None => (args, [].as_slice()),
    };
    let mut command = Command::new(cargo_path());
    command.args(["test", "--workspace", "--no-fail-fast"]).args(cargo_args).current_dir(root());
    command.args(["--", "--show-output"]).args(test_args.iter().skip(1));
    println!("$ {}", shown(&command));
    let passed = suite.run(&mut command)?;
    suite.search()?;
    if !passed {
        bail!("tests failed");
    }
    Ok(())
}

fn check() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    each_feature()?;
    let mut doc = Command::new(cargo_path());
    doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings");
    run(&mut doc)?;
    run(Command::new(lint_tools()?.join("cargo-deny")).args(["check", "licenses", "bans", "sources"]))?;
    buf(&["lint"])?;
    buf(&["breaking", "--against", PROTO_IMAGE])
}

/// The binary without features, and with each by itself: what is built in must not be needed by what is not.
fn each_feature() -> Result<()> {
    let features = metadata()?;
    let features = list(&features, "packages")
        .into_iter()
        .find(|package| package.get("name").and_then(Value::as_str) == Some("orch"))
        .and_then(|package| package.get("features").and_then(Value::as_object).cloned())
        .context("`cargo metadata` knows no package `orch`")?;
    let names = features.keys().filter(|name| *name != "default").map(String::as_str);
    for name in std::iter::once("").chain(names) {
        let which = ["--package", "orch", "--bin", "orch", "--no-default-features", "--features", name];
        cargo(&[&["clippy"], &which[..], &["--", "--deny", "warnings"]].concat())?;
    }
    Ok(())
}

/// Accepts the contract as it is as what clients rely on.
fn proto_image() -> Result<()> {
    buf(&["build", "--exclude-source-info", "--output", PROTO_IMAGE])
}

fn buf(args: &[&str]) -> Result<()> {
    run(Command::new(lint_tools()?.join("buf")).args(args).current_dir(root().join("proto")))
}

fn lint_tools() -> Result<PathBuf> {
    tools::venv("venv-lint", &["xtask/requirements-lint.txt"], None)
}

/// Every benchmark is a `bench` target without a harness of its own switches, so that `cargo bench`
/// runs it as it stands; tables go to standard output.
fn bench(filter: Option<&String>) -> Result<()> {
    let all = benches()?;
    let admits = |text: &str| filter.is_none_or(|part| text.contains(part.as_str()));
    let chosen: Vec<_> = all.iter().filter(|(package, name)| admits(package) || admits(name)).collect();
    if chosen.is_empty() {
        let names: Vec<String> = all.iter().map(|(package, name)| format!("{package}/{name}")).collect();
        bail!("no benchmark matches; there are: {}", names.join(", "));
    }
    for (package, name) in chosen {
        cargo(&["bench", "--package", package, "--bench", name])?;
    }
    Ok(())
}

/// Package and name of every benchmark, as the manifests have them.
fn benches() -> Result<Vec<(String, String)>> {
    let metadata = metadata()?;
    let text = |value: &Value| value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for package in list(&metadata, "packages") {
        for target in list(&package, "targets") {
            if list(&target, "kind").iter().any(|kind| kind == "bench") {
                found.push((text(&package), text(&target)));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What cargo knows of the workspace.
fn metadata() -> Result<Value> {
    let mut metadata = Command::new(cargo_path());
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root());
    let output = metadata.output().context("`cargo metadata` could not be started")?;
    serde_json::from_slice(&output.stdout).context("`cargo metadata` failed")
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The file and all it imports as one `google.protobuf.FileDescriptorSet`.
fn descriptors(file: &Path) -> Result<()> {
    let folder = file.parent().context("the file has no folder")?;
    let mut compiler = protox::Compiler::new([folder]).with_context(|| format!("{}", folder.display()))?;
    compiler.include_imports(true).open_file(file)?;
    println!("{}", BASE64.encode(compiler.encode_file_descriptor_set()));
    Ok(())
}

fn cargo(args: &[&str]) -> Result<()> {
    run(Command::new(cargo_path()).args(args))
}

fn cargo_path() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

fn run(command: &mut Command) -> Result<()> {
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    let shown = shown(command);
    println!("$ {shown}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("`{shown}` could not be started"))?;
    println!("  {:.1} s: {shown}", start.elapsed().as_secs_f64());
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
