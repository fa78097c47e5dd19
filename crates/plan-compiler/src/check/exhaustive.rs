//! Which values a `match` forgets, and which arms nothing reaches.

use std::collections::BTreeMap;
use std::ops::Bound;

use schema::types::{Type, TypeDef, TypeDefs};
use schema::value::Value;

use crate::hir::Pattern;

/// Ranges of `Int` up to this many numbers can be matched one by one.
const NUMBERS_MAX: i128 = 256;
/// Forgotten cases that a message names.
const NAMED_MAX: usize = 6;

/// The cases that no pattern takes.
#[derive(Default)]
pub(super) struct Forgotten {
    /// The first of them, as patterns a user would write.
    pub(super) named: Vec<String>,
    /// How many there are.
    pub(super) count: usize,
}

impl Forgotten {
    fn add(&mut self, case: impl FnOnce() -> String) {
        if self.named.len() < NAMED_MAX {
            self.named.push(case());
        }
        self.count += 1;
    }

    /// Adds those of a part, each as `case` writes it.
    fn add_all(&mut self, part: Self, case: impl FnMut(String) -> String) {
        let free = NAMED_MAX.saturating_sub(self.named.len());
        self.named.extend(part.named.into_iter().take(free).map(case));
        self.count += part.count;
    }
}

/// What no pattern takes; counted until there are `enough`.
pub(super) fn missing(patterns: &[&Pattern], ty: &Type, defs: &TypeDefs, enough: usize) -> Forgotten {
    let mut cases = Forgotten::default();
    if patterns.iter().any(|pattern| matches!(pattern, Pattern::Any | Pattern::Bind(_))) {
        return cases;
    }
    match ty {
        Type::Error => {}
        Type::Optional(inner) => {
            if !patterns.iter().any(|pattern| matches!(pattern, Pattern::Literal(Value::Null))) {
                cases.add(|| "null".into());
            }
            let inside: Vec<&Pattern> = patterns
                .iter()
                .filter_map(|pattern| match pattern {
                    Pattern::Present(inner) => Some(&**inner),
                    _ => None,
                })
                .collect();
            cases.add_all(missing(&inside, inner, defs, enough), |case| case);
        }
        Type::Bool => {
            let has =
                |value| patterns.iter().any(|p| matches!(p, Pattern::Literal(Value::Bool(b)) if *b == value));
            let forgotten = [true, false].into_iter().filter(|value| !has(*value));
            forgotten.for_each(|value| cases.add(|| value.to_string()));
        }
        Type::Int(range) if i128::from(range.max) - i128::from(range.min) < NUMBERS_MAX => {
            let has = |number: &i64| {
                patterns.iter().any(|p| matches!(p, Pattern::Literal(Value::Int(value)) if value == number))
            };
            let forgotten = (range.min..=range.max).filter(|number| !has(number));
            forgotten.for_each(|number| cases.add(|| number.to_string()));
        }
        _ => match variants(ty, defs) {
            Some(variants) => missing_variants(&mut cases, patterns, &variants, defs, enough),
            None => cases.add(|| "_".into()),
        },
    }
    cases
}

fn missing_variants(
    cases: &mut Forgotten,
    patterns: &[&Pattern],
    variants: &[(&str, Option<&Type>)],
    defs: &TypeDefs,
    enough: usize,
) {
    let payloads = payloads(patterns);
    for ((name, payload), place) in variants.iter().zip(0_u32..) {
        let inside = payloads.get(&place).map_or(&[][..], Vec::as_slice);
        match payload {
            Some(_) if inside.is_empty() => cases.add(|| format!("{name}(_)")),
            None if inside.is_empty() => cases.add(|| (*name).to_owned()),
            None => {}
            Some(ty) => {
                cases.add_all(missing(inside, ty, defs, enough), |case| format!("{name}({case})"));
            }
        }
        if cases.count >= enough {
            break;
        }
    }
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
    !inside.is_empty() && missing(&inside, ty, defs, 1).count == 0
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
