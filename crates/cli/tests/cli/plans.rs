//! `orch plans`, and runs of what it published.

use crate::orch::Folder;
use crate::serve::Server;

#[test]
fn a_plan_is_published_listed_shown_run_and_withdrawn() {
    let folder = Folder::project_with_latency(1);
    let published = folder.orch(["plans", "publish", "plan.orch"]).succeeds();
    let (name, _) = published.out.split_once(' ').unwrap();
    assert_eq!(published.out, format!("{name} revision 1\n"));
    let again = folder.orch(["plans", "publish", "plan.orch", "--json"]).succeeds().json();
    assert_eq!(
        (again["plan"].as_str().unwrap(), &again["revision"], &again["changed"]),
        (name, &1.into(), &false.into())
    );
    assert!(folder.orch(["plans", "list"]).succeeds().out.starts_with(&format!("{name}\t1\t")));
    let listed = folder.orch(["plans", "list", "--json"]).succeeds().json();
    assert_eq!(listed["plans"][0]["plan"], name);
    assert!(listed["plans"][0]["input_schema"]["properties"].is_object());
    let shown = folder.orch(["plans", "show", name]).succeeds().out;
    assert!(shown.contains(&folder.read("plan.orch")), "{shown}");

    // The file is not needed any more, nor is the lock.
    let by_file = folder.orch(["run", "plan.orch", "-q"]).succeeds().json();
    std::fs::remove_file(folder.path("plan.orch")).unwrap();
    std::fs::remove_file(folder.path("orchestra.lock")).unwrap();
    let by_name = folder.orch(["run", name, "-q"]).succeeds().json();
    assert_eq!(by_name["topic"], by_file["topic"]);
    assert!(folder.orch(["run", name, "-i", "topc=x"]).exits(2).err.starts_with("error[E1161]"));

    let short = name.strip_prefix("plans/").unwrap();
    folder.orch(["plans", "withdraw", short]).succeeds();
    assert_eq!(folder.orch(["plans", "list"]).succeeds().out, "");
    for args in [vec!["plans", "show", short], vec!["plans", "withdraw", name], vec!["run", name]] {
        assert!(folder.orch(args).exits(2).err.starts_with("error[E1550]"));
    }
}

#[test]
fn a_server_keeps_plans_for_others() {
    let folder = Folder::project_with_latency(1);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let elsewhere = Folder::project_with_latency(1);
    let with = |folder: &Folder, args: &[&str]| folder.orch([args, &["--server", &server.address]].concat());
    let published = with(&elsewhere, &["plans", "publish", "plan.orch"]).succeeds().out;
    let (name, _) = published.split_once(' ').unwrap();
    let empty = Folder::empty();
    assert_eq!(with(&empty, &["run", name, "-q"]).succeeds().json()["topic"], "Halcyon versus Meridian");
    let tool = with(&empty, &["ledger", "show", name, "--as", "mcp"]).succeeds().json();
    assert_eq!(tool["title"], name);
}

#[test]
fn a_plan_with_a_mistake_is_shown_with_its_line() {
    let folder = Folder::empty();
    folder.write("bad.orch", "edition 2026\nplan p() -> Int { x }\n");
    let refused = folder.orch(["plans", "publish", "bad.orch"]).exits(1);
    assert!(refused.err.contains("bad.orch:2:19"), "{}", refused.err);
    assert!(!folder.path(".orchestra").exists(), "nothing is made for a plan that is refused");
}
