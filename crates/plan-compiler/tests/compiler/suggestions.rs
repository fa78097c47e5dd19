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
const CASES: [(&str, &str, &str, &str); 36] = [
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
    ("variant in lower case", "fn f() -> Mood = Mood.god", "god", "Good"),
    ("variant in lower case with a value", "fn f() -> Mood = Mood.mixed(1)", "mixed", "Mixed"),
    (
        "variant of a result",
        "fn f(r: Result<Int, String>) -> Int = match r { Okay(n) => n, _ => 1 }",
        "Okay",
        "Ok",
    ),
    (
        "failure of a result",
        "fn f(r: Result<Int, String>) -> Int = match r { Ok(n) => n, Failure(_) => 1 }",
        "Failure",
        "Err",
    ),
    ("enum in lower case", "fn f() -> Mood = mood.Good", "mood", "Mood"),
    ("variant as a name", "fn f() -> Mood = bad", "bad", "Mood.Bad"),
    ("enum", "fn f() -> Mood = Moood.Good", "Moood", "Mood"),
    (
        "variant of the Ledger",
        "use sn22 { ai_search }\nfn f(x: AiSearchInputResultType) -> Bool = x == OnlyLink",
        "OnlyLink",
        "OnlyLinks",
    ),
    (
        "variant of the Ledger without its enum",
        "use sn22 { ai_search }\nfn f() -> Int = { let _x = OnlyLink; 1 }",
        "OnlyLink",
        "AiSearchInputResultType.OnlyLinks",
    ),
    (
        "operation of another subnet",
        "adapter sn28.web_search as pages {}",
        "sn28.web_search",
        "sn22.web_search",
    ),
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

/// An import, what it was to be, and the text of the import that the fix makes.
const IMPORTS: [(&str, &str, Option<&str>); 5] = [
    ("use sn28 { web_crawl }", "`use sn22 { web_crawl }`", Some("use sn22 { web_crawl }")),
    ("use cap { web_crawl }", "`use sn22 { web_crawl }`", Some("use sn22 { web_crawl }")),
    ("use sn22 { generate }", "`use cap { generate }`", Some("use cap { generate }")),
    ("use sn28 { web_search }", "`use cap { web_search }` or `use sn22 { web_search }`", None),
    ("use sn28 { chat_completions, web_crawl }", "`use sn22 { web_crawl }`", None),
];

#[test]
fn an_import_from_the_wrong_place_is_told_the_right_one() {
    for (text, right, mended) in IMPORTS {
        let found = compiled(text).diagnostics;
        assert_eq!(found.len(), 1, "{}", crate::common::shown(text));
        assert_eq!(found[0].help.as_deref(), Some(format!("did you mean {right}?").as_str()));
        assert_eq!(found[0].fix.as_ref().and_then(|fix| fix.apply(text)).as_deref(), mended, "{text}");
    }
}

/// Each is one mistake, whose echoes are not told.
#[test]
fn a_misspelt_name_is_one_error() {
    let search = |args: &str| {
        format!(
            "plan p() -> Int with {{ budget: 1USD, deadline: 60s }} {{\n  let x = call search(query: \"a\", {args}) with {{ max_price: 0.1USD }}\n  x.data.len()\n}}"
        )
    };
    for (text, code) in [
        ("fn f() -> Page = Page { titel: \"a\", links: [] }".to_owned(), "E0304"),
        ("fn f() -> Page = Page { title: \"a\", links: [], mood: Goood }".to_owned(), "E0304"),
        (search("mood: Goood"), "E0308"),
        (search("moods: [Goood, { a: [] }]"), "E0308"),
    ] {
        let text = format!("{HEAD}{text}\n");
        let errors = compiled(&text).diagnostics.into_iter().filter(Diagnostic::is_error);
        let errors: Vec<_> = errors.map(|found| found.code.as_str()).collect();
        assert_eq!(errors, [code], "{}", crate::common::shown(&text));
    }
}

/// A text in the place of a variant is told the variant that is meant, whether in words of the plan or of the subnet.
#[test]
fn a_misspelt_text_for_a_variant_is_told_the_variant() {
    for (text, right) in [
        ("use sn22 { ai_search }\nfn f() -> AiSearchInputToolsItem = \"wbe\"", "AiSearchInputToolsItem.Web"),
        (
            "use sn22 { ai_search }\nfn f() -> AiSearchInputResultType? = \"ONLY_LINK\"",
            "AiSearchInputResultType.OnlyLinks",
        ),
        ("enum Mood { Good, Bad }\nfn f() -> Mood = \"goood\"", "Mood.Good"),
    ] {
        let found = compiled(text).diagnostics;
        assert_eq!(found.len(), 1, "{}", crate::common::shown(text));
        assert_eq!(found[0].help.as_deref(), Some(format!("did you mean `{right}`?").as_str()));
        let mended = found[0].fix.as_ref().and_then(|fix| fix.apply(text)).unwrap();
        assert!(compiled(&mended).diagnostics.is_empty(), "{mended}");
    }
}

/// What is wrong has a help line that shows the right form.
#[test]
fn the_right_form_of_a_value_is_shown() {
    let plan = |policy: &str| {
        format!(
            "plan p() -> Int with {{ budget: 1USD, deadline: 60s }} {{\n  let x = call search(query: \"a\") with {{ {policy} }}\n  x.data.len()\n}}"
        )
    };
    let units = "a number has its unit: `4s`, `4ms`, `4m`";
    let seconds = "their ratio is that of their seconds: `a.to_seconds() / b.to_seconds()`";
    for (text, help) in [
        (plan("max_price: 0.1USD, timeout: 4"), units),
        (plan("max_price: 0.1USD, retry: { max: 1, backoff: 4 }"), units),
        (plan("max_price: 0.5"), "a number has its unit: `0.5USD`, `0.5TAO`"),
        ("policy w = { timeout: 2.5 }".to_owned(), "a number has its unit: `2.5s`, `2.5ms`, `2.5m`"),
        ("fn f() -> Duration = 4".to_owned(), units),
        ("fn f(n: Int(0..9)) -> Duration = n".to_owned(), "multiply one of its unit: `1s * n`"),
        ("fn f() -> Amount = 3".to_owned(), "a number has its unit: `3USD`, `3TAO`"),
        ("fn f(d: Duration) -> Float = d".to_owned(), "take its seconds: `.to_seconds()`"),
        ("fn f(d: Duration) -> Int = d".to_owned(), "take its seconds: `.to_seconds().round()`"),
        ("fn f(d: Duration, e: Duration) -> Float = d / e".to_owned(), seconds),
        ("fn f(t: String) -> Mood = t".to_owned(), "decode it: `.. as Mood`"),
        (
            "use sn22 { ai_search }\nplan p(t: String(1..9)) -> Json with { budget: 1USD, deadline: 60s } {\n  let x = call ai_search(prompt: t, tools: [t]) with { max_price: 0.1USD }\n  return x as Json\n}".to_owned(),
            "decode it: `.. as AiSearchInputToolsItem`",
        ),
        ("fn f() -> Result<Mood, Int> = Ok(None)".to_owned(), "what is not there is `null`, which is a value of `Mood?` and not of `Mood`"),
        ("fn f() -> Mood? = None".to_owned(), "did you mean `null`?"),
        ("enum S { Done, Open }\nfn f() -> S? = None".to_owned(), "did you mean `null`?"),
        ("fn f() -> Mood = Mood.None".to_owned(), "what is not there is `null`, which is a value of `Mood?` and not of `Mood`"),
    ] {
        let text = format!("{HEAD}{text}\n");
        let found = compiled(&text).diagnostics;
        let helped = found.iter().filter(|found| found.help.as_deref() == Some(help) && found.is_error());
        assert_eq!(helped.count(), 1, "{help}\n{}", crate::common::shown(&text));
    }
    // The forms that are shown are right.
    for right in [
        "fn f(n: Int(0..9)) -> Duration = 1s * n",
        "fn f(d: Duration) -> Float = d.to_seconds()",
        "fn f(d: Duration) -> Int = d.to_seconds().round()",
        "fn f(t: String) -> Mood = t as Mood",
        "use sn22 { ai_search }\nfn f(t: String) -> AiSearchInputToolsItem = t as AiSearchInputToolsItem",
        "fn f() -> Result<Mood?, Int> = Ok(null)",
    ] {
        let text = format!("{HEAD}{right}\n");
        assert!(!compiled(&text).has_errors(), "{}", crate::common::shown(&text));
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

/// It would be there twice.
#[test]
fn what_is_given_already_is_not_suggested() {
    let call = |args: &str, policy: &str| {
        format!(
            "plan p(query: String(1..9)) -> Int with {{ budget: 1USD, deadline: 60s }} {{\n  let x = call search({args}) with {{ max_price: 0.1USD, {policy} }}\n  x.data.len()\n}}"
        )
    };
    for (text, wrong) in [
        (call("query: query, qurey: query", "timeout: 5s"), "qurey"),
        (call("qurey: query, query: query", "timeout: 5s"), "qurey"),
        (call("query, qurey: query", "timeout: 5s"), "qurey"),
        (call("query", "timeot: 4s, timeout: 5s"), "timeot"),
        (call("query", "timeout: 5s, timeot: 4s"), "timeot"),
        (call("query", "timeout: 5s, retry: { maxx: 1, max: 2 }"), "maxx"),
        ("fn f() -> Int = double(number: 1, numbr: 1)".to_owned(), "numbr"),
        ("fn f() -> Int = double(1, numbr: 1)".to_owned(), "numbr"),
        ("fn f(other: Int(0..9)) -> Int = double(other, numbr: 1)".to_owned(), "numbr"),
        (
            "adapter sn22.web_search as pages {\n  reqest = { query }\n  request = { query }\n}".to_owned(),
            "reqest",
        ),
        ("fn f() -> Page = Page { title: \"a\", titel: \"b\", links: [] }".to_owned(), "titel"),
        ("fn f() -> Page = ({ titel: \"b\", title: \"a\", links: [] })".to_owned(), "titel"),
    ] {
        let text = format!("{HEAD}{text}\n");
        let found = suggested(&text, wrong).unwrap_or_else(|| panic!("nothing is said\n{text}"));
        assert_eq!((found.help, found.fix), (None, None), "{text}");
    }
    // Another that is near is, and one that a value is only called like.
    let text =
        format!("{HEAD}fn g(left: Int, lift: Int) -> Int = left\nfn f(lift: Int) -> Int = g(lift, lft: 2)\n");
    let found = suggested(&text, "lft:").unwrap();
    assert_eq!(found.help.as_deref(), Some("did you mean `lift`?"));
    let text = format!("{HEAD}record P {{ left: Int, lift: Int }}\nfn f() -> P = P {{ left: 1, lft: 2 }}\n");
    let found = suggested(&text, "lft:").unwrap();
    assert_eq!(found.help.as_deref(), Some("did you mean `lift`?"));
}
