//! The snippets of `docs/openai.md`, run as they stand but for the address.

use std::fs;
use std::process::Command;

use e2e::{python, root};

use crate::{Server, output};

/// The fenced blocks of the page in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    page.split(&opening).skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snippets_of_the_page_run() {
    let server = Server::start("").await;
    let page = fs::read_to_string(root().join("docs/openai.md")).unwrap();
    let page = page.replace("127.0.0.1:7410", &server.orch.address.to_string());
    let folder = root().join("tests/clients");
    let python = python("ORCH_CLIENTS_PYTHON", "venv-clients");
    for (language, program, arguments, shows) in [
        ("sh", "sh".into(), ["-c"].as_slice(), "Paris"),
        ("python", python, &["-c"], "Paris\n0.05 USD "),
        ("js", "node".into(), &["--input-type=module", "--eval"], "Paris\n0.05 USD\n"),
    ] {
        let blocks = blocks(&page, language);
        assert_eq!(blocks.len(), 1, "{language}");
        let mut command = Command::new(program);
        command.current_dir(&folder).args(arguments).arg(&blocks[0]);
        let output = output(command).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains(shows), "{language}: {said}\n{failed}");
    }
}
