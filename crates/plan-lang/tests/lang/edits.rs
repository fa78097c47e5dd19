//! A text that is edited again and again is at every step what it would be if it were read for the first time, whichever part of it is
//! read again, and into which parts it is cut for that.

#![expect(clippy::string_slice, reason = "tests")]

use plan_lang::syntax::SyntaxNode;
use plan_lang::{Chunk, Parse, parse};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::reference::{PIECES, TEXTS};

/// Asserts that both are the same in all that can be asked of them.
pub(crate) fn assert_same(fresh: &Parse, changed: &Parse, text: &str) {
    let nodes =
        |root: &SyntaxNode| root.descendants().map(|node| (node.kind(), node.span())).collect::<Vec<_>>();
    let tokens =
        |root: &SyntaxNode| root.all_tokens().map(|token| (token.kind(), token.span())).collect::<Vec<_>>();
    let (root, other) = (fresh.syntax(), changed.syntax());
    assert_eq!(nodes(&root), nodes(&other), "{text}");
    assert_eq!(tokens(&root), tokens(&other), "{text}");
    // What is as long and stands in the same place of the same text is the same.
    assert_eq!([root.text(), other.text()], [text, text]);
    assert_eq!(fresh.ast(), changed.ast(), "{text}");
    assert_eq!(fresh.diagnostics(), changed.diagnostics(), "{text}");
    assert_eq!(fresh.is_complete(), changed.is_complete(), "{text}");
    assert_eq!(changed.chunks().map(|chunk| chunk.text().to_string()).collect::<String>(), text);
    let names = |parse: &Parse| {
        let names = |chunk: &Chunk| chunk.names().map(str::to_owned).collect::<Vec<_>>();
        parse.chunks().map(|chunk| (chunk.items(), names(&chunk))).collect::<Vec<_>>()
    };
    assert_eq!(names(fresh), names(changed), "{text}");
}

/// Something that an editor does.
#[derive(Clone, Debug)]
enum Edit {
    Insert(Index, &'static str),
    Delete(Index, usize),
    /// Whole lines: one more of the same, one less, or two the other way round.
    Line(Index, usize),
    /// A word or number is another.
    Word(Index, &'static str),
    Statement(Index, &'static str),
}

const STATEMENTS: [&str; 10] = [
    "let odd = more.`({//`\n",
    "let text = more.`\"\"\"`; let deep = \"\"\" // ((((((((\n  \"\"\"\n",
    "let more = 1\n",
    "  let more = \"\"\"\n    a {more}\n      b\n    \"\"\"; ensure true else \"no\"\n",
    "ensure more > 1 // as it was\n  else \"no {more}\"\n",
    "more\n",
    ".len()\n",
    "as Int\n",
    "if more { 1 }\nelse { 2 }\n",
    "return more\n",
];

impl Edit {
    fn of(&self, text: &str) -> String {
        let at = |at: &Index| text.floor_char_boundary(at.index(text.len() + 1));
        let line = |at: usize| {
            let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
            (start, text[at..].find('\n').map_or(text.len(), |end| at + end + 1))
        };
        match self {
            Self::Insert(place, piece) => format!("{}{piece}{}", &text[..at(place)], &text[at(place)..]),
            Self::Delete(place, len) => {
                let end = text.ceil_char_boundary((at(place) + len).min(text.len()));
                format!("{}{}", &text[..at(place)], &text[end..])
            }
            Self::Line(place, how) => {
                let (start, end) = line(at(place));
                let own = &text[start..end];
                match how {
                    0 => format!("{}{own}{}", &text[..start], &text[start..]),
                    1 => format!("{}{}", &text[..start], &text[end..]),
                    _ => {
                        let next = line(end).1;
                        format!("{}{}{own}{}", &text[..start], &text[end..next], &text[next..])
                    }
                }
            }
            Self::Word(place, word) => {
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let before = text[..at(place)].trim_end_matches(|c| !is_word(c));
                let start = before.trim_end_matches(is_word).len();
                let end = text[start..].find(|c| !is_word(c)).map_or(text.len(), |end| start + end);
                format!("{}{word}{}", &text[..start], &text[end..])
            }
            Self::Statement(place, statement) => {
                let (start, _) = line(at(place));
                format!("{}{statement}{}", &text[..start], &text[start..])
            }
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    let word = prop::sample::select(&["x", "other", "12", "let", "as", "with"][..]);
    prop_oneof![
        1 => (place(), prop::sample::select(&PIECES[..])).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        1 => (place(), 1..12_usize).prop_map(|(at, len)| Edit::Delete(at, len)),
        2 => (place(), 0..3_usize).prop_map(|(at, how)| Edit::Line(at, how)),
        3 => (place(), word).prop_map(|(at, word)| Edit::Word(at, word)),
        2 => (place(), prop::sample::select(&STATEMENTS[..])).prop_map(|(at, text)| Edit::Statement(at, text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_text_is_as_if_it_were_new(which in any::<Index>(), edits in prop::collection::vec(edit(), 1..10)) {
        let mut text = which.get(&TEXTS[..]).clone();
        let mut known = parse(&text);
        let mut changing = known.clone();
        for edit in edits {
            let edited = edit.of(&text);
            changing.change(&edited);
            let fresh = parse(&edited);
            assert_same(&fresh, &changing, &edited);
            // What broke the text is taken back, as most edits of a broken one are of no interest.
            if fresh.has_errors() {
                changing.change(&text);
                assert_same(&known, &changing, &text);
            } else {
                (text, known) = (edited, fresh);
            }
        }
    }
}

/// What is counted and tried over a whole declaration is so after an edit, too.
#[test]
fn limits_of_a_plan_are_those_of_a_new_one() {
    let names = |count: usize, header: &str| {
        let lines: String = (0..count).map(|at| format!("  let a{at} = r.`(`\n")).collect();
        format!("plan p(r: R{header}) -> Int {{\n{lines}  1\n}}\n")
    };
    let list: String = (0..3_000).map(|at| format!("p{at},\n")).collect();
    let long = |start: usize, end: &str| {
        let [first, behind] = [("a", start), ("c", 65_000)];
        let mut text = String::from("plan p() -> Int {\n");
        let fill = |text: &mut String, (name, bytes): (&str, usize)| {
            while text.len() < bytes {
                text.push_str(&format!("  let {name} = 1\n"));
            }
        };
        fill(&mut text, first);
        text.push_str(&format!("  let b = call f() with {{ accept: ({list} z) => true }}\n"));
        fill(&mut text, behind);
        format!("{text}  let d = 1{end}\n  let e = 1\n  2\n}}\n")
    };
    for (before, after) in [
        (names(127, ""), names(128, "")),
        (names(127, ""), names(127, ", y: Int = r.`(`")),
        (long(10_000, ""), long(10_000, &" + 1".repeat(200))),
        (long(15_000, ""), long(15_000, &" + 1".repeat(200))),
        (long(17_000, ""), long(16_000, &" + 1".repeat(200))),
    ] {
        let mut changing = parse(&before);
        assert!(!changing.has_errors());
        changing.change(&after);
        assert_same(&parse(&after), &changing, &after);
    }
}

fn split(parse: &Parse) -> Vec<String> {
    parse.chunks().map(|chunk| chunk.text().to_string()).collect()
}

#[test]
fn chunks_start_at_docs_and_items_in_column_0() {
    let text = "// head\nedition 2026\n\n/// Docs.\n// aside\n\nplan p() -> Int {\n  fn\n}\n// x\nfn f() -> Int = 1\n";
    let chunks = split(&parse(text));
    assert_eq!(chunks.concat(), text);
    let first_lines: Vec<_> = chunks.iter().map(|chunk| chunk.lines().next().unwrap()).collect();
    assert_eq!(first_lines, ["// head", "edition 2026", "/// Docs.", "fn f() -> Int = 1"]);
}

#[test]
fn item_words_as_names_do_not_split() {
    for text in
        ["policy: String\n", "test(x)\n", "plan.x\n", "use = 1\n", "plan as Int\n", "plans x\n", "  fn f\n"]
    {
        assert_eq!(split(&parse(text)), [text]);
    }
    assert_eq!(split(&parse("")), [""]);
}

const PLAN: &str = "/// Docs.\nplan p(a: Int) -> Int {\n  let b = a\n  let c = b;  let d = c\n  ensure d > 1 else \"no\"\n  d\n}\n// end\n";

/// Whether only a part of [`PLAN`] is read again when `from` in it becomes `to`: then the rest of its tree is that of before.
fn is_partly_read(from: &str, to: &str) -> bool {
    let before = parse(PLAN);
    let text = PLAN.replacen(from, to, 1);
    let changed = before.update(&text);
    assert_same(&parse(&text), &changed, &text);
    let nodes = before.syntax().descendants().collect::<Vec<_>>();
    changed.syntax().descendants().any(|node| nodes.iter().any(|before| node.is_shared_with(before)))
}

#[test]
fn edits_read_only_what_is_around_them() {
    for (from, to) in [
        ("let b = a", "let b = a + 1"),
        ("let c = b;", "let c = b\n"),
        ("  let c", "  let more = a\n\n  // why\n  let c"),
        ("  ensure d > 1 else \"no\"\n", ""),
        ("> 1", "> \"\"\"\n {a}\n \"\"\".len()"),
        ("  d\n}", "  if d > 2 { 1 } else { d }\n}"),
        ("  d\n}", "  return d\n}"),
        ("  d\n}", "  let e = d\n  e // last\n}"),
        ("= c\n", "= c\n    .pow(2)\n"),
        ("a: Int", "a: Float, more: String(..9) = \"x\""),
        ("/// Docs", "/// More.\n/// Docs"),
        ("-> Int {", "-> Int(0..9) with { budget: 1USD }\n{"),
        ("// end\n", "\n// the end"),
    ] {
        assert!(is_partly_read(from, to), "{to}");
    }
}

#[test]
fn a_text_that_stays_is_not_read_again() {
    assert!(is_partly_read("", ""));
    let before = parse(PLAN);
    let after = before.update(PLAN);
    let both = before.syntax().descendants().zip(after.syntax().descendants());
    assert!(both.skip(1).all(|(before, after)| after.is_shared_with(&before)));
}

#[test]
fn all_else_is_read_as_a_whole() {
    for (from, to) in [
        ("a: Int", "a: "),
        ("-> Int {", "-> {"),
        ("// end\n", "x"),
        ("let b = a", "let b = "),
        ("let b", "// so\n  let b"),
        ("> 1", "> 1 } fn f() -> Int = { 1"),
        ("= c\n", "= c }\n"),
        ("= c\n", "= { c\n"),
        ("else \"no\"", "else \"\"\"no"),
        ("let d", "let D"),
        ("let d", "let\u{200b} d"),
        ("= c\n", "= (c\n"),
        ("\n}\n", "\n} plan q() -> Int {\n  d\n}\n"),
    ] {
        assert!(!is_partly_read(from, to), "{to}");
    }
}
