//! A generator of texts, and what it found to be slow.

use std::time::{Duration, Instant};

use fuzz_bodies::dice::Dice;
use plan_lang::limits::MAX_SOURCE_BYTES;

use crate::{AIM_S, Time, measured, misses, shown};

/// Size of the texts that are tried; what is slow there is tried at full size.
const TRIED_BYTES: usize = 32 << 10;
/// How many times what a linear text may take at [`TRIED_BYTES`] makes it a suspect.
const SUSPECT: f64 = 1.5;
/// Suspects that are tried at full size.
const SUSPECTS_MAX: usize = 8;
/// Longest time at [`TRIED_BYTES`] of which full size is tried: a quadratic text would take a thousand times as long.
const HOPELESS_S: f64 = 1.0;

const TOKENS: &[&str] = &[
    "plan p() -> Int {\n",
    "fn f() -> Int = ",
    "fn f",
    "record R { ",
    "enum E { ",
    "policy p = { ",
    "test \"t\" {\n",
    "use sn1 { ",
    "use cap { ",
    "adapter a.b as c {\n",
    "capability c(",
    "edition 2026\n",
    "let x = ",
    "ensure ",
    "return ",
    "if ",
    "else ",
    "match x { ",
    "for x in xs ",
    "in ",
    "with ",
    "as ",
    "call f(",
    "call f(x) with { max_price: 1USD } ",
    "call f(x) with p\n",
    "call f(x)\n",
    "fallback: ",
    "budget: 1USD, ",
    "retry: { max: 3 }, ",
    "hedge: { after: 1s }, ",
    "tolerate: 100%, ",
    "run p(",
    "run q(x, xs)\n",
    "try ",
    "null",
    "true",
    "mock f => ",
    "fails ",
    "sequence [",
    "after 1s ",
    "assert ",
    "expect fails ",
    "x",
    "x ",
    "x, ",
    "x => ",
    "a: ",
    ".map(",
    "Foo",
    "String",
    "`a`",
    "_",
    "1",
    "1 ",
    "1..2",
    "0.5",
    "4s",
    "20%",
    "\"",
    "\"\"\"",
    "\"t\"",
    "\"{",
    "{x}",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ";",
    ":",
    ".",
    "..",
    "?",
    "?.",
    "??",
    "->",
    "=>",
    "=",
    "==",
    "&&",
    "+ ",
    "-",
    "!",
    "// c\n",
    "/// d\n",
    "///",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\u{e9}",
];

const HEADS: &[&str] = &[
    "",
    "plan p(xs: [Int](..9)) -> Int {\n",
    "use sn22 { web_crawl as f }\nplan p(x: Url, xs: [Url](..9)) -> Int with { budget: 9USD, deadline: 1h } {\n",
    "use sn22 { web_crawl as f }\npolicy p = { max_price: 1USD, budget: 1USD }\nplan q(x: Url, xs: [Url](..9)) -> Int {\n",
    "fn f(x: Int) -> Int = ",
    "fn f(x: Int) -> String = \"",
    "record R {\n",
    "test \"t\" {\n",
    "plan p() -> Int with {",
    "policy w = {",
    "fn f(",
    "enum E {",
    "fn f(x: Int) -> Int = match x {\n",
];

/// How deep something is opened before the part that repeats.
const DEPTHS: [usize; 7] = [0, 0, 1, 10, 60, 120, 127];

fn words(dice: &mut Dice, most: usize) -> String {
    let count = dice.roll(most + 1);
    (0..count).map(|_| TOKENS[dice.roll(TOKENS.len())]).collect()
}

/// Something opened, a part again and again, something closed.
#[derive(Debug)]
struct Recipe {
    head: String,
    open: String,
    depth: usize,
    unit: String,
    numbered: bool,
    separator: String,
    close: String,
}

impl Recipe {
    fn roll(dice: &mut Dice) -> Self {
        Self {
            head: format!("{}{}", HEADS[dice.roll(HEADS.len())], words(dice, 3)),
            open: words(dice, 2),
            depth: DEPTHS[dice.roll(DEPTHS.len())],
            unit: words(dice, 5),
            numbered: dice.roll(3) == 0,
            separator: words(dice, 1),
            close: if dice.roll(2) == 0 { words(dice, 2) } else { String::new() },
        }
    }

    fn text(&self, size: usize) -> String {
        let close = self.close.repeat(self.depth);
        let mut text = format!("{}{}", self.head, self.open.repeat(self.depth));
        let mut count = 0;
        loop {
            let number = if self.numbered { count.to_string() } else { String::new() };
            let part = format!("{}{number}{}", self.unit, self.separator);
            if part.is_empty() || text.len() + part.len() + close.len() > size {
                break;
            }
            text.push_str(&part);
            count += 1;
        }
        text + &close
    }
}

/// Tries texts for so long, and then the slowest at full size.
pub(crate) fn hunt(time: Duration, seed: u64) {
    let mut dice = Dice(seed);
    let start = Instant::now();
    let mut tried = 0;
    let mut slow: Vec<(Time, Recipe)> = Vec::new();
    let fair = AIM_S * TRIED_BYTES as f64 / MAX_SOURCE_BYTES as f64;
    while start.elapsed() < time {
        let recipe = Recipe::roll(&mut dice);
        let (time, _) = measured(&recipe.text(TRIED_BYTES));
        tried += 1;
        if time.total_s() > fair * SUSPECT {
            slow.push((time, recipe));
        }
    }
    slow.sort_by(|(a, _), (b, _)| b.total_s().total_cmp(&a.total_s()));
    println!(
        "{tried} texts of {} KiB tried, seed {seed}: {} take more than {SUSPECT} times their share of {AIM_S} s",
        TRIED_BYTES >> 10,
        slow.len()
    );
    let mut times = Vec::new();
    for (small, recipe) in slow.iter().take(SUSPECTS_MAX) {
        println!("{} at {} KiB  {recipe:?}", shown(*small), TRIED_BYTES >> 10);
        if small.total_s() > HOPELESS_S {
            // As if it were linear: too long in any case.
            let share = (MAX_SOURCE_BYTES / TRIED_BYTES) as u32;
            times.push(Time { compile: small.compile * share, format: small.format * share });
            continue;
        }
        let (half, _) = measured(&recipe.text(MAX_SOURCE_BYTES / 2));
        let (full, _) = measured(&recipe.text(MAX_SOURCE_BYTES));
        println!("{} at 1 MiB  x{:.2} a byte", shown(full), full.total_s() / half.total_s() / 2.0);
        times.push(full);
    }
    println!("{}", misses(&times));
}
