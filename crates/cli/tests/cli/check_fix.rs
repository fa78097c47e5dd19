//! `orch check --fix`: what is mended, what is shown of it, and what is left alone.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::orch::{Folder, ended};

const BROKEN: &str = "edition 2026\n\nfn half(x: Int) -> Int x / 2\nfn low(x: Bool(1..2)) -> Int = missing\n";
const MENDED: &str = "edition 2026\n\nfn half(x: Int) -> Int = x / 2\nfn low(x: Bool) -> Int = missing\n";

fn folder(text: &str) -> Folder {
    let folder = Folder::empty();
    folder.write("a.orch", text);
    folder
}

#[test]
fn what_is_certain_is_mended_and_said_and_the_rest_shown() {
    let folder = folder(BROKEN);
    let fixed = folder.orch(["check", "--fix"]).exits(1);
    assert_eq!(folder.read("a.orch"), MENDED);
    insta::assert_snapshot!(fixed.err, @r"
    a.orch:3:23: add `=` [E0111]
    a.orch:4:15: remove the range [E0318]
    error[E0201]: there is no value `missing`
     --> a.orch:4:26
      |
    4 | fn low(x: Bool) -> Int = missing
      |                          ^^^^^^^ unknown name

    checked 1 file, 0 plans: 1 error, 0 warnings
    a.orch shows 1 mistake that what was mended had hidden
    made 2 fixes in 1 file
    `orch explain E0201` says more about the first
    ");
    assert_eq!(fixed.out, "");
    // Nothing is left that could be mended.
    let again = folder.orch(["check", "--fix"]).exits(1);
    assert!(!again.err.contains("fix"), "{}", again.err);
    folder.replace("a.orch", "missing", "0");
    folder.orch(["check", "--fix"]).succeeds();
}

#[test]
fn a_diff_shows_the_same_and_changes_nothing() {
    let folder = folder(BROKEN);
    folder.write("b.orch", "fn f() -> Int = 1\n");
    for args in [&["check", "--diff"][..], &["check", "--fix", "--dry-run"], &["check", "--fix", "--diff"]] {
        let shown = folder.orch(args).exits(1);
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown.out, @r"
            --- a.orch
            +++ a.orch
            @@ -1,4 +1,4 @@
             edition 2026
             
            -fn half(x: Int) -> Int x / 2
            -fn low(x: Bool(1..2)) -> Int = missing
            +fn half(x: Int) -> Int = x / 2
            +fn low(x: Bool) -> Int = missing
            ");
        }
        assert!(shown.err.ends_with("would make 2 fixes in 1 file\n"), "{}", shown.err);
        assert_eq!(folder.read("a.orch"), BROKEN);
    }
    assert!(folder.orch(["check", "--diff", "--color", "always"]).out.contains("\u{1b}[32m+fn half"));
    // `patch` makes of it what `--fix` makes.
    let diff = folder.orch(["check", "--diff", "-q"]).out;
    let mut patch = Command::new("git")
        .args(["apply", "-p0", "-"])
        .current_dir(folder.path("."))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    patch.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
    assert!(patch.wait().unwrap().success());
    assert_eq!(folder.read("a.orch"), MENDED);
    let none = folder.orch(["check", "--diff", "b.orch"]).succeeds();
    assert_eq!(
        (none.out.as_str(), none.err.as_str()),
        ("", "checked 1 file, 0 plans: 0 errors, 0 warnings\n")
    );
}

#[test]
fn what_cannot_be_mended_leaves_the_rest_mended() {
    let folder = folder(&format!("{BROKEN}fn open() -> Int = (1\n"));
    let left = folder.orch(["check", "--fix"]).exits(1);
    assert_eq!(folder.read("a.orch"), format!("{MENDED}fn open() -> Int = (1\n"));
    assert!(
        left.err.contains("made 2 fixes in 1 file\n") && left.err.contains("`(` is not closed"),
        "{}",
        left.err
    );
    // Beside a mistake of the same line.
    folder.write("a.orch", "policy w = { timeout: $4 }\npolicy v = { timeout: 4sec }\n");
    let left = folder.orch(["check", "--fix"]).exits(1);
    assert_eq!(folder.read("a.orch"), "policy w = { timeout: $4 }\npolicy v = { timeout: 4s }\n");
    assert!(left.err.ends_with("`orch explain E0112` says more about the first\n"), "{}", left.err);
    // What may mean something else is shown, not made.
    let lone = "fn f(query: String) -> String = \"nothing about query}\"\n";
    folder.write("a.orch", lone);
    let left = folder.orch(["check", "--fix"]).exits(1);
    assert!(left.err.contains("help: write `{query}` for the value"), "{}", left.err);
    assert_eq!(folder.read("a.orch"), lone);
    folder.write("a.orch", b"fn f(x: Int) -> Int x // \xff\n");
    let left = folder.orch(["check", "--fix"]).exits(1);
    assert!(left.err.starts_with("error[E0103]"), "{}", left.err);
    assert_eq!(fs::read(folder.path("a.orch")).unwrap(), b"fn f(x: Int) -> Int x // \xff\n");
}

/// What could not be read was not looked at, so a file may have more mistakes than before, which is said.
#[test]
fn what_the_mended_syntax_had_hidden_is_said() {
    let folder = folder("fn f(x: Int) -> Int x + missing + gone\n");
    let before = folder.orch(["check"]).exits(1);
    assert!(before.err.contains("checked 1 file, 0 plans: 1 error, 0 warnings\n"), "{}", before.err);
    let would = folder.orch(["check", "--diff"]).exits(1);
    assert!(
        would.err.contains("a.orch would show 2 mistakes that what would be mended hides\n"),
        "{}",
        would.err
    );
    let fixed = folder.orch(["check", "--fix"]).exits(1);
    assert!(
        fixed.err.contains(
            "checked 1 file, 0 plans: 2 errors, 0 warnings\na.orch shows 2 mistakes that what was mended had hidden\nmade 1 fix in 1 file\n"
        ),
        "{}",
        fixed.err
    );
    let again = folder.orch(["check", "--fix"]).exits(1);
    assert!(!again.err.contains("hidden") && again.err.contains("2 errors"), "{}", again.err);
}

#[test]
fn what_is_left_to_mend_is_said_with_the_reason() {
    // The sign that is certain hides two that are not.
    let worse = |at: usize| {
        format!("fn worse{at}(a: Int) -> Int => {{\n  let x = a ? 1 : 2\n  let y = a ? 1 : 2\n  x\n}}\n")
    };
    let better = |at: usize| format!("fn better{at}(a: Int) -> Int a\n");
    let no_better = "a.orch has fixes that would leave no fewer mistakes: mend its first error, then run `orch check --fix` again\n";
    let folder = folder(&worse(0));
    let left = folder.orch(["check", "--fix"]).exits(1);
    assert!(left.err.contains(no_better) && !left.err.contains("made "), "{}", left.err);
    assert_eq!(folder.read("a.orch"), worse(0));
    // As many as are tried one by one, and none of them helps: the next time would be the same.
    folder.write("a.orch", (0..99).map(worse).collect::<String>());
    let left = folder.orch(["check", "--fix"]).exits(1);
    assert!(left.err.contains(no_better) && !left.err.contains("more to mend"), "{}", left.err);
    // Three that help behind many that do not: the second time goes on where the first has stopped.
    let text: String = (0..40).map(worse).chain((0..3).map(better)).collect();
    folder.write("a.orch", text);
    let left = folder.orch(["check", "--fix"]).exits(1);
    assert!(left.err.contains("made 2 fixes in 1 file\n"), "{}", left.err);
    assert!(left.err.contains("a.orch has more to mend: run `orch check --fix` again\n"), "{}", left.err);
    let left = folder.orch(["check", "--fix"]).exits(1);
    assert!(left.err.contains("made 1 fix in 1 file\n") && left.err.contains(no_better), "{}", left.err);
    let mended = folder.read("a.orch");
    assert_eq!(mended.matches("-> Int = a\n").count(), 3, "{mended}");
}

#[test]
fn the_layout_stays_what_it_was() {
    let folder = folder("fn f(x: Bool(1..2)) -> Int =   1\n");
    folder.write("b.orch", "fn f(x: Bool(1..2)) -> Int = 1\r\n");
    folder.orch(["check", "--fix"]).succeeds();
    assert_eq!(folder.read("a.orch"), "fn f(x: Bool) -> Int =   1\n");
    assert_eq!(folder.read("b.orch"), "fn f(x: Bool) -> Int = 1\r\n");
}

#[test]
fn standard_input_is_mended_to_standard_output() {
    let folder = Folder::empty();
    let fixed = folder.orch_with_input(["check", "--fix", "-"], BROKEN).exits(1);
    assert_eq!(fixed.out, MENDED);
    assert!(fixed.err.starts_with("<stdin>:3:23: add `=` [E0111]\n"), "{}", fixed.err);
    let json = folder.orch_with_input(["check", "--fix", "--json", "-"], BROKEN).exits(1).json();
    assert_eq!(json["files"][0]["text"], MENDED);
    for format in ["sarif", "github"] {
        let refused = folder.orch_with_input(["check", "--fix", "--format", format, "-"], BROKEN).exits(2);
        assert!(refused.err.contains("`--format human` or `json` only"), "{}", refused.err);
        assert_eq!(refused.out, "");
    }
}

#[test]
fn fixes_are_json_for_a_program() {
    let folder = folder(BROKEN);
    let shown = folder.orch(["check", "--diff", "--format", "json"]).exits(1).json();
    let file = &shown["files"][0];
    assert_eq!(
        file["fixes"][0],
        serde_json::json!({ "code": "E0111", "message": "add `=`", "line": 2, "column": 22 })
    );
    assert!(file["diff"].as_str().unwrap().contains("\n+fn half(x: Int) -> Int = x / 2\n"));
    assert_eq!((&shown["errors"], file["diagnostics"].as_array().unwrap().len()), (&2.into(), 2));
    assert_eq!(folder.read("a.orch"), BROKEN);
    let made = folder.orch(["check", "--fix", "--json"]).exits(1).json();
    assert_eq!(made["errors"], 1);
    assert_eq!(folder.read("a.orch"), MENDED);
}

/// A pipe tells when a file before it has been read: it cannot be opened for writing earlier.
#[test]
fn a_file_that_changes_meanwhile_is_left_alone() {
    for (args, code) in
        [(&["check", "--fix"][..], "E1520"), (&["check", "--fix", "--json"], "E1520"), (&["fmt"], "E1520")]
    {
        let folder = folder(MENDED);
        folder.replace("a.orch", "x: Bool", "x:  Bool(1..2)");
        if args[0] == "fmt" {
            folder.replace("a.orch", "(1..2)", "");
        }
        let pipe = folder.path("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut command = folder.command(args.iter().copied().chain(["a.orch", "pipe"]));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = fs::OpenOptions::new().write(true).open(pipe).unwrap();
        folder.write("a.orch", "// mine\n");
        pipe.write_all(b"edition 2026\n").unwrap();
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(code) && said.contains("a.orch was changed by somebody else meanwhile"),
            "{said}"
        );
        assert_eq!(folder.read("a.orch"), "// mine\n");
    }
}

#[test]
fn only_files_that_can_be_replaced_are_mended() {
    let folder = folder("fn f(x: Bool(1..2)) -> Int = 1\n");
    let mut fixed = folder.command(["check", "--fix", "/dev/stdin"]);
    fixed.stdin(fs::File::open(folder.path("a.orch")).unwrap());
    // A file behind a name of the system's is a file.
    assert!(ended(&mut fixed).exits(0).err.contains("made 1 fix"));
    assert_eq!(folder.read("a.orch"), "fn f(x: Bool) -> Int = 1\n");
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let child = folder
        .command(["check", "--fix", "pipe"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    fs::write(&pipe, "fn f(x: Bool(1..2)) -> Int = 1\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error[E1503]: pipe cannot be written: it is no regular file"), "{said}");
}
