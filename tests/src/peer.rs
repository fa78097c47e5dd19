//! Peers of `tests/peers`, each as a child process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

use crate::{python, root};

/// A running peer.
#[derive(Debug)]
pub struct Peer {
    /// Holds the pipe whose end stops the peer, also when this process is killed.
    _child: Child,
    /// What it said when it was ready.
    pub ready: Json,
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
}

impl Peer {
    /// Starts `tests/peers/<script>.py` with the Python that `variable` names, or that of `environment`. It takes some
    /// seconds, most of them to import what it needs.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(variable: &str, environment: &str, script: &str, args: &[&str]) -> Self {
        let mut child = Command::new(python(variable, environment))
            .arg(root().join("tests/peers").join(script).with_extension("py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the peer starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("READY ").map(str::to_owned));
        let ready: Json = serde_json::from_str(&ready.expect("the peer got ready")).unwrap();
        let origin = format!("http://127.0.0.1:{}", ready["port"]);
        Self { _child: child, ready, origin }
    }

    /// What it said of `name` when it was ready.
    ///
    /// # Panics
    /// If it said nothing of it.
    #[must_use]
    pub fn said(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }
}
