//! The formatter: stable, keeps meaning and comments, for every fixture and whatever is still correct after
//! it was mangled.

#![expect(clippy::unwrap_used, reason = "tests")]

use plan_lang::syntax::SyntaxKind;
use plan_lang::{format, parse};

use crate::support::one_in;
use crate::text::{self, meaning};

const FIXTURES: [(&str, &str); 5] = [
    ("analyse", include_str!("../fixtures/analyse.orch")),
    ("answer", include_str!("../fixtures/answer.orch")),
    ("screen", include_str!("../fixtures/screen.orch")),
    ("web_search_adapter", include_str!("../fixtures/web_search_adapter.orch")),
    ("everything", include_str!("../fixtures/everything.orch")),
];

/// Checks what must hold for every text; returns whether it had no errors.
fn check(text: &str) -> bool {
    let laid_out = text::format(text);
    if laid_out && !text.contains(" \n") {
        let formatted = format(text).unwrap();
        assert!(!formatted.lines().any(|line| line.ends_with(' ')), "blanks:\n{formatted}");
    }
    laid_out
}

#[test]
fn fixtures_look_well() {
    for (name, text) in FIXTURES {
        assert!(check(text), "{name}");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "format" }, {
            insta::assert_snapshot!(name, format(text).unwrap());
        });
    }
}

#[test]
fn a_row_that_does_not_fit_breaks_where_it_is_loosest() {
    let name = |name: char| name.to_string().repeat(27);
    let [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name);
    let row = format!("fn f() -> Bool = {a} + 3 * {b} + {c} > {d} && {a} ?? {b} == {c} || {d}\n");
    let wanted = format!(
        "fn f() -> Bool =\n  {a} + 3 * {b} + {c}\n        > {d}\n      && {a} ?? {b} == {c}\n    || {d}\n"
    );
    assert!(check(&row));
    assert_eq!(format(&row).unwrap(), wanted);
}

#[test]
fn a_list_breaks_where_it_does_not_fit() {
    let list = |chars: usize, end: &str| format!("  let x = [{}, bbb]{end}\n", "a".repeat(chars));
    let open = |chars: usize, behind: &str, end: &str| {
        format!("  let x = [\n    {},{behind}\n    bbb,\n  ]{end}\n", "a".repeat(chars))
    };
    let laid_out = |list: &str, value: &str| {
        let text = format!("plan p() -> Int {{\n{list}  {value}\n}}\n");
        assert!(check(&text));
        format(&text).unwrap().replace(&format!("  {value}\n}}\n"), "").replace("plan p() -> Int {\n", "")
    };
    assert_eq!(list(83, "").trim_end().len(), 100);
    assert_eq!(laid_out(&list(83, ""), "x"), list(83, ""));
    assert_eq!(laid_out(&list(84, ""), "x"), open(84, "", ""));
    assert_eq!(laid_out("  let x = [a, // c\n bbb]\n", "x"), open(1, " // c", ""));
    // What follows on the same line counts.
    assert_eq!(laid_out(&list(82, ";"), "-x"), list(82, ";"));
    assert_eq!(laid_out(&list(83, ";"), "-x"), open(83, "", ";"));
}

#[test]
fn comments_wait_for_the_end_of_the_line() {
    let text = "record R { a: Int // 1\n , // 2\n b: Int }\n";
    assert!(check(text));
    assert_eq!(format(text).unwrap(), "record R {\n  a: Int, // 1\n  // 2\n  b: Int,\n}\n");
}

#[test]
fn one_line_and_widely_spread_sources_mean_the_same() {
    for (_, text) in FIXTURES {
        let base = parse(text);
        let tokens: Vec<_> = base.syntax().all_tokens().collect();
        let meant = meaning(&base);
        // All line ends that can be spared gone; then a line end wherever there can be one.
        for blank in [" ", "\n\n\n  ", "\r\n"] {
            let (mut current, mut parsed) = (text.to_owned(), base.clone());
            for token in tokens.iter().rev().filter(|token| token.kind() == SyntaxKind::Whitespace) {
                let mut changed = current.clone();
                changed.replace_range(token.span().range(), blank);
                let parse = parsed.update(&changed);
                if !parse.has_errors() && meaning(&parse) == meant {
                    (current, parsed) = (changed, parse);
                }
            }
            assert!(check(&current));
        }
    }
}

#[test]
fn comments_stay_wherever_they_are_put() {
    let mut checked = 0;
    for (_, text) in FIXTURES {
        let base = parse(text);
        for (index, token) in base.syntax().all_tokens().enumerate().step_by(one_in(9)) {
            let comment = if index % 2 == 0 { " // why\n" } else { "\n// why\n" };
            let mut changed = text.to_owned();
            changed.insert_str(token.span().start as usize, comment);
            if !base.update(&changed).has_errors() {
                checked += usize::from(check(&changed));
            }
        }
    }
    assert!(checked > 130, "{checked}");
}

#[test]
fn comments_within_a_declaration_stay_behind_their_words() {
    let text = "\
plan p( // inputs
us:[Url](..9) // the list
) -> // gives
[String] // texts
with { budget: 1USD } // dear
// and long
{
for u in us // each
with { tolerate: 1 } // tol
{ call crawl(url:u) // fetched
with web // as all
}
}
fn f( a:Int ) -> Int // so many
= // is
a + // more
1 // done
fn g(x:Bool)->Int=if x // cond
{ 1 } // then
else // otherwise
{ 2 }
fn h(xs:[Int])->[Int]=xs // all
  .filter((x // one
  ) => x>1)
  // alone
  .take(2)
record R{a: // what
Int}
";
    let wanted = "\
plan p( // inputs
  us: [Url](..9), // the list
) -> // gives
  [String] // texts
  with { budget: 1USD } // dear
// and long
{
  for u in us // each
    with { tolerate: 1 } // tol
  {
    call crawl(url: u) // fetched
      with web // as all
  }
}

fn f(a: Int) -> Int // so many
  = // is
  a
    + // more
      1 // done

fn g(x: Bool) -> Int = if x // cond
  { 1 } // then
  else // otherwise
  { 2 }

fn h(xs: [Int]) -> [Int] =
  xs // all
    .filter(x // one
      => x > 1)
    // alone
    .take(2)

record R { a: // what
  Int }
";
    assert!(check(text));
    assert_eq!(format(text).unwrap(), wanted);
}

#[test]
fn what_is_left_after_a_deletion_is_formatted() {
    let mut checked = 0;
    for (_, text) in FIXTURES {
        let base = parse(text);
        for token in base.syntax().all_tokens().step_by(one_in(9)) {
            let mut changed = text.to_owned();
            changed.replace_range(token.span().range(), "");
            if !base.update(&changed).has_errors() {
                checked += usize::from(check(&changed));
            }
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn texts_keep_their_value() {
    for text in [
        "fn f() -> String = \"\"\"\n            a\n              b {x}\n\n            {y} c\n    \"\"\"\n",
        "fn f() -> String = \"\"\"a\n  b\"\"\"\n",
        "fn f() -> String = \"\"\"\n\ta\n\t\tb  \n  \n\t\"\"\"\n",
        "fn f() -> String = \"\"\"\n  {x\n  }\n  \"\"\"\n",
        "fn f() -> String = \"\"\"\n  a\n    \n  b\"\"\"\n",
        "fn f() -> String = \"\"\"   \n  \\n a \\\n  \"\"\"\n",
        "fn f() -> String = \"\"\"\r\n  a\r\n  b\r\n  \"\"\"\r\n",
        "fn f() -> String = \"\"\"\n  \n  \"\"\"\n",
        "fn f() -> String = \"\"\"\"\"\"\n",
    ] {
        assert!(check(text) || text.contains("\\\n"), "{text}");
    }
}

#[test]
fn statements_that_start_with_minus_stay_apart() {
    let text = "fn f() -> Int = { let a = 1; -a }\n";
    assert!(check(text));
    assert_eq!(format(text).unwrap(), "fn f() -> Int = {\n  let a = 1;\n  -a\n}\n");
}

#[test]
fn an_empty_file_stays_empty() {
    assert_eq!(format("").unwrap(), "");
    assert_eq!(format("\u{FEFF}\n\n").unwrap(), "");
    assert_eq!(format("\n// only this").unwrap(), "// only this\n");
}
