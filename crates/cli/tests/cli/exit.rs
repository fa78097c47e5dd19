//! One test per exit code; scripts rely on them.

use std::fs;

use crate::orch::{Folder, ended};
use crate::serve::Server;

#[test]
fn exit_0_all_is_well() {
    Folder::project().orch(["check"]).succeeds();
    let folder = Folder::empty();
    assert!(folder.orch(["--version"]).succeeds().out.starts_with("orch "));
    assert!(folder.orch(["--help"]).succeeds().out.contains("Usage: orch"));
}

#[test]
fn exit_1_findings_or_a_failed_run() {
    let folder = Folder::project_with_latency(1);
    folder.replace("plan.orch", "best.len() > 0", "best.len() > 9");
    folder.orch(["check"]).succeeds();
    folder.orch(["run", "plan.orch"]).exits(1);
    folder.replace("plan.orch", "best.len() > 9", "best.length() > 0");
    folder.orch(["check"]).exits(1);
    folder.orch(["run", "plan.orch"]).exits(1);
}

#[test]
fn exit_2_usage() {
    let folder = Folder::project();
    for (args, tip) in [
        (&["chek"][..], "a similar subcommand exists: 'check'"),
        (&["ledger", "serch"], "a similar subcommand exists: 'search'"),
        (&["run", "plan.orch", "--inptu", "a=b"], "a similar argument exists: '--input'"),
        (&["run", "plan.orch", "--progress", "tre"], "a similar value exists: 'tree'"),
        (&["run"], "<FILE>"),
        (&[], "Usage: orch"),
        (&["run", "plan.orch", "--server", "ftp://x"], "its scheme is not http"),
        (&["run", "plan.orch", "--server", "https://x"], "without TLS only"),
        (&["run", "."], "name a file in it"),
    ] {
        let refused = folder.orch(args).exits(2);
        assert!(refused.err.contains(tip), "{args:?}\n{}", refused.err);
        assert_eq!(refused.out, "");
    }
}

#[test]
fn exit_2_a_name_of_what_is_not_there() {
    let folder = Folder::project();
    folder.write("typo/plan.orch", "edition 2026\nuse sn22 { web_serch }\n");
    for (args, code) in [
        (&["call", "sn22.web_serch"][..], "E1201"),
        (&["ledger", "show", "sn22.web_serch"], "E1201"),
        (&["ledger", "show", "sn22.web_serch", "--as", "mcp"], "E1201"),
        (&["lock", "update", "typo"], "E1201"),
        (&["call", "cap.generat"], "E1202"),
        (&["ledger", "show", "cap.generat"], "E1202"),
        (&["ledger", "search", "--capability", "generat"], "E1202"),
        (&["call", "sn22.web_search", "--version", "9.0"], "E1208"),
        (&["ledger", "show", "sn22.web_search", "--version", "9.0"], "E1208"),
        (&["runs", "show", "01a20312-e3b0-71c1-8f80-cf4a5739d298"], "E1164"),
        (&["plans", "show", "brief"], "E1550"),
        (&["run", "breif.orch"], "E1502"),
        (&["explain", "E9999"], "E1515"),
    ] {
        let refused = folder.orch(args).exits(2);
        assert!(refused.err.starts_with(&format!("error[{code}]: ")), "{args:?}\n{}", refused.err);
    }
}

#[test]
fn exit_3_server_unreachable() {
    let folder = Folder::project();
    // A port that was free a moment ago, and that nobody is given while this holds the other end.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let refused = folder.orch(["run", "plan.orch", "--server", &address]).exits(3);
    assert!(refused.err.starts_with(&format!("error[E1504]: no server answers at http://{address}: ")));
    assert!(refused.err.contains("`orch serve`"), "{}", refused.err);
    let json = folder.orch(["run", "plan.orch", "--json", "--server", &address]).exits(3).json();
    assert_eq!(json["error"]["code"], "E1504");
}

#[test]
fn exit_4_authentication() {
    let folder = Folder::project();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        // As a proxy before a server answers whoever shows no token.
        let guard = tonic::service::InterceptorLayer::new(|_| {
            Err(tonic::Status::unauthenticated("a token is missing"))
        });
        let (_, health) = tonic_health::server::health_reporter();
        let server = tonic::transport::Server::builder().layer(guard).add_service(health);
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        tokio::spawn(server.serve_with_incoming(incoming));
        address
    });
    for args in [&["run", "plan.orch"][..], &["ledger", "search", "web"]] {
        let refused = folder.orch([args, &["--server", &address]].concat()).exits(4);
        assert!(refused.err.contains("refuses this client: a token is missing"), "{}", refused.err);
    }
}

#[test]
fn exit_5_budget() {
    let folder = Folder::project();
    let refused = folder.orch(["run", "plan.orch", "--max-cost", "0.0279USD"]).exits(5);
    assert!(refused.err.starts_with("error[E1402]: the run may cost 0.028 USD"), "{}", refused.err);
    folder.set_latency(1);
    folder.orch(["run", "plan.orch", "-q", "--max-cost", "0.028USD"]).succeeds();
    folder.replace("plan.orch", "budget: 0.05USD", "budget: 0.02USD");
    let refused = folder.orch(["run", "plan.orch"]).exits(5);
    assert!(refused.err.contains("error[E0701]"), "{}", refused.err);
    // For `check` it is a finding like any other.
    folder.orch(["check"]).exits(1);
}

#[test]
fn exit_6_store() {
    let folder = Folder::project_with_latency(1);
    folder.orch(["run", "plan.orch", "-q"]).succeeds();
    let database = folder.path(".orchestra/orchestra.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[..16].copy_from_slice(b"this is no SQLit");
    fs::write(&database, &bytes).unwrap();
    let refused = folder.orch(["run", "plan.orch"]).exits(6);
    assert!(
        refused.err.starts_with("error[E1002]: ") && refused.err.contains("restore a backup"),
        "{}",
        refused.err
    );
    assert_eq!(fs::read(&database).unwrap(), bytes, "a damaged file is left as it is");
    let full = Folder::project_with_latency(1);
    full.write(
        "orchestra.toml",
        format!("{}[server]\nstore_bytes_max = 4096\n", full.read("orchestra.toml")),
    );
    let refused = full.orch(["run", "plan.orch"]).exits(6);
    assert!(refused.err.starts_with("error[E1005]: "), "{}", refused.err);
    full.write("orchestra.toml", "[development]\nsamples = true\nsample_latency_ms = 1\n");
    full.orch(["run", "plan.orch", "-q"]).succeeds();
}

#[test]
fn exit_7_missing_secret() {
    let folder = Folder::project();
    folder.write("orchestra.toml", "");
    let run = |secret: Option<&str>| {
        let mut command = folder.command(["run", "plan.orch"]);
        secret.map(|secret| command.env("ORCHESTRA_SECRET_SN22", secret));
        ended(&mut command).exits(7)
    };
    let missing = run(None);
    assert!(missing.err.starts_with("error[E1105]: `hits` cannot be called: "), "{}", missing.err);
    assert!(
        missing.err.contains("`orch keys add sn22`")
            && missing.err.contains("ORCHESTRA_SECRET_SN22=\"https://api.desearch.ai KEY\""),
        "{}",
        missing.err
    );
    assert!(run(Some("https://other.example hunter2")).err.starts_with("error[E1104]: "));
    let malformed = run(Some("hunter2"));
    assert!(
        malformed.err.starts_with("error[E1106]: ") && !malformed.err.contains("hunter2"),
        "{}",
        malformed.err
    );
    folder.write(
        "orchestra.toml",
        "[secrets.sn22]\norigin = \"https://api.desearch.ai\"\nenv = \"NOT_SET_HERE\"\n",
    );
    assert!(run(None).err.contains("environment variable NOT_SET_HERE is not set"));
    folder.write("orchestra.toml", "hotkey = \"nowhere\"\n");
    assert!(run(None).err.starts_with("error[E1107]: "));
    // Who only looks something up needs no secret.
    folder.orch(["ledger", "search", "web"]).succeeds();
}

#[test]
fn exit_8_lock() {
    let folder = Folder::project_with_latency(1);
    let lock = folder.read("orchestra.lock");
    let body = folder.files("orchestra.schemas")[0].clone();
    let bytes = fs::read(&body).unwrap();
    let told = |code: &str, help: &str| {
        for args in [&["run", "plan.orch"][..], &["check"], &["explain", "plan.orch"]] {
            let refused = folder.orch(args).exits(8);
            assert!(refused.err.contains(&format!("error[{code}]: ")), "{}", refused.err);
            assert!(refused.err.contains(help), "{}", refused.err);
        }
    };
    let refused = |code: &str| told(code, "`orch lock update`");
    folder.write("orchestra.lock", "not = [toml");
    refused("E0601");
    folder.write("orchestra.lock", lock.replace("version = 1\n", "version = 2\n"));
    told("E0606", "update `orch`");
    folder.write("orchestra.lock", &lock);
    fs::write(&body, [&bytes[..], b" "].concat()).unwrap();
    refused("E0603");
    fs::remove_file(&body).unwrap();
    refused("E0602");
    fs::write(&body, bytes).unwrap();
    folder.orch(["run", "plan.orch", "-q"]).succeeds();
    // What the lock does not pin at all.
    folder.replace(
        "plan.orch",
        "use cap { web_search, generate }",
        "use cap { web_search, generate }\nuse sn22 { health }",
    );
    assert!(folder.orch(["run", "plan.orch"]).exits(8).err.contains("E0205"));
}

#[test]
fn exit_8_lock_of_another_ledger() {
    let theirs = Folder::project();
    let mut entry =
        theirs.orch(["ledger", "show", "sn22.web_search", "--json"]).succeeds().json()["entry"].clone();
    entry["version"] = serde_json::json!({ "breaking": 1, "compatible": 2 });
    theirs.write("entry.json", entry.to_string());
    theirs.orch(["ledger", "import", "entry.json"]).succeeds();
    theirs.orch(["lock", "update"]).succeeds();
    let ours = Folder::empty();
    crate::orch::copy(&theirs.path("."), &ours.path("."));
    fs::remove_dir_all(ours.path(".orchestra")).unwrap();
    ours.set_latency(1);
    // In this process the project's own lock is all that counts; a server believes only what it holds.
    ours.orch(["run", "plan.orch", "-q"]).succeeds();
    let server = Server::start(&ours, &["127.0.0.1:0"]);
    let refused = ours.orch(["run", "plan.orch", "--server", &server.address]).exits(8);
    assert!(
        refused.err.starts_with("error[E0608]: ") && refused.err.contains("lock update"),
        "{}",
        refused.err
    );
    ours.orch(["lock", "update", "--server", &server.address]).succeeds();
    ours.orch(["run", "plan.orch", "-q", "--server", &server.address]).succeeds();
}

// Exit codes 9 and 10 are those of `proof.rs`, 11 and 12 those of `versions.rs`, 130 that of `run.rs`.
