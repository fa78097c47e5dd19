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
#[derive(Debug)]
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
                let report = Diagnostic::error(codes::NUMBER_RANGE, format!("`{}` is {what}", shown(text)));
                let report = report.primary(span, "").note(why);
                let is_whole = text.len() <= DIGITS_SHOWN
                    && text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
                self.report(match is_whole {
                    true => report.help(format!("a `Float` has a point: `{text}.0`")),
                    false => report,
                });
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
    // An exponent reads as a unit; what is none was refused by the grammar.
    if digits.contains('.') || !unit.is_empty() {
        let float: f64 = text.parse().map_err(|_| Misfit::TooLarge)?;
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
