//! What compiled plans do, with mocked answers.

use plan_ir::graph::NodeKind;

use crate::common::compiled;
use crate::execute::execute;

/// Two operations for short plans: `crawl` answers text, `search` a list.
const HEAD: &str = "use sn22 { web_crawl as crawl, web_search as search }
policy web = { timeout: 1s, max_price: 0.001USD }
";

fn plan(signature: &str, body: &str) -> String {
    format!("{HEAD}plan main{signature} with {{ budget: 1USD, deadline: 10m }} {{\n{body}\n}}\n")
}

/// Answers `crawl` with the URL's last segment as text.
fn echo(operation: &str, input: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(input).unwrap();
    match operation {
        "sn22.web_crawl" => {
            let url = value["url"].as_str().unwrap();
            (!url.ends_with("down")).then(|| serde_json::json!(url.rsplit('/').next()).to_string())
        }
        _ => Some(r#"{"data":[{"title":"A","snippet":"a","link":"https://x.example/a"},{"title":"B","snippet":"b","link":"https://x.example/b"}]}"#.into()),
    }
}

fn url(last: &str) -> String {
    format!("\"https://x.example/{last}\"")
}

#[test]
fn an_if_buys_only_what_its_condition_asks_for() {
    let text = plan(
        "(deep: Bool, url: Url) -> String",
        "let text = if deep { call crawl(url) with web } else { \"skipped\" }\n\"got {text}\"",
    );
    let bought = execute(&text, "main", &["true", &url("a")], echo);
    assert_eq!(bought.result.unwrap(), "\"got a\"");
    assert_eq!(bought.calls.len(), 1);
    let skipped = execute(&text, "main", &["false", &url("a")], echo);
    assert_eq!(skipped.result.unwrap(), "\"got skipped\"");
    assert!(skipped.calls.is_empty());
}

#[test]
fn an_else_if_chain_with_calls_nests_branches() {
    let text = plan(
        "(n: Int(0..9), url: Url) -> String",
        "if n == 0 { \"zero\" } else if n == 1 { call crawl(url) with web } else if (call crawl(url) with web) == \"b\" { \"b\" } else { \"many\" }",
    );
    let result = |n: &str, last: &str| {
        let run = execute(&text, "main", &[n, &url(last)], echo);
        (run.result.unwrap(), run.calls.len())
    };
    assert_eq!(result("0", "a"), ("\"zero\"".into(), 0));
    assert_eq!(result("1", "a"), ("\"a\"".into(), 1));
    assert_eq!(result("2", "b"), ("\"b\"".into(), 1));
    assert_eq!(result("2", "c"), ("\"many\"".into(), 1));
}

#[test]
fn lazy_operators_call_their_right_side_only_when_needed() {
    let text = plan(
        "(known: String?, a: Bool, url: Url) -> [String](3..3)",
        "let text = known ?? call crawl(url) with web
         let both = a && (call crawl(url) with web) == \"x\"
         let one = a || (call crawl(url) with web) == \"x\"
         [text, \"{both}\", \"{one}\"]",
    );
    let run = execute(&text, "main", &["\"k\"", "true", &url("x")], echo);
    assert_eq!((run.result.unwrap().as_str(), run.calls.len()), (r#"["k","true","true"]"#, 1));
    let run = execute(&text, "main", &["null", "false", &url("x")], echo);
    assert_eq!((run.result.unwrap().as_str(), run.calls.len()), (r#"["x","false","true"]"#, 2));
}

#[test]
fn a_match_binds_in_its_region() {
    let text = format!(
        "enum Job {{ Read(Url), Say(String), Rest }}\n{}",
        plan(
            "(job: Job?) -> String",
            "match job {
               null => \"none\",
               Read(page) => call crawl(url: page) with web,
               Say(text) => \"said {text}\",
               Rest => \"rest\",
             }",
        )
    );
    let result = |job: &str| execute(&text, "main", &[job], echo).result.unwrap();
    assert_eq!(result("null"), "\"none\"");
    assert_eq!(result(r#"{"Read":"https://x.example/p"}"#), "\"p\"");
    assert_eq!(result(r#"{"Say":"hi"}"#), "\"said hi\"");
    assert_eq!(result("\"Rest\""), "\"rest\"");
}

#[test]
fn an_ensure_gates_later_calls_and_the_value_but_nothing_before() {
    let text = plan(
        "(n: Int, url: Url) -> String",
        "let before = call crawl(url) with web
         ensure n > 0 else \"n is {n}\"
         let after = call crawl(url) with web
         let _unused = for i in [1, 2] { call crawl(url) with web }
         before",
    );
    let compilation = compiled(&text);
    let (plan, _) = compilation.plan("main").unwrap();
    let gate = plan.graph.nodes.iter().position(|node| node.kind == NodeKind::Ensure).unwrap();
    let gated: Vec<&str> = plan
        .graph
        .nodes
        .iter()
        .filter(|node| node.parents.iter().any(|parent| parent.0 as usize == gate))
        .map(|node| node.label.as_str())
        .collect();
    assert_eq!(gated, ["after", "_unused", "result"]);
    let run = execute(&text, "main", &["0", &url("a")], echo);
    assert_eq!((run.result.unwrap_err().as_str(), run.calls.len()), ("n is 0", 1));
    let run = execute(&text, "main", &["1", &url("a")], echo);
    assert_eq!((run.result.unwrap().as_str(), run.calls.len()), ("\"a\"", 4));
}

#[test]
fn the_plan_that_is_meant_is_the_one_that_no_other_runs() {
    let root = |text: &str| compiled(text).root().map(|(plan, _)| plan.body.name.clone());
    let (one, two) = ("plan a() -> Int { 1 }\n", "plan b() -> Int { run a() }\n");
    assert_eq!(root(one).as_deref(), Some("a"));
    assert_eq!(root(&format!("{one}{two}")).as_deref(), Some("b"));
    assert_eq!(root(&format!("{one}{two}plan c() -> Int {{ 1 }}\n")), None);
    assert_eq!(root("fn f() -> Int = 1\n"), None);
}

#[test]
fn sub_plans_are_inlined_under_their_label_with_a_scope_of_their_own() {
    let text = format!(
        "{}plan read(page: Url, prefix: String = \"got\") -> String with {{ budget: 0.01USD, deadline: 5s }} {{
           let text = call crawl(url: page) with web
           ensure text != \"bad\" else \"bad page\"
           \"{{prefix}} {{text}}\"
         }}\n",
        plan("(url: Url) -> [String]", "let first = run read(url)\n[first, run read(page: url, prefix: \"and\")]")
    );
    let run = execute(&text, "main", &[&url("a")], echo);
    assert_eq!(run.result.unwrap(), r#"["got a","and a"]"#);
    assert_eq!(execute(&text, "main", &[&url("bad")], echo).result.unwrap_err(), "bad page");
    let compilation = compiled(&text);
    let (plan, bound) = compilation.plan("main").unwrap();
    let labels: Vec<&str> = plan.graph.nodes.iter().map(|node| node.label.as_str()).collect();
    assert_eq!(
        labels,
        ["first.text", "first.ensure", "first.result", "read.text", "read.ensure", "read.result", "result"]
    );
    let scopes: Vec<&str> = plan.body.scopes.iter().map(|scope| scope.label.as_str()).collect();
    assert_eq!(scopes, ["", "first", "read"]);
    // The second run does not wait for the first one's `ensure`.
    assert_eq!(plan.graph.nodes[3].parents, []);
    assert_eq!(bound.cost.to_string(), "0.002 USD");
    assert_eq!(bound.latency_us, 1_000_000);
}

#[test]
fn a_loop_keeps_drops_or_tolerates_failures() {
    let text = plan(
        "(urls: [Url](..4)) -> [Int]",
        "let kept = for url in urls with { on_error: keep } { call crawl(url) with web }
         let dropped = for url in urls with { on_error: drop } { call crawl(url) with web }
         let half = for url in urls with { tolerate: 50% } { call crawl(url) with web }
         [kept.ok().len(), kept.errors().map(e => e.index).len(), dropped.len(), half.len()]",
    );
    let urls = |last: &[&str]| format!("[{}]", last.iter().map(|l| url(l)).collect::<Vec<_>>().join(","));
    let run = execute(&text, "main", &[&urls(&["a", "down", "b"])], echo);
    assert_eq!(run.result.unwrap(), "[2,1,2,2]");
    let run = execute(&text, "main", &[&urls(&["a", "down", "down"])], echo);
    assert_eq!(run.result.unwrap_err(), "no answer");
}

#[test]
fn a_loop_without_calls_is_an_expression() {
    let text = plan("(xs: [Int(0..9)]) -> [Int]", "for x in xs { let twice = x * 2\n twice + 1 }");
    assert_eq!(execute(&text, "main", &["[1,2]"], echo).result.unwrap(), "[3,5]");
    assert_eq!(compiled(&text).plan("main").unwrap().0.graph.nodes.len(), 1);
}

#[test]
fn fallbacks_stand_in_after_the_last_attempt() {
    let text = plan(
        "(a: Url, b: Url) -> String",
        "call crawl(url: a) with web {
           retry: { max: 1 },
           fallback: call crawl(url: b) with web { fallback: \"nothing\" },
         }",
    );
    let run = execute(&text, "main", &[&url("down"), &url("b")], echo);
    assert_eq!((run.result.unwrap().as_str(), run.calls.len()), ("\"b\"", 3));
    let run = execute(&text, "main", &[&url("down"), &url("down")], echo);
    assert_eq!(run.result.unwrap(), "\"nothing\"");
}

#[test]
fn only_what_is_passed_is_sent() {
    let text =
        plan("(query: String(1..)) -> Int", "let found = call search(query) with web\nfound.data.len()");
    let run = execute(&text, "main", &["\"q\""], echo);
    assert_eq!(run.result.unwrap(), "2");
    assert_eq!(run.calls, [r#"sn22.web_search {"query":"q"}"#]);
}

#[test]
fn a_capability_goes_through_its_adapter() {
    let text = "use cap { web_search }
plan main(q: String(1..600)) -> [String?] with { budget: 0.01USD, deadline: 5s } {
  let hits = call web_search(query: q, limit: 1) with { timeout: 1s, max_price: 0.001USD }
  hits.map(h => h.title)
}";
    assert_eq!(execute(text, "main", &["\"q\""], echo).result.unwrap(), r#"["A"]"#);
    let bad = |_: &str, _: &str| Some(r#"{"data":[{"title":"A","snippet":"a","link":"no url"}]}"#.to_owned());
    assert!(execute(text, "main", &["\"q\""], bad).result.unwrap_err().contains("Url"));
}

/// A chat answer with this content.
fn chat(content: &str) -> String {
    serde_json::json!({
        "id": "1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content }, "finish_reason": "stop" }],
    })
    .to_string()
}

#[test]
fn a_generic_answer_is_asked_for_by_schema_and_decoded() {
    let text = "use cap { generate }
record Claim { text: String(..20), sources: [Url](1..2) }
plan main() -> [Claim] with { budget: 0.1USD, deadline: 1m } {
  call generate(prompt: \"Say\") as [Claim](..8) with { timeout: 9s, max_price: 0.01USD }
}
plan plain() -> String with { budget: 0.1USD, deadline: 1m } {
  call generate(prompt: \"Say\") as String with { timeout: 9s, max_price: 0.01USD }
}";
    let fenced = |_: &str, _: &str| {
        Some(chat("```json\n[{\"text\": \"A\", \"sources\": [\"https://a.example/\"]}]\n```"))
    };
    let run = execute(text, "main", &[], fenced);
    assert_eq!(run.result.unwrap(), r#"[{"text":"A","sources":["https://a.example/"]}]"#);
    let request: serde_json::Value = serde_json::from_str(run.calls[0].split_once(' ').unwrap().1).unwrap();
    let content = request["messages"][0]["content"].as_str().unwrap();
    assert!(content.starts_with("Say\n\nReply with one JSON value"), "{content}");
    assert!(content.contains("maxItems"), "{content}");
    let misfit = |_: &str, _: &str| Some(chat("[{\"text\": \"A\", \"sources\": []}]"));
    assert!(execute(text, "main", &[], misfit).result.unwrap_err().contains("$[0].sources"));
    let run = execute(text, "plain", &[], |_, _| Some(chat("hello")));
    assert_eq!(run.result.unwrap(), "\"hello\"");
    let request: serde_json::Value = serde_json::from_str(run.calls[0].split_once(' ').unwrap().1).unwrap();
    assert_eq!(request["messages"][0]["content"], "Say");
}

#[test]
fn records_of_the_file_fit_those_of_an_operation() {
    let text = "use sn64 { chat_completions as chat, ChatCompletionsInputMessagesItemRole as Role }
record Line { content: String, role: Role, note: Int }
plan main(texts: [String](1..3)) -> String? with { budget: 0.1USD, deadline: 1m } {
  let lines = texts.map(t => Line { role: \"user\", content: t, note: 1 })
  let r = call chat(model: \"m\", messages: lines, temperature: 1) with { timeout: 9s, max_price: 0.01USD }
  r.choices.first()?.message?.content
}";
    let run = execute(text, "main", &["[\"a\"]"], |_, _| Some(chat("hi")));
    assert_eq!(run.result.unwrap(), "\"hi\"");
    assert_eq!(
        run.calls,
        [
            r#"sn64.chat_completions {"model":"m","messages":[{"role":"user","content":"a"}],"temperature":1.0}"#
        ]
    );
}

#[test]
fn an_adapter_of_the_file_stands_in_for_that_of_the_lock() {
    let text = "use cap { web_search }
adapter sn22.web_search as web_search {
  request  = { query: \"{query}!\" }
  response = r => r.data.take(1).map(d => Hit { url: d.link as Url })
}
plan main(q: String(1..600)) -> Int with { budget: 0.01USD, deadline: 5s } {
  let hits = call web_search(query: q) with { timeout: 1s, max_price: 0.001USD }
  hits.len()
}";
    let run = execute(text, "main", &["\"q\""], echo);
    assert_eq!(run.result.unwrap(), "1");
    assert_eq!(run.calls, [r#"sn22.web_search {"query":"q!"}"#]);
}

#[test]
fn functions_lets_matches_and_templates_compute() {
    let text = "enum Size { Small, Large(Int) }
fn size(n: Int(0..100)) -> Size = if n < 10 { Size.Small } else { Large(n) }
fn name(size: Size) -> String = match size { Small => \"small\", Large(n) => { let m = n - 1
  \"{m}+\" } }
fn both(a: Int(0..100), b: Int(0..100)) -> String = {
  let first = name(size(a))
  \"{first}/{name(size(b))}\"
}
plan main(n: Int(0..100)) -> String { both(3, n) }";
    let run = execute(text, "main", &["12"], echo);
    assert_eq!(run.result.unwrap(), "\"small/11+\"");
}

#[test]
fn a_plan_does_not_depend_on_what_else_its_file_declares() {
    let plan = "plan main(n: Int(0..9)) -> Pair { Pair { a: n, b: twice(n) } }
record Pair { a: Int, b: Int }
fn twice(n: Int(0..9)) -> Int = n * 2\n";
    let more = format!(
        "record Other {{ pair: [Pair] }}\nenum Unused {{ A }}\nfn other(x: Int(0..9)) -> Int = x\n{plan}"
    );
    let hash = |text: &str| {
        let compilation = compiled(text);
        let bytes = plan_ir::bytes::encode(compilation.plan("main").unwrap().0).unwrap();
        plan_ir::bytes::plan_hash(&bytes)
    };
    assert_eq!(hash(plan), hash(&more));
}

#[test]
fn records_of_the_language_nest_no_deeper_than_json() {
    // Each `zip` puts the elements a record and a list deeper; their types do not tell, as records have names.
    let plan = |times: usize| {
        let zips: Vec<String> = (1..=times).map(|n| format!("let x{n} = x{}.zip([1])", n - 1)).collect();
        format!("plan main(x0: [Int]) -> Int {{\n{}\nx{times}.len()\n}}\n", zips.join("\n"))
    };
    assert_eq!(execute(&plan(20), "main", &["[7]"], |_, _| None).result.unwrap(), "1");
    let deep = execute(&plan(200), "main", &["[7]"], |_, _| None).result;
    assert_eq!(deep.unwrap_err(), "the expression or its value is nested too deeply");
}
