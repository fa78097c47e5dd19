//! `orch keys --from-keyring` on GNOME's keyring, which answers on a bus of the test's own and keeps what it knows in the test's folder.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::orch::{Folder, ended};

const CANARY: &str = "cnry-0rch3stra-in-the-keyring";

/// Unlocks a keyring that was not there before, puts a key into it, and runs the rest of the line.
const ON_A_BUS: &str = r#"
set -eu
printf 'unlocked' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
printf %s "$CANARY" | secret-tool store --label=test service desearch username me
exec "$@"
"#;

/// Whether this machine has a keyring that a test can have for itself.
fn is_there() -> bool {
    ["dbus-run-session", "gnome-keyring-daemon", "secret-tool"].iter().all(|program| {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        found.is_ok_and(|found| found.status.success())
    })
}

#[test]
fn a_key_comes_from_the_keyring_of_the_system() {
    if !is_there() {
        eprintln!(
            "left out: dbus-run-session, gnome-keyring-daemon and secret-tool (libsecret-tools) are needed"
        );
        return;
    }
    let folder = Folder::empty();
    for name in ["run", "home"] {
        std::fs::create_dir(folder.path(name)).unwrap();
        std::fs::set_permissions(folder.path(name), Permissions::from_mode(0o700)).unwrap();
    }
    let orch = |args: &[&str]| {
        let orch = folder.command(args);
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", ON_A_BUS, "sh"]).arg(orch.get_program()).args(orch.get_args());
        command.current_dir(folder.path("")).env("CANARY", CANARY).env("ORCHESTRA_KEYS", folder.vault());
        command.env("HOME", folder.path("home")).env("XDG_DATA_HOME", folder.path("home"));
        command.env("XDG_RUNTIME_DIR", folder.path("run"));
        ended(&mut command)
    };
    let added = orch(&["keys", "add", "sn22", "--from-keyring", "desearch/me"]).succeeds();
    assert!(added.out.starts_with("added sn22 for https://api.desearch.ai ("), "{}", added.out);
    assert!(!format!("{}{}", added.out, added.err).contains(CANARY));
    // It is the very key: the same from elsewhere changes nothing but its date.
    let fingerprint =
        || folder.orch(["keys", "list", "--json"]).succeeds().json()["keys"][0]["fingerprint"].clone();
    let from_keyring = fingerprint();
    folder.orch_with_input(["keys", "rotate", "sn22", "--stdin", "--force"], CANARY).succeeds();
    assert_eq!(fingerprint(), from_keyring);
    let unknown = orch(&["keys", "add", "sn28", "--from-keyring", "desearch/you"]);
    assert!(unknown.err.contains("the keyring has no such entry"), "{}", unknown.err);
    let wrong = orch(&["keys", "add", "sn28", "--from-keyring", "desearch"]);
    assert!(wrong.err.contains("is written SERVICE/ACCOUNT"), "{}", wrong.err);
}
