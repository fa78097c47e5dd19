//! `orch mcp` as an agent has it: on standard input and output.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::orch::Folder;

/// Sends the calls of SN22 to `origin`, with a key.
pub(crate) fn configure(folder: &Folder, origin: &str) {
    folder.write(
        "orchestra.toml",
        format!(
            "[development]\nallow_loopback = true\n[endpoints]\nsn22 = \"{origin}\"\n\
             [secrets.sn22]\norigin = \"{origin}\"\nenv = \"PATH\"\n"
        ),
    );
}

/// The server of an agent, with a session; it ends with the test.
pub(crate) struct Agent {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Agent {
    pub(crate) fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command = folder.command([&["mcp"], args].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut agent = Self { child, stdin, answers: BufReader::new(stdout).lines() };
        let client = json!({ "name": "test", "version": "1" });
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        agent.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }));
        agent.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.stdin, "{message}").unwrap();
    }

    /// Asks a tool; `id` is any but 1.
    pub(crate) fn ask(&mut self, id: u32, tool: &str, arguments: &Value) {
        let call = json!({ "name": tool, "arguments": arguments });
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call }));
    }

    /// The result of what was asked as `id`, and in it what the tool says as JSON.
    pub(crate) fn answer(&mut self, id: u32) -> (Value, Value) {
        let mut answers =
            self.answers.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let result = answers.find(|answer| answer["id"] == id).unwrap()["result"].take();
        let said = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        (result, said)
    }

    /// Sends a signal such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until it has ended by itself: its exit code, and what it has said until then.
    pub(crate) fn ended(&mut self) -> (Option<i32>, Vec<Value>) {
        let said = self.answers.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}
