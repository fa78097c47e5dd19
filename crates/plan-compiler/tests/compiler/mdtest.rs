//! Documentation that runs: every fenced block of a page that is marked `orch` does what its mark says.
//!
//! | mark | what must hold |
//! |---|---|
//! | `orch` | it compiles without a message, and is in the one style |
//! | `orch loose` | it compiles without a message; its layout is its own |
//! | `orch error=E0304` | it gives exactly these codes, comma-separated, in the order of the text |
//! | `output` | right behind an `orch error` block: what the user is shown, word for word |
//! | `orch eval` | declarations, then lines `expression => value`; the value is JSON, or `fails E0802` |
//! | `orch fails`, `orch ok` | on an error's page: see `pages.rs`, and `error_pages.rs` of the command line |
//!
//! With `MDTEST_UPDATE=1` in the environment `output` blocks are written anew instead of compared.

use std::fmt::Write as _;
use std::{env, fs};

use plan_ir::interp::{PureError, evaluate};
use plan_lang::{SourceFile, render};
use serde_json::Value;

use crate::common::{compiled, root};

/// A fenced block.
#[derive(Clone, Copy, Debug)]
struct Block<'p> {
    /// The line of its fence, from 1.
    line: usize,
    info: &'p str,
    text: &'p str,
    /// Whether nothing but blanks stands between the block before and this one.
    follows: bool,
}

/// The fenced blocks of a page, in order.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let (mut open, mut follows, mut at) = (None, false, 0);
    for (line, text) in page.split_inclusive('\n').enumerate() {
        let start = at;
        at += text.len();
        match (open, text.trim_end().strip_prefix("```")) {
            (None, Some(info)) => open = Some((line + 1, info, at)),
            (Some((line, info, from)), Some("")) => {
                blocks.push(Block { line, info, text: &page[from..start], follows });
                (open, follows) = (None, true);
            }
            (None, None) if !text.trim().is_empty() => follows = false,
            _ => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// What does not hold of a page, a paragraph each.
fn check(name: &str, page: &str) -> Vec<String> {
    let blocks = blocks(page);
    let mut wrong = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        let mut say = |what: String| wrong.push(format!("{name}:{}: {what}", block.line));
        match block.info.split_once(' ').unwrap_or((block.info, "")) {
            ("orch", mark @ ("" | "loose")) => {
                let shown = shown(block.text);
                if !shown.is_empty() {
                    say(format!("does not compile\n{shown}"));
                } else if mark.is_empty() && plan_lang::format(block.text).as_deref() != Ok(block.text) {
                    say("is not in the one style".to_owned());
                }
            }
            ("orch", "eval") => eval(block.text, &mut say),
            ("orch", "fails" | "ok") => {}
            ("orch", mark) => match mark.strip_prefix("error=") {
                None => say(format!("has an unknown mark: `{mark}`")),
                Some(codes) => {
                    let found: Vec<_> =
                        compiled(block.text).diagnostics.iter().map(|d| d.code.as_str()).collect();
                    if found.join(",") != codes {
                        say(format!("gives other codes\n{}", shown(block.text)));
                    }
                }
            },
            ("output", _) => match at.checked_sub(1).and_then(|before| blocks.get(before)) {
                Some(before) if block.follows && before.info.starts_with("orch error=") => {
                    let shown = shown(before.text);
                    if shown != block.text {
                        say(format!("is not what is shown:\n{shown}"));
                    }
                }
                _ => say("is the output of nothing".to_owned()),
            },
            _ => {}
        }
    }
    wrong
}

fn shown(text: &str) -> String {
    render(&SourceFile { name: "plan.orch", text }, &compiled(text).diagnostics, false)
}

/// Checks each line of a block of values.
fn eval(text: &str, say: &mut dyn FnMut(String)) {
    let lines: Vec<&str> = text.lines().collect();
    let mut depth = 0;
    let mut first = None;
    let mut pairs = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        // A line inside the braces of a declaration is none of ours.
        if let Some(pair) = (depth == 0).then(|| split(line)).flatten() {
            first.get_or_insert(at);
            pairs.push(pair);
        } else if first.is_some() && !line.trim().is_empty() {
            return say(format!("has a line without `=>` among its values: {line}"));
        }
        depth += brackets(line);
    }
    let Some(first) = first else { return say("has no line `expression => value`".to_owned()) };
    let declarations = lines[..first].join("\n");
    for (expression, wanted) in pairs {
        let found = value_of(&declarations, expression);
        let alike = match (serde_json::from_str::<Value>(wanted), &found) {
            (Ok(wanted), Ok(found)) => {
                serde_json::from_str::<Value>(found).is_ok_and(|found| found == wanted)
            }
            (_, Err(failure)) => wanted == format!("fails {failure}"),
            (Err(_), _) => false,
        };
        if !alike {
            say(format!(
                "{expression} => {}, not {wanted}",
                found.unwrap_or_else(|failure| format!("fails {failure}"))
            ));
        }
    }
}

/// Expression and value of a line: at the last `=>` outside brackets and texts.
fn split(line: &str) -> Option<(&str, &str)> {
    let at = outside(line).filter(|(at, _)| line[*at..].starts_with("=> ")).last()?.0;
    let (expression, value) = (line[..at].trim(), line[at + 3..].trim());
    let is_item =
        ["fn ", "record ", "enum ", "use ", "policy ", "plan "].iter().any(|word| line.starts_with(word));
    (!is_item && !expression.is_empty()).then_some((expression, value))
}

/// How many more brackets a line opens than it closes.
fn brackets(line: &str) -> i32 {
    let mut depth = 0;
    let mut in_text = false;
    for c in line.chars() {
        match c {
            '"' => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// The characters of a line that stand in no bracket and no text.
fn outside(line: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    line.char_indices().filter(move |(_, c)| {
        let free = depth == 0 && !in_text;
        match c {
            '"' if !escaped => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text => depth -= 1,
            _ => {}
        }
        escaped = *c == '\\' && !escaped;
        free
    })
}

/// The value of an expression as JSON, or the code it fails with.
fn value_of(declarations: &str, expression: &str) -> Result<String, String> {
    let text = format!("{declarations}\nplan eval() -> String {{\n  ({expression}).to_json()\n}}\n");
    let compilation = compiled(&text);
    let Some((plan, _)) = compilation.plan("eval") else {
        return Err(format!("to compile\n{}", shown(&text)));
    };
    match evaluate(plan, Vec::new()) {
        Ok(value) => Ok(value.as_str().unwrap().to_owned()),
        Err(PureError::Trap(trap)) => Err(trap.kind.code().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The page with its `output` blocks as they would be now.
fn updated(page: &str) -> String {
    let mut text = page.to_owned();
    let blocks = blocks(page);
    // From the last to the first, so that the places of the others stay.
    for pair in blocks.windows(2).rev() {
        let [before, block] = pair else { continue };
        if block.info == "output" && block.follows && before.info.starts_with("orch error=") {
            let at = block.text.as_ptr() as usize - page.as_ptr() as usize;
            text.replace_range(at..at + block.text.len(), &shown(before.text));
        }
    }
    text
}

fn check_pages<'a>(names: impl IntoIterator<Item = &'a str>) {
    let mut wrong = Vec::new();
    for name in names {
        let path = root().join(name);
        let mut page = fs::read_to_string(&path).unwrap();
        if env::var_os("MDTEST_UPDATE").is_some() && updated(&page) != page {
            page = updated(&page);
            fs::write(&path, &page).unwrap();
        }
        wrong.extend(check(name, &page));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_language_reference_runs() {
    check_pages(["docs/language.md"]);
    let page = fs::read_to_string(root().join("docs/language.md")).unwrap();
    let count = |mark: &str| blocks(&page).iter().filter(|block| block.info.starts_with(mark)).count();
    assert!(count("orch") >= 25 && count("orch eval") >= 8 && count("output") >= 4);
}

#[test]
fn other_pages_run() {
    check_pages([
        "README.md",
        "CONTRIBUTING.md",
        "docs/language-in-one-page.md",
        "crates/cli/templates/README.md",
        "examples/plans/README.md",
    ]);
    let pages: Vec<String> = fs::read_dir(root().join("docs/errors"))
        .unwrap()
        .map(|entry| format!("docs/errors/{}", entry.unwrap().file_name().into_string().unwrap()))
        .collect();
    check_pages(pages.iter().map(String::as_str));
}

/// What is wrong with a page of one block with this mark.
fn check_block(info: &str, text: &str) -> String {
    check("page", &format!("# Page\n\n```{info}\n{text}```\n")).join("\n")
}

#[test]
fn what_is_not_true_is_noticed() {
    assert_eq!(check_block("orch", "fn f() -> Int = 1\n"), "");
    assert!(check_block("orch", "fn f() -> Int = x\n").starts_with("page:3: does not compile\nerror[E0201]"));
    assert_eq!(check_block("orch", "fn f() -> Int =  1\n"), "page:3: is not in the one style");
    assert_eq!(check_block("orch loose", "fn f() -> Int =  1\n"), "");
    assert_eq!(check_block("orch error=E0201", "fn f() -> Int = x\n"), "");
    assert!(check_block("orch error=E0202", "fn f() -> Int = x\n").contains("gives other codes"));
    assert!(check_block("orch error=E0201", "fn f() -> Int = 1\n").contains("gives other codes"));
    assert!(check_block("orch evil", "").contains("unknown mark: `evil`"));
    assert!(check_block("output", "x\n").contains("is the output of nothing"));
    assert_eq!(check_block("toml", "not = [orch\n"), "");
}

#[test]
fn values_are_compared() {
    let block = "fn f(x: Int) -> Int = match x {\n  0 => 1,\n  _ => x,\n}\n\nf(0) => 1\n[1, 2].map(x => x * 2) => [2, 4]\n\"a => b\" => \"a => b\"\n1 / 0 => fails E0802\n";
    assert_eq!(check_block("orch eval", block), "");
    for (line, message) in [
        ("1 + 1 => 3\n", "1 + 1 => 2, not 3"),
        ("1 / 0 => 1\n", "1 / 0 => fails E0802, not 1"),
        ("1 / 1 => fails E0802\n", "1 / 1 => 1, not fails E0802"),
        ("1 + => 1\n", "fails to compile"),
        ("1 + 1\n", "has no line `expression => value`"),
        ("1 => 1\n2\n", "has a line without `=>` among its values: 2"),
    ] {
        let wrong = check_block("orch eval", line);
        assert!(wrong.contains(message), "{line}{wrong}");
    }
}

#[test]
fn outputs_are_compared_and_written_anew() {
    let text = "fn f() -> Int = x\n";
    let mut page = format!("```orch error=E0201\n{text}```\n\n```output\n{}```\n", shown(text));
    assert_eq!(check("page", &page), [""; 0]);
    let whole = page.clone();
    page = page.replace("there is no value", "no value");
    assert!(check("page", &page)[0].starts_with("page:5: is not what is shown:\nerror[E0201]"));
    assert_eq!(updated(&page), whole);
    let mut apart = String::new();
    let _ = write!(apart, "{}", whole.replace("\n\n```output", "\nBut:\n\n```output"));
    assert!(check("page", &apart)[0].contains("is the output of nothing"));
}
