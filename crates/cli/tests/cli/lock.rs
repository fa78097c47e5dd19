//! `orch lock update`: which plans, which folder, what changed.

use crate::orch::{Folder, ended};

const FIRST: &str = "edition 2026\nuse sn22 { web_search }\n";
const SECOND: &str = "edition 2026\nuse cap { generate }\n";

fn pins(folder: &Folder, lock: &str) -> Vec<String> {
    let text = folder.read(lock);
    let names = text.lines().filter_map(|line| {
        let (key, value) = line.split_once(" = ")?;
        matches!(key, "id" | "name").then(|| value.trim_matches('"').to_owned())
    });
    names.collect()
}

#[test]
fn one_lock_serves_a_folder_whichever_of_its_plans_is_named() {
    let folder = Folder::empty();
    folder.write("a.orch", FIRST);
    folder.write("sub/b.orch", SECOND);
    let update = folder.orch(["lock", "update", "a.orch"]).succeeds();
    assert!(update.err.starts_with("orchestra.lock: 5 pins\n  + cap generate 1.0\n"), "{}", update.err);
    assert!(pins(&folder, "orchestra.lock").contains(&"sn22.web_search".to_owned()));
    // From within, the lock above serves; no second one is made.
    let inside =
        ended(folder.command(["lock", "update", "b.orch"]).current_dir(folder.path("sub"))).succeeds();
    assert!(inside.err.contains("5 pins, unchanged"), "{}", inside.err);
    assert!(folder.files("sub").iter().all(|path| path.ends_with("b.orch")));
    std::fs::remove_file(folder.path("a.orch")).unwrap();
    let removed = folder.orch(["lock", "update", "--json"]).succeeds().json();
    assert_eq!(removed["locks"][0]["changes"], serde_json::json!(["- sn22.web_search 1.1"]));
    assert_eq!(folder.files("orchestra.schemas").len(), 4);
}

#[test]
fn a_project_within_keeps_its_own_lock() {
    let folder = Folder::empty();
    folder.write("a.orch", FIRST);
    folder.write("inner/b.orch", SECOND);
    folder.write("inner/orchestra.toml", "");
    folder.orch(["lock", "update"]).succeeds();
    assert_eq!(pins(&folder, "orchestra.lock"), ["sn22.web_search"]);
    let both = folder.orch(["lock", "update", ".", "inner"]).succeeds();
    assert!(both.err.contains("orchestra.lock: 1 pins") && both.err.contains("inner/orchestra.lock: 4 pins"));
}

#[test]
fn a_project_is_never_served_by_a_lock_above_it() {
    let folder = Folder::empty();
    folder.write("a.orch", FIRST);
    folder.write("inner/b.orch", FIRST);
    folder.write("inner/sub/c.orch", FIRST);
    folder.orch(["lock", "update", "a.orch"]).succeeds();
    folder.orch(["check", "inner/b.orch"]).succeeds();
    folder.orch(["lock", "check", "inner/b.orch"]).succeeds();
    folder.write("inner/orchestra.toml", "");
    for plan in ["inner/b.orch", "inner/sub/c.orch"] {
        let checked = folder.orch(["check", plan]).exits(1);
        assert!(checked.err.contains("error[E0205]"), "{}", checked.err);
        let locked = folder.orch(["lock", "check", plan]).exits(8);
        assert!(locked.err.contains("error[E0205]"), "{}", locked.err);
    }
    // Whatever has the name of a lock is meant to be one.
    folder.write("inner/orchestra.lock/keep", "");
    for command in
        [&["check", "inner/b.orch"][..], &["lock", "check", "inner"], &["check", "inner/sub/c.orch"]]
    {
        let refused = folder.orch(command.iter().copied()).exits(8);
        assert!(
            refused.err.contains("error[E0601]") && refused.err.contains("it is a folder"),
            "{}",
            refused.err
        );
    }
}

#[test]
fn the_nearest_lock_of_a_project_serves_whichever_way_it_is_asked_for() {
    let folder = Folder::empty();
    folder.write("orchestra.toml", "");
    folder.write("a.orch", FIRST);
    folder.write("sub/b.orch", SECOND);
    folder.orch(["lock", "update", "sub"]).succeeds();
    folder.orch(["lock", "update"]).succeeds();
    let within = |args: &[&str]| ended(folder.command(args.iter().copied()).current_dir(folder.path("sub")));
    within(&["check"]).succeeds();
    let checked = within(&["lock", "check"]).succeeds();
    assert!(checked.err.contains("orchestra.lock: 4 pins, whole; 1 of 1 files compile"), "{}", checked.err);
}

#[test]
fn an_unknown_name_is_reported_with_its_file_and_nothing_is_written() {
    let folder = Folder::empty();
    folder.write("good.orch", FIRST);
    folder.write("typo.orch", "edition 2026\nuse sn22 { web_serch }\n");
    let refused = folder.orch(["lock", "update"]).exits(2);
    assert!(refused.err.starts_with("error[E1201]: typo.orch: there is no operation `sn22.web_serch`\n"));
    assert!(refused.err.contains("did you mean `sn22.web_search`?"), "{}", refused.err);
    assert_eq!(folder.files(".").len(), 2);
    folder.write("typo.orch", "edition 2026\nuse cap { generat }\n");
    let refused = folder.orch(["lock", "update"]).exits(2);
    assert!(refused.err.contains("typo.orch: there is no capability `generat`"), "{}", refused.err);
    // All of them at once, each with its file.
    folder.write("other.orch", "edition 2026\nuse sn22 { web_crawll }\n");
    let refused = folder.orch(["lock", "update"]).exits(2);
    let said =
        "error[E1201]: other.orch: there is no operation `sn22.web_crawll`; did you mean `sn22.web_crawl`?
  typo.orch: there is no capability `generat`; did you mean `generate`?
  = help: `orch ledger search WORDS` finds operations by what they do\n";
    assert_eq!(refused.err, said);
    folder.write("other.orch", "edition 2026\n");
    folder.write("empty/.keep", "");
    folder.orch(["lock", "update", "empty"]).exits(2);
    folder.orch(["lock", "update", "nope"]).exits(2);
    folder.orch(["lock", "update", "-"]).exits(2);
}

#[test]
fn an_import_that_cannot_be_read_loses_no_pin() {
    let folder = Folder::empty();
    folder.write("first.orch", FIRST);
    folder.orch(["lock", "update"]).succeeds();
    let before = folder.read("orchestra.lock");
    folder.write("first.orch", FIRST.replacen("use ", "use use ", 1));
    let refused = folder.orch(["lock", "update"]).exits(1);
    assert!(refused.err.contains("error[E01") && refused.err.contains("first.orch:"), "{}", refused.err);
    assert_eq!(folder.read("orchestra.lock"), before);
}

#[test]
fn a_lock_of_a_newer_format_is_not_written_anew() {
    let folder = Folder::project();
    let newer = folder.read("orchestra.lock").replacen("version = 1\n", "version = 2\n", 1);
    folder.write("orchestra.lock", &newer);
    for command in [&["check"][..], &["lock", "update"]] {
        let refused = folder.orch(command.iter().copied()).exits(8);
        assert!(
            refused.err.contains("error[E0606]") && refused.err.contains("update `orch`"),
            "{}",
            refused.err
        );
        assert!(!refused.err.contains("lock update"), "{}", refused.err);
    }
    assert_eq!(folder.read("orchestra.lock"), newer);
}

#[test]
fn a_damaged_lock_is_mended_by_an_update() {
    let folder = Folder::project();
    let good = folder.read("orchestra.lock");
    folder.write("orchestra.lock", "garbage");
    folder.orch(["check"]).exits(8);
    std::fs::remove_dir_all(folder.path("orchestra.schemas")).unwrap();
    folder.orch(["lock", "update"]).succeeds();
    assert_eq!(folder.read("orchestra.lock"), good);
    folder.orch(["check"]).succeeds();
}
