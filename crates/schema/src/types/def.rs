//! Records and enums, and the table of them that types refer to.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hasher as _};

use serde::{Deserialize, Serialize};

use super::Type;

/// Index of a definition in a [`TypeDefs`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DefId(pub u32);

/// A record or an enum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TypeDef {
    /// Named fields in declared order.
    Record(RecordDef),
    /// Alternatives in declared order.
    Enum(EnumDef),
}

impl TypeDef {
    /// The name users see.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Record(def) => &def.name,
            Self::Enum(def) => &def.name,
        }
    }
}

/// A record type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordDef {
    /// The name users see.
    pub name: String,
    /// Fields in declared order; a [`crate::value::Value::Record`] has its values in this order.
    pub fields: Vec<FieldDef>,
    /// Documentation, empty where there is none.
    pub doc: String,
}

impl RecordDef {
    /// Position and definition of the field called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(usize, &FieldDef)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldDef {
    /// Its name, in plans and in JSON.
    pub name: String,
    /// Its type; [`Type::Optional`] where it may be absent.
    pub ty: Type,
    /// Documentation, empty where there is none.
    pub doc: String,
}

/// An enum type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnumDef {
    /// The name users see.
    pub name: String,
    /// Variants in declared order.
    pub variants: Vec<VariantDef>,
    /// How a value looks in JSON.
    pub wire: EnumWire,
    /// Documentation, empty where there is none.
    pub doc: String,
}

impl EnumDef {
    /// Position and definition of the variant called `name`.
    #[must_use]
    pub fn variant(&self, name: &str) -> Option<(usize, &VariantDef)> {
        self.variants.iter().enumerate().find(|(_, variant)| variant.name == name)
    }

    /// What JSON has for the variants without payload, such as `"BTC"` (quotes included), if they are told apart by that.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        let variants = if self.wire == EnumWire::Literal { self.variants.as_slice() } else { &[] };
        let plain = variants.iter().filter(|variant| variant.payload.is_none());
        plain.map(|variant| variant.wire.as_str())
    }
}

/// One alternative of an enum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariantDef {
    /// Its name in plans, upper case first.
    pub name: String,
    /// The JSON literal it stands for (a string, or any scalar `const`), or the discriminator value;
    /// in an untagged union the JSON kind of its payload: `"string"`, `"number"`, `"boolean"`,
    /// `"array"` or `"object"`, quotes included. Empty for a variant with payload `String` that takes
    /// every text which is no literal of the others.
    pub wire: JsonText,
    /// What it carries, if anything.
    pub payload: Option<Type>,
    /// Documentation, empty where there is none.
    pub doc: String,
}

/// A JSON literal as compact text, such as `"PAST_WEEK"` (quotes included) or `3`.
pub type JsonText = String;

/// How enum values are written in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnumWire {
    /// A variant without payload is its literal; one with payload is `{"<literal>": payload}`.
    Literal,
    /// The payload itself; members are told apart by JSON kind (a union of disjoint kinds).
    Untagged,
    /// The payload record with the discriminator property of this name among its fields.
    Discriminator(String),
}

/// The records and enums that types refer to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TypeDefs {
    defs: Vec<TypeDef>,
    #[serde(skip)]
    interned: Interned,
}

/// Definitions that were interned, by a hash of what they say. It only finds what the table has, so tables are equal
/// whatever it holds.
#[derive(Clone, Debug, Default)]
struct Interned(BTreeSet<(u64, DefId)>);

impl PartialEq for Interned {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Of all that a definition says.
fn hash(def: &TypeDef) -> u64 {
    struct Hashed(DefaultHasher);
    impl fmt::Write for Hashed {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0.write(part.as_bytes());
            Ok(())
        }
    }
    let mut hashed = Hashed(DefaultHasher::new());
    // Nothing refuses to be hashed.
    let _ = write!(hashed, "{def:?}");
    hashed.0.finish()
}

impl TypeDefs {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self { defs: Vec::new(), interned: Interned(BTreeSet::new()) }
    }

    /// Adds a definition.
    pub fn push(&mut self, def: TypeDef) -> DefId {
        let id = DefId(u32::try_from(self.defs.len()).unwrap_or(u32::MAX));
        self.defs.push(def);
        id
    }

    /// The definition that was interned and says this; it is added where there is none.
    pub fn intern(&mut self, def: TypeDef) -> DefId {
        let hash = hash(&def);
        let mut alike = self.interned.0.range((hash, DefId(0))..=(hash, DefId(u32::MAX)));
        if let Some((_, known)) = alike.find(|(_, id)| self.get(*id) == Some(&def)) {
            return *known;
        }
        let id = self.push(def);
        self.interned.0.insert((hash, id));
        id
    }

    /// The definition at `id`.
    #[must_use]
    pub fn get(&self, id: DefId) -> Option<&TypeDef> {
        self.defs.get(id.0 as usize)
    }

    /// The definition at `id`, to complete a recursive one.
    pub fn get_mut(&mut self, id: DefId) -> Option<&mut TypeDef> {
        self.defs.get_mut(id.0 as usize)
    }

    /// The record at `id`, if it is one.
    #[must_use]
    pub fn record(&self, id: DefId) -> Option<&RecordDef> {
        match self.get(id) {
            Some(TypeDef::Record(def)) => Some(def),
            _ => None,
        }
    }

    /// The enum at `id`, if it is one.
    #[must_use]
    pub fn enumeration(&self, id: DefId) -> Option<&EnumDef> {
        match self.get(id) {
            Some(TypeDef::Enum(def)) => Some(def),
            _ => None,
        }
    }

    /// All definitions with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (DefId, &TypeDef)> {
        self.defs
            .iter()
            .enumerate()
            .map(|(index, def)| (DefId(u32::try_from(index).unwrap_or(u32::MAX)), def))
    }

    /// Number of definitions.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.defs.len()
    }

    /// Whether there is no definition.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.defs.is_empty()
    }

    /// Appends all of `other`; a type of `other` means the same here after [`Type::shift`] by the
    /// returned offset.
    pub fn import(&mut self, other: &Self) -> u32 {
        let offset = u32::try_from(self.defs.len()).unwrap_or(u32::MAX);
        self.defs.extend(other.defs.iter().map(|def| {
            let mut def = def.clone();
            match &mut def {
                TypeDef::Record(record) => record.fields.iter_mut().for_each(|f| f.ty = f.ty.shift(offset)),
                TypeDef::Enum(enumeration) => enumeration
                    .variants
                    .iter_mut()
                    .filter_map(|v| v.payload.as_mut())
                    .for_each(|ty| *ty = ty.shift(offset)),
            }
            def
        }));
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_is_one_definition() {
        let record = |name: &str, ty| {
            let field = FieldDef { name: "a".into(), ty, doc: String::new() };
            TypeDef::Record(RecordDef { name: name.into(), fields: vec![field], doc: String::new() })
        };
        let mut types = TypeDefs::new();
        let declared = types.push(record("R", Type::INT));
        let first = types.intern(record("Pair", Type::INT));
        assert_ne!(types.intern(record("Pair", Type::STRING)), first);
        assert_eq!(types.intern(record("Pair", Type::INT)), first);
        // What was declared is told apart from it, and a table without the memory is the same table.
        assert_ne!(types.intern(record("R", Type::INT)), declared);
        let stored = serde_json::to_string(&types).unwrap();
        assert_eq!(serde_json::from_str::<TypeDefs>(&stored).unwrap(), types);
    }
}
