//! What the arms of a `match` take, and what is left for those behind.

use crate::common::shown;
use crate::rules::table;

#[test]
fn matches_take_every_value() {
    let e = "enum Inner { X, Y }\nenum Outer { A(Inner), B, C(Int?) }\n";
    let arms = |arms: &str| format!("{e}fn f(o: Outer) -> Int = match o {{ {arms} }}");
    table(&[
        (&arms("A(X) => 1, A(Y) => 2, B => 3, C(null) => 4, C(n) => 5"), &[]),
        (&arms("A(X) => 1, B => 3, C(_) => 4"), &["E0501"]),
        (&arms("A(_) => 1, C(_) => 4, B => 2, A(X) => 3"), &["W0905"]),
        (&arms("A(X) => 1, A(Y) => 2, A(_) => 3, B => 4, C(_) => 5"), &["W0905"]),
        (&arms("A(Y) => 1, A(X) => 2, B => 3, C(null) => 4, C(1) => 5, C(n) => 6, _ => 7"), &["W0905"]),
        (&arms("B => 1, C(1) => 2, C(1) => 3, C(2) => 4, _ => 5, A(X) => 6"), &["W0905", "W0905"]),
        (&arms("A => 1, B => 2, C => 3"), &[]),
        (&arms("Outer.A(_) => 1, Outer.B => 2, Outer.C(_) => 3"), &[]),
        (&arms("Inner.X => 1, _ => 2"), &["E0503"]),
        (&arms("B(_) => 1, _ => 2"), &["E0317"]),
        ("fn f(b: Bool) -> Int = match b { true => 1, false => 0 }", &[]),
        ("fn f(n: Int(0..2)) -> Int = match n { 0 => 1, 1 => 2, 2 => 3 }", &[]),
        ("fn f(n: Int) -> Int = match n { 0 => 1, 1 => 2 }", &["E0501"]),
        ("fn f(t: String) -> Int = match t { \"a\" => 1, _ => 2 }", &[]),
        ("fn f(t: String) -> Int = match t { 1 => 1, _ => 2 }", &["E0503"]),
        ("fn f(t: String) -> Int = match t { null => 1, _ => 2 }", &["E0503"]),
        ("fn f(r: Result<Int, String>) -> Int = match r { Ok(n) => n, Err(_) => 0 }", &[]),
        ("fn f(r: Result<Int, String>) -> Int = match r { Ok(n) => n }", &["E0501"]),
        ("fn f(x: Json) -> Int = match x { null => 0, _ => 1 }", &[]),
        ("fn f(x: Json) -> Int = match x { 1 => 0, _ => 1 }", &["E0503"]),
    ]);
}

#[test]
fn behind_null_a_name_is_something_in_every_place() {
    let e = "enum D { A(Int?), B(Result<Int?, String?>), C, N(E) }\nenum E { X(Int?), Y }\n";
    let arms = |of: &str, arms: &str| format!("{e}fn f(d: {of}) -> Int = match d {{ {arms} }}");
    table(&[
        (&arms("D", "A(null) => 0, A(n) => n + 1, _ => 2"), &[]),
        (&arms("D", "A(null) => 0, A(n) => n + 1, B(_) => 2, C => 3, N(_) => 4"), &[]),
        (&arms("D", "A(null) => 0, A(3) => 1, A(n) => n, _ => 2"), &[]),
        (&arms("D?", "A(null) => 0, A(n) => n, null => 1, _ => 2"), &[]),
        (&arms("D", "B(Ok(null)) => 0, B(Ok(n)) => n, B(Err(null)) => 1, B(Err(s)) => s.len(), _ => 2"), &[]),
        (&arms("D", "N(X(null)) => 0, N(X(n)) => n, N(Y) => 1, _ => 2"), &[]),
        // Another place is another null.
        (&arms("D", "A(null) => 0, N(X(n)) => n, _ => 2"), &["E0502"]),
        (&arms("D", "B(Ok(null)) => 0, B(Err(s)) => s.len(), _ => 2"), &["E0502"]),
        (&arms("D?", "null => 0, A(n) => n, _ => 2"), &["E0502"]),
        (&arms("D", "A(n) => n, A(null) => 0, _ => 2"), &["E0502", "W0905"]),
        // What is left and what is taken.
        (&arms("D", "A(null) => 0, B(_) => 2, C => 3, N(_) => 4"), &["E0501"]),
        (&arms("D", "A(null) => 0, A(_) => 1, B(_) => 2, C => 3, N(_) => 4"), &[]),
        (&arms("D", "A(null) => 0, A(n) => n, A(_) => 1, _ => 2"), &["W0905"]),
        (&arms("D", "A(null) => 0, A(null) => 1, A(n) => n, _ => 2"), &["W0905"]),
        (&arms("D", "B(Ok(_)) => 0, B(Err(null)) => 1, A(_) => 2, C => 3, N(_) => 4"), &["E0501"]),
        (&arms("D", "B(null) => 0, _ => 2"), &["E0503"]),
    ]);
    let forgotten = shown(&arms("D", "A(null) => 0, B(_) => 2, C => 3, N(X(null)) => 4"));
    assert!(forgotten.contains("this `match` forgets `A(_)`, `N(X(_))`, `N(Y)`"), "{forgotten}");
}

#[test]
fn a_match_without_arms_forgets_every_value() {
    table(&[
        ("fn f(n: Int) -> Int = match n {}", &["E0501"]),
        ("fn f(b: Bool) -> Int = match b {}", &["E0501"]),
        ("fn f(s: String) -> Int = match s {}", &["E0501"]),
        ("fn f(n: Int?) -> Int = match n {}", &["E0501"]),
        ("fn f(r: Result<Int, String>) -> Int = match r {}", &["E0501"]),
        ("enum Mood { Good, Bad }\nfn f(m: Mood) -> Int = match m {}", &["E0501"]),
        ("fn f(n: Int) -> Int = {\n  let a = match n {}\n  a\n}", &["E0501"]),
    ]);
}
