//! Texts of any length, each of another shape.

/// A text that can be made at any length.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// The text, about as many lines long.
    pub(crate) text: fn(usize) -> String,
    pub(crate) has_errors: bool,
    /// An edit inside of one declaration: what is replaced, and by what.
    pub(crate) body: (&'static str, &'static str),
    /// The same of what other declarations see of it.
    pub(crate) signature: (&'static str, &'static str),
}

pub(crate) const SHAPES: [Shape; 6] = [
    Shape {
        name: "many plans",
        text: many_plans,
        has_errors: false,
        body: (".take(2000) }", ".take(1900) }"),
        signature: ("[String(1..80)](1..5)", "[String(1..80)](1..4)"),
    },
    Shape {
        name: "one long plan",
        text: one_long_plan,
        has_errors: false,
        body: (".take(400)", ".take(399)"),
        signature: ("(first: String(1..80)", "(first: String(1..79)"),
    },
    Shape {
        name: "one plan of failures and pairs",
        text: one_plan_of_failures,
        has_errors: false,
        body: (".take(4)", ".take(3)"),
        signature: ("(first: String(1..80)", "(first: String(1..79)"),
    },
    Shape {
        name: "records and functions",
        text: records_and_functions,
        has_errors: false,
        body: (".take(400)", ".take(399)"),
        signature: ("-> Int(0..100) = match", "-> Int(0..101) = match"),
    },
    Shape {
        name: "templates and lambdas",
        text: templates_and_lambdas,
        has_errors: false,
        body: ("many: ", "lots: "),
        signature: ("n: Int(0..100)) -> String", "n: Int(0..101)) -> String"),
    },
    Shape {
        name: "mistakes",
        text: mistakes,
        has_errors: true,
        body: ("row.nam +", "row.nax +"),
        signature: (") -> Int(0..9) = row", ") -> Int(0..8) = row"),
    },
];

const HEAD: &str = r#"edition 2026
use sn22 { web_search as search, web_crawl as crawl, WebSearchOutputDataItem as Hit }
use cap { generate }

policy web   = { timeout: 4s, retry: { max: 1, backoff: 200ms }, max_price: 0.004USD }
policy model = { timeout: 12s, max_price: 0.02USD }
"#;

/// [`HEAD`], then `part` with a number for each `@` until there are `lines` lines, then `tail`.
fn repeat(lines: usize, part: &str, tail: &str) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(tail.split_once('@').map_or("", |(before, _)| before));
    let left = lines.saturating_sub(text.lines().count());
    for at in 0..(left / part.lines().count()).max(1) {
        text.push_str(&part.replace('@', &at.to_string()));
    }
    text.push_str(tail.split_once('@').map_or("", |(_, after)| after));
    text
}

/// What people write: the competitive analysis again and again, each with declarations of its own.
fn many_plans(lines: usize) -> String {
    let part = r#"
/// One comparative claim, always with its sources.
record Claim@ { rival: String(..80), text: String(..600), stance: Stance@, sources: [Url](1..8) }
enum Stance@ { Ahead, Level, Behind }
record Page@ { url: Url, text: String(..2000) }
record Report@ { company: String(..80), claims: [Claim@](..40), summary: String(..4000), tone: String(..40) }

fn relevant@(hit: Hit, company: String, rival: String) -> Bool =
  hit.title.folded().contains(rival.folded()) || hit.snippet.folded().contains(company.folded())

/// How a stance reads.
fn tone@(stance: Stance@) -> String(..40) = match stance {
  Stance@.Ahead => "ahead of it",
  Stance@.Level => "level with it",
  Stance@.Behind => "behind it",
}

/// Compare `company` with each rival from live web pages.
plan analyse@(company: String(1..80), rivals: [String(1..80)](1..5)) -> Report@
  with { budget: 0.60USD, deadline: 60s }
{
  let claims = for rival in rivals with { concurrency: 5, tolerate: 1 } {
    let found = call search(query: "{company} versus {rival}") with web
    let best  = found.data.filter(h => relevant@(h, company, rival)).take(4)
    let pages = for hit in best with { tolerate: 4 } {
      let url  = hit.link as Url
      let text = call crawl(url) with web
      Page@ { url, text: text.take(2000) }
    }
    // Only claims whose sources were read are believed.
    call generate(prompt: "Compare {company} with {rival}.\n{pages.map(p => p.text).join("\n---\n")}") as [Claim@](..8) with model {
      accept: cs => cs.all(c => c.sources.all(s => pages.any(p => p.url == s))),
      retry: { max: 1, backoff: 100ms },
    }
  }
  let flat = claims.flatten()
  ensure flat.len() > 0 else "no claim could be sourced for {company}"
  let summary = call generate(prompt: "Summarise in plain words: {flat.to_json()}") as String(..4000) with model
  return Report@ { company, claims: flat, summary, tone: tone@(Stance@.Level) }
}
"#;
    repeat(lines, part, "")
}

/// One plan whose calls form 10 chains with something pure between the links.
fn one_long_plan(lines: usize) -> String {
    let part = r#"  // Step @.
  let query@ = if first.len() > 40 { "{first} and {second}" } else { "{second}, part @" }
  let found@ = call search(query: query@.take(400)) with web
  let links@ = found@.data.filter(h => h.title.contains(first)).take(5).map(h => h.link)
  ensure links@.len() > 1 else "too few links for {query@}"
  let text@ = call generate(prompt: "What do these say of {first}?\n{links@.join("\n")}") as String(..2000) with model
  ensure text@.take(100) != first else "nothing is said of {query@}"
"#;
    let tail = r#"
/// A long one.
plan long(first: String(1..80), second: String(1..80)) -> String(..100)
  with { budget: 100USD, deadline: 7d }
{
@  return text0.take(100)
}
"#;
    repeat(lines, part, tail)
}

/// One plan whose statements have types that are declared nowhere: of failures, of votes and of pairs.
fn one_plan_of_failures(lines: usize) -> String {
    let part = r#"  // Step @.
  let tried@ = try call search(query: "{first}, part @") with web
  let hits@ = match tried@ { Ok(found) => found.data.take(4), Err(_) => [] }
  let pages@ = for hit in hits@ with { on_error: keep, concurrency: 2 } { call crawl(url: hit.link as Url) with web }
  let pairs@ = hits@.map(h => h.title).zip(pages@.ok().map(page => page.take(200)))
  let texts@ = pairs@.map(p => "{p.left.take(80)}: {p.right}").take(4)
  let asked@ = call generate(prompt: "Of {second}:\n{texts@.join("\n")}") as String(..200) with model { quorum: { of: 2, need: 2, by: alike } }
  let said@ = if asked@.share > 0.5 { asked@.value } else { "no word of {pages@.errors().len()} failures" }
"#;
    let tail = r#"
fn alike(a: String, b: String) -> Bool = a.folded() == b.folded()

plan long(first: String(1..80), second: String(1..80)) -> String(..100)
  with { budget: 1000USD, deadline: 7d }
{
@  return said0.take(100)
}
"#;
    repeat(lines, part, tail)
}

/// Declarations only, and a plan that uses the first.
fn records_and_functions(lines: usize) -> String {
    let part = r#"
/// Record number @.
record Row@ {
  /// Its name.
  name: String(1..80),
  tags: [String(..20)](..10),
  score: Float(0..1)?,
  kind: Kind@,
}
enum Kind@ { Small, Large(Int(0..100)), Other(String(..40)) }
fn size@(row: Row@) -> Int(0..100) = match row.kind {
  Kind@.Small => 0,
  Kind@.Large(n) => n,
  Kind@.Other(text) => text.len(),
}
fn label@(row: Row@) -> String(..400) = "{row.name} ({size@(row)}): {row.tags.join(", ")}".take(400)
"#;
    repeat(
        lines,
        part,
        "@
plan show(row: Row0) -> String(..400) { label0(row) }
",
    )
}

/// Long expressions: texts in texts, lambdas in lambdas, chains of methods.
fn templates_and_lambdas(lines: usize) -> String {
    let part = r#"
fn text@(rows: [String(..100)](..20), n: Int(0..100)) -> String(..9000) =
  """
    Of {rows.len()} rows, {rows.filter(r => rows.filter(s => s == r).len() > 1).len()} are {if n > 3 { "many: {rows.join("{n}, {rows.len()}")}" } else { "few" }}.
    {rows.map(r => "{r}: {rows.map(s => "{s} {rows.map(t => "{r}{s}{t}".take(10)).join(" ").take(100)}").join(";").take(500)}").join("\n").take(5000)}
    The first is {rows.first() ?? "none"}, the last {rows.last() ?? "none"}.
  """.take(9000)
fn sum@(n: Int(0..100)) -> Int = (n + 1) * 2 - n % 7 + (if n > 3 && n < 50 || n == 70 { n * n } else { n - 1 }) * 3 + n * 2 + n * 3 + n * 4
"#;
    let tail = "@
plan show(rows: [String(..100)](..20)) -> String(..9000) { text0(rows, 3) }
";
    repeat(lines, part, tail)
}

/// A wrong name, a wrong type and a missing comma in each declaration.
fn mistakes(lines: usize) -> String {
    let part = r#"
record Broken@ { name: Strin(..80), count: Int(0..9) }
fn wrong@(row: Broken@) -> Int(0..9) = row.nam + row.count
fn twice@(a: Int, b: Int) -> Bool = a.folded() == b
plan bad@(n: Int(0..9)) -> String {
  let found = call serch(query: "{n}")
  let other = call search(qery: n) with { timeot: 3s }
  found
}
"#;
    repeat(lines, part, "")
}
