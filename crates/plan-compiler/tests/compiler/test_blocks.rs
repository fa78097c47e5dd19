//! What may stand in a `test` block.

use plan_compiler::{Options, Source, compile};
use plan_ir::plan_test::{TestFact, TestStep};

use crate::common::lock;
use crate::rules::table;

fn with(body: &str) -> String {
    format!(
        "use sn22 {{ web_crawl as crawl }}\nuse cap {{ generate }}\nplan p(url: Url, n: Int = 1) -> String with {{ budget: 1USD, deadline: 5m }} {{\n  let _page = call crawl(url) with {{ timeout: 4s, max_price: 0.01USD }}\n  let sum = call generate(prompt: \"x\") as Int with {{ timeout: 4s, max_price: 0.01USD }}\n  \"{{sum}} {{n}}\"\n}}\ntest \"t\" {{\n{body}\n}}"
    )
}

/// A mock in a test that runs what may ask it.
fn mocked(mock: &str) -> String {
    with(&format!("{mock}\nrun p(\"https://a.example\")"))
}

#[test]
fn statements() {
    table(&[
        (
            &with(
                "mock crawl => \"a\"\nmock generate => 3\nlet a = run p(url: \"https://a.example\")\nassert a == \"3 1\"",
            ),
            &[],
        ),
        (&with("run p(\"https://a.example\", 2)"), &[]),
        (&with("let n = 1\nlet a = run p(\"https://a.example\", n)\nassert a.len() > n"), &[]),
        (&with("expect fails run p(\"https://a.example\")"), &[]),
        (&with("let n = 3\nexpect fails run p(\"https://a.example\") with \"about {n}\""), &[]),
        (&with("assert cost == 0USD && elapsed == 0s && calls(crawl) + calls(generate) == 0"), &[]),
        (&with("let a: Int = run p(\"https://a.example\")"), &["E0301"]),
        (&with("let a = run q()"), &["E0209"]),
        (&with("let a = run p()"), &["E0307"]),
        (&with("let a = 1\nlet a = 2"), &["E0203"]),
        (&with("let cost = 1"), &["E0203"]),
        (&with("assert 3"), &["E0301"]),
        ("test \"t\" { assert true }\ntest \"u\" { assert true }", &[]),
        ("test \"t\" { assert true }\ntest \"t\" { assert true }", &["E0202"]),
        (&with("ensure true else \"no\""), &["E0314"]),
        (&with("1 + 1"), &["W0903"]),
        (&with("assert calls(crawll) == 0"), &["E0208"]),
        (&with("assert calls() == 0"), &["E0307"]),
        (&with("assert calls(\"crawl\") == 0"), &["E0307"]),
        (&with("assert spent() == 0USD"), &["E0410"]),
        ("fn f() -> Amount = cost", &["E0201"]),
        ("fn f() -> Int = calls(x)", &["E0210", "E0201"]),
    ]);
}

#[test]
fn mocks() {
    table(&[
        (&mocked("mock crawl => fails timeout"), &[]),
        (&mocked("mock crawl => fails invalid(\"$.data\")"), &[]),
        (&mocked("mock crawl => after 5s \"a\""), &[]),
        (&mocked("mock crawl => after 5s fails rate_limited"), &[]),
        (&mocked("mock crawl => sequence [\"a\", fails timeout, after 1s \"b\"]"), &[]),
        (&mocked("mock crawl => sequence []"), &[]),
        (&mocked("mock generate => [1, 2]"), &[]),
        (&mocked("mock crawl => 3"), &["E0301"]),
        (&mocked("mock crawll => 3"), &["E0208"]),
        (&mocked("mock p => 3"), &["E0208"]),
        (&mocked("mock crawl => fails"), &["E0110"]),
        (&mocked("mock crawl => fails late"), &["E0316"]),
        (&mocked("mock crawl => fails no_quorum"), &["E0316"]),
        (&mocked("mock crawl => fails timeout(\"x\")"), &["E0307"]),
        (&mocked("mock crawl => fails invalid(3)"), &["E0301"]),
        (&mocked("mock crawl => \"a\"\nmock crawl => \"b\""), &["E0202"]),
        (&mocked("mock generate => []"), &[]),
        (&mocked("mock generate => { a: [1, null] }"), &[]),
        (&mocked("let v: Int? = 3\nmock generate => v"), &[]),
        (&mocked("mock crawl => []"), &["E0301"]),
    ]);
}

#[test]
fn tests_are_made_ready_only_where_they_are_asked_for() {
    let text = with(
        "mock crawl => \"a\"\nlet a = run p(\"https://a.example\")\nlet b = run p(\"https://b.example\")\nassert a == b && calls(crawl) == 2",
    );
    let source = Source { name: "t.orch", text: &text };
    assert!(compile(&source, lock(), &Options::default()).tests.is_empty());
    let compiled = compile(&source, lock(), &Options::with_tests());
    let [test] = compiled.tests.as_slice() else { panic!("{:?}", compiled.diagnostics) };
    assert_eq!((test.name.as_str(), test.plans.len(), test.steps.len()), ("t", 1, 3));
    assert_eq!(
        test.facts,
        [TestFact::Cost, TestFact::Elapsed, TestFact::Calls("crawl".into()), TestFact::Let, TestFact::Let]
    );
    assert!(matches!(&test.steps[2], TestStep::Assert { sides: None, .. }));
    plan_ir::validate::validate(&test.plans[0]).unwrap();
}
