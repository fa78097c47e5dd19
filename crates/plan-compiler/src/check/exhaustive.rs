//! Which values a `match` forgets, and which arms nothing reaches.

use schema::types::{Type, TypeDef, TypeDefs};
use schema::value::Value;

use crate::hir::Pattern;

/// Ranges of `Int` up to this many numbers can be matched one by one.
const NUMBERS_MAX: i128 = 256;
/// Forgotten cases that are worth listing.
const CASES_MAX: usize = 64;

/// The cases that no pattern takes, as patterns a user would write; empty where all are taken.
pub(super) fn missing(patterns: &[&Pattern], ty: &Type, defs: &TypeDefs) -> Vec<String> {
    if patterns.iter().any(|pattern| matches!(pattern, Pattern::Any | Pattern::Bind(_))) {
        return Vec::new();
    }
    match ty {
        Type::Error => Vec::new(),
        Type::Optional(inner) => {
            let null = patterns.iter().any(|pattern| matches!(pattern, Pattern::Literal(Value::Null)));
            let inside: Vec<&Pattern> = patterns
                .iter()
                .filter_map(|pattern| match pattern {
                    Pattern::Present(inner) => Some(&**inner),
                    _ => None,
                })
                .collect();
            let mut cases = missing(&inside, inner, defs);
            if !null {
                cases.insert(0, "null".into());
            }
            cases
        }
        Type::Bool => {
            let has =
                |value| patterns.iter().any(|p| matches!(p, Pattern::Literal(Value::Bool(b)) if *b == value));
            [true, false].into_iter().filter(|value| !has(*value)).map(|value| value.to_string()).collect()
        }
        Type::Int(range) if i128::from(range.max) - i128::from(range.min) < NUMBERS_MAX => (range.min
            ..=range.max)
            .filter(|number| {
                !patterns.iter().any(|p| matches!(p, Pattern::Literal(Value::Int(value)) if value == number))
            })
            .map(|number| number.to_string())
            .collect(),
        _ => match variants(ty, defs) {
            Some(variants) => missing_variants(patterns, &variants, defs),
            None => vec!["_".into()],
        },
    }
}

fn missing_variants(
    patterns: &[&Pattern],
    variants: &[(String, Option<Type>)],
    defs: &TypeDefs,
) -> Vec<String> {
    let mut cases = Vec::new();
    for ((name, payload), place) in variants.iter().zip(0_u32..) {
        let inside = payloads(patterns.iter().copied(), place);
        match payload {
            _ if inside.is_empty() && payload.is_some() => cases.push(format!("{name}(_)")),
            _ if inside.is_empty() => cases.push(name.clone()),
            None => {}
            Some(ty) => {
                let forgotten = missing(&inside, ty, defs);
                cases.extend(forgotten.into_iter().map(|case| format!("{name}({case})")));
            }
        }
        if cases.len() > CASES_MAX {
            break;
        }
    }
    cases
}

/// The patterns for the payload of variant `place`; one without a pattern takes all.
fn payloads<'p>(patterns: impl Iterator<Item = &'p Pattern>, place: u32) -> Vec<&'p Pattern> {
    patterns
        .filter_map(|pattern| match pattern {
            Pattern::Variant(found, inner) if *found == place => {
                Some(inner.as_deref().unwrap_or(&Pattern::Any))
            }
            _ => None,
        })
        .collect()
}

/// Whether everything `pattern` matches is taken by the patterns `before` it.
pub(super) fn unreachable(before: &[Pattern], pattern: &Pattern, ty: &Type, defs: &TypeDefs) -> bool {
    covered(&before.iter().collect::<Vec<_>>(), pattern, ty, defs)
}

fn covered(before: &[&Pattern], pattern: &Pattern, ty: &Type, defs: &TypeDefs) -> bool {
    if before.is_empty() {
        return false;
    }
    if before.iter().any(|p| matches!(p, Pattern::Any | Pattern::Bind(_))) {
        return true;
    }
    match pattern {
        Pattern::Any | Pattern::Bind(_) => missing(before, ty, defs).is_empty(),
        Pattern::Literal(value) => {
            before.iter().any(|p| matches!(p, Pattern::Literal(other) if other == value))
        }
        Pattern::Present(inner) => {
            let Type::Optional(ty) = ty else { return false };
            let inside: Vec<&Pattern> = before
                .iter()
                .filter_map(|p| match p {
                    Pattern::Present(inner) => Some(&**inner),
                    _ => None,
                })
                .collect();
            covered(&inside, inner, ty, defs)
        }
        Pattern::Variant(place, inner) => {
            let inside = payloads(before.iter().copied(), *place);
            let variants = variants(ty, defs).unwrap_or_default();
            match variants.get(*place as usize) {
                Some((_, Some(payload))) => {
                    covered(&inside, inner.as_deref().unwrap_or(&Pattern::Any), payload, defs)
                }
                _ => !inside.is_empty(),
            }
        }
    }
}

fn variants(ty: &Type, defs: &TypeDefs) -> Option<Vec<(String, Option<Type>)>> {
    match ty {
        Type::Result(ok, err) => {
            Some(vec![("Ok".into(), Some((**ok).clone())), ("Err".into(), Some((**err).clone()))])
        }
        Type::Named(def) => match defs.get(*def) {
            Some(TypeDef::Enum(def)) => {
                Some(def.variants.iter().map(|v| (v.name.clone(), v.payload.clone())).collect())
            }
            _ => None,
        },
        _ => None,
    }
}
