//! When the arms of a branch are taken, in the words of the plan.

use schema::text_form::show_time;
use schema::types::{Type, TypeDefs};
use schema::value::Value;

use super::duration_literal;
use crate::expr::Pattern;
use crate::plan::{CompiledPlan, NodeBody};

/// Longest text of a literal, in characters.
const LITERAL_CHARS_MAX: usize = 24;

/// When each arm of a branch is taken, one text per arm: `if Bad("x")`, `otherwise`. Empty for a node that has no arms.
#[must_use]
pub fn arms(plan: &CompiledPlan, body: &NodeBody) -> Vec<String> {
    let NodeBody::Branch { scrutinee, patterns } = body else { return Vec::new() };
    let ty = plan.body.exprs.ty(scrutinee.body);
    patterns.iter().map(|pattern| arm(&plan.body.types, ty, pattern)).collect()
}

fn arm(defs: &TypeDefs, ty: Option<&Type>, pattern: &Pattern) -> String {
    match pattern {
        Pattern::Any | Pattern::Bind(_) => "otherwise".to_owned(),
        Pattern::Literal(Value::Bool(value)) => format!("if {value}"),
        Pattern::Present(inner) if is_open(inner) => "if not null".to_owned(),
        pattern => format!("if {}", text(defs, ty, pattern)),
    }
}

fn text(defs: &TypeDefs, ty: Option<&Type>, pattern: &Pattern) -> String {
    match pattern {
        Pattern::Any | Pattern::Bind(_) => "_".to_owned(),
        Pattern::Literal(value) => literal(value),
        Pattern::Present(inner) => match ty {
            Some(Type::Optional(of)) => text(defs, Some(of), inner),
            _ => text(defs, None, inner),
        },
        Pattern::Variant(index, payload) => {
            let (name, of) = variant(defs, ty, *index);
            match payload.as_deref() {
                None => name,
                Some(payload) if is_open(payload) => format!("{name}(..)"),
                Some(payload) => format!("{name}({})", text(defs, of.as_ref(), payload)),
            }
        }
    }
}

fn is_open(pattern: &Pattern) -> bool {
    matches!(pattern, Pattern::Any | Pattern::Bind(_))
}

/// Name and payload of a variant; its number where the type does not tell.
fn variant(defs: &TypeDefs, ty: Option<&Type>, index: u32) -> (String, Option<Type>) {
    match ty {
        Some(Type::Result(ok, _)) if index == 0 => ("Ok".to_owned(), Some((**ok).clone())),
        Some(Type::Result(_, err)) => ("Err".to_owned(), Some((**err).clone())),
        Some(Type::Optional(of)) => variant(defs, Some(of), index),
        Some(Type::Named(id)) => {
            let known = defs.enumeration(*id).and_then(|def| def.variants.get(index as usize));
            known.map_or_else(
                || (format!("variant {index}"), None),
                |known| (known.name.clone(), known.payload.clone()),
            )
        }
        _ => (format!("variant {index}"), None),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::String(value) => {
            let short: String = value.chars().take(LITERAL_CHARS_MAX).collect();
            let more = if short.len() < value.len() { "…" } else { "" };
            // Each arm is one line, whatever its text holds.
            format!("\"{}{more}\"", short.chars().map(character).collect::<String>())
        }
        Value::Amount(amount) => amount.to_string().replace(' ', ""),
        Value::Duration(us) => duration(*us),
        Value::Time(us) => {
            show_time(*us).map_or_else(|| "a literal".to_owned(), |time| format!("\"{time}\""))
        }
        _ => "a literal".to_owned(),
    }
}

/// A character of a text as a plan writes it.
fn character(c: char) -> String {
    match c {
        '"' | '\\' | '{' | '}' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if c.is_control() => format!("\\u{{{:X}}}", u32::from(c)),
        c => c.to_string(),
    }
}

/// A duration to the microsecond: unlike a bound, what an arm asks for is not rounded.
fn duration(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "" };
    let length = us.unsigned_abs();
    match length % 1_000 {
        0 => format!("{sign}{}", duration_literal(length)),
        rest => {
            let fraction = format!("{rest:03}");
            format!("{sign}{}.{}ms", length / 1_000, fraction.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::amount::{Amount, Currency};
    use schema::value::Value;

    use super::literal;

    #[test]
    fn literals_are_shown_as_a_plan_writes_them() {
        let shown = [
            Value::Amount(Amount::new(1_500_000, Currency::MicroUsd)),
            Value::Amount(Amount::new(1, Currency::Rao)),
            Value::Duration(4_000_000),
            Value::Duration(-1_500),
            Value::Time(0),
            Value::string("a \"b\" {\n\u{7}}"),
            Value::string("twenty-five characters, x"),
        ]
        .map(|value| literal(&value));
        assert_eq!(
            shown,
            [
                "1.5USD",
                "0.000000001TAO",
                "4s",
                "-1.5ms",
                "\"1970-01-01T00:00:00Z\"",
                r#""a \"b\" \{\n\u{7}\}""#,
                "\"twenty-five characters, …\"",
            ]
        );
    }
}
