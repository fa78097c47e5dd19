//! What types leave out and a schema wants to see: properties that are required and may be `null`.

use serde_json::Value as Json;

use super::check::{Checker, Stop};
use super::compile::{Node, NodeId, Union};

/// Whether there may be such a property anywhere. What one part of a schema requires, another may tell of.
pub(super) fn are_wanted(nodes: &[Node]) -> bool {
    let mut checker = Checker::new(nodes);
    nodes.iter().any(|node| {
        let is_ruled_out = |admitted| matches!(admitted, Ok(Some(false)));
        node.form.required.iter().any(|name| !is_ruled_out(checker.admits_null(node, name)))
    })
}

/// Puts them where they are absent. Where that would take too long the value stays as far as it came.
pub(super) fn put(nodes: &[Node], value: &mut Json) {
    let _ = Checker::new(nodes).put_nulls(0, value);
}

impl Checker<'_> {
    /// Whether the property is told of in the schema, and may be `null` wherever it is.
    pub(super) fn may_be_null(&mut self, id: NodeId, name: &str) -> Result<bool, Stop> {
        match self.node(id) {
            Some(node) => Ok(self.admits_null(node, name)? == Some(true)),
            None => Ok(false),
        }
    }

    /// Nothing where the property is not told of.
    fn admits_null(&mut self, node: &Node, name: &str) -> Result<Option<bool>, Stop> {
        self.deeper(|checker| {
            let own = node.properties.get(name).map(|property| checker.holds(*property, &Json::Null));
            let mut admitted = own.transpose()?;
            for part in node.all.iter().filter_map(|part| checker.node(*part)).collect::<Vec<_>>() {
                if let Some(here) = checker.admits_null(part, name)? {
                    admitted = Some(here && admitted != Some(false));
                }
            }
            Ok(admitted)
        })
    }

    fn put_nulls(&mut self, id: NodeId, value: &mut Json) -> Result<(), Stop> {
        self.put_nulls_within(id, id, value)
    }

    /// As [`Self::put_nulls`], for a part of `whole` that holds beside its other parts.
    fn put_nulls_within(&mut self, whole: NodeId, id: NodeId, value: &mut Json) -> Result<(), Stop> {
        let Some(node) = self.node(id) else { return Ok(()) };
        self.step(1)?;
        self.deeper(|checker| {
            match value {
                Json::Object(members) => {
                    for name in &node.form.required {
                        if !members.contains_key(name) && checker.may_be_null(whole, name)? {
                            members.insert(name.clone(), Json::Null);
                        }
                    }
                    for (name, value) in members {
                        if let Some(schema) = node.properties.get(name).or(node.values.as_ref()) {
                            checker.put_nulls(*schema, value)?;
                        }
                        for schema in node.rules.iter().filter_map(|rule| rule.of_key(name)) {
                            checker.put_nulls(schema, value)?;
                        }
                    }
                }
                Json::Array(items) => {
                    for (at, item) in items.iter_mut().enumerate() {
                        let places = node.rules.iter().filter_map(|rule| rule.of_place(at));
                        for schema in node.items.into_iter().chain(places) {
                            checker.put_nulls(schema, item)?;
                        }
                    }
                }
                _ => return Ok(()),
            }
            for schema in &node.all {
                checker.put_nulls_within(whole, *schema, value)?;
            }
            for union in &node.unions {
                if let Some(member) = checker.member_of(union, value)? {
                    checker.put_nulls(member, value)?;
                }
            }
            Ok(())
        })
    }

    /// The member of a union that the value is of.
    fn member_of(&mut self, union: &Union, value: &Json) -> Result<Option<NodeId>, Stop> {
        for member in &union.members {
            let is_of = match union.told_apart {
                true => self.is_of(*member, value),
                false => self.holds(*member, value)?,
            };
            if is_of {
                return Ok(Some(*member));
            }
        }
        Ok(None)
    }
}
