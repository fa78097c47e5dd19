//! Every body holds of the corpus, of mutations of it, and of the largest inputs there can be.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use fuzz_bodies::dice::Dice;
use fuzz_bodies::{TARGETS, Target};

/// Mutations that are tried of each file of the corpus; `PROPTEST_CASES=10000` makes a long run.
const MUTATIONS: usize = 30;
/// Longest input that is mutated; a few are larger, and only read.
const MUTATED_BYTES_MAX: usize = 3_000;

/// What turns one input into another: marks and words of the formats, and bytes that are no text.
const WORDS: [&str; 46] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\"\"\"",
    ",",
    ";",
    ":",
    ".",
    "..",
    "?.",
    "??",
    "->",
    "=>",
    "=",
    "==",
    "-",
    "!",
    "\\",
    "`",
    "#",
    "\n",
    "\r\n",
    "// c\n",
    "/// d\n",
    " let x = ",
    " if ",
    " else ",
    " match ",
    " for x in ",
    " with ",
    " as ",
    " call ",
    "\nplan p() -> Int {",
    "\nfn f() -> Int = ",
    "\"$ref\": \"#\",",
    "null",
    "0",
    "-1",
    "99999999999999999999",
    "\0",
    "\u{feff}",
    "\u{202e}",
];

/// A part of `bytes`, at most 20 long.
fn part(dice: &mut Dice, bytes: &[u8]) -> std::ops::Range<usize> {
    let start = dice.roll(bytes.len() + 1);
    start..(start + 1 + dice.roll(20)).min(bytes.len())
}

/// A few changes: bytes lost, doubled, moved, flipped, words and parts of other inputs put in.
fn mutated(input: &[u8], others: &[(PathBuf, Vec<u8>)], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.roll(4) {
        let part = self::part(dice, &bytes);
        let at = part.start;
        match dice.roll(7) {
            0 => drop(bytes.drain(part)),
            1 => drop(bytes.splice(at..at, bytes[part].to_vec())),
            2 => {
                let moved: Vec<u8> = bytes.drain(part).collect();
                let to = dice.roll(bytes.len() + 1);
                bytes.splice(to..to, moved);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            4 => {
                let (_, other) = &others[dice.roll(others.len())];
                let part = self::part(dice, other);
                bytes.splice(at..at, other[part].iter().copied());
            }
            _ => drop(bytes.splice(at..at, WORDS[dice.roll(WORDS.len())].bytes())),
        }
    }
    bytes
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The inputs that a target starts from, by name.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folders = target.corpus.iter().map(|folder| root().join(folder));
    let mut files: Vec<(PathBuf, Vec<u8>)> = folders
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "the corpus of {} is too small", target.name);
    files
}

/// An input and what it was made of, which are shown where the body panics.
struct Shown<'a>(&'a Path, &'a [u8]);

impl Shown<'_> {
    fn run(self, target: &Target) {
        (target.body)(self.1);
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}:\n{:?}", self.0.display(), String::from_utf8_lossy(self.1));
        }
    }
}

fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let mutations = wanted.unwrap_or(0).max(MUTATIONS);
    let files = corpus(target);
    for (file, input) in &files {
        Shown(file, input).run(target);
        if input.len() <= MUTATED_BYTES_MAX {
            let mut dice = Dice(input.len() as u64);
            for _ in 0..mutations {
                Shown(file, &mutated(input, &files, &mut dice)).run(target);
            }
        }
    }
}

#[test]
fn parse() {
    run("parse");
}

#[test]
fn format() {
    run("format");
}

#[test]
fn check() {
    run("check");
}

#[test]
fn schema() {
    run("schema");
}

#[test]
fn lock() {
    run("lock");
}

#[test]
fn openapi() {
    run("openapi");
}

#[test]
fn every_target_has_a_program_for_fuzzers() {
    let folder = root().join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for Target { name, .. } in TARGETS {
        let program = fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("fuzz_bodies::{name}(data)")), "{program}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{manifest}");
    }
}

/// As large and as deep as can be written: each is answered, by the codes that belong to it.
#[test]
fn bombs() {
    let deep = |open: &str, close: &str, levels: usize| {
        format!("fn f() -> Int = {}1{}\n", open.repeat(levels), close.repeat(levels))
    };
    let cases: [(&str, String, &[&str]); 16] = [
        ("1 MiB and a byte", "// x\n".repeat(209_716), &["E0101"]),
        ("brackets", deep("(", ")", 500_000), &["E0102"]),
        ("open brackets", format!("fn f() -> Int = {}", "[".repeat(1_000_000)), &["E0102"]),
        ("braces of a text", format!("fn f() -> String = \"{}", "{".repeat(1_000_000)), &["E0102"]),
        ("minus", format!("fn f() -> Int = {}1\n", "-".repeat(1_000_000)), &["E0105"]),
        ("operators", format!("fn f() -> Int = 1{}\n", " + 1".repeat(250_000)), &["E0105"]),
        ("fields", format!("fn f(x: Int) -> Int = x{}\n", ".y".repeat(500_000)), &["E0105"]),
        ("NUL", format!("fn f() -> Int = {}1\n", "\0".repeat(1_000)), &["E0104"]),
        ("a line of 200 KB", format!("fn f() -> [Int] = [{}]\n", "1, ".repeat(66_667)), &[]),
        ("one long line", format!("fn f() -> [Int] = [{}]\n", "1, ".repeat(349_000)), &[]),
        ("one long name", format!("fn {}() -> Int = 1\n", "f".repeat(1_000_000)), &[]),
        ("one long number", format!("fn f() -> Int = {}\n", "1".repeat(1_000_000)), &["E0137"]),
        ("one long text", format!("fn f() -> String = \"{}\"\n", "x".repeat(1_000_000)), &[]),
        ("one long comment", format!("// {}\nfn f() -> Int = 1\n", "x".repeat(1_000_000)), &[]),
        ("blanks", format!("fn f(){}-> Int = 1\n", " ".repeat(1_000_000)), &[]),
        ("open texts", format!("fn f() -> Int = {{\n{}}}\n", "\"x\n".repeat(99_999)), &["E0117"]),
    ];
    for (what, text, codes) in cases {
        let parse = plan_lang::parse(&text);
        let mut found: Vec<&str> = parse.diagnostics().iter().map(|found| found.code.as_str()).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, codes, "{what}");
        fuzz_bodies::check(text.as_bytes());
        fuzz_bodies::format(text.as_bytes());
    }
}
