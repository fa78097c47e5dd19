//! Arguments and answers of two versions, part by part.

use std::collections::BTreeSet;

use super::{CHANGES_MAX, Change, Level, Tables};
use crate::json_schema::OperationTypes;
use crate::types::{DefId, EnumDef, EnumWire, RecordDef, Type, TypeDef, TypeDefs};

/// Which way values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// From plans to the operation.
    Argument,
    /// From the operation to plans.
    Answer,
}

/// How the values of the new type lie to those of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Same,
    Wider,
    Narrower,
    Other,
}

pub(super) fn compare(old: &OperationTypes, new: &OperationTypes, stem: &str, changes: &mut Vec<Change>) {
    let mut defs = old.defs.clone();
    let offset = defs.import(&new.defs);
    let output = new.output.shift(offset);
    let input = DefId(new.input.0.saturating_add(offset));
    let mut comparer =
        Comparer { tables: Tables { defs }, changes, seen: BTreeSet::new(), named: false, in_map: false };
    comparer.values(Side::Answer, &old.output, &output, "output");
    comparer.parameters(old.input, input);
    names(old, new, stem, changes);
}

/// A plan can name every type of an operation but the record of its parameters.
fn names(old: &OperationTypes, new: &OperationTypes, stem: &str, changes: &mut Vec<Change>) {
    let all = |defs: &TypeDefs, input: DefId| -> BTreeSet<String> {
        defs.iter().filter(|(id, _)| *id != input).map(|(_, def)| def.name().to_owned()).collect()
    };
    let (before, after) = (all(&old.defs, old.input), all(&new.defs, new.input));
    let mut change = |name: &String, reason: &str| {
        let path = format!("types.{name}");
        changes.push(Change { level: Level::NeedsRecompile, path, reason: reason.into() });
    };
    before.difference(&after).for_each(|name| change(name, "is gone, and a plan may name it"));
    // Names of its own are no other operation's.
    let foreign = after.difference(&before).filter(|name| !name.starts_with(stem));
    foreign.for_each(|name| change(name, "is new, and another operation may bring a type of that name"));
}

struct Comparer<'c> {
    /// Old and new types; the new ones were shifted.
    tables: Tables,
    changes: &'c mut Vec<Change>,
    /// Pairs of definitions that were compared or are being compared.
    seen: BTreeSet<(Side, DefId, DefId)>,
    /// Whether the walk is within a type that a plan can name and use for other things than this argument.
    named: bool,
    /// Whether the walk is within a map, whose values no plan converts.
    in_map: bool,
}

impl Comparer<'_> {
    fn change(&mut self, level: Level, path: &str, reason: impl Into<String>) {
        if self.changes.len() < CHANGES_MAX * 4 {
            self.changes.push(Change { level, path: path.into(), reason: reason.into() });
        }
    }

    /// A change that admits more arguments. Within a type that plans can name it is seen elsewhere, too.
    fn admits_more(&mut self, path: &str, reason: impl Into<String>) {
        let level = if self.named { Level::NeedsRecompile } else { Level::Compatible };
        self.change(level, path, reason);
    }

    /// The arguments of the operation: each is named where it is given.
    fn parameters(&mut self, old: DefId, new: DefId) {
        let (Some(old), Some(new)) =
            (self.tables.defs.record(old).cloned(), self.tables.defs.record(new).cloned())
        else {
            return;
        };
        for parameter in &old.fields {
            let path = format!("input.{}", parameter.name);
            match new.field(&parameter.name) {
                Some((_, found)) => self.values(Side::Argument, &parameter.ty, &found.ty, &path),
                None => self.change(Level::Breaking, &path, "is no parameter any more"),
            }
        }
        for parameter in new.fields.iter().filter(|parameter| old.field(&parameter.name).is_none()) {
            let path = format!("input.{}", parameter.name);
            match parameter.ty.absent() {
                Some(_) => self.change(Level::Compatible, &path, "is new and may be left out"),
                None => self.change(Level::Breaking, &path, "is new and must be given"),
            }
        }
    }

    fn values(&mut self, side: Side, old: &Type, new: &Type, path: &str) {
        match (old, new) {
            (Type::Optional(old), Type::Optional(new)) => self.values(side, old, new, path),
            (Type::Optional(inner), _) if *new != Type::Json => {
                let (level, reason) = match side {
                    Side::Answer => (Level::NeedsRecompile, "is always there now"),
                    Side::Argument => (Level::Breaking, "must be given now"),
                };
                self.change(level, path, reason);
                self.values(side, inner, new, path);
            }
            (_, Type::Optional(inner)) if *old != Type::Json => {
                match side {
                    Side::Answer => self.change(Level::Breaking, path, "may be absent now"),
                    Side::Argument => self.admits_more(path, "may be left out now"),
                }
                self.values(side, old, inner, path);
            }
            (Type::List(old, old_range), Type::List(new, new_range)) => {
                if old_range != new_range {
                    let of_json = |range| Type::List(Box::new(Type::Json), range);
                    self.extent(side, &of_json(*old_range), &of_json(*new_range), path);
                }
                self.values(side, old, new, &format!("{path}[]"));
            }
            (Type::Map(old), Type::Map(new)) => {
                let outside = std::mem::replace(&mut self.in_map, true);
                self.values(side, old, new, &format!("{path}{{}}"));
                self.in_map = outside;
            }
            (Type::Named(old_id), Type::Named(new_id)) => self.definitions(side, *old_id, *new_id, path),
            _ => self.extent(side, old, new, path),
        }
    }

    /// Types that have no parts in common.
    fn extent(&mut self, side: Side, old: &Type, new: &Type, path: &str) {
        let extent = match (self.tables.below(old, new), self.tables.below(new, old)) {
            // As documents an open enum and text are the same, as types they are not.
            (true, true) if old == new => Extent::Same,
            (true, _) => Extent::Wider,
            (false, true) => Extent::Narrower,
            (false, false) => Extent::Other,
        };
        // Brackets make it plain that the same elements are meant.
        let (was, is) = (self.tables.show(old), self.tables.show(new));
        match (side, extent) {
            (_, Extent::Same) => {}
            (Side::Answer, Extent::Narrower) => {
                self.change(Level::NeedsRecompile, path, format!("was {was}, is {is} only"));
            }
            (Side::Answer, _) => self.change(Level::Breaking, path, format!("was {was}, may be {is} now")),
            (Side::Argument, Extent::Wider) if self.converts(old, new) => {
                self.admits_more(path, format!("was {was}, may be {is} now"));
            }
            (Side::Argument, Extent::Wider) => {
                self.change(Level::NeedsRecompile, path, format!("was {was}, is written as {is} now"));
            }
            (Side::Argument, _) => self.change(Level::Breaking, path, format!("was {was}, must be {is} now")),
        }
    }

    /// Whether every expression of the old type stands where the new one is wanted.
    fn converts(&self, old: &Type, new: &Type) -> bool {
        match (old, new) {
            (Type::Int(_), Type::Int(_))
            | (Type::Float(_), Type::Float(_))
            | (Type::String(_), Type::String(_))
            | (Type::Bytes(_), Type::Bytes(_))
            | (Type::List(..), Type::List(..)) => true,
            // What only one member of a union takes goes in by itself.
            (Type::String(_) | Type::Bool | Type::Int(_) | Type::Float(_), Type::Named(id))
                if !self.in_map =>
            {
                let union = self.tables.defs.enumeration(*id).filter(|def| def.wire == EnumWire::Untagged);
                union.is_some_and(|union| {
                    let payloads = union.variants.iter().filter_map(|variant| variant.payload.as_ref());
                    payloads.into_iter().any(|payload| self.converts(old, payload))
                })
            }
            _ => false,
        }
    }

    fn definitions(&mut self, side: Side, old_id: DefId, new_id: DefId, path: &str) {
        if !self.seen.insert((side, old_id, new_id)) {
            return;
        }
        let (Some(old), Some(new)) =
            (self.tables.defs.get(old_id).cloned(), self.tables.defs.get(new_id).cloned())
        else {
            return;
        };
        if old.name() != new.name() {
            self.change(
                Level::NeedsRecompile,
                path,
                format!("its type was called {}, is {}", old.name(), new.name()),
            );
        }
        let outside = std::mem::replace(&mut self.named, true);
        match (&old, &new) {
            (TypeDef::Record(old), TypeDef::Record(new)) => self.records(side, old, new, path),
            (TypeDef::Enum(old), TypeDef::Enum(new)) if old.wire == new.wire => {
                self.enums(side, old, new, path)
            }
            _ => self.extent(side, &Type::Named(old_id), &Type::Named(new_id), path),
        }
        self.named = outside;
    }

    fn records(&mut self, side: Side, old: &RecordDef, new: &RecordDef, path: &str) {
        for field in &old.fields {
            let path = format!("{path}.{}", field.name);
            match (new.field(&field.name), side) {
                (Some((_, found)), _) => self.values(side, &field.ty, &found.ty, &path),
                (None, Side::Answer) => self.change(Level::Breaking, &path, "is gone"),
                (None, Side::Argument) => self.change(Level::Breaking, &path, "is no field any more"),
            }
        }
        for field in new.fields.iter().filter(|field| old.field(&field.name).is_none()) {
            let path = format!("{path}.{}", field.name);
            match (side, field.ty.absent().is_some()) {
                (Side::Answer, true) => self.change(Level::Compatible, &path, "is new"),
                (Side::Answer, false) => {
                    self.change(
                        Level::NeedsRecompile,
                        &path,
                        "is new and always there: answers from before lack it",
                    );
                }
                (Side::Argument, true) => {
                    self.change(
                        Level::NeedsRecompile,
                        &path,
                        "is new: a record with such a field was read without it",
                    );
                }
                (Side::Argument, false) => self.change(Level::Breaking, &path, "is new and must be given"),
            }
        }
    }

    fn enums(&mut self, side: Side, old: &EnumDef, new: &EnumDef, path: &str) {
        let (old_open, new_open) = (old.catch_all().is_some(), new.catch_all().is_some());
        for variant in &old.variants {
            let of = |found: &&crate::types::VariantDef| {
                found.wire == variant.wire && found.payload.is_some() == variant.payload.is_some()
            };
            let name = &variant.name;
            match (new.variants.iter().find(of), side) {
                (Some(found), _) => {
                    if found.name != variant.name {
                        self.change(
                            Level::NeedsRecompile,
                            path,
                            format!("{name} is called {} now", found.name),
                        );
                    }
                    if let (Some(old), Some(new)) = (&variant.payload, &found.payload) {
                        self.values(side, old, new, &format!("{path}.{name}"));
                    }
                }
                (None, Side::Answer) => {
                    self.change(Level::NeedsRecompile, path, format!("is never {name} any more"))
                }
                (None, Side::Argument) if new_open && variant.payload.is_none() => {
                    self.change(Level::NeedsRecompile, path, format!("{name} is a text like any other now"));
                }
                (None, Side::Argument) => {
                    self.change(Level::Breaking, path, format!("must not be {name} any more"))
                }
            }
        }
        for variant in &new.variants {
            let known = old.variants.iter().any(|found| {
                found.wire == variant.wire && found.payload.is_some() == variant.payload.is_some()
            });
            let name = &variant.name;
            match side {
                _ if known => {}
                Side::Answer if old_open && variant.payload.is_none() && variant.wire.starts_with('"') => {
                    self.change(
                        Level::NeedsRecompile,
                        path,
                        format!("{name} has a name now, and was a text like any other"),
                    );
                }
                Side::Answer => self.change(Level::Breaking, path, format!("may be {name} now")),
                Side::Argument => self.change(Level::NeedsRecompile, path, format!("may be {name} now")),
            }
        }
    }
}
