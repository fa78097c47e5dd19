//! Numbers with their units are exact, or refused.

#![expect(clippy::panic, reason = "tests")]

use plan_lang::ast::{ExprKind, Item, Literal};
use plan_lang::{codes, parse};

/// What a number means, or what is said of it: the message and the reason.
fn literal(text: &str) -> Result<Literal, (String, String)> {
    let parse = parse(&format!("fn f() -> Int = {text}\n"));
    let [Item::Fn(function)] = &parse.ast().items[..] else { panic!("no function") };
    match (parse.diagnostics(), &function.body.kind) {
        ([], ExprKind::Literal(literal)) => Ok(literal.clone()),
        ([found], ExprKind::Error) => {
            assert_eq!((found.code, found.notes.len()), (codes::NUMBER_RANGE, 1), "{text}");
            Err((found.message.clone(), found.notes.concat()))
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn literals_are_exact() {
    for (text, expected) in [
        ("4", Literal::Int(4)),
        ("-9223372036854775808", Literal::Int(i64::MIN)),
        ("0.5", Literal::Float(0.5)),
        ("200ms", Literal::DurationUs(200_000)),
        ("0.001ms", Literal::DurationUs(1)),
        ("1.5h", Literal::DurationUs(5_400_000_000)),
        ("0.05TAO", Literal::Rao(50_000_000)),
        ("3rao", Literal::Rao(3)),
        ("0.02USD", Literal::MicroUsd(20_000)),
        ("0.000001USD", Literal::MicroUsd(1)),
        ("1.10USD", Literal::MicroUsd(1_100_000)),
    ] {
        assert_eq!(literal(text), Ok(expected), "{text}");
    }
}

/// In a range the sign is part of the number.
#[test]
fn the_least_number_is_a_bound() {
    let parse = parse("fn f(x: Int(-9223372036854775808..)) -> Int = x\n");
    assert_eq!(parse.diagnostics(), []);
    assert!(format!("{:?}", parse.ast().items).contains("Int(-9223372036854775808)"));
}

/// An end of a range has an exponent where messages show one, and is the number of the same digits.
#[test]
fn a_bound_may_have_an_exponent() {
    for (bound, is) in [
        ("5e-324", 5e-324),
        ("-1.5e300", -1.5e300),
        ("1e3", 1000.0),
        ("9.223372036854776e18", 2_f64.powi(63)),
    ] {
        let parse = parse(&format!("fn f(x: Float({bound}..)) -> Int = 1\n"));
        assert_eq!(parse.diagnostics(), [], "{bound}");
        assert!(format!("{:?}", parse.ast().items).contains(&format!("{:?}", Literal::Float(is))), "{bound}");
    }
    for (text, code) in [
        ("fn f(x: Float(..1e999)) -> Int = 1\n", codes::NUMBER_RANGE),
        ("fn f(x: Float(..1e)) -> Int = 1\n", codes::UNCLOSED),
        ("fn f(x: Float(..1e3s)) -> Int = 1\n", codes::UNCLOSED),
        ("fn f() -> Float = 1e3\n", codes::BAD_NUMBER),
    ] {
        let found: Vec<_> = parse(text).diagnostics().iter().map(|found| found.code).collect();
        assert_eq!(found, [code], "{text}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let large = "numbers, amounts and durations are 64-bit integers inside";
    let usd = "nothing is smaller than a micro-USD (10^-6 USD)";
    for (text, what, why) in [
        ("9223372036854775808".to_owned(), "too large", large),
        ("0.0000001USD".to_owned(), "too fine", usd),
        ("0.0005ms".to_owned(), "too fine", "nothing is smaller than a microsecond"),
        ("0.5rao".to_owned(), "too fine", "nothing is smaller than a rao (10^-9 TAO)"),
        ("9223372037TAO".to_owned(), "too large", large),
        (format!("{}USD", "9".repeat(60)), "too large", large),
        (format!("0.{}1USD", "0".repeat(60)), "too fine", usd),
        (format!("{}.0", "9".repeat(400)), "too large", large),
    ] {
        let (message, reason) = literal(&text).unwrap_err();
        assert!(message.ends_with(&format!("` is {what}")), "{message}");
        assert_eq!(reason, why, "{text}");
    }
}
