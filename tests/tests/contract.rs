//! The contract only grows: what `cargo xtask check` asks `buf` holds for the files as they are, and tells a change that
//! old clients survive from one that they do not.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use e2e::{python, root};

/// `buf breaking` of the contract as `change` leaves the text of `call.proto`.
fn compared(change: impl FnOnce(&str) -> String) -> Output {
    let copy = e2e::folder();
    let (from, to) = (root().join("proto"), copy.path());
    let package = Path::new("orchestra/v1");
    fs::create_dir_all(to.join(package)).unwrap();
    fs::copy(from.join("buf.yaml"), to.join("buf.yaml")).unwrap();
    for file in fs::read_dir(from.join(package)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(package).join(file.file_name())).unwrap();
    }
    let call = to.join(package).join("call.proto");
    let text = fs::read_to_string(&call).unwrap();
    fs::write(&call, change(&text)).unwrap();
    let buf = python("ORCH_LINT_PYTHON", "venv-lint").with_file_name("buf");
    let mut command = Command::new(buf);
    command.args(["breaking", "--against"]).arg(from.join("image.binpb"));
    command.current_dir(to).output().unwrap()
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "call.proto has `{from}`");
    text.replace(from, to)
}

#[test]
fn the_contract_is_compatible_with_its_image() {
    let output = compared(str::to_owned);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_new_field_and_a_new_method_pass() {
    let field = "  // The operation that answered.\n  string operation = 11;";
    let output = compared(|text| {
        let grown = replaced(text, field, &format!("{field}\n  // Another.\n  string another = 12;"));
        let method = "  rpc Call(CallRequest) returns (CallResponse);";
        replaced(
            &grown,
            method,
            &format!("{method}\n  // Another.\n  rpc CallAgain(CallRequest) returns (CallResponse);"),
        )
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_field_that_is_removed_renumbered_or_retyped_fails() {
    for (from, to, said) in [
        ("  string request_id = 6;", "", "field \"6\" with name \"request_id\""),
        ("  string request_id = 6;", "  string request_id = 16;", "request_id"),
        ("  bool want_receipt = 7;", "  string want_receipt = 7;", "want_receipt"),
    ] {
        let output = compared(|text| replaced(text, from, to));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && text.contains(said), "{from} -> {to}: {text}");
    }
}
