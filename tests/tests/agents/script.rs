//! A client of another project: a script that says what it checked, and asks the test for what it cannot do itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use e2e::process::orch;
use e2e::{python, root};
use tokio::sync::mpsc;

/// A running script.
pub(crate) struct Script {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::UnboundedReceiver<String>,
}

/// The second major of the Python SDK.
pub(crate) fn second_major() -> Command {
    Command::new(python("ORCH_CLIENTS_PYTHON", "venv-clients"))
}

/// The first major, and LangChain.
pub(crate) fn first_major() -> Command {
    Command::new(python("ORCH_AGENTS_PYTHON", "venv-agents"))
}

/// Node with the TypeScript SDK.
pub(crate) fn node() -> Command {
    let packages = root().join("tests/clients/node_modules/@modelcontextprotocol");
    assert!(packages.exists(), "there is no {}: run `cargo xtask test` once", packages.display());
    Command::new("node")
}

pub(crate) fn client(name: &str) -> PathBuf {
    root().join("tests/clients").join(name)
}

impl Script {
    /// Starts a script in `folder`.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Self {
        let mut child = command
            .current_dir(folder)
            .env("ORCH", orch())
            .env("ORCHESTRA_KEYS", folder.join(".vault/keys.age"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("ORCHESTRA_CONFIG")
            .env_remove("ORCHESTRA_SERVER")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                // Nobody listens to a script whose test has failed.
                let _ = sender.send(line.unwrap());
            }
        });
        Self { child, stdin, lines }
    }

    /// What it asks the test for next; nothing when it has ended. What it checked goes to `checked`.
    pub(crate) async fn asks(&mut self, checked: &mut Vec<String>) -> Option<String> {
        while let Some(line) = self.lines.recv().await {
            match line.strip_prefix("do ") {
                Some(what) => return Some(what.to_owned()),
                None => checked.push(line),
            }
        }
        None
    }

    /// Tells it that this is done.
    pub(crate) fn done(&mut self) {
        writeln!(self.stdin, "done").unwrap();
    }

    /// Holds it to its checks when it has ended.
    pub(crate) fn held(mut self, checked: &[String], at_least: usize) {
        let status = self.child.wait().unwrap();
        let said = checked.join("\n");
        assert!(status.success() && !said.contains("FAIL"), "{said}");
        assert!(checked.iter().filter(|line| line.starts_with("ok ")).count() >= at_least, "{said}");
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
