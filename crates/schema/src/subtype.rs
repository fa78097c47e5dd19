//! When every value of one type is a value of another.
//!
//! Ranges by inclusion, `T` below `T?`, lists, maps and results by their parts, a `Url` is text. Nothing
//! else converts: an `Int` is no `Float`. In the language records and enums are themselves only
//! ([`assignable`]); where the Ledger is the other side they are what they look like in JSON
//! ([`assignable_at_ledger`]).

use std::collections::BTreeSet;

use crate::limits::URL_LENGTH_MAX;
use crate::types::{DefId, EnumDef, LengthRange, RecordDef, Type, TypeDef, TypeDefs};

/// Why a value of one type may not be one of another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}", if path.is_empty() { String::new() } else { format!(", at `{path}`") })]
#[non_exhaustive]
pub struct Mismatch {
    /// Where in the type, such as `.data[].link`; empty for the type itself.
    pub path: String,
    /// What does not fit, in words.
    pub reason: String,
}

/// Whether every value of `from` is a value of `to`, in the same representation.
///
/// # Errors
/// [`Mismatch`] with the first part that does not fit.
///
/// ```
/// use schema::subtype::assignable;
/// use schema::types::{LengthRange, Type, TypeDefs};
/// let (short, long) = (Type::String(LengthRange::up_to(80)), Type::String(LengthRange::up_to(600)));
/// let defs = TypeDefs::new();
/// assert!(assignable(&short, &long.clone().optional(), &defs).is_ok());
/// let why = assignable(&Type::list(long), &Type::list(short), &defs).unwrap_err();
/// assert_eq!(why.to_string(), "String(..600) is not always String(..80), at `[]`");
/// ```
pub fn assignable(from: &Type, to: &Type, defs: &TypeDefs) -> Result<(), Mismatch> {
    Relation { defs, structural: false, assumed: BTreeSet::new() }.fits(from, to)
}

/// Whether every value of `from`, written as JSON, reads as a value of `to`: records by their fields,
/// enums by their literals, anything as `Json`.
///
/// # Errors
/// As [`assignable`].
pub fn assignable_at_ledger(from: &Type, to: &Type, defs: &TypeDefs) -> Result<(), Mismatch> {
    Relation { defs, structural: true, assumed: BTreeSet::new() }.fits(from, to)
}

struct Relation<'a> {
    defs: &'a TypeDefs,
    structural: bool,
    /// Pairs of definitions that are being compared further out. A recursive type fits if nothing on the
    /// way round speaks against it.
    assumed: BTreeSet<(DefId, DefId)>,
}

impl Relation<'_> {
    fn fits(&mut self, from: &Type, to: &Type) -> Result<(), Mismatch> {
        let fits = match (from, to) {
            (Type::Error, _) | (_, Type::Error) => true,
            (_, Type::Json) if self.structural => true,
            (Type::Optional(from), Type::Optional(to)) => return self.fits(from, to),
            // Opaque `null` is the absent value, too.
            (Type::Json, Type::Optional(_)) => false,
            (_, Type::Optional(to)) => return self.fits(from, to),
            (Type::Optional(_), _) => {
                let reason = format!("{} may be null, and {} may not", self.show(from), self.show(to));
                return Err(Mismatch { path: String::new(), reason });
            }
            (Type::Bool, Type::Bool)
            | (Type::Url, Type::Url)
            | (Type::Time, Type::Time)
            | (Type::Duration, Type::Duration)
            | (Type::Amount, Type::Amount)
            | (Type::Json, Type::Json) => true,
            (Type::Int(from), Type::Int(to)) => from.within(*to),
            (Type::Float(from), Type::Float(to)) => from.within(*to),
            (Type::String(from), Type::String(to)) | (Type::Bytes(from), Type::Bytes(to)) => from.within(*to),
            // The shortest absolute URL is a scheme of one letter and a colon.
            (Type::Url, Type::String(to)) => LengthRange { min: 2, max: Some(URL_LENGTH_MAX) }.within(*to),
            (Type::List(from_element, from_range), Type::List(to_element, to_range)) => {
                self.fits(from_element, to_element).map_err(|mismatch| mismatch.below("[]"))?;
                from_range.within(*to_range)
            }
            (Type::Map(from), Type::Map(to)) => {
                return self.fits(from, to).map_err(|mismatch| mismatch.below("{}"));
            }
            (Type::Result(from_ok, from_err), Type::Result(to_ok, to_err)) => {
                self.fits(from_ok, to_ok).map_err(|mismatch| mismatch.below(".Ok"))?;
                return self.fits(from_err, to_err).map_err(|mismatch| mismatch.below(".Err"));
            }
            (Type::Named(from_id), Type::Named(to_id)) => {
                if from_id == to_id || (self.structural && self.assumed.contains(&(*from_id, *to_id))) {
                    return Ok(());
                }
                match (self.defs.get(*from_id), self.defs.get(*to_id)) {
                    (Some(from_def), Some(to_def)) if self.structural => {
                        self.assumed.insert((*from_id, *to_id));
                        return self.same_form(from_def, to_def);
                    }
                    _ => false,
                }
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.mismatch(from, to)) }
    }

    fn same_form(&mut self, from: &TypeDef, to: &TypeDef) -> Result<(), Mismatch> {
        match (from, to) {
            (TypeDef::Record(from), TypeDef::Record(to)) => self.record(from, to),
            (TypeDef::Enum(from), TypeDef::Enum(to)) => self.enumeration(from, to),
            _ => {
                let reason = format!("{} and {} are not the same kind of type", from.name(), to.name());
                Err(Mismatch { path: String::new(), reason })
            }
        }
    }

    fn record(&mut self, from: &RecordDef, to: &RecordDef) -> Result<(), Mismatch> {
        for field in &to.fields {
            let below = format!(".{}", field.name);
            match from.field(&field.name) {
                // An absent optional is not written, which reads as absent there.
                Some((_, found)) => {
                    self.fits(&found.ty, &field.ty).map_err(|mismatch| mismatch.below(&below))?;
                }
                None if field.ty.absent().is_some() => {}
                None => {
                    let reason = format!("{} has no field `{}`", from.name, field.name);
                    return Err(Mismatch { path: String::new(), reason });
                }
            }
        }
        Ok(())
    }

    fn enumeration(&mut self, from: &EnumDef, to: &EnumDef) -> Result<(), Mismatch> {
        let other = |reason: String| Err(Mismatch { path: String::new(), reason });
        if from.wire != to.wire {
            return other(format!("{} and {} are not written alike", from.name, to.name));
        }
        for variant in &from.variants {
            let found = to.variants.iter().find(|found| {
                found.wire == variant.wire && found.payload.is_some() == variant.payload.is_some()
            });
            let Some(found) = found else {
                return other(format!("{} has no variant for {}", to.name, variant.name));
            };
            if let (Some(from), Some(to)) = (&variant.payload, &found.payload) {
                self.fits(from, to).map_err(|mismatch| mismatch.below(&format!(".{}", variant.name)))?;
            }
        }
        Ok(())
    }

    fn mismatch(&self, from: &Type, to: &Type) -> Mismatch {
        let (from, to) = (self.show(from), self.show(to));
        Mismatch { path: String::new(), reason: format!("{from} is not always {to}") }
    }

    fn show(&self, ty: &Type) -> String {
        self.defs.show(ty)
    }
}

impl Mismatch {
    fn below(self, segment: &str) -> Self {
        Self { path: format!("{segment}{}", self.path), ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{Shape, lower, shape, typed_value, value_of};
    use crate::decode::{check, decode};
    use crate::encode::to_json;
    use crate::json_schema::from_json_schema;
    use crate::types::{FloatRange, IntRange};

    #[test]
    fn ranges_optionals_and_parts() {
        let defs = TypeDefs::new();
        let int = |min, max| Type::Int(IntRange { min, max });
        let float = |min, max| Type::Float(FloatRange { min, max });
        let text = |max| Type::String(LengthRange::up_to(max));
        for (from, to) in [
            (int(1, 5), int(0, 5)),
            (float(0.0, 1.0), Type::FLOAT),
            (text(3), text(4).optional()),
            (Type::Url, Type::STRING),
            (Type::Url, text(URL_LENGTH_MAX)),
            (Type::list(text(3)), Type::list(text(4).optional())),
            (Type::Map(Box::new(int(0, 1))), Type::Map(Box::new(Type::INT))),
        ] {
            assert_eq!(assignable(&from, &to, &defs), Ok(()));
            assert!(assignable(&to, &from, &defs).is_err());
        }
        for (from, to) in [
            (Type::INT, Type::FLOAT),
            (Type::STRING, Type::Url),
            (Type::Url, text(URL_LENGTH_MAX - 1)),
            (Type::STRING, Type::Json),
            (Type::Json, Type::STRING),
            (Type::list(Type::INT), Type::List(Box::new(Type::INT), LengthRange::up_to(9))),
        ] {
            assert!(assignable(&from, &to, &defs).is_err());
        }
        let why = assignable(&Type::INT.optional(), &Type::INT, &defs).unwrap_err();
        assert_eq!(why.to_string(), "Int? may be null, and Int may not");
    }

    #[test]
    fn records_are_nominal_here_and_structural_there() {
        let schema = serde_json::json!({ "type": "object", "required": ["wide", "narrow", "tree", "leaf"], "properties": {
            "wide": { "type": "object", "required": ["a", "b"], "properties": { "a": { "type": "integer", "maximum": 5 }, "b": {} } },
            "narrow": { "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" }, "c": { "type": "string" } } },
            "tree": { "$ref": "#/$defs/Tree" },
            "leaf": { "$ref": "#/$defs/Leaf" },
        }, "$defs": {
            "Tree": { "type": "object", "required": ["next"], "properties": { "n": { "type": "integer" }, "next": { "type": "array", "items": { "$ref": "#/$defs/Tree" } } } },
            "Leaf": { "type": "object", "required": ["next"], "properties": { "next": { "type": "array", "items": { "$ref": "#/$defs/Leaf" } } } },
        } });
        let (defs, ty) = from_json_schema(&schema, "Op").unwrap();
        let Type::Named(id) = ty else { panic!() };
        let field = |name: &str| defs.record(id).unwrap().field(name).unwrap().1.ty.clone();
        let (wide, narrow) = (field("wide"), field("narrow"));
        assert!(assignable(&wide, &narrow, &defs).is_err());
        assert_eq!(assignable_at_ledger(&wide, &narrow, &defs), Ok(()));
        let why = assignable_at_ledger(&narrow, &wide, &defs).unwrap_err();
        assert_eq!(why.to_string(), "Int is not always Int(..5), at `.a`");
        assert_eq!(assignable_at_ledger(&field("tree"), &field("leaf"), &defs), Ok(()));
        assert_eq!(assignable_at_ledger(&field("leaf"), &field("tree"), &defs), Ok(()));
        assert_eq!(assignable_at_ledger(&wide, &Type::Json, &defs), Ok(()));
    }

    #[test]
    fn what_is_written_otherwise_does_not_fit() {
        let schema = serde_json::json!({ "type": "object", "required": ["ab", "abc", "open", "full", "part", "union", "keyed"], "properties": {
            "ab": { "enum": ["a", "b"] },
            "abc": { "enum": ["c", "b", "a"] },
            "open": { "enum": ["a", "b"], "x-extensible": true },
            "full": { "type": "object", "required": ["x", "y"], "properties": { "x": { "type": "integer" }, "y": { "type": "integer" } } },
            "part": { "type": "object", "required": ["x"], "properties": { "x": { "type": "integer" } } },
            "union": { "type": ["string", "integer"] },
            "keyed": { "oneOf": [{ "const": "a" }, { "type": "object", "required": ["string"], "properties": { "string": { "type": "string" } } }] },
        } });
        let (defs, ty) = from_json_schema(&schema, "Op").unwrap();
        let Type::Named(id) = ty else { panic!() };
        let why = |from: &str, to: &str| {
            let field = |name: &str| defs.record(id).unwrap().field(name).unwrap().1.ty.clone();
            assignable_at_ledger(&field(from), &field(to), &defs).err().map(|mismatch| mismatch.to_string())
        };
        assert_eq!(why("ab", "abc"), None);
        assert_eq!(why("ab", "open"), None);
        assert_eq!(why("full", "part"), None);
        let refused = |from, to| why(from, to).unwrap();
        assert_eq!(refused("abc", "ab"), "OpAb has no variant for C");
        assert_eq!(refused("open", "ab"), "OpAb has no variant for Other");
        assert_eq!(refused("part", "full"), "OpPart has no field `y`");
        assert_eq!(refused("union", "keyed"), "OpUnion and OpKeyed are not written alike");
        assert_eq!(refused("ab", "part"), "OpAb and OpPart are not the same kind of type");
    }

    /// A shape and one like it whose ranges, optionality or fields may differ.
    fn related() -> impl Strategy<Value = (Shape, Shape)> {
        (shape(), any::<u64>()).prop_map(|(shape, seed)| {
            let other = vary(&shape, &mut seed.max(1));
            (shape, other)
        })
    }

    /// A small change here and there, drawn from `seed`.
    fn vary(shape: &Shape, seed: &mut u64) -> Shape {
        let mut draw = || {
            *seed ^= *seed << 13;
            *seed ^= *seed >> 7;
            *seed ^= *seed << 17;
            *seed % 8
        };
        let length = |range: LengthRange, choice: u64| match choice {
            0 => LengthRange::FULL,
            1 => LengthRange { min: range.min, max: None },
            2 => LengthRange { min: range.min + 1, max: range.max.map(|max| max.max(range.min + 1)) },
            _ => range,
        };
        let choice = draw();
        if choice == 7 {
            return Shape::Optional(Box::new(shape.clone()));
        }
        match shape {
            Shape::Plain(Type::Int(range)) if choice == 0 => {
                Shape::Plain(Type::Int(IntRange { min: range.min.saturating_sub(3), max: range.max }))
            }
            Shape::Plain(Type::Float(_)) if choice == 0 => Shape::Plain(Type::FLOAT),
            Shape::Plain(Type::String(range)) => Shape::Plain(Type::String(length(*range, choice))),
            Shape::Plain(Type::Bytes(range)) => Shape::Plain(Type::Bytes(length(*range, choice))),
            Shape::Plain(Type::Url) if choice == 0 => Shape::Plain(Type::STRING),
            Shape::Plain(ty) => Shape::Plain(ty.clone()),
            Shape::List(inner, range) => Shape::List(Box::new(vary(inner, seed)), length(*range, choice)),
            Shape::Map(inner) => Shape::Map(Box::new(vary(inner, seed))),
            Shape::Optional(inner) => Shape::Optional(Box::new(vary(inner, seed))),
            Shape::Record(fields) => {
                let mut fields: Vec<_> = fields.iter().map(|field| vary(field, seed)).collect();
                if choice == 0 {
                    fields.pop();
                }
                Shape::Record(fields)
            }
            Shape::Literals(variants) => {
                Shape::Literals(variants.iter().map(|v| v.as_ref().map(|v| vary(v, seed))).collect())
            }
            Shape::Union(inner) => Shape::Union(Box::new(vary(inner, seed))),
            Shape::Tagged(members) => Shape::Tagged(
                members.iter().map(|member| member.iter().map(|field| vary(field, seed)).collect()).collect(),
            ),
            Shape::Result(ok, err) => Shape::Result(Box::new(vary(ok, seed)), Box::new(vary(err, seed))),
        }
    }

    proptest! {
        #[test]
        fn every_type_fits_itself((typed, value) in typed_value()) {
            prop_assert_eq!(assignable(&typed.ty, &typed.ty, &typed.defs), Ok(()));
            prop_assert_eq!(assignable(&typed.ty, &typed.ty.clone().optional(), &typed.defs), Ok(()));
            prop_assert_eq!(assignable_at_ledger(&typed.ty, &typed.ty, &typed.defs), Ok(()));
            prop_assert_eq!(check(&value, &typed.ty, &typed.defs), Ok(()));
        }

        #[test]
        fn values_follow_their_type(
            (defs, from, to, value) in related().prop_flat_map(|(a, b)| {
                let mut defs = TypeDefs::new();
                let (a, b) = (lower(&a, &mut defs), lower(&b, &mut defs));
                let value = value_of(&a, &defs);
                (Just(defs), Just(a), Just(b), value)
            })
        ) {
            if assignable(&from, &to, &defs).is_ok() {
                prop_assert_eq!(check(&value, &to, &defs), Ok(()));
            }
            if assignable_at_ledger(&from, &to, &defs).is_ok() {
                let text = to_json(&value, &from, &defs).unwrap();
                prop_assert!(decode(text.as_bytes(), &to, &defs).is_ok(), "{text}");
            }
        }

        #[test]
        fn fitting_is_transitive((a, seed) in (shape(), 1_u64..)) {
            let mut seed = seed;
            let (b, c) = { let b = vary(&a, &mut seed); let c = vary(&b, &mut seed); (b, c) };
            let mut defs = TypeDefs::new();
            let [a, b, c] = [a, b, c].map(|shape| lower(&shape, &mut defs));
            for relation in [assignable, assignable_at_ledger] {
                if relation(&a, &b, &defs).is_ok() && relation(&b, &c, &defs).is_ok() {
                    prop_assert_eq!(relation(&a, &c, &defs), Ok(()));
                }
            }
        }
    }
}
