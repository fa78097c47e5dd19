//! `orch doctor`.

use crate::orch::Folder;
use crate::serve::Server;

#[test]
fn an_empty_folder_is_in_order_and_what_is_missing_is_said() {
    let folder = Folder::empty();
    let seen = folder.orch(["doctor", "--json"]).succeeds().json();
    let finding = |what: &str| {
        let findings = seen["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["what"] == what).unwrap_or_else(|| panic!("{seen}")).clone()
    };
    assert_eq!(finding("configuration")["health"], "ok");
    assert!(
        finding("ledger")["text"].as_str().unwrap().starts_with("114 operations: 101 can be called"),
        "{seen}"
    );
    assert_eq!(finding("keys")["health"], "warning");
    let hotkey = finding("hotkey");
    assert_eq!(hotkey["health"], "warning");
    let text = hotkey["text"].as_str().unwrap();
    assert!(text.starts_with("none; operations for registered hotkeys only: 1, "), "{text}");
    assert!(hotkey["fix"].as_str().unwrap().contains("orch keys hotkey FILE"));
    assert_eq!(folder.files(".").len(), 0, "it makes nothing");
}

#[test]
fn what_is_wrong_is_found_each_with_its_code_and_fails_the_command() {
    let folder = Folder::empty();
    folder.write("orchestra.toml", "hotkey = \"nowhere\"\n");
    folder.write(".orchestra/tokens.toml", "[a]\nsha256 = 1\n");
    folder.write(".orchestra/secrets.toml", "[sn22]\n");
    let seen = folder.orch(["doctor", "--server", "127.0.0.1:1"]).exits(1).out;
    for (what, code) in [("keys", "E1106"), ("hotkey", "E1107"), ("tokens", "E1522"), ("server", "E1504")] {
        let line = seen.lines().find(|line| line.starts_with(&format!("wrong    {what} ")));
        assert!(line.is_some_and(|line| line.contains(code)), "{what} {code}\n{seen}");
    }
    folder.write("orchestra.toml", "[servr]\n");
    let seen = folder.orch(["doctor"]).exits(1).out;
    assert!(seen.contains("wrong    configuration") && seen.contains("did you mean `server`?"), "{seen}");
}

#[test]
fn a_server_is_asked_and_the_store_that_it_holds_is_no_fault() {
    let folder = Folder::project_with_latency(1);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let seen = folder.orch(["doctor", "--server", &server.address]).succeeds().out;
    assert!(seen.contains("ok       server") && seen.contains("in use by process"), "{seen}");
    assert!(seen.contains("warning  configuration") && seen.contains("[development]"), "{seen}");
}
