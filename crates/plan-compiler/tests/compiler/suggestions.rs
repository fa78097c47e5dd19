//! Every kind of name that is nearly right is told what it was to be, and the fix mends it.

use plan_lang::Diagnostic;

use crate::common::compiled;

const HEAD: &str = "use sn22 { web_search as search }
use cap { generate }
record Page { title: String, links: [Url](..9) }
enum Mood { Good, Bad, Mixed(Int) }
policy patient = { timeout: 9s }
fn double(number: Int(0..9)) -> Int(0..18) = number * 2
plan inner(depth: Int(0..9)) -> Int(0..9) { depth }
capability pages(query: String(1..600)) -> [Url](..9)
";

/// What is wrong, what is nearly right in it, and what it was to be.
const CASES: [(&str, &str, &str, &str); 27] = [
    ("operation", "use sn22 { web_serch }", "web_serch", "web_search"),
    (
        "type of an answer",
        "use sn22 { WebSearchOutputDataItm }",
        "WebSearchOutputDataItm",
        "WebSearchOutputDataItem",
    ),
    ("capability", "use cap { genrate }", "genrate", "generate"),
    ("type", "fn f(p: Pagee) -> Int = 1", "Pagee", "Page"),
    ("name", "fn f(number: Int) -> Int = numbr", "numbr", "number"),
    ("function", "fn f() -> Int = duble(1)", "duble", "double"),
    ("argument of a function", "fn f() -> Int = double(numbr: 1)", "numbr", "number"),
    ("method", "fn f(p: Page) -> Int = p.links.lenn()", "lenn", "len"),
    ("field", "fn f(p: Page) -> String = p.titel", "titel", "title"),
    (
        "field of an answer",
        "plan p() -> Int with { budget: 1USD, deadline: 60s } {\n  let x = call search(query: \"a\")\n  x.dataa.len()\n}",
        "dataa",
        "data",
    ),
    ("field of a literal", "fn f() -> Page = Page { titel: \"a\", links: [] }", "titel", "title"),
    ("record of a literal", "fn f() -> Page = Pagee { title: \"a\", links: [] }", "Pagee", "Page"),
    ("variant", "fn f() -> Mood = Mood.Goood", "Goood", "Good"),
    ("variant of a pattern", "fn f(m: Mood) -> Int = match m { Goood => 1, _ => 2 }", "Goood", "Good"),
    ("enum", "fn f() -> Mood = Moood.Good", "Moood", "Mood"),
    (
        "target of a call",
        "plan p() -> Int with { budget: 1USD, deadline: 60s } {\n  let x = call serch(query: \"a\")\n  1\n}",
        "serch",
        "search",
    ),
    (
        "argument of an operation",
        "plan p() -> Int with { budget: 1USD, deadline: 60s } {\n  let x = call search(query: \"a\", strt: 1)\n  1\n}",
        "strt",
        "start",
    ),
    (
        "argument of a capability",
        "plan p() -> Int with { budget: 1USD, deadline: 60s } {\n  let x = call generate(promt: \"a\") as Int\n  x\n}",
        "promt",
        "prompt",
    ),
    ("plan", "plan p() -> Int { run iner(depth: 1) }", "iner", "inner"),
    ("argument of a plan", "plan p() -> Int { run inner(dpth: 1) }", "dpth", "depth"),
    (
        "policy",
        "plan p() -> Int with { budget: 1USD, deadline: 60s } {\n  let x = call search(query: \"a\") with patent\n  1\n}",
        "patent",
        "patient",
    ),
    ("policy key", "policy w = { timeot: 3s }", "timeot", "timeout"),
    ("key within a policy key", "policy w = { retry: { maxx: 1 } }", "maxx", "max"),
    ("word of a policy", "policy w = { retry: { max: 1, on: [timeot] } }", "timeot", "timeout"),
    ("preference", "policy w = { prefer: cheapst }", "cheapst", "cheapest"),
    ("failure of a mock", "test \"t\" { mock search => fails unavailble }", "unavailble", "unavailable"),
    ("member of an adapter", "adapter sn22.web_search as pages { reqest = { query } }", "reqest", "request"),
];

fn suggested(text: &str, wrong: &str) -> Option<Diagnostic> {
    let at = text.rfind(wrong)?;
    let found = compiled(text).diagnostics;
    found.into_iter().find(|found| found.span().start as usize == at)
}

#[test]
fn what_is_nearly_right_is_suggested() {
    for (kind, text, wrong, right) in CASES {
        let text = format!("{HEAD}{text}\n");
        let found = suggested(&text, wrong);
        let found =
            found.unwrap_or_else(|| panic!("{kind}: nothing is said\n{}", crate::common::shown(&text)));
        assert_eq!(
            found.help.as_deref(),
            Some(format!("did you mean `{right}`?").as_str()),
            "{kind}: {found:?}"
        );
        let mended = found.fix.as_ref().and_then(|fix| fix.apply(&text)).unwrap();
        assert!(mended.contains(right), "{kind}");
        assert!(suggested(&mended, right).is_none_or(|left| left.code != found.code), "{kind}: {mended}");
    }
}

#[test]
fn what_is_like_nothing_gets_no_suggestion() {
    for (kind, text, wrong, _) in CASES {
        let like_nothing = if wrong.starts_with(char::is_uppercase) { "Qqqqqqqqq" } else { "qqqqqqqqq" };
        let (text, wrong) = (format!("{HEAD}{}\n", text.replace(wrong, like_nothing)), like_nothing);
        let found = suggested(&text, wrong).unwrap_or_else(|| panic!("{kind}: nothing is said"));
        assert!(!found.help.unwrap_or_default().contains("did you mean"), "{kind}");
    }
}
