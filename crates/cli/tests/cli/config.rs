//! `orchestra.toml` as commands meet it.

use crate::orch::{Folder, ended};

#[test]
fn mistakes_are_named_with_their_line_and_what_was_meant() {
    let folder = Folder::project();
    let cases = [
        (
            "[servr]\n",
            "orchestra.toml:1: orchestra.toml has no section or key `servr`",
            "did you mean `server`?",
        ),
        (
            "[development]\nsample = true\n",
            "toml:2: [development] has no key `sample`",
            "did you mean `samples`?",
        ),
        ("[development]\nsamples = 1\n", "orchestra.toml:2: ", "help: "),
        ("[secrets.sn22]\norigin = \"https://a.example\"\nvalue = \"hunter2\"\n", "holds a key", "`env`"),
        ("x = \n", "orchestra.toml:1: ", "help: "),
    ];
    for (text, message, help) in cases {
        folder.write("orchestra.toml", text);
        let refused = folder.orch(["run", "plan.orch"]).exits(2);
        assert!(refused.err.contains("error[E1501]: ") && refused.err.contains(message), "{}", refused.err);
        assert!(refused.err.contains(help) && !refused.err.contains("hunter2"), "{}", refused.err);
    }
}

#[test]
fn it_is_found_upwards_or_where_one_says() {
    let folder = Folder::project();
    folder.write("sub/.keep", "");
    let inside =
        ended(folder.command(["run", "../plan.orch", "-q"]).current_dir(folder.path("sub"))).succeeds();
    assert!(inside.out.contains("topic"));
    // State belongs to the project, not to the folder one stands in.
    assert_eq!((folder.files(".orchestra/proofs").len(), folder.files("sub/.orchestra").len()), (1, 0));
    for command in [
        &["check", "plan.orch"][..],
        &["fmt", "plan.orch"],
        &["explain", "plan.orch"],
        &["ledger", "search", "x"],
    ] {
        let ignored = folder.orch(command.iter().chain(&["--config", "other.toml"])).exits(2);
        assert!(ignored.err.contains("E1501") && ignored.err.contains("other.toml"), "{}", ignored.err);
    }
    let missing = folder.orch(["run", "plan.orch", "--config", "other.toml"]).exits(2);
    assert!(missing.err.contains("other.toml cannot be read"), "{}", missing.err);
    folder.write("broken.toml", "[");
    let named = ended(folder.command(["run", "plan.orch"]).env("ORCHESTRA_CONFIG", "broken.toml")).exits(2);
    assert!(named.err.contains("broken.toml:1"), "{}", named.err);
}

#[test]
fn commands_that_do_not_need_it_do_not_read_it() {
    let folder = Folder::project();
    folder.write("orchestra.toml", "[");
    for args in [&["check"][..], &["fmt", "--check"], &["explain", "plan.orch"], &["explain", "E0304"]] {
        folder.orch(args).succeeds();
    }
    folder.orch(["ledger", "search"]).exits(2);
}
