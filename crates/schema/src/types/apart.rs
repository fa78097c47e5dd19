//! Types as users write them, where two that look the same have to be told apart.

use std::collections::BTreeSet;

use super::show::show_length;
use super::{DefId, Type, TypeDef, TypeDefs};

/// How deep two types are looked into: below, they are called by the same names.
const DEPTH_MAX: usize = 8;

/// What a definition holds under each name: the fields of a record, the variants of an enum.
type Parts<'d> = Vec<(&'d str, Option<&'d Type>)>;

/// Where a definition comes from, in words: `sn22.web_search`.
type Source<'s> = &'s dyn Fn(DefId) -> Option<String>;

impl TypeDefs {
    /// Both types as [`show`](Self::show) has them. Where that is the same of two that differ, each with the first part that
    /// tells them apart: `Hit { score: Int, .. }` and `Hit { score: Float, .. }`. Where all parts are the same, with what
    /// `source` says of where they come from: `Hit of sn22.web_search`.
    #[must_use]
    pub fn show_apart(
        &self,
        left: &Type,
        right: &Type,
        source: &dyn Fn(DefId) -> Option<String>,
    ) -> (String, String) {
        let by_parts = Apart { defs: self, source: None, seen: BTreeSet::new() }.show(left, right, DEPTH_MAX);
        if by_parts.0 != by_parts.1 || left == right {
            return by_parts;
        }
        Apart { defs: self, source: Some(source), seen: BTreeSet::new() }.show(left, right, DEPTH_MAX)
    }
}

struct Apart<'a> {
    defs: &'a TypeDefs,
    source: Option<Source<'a>>,
    /// Definitions that were compared already: again they would give nothing else.
    seen: BTreeSet<(DefId, DefId)>,
}

impl Apart<'_> {
    fn show(&mut self, left: &Type, right: &Type, depth: usize) -> (String, String) {
        let shown = (self.defs.show(left), self.defs.show(right));
        let Some(below) = depth.checked_sub(1) else { return shown };
        if shown.0 != shown.1 || left == right {
            return shown;
        }
        match (left, right) {
            // Their ranges are shown, and so are the same.
            (Type::List(a, range), Type::List(b, _)) => {
                let length = show_length(*range);
                both(self.show(a, b, below), |element| format!("[{element}]{length}"))
            }
            (Type::Map(a), Type::Map(b)) => {
                both(self.show(a, b, below), |value| format!("{{String: {value}}}"))
            }
            (Type::Optional(a), Type::Optional(b)) => {
                both(self.show(a, b, below), |inner| format!("{inner}?"))
            }
            (Type::Result(ok_a, err_a), Type::Result(ok_b, err_b)) => {
                let (ok, err) = (self.show(ok_a, ok_b, below), self.show(err_a, err_b, below));
                (format!("Result<{}, {}>", ok.0, err.0), format!("Result<{}, {}>", ok.1, err.1))
            }
            (Type::Named(a), Type::Named(b)) if self.seen.insert((*a, *b)) => {
                let by_source = self.source.map(|source| (source(*a), source(*b))).filter(|(a, b)| a != b);
                match by_source {
                    Some((a, b)) => (from(&shown.0, a), from(&shown.1, b)),
                    None => self.by_parts(*a, *b, &shown.0, below).unwrap_or(shown),
                }
            }
            _ => shown,
        }
    }

    /// Two definitions called `name`, by the first part in which they differ; `None` where they do not seem to.
    fn by_parts(&mut self, left: DefId, right: DefId, name: &str, depth: usize) -> Option<(String, String)> {
        let (left, right) = (self.defs.get(left)?, self.defs.get(right)?);
        let (mine, others) = (parts(left), parts(right));
        let find = |parts: &Parts<'_>, name: &str| parts.iter().position(|(known, _)| *known == name);
        for (label, a) in &mine {
            let Some((_, b)) = find(&others, label).and_then(|at| others.get(at)) else {
                let ty = a.map(|ty| self.defs.show(ty));
                return Some((with_part(name, left, label, ty.as_deref()), name.to_owned()));
            };
            let (a, b) = match (a, b) {
                (Some(a), Some(b)) => {
                    let (a, b) = self.show(a, b, depth);
                    (Some(a), Some(b))
                }
                (a, b) => (a.map(|ty| self.defs.show(ty)), b.map(|ty| self.defs.show(ty))),
            };
            if a != b {
                let shown = with_part(name, left, label, a.as_deref());
                return Some((shown, with_part(name, right, label, b.as_deref())));
            }
        }
        let (label, ty) = others.iter().find(|(label, _)| find(&mine, label).is_none())?;
        let ty = ty.map(|ty| self.defs.show(ty));
        Some((name.to_owned(), with_part(name, right, label, ty.as_deref())))
    }
}

fn from(name: &str, source: Option<String>) -> String {
    source.map_or_else(|| name.to_owned(), |source| format!("{name} of {source}"))
}

/// A definition with one of its parts.
fn with_part(name: &str, def: &TypeDef, part: &str, ty: Option<&str>) -> String {
    let part = match (def, ty) {
        (_, None) => part.to_owned(),
        (TypeDef::Record(_), Some(ty)) => format!("{part}: {ty}"),
        (TypeDef::Enum(_), Some(ty)) => format!("{part}({ty})"),
    };
    let more = if parts(def).len() > 1 { ", .." } else { "" };
    format!("{name} {{ {part}{more} }}")
}

fn both((left, right): (String, String), form: impl Fn(String) -> String) -> (String, String) {
    (form(left), form(right))
}

fn parts(def: &TypeDef) -> Parts<'_> {
    match def {
        TypeDef::Record(def) => {
            def.fields.iter().map(|field| (field.name.as_str(), Some(&field.ty))).collect()
        }
        TypeDef::Enum(def) => {
            def.variants.iter().map(|variant| (variant.name.as_str(), variant.payload.as_ref())).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{EnumDef, EnumWire, FieldDef, LengthRange, RecordDef, VariantDef};

    fn record(defs: &mut TypeDefs, name: &str, fields: &[(&str, Type)]) -> Type {
        let field =
            |(name, ty): &(&str, Type)| FieldDef { name: (*name).into(), ty: ty.clone(), doc: String::new() };
        let fields = fields.iter().map(field).collect();
        Type::Named(defs.push(TypeDef::Record(RecordDef { name: name.into(), fields, doc: String::new() })))
    }

    fn mood(defs: &mut TypeDefs, payload: Option<Type>) -> Type {
        let variant = |name: &str, payload| VariantDef {
            name: name.into(),
            payload,
            wire: String::new(),
            doc: String::new(),
        };
        let variants = vec![variant("Good", None), variant("Bad", payload)];
        let def = EnumDef { name: "Mood".into(), variants, wire: EnumWire::Literal, doc: String::new() };
        Type::Named(defs.push(TypeDef::Enum(def)))
    }

    fn nowhere(_: DefId) -> Option<String> {
        None
    }

    #[test]
    fn what_looks_different_is_shown_as_it_is() {
        let defs = TypeDefs::new();
        assert_eq!(defs.show_apart(&Type::INT, &Type::Url, &nowhere), ("Int".into(), "Url".into()));
        assert_eq!(defs.show_apart(&Type::INT, &Type::INT, &nowhere), ("Int".into(), "Int".into()));
    }

    #[test]
    fn what_looks_the_same_is_told_apart_by_its_first_difference() {
        let mut defs = TypeDefs::new();
        let mut hit = |score: Type| record(&mut defs, "Hit", &[("link", Type::Url), ("score", score)]);
        let (whole, part) = (hit(Type::INT), hit(Type::FLOAT));
        let bare = record(&mut defs, "Hit", &[("link", Type::Url)]);
        let pair = |defs: &mut TypeDefs, left: &Type| {
            let list = Type::List(Box::new(left.clone()), LengthRange::up_to(3));
            record(defs, "Pair<..>", &[("left", list)])
        };
        let (pair_a, pair_b) = (pair(&mut defs, &whole), pair(&mut defs, &part));
        let (mood_a, mood_b, mood_c) =
            (mood(&mut defs, None), mood(&mut defs, Some(Type::INT)), mood(&mut defs, Some(Type::Url)));
        for (a, b, shown_a, shown_b) in [
            (&whole, &part, "Hit { score: Int, .. }", "Hit { score: Float, .. }"),
            (&whole, &bare, "Hit { score: Int, .. }", "Hit"),
            (&bare, &part, "Hit", "Hit { score: Float, .. }"),
            (
                &pair_a,
                &pair_b,
                "Pair<..> { left: [Hit { score: Int, .. }](..3) }",
                "Pair<..> { left: [Hit { score: Float, .. }](..3) }",
            ),
            (&mood_a, &mood_b, "Mood { Bad, .. }", "Mood { Bad(Int), .. }"),
            (&mood_b, &mood_c, "Mood { Bad(Int), .. }", "Mood { Bad(Url), .. }"),
        ] {
            assert_eq!(defs.show_apart(a, b, &nowhere), (shown_a.into(), shown_b.into()));
            let within = |ty: &Type| {
                Type::Result(Box::new(Type::Map(Box::new(ty.clone()))), Box::new(Type::Url)).optional()
            };
            let form = |shown: &str| format!("Result<{{String: {shown}}}, Url>?");
            assert_eq!(defs.show_apart(&within(a), &within(b), &nowhere), (form(shown_a), form(shown_b)));
        }
    }

    #[test]
    fn what_has_the_same_parts_is_told_apart_by_where_it_comes_from() {
        let mut defs = TypeDefs::new();
        let mut two = |name: &str, of: [Type; 2]| of.map(|of| record(&mut defs, name, &[("of", of)]));
        let inner = two("Inner", [Type::Url, Type::Url]);
        let outer = two("Outer", inner.clone());
        let pair = two("Pair<..>", outer.clone());
        let source = |def: DefId| (def.0 < 4).then(|| format!("sn{}.op", def.0 % 2 + 1));
        for (of, name) in [(&inner, "Inner of"), (&outer, "Outer of")] {
            let shown = defs.show_apart(&of[0], &of[1], &source);
            assert_eq!(shown, (format!("{name} sn1.op"), format!("{name} sn2.op")));
        }
        // What the language makes of both comes from nowhere.
        let shown = defs.show_apart(&pair[0], &pair[1], &source);
        let form = |place: &str| format!("Pair<..> {{ of: Outer of {place} }}");
        assert_eq!(shown, (form("sn1.op"), form("sn2.op")));
    }

    #[test]
    fn definitions_that_hold_each_other_come_to_an_end() {
        let mut defs = TypeDefs::new();
        let next = |id: u32| Type::Named(DefId(id)).optional();
        let (a, b) =
            (record(&mut defs, "A", &[("next", next(0))]), record(&mut defs, "A", &[("next", next(1))]));
        assert_eq!(defs.show_apart(&a, &b, &nowhere), ("A".into(), "A".into()));
        let mut last = (Type::INT, Type::FLOAT);
        for _ in 0..100 {
            last = (record(&mut defs, "B", &[("b", last.0)]), record(&mut defs, "B", &[("b", last.1)]));
        }
        let shown = defs.show_apart(&last.0, &last.1, &nowhere);
        assert_eq!(shown.0, shown.1);
        assert_eq!(shown.0, "B");
    }
}
