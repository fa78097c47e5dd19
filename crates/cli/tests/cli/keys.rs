//! `orch keys`.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use keys::{Place, Unlock, Value, Vault};
use samples::Samples;
use secrecy::SecretString;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::orch::{Folder, ended};
use crate::serve::Server;

const CANARY: &str = "cnry-0rch3stra-never-shown";

/// The sample subnets as a folder's configuration has them for real ones.
pub(crate) struct Peers {
    pub(crate) samples: Samples,
    _runtime: Runtime,
}

impl Peers {
    /// Starts them, and sends the calls of SN22, SN28 and SN51 from `folder` to them.
    pub(crate) fn start(folder: &Folder) -> Self {
        let runtime = Runtime::new().unwrap();
        let samples = runtime.block_on(samples::start(samples::Options::default())).unwrap();
        folder.write("ca.pem", &samples.ca_pem);
        let text = format!(
            "[development]\nallow_loopback = true\nextra_roots = [\"ca.pem\"]\n[endpoints]\nsn22 = \"{}\"\n\
             sn28 = \"{}/v1\"\nsn51 = \"{}\"\n",
            samples.search_url, samples.chat_url, samples.tools_url
        );
        folder.write("orchestra.toml", text);
        Self { samples, _runtime: runtime }
    }
}

fn place(folder: &Folder) -> Place {
    Place::beside(folder.vault())
}

/// Changes the vault as another program would.
fn change(folder: &Folder, change: impl FnOnce(&mut Vault) -> Result<(), keys::Error>) {
    let place = place(folder);
    let unlock = Unlock::with_identity(&place.identity, true).unwrap();
    Vault::change(&place, &unlock, change).unwrap();
}

#[test]
fn a_key_is_added_listed_rotated_and_removed() {
    let folder = Folder::empty();
    let added =
        folder.orch_with_input(["keys", "add", "sn22", "--stdin", "--label", "mine"], CANARY).succeeds();
    assert!(added.out.starts_with("added sn22 for https://api.desearch.ai ("), "{}", added.out);
    assert!(added.err.contains("without it no key comes back"), "{}", added.err);
    assert_eq!(folder.files(".vault").len(), 4, "vault, identity and a lock for each");
    let listed = folder.orch(["keys", "list", "--json"]).succeeds().json();
    let key = &listed["keys"][0];
    assert_eq!((key["name"].as_str(), key["tenant"].as_str()), (Some("sn22"), Some("default")));
    assert_eq!((key["label"].as_str(), key["expired"].as_bool()), (Some("mine"), Some(false)));
    let fingerprint = key["fingerprint"].as_str().unwrap();
    let rows = folder.orch(["keys", "list"]).succeeds().out;
    assert_eq!(rows, format!("sn22\t-\thttps://api.desearch.ai\t{fingerprint}\t0h\t-\tmine\n"));
    // Nothing free tells whether it works, so the new key waits until it is said that it need not.
    let waits = folder.orch_with_input(["keys", "rotate", "sn22", "--stdin"], "another").exits(1);
    assert!(waits.err.starts_with("error[E1531]: the new key of sn22 waits"), "{}", waits.err);
    let listed = folder.orch(["keys", "list", "--json"]).succeeds().json();
    let next = listed["keys"][0]["next"]["fingerprint"].as_str().unwrap().to_owned();
    assert!(listed["keys"][0]["fingerprint"] == fingerprint && next != fingerprint);
    folder.orch(["keys", "rotate", "sn22", "--force"]).succeeds();
    let listed = folder.orch(["keys", "list", "--json"]).succeeds().json();
    assert!(listed["keys"][0]["fingerprint"] == next.as_str() && listed["keys"][0]["next"].is_null());
    let asks = folder.orch(["keys", "remove", "sn22"]).exits(2);
    assert!(asks.err.starts_with("error[E1534]"), "{}", asks.err);
    folder.orch(["keys", "remove", "sn22", "--yes"]).succeeds();
    assert!(folder.orch(["keys", "remove", "sn22", "--yes"]).exits(7).err.starts_with("error[E1706]"));
    assert_eq!(
        folder.orch(["keys", "list", "--json"]).succeeds().json()["keys"].as_array().unwrap().len(),
        0
    );
}

#[test]
fn a_key_comes_from_anywhere_but_the_command_line() {
    let folder = Folder::empty();
    folder.write("key.txt", format!("{CANARY}\n"));
    folder.orch(["keys", "add", "sn22", "--from-file", "key.txt"]).succeeds();
    let add = ["keys", "add", "sn51", "--from-env", "LIUM"];
    ended(folder.command(add).env("LIUM", CANARY)).succeeds();
    folder.orch_with_input(["keys", "add", "sn4", "--stdin"], CANARY).succeeds();
    let listed = folder.orch(["keys", "list", "--json"]).succeeds().json();
    let prints: Vec<_> = listed["keys"].as_array().unwrap().iter().map(|key| &key["fingerprint"]).collect();
    assert!(prints.len() == 3 && prints.iter().all(|print| *print == prints[0]), "{prints:?}");
    for args in [
        &["keys", "add", "sn28", CANARY][..],
        &["keys", "add", "sn28", "--key", CANARY],
        &["keys", "add", "sn28", "--value=cnry-0rch3stra-never-shown"],
        &["keys", "rotate", "sn22", CANARY, "--force"],
        &["keys", "test", "sn22", CANARY],
        &["keys", "remove", "sn22", "--token", CANARY],
    ] {
        let refused = folder.orch(args).exits(2);
        assert!(refused.err.starts_with("error[E1530]"), "{args:?}: {}", refused.err);
        assert!(!refused.err.contains("cnry"), "{}", refused.err);
    }
    // A key in the place of a name, a variable's name or a file's.
    for (args, code) in [
        (&["keys", "add", CANARY][..], "E1708"),
        (&["keys", "test", CANARY], "E1708"),
        (&["keys", "add", "sn28", "--tenant", "cnry/1", "--stdin"], "E1708"),
        (&["keys", "add", "sn28", "--from-env", CANARY], "E1533"),
        (&["keys", "add", "sn28", "--from-keyring", CANARY], "E1533"),
    ] {
        let refused = folder.orch(args).exits(2);
        assert!(refused.err.starts_with(&format!("error[{code}]")), "{}", refused.err);
        assert!(!refused.err.contains("nry"), "{}", refused.err);
    }
    for (input, code) in
        [(&b""[..], "E1533"), (b"\n", "E1533"), (b"\xff\xfe", "E1533"), (b"two\nlines", "E1106")]
    {
        let refused = folder.orch_with_input(["keys", "add", "sn28", "--stdin"], input);
        assert!(refused.code != 0 && refused.err.starts_with(&format!("error[{code}]")), "{}", refused.err);
    }
    let nobody = folder.orch(["keys", "add", "sn28"]).exits(2);
    assert!(nobody.err.contains("nobody is there to type the key"), "{}", nobody.err);
    assert!(
        folder.orch(["keys", "add", "sn28", "--from-file", "none"]).exits(2).err.starts_with("error[E1502]")
    );
    let both = folder.orch(["keys", "add", "sn28", "--stdin", "--from-file", "key.txt"]).exits(2);
    assert!(both.err.contains("cannot be used with"), "{}", both.err);
    assert_eq!(folder.orch(["keys", "list", "--json"]).succeeds().json(), listed);
}

/// An operation whose key has two parts, filed from a document.
fn file_an_operation_with_a_key_of_two_parts(folder: &Folder) {
    let scheme = |name: &str| json!({ "type": "apiKey", "in": "header", "name": name });
    let get = json!({ "operationId": "look", "security": [{ "id": [], "secret": [] }],
        "responses": { "200": { "description": "" } } });
    let document = json!({ "openapi": "3.1.0", "servers": [{ "url": "https://api.example.com" }],
        "paths": { "/look": { "get": get } },
        "components": { "securitySchemes": { "id": scheme("X-Id"), "secret": scheme("X-Secret") } } });
    folder.write("api.json", document.to_string());
    folder.orch(["ledger", "add", "api.json", "--netuid", "58", "--name-prefix", "two_"]).succeeds();
}

#[test]
fn the_parts_of_a_key_are_known_where_the_ledger_says_them() {
    let folder = Folder::empty();
    file_an_operation_with_a_key_of_two_parts(&folder);
    let add = |lines: &str| folder.orch_with_input(["keys", "add", "sn58.two_look", "--stdin"], lines);
    let refused = add(CANARY).exits(2);
    assert!(refused.err.contains("one line `PART=VALUE` for each of `id`, `secret`"), "{}", refused.err);
    assert!(!refused.err.contains(CANARY), "{}", refused.err);
    add(&format!("id=one\nsecret={CANARY}\n")).succeeds();
    // Where it says nothing, several lines are told for what they may be.
    let origin = ["keys", "add", "sn58", "--stdin", "--origin", "https://api.example.com"];
    let refused = folder.orch_with_input(origin, format!("id=one\nsecret={CANARY}\n"));
    assert!(refused.code != 0 && refused.err.contains("comes in lines `PART=VALUE`"), "{}", refused.err);
    assert!(!refused.err.contains(CANARY), "{}", refused.err);
}

#[test]
fn a_key_of_several_parts_is_read_in_lines_and_kept_by_parts() {
    let folder = Folder::empty();
    let add = |name: &str, lines: &str| {
        let args = [
            "keys",
            "add",
            name,
            "--stdin",
            "--origin",
            "https://api.example.com",
            "--part",
            "id",
            "--part",
            "secret",
        ];
        folder.orch_with_input(args, lines)
    };
    for (lines, wrong) in [
        ("id=1\n", "lacks a part"),
        (CANARY, "a line without `=`"),
        ("id=1\nid=2\nsecret=3\n", "a part twice"),
        ("id=1\nsecret=2\nother=3\n", "a part that no --part names"),
    ] {
        let refused = add("sn58", lines).exits(2);
        assert!(refused.err.contains(wrong) && !refused.err.contains(CANARY), "{}", refused.err);
    }
    add("sn58", &format!("secret={CANARY}=\nid = one\n\n")).succeeds();
    let (place, unlock) = (place(&folder), Unlock::with_identity(&place(&folder).identity, false).unwrap());
    let vault = Vault::open(&place, &unlock).unwrap();
    let parts: Vec<(String, String)> = vault
        .entry("default", "sn58")
        .unwrap()
        .value()
        .parts()
        .map(|(name, part)| (name.to_owned(), secrecy::ExposeSecret::expose_secret(&part).to_owned()))
        .collect();
    assert_eq!(parts, [("id".into(), "one".into()), ("secret".into(), format!("{CANARY}="))]);
    // The new key has the same parts, without their being named again.
    folder.orch_with_input(["keys", "rotate", "sn58", "--force", "--stdin"], CANARY).exits(2);
    folder.orch_with_input(["keys", "rotate", "sn58", "--force", "--stdin"], "id=two\nsecret=x\n").succeeds();
    let rotated = Vault::open(&place, &unlock).unwrap();
    let entry = rotated.entry("default", "sn58").unwrap();
    assert_eq!(entry.value().parts().map(|(name, _)| name).collect::<Vec<_>>(), ["id", "secret"]);
    let twice = folder
        .orch_with_input(["keys", "rotate", "sn58", "--stdin", "--part", "a", "--part", "a"], "a=1")
        .exits(2);
    assert!(twice.err.contains("names a part twice"), "{}", twice.err);
}

#[test]
fn what_is_wrong_beside_the_key_is_told_before_it_is_asked_for() {
    let folder = Folder::empty();
    for origin in ["my.example", "http://my.example"] {
        let refused = folder.orch(["keys", "add", "sn9", "--origin", origin]).exits(7).err;
        assert!(refused.starts_with("error[E1106]"), "{refused}");
    }
    let refused = folder.orch(["keys", "list", "--tenant", "a b"]).exits(2).err;
    assert!(refused.starts_with("error[E1708]: the tenant's name must have"), "{refused}");
    assert_eq!(folder.files(".vault").len(), 0, "nothing was made");
}

#[test]
fn an_origin_is_taken_from_the_ledger_where_it_has_one() {
    let folder = Folder::empty();
    let add = |args: &[&str]| folder.orch_with_input([&["keys", "add", "--stdin"], args].concat(), "k");
    let several = add(&["sn64"]).exits(2);
    assert!(several.err.contains("https://api.chutes.ai or https://llm.chutes.ai"), "{}", several.err);
    assert!(add(&["sn64.chat_completions"]).succeeds().out.contains("https://llm.chutes.ai"));
    // The subnet has no host of its own, or is not known at all.
    for name in ["sn8", "sn9999"] {
        let unknown = add(&[name]).exits(2);
        assert!(unknown.err.starts_with("error[E1532]"), "{}", unknown.err);
    }
    assert!(
        add(&["sn8", "--origin", "https://MY.example:443"]).succeeds().out.contains("https://my.example (")
    );
    assert!(add(&["sn9", "--origin", "my.example"]).exits(7).err.starts_with("error[E1106]"));
    let there = add(&["sn8", "--origin", "https://other.example"]).exits(7).err;
    assert!(there.starts_with("error[E1707]") && there.contains("`orch keys rotate sn8`"), "{there}");
    let near = add(&["sn22.web_serch"]).exits(2).err;
    assert!(near.contains("did you mean `sn22.web_search`?"), "{near}");
    let none = folder.orch(["keys", "test", "sn10"]).exits(7).err;
    assert!(none.contains("`orch keys add sn10` adds one"), "{none}");
    folder.write("orchestra.toml", "[endpoints]\nsn22 = \"https://mirror.example/v2\"\n");
    assert!(add(&["sn22"]).succeeds().out.contains("https://mirror.example ("));
}

#[test]
fn a_test_calls_a_free_operation_and_says_what_came_of_it() {
    let folder = Folder::empty();
    let peers = Peers::start(&folder);
    folder.orch_with_input(["keys", "add", "sn51", "--stdin"], samples::TOOLS_KEY).succeeds();
    let works = folder.orch(["keys", "test", "sn51"]).succeeds();
    assert_eq!(works.out, "sn51 works: sn51.list_executors: answered\n");
    assert_eq!(peers.samples.served().tools, 1);
    // A refused one takes nobody's place, and the words of the peer are shown.
    let refused = folder.orch_with_input(["keys", "rotate", "sn51", "--stdin"], CANARY).exits(7);
    assert!(refused.err.contains("error[E1145]: sn51 refused: sn51.list_executors: "), "{}", refused.err);
    assert!(
        refused.err.contains("status 401") && refused.err.contains("the old key stays"),
        "{}",
        refused.err
    );
    folder.orch(["keys", "test", "sn51"]).succeeds();
    // One that works does at once.
    let rotated =
        folder.orch_with_input(["keys", "rotate", "sn51", "--stdin"], samples::TOOLS_KEY).succeeds();
    assert!(rotated.out.starts_with("rotated sn51 for https://127.0.0.1:"), "{}", rotated.out);
    folder.orch_with_input(["keys", "rotate", "sn51", "--stdin", "--force"], CANARY).succeeds();
    let refused = folder.orch(["keys", "test", "sn51", "--json"]).exits(7).json();
    assert_eq!((refused["result"].as_str(), refused["code"].as_str()), (Some("refused"), Some("E1145")));
    // One that waits is the one that is tested, and takes over.
    let good = || Value::new(SecretString::from(samples::TOOLS_KEY), None).unwrap();
    change(&folder, |vault| vault.set_next("default", "sn51", Some(good())));
    assert!(folder.orch(["keys", "test", "sn51"]).succeeds().err.contains("taken the place of the old key"));
    folder.orch(["keys", "test", "sn51"]).succeeds();
    // Nothing answers there any more.
    drop(peers);
    let unreachable = folder.orch(["keys", "test", "sn51", "--json"]).exits(1).json();
    assert_eq!(
        (unreachable["result"].as_str(), unreachable["code"].as_str()),
        (Some("unreachable"), Some("E1141"))
    );
}

#[test]
fn a_test_leaves_out_operations_that_have_a_key_of_their_own() {
    let folder = Folder::empty();
    let _peers = Peers::start(&folder);
    folder.orch_with_input(["keys", "add", "sn51", "--stdin"], CANARY).succeeds();
    folder.orch_with_input(["keys", "add", "sn51.list_executors", "--stdin"], samples::TOOLS_KEY).succeeds();
    // The sample subnet has nothing at the other.
    let other = folder.orch(["keys", "test", "sn51", "--json"]).exits(1).json();
    assert_eq!(
        (other["result"].as_str(), other["operation"].as_str()),
        (Some("unclear"), Some("sn51.list_pods"))
    );
    let own = folder.orch(["keys", "test", "sn51.list_executors"]).succeeds();
    assert_eq!(own.out, "sn51.list_executors works: sn51.list_executors: answered\n");
}

#[test]
fn an_operation_that_is_charged_is_called_only_where_one_says_how_much() {
    let folder = Folder::empty();
    let peers = Peers::start(&folder);
    folder.orch_with_input(["keys", "add", "sn22", "--stdin"], samples::SEARCH_KEY).succeeds();
    let unchecked = folder.orch(["keys", "test", "sn22", "--json"]).succeeds().json();
    assert_eq!((unchecked["result"].as_str(), unchecked["operation"].as_str()), (Some("unchecked"), None));
    assert!(unchecked["message"].as_str().unwrap().contains("--spend 0.01USD tests it"), "{unchecked}");
    assert_eq!(peers.samples.served().search, 0);
    let works = folder.orch(["keys", "test", "sn22", "--spend", "0.01USD", "--json"]).succeeds().json();
    assert_eq!(works["result"], "works");
    assert_eq!(peers.samples.served().search, 1);
    let units = |field: &str| works[field]["units"].as_u64();
    assert_eq!((units("cost_max"), units("cost")), (Some(10_000), Some(3_000)));
    assert_eq!(works["cost_certain"], true);
    // What it may cost is told before, and what it cost after; what is turned away costs nothing.
    let works = folder.orch(["keys", "test", "sn22", "--spend", "0.01USD"]).succeeds();
    assert!(works.err.starts_with("calling sn22."), "{}", works.err);
    assert!(works.err.ends_with(", which may cost up to 0.01 USD\n"), "{}", works.err);
    assert!(works.out.ends_with(": answered; it cost 0.003 USD\n"), "{}", works.out);
    let above = folder.orch(["keys", "test", "sn22", "--spend", "0.001USD"]).succeeds();
    assert!(above.out.contains("it cost 0.003 USD, above the 0.001 USD that"), "{}", above.out);
    folder.orch_with_input(["keys", "rotate", "sn22", "--stdin", "--force"], CANARY).succeeds();
    let refused = folder.orch(["keys", "test", "sn22", "--spend", "0.01USD"]).exits(7);
    assert!(refused.err.contains("; it cost 0 USD"), "{}", refused.err);
    let wrong = folder.orch(["keys", "test", "sn22", "--spend", "much"]).exits(2);
    assert!(wrong.err.starts_with("error[E1507]: --spend: "), "{}", wrong.err);
}

#[test]
fn an_expired_key_is_said_to_be_one_everywhere_and_sent_nowhere() {
    let folder = Folder::project();
    let peers = Peers::start(&folder);
    let past: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let expired = || Value::new(SecretString::from(CANARY), Some(past)).unwrap();
    change(&folder, |vault| vault.add("default", "sn22", &peers.samples.search_url, None, expired()));
    change(&folder, |vault| vault.add("default", "sn28", &peers.samples.chat_url, None, expired()));
    let listed = folder.orch(["keys", "list"]).succeeds().out;
    assert!(listed.contains("\texpired 2026-01-02\t"), "{listed}");
    assert_eq!(folder.orch(["keys", "list", "--json"]).succeeds().json()["keys"][0]["expired"], true);
    assert!(folder.orch(["keys", "test", "sn22"]).exits(7).err.starts_with("error[E1119]"));
    let run = folder.orch(["run", "plan.orch"]).exits(7);
    assert!(run.err.contains("E1119") && run.err.contains("expired at 2026-01-02T03:04:05Z"), "{}", run.err);
    assert_eq!(peers.samples.served().search, 0);
    for (when, why) in [("2020-01-01", "has passed already"), ("soon", "is no time")] {
        let refused =
            folder.orch_with_input(["keys", "add", "sn4", "--stdin", "--expires", when], "k").exits(2);
        assert!(refused.err.contains(why), "{}", refused.err);
    }
}

#[test]
fn runs_take_keys_from_the_vault_of_their_tenant_unless_a_nearer_place_has_them() {
    let folder = Folder::project();
    let peers = Peers::start(&folder);
    let add = |args: &[&str], key: &str| {
        folder.orch_with_input([&["keys", "add", "--stdin"], args].concat(), key).succeeds();
    };
    add(&["sn22"], samples::SEARCH_KEY);
    add(&["sn28"], samples::CHAT_KEY);
    add(&["sn22", "--tenant", "acme"], CANARY);
    folder.orch(["run", "plan.orch", "-q"]).succeeds();
    // Of the environment, a wrong one comes before the right one of the vault.
    let variable = format!("{} {CANARY}", peers.samples.search_url);
    let shadowed = |args: &[&str]| ended(folder.command(args).env("ORCHESTRA_SECRET_SN22", &variable));
    assert!(shadowed(&["run", "plan.orch", "-q"]).exits(1).err.contains("401"));
    let listed = shadowed(&["keys", "list"]).succeeds();
    assert_eq!(listed.err.matches("which comes first").count(), 1, "{}", listed.err);
    // Another tenant has other keys.
    folder.write("orchestra.toml", format!("{}[keys]\ntenant = \"acme\"\n", folder.read("orchestra.toml")));
    assert!(folder.orch(["run", "plan.orch", "-q"]).exits(7).err.contains("sn28"));
    // A vault that cannot be opened is no vault without keys.
    fs::remove_file(place(&folder).identity).unwrap();
    assert!(folder.orch(["run", "plan.orch", "-q"]).exits(7).err.starts_with("error[E1705]"));
    fs::write(folder.vault(), "no vault").unwrap();
    assert!(folder.orch(["run", "plan.orch", "-q"]).exits(7).err.starts_with("error[E1704]"));
}

#[test]
fn a_server_reads_the_vault_once_and_needs_it_no_more() {
    let folder = Folder::project();
    let _peers = Peers::start(&folder);
    for (name, key) in [("sn22", samples::SEARCH_KEY), ("sn28", samples::CHAT_KEY)] {
        folder.orch_with_input(["keys", "add", name, "--stdin"], key).succeeds();
    }
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    fs::remove_dir_all(folder.path(".vault")).unwrap();
    folder.orch(["run", "plan.orch", "-q", "--server", &server.address]).succeeds();
    drop(server);
    assert!(folder.orch(["run", "plan.orch", "-q"]).exits(7).err.contains("E1105"));
}

#[test]
fn a_passphrase_protects_a_new_vault_and_is_asked_for_where_nobody_gives_it() {
    let folder = Folder::empty();
    let with = |args: &[&str], passphrase: Option<&str>| {
        let mut command = folder.command(args);
        command.env("K", "a-key");
        if let Some(passphrase) = passphrase {
            command.env("ORCHESTRA_KEYS_PASSPHRASE", passphrase);
        }
        ended(&mut command)
    };
    let add = ["keys", "add", "sn22", "--from-env", "K", "--passphrase"];
    assert!(with(&add, None).exits(7).err.contains("a new vault needs its passphrase"));
    assert!(!folder.vault().exists());
    with(&add, Some(CANARY)).succeeds();
    assert!(!place(&folder).identity.exists());
    let locked = with(&["keys", "list"], None).exits(7);
    assert!(
        locked.err.starts_with("error[E1705]") && locked.err.contains("_PASSPHRASE_FILE"),
        "{}",
        locked.err
    );
    assert!(with(&["keys", "list"], Some("wrong")).exits(7).err.starts_with("error[E1703]"));
    folder.write("passphrase", format!("{CANARY}\n"));
    let listed = ended(folder.command(["keys", "list"]).env("ORCHESTRA_KEYS_PASSPHRASE_FILE", "passphrase"));
    assert!(listed.succeeds().out.starts_with("sn22\t"));
    // One that an identity opens stays so.
    let folder = Folder::empty();
    folder.orch_with_input(["keys", "add", "sn22", "--stdin"], "k").succeeds();
    let refused = folder.orch_with_input(["keys", "add", "sn28", "--stdin", "--passphrase"], "k").exits(2);
    assert!(refused.err.contains("an identity file opens it"), "{}", refused.err);
}

#[test]
fn the_vault_is_where_the_environment_the_configuration_or_the_user_has_it() {
    let folder = Folder::empty();
    let add = |name: &str, variables: &[(&str, PathBuf)]| {
        let mut command = folder.command(["keys", "add", name, "--from-env", "K"]);
        command.env_remove("ORCHESTRA_KEYS").env_remove("XDG_DATA_HOME").env("K", "k");
        for (variable, path) in variables {
            command.env(variable, path);
        }
        ended(&mut command).succeeds();
    };
    let home = || ("HOME", folder.path("home"));
    add("sn22", &[home()]);
    assert!(folder.path("home/.local/share/orchestra/keys.identity").exists());
    add("sn22", &[home(), ("XDG_DATA_HOME", folder.path("data"))]);
    assert!(folder.path("data/orchestra/keys.age").exists());
    folder.write("orchestra.toml", "[keys]\nvault = \"own/v.age\"\nidentity = \"elsewhere.identity\"\n");
    add("sn22", &[home()]);
    assert!(folder.path("own/v.age").exists() && folder.path("elsewhere.identity").exists());
    let named = ("ORCHESTRA_KEYS", folder.path("named.age"));
    add("sn22", &[home(), named, ("ORCHESTRA_KEYS_IDENTITY", folder.path("named/elsewhere.identity"))]);
    assert!(folder.path("named.age").exists() && folder.path("named/elsewhere.identity").exists());
    let mut nowhere = folder.command(["keys", "list", "--config", "empty.toml"]);
    folder.write("empty.toml", "");
    nowhere.env_remove("ORCHESTRA_KEYS").env_remove("HOME").env_remove("XDG_DATA_HOME");
    assert!(ended(&mut nowhere).exits(7).err.starts_with("error[E1705]"));
}

#[test]
fn hotkeys_are_shown_and_coldkeys_refused() {
    let folder = Folder::empty();
    let key = subnet::hotkey::Hotkey::generate().unwrap();
    key.save(&folder.path("default")).unwrap();
    assert_eq!(folder.orch(["keys", "hotkey", "default"]).succeeds().out.trim(), key.address());
    let json = folder.orch(["keys", "hotkey", "default", "--json"]).succeeds().json();
    assert_eq!(json["address"], key.address());
    fs::rename(folder.path("default"), folder.path("coldkey")).unwrap();
    std::os::unix::fs::symlink("coldkey", folder.path("default")).unwrap();
    for name in ["coldkey", "default"] {
        assert!(folder.orch(["keys", "hotkey", name]).exits(7).err.starts_with("error[E1118]"));
    }
    // Encrypted, it wants a passphrase, also where the configuration names it.
    folder.write("box", "$NACL");
    fs::set_permissions(folder.path("box"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    folder.write("orchestra.toml", "hotkey = \"box\"\n");
    for args in [&["keys", "hotkey", "box"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let wanted = folder.orch(args).exits(7);
        assert!(wanted.err.contains("error[E1107]") && wanted.err.contains("no terminal"), "{}", wanted.err);
        let wrong = ended(folder.command(args).env("ORCHESTRA_HOTKEY_PASSPHRASE", CANARY)).exits(7);
        assert!(
            wrong.err.contains("the passphrase is wrong") && !wrong.err.contains("cnry"),
            "{}",
            wrong.err
        );
    }
}
