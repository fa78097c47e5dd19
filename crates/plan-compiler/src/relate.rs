//! How types relate: what converts to what, and what two branches have in common.

use plan_ir::expr::BinaryOp;
use plan_ir::range;
use schema::types::{DefId, EnumWire, FloatRange, IntRange, LengthRange, Type, TypeDef, TypeDefs};

/// Integers up to this size are exact as `Float` (2^53).
const EXACT_FLOAT: i64 = 1 << 53;

/// How a value of one type becomes one of another without failing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Conversion {
    /// It is one already.
    Identity,
    /// An exact integer as a float.
    IntToFloat,
    /// Into a variant of an untagged union.
    Inject(u32, Box<Conversion>),
    /// Every element of a list.
    Elements(Box<Conversion>),
    /// What an optional holds, if anything.
    Present(Box<Conversion>),
    /// A record of the file to one of the Ledger: per field of the latter, the field it comes from.
    Fields(Vec<Option<(u32, Conversion)>>),
}

/// Why a value of one type is not one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// Another kind of value.
    Kind,
    /// The same kind, but it may be out of range.
    Range,
    /// It fits unless it is `null`.
    Null,
}

/// Which definitions come from the Ledger: records there are structural.
pub(crate) trait Origins {
    /// Whether `def` is a type of an operation.
    fn is_ledger(&self, def: DefId) -> bool;
    /// Whether `def` is a type of the language.
    fn is_prelude(&self, def: DefId) -> bool;
}

/// What turns a `from` into a `to`.
pub(crate) fn convert(
    from: &Type,
    to: &Type,
    defs: &TypeDefs,
    origins: &dyn Origins,
) -> Result<Conversion, Misfit> {
    Converter { defs, origins, open: Vec::new() }.convert(from, to)
}

struct Converter<'a> {
    defs: &'a TypeDefs,
    origins: &'a dyn Origins,
    /// The pairs of records that are being compared: one that recurs has no finite conversion.
    open: Vec<(DefId, DefId)>,
}

impl Converter<'_> {
    fn convert(&mut self, from: &Type, to: &Type) -> Result<Conversion, Misfit> {
        use Conversion::Identity;
        let within = |fits: bool| if fits { Ok(Identity) } else { Err(Misfit::Range) };
        match (from, to) {
            (Type::Error, _) | (_, Type::Error) => Ok(Identity),
            (Type::Optional(from), Type::Optional(to)) => match self.convert(from, to)? {
                Identity => Ok(Identity),
                inner => Ok(Conversion::Present(Box::new(inner))),
            },
            (_, Type::Optional(to)) => self.convert(from, to),
            (Type::Optional(inner), _) if **inner == Type::Error => match to {
                Type::Json => Ok(Identity),
                _ => Err(Misfit::Null),
            },
            (Type::Optional(from), _) => match self.convert(from, to) {
                Ok(_) => Err(Misfit::Null),
                Err(_) => Err(Misfit::Kind),
            },
            (Type::Int(from), Type::Int(to)) => within(from.within(*to)),
            (Type::Int(from), Type::Float(to)) => int_to_float(*from, *to),
            (Type::Float(from), Type::Float(to)) => within(from.within(*to)),
            (Type::String(from), Type::String(to)) | (Type::Bytes(from), Type::Bytes(to)) => {
                within(from.within(*to))
            }
            (Type::List(from, from_range), Type::List(to, to_range)) => {
                let inner = self.convert(from, to)?;
                within(from_range.within(*to_range))?;
                Ok(if inner == Identity { Identity } else { Conversion::Elements(Box::new(inner)) })
            }
            (Type::Map(from), Type::Map(to)) => match self.convert(from, to)? {
                Identity => Ok(Identity),
                _ => Err(Misfit::Kind),
            },
            (Type::Result(ok, err), Type::Result(to_ok, to_err)) => {
                match (self.convert(ok, to_ok)?, self.convert(err, to_err)?) {
                    (Identity, Identity) => Ok(Identity),
                    _ => Err(Misfit::Kind),
                }
            }
            (Type::Named(from), Type::Named(to)) if from == to => Ok(Identity),
            (Type::Named(from), Type::Named(to)) if self.same_generic(*from, *to) => self.parts(*from, *to),
            (_, Type::Named(to)) => self.named(from, *to),
            _ if from == to => Ok(Identity),
            _ => Err(Misfit::Kind),
        }
    }

    /// Whether both are one generic type of the language, of perhaps different types.
    fn same_generic(&self, from: DefId, to: DefId) -> bool {
        // That of a record of the library names the types it is of.
        let name = |def| self.defs.get(def).and_then(|def| def.name().split('<').next());
        self.origins.is_prelude(from) && self.origins.is_prelude(to) && name(from) == name(to)
    }

    /// A generic type whose parts all fit as they are; its values look the same whatever it is of.
    fn parts(&mut self, from: DefId, to: DefId) -> Result<Conversion, Misfit> {
        let (from, to) = (part_types(self.defs, from), part_types(self.defs, to));
        for (from, to) in from.iter().zip(&to) {
            if self.convert(from, to)? != Conversion::Identity {
                return Err(Misfit::Kind);
            }
        }
        Ok(Conversion::Identity)
    }

    /// Into a union with exactly one member that takes it, or from a record to one of the Ledger.
    fn named(&mut self, from: &Type, to: DefId) -> Result<Conversion, Misfit> {
        match self.defs.get(to) {
            Some(TypeDef::Enum(def)) if def.wire == EnumWire::Untagged => {
                let mut fits = Vec::new();
                for (index, variant) in def.variants.iter().enumerate() {
                    let Some(payload) = &variant.payload else { continue };
                    if let Ok(inner) = self.convert(from, payload) {
                        let index = u32::try_from(index).unwrap_or(u32::MAX);
                        fits.push(Conversion::Inject(index, Box::new(inner)));
                    }
                }
                if fits.len() == 1 { fits.pop().ok_or(Misfit::Kind) } else { Err(Misfit::Kind) }
            }
            Some(TypeDef::Record(_)) if self.origins.is_ledger(to) => match from {
                Type::Named(from) if !self.open.contains(&(*from, to)) => {
                    self.open.push((*from, to));
                    let fields = self.fields(*from, to);
                    self.open.pop();
                    fields
                }
                _ => Err(Misfit::Kind),
            },
            _ => Err(Misfit::Kind),
        }
    }

    fn fields(&mut self, from: DefId, to: DefId) -> Result<Conversion, Misfit> {
        let source = self.defs.record(from).ok_or(Misfit::Kind)?;
        let target = self.defs.record(to).ok_or(Misfit::Kind)?;
        let fields = target.fields.iter().map(|field| match source.field(&field.name) {
            None if matches!(field.ty, Type::Optional(_) | Type::Json) => Ok(None),
            None => Err(Misfit::Kind),
            Some((index, found)) => {
                let inner = self.convert(&found.ty, &field.ty)?;
                Ok(Some((u32::try_from(index).unwrap_or(u32::MAX), inner)))
            }
        });
        fields.collect::<Result<_, _>>().map(Conversion::Fields)
    }
}

/// The types of a definition's fields or payloads.
fn part_types(defs: &TypeDefs, def: DefId) -> Vec<Type> {
    match defs.get(def) {
        Some(TypeDef::Record(record)) => record.fields.iter().map(|field| field.ty.clone()).collect(),
        Some(TypeDef::Enum(def)) => def.variants.iter().filter_map(|v| v.payload.clone()).collect(),
        None => Vec::new(),
    }
}

fn int_to_float(from: IntRange, to: FloatRange) -> Result<Conversion, Misfit> {
    if from.min < -EXACT_FLOAT || from.max > EXACT_FLOAT {
        return Err(Misfit::Kind);
    }
    let range = FloatRange { min: from.min as f64, max: from.max as f64 };
    if range.within(to) { Ok(Conversion::IntToFloat) } else { Err(Misfit::Range) }
}

/// The smallest type that holds both, if there is one.
pub(crate) fn join(a: &Type, b: &Type) -> Option<Type> {
    Some(match (a, b) {
        (Type::Error, other) | (other, Type::Error) => other.clone(),
        (Type::Optional(a), Type::Optional(b)) => Type::Optional(Box::new(join(a, b)?)),
        (Type::Optional(inner), other) | (other, Type::Optional(inner)) => join(inner, other)?.optional(),
        (Type::Int(a), Type::Int(b)) => Type::Int(range::hull_int(*a, *b)),
        (Type::Float(a), Type::Float(b)) => Type::Float(range::hull_float(*a, *b)),
        (Type::Int(a), Type::Float(b)) | (Type::Float(b), Type::Int(a)) => {
            int_to_float(*a, FloatRange::FULL).ok()?;
            Type::Float(range::hull_float(FloatRange { min: a.min as f64, max: a.max as f64 }, *b))
        }
        (Type::String(a), Type::String(b)) => Type::String(range::hull_length(*a, *b)),
        (Type::Bytes(a), Type::Bytes(b)) => Type::Bytes(range::hull_length(*a, *b)),
        (Type::List(a, a_range), Type::List(b, b_range)) => {
            Type::List(Box::new(join(a, b)?), range::hull_length(*a_range, *b_range))
        }
        (Type::Map(a), Type::Map(b)) => Type::Map(Box::new(join(a, b)?)),
        (Type::Result(a_ok, a_err), Type::Result(b_ok, b_err)) => {
            Type::Result(Box::new(join(a_ok, b_ok)?), Box::new(join(a_err, b_err)?))
        }
        _ if a == b => a.clone(),
        _ => return None,
    })
}

/// The type without its ranges, at every level.
pub(crate) fn unrefined(ty: &Type) -> Type {
    match ty {
        Type::Int(_) => Type::INT,
        Type::Float(_) => Type::FLOAT,
        Type::String(_) => Type::STRING,
        Type::Bytes(_) => Type::Bytes(LengthRange::FULL),
        Type::List(element, _) => Type::list(unrefined(element)),
        Type::Map(value) => Type::Map(Box::new(unrefined(value))),
        Type::Optional(inner) => Type::Optional(Box::new(unrefined(inner))),
        Type::Result(ok, err) => Type::Result(Box::new(unrefined(ok)), Box::new(unrefined(err))),
        other => other.clone(),
    }
}

/// Whether a range somewhere in the type could be narrower than it says.
pub(crate) fn has_ranges(ty: &Type) -> bool {
    match ty {
        Type::Int(_) | Type::Float(_) | Type::String(_) | Type::Bytes(_) | Type::List(..) => true,
        Type::Map(inner) | Type::Optional(inner) => has_ranges(inner),
        Type::Result(ok, err) => has_ranges(ok) || has_ranges(err),
        _ => false,
    }
}

/// The `declared` type with the ranges of `found` where those are narrower. `found` fits `declared`.
pub(crate) fn narrowed(declared: &Type, found: &Type) -> Type {
    match (declared, found) {
        (Type::Int(_), Type::Int(_)) | (Type::Float(_), Type::Float(_)) => found.clone(),
        (Type::String(_), Type::String(_)) | (Type::Bytes(_), Type::Bytes(_)) => found.clone(),
        (Type::Float(to), Type::Int(from)) => {
            let range = FloatRange { min: from.min as f64, max: from.max as f64 };
            Type::Float(if range.within(*to) { range } else { *to })
        }
        (Type::List(declared, _), Type::List(found, range)) => {
            Type::List(Box::new(narrowed(declared, found)), *range)
        }
        (Type::Map(declared), Type::Map(found)) => Type::Map(Box::new(narrowed(declared, found))),
        (Type::Optional(declared), Type::Optional(found)) => {
            Type::Optional(Box::new(narrowed(declared, found)))
        }
        (Type::Optional(declared), found) => Type::Optional(Box::new(narrowed(declared, found))),
        (Type::Result(ok, err), Type::Result(found_ok, found_err)) => {
            Type::Result(Box::new(narrowed(ok, found_ok)), Box::new(narrowed(err, found_err)))
        }
        _ => declared.clone(),
    }
}

/// The type of a literal `null`, `[]` or `Ok(x)` without anything that tells more.
pub(crate) fn is_undetermined(ty: &Type) -> bool {
    match ty {
        Type::Optional(inner) => **inner == Type::Error || is_undetermined(inner),
        Type::List(inner, range) => {
            (**inner == Type::Error && range.max == Some(0)) || is_undetermined(inner)
        }
        Type::Map(inner) => is_undetermined(inner),
        Type::Result(ok, err) => {
            [ok, err].into_iter().any(|side| **side == Type::Error || is_undetermined(side))
        }
        _ => false,
    }
}

/// Whether values of the type have an order, that of `<`.
pub(crate) const fn is_ordered(ty: &Type) -> bool {
    matches!(ty, Type::Int(_) | Type::Float(_) | Type::String(_) | Type::Time | Type::Duration | Type::Amount)
}

/// The type of `a op b` for the arithmetic operators; `None` where it is not defined.
pub(crate) fn arithmetic(op: BinaryOp, a: &Type, b: &Type) -> Option<Type> {
    use BinaryOp::{Add, Divide, Multiply, Subtract};
    Some(match (a, b) {
        (Type::Error, _) | (_, Type::Error) => Type::Error,
        (Type::Int(a), Type::Int(b)) => Type::Int(range::int(op, *a, *b)),
        (Type::Float(a), Type::Float(b)) => Type::Float(range::float(op, *a, *b)),
        (Type::String(a), Type::String(b)) if op == Add => Type::String(range::sum(*a, *b)),
        (Type::Amount, Type::Amount) if matches!(op, Add | Subtract) => Type::Amount,
        (Type::Amount, Type::Int(_)) if matches!(op, Multiply | Divide) => Type::Amount,
        (Type::Int(_), Type::Amount) if op == Multiply => Type::Amount,
        (Type::Duration, Type::Duration) if matches!(op, Add | Subtract) => Type::Duration,
        (Type::Duration, Type::Int(_)) if matches!(op, Multiply | Divide) => Type::Duration,
        (Type::Int(_), Type::Duration) if op == Multiply => Type::Duration,
        (Type::Time, Type::Duration) if matches!(op, Add | Subtract) => Type::Time,
        (Type::Time, Type::Time) if op == Subtract => Type::Duration,
        _ => return None,
    })
}
