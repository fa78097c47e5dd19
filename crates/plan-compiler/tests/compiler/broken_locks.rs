//! Locks that do not fit what a plan expects of them.

use plan_compiler::{Options, Source, compile};
use plan_lang::{SourceFile, render};
use schema::hash::Hash;
use schema::lock::Lock;

use crate::common::lock;

fn with_capability(source: &str, adapter: &str) -> Lock {
    let base = lock();
    let operations = base.operations.values().map(|pinned| pinned.descriptor().clone());
    let mut capability = base.capabilities["web_search"].1.clone();
    capability.source = source.into();
    capability.adapters[0].source = adapter.into();
    Lock::pin(Hash::default(), None, operations, [capability]).unwrap()
}

fn shown(lock: &Lock) -> String {
    let text = "use cap { web_search }
plan p(q: String(1..60)) -> Int with { budget: 1USD, deadline: 1m } {
  let hits = call web_search(query: q) with { max_price: 0.01USD }
  hits.len()
}
";
    let compilation = compile(&Source { name: "p.orch", text }, lock, &Options::default());
    render(&SourceFile { name: "p.orch", text }, &compilation.diagnostics, false)
}

const GOOD: &str = "capability web_search(query: String(1..600)) -> [String](..9)";
const ADAPTER: &str = "adapter sn22.web_search as web_search {
  request = { query }
  response = r => r.data.take(9).map(d => d.title)
}";

/// The one message, with what it repeats of the capability's own.
fn broken(first: &str) -> String {
    format!(
        "error[E0217]: the capability `web_search` of the lock does not compile
 --> p.orch:1:11
  |
1 | use cap {{ web_search }}
  |           ^^^^^^^^^^ imported here
  |
  = note: {first}
  = help: run `orch lock update`; if it stays, the Ledger's entry is broken
"
    )
}

#[test]
fn a_good_one_compiles() {
    assert_eq!(shown(&with_capability(GOOD, ADAPTER)), "");
}

#[test]
fn a_mistake_in_an_adapter_is_told_where_it_is_imported() {
    let lock = with_capability(GOOD, &ADAPTER.replace("d.title", "d.headline"));
    assert_eq!(shown(&lock), broken("[E0304] `WebSearchOutputDataItem` has no field `headline`"));
}

#[test]
fn a_capability_that_does_not_parse_is_told_too() {
    let lock = with_capability("capability web_search(query: String(1..600)", ADAPTER);
    assert_eq!(shown(&lock), broken("[E0116] `(` is not closed"));
}

#[test]
fn a_text_without_its_capability_is_told_too() {
    let lock = with_capability("capability other(query: String(1..600)) -> Int", ADAPTER);
    assert_eq!(shown(&lock), broken("[E0216] there is no capability `web_search`"));
}
