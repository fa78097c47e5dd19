//! The types of one plan: only those it uses, numbered in the order it uses them, so that its hash does
//! not depend on what else the file declares.

use std::collections::BTreeMap;

use schema::limits::JSON_DEPTH_MAX;
use schema::types::{DefId, Type, TypeDef, TypeDefs};

/// From the types of the file to those of the plan.
pub(super) struct TypeMap<'p> {
    from: &'p TypeDefs,
    to: TypeDefs,
    known: BTreeMap<DefId, DefId>,
    /// Definitions whose own types are still those of the file.
    open: Vec<DefId>,
    /// How many definitions, fields and variants there are.
    pub(super) members: usize,
    /// Whether a type nests deeper than values may.
    pub(super) too_deep: bool,
}

impl<'p> TypeMap<'p> {
    pub(super) fn new(from: &'p TypeDefs) -> Self {
        Self {
            from,
            to: TypeDefs::new(),
            known: BTreeMap::new(),
            open: Vec::new(),
            members: 0,
            too_deep: false,
        }
    }

    /// The plan's number of a definition.
    pub(super) fn def(&mut self, def: DefId) -> DefId {
        if let Some(known) = self.known.get(&def) {
            return *known;
        }
        let Some(copy) = self.from.get(def) else { return def };
        self.members += 1 + match copy {
            TypeDef::Record(record) => record.fields.len(),
            TypeDef::Enum(enumeration) => enumeration.variants.len(),
        };
        let new = self.to.push(copy.clone());
        self.known.insert(def, new);
        self.open.push(new);
        new
    }

    /// The type in the plan's numbers. A type that nothing determines, such as that of the elements of
    /// `[]`, has no values, so any will do.
    pub(super) fn map(&mut self, ty: &Type) -> Type {
        self.map_at(ty, JSON_DEPTH_MAX)
    }

    fn map_at(&mut self, ty: &Type, levels: usize) -> Type {
        let Some(levels) = levels.checked_sub(1) else {
            self.too_deep = true;
            return Type::Bool;
        };
        match ty {
            Type::Named(def) => Type::Named(self.def(*def)),
            Type::List(element, range) => Type::List(Box::new(self.map_at(element, levels)), *range),
            Type::Map(value) => Type::Map(Box::new(self.map_at(value, levels))),
            Type::Optional(inner) => Type::Optional(Box::new(self.map_at(inner, levels))),
            Type::Result(ok, err) => {
                let ok = self.map_at(ok, levels);
                Type::Result(Box::new(ok), Box::new(self.map_at(err, levels)))
            }
            Type::Error => Type::Bool,
            other => other.clone(),
        }
    }

    /// Renumbers the types inside definitions, which may bring further definitions.
    pub(super) fn complete(&mut self) {
        while let Some(def) = self.open.pop() {
            let Some(mut copy) = self.to.get(def).cloned() else { continue };
            match &mut copy {
                TypeDef::Record(record) => {
                    for field in &mut record.fields {
                        field.ty = self.map(&field.ty);
                    }
                }
                TypeDef::Enum(enumeration) => {
                    for payload in enumeration.variants.iter_mut().filter_map(|v| v.payload.as_mut()) {
                        *payload = self.map(payload);
                    }
                }
            }
            if let Some(slot) = self.to.get_mut(def) {
                *slot = copy;
            }
        }
    }

    pub(super) fn into_defs(self) -> TypeDefs {
        self.to
    }
}
