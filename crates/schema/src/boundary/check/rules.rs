//! Rules beyond the type: why a value breaks one.

use serde_json::{Map, Value as Json};

use super::super::compile::{Node, Rule};
use super::{Checker, Stop, TEXT_PER_STEP, is_required};
use crate::decode::quoted;
use crate::types::LengthRange;

impl Checker<'_> {
    /// Why the value breaks the rule, if it does.
    pub(super) fn broken(&mut self, rule: &Rule, node: &Node, value: &Json) -> Result<Option<String>, Stop> {
        match value {
            Json::String(text) => self.broken_by_text(rule, text, value),
            Json::Array(items) => self.broken_by_array(rule, items, value),
            Json::Object(members) => self.broken_by_object(rule, node, members, value),
            Json::Number(number) => match rule {
                Rule::MultipleOf(divisor) if !is_multiple(number, *divisor) => {
                    Ok(Some(format!("{number} is no multiple of {divisor}")))
                }
                _ => self.broken_by_any(rule, value),
            },
            Json::Null | Json::Bool(_) => self.broken_by_any(rule, value),
        }
    }

    /// Rules that hold for values of any kind.
    fn broken_by_any(&mut self, rule: &Rule, value: &Json) -> Result<Option<String>, Stop> {
        Ok(match rule {
            Rule::Not(schema) if self.holds(*schema, value)? => {
                Some("it is what `not` of its schema rules out".to_owned())
            }
            Rule::Conditional { condition, then, otherwise } => {
                let (word, schema) =
                    if self.holds(*condition, value)? { ("then", then) } else { ("else", otherwise) };
                match schema {
                    Some(schema) if !self.holds(*schema, value)? => {
                        Some(format!("it is not what `{word}` of its schema demands"))
                    }
                    _ => None,
                }
            }
            Rule::Literals(literals) if !literals.contains(&self.canonical(value)?) => {
                Some("it is none of the values that its schema lists".to_owned())
            }
            _ => None,
        })
    }

    fn broken_by_text(&mut self, rule: &Rule, text: &str, value: &Json) -> Result<Option<String>, Stop> {
        self.step(text.len() / TEXT_PER_STEP)?;
        Ok(match rule {
            Rule::Pattern(pattern) if !pattern.is_found_in(text) => {
                Some(format!("the text does not match the pattern `{}`", quoted(&pattern.text)))
            }
            Rule::Format(format) if !format.admits(text) => {
                Some(format!("the text has not the form `{}`", format.name()))
            }
            Rule::Pattern(_) | Rule::Format(_) => None,
            other => self.broken_by_any(other, value)?,
        })
    }

    fn broken_by_array(&mut self, rule: &Rule, items: &[Json], value: &Json) -> Result<Option<String>, Stop> {
        match rule {
            Rule::UniqueItems => {
                let mut seen = std::collections::BTreeMap::new();
                for (index, item) in items.iter().enumerate() {
                    if let Some(first) = seen.insert(self.canonical(item)?, index) {
                        return Ok(Some(format!("elements {first} and {index} are the same")));
                    }
                }
                Ok(None)
            }
            Rule::Contains(schema, range) => {
                let mut found = 0;
                for item in items {
                    found += u64::from(self.holds(*schema, item)?);
                }
                Ok((!range.contains(found)).then(|| {
                    format!(
                        "{found} elements are what `contains` of its schema says, which is {}",
                        count(*range, found)
                    )
                }))
            }
            Rule::Places(..) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(schema) = rule.of_place(index)
                        && !self.holds(schema, item)?
                    {
                        return Ok(Some(format!(
                            "element {index} is not what its place in the schema demands"
                        )));
                    }
                }
                Ok(None)
            }
            other => self.broken_by_any(other, value),
        }
    }

    fn broken_by_object(
        &mut self,
        rule: &Rule,
        node: &Node,
        members: &Map<String, Json>,
        value: &Json,
    ) -> Result<Option<String>, Stop> {
        let has =
            |key: &str| members.get(key).is_some_and(|value| !value.is_null() || is_required(node, key));
        match rule {
            Rule::Properties(range) => {
                let found = members.len() as u64;
                let why = || format!("it has {found} members, which is {}", count(*range, found));
                Ok((!range.contains(found)).then(why))
            }
            Rule::PropertyNames(schema) => {
                for key in members.keys() {
                    if !self.holds(*schema, &Json::from(key.as_str()))? {
                        return Ok(Some(format!("the key `{}` is not what its schema admits", quoted(key))));
                    }
                }
                Ok(None)
            }
            Rule::KeysLike(..) => {
                for (key, value) in members {
                    self.step(key.len() / TEXT_PER_STEP)?;
                    if let Some(schema) = rule.of_key(key)
                        && !self.holds(schema, value)?
                    {
                        let why = "is not what its schema admits under such a key";
                        return Ok(Some(format!("the value of `{}` {why}", quoted(key))));
                    }
                }
                Ok(None)
            }
            Rule::OtherKeys(patterns, _) => {
                for (key, value) in members {
                    self.step(patterns.len() * (1 + key.len() / TEXT_PER_STEP))?;
                    if let Some(schema) = rule.of_key(key)
                        && !self.holds(schema, value)?
                    {
                        return Ok(Some(format!(
                            "the value of `{}` is not what its schema admits",
                            quoted(key)
                        )));
                    }
                }
                Ok(None)
            }
            Rule::OnlyKeys(patterns) => {
                for key in members.keys().filter(|key| !node.properties.contains_key(*key)) {
                    self.step(patterns.len() * (1 + key.len() / TEXT_PER_STEP))?;
                    if !patterns.iter().any(|pattern| pattern.is_found_in(key)) {
                        let all = patterns.iter().map(|pattern| format!("`{}`", quoted(&pattern.text)));
                        let all = all.collect::<Vec<_>>().join(", ");
                        return Ok(Some(format!("the key `{}` matches none of {all}", quoted(key))));
                    }
                }
                Ok(None)
            }
            Rule::Together(key, others) if has(key) => {
                self.step(others.len())?;
                let missing = others.iter().find(|other| !has(other));
                Ok(missing.map(|missing| {
                    format!("with `{}` goes `{}`, which is missing", quoted(key), quoted(missing))
                }))
            }
            Rule::Dependent(key, schema) if has(key) => {
                let holds = self.holds(*schema, value)?;
                Ok((!holds)
                    .then(|| format!("it is not what its schema demands of one with `{}`", quoted(key))))
            }
            other => self.broken_by_any(other, value),
        }
    }
}

fn count(range: LengthRange, found: u64) -> String {
    match range.max {
        Some(max) if found > max => format!("more than {max}"),
        _ => format!("less than {}", range.min),
    }
}

/// Whether the number is a whole multiple, as far as doubles can tell: 0.3 is one of 0.1.
fn is_multiple(number: &serde_json::Number, divisor: f64) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small enough")]
    let whole = (divisor.fract() == 0.0 && divisor < 9e15).then_some(divisor as i64);
    if let (Some(number), Some(divisor)) = (number.as_i64(), whole) {
        return number % divisor == 0;
    }
    let quotient = number.as_f64().map_or(f64::NAN, |number| number / divisor);
    (quotient - quotient.round()).abs() <= f64::EPSILON * 4.0 * quotient.abs().max(1.0)
}
