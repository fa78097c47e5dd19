//! `orch check` and `orch fmt`: findings, files, standard input.

use std::os::unix::ffi::OsStrExt as _;

use crate::orch::{Folder, ended, shape};

const TYPO: &str = "edition 2026\nuse cap { web_serch }\n\nfn one() -> Int = 1\n";

#[test]
fn findings_are_shown_with_their_place_and_what_was_meant() {
    let folder = Folder::project();
    folder.write("typo.orch", TYPO);
    let checked = folder.orch(["check", "typo.orch"]).exits(1);
    assert_eq!(checked.out, "");
    insta::assert_snapshot!(checked.err, @r#"
    error[E0207]: the lock has no capability `web_serch`
     --> typo.orch:2:11
      |
    2 | use cap { web_serch }
      |           ^^^^^^^^^ not in the lock
      |
      = help: did you mean `web_search`?
    help: use `web_search`
      |
    2 | use cap { web_search }
      |                 +

    checked 1 file, 0 plans: 1 error, 0 warnings
    `orch explain E0207` says more about the first
    "#);
}

#[test]
fn findings_are_json_for_a_program() {
    let folder = Folder::project();
    folder.write("typo.orch", TYPO);
    let checked = folder.orch(["check", "--json", "typo.orch"]).exits(1);
    assert_eq!(checked.err, "");
    insta::assert_snapshot!(shape(checked.json()), @r#"
    {
      "errors": 1,
      "warnings": 0,
      "files": [
        {
          "file": "typo.orch",
          "diagnostics": [
            {
              "code": "E0207",
              "severity": "error",
              "message": "the lock has no capability `web_serch`",
              "labels": [
                {
                  "span": {
                    "start": 23,
                    "end": 32,
                    "line": 1,
                    "column": 10,
                    "end_line": 1,
                    "end_column": 19
                  },
                  "text": "not in the lock",
                  "primary": true
                }
              ],
              "notes": [],
              "help": "did you mean `web_search`?",
              "fix": {
                "message": "use `web_search`",
                "edits": [
                  {
                    "span": {
                      "start": 23,
                      "end": 32,
                      "line": 1,
                      "column": 10,
                      "end_line": 1,
                      "end_column": 19
                    },
                    "text": "web_search"
                  }
                ],
                "applicability": "unsafe"
              }
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn operations_policies_fields_and_values_are_answered_with_the_nearest_name() {
    let folder = Folder::project();
    let cases = [
        ("use sn22 { web_serch }", "did you mean `web_search`?"),
        ("use cap { generat }", "did you mean `generate`?"),
        ("policy web = { timout: 4s }", "did you mean `timeout`?"),
        ("record R { name: String }\nfn f(r: R) -> String = r.nme", "did you mean `name`?"),
        ("fn f(company: String) -> String = compny", "did you mean `company`?"),
    ];
    folder.write("all.orch", "edition 2026\nuse sn22 { web_search }\n");
    folder.orch(["lock", "update"]).succeeds();
    for (text, help) in cases {
        let checked = folder.orch_with_input(["check", "-"], format!("edition 2026\n{text}\n")).exits(1);
        assert!(checked.err.contains(help), "{text}\n{}", checked.err);
    }
}

#[test]
fn a_folder_is_searched_in_depth_and_standard_input_read() {
    let folder = Folder::project();
    folder.write("sub/deep/two.orch", "edition 2026\nfn two() -> Int = 2\n");
    folder.write("node_modules/x.orch", "broken");
    folder.write(".hidden/x.orch", "broken");
    assert_eq!(folder.orch(["check"]).succeeds().err, "checked 2 files, 1 plan: 0 errors, 0 warnings\n");
    assert_eq!(folder.orch(["check", "--quiet"]).succeeds().err, "");
    let twice = folder.orch(["check", "plan.orch", "plan.orch"]).succeeds();
    assert!(twice.err.starts_with("checked 1 file"), "{}", twice.err);
    let plan = folder.read("plan.orch");
    assert!(folder.orch_with_input(["check", "-"], &plan).succeeds().err.contains("1 plan: 0 errors"));
}

#[test]
fn a_file_with_several_names_is_one_file() {
    let folder = Folder::project();
    folder.write("typo.orch", TYPO);
    std::os::unix::fs::symlink(folder.path("typo.orch"), folder.path("link.orch")).unwrap();
    let whole = folder.path("typo.orch");
    let whole = whole.to_str().unwrap();
    let checked =
        folder.orch(["check", "typo.orch", "./typo.orch", whole, "link.orch", "typo.orch"]).exits(1);
    assert!(checked.err.contains("--> typo.orch:2:11"), "{}", checked.err);
    assert!(checked.err.contains("checked 1 file, 0 plans: 1 error, 0 warnings"), "{}", checked.err);
    // The folder holds the file that is named, and another one.
    folder.write("other.orch", TYPO);
    let checked = folder.orch(["check", "--json", "./typo.orch", "."]).exits(1).json();
    let names: Vec<_> =
        checked["files"].as_array().unwrap().iter().map(|file| file["file"].clone()).collect();
    assert_eq!(
        (names, &checked["errors"]),
        (vec!["./typo.orch".into(), "other.orch".into(), "plan.orch".into()], &2.into())
    );
}

#[test]
fn what_cannot_be_read_is_said_with_what_was_probably_meant() {
    let folder = Folder::project();
    folder.write("empty/.keep", "");
    let cases = [
        (
            "plam.orch",
            "plam.orch cannot be read: there is no such file or folder",
            "did you mean `plan.orch`?",
        ),
        (
            "nowhere",
            "nowhere cannot be read: there is no such file or folder",
            "taken from the working folder",
        ),
        ("plan.orch/x", "plan.orch/x cannot be read: a part of the path is no folder", "check the path"),
        ("empty", "there is no plan (*.orch) in empty", "`orch new NAME`"),
    ];
    for (path, message, help) in cases {
        let refused = folder.orch(["check", path]).exits(2);
        assert!(refused.err.starts_with(&format!("error[E1502]: {message}\n  = help: ")), "{}", refused.err);
        assert!(refused.err.contains(help), "{}", refused.err);
        let json = folder.orch(["check", "--json", path]).exits(2).json();
        assert_eq!((&json["error"]["code"], &json["error"]["message"]), (&"E1502".into(), &message.into()));
    }
}

#[test]
fn text_and_names_that_are_not_utf8_are_no_reason_to_stop() {
    let folder = Folder::project();
    folder.write("bytes.orch", b"edition 2026\n// \xff\n");
    let checked = folder.orch(["check", "bytes.orch"]).exits(1);
    assert!(checked.err.contains("error[E0103]: the file is not UTF-8 text"), "{}", checked.err);
    assert!(folder.orch(["fmt", "bytes.orch"]).exits(1).err.contains("E0103"));
    let name = std::ffi::OsStr::from_bytes(b"na\xffme.orch");
    folder.write(name, folder.read("plan.orch"));
    let args = [std::ffi::OsStr::new("check"), name];
    assert!(folder.orch(args).succeeds().err.contains("1 plan: 0 errors"));
}

#[test]
fn formatting_changes_only_what_is_not_formatted() {
    let folder = Folder::project();
    let good = folder.read("plan.orch");
    folder.write("ugly.orch", "edition 2026\nfn   one( )->Int=1\n");
    folder.write("broken.orch", "edition 2026\nfn (\n");
    let checked = folder.orch(["fmt", "--check", "plan.orch", "ugly.orch"]).exits(1);
    assert_eq!(checked.err, "would reformat ugly.orch\n");
    assert_eq!(folder.read("ugly.orch"), "edition 2026\nfn   one( )->Int=1\n");
    // A file that cannot be read as a plan keeps nobody from the others, and stays as it is.
    let formatted = folder.orch(["fmt"]).exits(1);
    assert!(formatted.err.contains("reformatted ugly.orch") && formatted.err.contains("broken.orch:2"));
    assert_eq!(folder.read("ugly.orch"), "edition 2026\nfn one() -> Int = 1\n");
    assert_eq!(folder.read("broken.orch"), "edition 2026\nfn (\n");
    assert_eq!(folder.read("plan.orch"), good);
    let json = folder.orch(["fmt", "--check", "--json", "plan.orch", "ugly.orch"]).succeeds().json();
    assert_eq!(json, serde_json::json!({ "files": 2, "changed": [], "broken": [] }));
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let folder = Folder::empty();
    let formatted = folder.orch_with_input(["fmt", "-"], "edition 2026\nfn   one( )->Int=1\n").succeeds();
    assert_eq!((formatted.out.as_str(), formatted.err.as_str()), ("edition 2026\nfn one() -> Int = 1\n", ""));
    let refused = folder.orch_with_input(["fmt", "-"], "fn (").exits(1);
    assert!(refused.out.is_empty() && refused.err.contains("<stdin>:1"), "{}", refused.err);
}

#[test]
fn colour_is_shown_where_it_is_wanted_and_nowhere_else() {
    let folder = Folder::project();
    folder.write("typo.orch", TYPO);
    let escape = '\u{1b}';
    let plain = folder.orch(["check", "typo.orch"]).exits(1);
    assert!(!plain.err.contains(escape));
    let always = folder.orch(["check", "--color", "always", "typo.orch"]).exits(1);
    assert!(always.err.contains(escape));
    let forced = ended(folder.command(["check", "typo.orch"]).env("CLICOLOR_FORCE", "1")).exits(1);
    assert!(forced.err.contains(escape));
    let refused =
        ended(folder.command(["check", "typo.orch"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"))
            .exits(1);
    assert!(!refused.err.contains(escape));
    let never =
        ended(folder.command(["check", "--color", "never", "no.orch"]).env("CLICOLOR_FORCE", "1")).exits(2);
    assert!(!never.err.contains(escape), "{}", never.err);
}
