use std::time::Instant;
fn main() {
    let fx = [include_str!("../tests/fixtures/analyse.orch"), include_str!("../tests/fixtures/answer.orch"), include_str!("../tests/fixtures/screen.orch"), include_str!("../tests/fixtures/everything.orch")];
    let all = fx.concat();
    let mut big = String::new();
    while big.lines().count() < 1000 { big.push_str(&all); }
    for _ in 0..3 {
    let t = Instant::now();
    let p = plan_lang::parse(&big);
    println!("{} lines {} bytes: {:?} diags {}", big.lines().count(), big.len(), t.elapsed(), p.diagnostics().len());
    let t = Instant::now();
    let q = p.update(&big);
    println!("update {:?} {}", t.elapsed(), q.diagnostics().len());
    }
    for unit in [
        "if a { 1 } else ", "x => ", "!", "- ", "1 + ", "x.", "x ?? ", "for x in ", "match ", "if ", "try ", "return ",
        "A<", "x as ", "after 1s ", "with ", "mock f => ", "let x = ", "ensure ", "\"", "/// ", "a: ", "=> ", "1 < ",
        "x as T?.y", ".f()", "[0]", " as T", "call f ", "run f() ", "else if a { 1 } ", "{", "(", "\"{", "[", "f(", "R {", "///\n", "x\n", "(\n", "//\n", "x =>\n", "\"\"\"", "test \"", "A(..", "}", ")", "@", "`", "\\", "plan ", "record A {"
    ] {
        for head in ["plan p() -> Int {\n  x", "test \"t\" {\n  mock f => ", "fn f() -> ", "record X { ", ""] {
            let mut times = vec![];
            for n in [2000, 4000] {
            let text = format!("{head}{}\n}}\n", unit.repeat(n));
            let t = Instant::now();
            let _ = plan_lang::parse(&text);
            times.push(t.elapsed().as_secs_f64()*1000.0);
            }
            if times[1] > 60.0 || times[1] > times[0]*2.7 && times[1] > 8.0 { println!("{unit:?} {head:?} {times:?}"); }
        }
    }
}
