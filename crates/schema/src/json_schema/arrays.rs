//! Lists, tuples and the lists that a union of them makes up.

use serde_json::Value as Json;

use super::keywords::{self, Members};
use super::mapper::Mapper;
use super::unions::{Member, Part};
use super::{At, Mapped, SchemaError};
use crate::types::{LengthRange, Type};

/// What the elements of an array are, place by place.
struct Elements<'s> {
    /// Schemas of the first elements, with the way to each.
    first: Vec<(&'s Json, [String; 2])>,
    /// Schema of all others; `None` where they may be anything.
    others: Option<(&'s Json, &'static str)>,
}

impl<'s> Elements<'s> {
    /// `prefixItems` with `items`, or their older spelling, a list under `items` with `additionalItems`.
    fn of(members: &'s Members, pointer: &str) -> Result<Self, SchemaError> {
        let keyword = if members.get("items").is_some_and(Json::is_array) { "items" } else { "prefixItems" };
        let first = keywords::array(members, keyword, pointer)?.unwrap_or_default();
        let first =
            first.iter().enumerate().map(|(place, schema)| (schema, [keyword.into(), place.to_string()]));
        let rest = if keyword == "items" { "additionalItems" } else { "items" };
        let others = [rest, "unevaluatedItems"].into_iter().find_map(|key| Some((members.get(key)?, key)));
        Ok(Self { first: first.collect(), others })
    }
}

impl Mapper<'_> {
    /// A list. A tuple is the list of what stands in any of its places; which value stands where is checked at the
    /// boundary.
    pub(super) fn array(&mut self, members: &Members, at: &At) -> Result<Mapped, SchemaError> {
        let mut range = keywords::lengths(members, "minItems", "maxItems", &at.pointer)?;
        let (parts, anything) = elements(members, &mut range, at)?;
        let element = match parts.is_empty() || anything {
            true => Type::Json,
            false => self.united(&parts, &at.below(&[], "Item"))?.into_type(),
        };
        Ok(Mapped::plain(Type::List(Box::new(element), range)))
    }

    /// The list that has the values of all `members`, which are arrays: nothing tells them apart but their elements.
    pub(super) fn arrays(&mut self, members: &[&Member], at: &At) -> Result<Mapped, SchemaError> {
        let mut parts: Vec<Part<'_>> = Vec::new();
        let mut anything = false;
        let mut united: Option<LengthRange> = None;
        for member in members {
            let mut range = keywords::lengths(&member.members, "minItems", "maxItems", &member.at.pointer)?;
            let (more, any) = elements(&member.members, &mut range, &member.at)?;
            anything |= any;
            united = Some(united.map_or(range, |known| known.hull(range)));
            for (schema, at) in more {
                if parts.iter().all(|(known, _)| *known != schema) {
                    parts.push((schema, at));
                }
            }
        }
        let element = match parts.is_empty() || anything {
            true => Type::Json,
            false => self.united(&parts, &at.below(&[], "Item"))?.into_type(),
        };
        Ok(Mapped::plain(Type::List(Box::new(element), united.unwrap_or(LengthRange::FULL))))
    }
}

/// The schemas that elements may have, and whether one of them may be anything.
fn elements<'s>(
    members: &'s Members,
    range: &mut LengthRange,
    at: &At,
) -> Result<(Vec<Part<'s>>, bool), SchemaError> {
    let elements = Elements::of(members, &at.pointer)?;
    let placed = elements.first.len() as u64;
    let mut anything = false;
    let mut parts = Vec::new();
    for (schema, way) in elements.first {
        let [keyword, place] = &way;
        parts.push((schema, at.below(&[keyword, place], "Item")));
    }
    match elements.others {
        Some((Json::Bool(false), _)) => {
            let max = range.max.map_or(placed, |max| max.min(placed));
            *range = LengthRange { min: range.min.min(max), max: Some(max) };
        }
        _ if placed > 0 && range.max.is_some_and(|max| max <= placed) => {}
        Some((schema, keyword)) => {
            parts.push((schema, at.below(&[keyword], "Item")));
        }
        None => anything = true,
    }
    Ok((parts, anything))
}
