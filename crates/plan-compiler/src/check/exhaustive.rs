//! Which values a `match` forgets, and which arms nothing reaches.

use std::collections::BTreeMap;
use std::ops::Bound;

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
    variants: &[(&str, Option<&Type>)],
    defs: &TypeDefs,
) -> Vec<String> {
    let mut cases = Vec::new();
    let payloads = payloads(patterns);
    for ((name, payload), place) in variants.iter().zip(0_u32..) {
        let inside = payloads.get(&place).map_or(&[][..], Vec::as_slice);
        match payload {
            Some(_) if inside.is_empty() => cases.push(format!("{name}(_)")),
            None if inside.is_empty() => cases.push((*name).to_owned()),
            None => {}
            Some(ty) => {
                let forgotten = missing(inside, ty, defs);
                cases.extend(forgotten.into_iter().map(|case| format!("{name}({case})")));
            }
        }
        if cases.len() > CASES_MAX {
            break;
        }
    }
    cases
}

/// The patterns for the payload of each variant; one without a pattern takes all.
fn payloads<'p>(patterns: &[&'p Pattern]) -> BTreeMap<u32, Vec<&'p Pattern>> {
    let mut found: BTreeMap<u32, Vec<&Pattern>> = BTreeMap::new();
    for pattern in patterns {
        if let Pattern::Variant(place, inner) = pattern {
            found.entry(*place).or_default().push(inner.as_deref().unwrap_or(&Pattern::Any));
        }
    }
    found
}

/// For each pattern, whether those before it take everything it matches.
pub(super) fn unreachable(patterns: &[Pattern], ty: &Type, defs: &TypeDefs) -> Vec<bool> {
    let mut before: BTreeMap<Vec<Step>, &Pattern> = BTreeMap::new();
    let mut covered = Vec::new();
    for pattern in patterns {
        let steps = steps(pattern);
        let mut wider = (0..=steps.len()).filter_map(|len| steps.get(..len));
        let taken = wider.any(|wider| before.contains_key(wider));
        covered.push(taken || taken_together(&before, &steps, ty, defs));
        before.entry(steps).or_insert(pattern);
    }
    covered
}

/// What a value is asked from outside in. A pattern is a chain of these; one that does not end in a
/// literal takes all that is left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Present,
    Variant(u32),
    /// The literal in debug form: values have no order of their own.
    Literal(String),
}

fn steps(pattern: &Pattern) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut inner = Some(pattern);
    while let Some(pattern) = inner {
        inner = match pattern {
            Pattern::Any | Pattern::Bind(_) => None,
            Pattern::Literal(value) => {
                steps.push(Step::Literal(format!("{value:?}")));
                None
            }
            Pattern::Variant(place, inner) => {
                steps.push(Step::Variant(*place));
                inner.as_deref()
            }
            Pattern::Present(inner) => {
                steps.push(Step::Present);
                Some(inner)
            }
        };
    }
    steps
}

/// Whether the narrower patterns `before` leave nothing to one of `steps`.
fn taken_together(
    before: &BTreeMap<Vec<Step>, &Pattern>,
    steps: &[Step],
    ty: &Type,
    defs: &TypeDefs,
) -> bool {
    // The order of the map puts all that start the same behind one another.
    let narrower = before.range::<[Step], _>((Bound::Included(steps), Bound::Unbounded));
    let inside: Vec<&Pattern> = narrower
        .take_while(|(other, _)| other.starts_with(steps))
        .filter_map(|(_, pattern)| inside(pattern, steps.len()))
        .collect();
    let Some(ty) = type_at(ty, steps, defs) else { return false };
    !inside.is_empty() && missing(&inside, ty, defs).is_empty()
}

/// What is left of a pattern behind its first `steps`.
fn inside(pattern: &Pattern, steps: usize) -> Option<&Pattern> {
    let mut pattern = pattern;
    for _ in 0..steps {
        pattern = match pattern {
            Pattern::Present(inner) => inner,
            Pattern::Variant(_, inner) => inner.as_deref().unwrap_or(&Pattern::Any),
            Pattern::Any | Pattern::Bind(_) | Pattern::Literal(_) => return None,
        };
    }
    Some(pattern)
}

/// The type behind `steps`; `None` behind a literal and a variant that carries nothing.
fn type_at<'t>(ty: &'t Type, steps: &[Step], defs: &'t TypeDefs) -> Option<&'t Type> {
    let mut ty = ty;
    for step in steps {
        ty = match (step, ty) {
            (Step::Present, Type::Optional(inner)) => inner,
            (Step::Variant(0), Type::Result(ok, _)) => ok,
            (Step::Variant(_), Type::Result(_, err)) => err,
            (Step::Variant(place), Type::Named(def)) => {
                defs.enumeration(*def)?.variants.get(*place as usize)?.payload.as_ref()?
            }
            _ => return None,
        };
    }
    Some(ty)
}

fn variants<'t>(ty: &'t Type, defs: &'t TypeDefs) -> Option<Vec<(&'t str, Option<&'t Type>)>> {
    match ty {
        Type::Result(ok, err) => Some(vec![("Ok", Some(&**ok)), ("Err", Some(&**err))]),
        Type::Named(def) => match defs.get(*def) {
            Some(TypeDef::Enum(def)) => {
                Some(def.variants.iter().map(|v| (v.name.as_str(), v.payload.as_ref())).collect())
            }
            _ => None,
        },
        _ => None,
    }
}
