//! Keys that are easily found again, put through everything that may go well or wrong: they must be found nowhere.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::keys::Peers;
use crate::orch::{Ended, Folder, Running, ended};

/// A key that no subnet knows.
const WRONG: &str = "cnry-0rch3stra-wrong-key";
/// What opens the vault of a second folder.
const PASSPHRASE: &str = "cnry-0rch3stra-passphrase";

/// Everything that must not be found: the keys that work, those that do not, and what opens them.
fn canaries(folder: &Folder) -> Vec<String> {
    let mut canaries: Vec<String> =
        [samples::SEARCH_KEY, samples::CHAT_KEY, samples::TOOLS_KEY, WRONG, PASSPHRASE]
            .map(str::to_owned)
            .into();
    if let Ok(identity) = fs::read_to_string(folder.vault().with_extension("identity")) {
        canaries.push(identity.lines().last().unwrap().to_owned());
    }
    canaries
}

/// What the commands of a test have said.
#[derive(Default)]
struct Said(Vec<String>);

impl Said {
    fn hear(&mut self, ended: Ended) -> &str {
        self.0.push(format!("{}\n{}", ended.out, ended.err));
        self.0.last().unwrap()
    }

    /// Fails where a canary is in what was said, or in a file of `folder` that is not the identity.
    fn holds_no_canary(&self, folder: &Folder) {
        let canaries = canaries(folder);
        for said in &self.0 {
            for canary in &canaries {
                assert!(!said.contains(canary), "{canary} was said:\n{said}");
            }
        }
        // What is there all the same, so that a search that looks in the wrong places is noticed.
        let mut found_name = false;
        search(&folder.path("."), &mut |path, bytes| {
            found_name |= bytes.windows(10).any(|window| window == b"web_search");
            for canary in canaries.iter().filter(|_| !path.ends_with("keys.identity")) {
                let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
                assert!(!found, "{canary} is in {}", path.display());
            }
        });
        assert!(found_name, "journal and proofs name what was called");
    }
}

fn search(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, look);
        } else {
            look(&path, &fs::read(&path).unwrap());
        }
    }
}

#[test]
fn keys_are_in_no_output_log_journal_or_proof_whatever_happens() {
    let folder = Folder::project();
    let peers = Peers::start(&folder);
    let mut said = Said::default();
    let with_key = |args: &[&str], key: &str| ended(folder.command(args).env("THE_KEY", key));
    for (name, key) in
        [("sn22", samples::SEARCH_KEY), ("sn28", samples::CHAT_KEY), ("sn51", samples::TOOLS_KEY)]
    {
        said.hear(with_key(&["keys", "add", name, "--from-env", "THE_KEY"], key).succeeds());
    }
    for args in [
        &["run", "plan.orch"][..],
        &["run", "plan.orch", "--progress", "json", "--json"],
        &["keys", "list"],
        &["keys", "list", "--json"],
        &["keys", "test", "sn51"],
        &["keys", "test", "sn51", "--json"],
        &["keys", "test", "sn22", "--spend", "0.01USD"],
    ] {
        said.hear(folder.orch(args).succeeds());
    }
    serve(&folder, &mut said, true);
    // From here on the subnets refuse what they are sent, and then are not there.
    said.hear(with_key(&["keys", "rotate", "sn51", "--from-env", "THE_KEY"], WRONG).exits(7));
    for name in ["sn22", "sn28", "sn51"] {
        said.hear(with_key(&["keys", "rotate", name, "--from-env", "THE_KEY", "--force"], WRONG).succeeds());
    }
    said.hear(folder.orch(["keys", "test", "sn51"]).exits(7));
    assert!(said.hear(folder.orch(["run", "plan.orch"]).exits(1)).contains("401"));
    serve(&folder, &mut said, false);
    drop(peers);
    said.hear(folder.orch(["keys", "test", "sn51"]).exits(1));
    said.hear(folder.orch(["run", "plan.orch"]).exits(1));
    serve(&folder, &mut said, false);
    // A file that lost its end, and one that others may read.
    let whole = fs::read(folder.vault()).unwrap();
    fs::write(folder.vault(), &whole[..whole.len() - 1]).unwrap();
    said.hear(folder.orch(["run", "plan.orch"]).exits(7));
    fs::write(folder.vault(), &whole).unwrap();
    fs::set_permissions(folder.vault(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    said.hear(folder.orch(["keys", "list"]).exits(7));
    for proof in folder.files(".orchestra/proofs") {
        said.hear(folder.orch(["proof".as_ref(), "show".as_ref(), proof.as_os_str()]));
    }
    said.holds_no_canary(&folder);
}

/// Runs the plan on a server that logs all there is. The log goes to a file: there is so much of it that a pipe which
/// nobody empties meanwhile would hold the server up.
fn serve(folder: &Folder, said: &mut Said, succeeds: bool) {
    let elsewhere = Folder::empty();
    let log = fs::File::create(elsewhere.path("log")).unwrap();
    let mut command = folder.command(["serve", "--listen", "127.0.0.1:0", "--log", "trace"]);
    let mut server = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().trim_start_matches("listening on ");
    let ran = folder.orch(["run", "plan.orch", "--server", address]);
    let told = Command::new("kill").args(["-s", "INT", &server.id().to_string()]).status().unwrap();
    assert!(told.success() && server.wait().unwrap().success());
    assert_eq!(ran.code == 0, succeeds, "{}", ran.err);
    said.hear(ran);
    let log = elsewhere.read("log");
    assert!(log.contains("TRACE") && log.contains("run ended"), "{log}");
    said.0.push(log);
}

#[test]
fn a_passphrase_is_said_and_kept_nowhere() {
    let folder = Folder::project();
    let _peers = Peers::start(&folder);
    let mut said = Said::default();
    let with = |args: &[&str]| {
        let mut command = folder.command(args);
        ended(command.env("ORCHESTRA_KEYS_PASSPHRASE", PASSPHRASE).env("THE_KEY", samples::TOOLS_KEY))
    };
    said.hear(with(&["keys", "add", "sn51", "--from-env", "THE_KEY", "--passphrase"]).succeeds());
    said.hear(with(&["keys", "test", "sn51"]).succeeds());
    said.hear(with(&["run", "plan.orch"]));
    let mut wrong = folder.command(["keys", "list"]);
    said.hear(ended(wrong.env("ORCHESTRA_KEYS_PASSPHRASE", WRONG)).exits(7));
    said.holds_no_canary(&folder);
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_that_holds_keys_leaves_no_core_dump() {
    let folder = Folder::project_with_latency(600_000);
    let serving = Running::start(&mut folder.command(["serve", "--listen", "127.0.0.1:0"]));
    assert!(serving.first_line().starts_with("listening on "));
    leaves_no_core_dump(&serving);
    serving.signal("INT");
    serving.end().succeeds();
    let call =
        ["call", "sn22.web_search", "query=tea", "--max-cost", "0.01USD", "--stream", "--timeout", "9m"];
    let mut calling = Running::start(folder.command(call).stdin(Stdio::null()));
    calling.wait_for("sn22.web_search sent");
    leaves_no_core_dump(&calling);
    calling.signal("INT");
    calling.end().exits(130);
}

fn leaves_no_core_dump(running: &Running) {
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let core: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(core.get(4..6), Some(&["0", "0"][..]), "{limits}");
}
