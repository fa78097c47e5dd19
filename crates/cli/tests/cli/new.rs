//! `orch new`: what it makes works at once.

use std::process::Command;

use crate::orch::{Folder, ORCH, ended};

#[test]
fn a_new_project_is_checked_formatted_and_runs_offline() {
    let folder = Folder::empty();
    let made = folder.orch(["new", "my-plan"]).succeeds();
    assert_eq!(made.out, "cd my-plan\norch run plan.orch\n");
    let inside = |args: &[&str]| ended(folder.command(args).current_dir(folder.path("my-plan"))).succeeds();
    assert_eq!(inside(&["check"]).err, "checked 1 file, 1 plan: 0 errors, 0 warnings\n");
    assert_eq!(inside(&["fmt", "--check"]).err, "");
    let ran = inside(&["run", "plan.orch"]);
    assert!(
        ran.out.contains("\"topic\": \"Halcyon versus Meridian\"") && ran.out.contains("https://"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("(verified, level L1, signed by this runtime)"), "{}", ran.err);
    // The lock it came with is the one that its Ledger would give.
    assert_eq!(inside(&["lock", "update"]).err, "orchestra.lock: 6 pins, unchanged\n");
}

#[test]
fn every_command_of_its_readme_works() {
    let folder = Folder::project();
    let readme = folder.read("README.md");
    let mut commands = readme.lines().filter(|line| line.starts_with("orch ")).peekable();
    assert!(commands.peek().is_some());
    let bin = std::path::Path::new(ORCH).parent().unwrap();
    for line in commands {
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        let ended = ended(shell.args(["-c", line]).env("PATH", path).current_dir(folder.path(".")));
        assert_eq!(ended.code, 0, "{line}\n{}", ended.err);
    }
}

#[test]
fn a_name_that_is_none_or_taken_is_refused_and_nothing_is_touched() {
    let folder = Folder::empty();
    folder.write("taken/mine.txt", "mine");
    folder.write("file", "mine");
    for name in ["a b", "", "../up", "-x", "a/b", &"x".repeat(65), "naïve", "taken", "file"] {
        let refused = folder.orch(["new", "--", name]).exits(2);
        assert!(refused.err.contains("E1512") && refused.err.contains("help: "), "{name}: {}", refused.err);
    }
    assert_eq!(folder.read("taken/mine.txt"), "mine");
    assert_eq!(folder.files(".").len(), 2);
    folder.orch(["new", &"x".repeat(64)]).succeeds();
}

#[test]
fn a_broken_configuration_around_it_does_not_matter() {
    let folder = Folder::empty();
    folder.write("orchestra.toml", "this is not TOML");
    let made = folder.orch(["new", "inner", "--json"]).succeeds();
    assert_eq!(made.json(), serde_json::json!({ "folder": "inner", "plan": "inner/plan.orch" }));
}
