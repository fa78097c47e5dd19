//! The endpoint of a server that has tokens: the client's API key is one.

use std::fs;
use std::process::Command;

use e2e::process::{Orch, orch};
use e2e::python;

use crate::{output, script};

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_a_token_with_its_limit() {
    let folder = e2e::folder();
    fs::write(folder.path().join("orchestra.toml"), "[development]\nsamples = true\n").unwrap();
    let mut add = Command::new(orch());
    add.current_dir(folder.path()).args(["tokens", "add", "agent", "--spend-max", "0.04USD"]);
    let added = output(add).await;
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let token = String::from_utf8(added.stdout).unwrap();
    let server = Orch::serve(folder.path());
    let mut command = script(python("ORCH_CLIENTS_PYTHON", "venv-clients"), "openai_tokens.py");
    command.arg(token.trim()).arg(format!("http://{}/v1", server.address));
    let output = output(command).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().filter(|line| line.starts_with("ok ")).count() >= 10, "{said}");
}
