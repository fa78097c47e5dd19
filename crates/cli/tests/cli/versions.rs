//! `orch lock update` and `orch lock check`: what a new version of an operation means for plans.

use serde_json::{Value, json};

use crate::orch::{Folder, copy};
use crate::serve::Server;

const PLAN: &str = "edition 2026
use sn22 { web_search }

plan links(topic: String(1..200)) -> [String](..10) with { budget: 0.05USD, deadline: 60s } {
  let found = call web_search(query: topic) with { timeout: 5s, retry: { max: 1 }, max_price: 0.004USD }
  return found.data.take(10).map(d => d.link)
}
";

/// A folder with a plan that uses the link of each hit.
fn project() -> Folder {
    let folder = Folder::empty();
    folder.write("orchestra.toml", "");
    folder.write("plan.orch", PLAN);
    folder.orch(["lock", "update"]).succeeds();
    folder
}

/// Publishes a changed web search in the Ledger of the folder.
fn publish(folder: &Folder, version: (u32, u32), change: impl FnOnce(&mut Value)) {
    let mut entry =
        folder.orch(["ledger", "show", "sn22.web_search", "--json"]).succeeds().json()["entry"].clone();
    entry["version"] = json!({ "breaking": version.0, "compatible": version.1 });
    // The example is one of the old schema.
    entry.as_object_mut().unwrap().remove("example");
    change(&mut entry);
    folder.write("entry.json", entry.to_string());
    folder.orch(["ledger", "import", "entry.json"]).succeeds();
}

fn item(entry: &mut Value) -> &mut Value {
    &mut entry["output"]["properties"]["data"]["items"]
}

#[test]
fn an_update_says_what_each_changed_pin_means() {
    let folder = project();
    publish(&folder, (1, 2), |entry| {
        entry["summary"] = json!("Web search, told anew.");
    });
    let update = folder.orch(["lock", "update"]).succeeds();
    assert!(update.err.contains("  ~ sn22.web_search 1.1 -> 1.2\n    none\n"), "{}", update.err);

    publish(&folder, (1, 3), |entry| {
        item(entry)["properties"]["rank"] = json!({ "type": "integer" });
    });
    let update = folder.orch(["lock", "update"]).succeeds();
    let told = "  ~ sn22.web_search 1.2 -> 1.3\n    compatible\n      output.data[].rank is new\n";
    assert!(update.err.contains(told), "{}", update.err);

    publish(&folder, (1, 4), |entry| {
        item(entry)["required"] = json!(["title", "link"]);
        entry["price"] = json!({ "kind": "per_call", "amount": { "units": 1000, "currency": "micro_usd" } });
    });
    let update = folder.orch(["lock", "update", "--json"]).succeeds().json();
    let lock = &update["locks"][0];
    assert_eq!(lock["level"], "breaking");
    assert_eq!(lock["changes"], json!(["~ sn22.web_search 1.3 -> 1.4"]));
    let row = &lock["compatibility"][0];
    assert_eq!((&row["name"], &row["level"]), (&json!("sn22.web_search"), &json!("breaking")));
    assert_eq!((&row["from"]["version"], &row["to"]["version"]), (&json!("1.3"), &json!("1.4")));
    assert_eq!(row["to"]["entry"].as_str().unwrap().len(), 64);
    assert_eq!(
        row["reasons"],
        json!([
            { "level": "breaking", "path": "output.data[].snippet", "reason": "may be absent now" },
            { "level": "needs-recompile", "path": "price", "reason": "was unknown, is 0.001 USD a call" },
        ])
    );
}

#[test]
fn a_version_that_promises_too_much_is_named() {
    let folder = project();
    publish(&folder, (1, 2), |entry| {
        item(entry)["properties"].as_object_mut().unwrap().remove("snippet");
        item(entry)["required"] = json!(["title", "link"]);
    });
    let update = folder.orch(["lock", "update"]).succeeds();
    let told =
        "    breaking, though its version says that it is compatible\n      output.data[].snippet is gone\n";
    assert!(update.err.contains(told), "{}", update.err);
}

#[test]
fn check_tells_a_whole_lock_from_a_damaged_one() {
    let folder = project();
    let good = folder.read("orchestra.lock");
    let whole = folder.orch(["lock", "check"]).succeeds();
    assert!(whole.err.contains("whole; 1 of 1 files compile"), "{}", whole.err);
    let json = folder.orch(["lock", "check", "--json"]).succeeds().json();
    assert_eq!((&json["locks"][0]["missing"], &json["locks"][0]["errors"]), (&json!([]), &json!(0)));

    folder.write("orchestra.lock", good.replace('\n', "\r\n"));
    folder.orch(["lock", "check"]).succeeds();
    folder.write("orchestra.lock", good.replacen("\n\n", "\n\n# mine\n", 1));
    let edited = folder.orch(["lock", "check"]).exits(8);
    assert!(edited.err.starts_with("error[E0609]: orchestra.lock is not as"), "{}", edited.err);
    folder.write("orchestra.lock", good.replacen("access = ", "access  = ", 1));
    folder.orch(["lock", "check"]).exits(8);
    let cut = good.split("\n[[operation]]").next().unwrap();
    folder.write("orchestra.lock", cut);
    for command in [&["check"][..], &["lock", "check"]] {
        let cut_off = folder.orch(command.iter().copied()).exits(8);
        assert!(
            cut_off.err.contains("error[E0609]") && cut_off.err.contains("has 0: it was cut off"),
            "{}",
            cut_off.err
        );
    }
    // A lock of a version that wrote no sum is whole, and the next update gives it one.
    let older: String =
        good.lines().filter(|line| !line.starts_with("# sum: ")).map(|line| format!("{line}\n")).collect();
    folder.write("orchestra.lock", &older);
    folder.orch(["check"]).succeeds();
    let old = folder.orch(["lock", "check"]).exits(8);
    assert!(old.err.starts_with("error[E0609]: orchestra.lock is not as"), "{}", old.err);
    folder.orch(["lock", "update"]).succeeds();
    assert_eq!(folder.read("orchestra.lock"), good);
    let body = folder.files("orchestra.schemas")[0].clone();
    let bytes = std::fs::read(&body).unwrap();
    std::fs::write(&body, b"{}").unwrap();
    assert!(folder.orch(["lock", "check"]).exits(8).err.contains("error[E0603]"));
    std::fs::write(&body, bytes).unwrap();

    folder.write("more.orch", "edition 2026\nuse sn34 { detect_image }\n");
    let missing = folder.orch(["lock", "check"]).exits(8);
    assert!(missing.err.contains("more.orch: `sn34.detect_image` is not pinned"), "{}", missing.err);
    folder.write("more.orch", "edition 2026\nplan p() -> Int { \"a\" }\n");
    let wrong = folder.orch(["lock", "check"]).exits(1);
    assert!(wrong.err.contains("error[E0301]") && wrong.err.contains("1 of 2 files"), "{}", wrong.err);
    std::fs::remove_file(folder.path("more.orch")).unwrap();
    folder.write("plan.orch", "edition 2026\nplan p() -> Int { 1 }\n");
    let idle = folder.orch(["lock", "check"]).succeeds();
    assert!(idle.err.contains("sn22.web_search is pinned and not used"), "{}", idle.err);
}

#[test]
fn check_against_a_snapshot_ends_by_level() {
    let old = project();
    // The same project later, once its Ledger knows a new version.
    let later = |version: (u32, u32), change: &dyn Fn(&mut Value)| {
        let folder = Folder::empty();
        copy(&old.path("."), &folder.path("."));
        publish(&folder, version, change);
        folder.orch(["lock", "update"]).succeeds();
        folder
    };
    let against = |snapshot: &Folder| {
        let path = snapshot.path(".");
        old.orch(["lock", "check", "--against", path.to_str().unwrap()])
    };
    let same = old.orch(["lock", "check", "--against", "orchestra.lock"]).succeeds();
    assert_eq!(same.out, "orchestra.lock: nothing changes for plans\n");
    let told = against(&later((1, 2), &|entry| entry["summary"] = json!("Anew."))).succeeds();
    assert_eq!(told.out, "orchestra.lock: nothing changes for plans\nsn22.web_search 1.1 -> 1.2\n  none\n");
    let more = later((1, 2), &|entry| item(entry)["properties"]["rank"] = json!({ "type": "integer" }));
    assert!(against(&more).succeeds().out.starts_with("orchestra.lock: compatible\n"));

    let dearer = later((1, 2), &|entry| {
        entry["price"] = json!({ "kind": "per_call", "amount": { "units": 1000, "currency": "micro_usd" } });
    });
    let recompile = against(&dearer).exits(11);
    let wanted = "orchestra.lock: needs-recompile\nsn22.web_search 1.1 -> 1.2\n  needs-recompile\n    price was unknown, is 0.001 USD a call\n";
    assert_eq!(recompile.out, wanted);
    // A price above what the plan admits is no longer a matter of compiling again.
    let too_dear = later((1, 2), &|entry| {
        entry["price"] =
            json!({ "kind": "per_call", "amount": { "units": 9_000_000, "currency": "micro_usd" } });
    });
    let broken = against(&too_dear).exits(12);
    assert!(broken.out.starts_with("orchestra.lock: breaking\n"), "{}", broken.out);
    assert!(broken.err.contains("plan.orch does not compile against the snapshot"), "{}", broken.err);

    let gone = later((2, 0), &|entry| {
        item(entry)["properties"].as_object_mut().unwrap().remove("link");
        item(entry)["required"] = json!(["title", "snippet"]);
    });
    let broken = against(&gone).exits(12);
    assert!(
        broken.out.contains("sn22.web_search 1.1 -> 2.0\n  breaking\n    output.data[].link is gone\n"),
        "{}",
        broken.out
    );
    let path = gone.path("orchestra.lock");
    let json = old.orch(["lock", "check", "--json", "--against", path.to_str().unwrap()]).exits(12).json();
    assert_eq!(json["locks"][0]["level"], "breaking");
    assert_eq!(json["locks"][0]["broken"][0]["file"], "plan.orch");

    let none = Folder::empty();
    let refused = old.orch(["lock", "check", "--against", none.path(".").to_str().unwrap()]).exits(2);
    assert!(refused.err.contains("there is no orchestra.lock"), "{}", refused.err);
    old.orch(["lock", "check", "--against", "nowhere"]).exits(2);
    old.orch(["lock", "check", "--against", "orchestra.lock", "--server", "http://127.0.0.1:1"]).exits(2);
}

#[test]
fn check_against_a_ledger_asks_what_an_update_would_pin() {
    let folder = project();
    folder.orch(["lock", "check", "--against", "ledger"]).succeeds();
    publish(&folder, (1, 2), |entry| entry["repeat"]["safe"] = json!(false));
    let broken = folder.orch(["lock", "check", "--against", "ledger"]).exits(12);
    assert!(broken.out.contains("repeat.safe is not safe to repeat any more"), "{}", broken.out);
    // A server elsewhere with a Ledger of its own, which knows the catalogue only.
    let other = Folder::empty();
    let server = Server::start(&other, &["127.0.0.1:0"]);
    let address = server.address.as_str();
    folder.orch(["lock", "check", "--server", address]).succeeds();
    folder.orch(["lock", "check", "--against", "ledger", "--server", address]).succeeds();
}
