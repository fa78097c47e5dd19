//! From rules and a value to the first rule that it breaks.

mod rules;

use serde_json::Value as Json;

use super::compile::{Form, Node, NodeId, Union};
use super::equal::canonical;
use super::{CHECK_STEPS_MAX, RULE_BROKEN};
use crate::decode::{DecodeError, TOO_LARGE, key_segment, text_misfit};
use crate::text_form::{parse_bytes, parse_duration, parse_time, url_misfit};
use crate::types::Type;
use crate::wire::Kind;

/// Schemas within schemas, references followed, that are looked at for one value.
const DEPTH_MAX: usize = 500;
/// Characters of text that cost one step.
const TEXT_PER_STEP: usize = 64;

/// Checks `value` by the rules of the first node.
pub(super) fn check(nodes: &[Node], value: &Json) -> Result<(), DecodeError> {
    let mut checker = Checker::new(nodes);
    let (code, message) = match checker.typed(0, value) {
        Ok(()) => return Ok(()),
        Err(Stop::Broken(message)) => (RULE_BROKEN, message),
        Err(Stop::TooMuch) => {
            (TOO_LARGE, "telling whether it keeps the rules of its schema takes too long".into())
        }
    };
    let path = std::iter::once("$".to_owned()).chain(checker.path.iter().map(Segment::shown)).collect();
    Err(DecodeError { code, path, message })
}

/// Why a check ends early.
pub(super) enum Stop {
    Broken(String),
    TooMuch,
}

#[derive(Clone, Debug)]
enum Segment {
    Key(String),
    Index(usize),
}

impl Segment {
    fn shown(&self) -> String {
        match self {
            Self::Key(key) => key_segment(key),
            Self::Index(index) => format!("[{index}]"),
        }
    }
}

pub(super) struct Checker<'a> {
    nodes: &'a [Node],
    /// Where the walk stands; after a failure, where that was.
    path: Vec<Segment>,
    steps: usize,
    depth: usize,
}

impl<'a> Checker<'a> {
    pub(super) const fn new(nodes: &'a [Node]) -> Self {
        Self { nodes, path: Vec::new(), steps: 0, depth: 0 }
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&'a Node> {
        self.nodes.get(id)
    }

    pub(super) fn step(&mut self, steps: usize) -> Result<(), Stop> {
        self.steps = self.steps.saturating_add(steps.max(1));
        if self.steps > CHECK_STEPS_MAX { Err(Stop::TooMuch) } else { Ok(()) }
    }

    pub(super) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        if self.depth >= DEPTH_MAX {
            return Err(Stop::TooMuch);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn at(
        &mut self,
        segment: Segment,
        inner: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.path.push(segment);
        inner(self)?;
        self.path.pop();
        Ok(())
    }

    /// Checks a value that fits the type of the schema: only what the type does not say, and only where there is any
    /// of it.
    fn typed(&mut self, id: NodeId, value: &Json) -> Result<(), Stop> {
        let Some(node) = self.node(id).filter(|node| node.live) else { return Ok(()) };
        if value.is_null() && node.form.null {
            return Ok(());
        }
        self.step(1)?;
        self.deeper(|checker| {
            for rule in &node.rules {
                if let Some(why) = checker.broken(rule, node, value)? {
                    return Err(Stop::Broken(why));
                }
            }
            for schema in &node.all {
                checker.typed(*schema, value)?;
            }
            for union in &node.unions {
                checker.typed_union(union, value)?;
            }
            checker.typed_parts(node, value)
        })
    }

    /// Where it is plain which member the value is of, that one's rules count; else one of them must hold in full.
    fn typed_union(&mut self, union: &Union, value: &Json) -> Result<(), Stop> {
        if !union.members.iter().any(|id| self.node(*id).is_some_and(|node| node.live)) {
            return Ok(());
        }
        if union.told_apart {
            self.step(union.members.len())?;
            return match union.members.iter().find(|id| self.is_of(**id, value)) {
                Some(member) => self.typed(*member, value),
                None => Ok(()),
            };
        }
        if self.any_holds(&union.members, value)? {
            return Ok(());
        }
        Err(Stop::Broken("it fits no member of the union by all its rules".into()))
    }

    /// Whether kind and tags of the value are those of the schema.
    pub(super) fn is_of(&self, id: NodeId, value: &Json) -> bool {
        let Some(node) = self.node(id) else { return false };
        // A member that is a reference and nothing else.
        if let ([target], None, None) = (node.all.as_slice(), &node.form.types, &node.form.literals) {
            return *target != id && self.is_of(*target, value);
        }
        let is_kind = match (kind_of(value), &node.form.types, &node.form.literals) {
            (_, _, Some(literals)) => return literals.contains(&canonical(value)),
            (Some(kind), Some(types), None) => types.kinds.contains(&kind),
            (None, ..) => node.form.null,
            (Some(_), None, None) => false,
        };
        let has_tag = |name: &String| {
            let property = node.properties.get(name).and_then(|id| self.node(*id));
            let property = match property.map(|property| (property, property.all.as_slice())) {
                // As above.
                Some((own, [target])) if own.form.literals.is_none() => self.node(*target),
                other => other.map(|(own, _)| own),
            };
            match property.and_then(|property| property.form.literals.as_ref()) {
                Some(literals) => value.get(name).is_some_and(|value| literals.contains(&canonical(value))),
                None => true,
            }
        };
        is_kind && node.form.required.iter().all(has_tag)
    }

    fn typed_parts(&mut self, node: &Node, value: &Json) -> Result<(), Stop> {
        match value {
            Json::Object(members) => {
                for (key, value) in members {
                    let schema = node.properties.get(key).or(node.values.as_ref());
                    let absent = value.is_null() && !node.form.required.contains(key);
                    if let (Some(schema), false) = (schema, absent) {
                        self.at(Segment::Key(key.clone()), |checker| checker.typed(*schema, value))?;
                    }
                }
            }
            Json::Array(items) => {
                let Some(schema) = node.items else { return Ok(()) };
                for (index, item) in items.iter().enumerate() {
                    self.at(Segment::Index(index), |checker| checker.typed(schema, item))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn any_holds(&mut self, union: &[NodeId], value: &Json) -> Result<bool, Stop> {
        for schema in union {
            if self.holds(*schema, value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a value that no type has read is one of the schema.
    pub(super) fn holds(&mut self, id: NodeId, value: &Json) -> Result<bool, Stop> {
        self.holds_within(id, id, value)
    }

    /// As [`Self::holds`], of a part of `whole` that holds beside its other parts.
    fn holds_within(&mut self, whole: NodeId, id: NodeId, value: &Json) -> Result<bool, Stop> {
        let Some(node) = self.node(id) else { return Ok(true) };
        self.step(1)?;
        self.deeper(|checker| {
            if value.is_null() && node.form.null {
                return Ok(true);
            }
            if !checker.has_form(whole, node, value)? {
                return Ok(false);
            }
            for rule in &node.rules {
                if checker.broken(rule, node, value)?.is_some() {
                    return Ok(false);
                }
            }
            for schema in &node.all {
                if !checker.holds_within(whole, *schema, value)? {
                    return Ok(false);
                }
            }
            for union in &node.unions {
                if !checker.any_holds(&union.members, value)? {
                    return Ok(false);
                }
            }
            checker.parts_hold(node, value)
        })
    }

    fn parts_hold(&mut self, node: &Node, value: &Json) -> Result<bool, Stop> {
        match value {
            Json::Object(members) => {
                for (key, value) in members {
                    let schema = node.properties.get(key).or(node.values.as_ref());
                    let absent = value.is_null() && !node.form.required.contains(key);
                    if let (Some(schema), false) = (schema, absent)
                        && !self.holds(*schema, value)?
                    {
                        return Ok(false);
                    }
                }
            }
            Json::Array(items) => {
                let Some(schema) = node.items else { return Ok(true) };
                for item in items {
                    if !self.holds(schema, item)? {
                        return Ok(false);
                    }
                }
            }
            _ => {}
        }
        Ok(true)
    }

    /// Whether the value is what the type of the schema says.
    fn has_form(&mut self, whole: NodeId, node: &Node, value: &Json) -> Result<bool, Stop> {
        let form = &node.form;
        if form.never {
            return Ok(false);
        }
        let Some(kind) = kind_of(value) else {
            let null = form.types.as_ref().is_none_or(|types| types.null);
            return Ok(null && self.is_literal(form, value)?);
        };
        if form.types.as_ref().is_some_and(|types| !types.kinds.contains(&kind)) {
            return Ok(false);
        }
        let fits = match value {
            Json::Number(number) => form.number.as_ref().is_none_or(|ty| fits_number(number, ty)),
            Json::String(text) => {
                self.step(text.len() / TEXT_PER_STEP)?;
                form.text.as_ref().is_none_or(|ty| fits_text(text, ty))
            }
            Json::Array(items) => form.length.is_none_or(|range| range.contains(items.len() as u64)),
            Json::Object(members) => {
                self.step(form.required.len())?;
                for name in form.required.iter().filter(|name| !members.contains_key(*name)) {
                    // Where `null` would do, so does leaving it out.
                    if !self.may_be_null(whole, name)? {
                        return Ok(false);
                    }
                }
                true
            }
            Json::Null | Json::Bool(_) => true,
        };
        Ok(fits && self.is_literal(form, value)?)
    }

    fn is_literal(&mut self, form: &Form, value: &Json) -> Result<bool, Stop> {
        match &form.literals {
            None => Ok(true),
            Some(literals) => Ok(literals.contains(&self.canonical(value)?)),
        }
    }

    fn canonical(&mut self, value: &Json) -> Result<String, Stop> {
        let text = canonical(value);
        self.step(text.len() / TEXT_PER_STEP)?;
        Ok(text)
    }
}

fn kind_of(value: &Json) -> Option<Kind> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(_) => Kind::Bool,
        Json::Number(_) => Kind::Number,
        Json::String(_) => Kind::String,
        Json::Array(_) => Kind::Array,
        Json::Object(_) => Kind::Object,
    })
}

fn is_required(node: &Node, key: &str) -> bool {
    node.form.required.iter().any(|name| name == key)
}

fn fits_number(number: &serde_json::Number, ty: &Type) -> bool {
    let Some(float) = number.as_f64() else { return false };
    match (ty, number.as_i64()) {
        (Type::Int(range), Some(whole)) => range.contains(whole),
        // As far as a double can tell.
        (Type::Int(range), None) => {
            float.fract() == 0.0 && float >= range.min as f64 && float <= range.max as f64
        }
        (Type::Float(range), _) => range.contains(float),
        _ => true,
    }
}

fn fits_text(text: &str, ty: &Type) -> bool {
    match ty {
        Type::String(range) => text_misfit(text, *range).is_none(),
        Type::Url => url_misfit(text).is_none(),
        Type::Time => parse_time(text).is_some(),
        Type::Duration => parse_duration(text).is_some(),
        Type::Amount => text.parse::<crate::amount::Amount>().is_ok(),
        Type::Bytes(range) => parse_bytes(text).is_some_and(|bytes| range.contains(bytes.len() as u64)),
        _ => true,
    }
}
