//! Numbers with their units, as exact integers.

use super::Lower;
use crate::ast::{Literal, Percent};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::text::Span;

/// A unit: its spelling, how many of the smallest unit it is, and how to make the literal.
struct Unit {
    name: &'static str,
    factor: i128,
    literal: fn(i64) -> Literal,
    smallest: &'static str,
}

const US: fn(i64) -> Literal = Literal::DurationUs;

const UNITS: [Unit; 8] = [
    Unit { name: "ms", factor: 1_000, literal: US, smallest: "a microsecond" },
    Unit { name: "s", factor: 1_000_000, literal: US, smallest: "a microsecond" },
    Unit { name: "m", factor: 60_000_000, literal: US, smallest: "a microsecond" },
    Unit { name: "h", factor: 3_600_000_000, literal: US, smallest: "a microsecond" },
    Unit { name: "d", factor: 86_400_000_000, literal: US, smallest: "a microsecond" },
    Unit { name: "TAO", factor: 1_000_000_000, literal: Literal::Rao, smallest: "a rao (10^-9 TAO)" },
    Unit { name: "rao", factor: 1, literal: Literal::Rao, smallest: "a rao (10^-9 TAO)" },
    Unit { name: "USD", factor: 1_000_000, literal: Literal::MicroUsd, smallest: "a micro-USD (10^-6 USD)" },
];

/// Why a number is no literal.
#[derive(Debug, PartialEq)]
enum Misfit {
    TooLarge,
    TooFine(&'static str),
}

impl Lower {
    /// The literal that `text` spells, or a report and `None`.
    pub(super) fn number(&mut self, text: &str, span: Span) -> Option<Literal> {
        match literal(text) {
            Ok(literal) => Some(literal),
            Err(misfit) => {
                let (what, why) = match misfit {
                    Misfit::TooLarge => {
                        ("too large", "numbers, amounts and durations are 64-bit integers inside".to_owned())
                    }
                    Misfit::TooFine(smallest) => ("too fine", format!("nothing is smaller than {smallest}")),
                };
                self.report(
                    Diagnostic::error(codes::NUMBER_RANGE, format!("`{}` is {what}", shown(text)))
                        .primary(span, "")
                        .note(why),
                );
                None
            }
        }
    }

    /// The share that `text`, which ends in `%`, spells.
    pub(super) fn percent(&mut self, text: &str, span: Span) -> Percent {
        let hundredths = scaled(text.trim_end_matches('%'), 100, "a hundredth of a percent");
        match hundredths.map(u32::try_from) {
            Ok(Ok(hundredths)) if hundredths <= 10_000 => Percent(hundredths),
            other => {
                let why = if matches!(other, Err(Misfit::TooFine(_))) {
                    "nothing is smaller than a hundredth of a percent"
                } else {
                    "a share is at most 100%"
                };
                self.report(
                    Diagnostic::error(codes::NUMBER_RANGE, format!("`{}` is no share", shown(text)))
                        .primary(span, "")
                        .note(why),
                );
                Percent(10_000)
            }
        }
    }
}

/// As much of a number as a message shows; the longest that fits is shorter.
const DIGITS_SHOWN: usize = 40;

fn shown(text: &str) -> String {
    match text.get(..DIGITS_SHOWN) {
        Some(start) if start.len() < text.len() => format!("{start}.."),
        _ => text.to_owned(),
    }
}

fn literal(text: &str) -> Result<Literal, Misfit> {
    let digits_end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(digits_end).unwrap_or((text, ""));
    if let Some(unit) = UNITS.iter().find(|known| known.name == unit) {
        return scaled(digits, unit.factor, unit.smallest).map(unit.literal);
    }
    if digits.contains('.') {
        let float: f64 = digits.parse().map_err(|_| Misfit::TooLarge)?;
        return if float.is_finite() { Ok(Literal::Float(float)) } else { Err(Misfit::TooLarge) };
    }
    digits.parse().map(Literal::Int).map_err(|_| Misfit::TooLarge)
}

/// `digits` times `factor`, exactly.
fn scaled(digits: &str, factor: i128, smallest: &'static str) -> Result<i64, Misfit> {
    let (sign, digits) = digits.strip_prefix('-').map_or((1, digits), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    // 10^18 is more than any factor has zeros, so more digits can only be too fine.
    let power =
        u32::try_from(fraction.len()).ok().filter(|power| *power <= 18).ok_or(Misfit::TooFine(smallest))?;
    let parse = |digits: &str| -> Result<i128, Misfit> {
        if digits.is_empty() { Ok(0) } else { digits.parse().map_err(|_| Misfit::TooLarge) }
    };
    let parts = parse(fraction)? * factor;
    let one = 10_i128.pow(power);
    if parts % one != 0 {
        return Err(Misfit::TooFine(smallest));
    }
    let whole = parse(whole)?.checked_mul(factor).ok_or(Misfit::TooLarge)?;
    i64::try_from(sign * (whole + parts / one)).map_err(|_| Misfit::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(literal("9223372036854775808"), Err(Misfit::TooLarge));
        assert_eq!(literal("0.0000001USD"), Err(Misfit::TooFine("a micro-USD (10^-6 USD)")));
        assert_eq!(literal("0.0005ms"), Err(Misfit::TooFine("a microsecond")));
        assert_eq!(literal("0.5rao"), Err(Misfit::TooFine("a rao (10^-9 TAO)")));
        assert_eq!(literal("9223372037TAO"), Err(Misfit::TooLarge));
        assert_eq!(literal(&format!("{}USD", "9".repeat(60))), Err(Misfit::TooLarge));
        assert_eq!(
            literal(&format!("0.{}1USD", "0".repeat(60))),
            Err(Misfit::TooFine("a micro-USD (10^-6 USD)"))
        );
        assert_eq!(literal(&format!("{}.0", "9".repeat(400))), Err(Misfit::TooLarge));
    }
}
