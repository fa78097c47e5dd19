//! How much of a type is typed: what a plan can use of an answer without decoding it first.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use crate::types::{DefId, Type, TypeDef, TypeDefs};

/// The leaves of a type: its places that are neither lists, maps, optionals nor records. Records and enums that occur
/// in several places count once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leaves {
    /// Places of a type of their own.
    pub typed: u64,
    /// Places that are opaque `Json`.
    pub json: u64,
}

impl Leaves {
    /// The leaves of `ty`.
    ///
    /// ```
    /// use schema::coverage::Leaves;
    /// use schema::json_schema::from_json_schema;
    /// let schema = serde_json::json!({ "type": "object", "properties": {
    ///     "name": { "type": "string" }, "tags": { "type": "array", "items": { "enum": ["a", "b"] } }, "more": {},
    /// } });
    /// let (defs, ty) = from_json_schema(&schema, "Hit")?;
    /// assert_eq!(Leaves::of(&ty, &defs), Leaves { typed: 2, json: 1 });
    /// # Ok::<(), schema::json_schema::SchemaError>(())
    /// ```
    #[must_use]
    pub fn of(ty: &Type, defs: &TypeDefs) -> Self {
        let mut leaves = Self::default();
        let mut seen: BTreeSet<DefId> = BTreeSet::new();
        let mut open = vec![ty];
        while let Some(ty) = open.pop() {
            match ty {
                Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => open.push(inner),
                Type::Result(ok, err) => open.extend([&**ok, &**err]),
                Type::Json => leaves.json += 1,
                Type::Named(id) if !seen.insert(*id) => {}
                Type::Named(id) => match defs.get(*id) {
                    Some(TypeDef::Record(def)) => open.extend(def.fields.iter().map(|field| &field.ty)),
                    Some(TypeDef::Enum(def)) => {
                        let payloads = def.variants.iter().filter_map(|variant| variant.payload.as_ref());
                        let before = open.len();
                        open.extend(payloads);
                        // Which literal it is.
                        leaves.typed += u64::from(open.len() - before < def.variants.len());
                    }
                    None => {}
                },
                _ => leaves.typed += 1,
            }
        }
        leaves
    }

    /// The share of typed leaves, from 0 to 1; 1 where there are no leaves.
    #[must_use]
    pub fn share(self) -> f64 {
        let all = self.typed + self.json;
        if all == 0 { 1.0 } else { self.typed as f64 / all as f64 }
    }
}

impl AddAssign for Leaves {
    fn add_assign(&mut self, other: Self) {
        self.typed += other.typed;
        self.json += other.json;
    }
}
