//! Commands that look back while a server has the store: they ask that server, and nobody else.

use std::net::{TcpListener, TcpStream};

use crate::orch::{Ended, Folder, Running, ended};
use crate::serve::Server;

const LOCK: &str = ".orchestra/store.lock";

fn refused(folder: &Folder) -> String {
    let refused = folder.orch(["runs", "list"]).exits(6).err;
    assert!(refused.starts_with("error[E1001]: the store "), "{refused}");
    refused
}

#[test]
fn what_answers_at_the_address_of_a_server_has_to_be_that_server() {
    let folder = Folder::project_with_latency(1);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    folder.orch(["runs", "list"]).succeeds();
    let elsewhere = Folder::project_with_latency(1);
    let another = Server::start(&elsewhere, &["127.0.0.1:0"]);
    // Such as where the owner is in another network, or somebody else took its port.
    folder.replace(LOCK, &server.address, &another.address);
    let told = refused(&folder);
    let message =
        format!("which serves it at {}, and what listens there is not that process", another.address);
    assert!(told.contains(&message) && told.contains("help: give an address that leads to it"), "{told}");
    let told = folder.orch(["plans", "list"]).exits(6).err;
    assert!(told.starts_with("error[E1001]"), "{told}");

    // Connections wait in the listener's queue: they are made, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_address = silent.local_addr().unwrap().to_string();
    folder.replace(LOCK, &another.address, &silent_address);
    assert!(refused(&folder).contains("what listens there is not that process"));
    drop(silent);
    let told = refused(&folder);
    assert!(told.contains("and nobody answers there") && told.contains("try again in a moment"), "{told}");
}

#[test]
fn a_server_that_stops_has_its_store_and_no_address() {
    let folder = Folder::project_with_latency(600_000);
    let server = Running::start(&mut folder.command(["serve", "--quiet", "--listen", "127.0.0.1:0"]));
    let address = server.first_line().trim().strip_prefix("listening on ").unwrap().to_owned();
    let call = ["call", "sn4.list_inventory", "--stream", "--timeout", "9m", "--server", &address];
    let mut calling = Running::start(&mut folder.command(call));
    calling.wait_for("sn4.list_inventory sent");
    server.signal("TERM");
    while TcpStream::connect(&address).is_ok() {}
    let told = refused(&folder);
    assert!(told.contains(&format!("is in use by process {}\n", server.id())), "{told}");
    assert!(told.contains("help: wait for that process to end (a server that was told to stop"), "{told}");
}

#[test]
fn a_server_with_tokens_shows_the_runs_of_the_token_and_says_so() {
    let folder = Folder::project_with_latency(1);
    folder.orch(["run", "plan.orch", "-q"]).succeeds();
    let token = folder.orch(["tokens", "add", "agent", "--spend-max", "1USD"]).succeeds().out;
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let with_token = |args: &[&str]| -> Ended {
        ended(folder.command(["runs", "list"].iter().chain(args)).env("ORCHESTRA_TOKEN", token.trim()))
    };
    assert!(folder.orch(["runs", "list"]).exits(4).err.starts_with("error[E1517]"));
    let none = with_token(&[]).succeeds();
    let url = format!("http://{}", server.address);
    let told = format!(
        "the server at {url} has no runs of this token; `orch run FILE --server {url}` runs a plan there\n"
    );
    assert_eq!((none.out.as_str(), none.err), ("", told));
    let none = with_token(&["--plan", "brief"]).succeeds().err;
    assert!(
        none.starts_with(&format!("the server at {url} has no run of `brief` of this token; ")),
        "{none}"
    );
    let elsewhere = Folder::project();
    let open = Server::start(&elsewhere, &["127.0.0.1:0"]);
    let none = elsewhere.orch(["runs", "list"]).succeeds().err;
    assert!(none.starts_with(&format!("the server at http://{} has no runs; ", open.address)), "{none}");
}
