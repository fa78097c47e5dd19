//! Types as users write them.

use super::{DefId, LengthRange, Type, TypeDef, TypeDefs};

impl TypeDefs {
    /// The type as users write it, for messages.
    #[must_use]
    pub fn show(&self, ty: &Type) -> String {
        let length = |name: &str, range: &LengthRange| format!("{name}{}", show_length(*range));
        match ty {
            Type::Bool => "Bool".into(),
            Type::Int(range) => match (range.min, range.max) {
                (i64::MIN, i64::MAX) => "Int".into(),
                (i64::MIN, max) => format!("Int(..{max})"),
                (min, i64::MAX) => format!("Int({min}..)"),
                (min, max) => format!("Int({min}..{max})"),
            },
            Type::Float(range) => match (range.min.is_finite(), range.max.is_finite()) {
                (false, false) => "Float".into(),
                (false, true) => format!("Float(..{})", show_float(range.max)),
                (true, false) => format!("Float({}..)", show_float(range.min)),
                (true, true) => format!("Float({}..{})", show_float(range.min), show_float(range.max)),
            },
            Type::String(range) => length("String", range),
            Type::Bytes(range) => length("Bytes", range),
            Type::Url => "Url".into(),
            Type::Time => "Time".into(),
            Type::Duration => "Duration".into(),
            Type::Amount => "Amount".into(),
            Type::Json => "Json".into(),
            Type::List(element, range) => length(&format!("[{}]", self.show(element)), range),
            Type::Map(value) => format!("{{String: {}}}", self.show(value)),
            // Nothing but `null` is of a type of which that is all that is known.
            Type::Optional(inner) if **inner == Type::Error => "null".into(),
            Type::Optional(inner) => format!("{}?", self.show(inner)),
            Type::Named(id) => self.show_named(*id),
            Type::Result(ok, err) => format!("Result<{}, {}>", self.show(ok), self.show(err)),
            // `?` would say that the type has `null`.
            Type::Error => "_".into(),
        }
    }

    /// The name of a definition, with the type that the language made it for: `Voted<String>`.
    fn show_named(&self, id: DefId) -> String {
        let Some(def) = self.get(id) else { return "_".into() };
        let of = match def {
            TypeDef::Record(def) => {
                let carries = match def.name.as_str() {
                    "ItemError" => "item",
                    "Voted" => "value",
                    _ => return def.name.clone(),
                };
                def.fields.iter().find(|field| field.name == carries).map(|field| &field.ty)
            }
            TypeDef::Enum(def) if def.name == "CallError" => {
                let votes = def.variants.iter().find(|variant| variant.name == "NoQuorum");
                match votes.and_then(|variant| variant.payload.as_ref()) {
                    Some(Type::List(answer, _)) => Some(&**answer),
                    _ => None,
                }
            }
            TypeDef::Enum(def) => return def.name.clone(),
        };
        // What it was made for was there before it, unlike in a recursive type that only has its name.
        match of.filter(|of| last_named(of).is_none_or(|last| last < id)) {
            Some(of) => format!("{}<{}>", def.name(), self.show(of)),
            None => def.name().into(),
        }
    }
}

/// The latest definition that a type names.
fn last_named(ty: &Type) -> Option<DefId> {
    match ty {
        Type::Named(id) => Some(*id),
        Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => last_named(inner),
        Type::Result(ok, err) => last_named(ok).max(last_named(err)),
        _ => None,
    }
}

/// Written out, a number beyond every `Int` would be read as one that is too large, and an exclusive bound, which is the
/// next double, takes 300 digits.
fn show_float(value: f64) -> String {
    const BEYOND_INT: f64 = 9_223_372_036_854_775_808.0;
    let plain = value.to_string();
    if plain.len() > 20 || value.abs() >= BEYOND_INT { format!("{value:e}") } else { plain }
}

/// Lengths are counted by an `Int`, so that an end beyond every `Int` admits what none would.
pub(super) fn show_length(range: LengthRange) -> String {
    const LARGEST: u64 = i64::MAX.unsigned_abs();
    match (range.min.min(LARGEST), range.max.filter(|max| *max <= LARGEST)) {
        (0, None) => String::new(),
        (0, Some(max)) => format!("(..{max})"),
        (min, None) => format!("({min}..)"),
        (min, Some(max)) => format!("({min}..{max})"),
    }
}
