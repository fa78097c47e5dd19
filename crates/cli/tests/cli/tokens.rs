//! `orch tokens`, and a server that asks for them.

use crate::keys::Peers;
use crate::orch::{Ended, Folder, ended};
use crate::serve::Server;

fn add(folder: &Folder, args: &[&str]) -> String {
    folder.orch([&["tokens", "add"], args].concat()).succeeds().out.trim().to_owned()
}

/// A command at the server, with a token.
fn with(folder: &Folder, server: &Server, token: &str, args: &[&str]) -> Ended {
    let mut command = folder.command([args, &["--server", &server.address]].concat());
    ended(command.env("ORCHESTRA_TOKEN", token))
}

#[test]
fn a_server_with_tokens_serves_who_has_one() {
    let folder = Folder::project_with_latency(1);
    let agent = add(&folder, &["agent", "--spend-max", "5USD"]);
    let other = add(&folder, &["other", "--no-spend-max", "--publish"]);
    assert!(agent.starts_with("orch_") && agent != other);
    let file = std::fs::read_to_string(folder.path(".orchestra/tokens.toml")).unwrap();
    assert!(!file.contains(agent.trim_start_matches("orch_")), "{file}");
    let server = Server::start(&folder, &["127.0.0.1:0"]);

    let refused = folder.orch(["ledger", "search", "web", "--server", &server.address]).exits(4);
    assert!(refused.err.starts_with("error[E1517]: this server wants a token"), "{}", refused.err);
    assert!(
        refused.err.contains("help: put the token that you were given into ORCHESTRA_TOKEN"),
        "{}",
        refused.err
    );
    let refused = with(&folder, &server, "orch_no", &["ledger", "search", "web"]).exits(4);
    assert!(refused.err.starts_with("error[E1517]: this server does not know the token"), "{}", refused.err);
    let token_file = folder.path("token");
    std::fs::write(&token_file, format!("{agent}\n")).unwrap();
    let mut command = folder.command(["run", "plan.orch", "--server", &server.address]);
    ended(command.env("ORCHESTRA_TOKEN_FILE", &token_file)).succeeds();

    // Publishing takes a right.
    let entry = folder.path("entry.json");
    let shown = with(&folder, &server, &agent, &["ledger", "show", "sn22.web_search", "--json"]).succeeds();
    std::fs::write(&entry, shown.json()["entry"].to_string()).unwrap();
    let entry = entry.to_str().unwrap();
    let refused = with(&folder, &server, &agent, &["ledger", "import", entry]).exits(4);
    assert!(refused.err.starts_with("error[E1519]: "), "{}", refused.err);
    assert!(refused.err.contains("the token `agent` may not publish"), "{}", refused.err);
    with(&folder, &server, &other, &["ledger", "import", entry]).succeeds();
}

#[test]
fn what_a_token_may_spend_is_the_limit_of_all_its_calls() {
    let folder = Folder::project_with_latency(1);
    // A web search may cost what the call admits, and the sample charges 0.0025 USD.
    let agent = add(&folder, &["agent", "--spend-max", "0.013USD"]);
    let call = ["call", "sn22.web_search", "query=subnets", "--max-cost", "0.01USD"];
    // A limit in the other currency cannot be compared with what the subnet charges.
    let refused = folder.orch(["call", "sn22.web_search", "query=subnets", "--max-cost", "0TAO"]).exits(2);
    assert!(
        refused.err.contains("error[E0707]") && refused.err.contains("give the limit in USD"),
        "{}",
        refused.err
    );
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    with(&folder, &server, &agent, &call).succeeds();
    with(&folder, &server, &agent, &call).succeeds();
    let spent = "error[E1407]: `agent` may spend 0.013 USD in all: 0.005 USD are spent and 0 USD reserved for runs under \
                 way, so a run that may cost 0.01 USD does not fit";
    let refused = with(&folder, &server, &agent, &call).exits(5);
    assert!(refused.err.starts_with(spent), "{}", refused.err);
    // Saying that it costs nothing does not help.
    let free = ["call", "sn22.web_search", "query=subnets", "--max-cost", "0USD"];
    assert!(with(&folder, &server, &agent, &free).exits(5).err.contains("E1407"));
    // A restart forgets nothing of it.
    drop(server);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let refused = with(&folder, &server, &agent, &call).exits(5);
    assert!(refused.err.starts_with(spent), "{}", refused.err);
}

#[test]
fn tokens_are_listed_replaced_and_removed_and_wrong_ones_are_refused() {
    let folder = Folder::project();
    assert!(folder.orch(["tokens", "list"]).succeeds().err.contains("no tokens"));
    let first = add(&folder, &["agent", "--spend-max", "5USD", "--spend-max", "1TAO", "--expires", "90d"]);
    let refused = folder.orch(["tokens", "add", "agent", "--spend-max", "5USD"]).exits(2);
    assert!(refused.err.contains("there is a token `agent` already"), "{}", refused.err);
    assert_ne!(add(&folder, &["agent", "--no-spend-max", "--replace"]), first);
    let listed = folder.orch(["tokens", "list"]).succeeds();
    assert_eq!(listed.out, "agent\tno limit\t-\tserver's\t-\n");
    for (args, wrong) in [
        (&["add", "x"][..], "<--spend-max <AMOUNT>|--no-spend-max>"),
        (&["add", "x", "--spend-max", "five"], "a limit of `five`"),
        (&["add", "a b", "--spend-max", "5USD"], "whose name is not"),
        (&["add", "x", "--spend-max", "5USD", "--expires", "soon"], "--expires is no time"),
        (&["add", "default", "--spend-max", "5USD"], "everything belongs that was done without a token"),
        (&["remove", "agnt"], "did you mean `agent`?"),
    ] {
        let refused = folder.orch([&["tokens"], args].concat()).exits(2);
        assert!(refused.err.contains(wrong), "{}", refused.err);
    }
    folder.orch(["tokens", "remove", "agent"]).succeeds();
    assert!(!folder.path(".orchestra/tokens.toml").exists());
    // What would let everybody in by mistake is refused.
    for text in ["[agent]\nsha256 = 5\n", ""] {
        folder.write(".orchestra/tokens.toml", text);
        let refused = folder.orch(["serve", "--listen", "127.0.0.1:0"]).exits(2);
        assert!(refused.err.starts_with("error[E1522]: "), "{}", refused.err);
    }
    std::fs::remove_file(folder.path(".orchestra/tokens.toml")).unwrap();
    folder.write("orchestra.toml", "[server]\ntokens = \"nowhere.toml\"\n");
    let refused = folder.orch(["serve", "--listen", "127.0.0.1:0"]).exits(2);
    assert!(refused.err.contains("nowhere.toml cannot be read"), "{}", refused.err);
}

#[test]
fn a_token_calls_with_keys_of_its_own_where_the_vault_has_them() {
    let folder = Folder::project();
    let peers = Peers::start(&folder);
    let tokens = ["agent", "guest"].map(|name| add(&folder, &[name, "--no-spend-max"]));
    let alone =
        ended(&mut folder.command(["tokens", "add", "alone", "--no-spend-max", "--own-keys"])).succeeds();
    assert!(alone.err.contains("`orch keys add SUBNET --tenant alone`"), "{}", alone.err);
    let alone = alone.out.trim().to_owned();
    let listed = folder.orch(["tokens", "list"]).succeeds();
    assert!(listed.out.contains("alone\tno limit\t-\town\t-\n"), "{}", listed.out);
    let missing = folder.orch(["doctor"]).succeeds().out;
    assert!(missing.contains("none of the token `alone`, which uses no others"), "{missing}");
    // The server's own key does not work, that of `agent` does.
    let keep = |args: &[&str], key: &str| {
        folder.orch_with_input([&["keys", "add", "sn22", "--stdin"], args].concat(), key).succeeds();
    };
    keep(&[], "cnry-0rch3stra-key-of-the-server");
    keep(&["--tenant", "agent"], samples::SEARCH_KEY);
    let call = ["call", "sn22.web_search", "query=subnets", "--max-cost", "0.01USD"];
    {
        let server = Server::start(&folder, &["127.0.0.1:0"]);
        with(&folder, &server, &tokens[0], &call).succeeds();
        assert!(with(&folder, &server, &tokens[1], &call).exits(1).err.contains("401"));
        let refused = with(&folder, &server, &alone, &call).exits(7);
        assert!(refused.err.contains("E1105") && refused.err.contains("tenant `alone`"), "{}", refused.err);
    }
    assert_eq!(peers.samples.served().search, 2, "`alone` sent nothing");
    keep(&["--tenant", "alone"], samples::SEARCH_KEY);
    let seen = folder.orch(["doctor"]).succeeds().out;
    assert!(seen.contains("of sn22; of `agent`: sn22; of `alone`: sn22; "), "{seen}");
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    with(&folder, &server, &alone, &call).succeeds();
}

#[test]
fn keys_for_the_real_subnets_do_not_get_in_the_way_of_their_samples() {
    let folder = Folder::project_with_latency(1);
    for name in ["sn22", "sn22.web_search"] {
        folder
            .orch_with_input(["keys", "add", name, "--stdin"], "cnry-0rch3stra-for-the-real-one")
            .succeeds();
    }
    folder.orch(["run", "plan.orch", "-q"]).succeeds();
}
