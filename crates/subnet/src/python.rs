//! Python's `str()` of JSON values, byte for byte.
//!
//! A v10 axon hashes `str(value)` of each signed field, so a caller must write floats, quotes, escapes, `None`
//! and `True` exactly as Python does. `tests/peers/vectors/python_repr.json` holds Python's own answers.

mod printable;

use std::fmt::Write as _;

use serde_json::Value;

/// `str(value)` as Python prints a value that was read from this JSON.
///
/// A string at the top stands for itself; inside a list or map it is written as `repr` does. Map entries keep
/// their order. Numbers beyond 64 bits are not represented by [`Value`] and are printed as the float it holds.
#[must_use]
pub fn str_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => {
            let mut out = String::new();
            write_repr(&mut out, other);
            out
        }
    }
}

fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => match (number.is_f64(), number.as_f64()) {
            (true, Some(float)) => write_float(out, float),
            _ => drop(write!(out, "{number}")),
        },
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, item)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_string(out, name);
                out.push_str(": ");
                write_repr(out, item);
            }
            out.push('}');
        }
    }
}

/// The exponent from which on Python prints a float as `1e+16`.
const FLOAT_EXPONENT_LIMIT: i32 = 16;
/// Below `1e-4` Python prints a float as `1e-05`.
const FLOAT_EXPONENT_FLOOR: i32 = -4;

/// `repr(float)`: the shortest digits that read back as the same number, in Python's choice of notation.
fn write_float(out: &mut String, float: f64) {
    // Rust's `{:e}` has the same shortest digits, always as `d.ddde<exponent>`.
    let scientific = format!("{float:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        out.push_str(&scientific);
        return;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (FLOAT_EXPONENT_FLOOR..FLOAT_EXPONENT_LIMIT).contains(&exponent) {
        let plain = format!("{float}");
        out.push_str(&plain);
        if !plain.contains('.') {
            out.push_str(".0");
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
}

/// `repr(str)`: single quotes unless only double quotes avoid an escape.
fn write_string(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if printable::is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::str_of;

    #[test]
    fn strings_inside_lists_choose_quotes_and_escapes_as_python_does() {
        let odd =
            json!(["\u{200b}\u{a0}\u{ad}", "\0\u{7f}\u{1b}", "it's \"both\"", "\u{1f600}\u{e000}\u{10ffff}"]);
        assert_eq!(
            str_of(&odd),
            r#"['\u200b\xa0\xad', '\x00\x7f\x1b', 'it\'s "both"', '😀\ue000\U0010ffff']"#
        );
    }

    #[test]
    fn floats_switch_notation_where_python_does() {
        let written = |text: &str| str_of(&serde_json::from_str::<Value>(text).expect("json"));
        for (json, python) in [
            ("9999999999999998.0", "9999999999999998.0"),
            ("1e16", "1e+16"),
            ("-1e-4", "-0.0001"),
            ("0.00009", "9e-05"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("5e-324", "5e-324"),
            ("100.0", "100.0"),
        ] {
            assert_eq!(written(json), python);
        }
    }
}
