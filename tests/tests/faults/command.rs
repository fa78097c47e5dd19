//! `orch serve` where it cannot: one coded error on standard error, its exit code, and nothing begun.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use e2e::process::{Orch, orch, serve_command};
use store::DATABASE_FILE;

/// Exit code and standard error of `orch serve` in `folder`.
fn refused(folder: &Path, listen: &str) -> (i32, String) {
    let output = serve_command(folder).args(["--listen", listen]).output();
    let output = output.unwrap();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_port_in_use_is_told_before_the_store_is_touched() {
    let folder = e2e::folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = refused(folder.path(), &address);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("error[E1509]") && said.contains(&address) && said.contains("help:"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_second_serve_on_one_store_names_the_first() {
    let folder = e2e::folder();
    let first = Orch::serve(folder.path());
    let (code, said) = refused(folder.path(), "127.0.0.1:0");
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("error[E1001]") && said.contains("in use by process"), "{said}");
    first.kill();
    // A dead owner is no obstacle.
    Orch::serve(folder.path()).kill();
}

#[test]
fn a_damaged_store_is_refused_and_kept() {
    let folder = e2e::folder();
    let file = folder.path().join(".orchestra").join(DATABASE_FILE);
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "noise ".repeat(2_000)).unwrap();
    let (code, said) = refused(folder.path(), "127.0.0.1:0");
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("error[E1002]") && said.contains("help: move the file away"), "{said}");
    assert!(fs::read_to_string(&file).unwrap().starts_with("noise noise"));
}

#[test]
fn a_broken_configuration_is_told_with_its_place() {
    let folder = e2e::folder();
    fs::write(folder.path().join("orchestra.toml"), "[development]\nallow_lopback = true\n").unwrap();
    let (code, said) = refused(folder.path(), "127.0.0.1:0");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("error[E1501]") && said.contains("allow_lopback"), "{said}");
    assert!(!folder.path().join(".orchestra").exists());
    assert!(orch().is_file());
}

#[test]
fn a_store_without_room_is_told_with_its_exit_code() {
    let folder = e2e::folder();
    let configuration = folder.path().join("orchestra.toml");
    fs::write(&configuration, "[server]\nstore_bytes_max = 200000\n").unwrap();
    let (code, said) = refused(folder.path(), "127.0.0.1:0");
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("error[E1005]") && said.contains("help: free disk space"), "{said}");
    fs::write(&configuration, "").unwrap();
    Orch::serve(folder.path()).kill();
}
