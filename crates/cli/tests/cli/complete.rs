//! `orch completions` and what its scripts ask for.

use std::process::Command;

use crate::orch::{Folder, ORCH};
use crate::serve::Server;

fn completed(folder: &Folder, words: &[&str]) -> Vec<String> {
    let ended = folder.orch([&["complete", "--"], words].concat()).succeeds();
    ended.out.lines().map(str::to_owned).collect()
}

#[test]
fn commands_switches_and_values_are_completed() {
    let folder = Folder::project();
    assert_eq!(completed(&folder, &["ca"]), ["call"]);
    assert!(completed(&folder, &[""]).contains(&"run".to_owned()));
    // What is hidden stays hidden.
    assert!(!completed(&folder, &[""]).contains(&"complete".to_owned()));
    assert_eq!(completed(&folder, &["ledger", "s"]), ["search", "show"]);
    assert_eq!(completed(&folder, &["run", "plan.orch", "--pr"]), ["--progress", "--proof"]);
    assert_eq!(completed(&folder, &["run", "--progress", "t"]), ["tree"]);
    assert_eq!(completed(&folder, &["run", "--progress", "tree", "plan.orch", "--qu"]), ["--quiet"]);
    assert!(completed(&folder, &["run", "pl"]).is_empty());
}

#[test]
fn operations_and_their_arguments_are_completed() {
    let folder = Folder::project();
    assert_eq!(completed(&folder, &["call", "sn22.web_s"]), ["sn22.web_search"]);
    assert_eq!(completed(&folder, &["ledger", "show", "sn22.web_s"]), ["sn22.web_search"]);
    assert_eq!(completed(&folder, &["call", "sn22.web_search", ""]), ["query=", "start="]);
    assert_eq!(completed(&folder, &["call", "sn22.web_search", "query=a", ""]), ["start="]);
    assert_eq!(
        completed(&folder, &["call", "sn22.web_search", "query", "=", "a", "--json", "st"]),
        ["start="]
    );
    assert_eq!(completed(&folder, &["call", "cap.gen"]), ["cap.generate"]);
    assert_eq!(completed(&folder, &["call", "cap.generate", "pro"]), ["prompt="]);
    assert_eq!(completed(&folder, &["call", "sn22.web_search", "--max-cost", "1USD", "qu"]), ["query="]);
    assert_eq!(completed(&folder, &["call", "sn22.web_search", "--rec"]), ["--receipt"]);
    for nothing in [&["call", "sn22.nope", ""][..], &["call", "sn22.web_search", "--max-cost", ""]] {
        assert!(completed(&folder, nothing).is_empty(), "{nothing:?}");
    }
    // A store that another process has, and a configuration that cannot be read, are no reason to say nothing.
    let _server = Server::start(&folder, &["127.0.0.1:0"]);
    assert_eq!(completed(&folder, &["call", "sn22.web_s"]), ["sn22.web_search"]);
    folder.write("orchestra.toml", "[");
    assert_eq!(completed(&folder, &["call", "sn22.web_s"]), ["sn22.web_search"]);
}

#[test]
fn the_script_of_bash_asks_the_binary() {
    let folder = Folder::project();
    for shell in ["bash", "zsh", "fish"] {
        assert!(folder.orch(["completions", shell]).succeeds().out.contains("orch complete -- "), "{shell}");
    }
    folder.orch(["completions", "csh"]).exits(2);
    let bin = std::path::Path::new(ORCH).parent().unwrap().display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    let ask = "source <(orch completions bash); COMP_WORDS=(orch call sn22.web_search qu); COMP_CWORD=3; \
               compopt() { echo compopt \"$@\"; }; _orch; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    let asked =
        bash.args(["--norc", "-c", ask]).env("PATH", path).current_dir(folder.path(".")).output().unwrap();
    assert_eq!(String::from_utf8(asked.stdout).unwrap(), "compopt -o nospace\nquery=\n");
}
