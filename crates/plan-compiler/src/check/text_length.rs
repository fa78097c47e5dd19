//! How long the text of a value can be: what makes the bounds of templates and of `to_json`.

use plan_ir::range::{hull_length, product, sum};
use schema::types::{IntRange, LengthRange, Type, TypeDef, TypeDefs};

/// The longest shortest decimal of a double: sign, 17 digits, point, `e-308`.
const FLOAT_CHARS_MAX: u64 = 24;
/// The longest `0.000000001 TAO`: 20 digits, point, unit.
const AMOUNT_CHARS_MAX: u64 = 26;
/// The longest `-P106751991DT4H0M54.775808S`.
const DURATION_CHARS_MAX: u64 = 32;
/// `2026-11-22T09:44:00.123456Z`.
const TIME_CHARS: LengthRange = LengthRange { min: 20, max: Some(27) };
/// A letter and a colon at least.
pub(super) const URL_LENGTH: LengthRange = LengthRange { min: 2, max: Some(schema::limits::URL_LENGTH_MAX) };
/// `\u{..}` of a control character in JSON.
const ESCAPE_CHARS_MAX: u64 = 6;
/// Types nested deeper than this have no bound.
const LEVELS_MAX: u32 = 8;

/// The length of a value in a template.
pub(super) fn shown_length(ty: &Type, defs: &TypeDefs) -> LengthRange {
    let within = |min, max| LengthRange { min, max: Some(max) };
    match ty {
        Type::String(range) => *range,
        Type::Url => URL_LENGTH,
        Type::Bool => within(4, 5),
        Type::Int(range) => int_length(*range),
        Type::Float(_) => within(3, FLOAT_CHARS_MAX),
        Type::Amount => within(5, AMOUNT_CHARS_MAX),
        Type::Duration => within(3, DURATION_CHARS_MAX),
        Type::Time => TIME_CHARS,
        Type::Named(def) => match defs.get(*def) {
            Some(TypeDef::Enum(def)) => {
                let lengths = def.variants.iter().map(|v| v.name.chars().count() as u64);
                within(lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0))
            }
            _ => LengthRange::FULL,
        },
        _ => LengthRange::FULL,
    }
}

fn int_length(range: IntRange) -> LengthRange {
    let length = |value: i64| value.to_string().len() as u64;
    let ends = [length(range.min), length(range.max)];
    let longest = ends.into_iter().max().unwrap_or(1);
    let shortest = if range.min <= 0 && range.max >= 0 { 1 } else { ends.into_iter().min().unwrap_or(1) };
    LengthRange { min: shortest, max: Some(longest) }
}

/// The length of a value's JSON text.
pub(super) fn json_length(ty: &Type, defs: &TypeDefs) -> LengthRange {
    json_at(ty, defs, LEVELS_MAX)
}

fn json_at(ty: &Type, defs: &TypeDefs, levels: u32) -> LengthRange {
    let Some(levels) = levels.checked_sub(1) else { return LengthRange::FULL };
    let brackets = LengthRange::exactly(2);
    let quoted = |length: LengthRange| LengthRange {
        min: length.min.saturating_add(2),
        max: length.max.and_then(|max| max.checked_mul(ESCAPE_CHARS_MAX)?.checked_add(2)),
    };
    match ty {
        Type::String(range) => quoted(*range),
        Type::Url | Type::Time | Type::Duration => quoted(shown_length(ty, defs)),
        // In JSON no space stands before the unit: `0USD`.
        Type::Amount => quoted(LengthRange { min: 4, max: Some(AMOUNT_CHARS_MAX) }),
        Type::Int(_) | Type::Float(_) | Type::Bool => {
            let length = shown_length(ty, defs);
            // `2.0` may be written as `2`.
            LengthRange { min: 1, ..length }
        }
        // A comma per element, and the brackets.
        Type::List(element, count) => {
            sum(brackets, product(*count, sum(json_at(element, defs, levels), LengthRange::up_to(1))))
        }
        Type::Optional(inner) => {
            let inner = json_at(inner, defs, levels);
            LengthRange { min: inner.min.min(4), max: inner.max.map(|max| max.max(4)) }
        }
        Type::Named(def) => match defs.get(*def) {
            Some(TypeDef::Record(def)) => {
                let mut length = brackets;
                for field in &def.fields {
                    let key = field.name.chars().count() as u64;
                    let key = LengthRange { min: 0, max: key.checked_mul(ESCAPE_CHARS_MAX).map(|k| k + 4) };
                    let value = json_at(&field.ty, defs, levels);
                    length = sum(length, sum(key, LengthRange { min: 0, ..value }));
                }
                length
            }
            Some(TypeDef::Enum(def)) if def.variants.iter().all(|v| v.payload.is_none()) => {
                let longest = def.variants.iter().map(|v| v.wire.chars().count() as u64).max();
                LengthRange { min: 1, max: longest }
            }
            _ => LengthRange { min: 1, max: None },
        },
        Type::Result(ok, err) => {
            let wrapped = |ty| sum(LengthRange { min: 0, max: Some(16) }, json_at(ty, defs, levels));
            hull_length(wrapped(ok), wrapped(err))
        }
        _ => LengthRange { min: 1, max: None },
    }
}
