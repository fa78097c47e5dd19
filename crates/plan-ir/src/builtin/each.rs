//! Functions that take a lambda. All evaluations of its body are charged when the function starts, those
//! that a found element makes needless included.

use schema::value::Value;

use super::Builtin;
use super::receive::WRONG_RECEIVER;
use crate::expr::{ExprId, Lambda};
use crate::interp::{Machine, Trap};

impl Machine<'_> {
    pub(super) fn per_element(
        &mut self,
        id: ExprId,
        op: Builtin,
        items: &[Value],
        rest: &[Value],
        lambda: &Lambda,
    ) -> Result<Value, Trap> {
        match (op, rest) {
            (Builtin::Map, []) => self.mapped(id, items, lambda),
            (Builtin::Filter, []) => self.filtered(id, items, lambda),
            (Builtin::All, []) => {
                self.found(id, items, lambda, false).map(|found| Value::Bool(found.is_none()))
            }
            (Builtin::Any, []) => {
                self.found(id, items, lambda, true).map(|found| Value::Bool(found.is_some()))
            }
            (Builtin::Count, []) => self.counted(id, items, lambda),
            (Builtin::Find, []) => {
                let found = self.found(id, items, lambda, true)?;
                self.or_null(id, found.and_then(|place| items.get(place)))
            }
            (Builtin::Position, []) => {
                let found = self.found(id, items, lambda, true)?;
                Ok(found.map_or(Value::Null, int))
            }
            _ => self.by_key(id, op, items, rest, lambda),
        }
    }

    /// Functions that look at a key of each element.
    fn by_key(
        &mut self,
        id: ExprId,
        op: Builtin,
        items: &[Value],
        rest: &[Value],
        lambda: &Lambda,
    ) -> Result<Value, Trap> {
        let keys = self.results_of(id, items, lambda)?;
        match (op, rest) {
            (Builtin::SortBy, []) => self.sorted(id, items, &keys),
            (Builtin::DistinctBy, []) => self.distinct(id, items, &keys),
            (Builtin::GroupBy, []) => self.grouped(id, items, &keys),
            (Builtin::KeyBy, []) => self.keyed(id, items, &keys),
            (Builtin::Top, [Value::Int(n)]) => self.top(id, items, &keys, *n),
            (Builtin::MinBy | Builtin::MaxBy, []) => self.extreme(id, items, &keys, op == Builtin::MaxBy),
            _ => Err(WRONG_RECEIVER.at(id)),
        }
    }

    /// What the lambda gives for each element.
    pub(super) fn results_of(
        &mut self,
        id: ExprId,
        items: &[Value],
        lambda: &Lambda,
    ) -> Result<Vec<Value>, Trap> {
        let mut results = Vec::with_capacity(items.len());
        self.each(id, lambda, items, |_, result| {
            results.push(result);
            true
        })?;
        Ok(results)
    }

    fn mapped(&mut self, id: ExprId, items: &[Value], lambda: &Lambda) -> Result<Value, Trap> {
        let mapped = self.results_of(id, items, lambda)?;
        self.list(id, mapped)
    }

    fn filtered(&mut self, id: ExprId, items: &[Value], lambda: &Lambda) -> Result<Value, Trap> {
        let mut kept = Vec::new();
        self.each_condition(id, lambda, items, |item, passes| {
            if passes {
                kept.push(item.clone());
            }
            true
        })?;
        self.list(id, kept)
    }

    fn counted(&mut self, id: ExprId, items: &[Value], lambda: &Lambda) -> Result<Value, Trap> {
        let mut count = 0;
        self.each_condition(id, lambda, items, |_, passes| {
            count += usize::from(passes);
            true
        })?;
        Ok(int(count))
    }

    /// The place of the first element for which the predicate gives `wanted`.
    fn found(
        &mut self,
        id: ExprId,
        items: &[Value],
        lambda: &Lambda,
        wanted: bool,
    ) -> Result<Option<usize>, Trap> {
        let (mut visited, mut found) = (0, None);
        self.each_condition(id, lambda, items, |_, passes| {
            if passes == wanted {
                found = Some(visited);
            }
            visited += 1;
            found.is_none()
        })?;
        Ok(found)
    }
}

/// A count or place as the language's number.
pub(super) fn int(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
