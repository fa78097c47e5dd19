//! When every value of one type is a value of another.
//!
//! In the language ([`assignable`]): ranges by inclusion, `T` below `T?`, lists, maps and results by their parts, a
//! `Url` is text; records and enums are themselves only. Where the Ledger is the other side
//! ([`assignable_at_ledger`]) types are what they look like in JSON: every document that reads as the one reads as
//! the other, too. So records go by their fields, enums by their literals, a member is below its union, and
//! anything is `Json`.
//!
//! Both relations are reflexive and transitive, and types below each other admit the same values: laws that the tests
//! hold them to.

use std::collections::BTreeSet;

use crate::limits::URL_LENGTH_MAX;
use crate::types::{DefId, EnumDef, EnumWire, FloatRange, LengthRange, RecordDef, Type, TypeDef, TypeDefs};
use crate::wire::{Kind, text_of};

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

/// Whether every JSON document that reads as a `from` reads as a `to`.
///
/// Documents are read open: a record may have members that it does not declare, of any kind. So a record is below
/// one with fewer fields, but not below one with an optional field that it does not have.
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
                // A list that is always empty is one of anything.
                if !(self.structural && from_range.max == Some(0)) {
                    self.fits(from_element, to_element).map_err(|mismatch| mismatch.below("[]"))?;
                }
                from_range.within(*to_range)
            }
            (Type::Map(from), Type::Map(to)) => {
                return self.fits(from, to).map_err(|mismatch| mismatch.below("{}"));
            }
            (Type::Result(from_ok, from_err), Type::Result(to_ok, to_err)) => {
                self.fits(from_ok, to_ok).map_err(|mismatch| mismatch.below(".Ok"))?;
                return self.fits(from_err, to_err).map_err(|mismatch| mismatch.below(".Err"));
            }
            (Type::Named(from_id), Type::Named(to_id)) if from_id == to_id => true,
            _ if self.structural => return self.fits_as_documents(from, to),
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.mismatch(from, to)) }
    }

    /// What is below what only because of how both are written.
    fn fits_as_documents(&mut self, from: &Type, to: &Type) -> Result<(), Mismatch> {
        let anything = |range: &LengthRange| *range == LengthRange::FULL;
        let fits = match (from, to) {
            (Type::Int(from), Type::Float(to)) => {
                FloatRange { min: from.min as f64, max: from.max as f64 }.within(*to)
            }
            (Type::Time | Type::Duration | Type::Amount | Type::Bytes(_), Type::String(to)) => anything(to),
            (Type::Named(from_id), Type::Named(to_id)) => {
                // Further out the same pair is being compared: it fits if nothing on the way round speaks against it.
                if self.assumed.contains(&(*from_id, *to_id)) {
                    return Ok(());
                }
                return match (self.defs.get(*from_id), self.defs.get(*to_id)) {
                    (Some(from_def), Some(to_def)) => {
                        self.assumed.insert((*from_id, *to_id));
                        self.same_form(from, from_def, to_def)
                    }
                    _ => Err(self.mismatch(from, to)),
                };
            }
            (_, Type::Named(id)) => match self.defs.enumeration(*id) {
                Some(union) => return self.member(from, union),
                None => false,
            },
            (Type::Named(id), Type::String(to)) => {
                self.defs.enumeration(*id).is_some_and(|def| self.is_text(def, *to))
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.mismatch(from, to)) }
    }

    fn same_form(&mut self, ty: &Type, from: &TypeDef, to: &TypeDef) -> Result<(), Mismatch> {
        match (from, to) {
            (TypeDef::Record(from), TypeDef::Record(to)) => self.record(from, to),
            (TypeDef::Enum(from), TypeDef::Enum(to)) if from.wire == to.wire => self.enumeration(from, to),
            (_, TypeDef::Enum(to)) if to.wire == EnumWire::Untagged => self.member(ty, to),
            (TypeDef::Enum(from), TypeDef::Enum(to)) => {
                let reason = format!("{} and {} are not written alike", from.name, to.name);
                Err(Mismatch { path: String::new(), reason })
            }
            _ => {
                let reason = format!("{} and {} are not the same kind of type", from.name(), to.name());
                Err(Mismatch { path: String::new(), reason })
            }
        }
    }

    /// Whether a type is below the member of a union that takes its kind of JSON.
    fn member(&mut self, from: &Type, union: &EnumDef) -> Result<(), Mismatch> {
        let kind = self.kind(from).filter(|_| union.wire == EnumWire::Untagged);
        let member = kind.and_then(|kind| union.by_kind(kind));
        match member {
            Some((_, payload)) => {
                // A member takes `null` only where the union does, which is not asked here.
                let payload = if let Type::Optional(inner) = payload { inner } else { payload };
                self.fits(from, payload)
            }
            None => {
                let reason = format!("{} has no member for {}", union.name, self.show(from));
                Err(Mismatch { path: String::new(), reason })
            }
        }
    }

    /// The one kind of JSON that a type is written as.
    fn kind(&self, ty: &Type) -> Option<Kind> {
        Some(match ty {
            Type::Bool => Kind::Bool,
            Type::Int(_) | Type::Float(_) => Kind::Number,
            Type::String(_) | Type::Bytes(_) | Type::Url | Type::Time | Type::Duration | Type::Amount => {
                Kind::String
            }
            Type::List(..) => Kind::Array,
            Type::Map(_) | Type::Result(..) => Kind::Object,
            Type::Named(id) => match self.defs.get(*id)? {
                TypeDef::Record(_) => Kind::Object,
                TypeDef::Enum(def) if self.is_text(def, LengthRange::FULL) => Kind::String,
                TypeDef::Enum(def) => match def.wire {
                    EnumWire::Discriminator(_) => Kind::Object,
                    EnumWire::Literal
                        if def.variants.iter().all(|v| v.payload.is_some() && !v.wire.is_empty()) =>
                    {
                        Kind::Object
                    }
                    _ => return None,
                },
            },
            Type::Json | Type::Optional(_) | Type::Error => return None,
        })
    }

    /// Whether all values of an enum are texts with a length in `range`.
    fn is_text(&self, def: &EnumDef, range: LengthRange) -> bool {
        let fits = |text: String| range.contains(text.chars().count() as u64);
        def.wire == EnumWire::Literal
            && def.variants.iter().all(|variant| match &variant.payload {
                None => text_of(&variant.wire).is_some_and(fits),
                Some(Type::String(own)) if variant.wire.is_empty() => own.within(range),
                Some(_) => false,
            })
    }

    fn record(&mut self, from: &RecordDef, to: &RecordDef) -> Result<(), Mismatch> {
        for field in &to.fields {
            let below = format!(".{}", field.name);
            match from.field(&field.name) {
                Some((_, found)) => {
                    self.fits(&found.ty, &field.ty).map_err(|mismatch| mismatch.below(&below))?;
                }
                // A member that is not declared may be anything.
                None if field.ty == Type::Json => {}
                None => {
                    let reason = format!("{} has no field `{}`", from.name, field.name);
                    return Err(Mismatch { path: String::new(), reason });
                }
            }
        }
        Ok(())
    }

    fn enumeration(&mut self, from: &EnumDef, to: &EnumDef) -> Result<(), Mismatch> {
        let catch_all = to.catch_all().and_then(|place| to.variants.get(place as usize)?.payload.as_ref());
        let caught = |wire: &str| match (catch_all, text_of(wire)) {
            (Some(Type::String(range)), Some(text)) => range.contains(text.chars().count() as u64),
            _ => false,
        };
        for variant in &from.variants {
            let found = to.variants.iter().find(|found| {
                found.wire == variant.wire && found.payload.is_some() == variant.payload.is_some()
            });
            match found {
                Some(found) => {
                    if let (Some(from), Some(to)) = (&variant.payload, &found.payload) {
                        self.fits(from, to)
                            .map_err(|mismatch| mismatch.below(&format!(".{}", variant.name)))?;
                    }
                }
                // A text that is no literal there is what the catch-all is for.
                None if variant.payload.is_none() && caught(&variant.wire) => {}
                None => {
                    let reason = format!("{} has no variant for {}", to.name, variant.name);
                    return Err(Mismatch { path: String::new(), reason });
                }
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
mod tests;
