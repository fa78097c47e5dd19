//! Every body holds of the corpus, of mutations of it, and of the largest inputs there can be.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use fuzz_bodies::{BODIES, Body};

/// Mutations that are tried of each file of the corpus.
const MUTATIONS: usize = 60;
/// Longest input that is mutated; the corpus has a few larger ones, which are only read.
const MUTATED_BYTES_MAX: usize = 3_000;

/// What turns one text into another: marks and words of the language, and bytes that are no text.
const WORDS: [&[u8]; 40] = [
    b"(",
    b")",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"\"\"\"",
    b",",
    b";",
    b":",
    b".",
    b"..",
    b"?.",
    b"??",
    b"->",
    b"=>",
    b"=",
    b"==",
    b"-",
    b"!",
    b"\n",
    b"\r\n",
    b"// c\n",
    b"/// d\n",
    b" let x = ",
    b" if ",
    b" else ",
    b" match ",
    b" for x in ",
    b" with ",
    b" as ",
    b" call ",
    b"plan p() -> Int {",
    b"fn f() -> Int = ",
    b"0",
    b"99999999999999999999",
    b"\0",
    b"\xff\xfe",
    b"\xe2\x80\xae",
];

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides.max(1) as u64).unwrap()
    }
}

/// A few changes: bytes lost, doubled, moved, flipped, words put in.
fn mutated(input: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len() + 1);
        let end = (at + 1 + dice.roll(20)).min(bytes.len());
        match dice.roll(6) {
            0 => drop(bytes.drain(at.min(end)..end)),
            1 => {
                let part = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, part);
            }
            2 => {
                let part: Vec<u8> = bytes.drain(at.min(end)..end).collect();
                let to = dice.roll(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            _ => {
                let word = WORDS[dice.roll(WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
    bytes
}

/// The corpus of a body, by name; the bodies that read plans share theirs.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folders: &[&str] = match name {
        "parse" | "format" | "check" => &["parse", "format", "check"],
        "schema" => &["schema"],
        _ => &["lock"],
    };
    let mut files: Vec<(String, Vec<u8>)> = folders
        .iter()
        .flat_map(|folder| {
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder)).unwrap()
        })
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "the corpus of {name} is too small");
    files
}

fn run(name: &str) {
    let (_, body): (_, Body) = *BODIES.iter().find(|(other, _)| *other == name).unwrap();
    for (file, input) in corpus(name) {
        println!("{file}");
        body(&input);
        if input.len() <= MUTATED_BYTES_MAX {
            let mut dice = Dice(input.len() as u64);
            for _ in 0..MUTATIONS {
                let other = mutated(&input, &mut dice);
                // Shown where the body panics.
                println!("{}", String::from_utf8_lossy(&other));
                body(&other);
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
fn every_body_has_a_target_for_fuzzers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for (name, _) in BODIES {
        let target = fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("fuzz_bodies::{name}(data)")), "{target}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{manifest}");
    }
}

/// As large and as deep as can be written: each is answered, by the code that belongs to it.
#[test]
fn bombs() {
    let deep = |open: &str, close: &str, levels: usize| {
        format!("fn f() -> Int = {}1{}\n", open.repeat(levels), close.repeat(levels))
    };
    let cases: [(&str, String, &str); 12] = [
        ("1 MiB and a byte", "// x\n".repeat(209_716), "E0101"),
        ("brackets", deep("(", ")", 500_000), "E0102"),
        ("open brackets", format!("fn f() -> Int = {}", "[".repeat(1_000_000)), "E0102"),
        ("braces of a text", format!("fn f() -> String = \"{}", "{".repeat(1_000_000)), "E0102"),
        ("minus", format!("fn f() -> Int = {}1\n", "-".repeat(1_000_000)), "E0105"),
        ("operators", format!("fn f() -> Int = 1{}\n", " + 1".repeat(250_000)), "E0105"),
        ("fields", format!("fn f(x: Int) -> Int = x{}\n", ".y".repeat(500_000)), "E0105"),
        ("NUL", format!("fn f() -> Int = {}1\n", "\0".repeat(1_000)), "E0104"),
        ("one long line", format!("fn f() -> [Int] = [{}]\n", "1, ".repeat(349_000)), ""),
        ("one long name", format!("fn {}() -> Int = 1\n", "f".repeat(1_000_000)), ""),
        ("one long text", format!("fn f() -> String = \"{}\"\n", "x".repeat(1_000_000)), ""),
        ("mixed line ends", "fn f() -> Int = 1\r\nfn g() -> Int =\n  2\r\n\n".to_owned(), ""),
    ];
    for (what, text, code) in cases {
        let parse = plan_lang::parse(&text);
        let codes: Vec<&str> = parse.diagnostics().iter().map(|found| found.code.as_str()).collect();
        if code.is_empty() {
            assert!(codes.is_empty(), "{what}: {codes:?}");
        } else {
            assert!(codes.contains(&code), "{what}: {codes:?}");
        }
        fuzz_bodies::check(text.as_bytes());
        fuzz_bodies::format(text.as_bytes());
    }
}
