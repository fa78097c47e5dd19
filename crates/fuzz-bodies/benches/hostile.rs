//! scratch
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
use plan_compiler::{Options, Source, compile};
use schema::lock::Lock;
use std::time::Duration;

const TOKENS: &[&str] = &[
    "plan p() -> Int {\n",
    "fn f() -> Int = ",
    "record R { ",
    "enum E { ",
    "policy p = { ",
    "test \"t\" {\n",
    "use sn1 { ",
    "use cap { ",
    "adapter a.b as c {\n",
    "capability c(",
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
    "run p(",
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
    "Foo",
    "String",
    "`a`",
    "_",
    "1",
    "1 ",
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
    "?.",
    "??",
    "->",
    "=>",
    "=",
    "==",
    "&&",
    "-",
    "!",
    "// c\n",
    "/// d\n",
    "///",
    "\n",
    " ",
    "\r\n",
    "\t",
    "a: ",
    "x, ",
    "x => ",
    ".map(",
    "?",
    "edition 2026\n",
    "\u{e9}",
    "+ ",
    "1..2",
    "fn f",
];

const HEADS: &[&str] = &[
    "",
    "plan p(xs: [Int](..9)) -> Int {\n",
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

fn text(head: &str, unit: &str, size: usize) -> String {
    let mut t = String::with_capacity(size + 64);
    t.push_str(head);
    while t.len() + unit.len() <= size {
        t.push_str(unit);
    }
    t
}

fn cpu() -> Duration {
    let s = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(s.split(' ').next().unwrap().parse().unwrap())
}
fn run(text: &str) -> (Duration, Duration, Duration) {
    let a = cpu();
    let p = plan_lang::parse(text);
    drop(p);
    let b = cpu();
    let c = compile(&Source { name: "x.orch", text }, &Lock::empty(), &Options::default());
    drop(c);
    let c = cpu();
    let _ = plan_lang::format(text);
    let d = cpu();
    (b - a, c - b, d - c)
}

fn main() {
    if let Ok(file) = std::env::var("FILE") {
        let t = std::fs::read_to_string(file).unwrap();
        for _ in 0..std::env::var("N").map_or(1, |n| n.parse().unwrap()) {
            let (a, b, c) = run(&t);
            println!(
                "{:.2} parse {:.2} check {:.2} fmt {:.2}",
                (a + b + c).as_secs_f64(),
                a.as_secs_f64(),
                b.as_secs_f64(),
                c.as_secs_f64()
            );
        }
        return;
    }
    if let Ok(file) = std::env::var("UNITS") {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let (head, unit): (String, String) = serde_json::from_str(line).unwrap();
            let (a, b, c) = run(&text(&head, &unit, 1 << 20));
            println!(
                "{:.2} parse {:.2} check {:.2} fmt {:.2} {head:?} {unit:?}",
                (a + b + c).as_secs_f64(),
                a.as_secs_f64(),
                b.as_secs_f64(),
                c.as_secs_f64()
            );
        }
        return;
    }
    let seed: u64 = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(1);
    let mut s = seed;
    let mut rnd = move |n: usize| {
        s = s.wrapping_add(0x9E3779B97F4A7C15);
        let mut z = s;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D049BB133111EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    };
    let start = std::time::Instant::now();
    let mut count = 0;
    while start.elapsed().as_secs() < 560 {
        let mut words = |max: usize| -> String {
            let n = rnd(max + 1);
            (0..n).map(|_| TOKENS[rnd(TOKENS.len())]).collect()
        };
        let (pre, open, unit, close, sep) = (words(3), words(2), words(5), words(2), words(1));
        let head = HEADS[rnd(HEADS.len())];
        let depth = [0, 0, 1, 10, 60, 120, 127][rnd(7)];
        let numbered = rnd(3) == 0;
        let size: usize = 96 << 10;
        let mut t = format!("{head}{pre}");
        t.push_str(&open.repeat(depth));
        let mut i = 0;
        while t.len() < size && !(unit.is_empty() && sep.is_empty()) {
            t.push_str(&unit);
            if numbered {
                t.push_str(&i.to_string());
                i += 1;
            }
            t.push_str(&sep);
        }
        if rnd(2) == 0 {
            t.push_str(&close.repeat(depth));
        }
        count += 1;
        if std::env::var_os("LOG").is_some() {
            std::fs::write(format!("/tmp/hunt/cur{seed}"), &t).unwrap();
        }
        let (a, b, c) = run(&t);
        let worst = b.max(c).as_secs_f64();
        if worst > 0.19 {
            println!(
                "{:.3} parse {:.3} check {:.3} fmt {:.3} head={head:?} pre={pre:?} open={open:?}*{depth} unit={unit:?} sep={sep:?} num={numbered} close={close:?}",
                worst,
                a.as_secs_f64(),
                b.as_secs_f64(),
                c.as_secs_f64()
            );
        }
    }
    println!("{count} tried");
}
