//! `orch serve` as a process of its own, which benchmarks talk to as clients do.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use proto::v1;
use proto::v1::ledger_service_client::LedgerServiceClient;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tonic::transport::Channel;

/// Names another `orch` to measure than the one that was built with the benchmark, by its full path.
const OTHER_BINARY: &str = "ORCHESTRA_BENCH_BINARY";

/// A project whose calls may go to this machine.
pub(crate) fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("orchestra.toml"), "[development]\nallow_loopback = true\n").unwrap();
    folder
}

/// A server of the project in a folder.
pub(crate) struct Served {
    pub(crate) child: Child,
    /// Host and port.
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = orch(folder, &["serve", "--quiet", "--log", "error", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ");
        assert!(address.is_some(), "`orch serve` does not listen: {line}");
        Self { child, address: address.unwrap().to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Asks a process to stop rather than killing it: a build that counts what it does writes that down at its end.
pub(crate) fn stop(child: &mut Child) {
    // One that has ended by itself was noticed by whoever asked it.
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let _ = child.wait();
}

/// `orch` in a folder, with nothing of the caller's environment or keys.
pub(crate) fn orch(folder: &Path, args: &[&str]) -> Command {
    let binary = env::var_os(OTHER_BINARY).unwrap_or_else(|| env!("CARGO_BIN_EXE_orch").into());
    let mut command = Command::new(binary);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("ORCHESTRA_") {
            command.env_remove(name);
        }
    }
    command.env("ORCHESTRA_KEYS", folder.join("keys.age")).current_dir(folder).args(args);
    command
}

pub(crate) async fn publish(channel: Channel, entry: &serde_json::Value) {
    let request = v1::PublishOperationRequest { entry_json: entry.to_string().into() };
    LedgerServiceClient::new(channel).publish_operation(request).await.unwrap();
}
