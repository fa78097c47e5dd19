//! Functions of maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::value::Value;

use super::Builtin;
use super::each::int;
use super::receive::WRONG_RECEIVER;
use crate::expr::{ExprId, Lambda};
use crate::interp::{Machine, Trap};

/// The entries of a map.
type Entries = BTreeMap<Arc<str>, Value>;

impl Machine<'_> {
    pub(super) fn on_map(
        &mut self,
        id: ExprId,
        op: Builtin,
        entries: &Entries,
        rest: &[Value],
    ) -> Result<Value, Trap> {
        match (op, rest) {
            (Builtin::Len, []) => Ok(int(entries.len())),
            (Builtin::IsEmpty, []) => Ok(Value::Bool(entries.is_empty())),
            (Builtin::Contains, [Value::String(key)]) => {
                self.meter.scan(key.len()).map_err(|kind| kind.at(id))?;
                Ok(Value::Bool(entries.contains_key(key)))
            }
            (Builtin::Get, [Value::String(key)]) => {
                self.meter.scan(key.len()).map_err(|kind| kind.at(id))?;
                self.or_null(id, entries.get(key))
            }
            _ => self.whole_map(id, op, entries, rest),
        }
    }

    /// Functions that go through all entries.
    fn whole_map(
        &mut self,
        id: ExprId,
        op: Builtin,
        entries: &Entries,
        rest: &[Value],
    ) -> Result<Value, Trap> {
        self.meter.work(entries.len() as u64).map_err(|kind| kind.at(id))?;
        match (op, rest) {
            (Builtin::Keys, []) => self.list(id, entries.keys().cloned().map(Value::String).collect()),
            (Builtin::Values, []) => self.list(id, entries.values().cloned().collect()),
            (Builtin::Entries, []) => {
                let entry = |(key, value): (&Arc<str>, &Value)| {
                    Value::record([Value::String(Arc::clone(key)), value.clone()])
                };
                self.list_of_records(id, entries.iter().map(entry).collect(), 2)
            }
            (Builtin::Merge, [Value::Map(other)]) => {
                self.meter.work(other.len() as u64).map_err(|kind| kind.at(id))?;
                let mut merged = entries.clone();
                merged.extend(other.iter().map(|(key, value)| (Arc::clone(key), value.clone())));
                self.map_of(id, merged)
            }
            _ => Err(WRONG_RECEIVER.at(id)),
        }
    }

    /// Functions that take a lambda over a value.
    pub(super) fn per_value(
        &mut self,
        id: ExprId,
        op: Builtin,
        entries: &Entries,
        rest: &[Value],
        lambda: &Lambda,
    ) -> Result<Value, Trap> {
        if op != Builtin::MapValues || !rest.is_empty() {
            return Err(WRONG_RECEIVER.at(id));
        }
        let values: Vec<Value> = entries.values().cloned().collect();
        let results = self.results_of(id, &values, lambda)?;
        let mapped = entries.keys().cloned().zip(results).collect();
        self.map_of(id, mapped)
    }
}
