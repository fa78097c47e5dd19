//! The rules of policies that send more than one request, and of failures as values.

use crate::rules::table;

fn crawl(policy: &str) -> String {
    format!(
        "use sn22 {{ web_crawl as crawl }}\nplan p(url: Url, purse: Amount = 1USD) -> String with {{ budget: 1USD, deadline: 5m }} {{\n  let _page = call crawl(url) with {{ timeout: 4s, max_price: 0.01USD, {policy} }}\n  \"done\"\n}}"
    )
}

fn ask(policy: &str) -> String {
    format!(
        "use cap {{ generate }}\nfn same(a: String, b: String) -> Bool = a == b\nfn one(a: String) -> Bool = a == \"\"\nplan p(q: String(1..9)) -> String with {{ budget: 1USD, deadline: 5m }} {{\n  let _vote = call generate(prompt: q) as String(..99) with {{ timeout: 4s, max_price: 0.01USD, {policy} }}\n  \"done\"\n}}"
    )
}

#[test]
fn votes() {
    table(&[
        (&ask("quorum: { of: 3, need: 2 }"), &[]),
        (&ask("quorum: { of: 3, need: 2, by: same, early: true }"), &[]),
        (&ask("quorum: { of: 3 }"), &["E0404"]),
        (&ask("quorum: { need: 3 }"), &["E0404"]),
        (&ask("quorum: { of: 3, need: 4 }"), &["E0404"]),
        (&ask("quorum: { of: 1, need: 1 }"), &["E0404"]),
        (&ask("quorum: { of: 101, need: 1 }"), &["E0404"]),
        (&ask("quorum: { of: 3, need: 2, early: 1 }"), &["E0404"]),
        (&ask("quorum: { of: 3, need: 2, by: one }"), &["E0404"]),
        (&ask("quorum: { of: 3, need: 2, by: sane }"), &["E0210"]),
        (&ask("quorum: { of: 3, need: 2, by: \"same\" }"), &["E0404"]),
        (&ask("quorum: { of: 3, need: 2, off: 2 }"), &["E0401"]),
        (&ask("quorum: { of: 3, need: 2, need: 2 }"), &["E0403"]),
        (&ask("quorum: 3"), &["E0404"]),
        (&ask("quorum: { of: 3, need: 2 }, cache: 1h"), &["E0407"]),
        (&ask("quorum: { of: 3, need: 2 }, fallback: \"none\""), &["E0301"]),
        (&ask("quorum: { of: 3, need: 2 }, only: [sn64]"), &["W0906"]),
        (&ask("quorum: { of: 3, need: 2 }, retry: { max: 1, on: [no_quorum] }"), &[]),
        (&crawl("quorum: { of: 3, need: 2 }"), &["W0906"]),
        // The bound counts every vote of every attempt.
        (&ask("quorum: { of: 99, need: 2 }, retry: { max: 1 }"), &["E0701"]),
    ]);
}

#[test]
fn hedges_caches_and_budgets() {
    table(&[
        (&crawl("hedge: { after: 2s, max: 1 }"), &[]),
        (&crawl("hedge: { after: 2s }"), &[]),
        (&crawl("hedge: { max: 1 }"), &["E0404"]),
        (&crawl("hedge: { after: 2s, max: 0 }"), &["E0404"]),
        (&crawl("hedge: { after: 2s, max: 11 }"), &["E0404"]),
        (&crawl("hedge: { after: p95 }"), &["E0406"]),
        (&crawl("hedge: { after: p99 }"), &["E0404"]),
        (&crawl("hedge: 2s"), &["E0404"]),
        (&crawl("cache: 24h"), &[]),
        (&crawl("cache: 8d"), &["E0404"]),
        (&crawl("budget: 0.01USD"), &[]),
        (&crawl("budget: purse"), &[]),
        (&crawl("budget: 0.005USD"), &["E0701"]),
        (&crawl("budget: 0.005USD, fallback: \"none\""), &["W0901"]),
        (&crawl("budget: 3"), &["E0301"]),
        (&crawl("page: { max: 3 }"), &["E0411"]),
        (&crawl("poll: { every: 1s, max: 3 }"), &["E0411"]),
    ]);
}

#[test]
fn a_hedge_comes_before_the_timeout() {
    let crawl = |policy: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}\nplan p(url: Url) -> String with {{ budget: 1USD, deadline: 5m }} {{\n  call crawl(url) with {{ max_price: 0.01USD, {policy} }}\n}}"
        )
    };
    table(&[
        (&crawl("timeout: 4s, hedge: { after: 3.999s, max: 1 }"), &[]),
        (&crawl("timeout: 4s, hedge: { after: 4s, max: 1 }"), &["W0907"]),
        (&crawl("hedge: { after: 29s, max: 1 }"), &[]),
        (&crawl("hedge: { after: 30s, max: 1 }"), &["W0907"]),
    ]);
}

#[test]
fn what_may_fail_is_said_once() {
    let each = |policy: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}\nplan p(u: [Url](..2)) -> Int with {{ budget: 1USD, deadline: 1m }} {{\n  let a = for x in u with {{ {policy} }} {{ call crawl(url: x) with {{ timeout: 4s, max_price: 0.01USD }} }}\n  a.len()\n}}"
        )
    };
    table(&[
        (&each("tolerate: 1"), &[]),
        (&each("tolerate: 1, on_error: fail"), &[]),
        (&each("tolerate: 1, on_error: drop"), &["E0407"]),
        (&each("tolerate: 1, on_error: keep"), &["E0407"]),
    ]);
}

#[test]
fn pages_and_tasks() {
    let search = |policy: &str| {
        format!(
            "use sn22 {{ web_search as search }}\nplan p(q: String(1..9)) -> Int with {{ budget: 0.10USD, deadline: 5m }} {{\n  let _found = call search(query: q) with {{ timeout: 4s, max_price: 0.01USD, {policy} }}\n  1\n}}"
        )
    };
    table(&[
        (&search("page: { max: 1 }"), &[]),
        (&search("page: { max: 10 }"), &[]),
        // Each page is charged.
        (&search("page: { max: 11 }"), &["E0701"]),
        (&search("page: { max: 5 }, retry: { max: 2 }"), &["E0701"]),
        (&search("page: { max: 0 }"), &["E0404"]),
        (&search("page: { max: 101 }"), &["E0404"]),
        (&search("page: {}"), &["E0404"]),
        (&search("page: 3"), &["E0404"]),
        (&search("page: { most: 3 }"), &["E0404", "E0401"]),
        (&search("poll: { every: 1s }"), &["E0411"]),
        (&crawl("poll: { every: 1 }"), &["E0404"]),
        (&crawl("poll: { max: 0 }"), &["E0404"]),
    ]);
}

#[test]
fn preferences_and_selections() {
    table(&[
        (&ask("prefer: cheapest"), &[]),
        (&ask("prefer: most_reliable"), &[]),
        (&ask("prefer: best"), &["E0404"]),
        (&ask("only: [sn64, sn28]"), &[]),
        (&ask("only: [sn64.chat_completions]"), &[]),
        (&ask("only: []"), &["E0404"]),
        (&ask("only: sn64"), &["E0404"]),
        (&ask("only: [sn65]"), &["E0404"]),
        (&ask("only: [x]"), &["E0404"]),
        (&ask("ignore: [sn64, sn28, sn96]"), &["E0408"]),
        (&ask("only: [sn64], ignore: [sn64]"), &["E0408"]),
        (&crawl("only: [sn22]"), &[]),
    ]);
}

#[test]
fn failures_as_values() {
    let plan = |value: &str, ty: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}\nplan q(url: Url) -> String with {{ budget: 1USD, deadline: 5m }} {{\n  let _page = call crawl(url) with {{ timeout: 4s, max_price: 0.01USD }}\n  \"done\"\n}}\nplan p(url: Url) -> {ty} with {{ budget: 1USD, deadline: 5m }} {{\n  {value}\n}}"
        )
    };
    let call = "try call crawl(url) with { timeout: 4s, max_price: 0.01USD }";
    table(&[
        (&plan(&format!("let r = {call}\n  return match r {{ Ok(_) => 1, Err(_) => 2 }}"), "Int"), &[]),
        (
            &plan(&format!("let r = {call}\n  return match r {{ Ok(_) => 1, Err(Timeout) => 2 }}"), "Int"),
            &["E0501"],
        ),
        (
            &plan(
                &format!("let r = {call}\n  return match r {{ Ok(_) => 1, Err(Late) => 2, Err(_) => 3 }}"),
                "Int",
            ),
            &["E0316"],
        ),
        (&plan(&format!("let r = {call}\n  return r"), "Result<Json, CallError<Json>>"), &["E0301"]),
        (&plan("let r = try run q(url)\n  return r", "Result<String, PlanError>"), &[]),
        (
            &plan("let r = try run q(url)\n  return match r { Ok(v) => v, Err(e) => e.message }", "String"),
            &[],
        ),
        ("fn f(e: CallError<Int>) -> Int = match e { NoQuorum(votes) => votes.len(), _ => 0 }", &[]),
        ("fn f(e: CallError) -> Int = 1", &["E0322"]),
        ("fn f(v: Voted<Int>) -> Int = v.value + v.agreed", &[]),
        ("fn f(e: ItemError<Int>) -> String = e.error.message", &[]),
        ("record Voted { a: Int }", &["E0202"]),
        ("fn f() -> Int = try call g()", &["E0143"]),
    ]);
}

#[test]
fn what_was_spent() {
    let plan = |body: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}\npolicy web = {{ timeout: 4s, max_price: 0.01USD }}\nplan p(url: Url) -> Amount with {{ budget: 1USD, deadline: 5m }} {{\n{body}\n}}"
        )
    };
    table(&[
        (&plan("let _a = call crawl(url) with web\nreturn spent()"), &[]),
        (&plan("let _a = call crawl(url) with web\nlet s = spent()\nreturn s"), &["E0410"]),
        (&plan("return spent()"), &["W0903", "E0410"]),
        (&plan("let _a = call crawl(url) with web\nreturn if true { spent() } else { 0USD }"), &["E0410"]),
        (&plan("let _a = call crawl(url) with web\nreturn [1].map(x => spent())[0]"), &["E0410"]),
        (
            &plan("let xs = for i in [1, 2] { let _a = call crawl(url) with web\n spent() }\nreturn xs[0]"),
            &[],
        ),
        (&plan("let _a = call crawl(url) with web\nreturn spent(1)"), &["E0307"]),
        ("fn f() -> Amount = spent()", &["E0410"]),
    ]);
}

#[test]
fn what_is_not_safe_to_repeat_is_not_its_own_fallback() {
    let plan = |call: &str| {
        format!(
            "use sn999 {{ rent, echo }}\ncapability lend(t: String(1..9)) -> String\nadapter sn999.rent as lend {{\n  request = {{ text: t }}\n  response = r => r\n}}\ncapability say(t: String(1..9)) -> String\nadapter sn999.echo as say {{\n  request = {{ text: t }}\n  response = r => r\n}}\nplan p(q: String(1..9)) -> String with {{ budget: 1USD, deadline: 5m }} {{\n  return {call}\n}}"
        )
    };
    table(&[
        (&plan("call rent(text: q) with { fallback: call rent(text: q) }"), &["E0405"]),
        (&plan("call rent(text: q) with { fallback: call lend(t: q) }"), &["E0405"]),
        (&plan("call lend(t: q) with { fallback: call rent(text: q) }"), &["E0405"]),
        (
            &plan(
                "call rent(text: q) with { fallback: call echo(text: q) with { fallback: call rent(text: q) } }",
            ),
            &["E0405"],
        ),
        (&plan("call echo(text: q) with { fallback: call rent(text: q) }"), &[]),
        (&plan("call rent(text: q) with { fallback: call say(t: q) }"), &[]),
        (&plan("call echo(text: q) with { fallback: call echo(text: q) }"), &[]),
        (&plan("call rent(text: q) with { fallback: \"none\" }"), &[]),
    ]);
}

#[test]
fn a_policy_that_nothing_uses_is_checked_and_told() {
    let alone = |fields: &str| format!("policy web = {{ {fields} }}\nplan p() -> Int {{ 1 }}");
    table(&[
        (&alone("timeout: 4s"), &["W0903"]),
        ("policy _web = { timeout: 4s }\nplan p() -> Int { 1 }", &[]),
        // A file that is only begun.
        ("policy web = { timeout: 4s }", &[]),
        (&alone("quorum: { of: 3, need: 4 }"), &["E0404"]),
        (&alone("quorum: { of: 3, need: 2, by: nothing }"), &["E0210"]),
        (&alone("accept: a => nothing(a)"), &["E0210"]),
        (&alone("accept: a => a.len() > there"), &["E0201"]),
        (&alone("accept: a => a.len() > 3"), &["W0903"]),
        (&alone("fallback: there"), &["E0201"]),
        (&alone("fallback: call nothing(x: 1)"), &["E0208"]),
        (&alone("fallback: [\"a\"]"), &["W0903"]),
        (&alone("budget: purse"), &["E0201"]),
        (&alone("budget: 4s"), &["E0301"]),
        (&alone("cache: 1h, quorum: { of: 3, need: 2 }"), &["E0407"]),
        (&alone("tolerate: 1, on_error: keep"), &["E0407"]),
        // The name of a policy that is not there may be a typo of this one.
        (
            "use sn22 { web_crawl as crawl }\npolicy web = { timeout: 4s, max_price: 0.01USD }\nplan p(url: Url) -> String with { budget: 1USD, deadline: 5m } {\n  call crawl(url) with wed\n}",
            &["E0211"],
        ),
        // A policy may be used by another.
        (
            "use sn22 { web_crawl as crawl }\npolicy web = { timeout: 4s, max_price: 0.01USD }\npolicy page = { timeout: 4s, max_price: 0.01USD, fallback: call crawl(url: \"https://a.example\") with web }\nplan p(url: Url) -> String with { budget: 1USD, deadline: 5m } {\n  call crawl(url) with page\n}",
            &[],
        ),
    ]);
}

#[test]
fn a_fallback_in_braces_is_a_record_of_the_answer() {
    let plan = |fallback: &str| {
        format!(
            "use sn22 {{ web_search }}\nplan p(q: String(1..9)) -> Int with {{ budget: 1USD, deadline: 60s }} {{\n  let x = \
             call web_search(query: q) with {{ fallback: {fallback}, max_price: 0.1USD }}\n  x.data.len()\n}}\n"
        )
    };
    let good = "{ data: [{ title: \"none\", snippet: \"\", link: \"https://a.example\" }] }";
    for fallback in ["{ data: [] }", "WebSearchOutput { data: [] }", good] {
        assert_eq!(crate::common::shown(&plan(fallback)), "");
    }
    for (fallback, code) in [("{ dta: [] }", "E0304"), ("{ data: 3 }", "E0301"), ("{ data: 20% }", "E0404")] {
        let text = plan(fallback);
        let codes = crate::common::codes(&text);
        assert_eq!(codes, [code], "{}", crate::common::shown(&text));
    }
}
