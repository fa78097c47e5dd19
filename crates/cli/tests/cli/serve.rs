//! `orch serve`, and the other commands against it.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::orch::{Folder, Running, ended};

/// A server in a folder, stopped with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command = folder.command([&["serve", "--quiet", "--listen"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, address }
    }

    pub(crate) fn signal(&mut self, name: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn runs_ledger_and_lock_work_the_same_against_a_server() {
    let folder = Folder::project_with_latency(1);
    let mut server = Server::start(&folder, &["127.0.0.1:0"]);
    let with = |args: &[&str]| folder.orch([args, &["--server", &server.address]].concat());
    let ran = with(&["run", "plan.orch"]).succeeds();
    assert_eq!(ran.json()["topic"], "Halcyon versus Meridian");
    // The server of this project signs with this project's key.
    assert!(ran.err.contains("(verified, level L1, signed by this project's runtime)"), "{}", ran.err);
    folder.orch(["proof".as_ref(), "verify".as_ref(), folder.proof().as_os_str()]).succeeds();
    assert!(with(&["ledger", "search", "web"]).succeeds().out.contains("\nsn22.web_search\t"));
    assert!(with(&["lock", "update"]).succeeds().err.contains("6 pins, unchanged"));
    // What is refused here is refused there, with the same code.
    assert!(with(&["run", "plan.orch", "--max-cost", "0.01USD"]).exits(5).err.starts_with("error[E1402]"));
    assert!(with(&["run", "plan.orch", "-i", "topc=x"]).exits(2).err.starts_with("error[E1161]"));
    assert!(with(&["ledger", "show", "sn22.web_serch"]).exits(2).err.starts_with("error[E1201]"));
    // The same by the environment.
    let ran = ended(folder.command(["run", "plan.orch", "-q"]).env("ORCHESTRA_SERVER", &server.address));
    ran.succeeds();
    assert_eq!(server.signal("TERM"), Some(0));
}

#[test]
fn a_server_without_a_journal_keeps_nothing() {
    let folder = Folder::project_with_latency(1);
    let before = (folder.files("."), folder.files(".orchestra"));
    for _ in 0..2 {
        let server =
            Running::start(&mut folder.command(["serve", "--no-journal", "--listen", "127.0.0.1:0"]));
        let address = server.first_line().trim().strip_prefix("listening on ").unwrap().to_owned();
        let runs = || {
            let listed = folder.orch(["runs", "list", "--server", &address, "--json"]).succeeds().json();
            listed["runs"].as_array().unwrap().len()
        };
        assert_eq!(runs(), 0);
        let call = ["call", "sn22.web_search", "query=a", "--max-cost", "0.005USD", "--server", &address];
        folder.orch([&call[..], &["--receipt", "kept/a.orchproof"]].concat()).succeeds();
        // Its key is gone with it, so nothing attributes its proofs to this project.
        assert!(folder.orch(["proof", "show", "kept/a.orchproof"]).exits(9).err.contains("--trust"));
        assert_eq!(runs(), 1);
        server.signal("TERM");
        let said = server.end().exits(0).err;
        assert!(said.contains("nothing is kept; Ctrl-C stops\n"), "{said}");
        assert!(said.contains("stopping; nothing is kept\n"), "{said}");
        std::fs::remove_dir_all(folder.path("kept")).unwrap();
        assert_eq!((folder.files("."), folder.files(".orchestra")), before);
    }
    let mut command = folder.command(["serve", "--no-journal", "--listen", "127.0.0.1:0", "--json"]);
    let server = Running::start(&mut command);
    let announced = server.first_line();
    assert!(announced.contains("\"data\":null"), "{announced}");
    server.signal("TERM");
    server.end().exits(0);
}

/// The store of a server may lie elsewhere, and another process may have it.
#[test]
fn a_server_without_a_journal_knows_the_ledger_of_the_other() {
    let folder = Folder::project_with_latency(1);
    folder.write("ask.toml", "url = \"https://api.example.invalid/v1/ask\"\n\n[answer]\ntext = \"so\"\n");
    folder.orch(["ledger", "add", "ask.toml", "--netuid", "7", "--example"]).succeeds();
    std::fs::rename(folder.path(".orchestra"), folder.path("elsewhere")).unwrap();
    folder.write("orchestra.toml", folder.read("orchestra.toml") + "[server]\ndata = \"elsewhere\"\n");
    let owner = Server::start(&folder, &["127.0.0.1:0"]);
    let beside = Server::start(&folder, &["127.0.0.1:0", "--no-journal"]);
    let [at_owner, known] = [&owner, &beside]
        .map(|server| folder.orch(["ledger", "show", "sn7.ask", "--server", &server.address]).succeeds().out);
    assert_eq!(known, at_owner);
}

#[test]
fn what_tokens_have_spent_is_not_forgotten() {
    let folder = Folder::project_with_latency(1);
    folder.orch(["tokens", "add", "acme", "--spend-max", "5USD"]).succeeds();
    let refused = folder.orch(["serve", "--no-journal", "--listen", "127.0.0.1:0"]).exits(2).err;
    assert!(refused.starts_with("error[E1507]: ") && refused.contains("`acme`"), "{refused}");
    let refused = folder.orch(["serve", "--no-journal", "--data", "other"]).exits(2).err;
    assert!(refused.contains("cannot be used with '--data <FOLDER>'"), "{refused}");
    assert_eq!(folder.files("other").len(), 0);
}

#[test]
fn a_quiet_server_tells_of_warnings_only() {
    let folder = Folder::project_with_latency(1);
    for (args, is_told) in [(&["-q"][..], false), (&["-q", "--log", "info"], true), (&[], true)] {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let server = Running::start(&mut folder.command(args));
        let address = server.first_line().trim().strip_prefix("listening on ").unwrap().to_owned();
        let call = ["call", "sn22.web_search", "query=a", "--max-cost", "0.005USD", "--server", &address];
        folder.orch(call).succeeds();
        server.signal("TERM");
        let said = server.end().exits(0).err;
        assert_eq!(said.contains("run ended"), is_told, "{said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_keeps_its_memory_in_small_pages() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let status = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let (own, servers) = (status("self"), status(&server.child.id().to_string()));
    // Systems whose kernel has no large pages do not say it.
    assert_eq!(own.contains("THP_enabled:"), servers.contains("THP_enabled:\t0"), "{servers}");
}

#[test]
fn one_process_owns_a_folder_and_the_others_are_told_how_to_share_it() {
    let folder = Folder::project_with_latency(1);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    for args in [&["run", "plan.orch"][..], &["call", "sn22.web_search"], &["plans", "publish", "plan.orch"]]
    {
        let refused = folder.orch(args).exits(6);
        assert!(refused.err.starts_with("error[E1001]: "), "{}", refused.err);
        assert!(refused.err.contains(&format!("in use by process {}", server.child.id())), "{}", refused.err);
        let help = format!("help: add --server {} to use it there", server.address);
        assert!(refused.err.contains(&help), "{}", refused.err);
    }
    let second = folder.orch(["serve", "--listen", "127.0.0.1:0"]).exits(6);
    assert!(second.err.contains("E1001") && second.err.contains("--data"), "{}", second.err);
    let port = folder.orch(["serve", "--listen", &server.address, "--data", "other"]).exits(2);
    assert!(
        port.err.starts_with("error[E1509]: cannot listen on ") && port.err.contains("port 0"),
        "{}",
        port.err
    );
    // The port comes first, so the second server has not touched its folder.
    assert_eq!(folder.files("other").len(), 0);
    folder.orch(["run", "plan.orch", "-q", "--no-journal"]).succeeds();
}

#[test]
fn who_only_looks_needs_not_know_that_a_server_has_the_store() {
    let folder = Folder::project_with_latency(1);
    folder.orch(["run", "plan.orch", "-q"]).succeeds();
    folder.orch(["plans", "publish", "plan.orch"]).succeeds();
    // Programs of this machine do not reach it at that address everywhere.
    let server = Server::start(&folder, &["0.0.0.0:0"]);
    let runs = folder.orch(["runs", "list", "--json"]).succeeds().json();
    let run = runs["runs"][0]["run"].as_str().unwrap().to_owned();
    assert!(folder.orch(["runs", "show", &run]).succeeds().out.contains("succeeded"));
    assert!(folder.orch(["runs", "cancel", &run]).succeeds().out.contains("had ended before"));
    let proof = folder.orch(["runs", "proof", &run, "--out", "again.orchproof"]).succeeds().out;
    assert!(proof.contains("signed by this project's runtime"), "{proof}");
    assert!(folder.orch(["plans", "list"]).succeeds().out.contains("plans/brief"));
    folder.orch(["plans", "show", "brief"]).succeeds();
    folder.orch(["ledger", "show", "plans/brief", "--as", "mcp"]).succeeds();
    drop(server);
    // Whoever has it: what is filed is read beside it.
    let mut running = {
        folder.set_latency(600_000);
        Running::start(&mut folder.command(["run", "plan.orch"]))
    };
    running.wait_for("call    hits");
    folder.orch(["ledger", "search", "web"]).succeeds();
    folder.orch(["ledger", "show", "sn22.web_search"]).succeeds();
    folder.orch(["lock", "update"]).succeeds();
    let refused = folder.orch(["runs", "list"]).exits(6);
    assert!(refused.err.contains("wait for that process to end"), "{}", refused.err);
}

#[test]
fn addresses_and_filters_that_are_none_are_refused() {
    let folder = Folder::empty();
    for (args, code) in [
        (&["--listen", "nonsense"][..], "E1509"),
        (&["--listen", "203.0.113.7:0"], "E1509"),
        (&["--listen", "127.0.0.1:0", "--log", "a=b=c"], "E1507"),
    ] {
        let refused = folder.orch([&["serve"], args].concat()).exits(2);
        assert!(
            refused.err.starts_with(&format!("error[{code}]: ")) && refused.err.contains("help: "),
            "{}",
            refused.err
        );
    }
    assert_eq!(folder.files(".").len(), 0);
}

#[test]
fn a_watcher_stays_with_its_run_over_a_restart_of_the_server() {
    let folder = Folder::project_with_latency(600_000);
    let mut server = Server::start(&folder, &["127.0.0.1:0"]);
    let mut running = Running::start(&mut folder.command(["run", "plan.orch", "--server", &server.address]));
    running.wait_for("call    hits");
    server.signal("KILL");
    folder.set_latency(1);
    let _restarted = Server::start(&folder, &[&server.address]);
    let ran = running.end().succeeds();
    assert!(ran.err.contains("the connection broke; connecting again"), "{}", ran.err);
    assert!(ran.out.contains("\"topic\""), "{}", ran.out);
}

#[test]
fn a_call_stays_with_its_run_over_a_restart_of_the_server() {
    let folder = Folder::project_with_latency(600_000);
    let mut server = Server::start(&folder, &["127.0.0.1:0"]);
    // It costs nothing, so that the server that starts again may send it again.
    let call = ["call", "sn4.list_inventory", "--stream", "--server"];
    let mut calling = Running::start(&mut folder.command([&call[..], &[&server.address]].concat()));
    calling.wait_for("sn4.list_inventory sent");
    server.signal("KILL");
    folder.set_latency(1);
    let restarted = Server::start(&folder, &[&server.address]);
    let called = calling.end().succeeds();
    assert!(called.err.contains("the connection broke; asking again"), "{}", called.err);
    assert!(called.json().is_array(), "{}", called.out);
    // The run that was asked for, and the only one.
    let runs = folder.orch(["runs", "list", "--json", "--server", &restarted.address]).succeeds().json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1));
    assert_eq!(runs["runs"][0]["state"], "succeeded");
}

#[test]
fn a_call_that_is_cancelled_while_its_server_is_away_is_cancelled_when_it_is_back() {
    let folder = Folder::project_with_latency(600_000);
    let mut server = Server::start(&folder, &["127.0.0.1:0"]);
    let call = ["call", "sn4.list_inventory", "--stream", "--timeout", "1m", "--server"];
    let mut calling = Running::start(&mut folder.command([&call[..], &[&server.address]].concat()));
    calling.wait_for("sn4.list_inventory sent");
    server.signal("KILL");
    calling.wait_for("the connection broke; asking again");
    calling.signal("INT");
    calling.wait_for("cancelling the call");
    // Which begins with going on with the call.
    let restarted = Server::start(&folder, &[&server.address]);
    let called = calling.end().exits(130);
    assert!(called.err.contains("error[E1508]: the call was cancelled"), "{}", called.err);
    let runs = folder.orch(["runs", "list", "--json", "--server", &restarted.address]).succeeds().json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1));
    assert_eq!(runs["runs"][0]["state"], "cancelled");
}

#[test]
fn a_call_whose_connection_breaks_says_what_became_of_it() {
    let folder = Folder::project_with_latency(600_000);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let way = Way::to(&server.address);
    let call = ["call", "sn22.web_search", "query=a", "--max-cost", "0.02USD", "--stream", "--server"];
    let mut calling = Running::start(&mut folder.command([&call[..], &[&way.address]].concat()));
    calling.wait_for("sn22.web_search sent");
    way.break_all();
    // For the server its client has gone away, which cancels the call; what was sent is booked.
    let called = calling.end().exits(130);
    assert!(called.err.contains("the connection broke; asking again"), "{}", called.err);
    assert!(
        called.err.contains("error[E1508]: the call was cancelled; it cost at most 0.02 USD\n"),
        "{}",
        called.err
    );
    let runs = folder.orch(["runs", "list", "--json"]).succeeds().json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1));
}

/// A way to a server that can be broken while both ends live.
struct Way {
    address: String,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Way {
    fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let ends = Arc::new(Mutex::new(Vec::new()));
        let (server, kept) = (server.to_owned(), Arc::clone(&ends));
        std::thread::spawn(move || {
            for here in listener.incoming() {
                let (here, there) = (here.unwrap(), TcpStream::connect(&server).unwrap());
                let pair = |from: &TcpStream, to: &TcpStream| {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    // Ends with an error where the way is broken.
                    std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
                };
                pair(&here, &there);
                pair(&there, &here);
                kept.lock().unwrap().extend([here, there]);
            }
        });
        Self { address, ends }
    }

    fn break_all(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            end.shutdown(Shutdown::Both).unwrap();
        }
    }
}

#[test]
fn a_port_where_something_else_listens_is_no_server() {
    let folder = Folder::project();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::Write as _;
            let _ = stream.unwrap().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        }
    });
    let refused = folder.orch(["ledger", "search", "web", "--server", &address]).exits(3);
    assert!(refused.err.starts_with("error[E1504]: "), "{}", refused.err);
}

#[test]
fn a_port_that_never_says_a_word_does_not_hold_a_command_for_ever() {
    let folder = Folder::project();
    // Connections wait in the listener's queue: they are made, and nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let refused = folder.orch(["ledger", "search", "web", "--server", &address]).exits(3);
    assert!(refused.err.starts_with("error[E1504]: "), "{}", refused.err);
}

#[test]
fn the_log_says_what_happens_and_holds_no_content() {
    let folder = Folder::project_with_latency(1);
    let mut serve = folder.command(["serve", "--listen", "127.0.0.1:0", "--json"]);
    let running = Running::start(serve.env("ORCHESTRA_LOG", "trace,h2=off,hyper=off"));
    let listening: serde_json::Value = serde_json::from_str(&running.first_line()).unwrap();
    let address = listening["listening"].as_str().unwrap().to_owned();
    let inputs = "topic=A peculiar topic";
    folder.orch(["run", "plan.orch", "-q", "--server", &address, "--input", inputs]).succeeds();
    running.signal("INT");
    let ended = running.end().succeeds();
    let lines: Vec<serde_json::Value> =
        ended.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |message: &str| lines.iter().find(|line| line["fields"]["message"] == message);
    assert!(said("run admitted").is_some(), "{}", ended.err);
    assert_eq!(said("run ended").unwrap()["fields"]["state"], "succeeded");
    for content in ["peculiar", samples::SEARCH_KEY, samples::CHAT_KEY, "Summarise"] {
        assert!(!ended.err.contains(content), "{content}:\n{}", ended.err);
    }
}
