//! Functions that take elements together: by equality, by key, by place.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::value::Value;

use super::identity::Seen;
use super::order::sorting_steps;
use super::receive::WRONG_RECEIVER;
use crate::expr::ExprId;
use crate::interp::{Machine, Trap, TrapKind};

impl Machine<'_> {
    /// The elements whose key equals that of no earlier one.
    pub(super) fn distinct(&mut self, id: ExprId, items: &[Value], keys: &[Value]) -> Result<Value, Trap> {
        let mut seen = Seen::new(self.rate());
        let mut kept = Vec::new();
        for (item, key) in items.iter().zip(keys) {
            if seen.is_new(key, self.meter).map_err(|kind| kind.at(id))? {
                kept.push(item.clone());
            }
        }
        self.list(id, kept)
    }

    /// A list of elements for each key.
    pub(super) fn grouped(&mut self, id: ExprId, items: &[Value], keys: &[Value]) -> Result<Value, Trap> {
        let keys = self.text_keys(keys).map_err(|kind| kind.at(id))?;
        let mut groups: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        for (item, key) in items.iter().zip(keys) {
            groups.entry(key).or_default().push(item.clone());
        }
        self.meter.elements(items.len()).map_err(|kind| kind.at(id))?;
        let groups = groups.into_iter().map(|(key, items)| (key, Value::List(items.into()))).collect();
        self.map_of(id, groups)
    }

    /// The last element of each key.
    pub(super) fn keyed(&mut self, id: ExprId, items: &[Value], keys: &[Value]) -> Result<Value, Trap> {
        let keys = self.text_keys(keys).map_err(|kind| kind.at(id))?;
        let keyed = keys.into_iter().zip(items.iter().cloned()).collect();
        self.map_of(id, keyed)
    }

    /// The keys of a map that is to be made of elements, charged as if they were sorted.
    fn text_keys(&mut self, keys: &[Value]) -> Result<Vec<Arc<str>>, TrapKind> {
        let mut texts = Vec::with_capacity(keys.len());
        let mut bytes = 0_u64;
        for key in keys {
            let Value::String(key) = key else { return Err(WRONG_RECEIVER) };
            bytes = bytes.saturating_add(key.len() as u64);
            texts.push(Arc::clone(key));
        }
        self.meter.work(sorting_steps(keys.len() as u64, bytes))?;
        Ok(texts)
    }

    /// A new map, charged.
    pub(super) fn map_of(&mut self, id: ExprId, entries: BTreeMap<Arc<str>, Value>) -> Result<Value, Trap> {
        self.built(id, entries.len(), Value::Map(Arc::new(entries)))
    }

    /// Lists of `n` elements, the last one maybe shorter.
    pub(super) fn chunks(&mut self, id: ExprId, items: &[Value], n: i64) -> Result<Value, Trap> {
        let n = usize::try_from(n).unwrap_or(0).max(1);
        self.meter.elements(items.len()).map_err(|kind| kind.at(id))?;
        self.list(id, items.chunks(n).map(|chunk| Value::List(chunk.into())).collect())
    }

    /// Records of two fields: elements of the same place.
    pub(super) fn zip(&mut self, id: ExprId, left: &[Value], right: &[Value]) -> Result<Value, Trap> {
        let pairs: Vec<Value> =
            left.iter().zip(right).map(|(a, b)| Value::record([a.clone(), b.clone()])).collect();
        self.list_of_records(id, pairs, 2)
    }

    /// One list after the other.
    pub(super) fn concat(&mut self, id: ExprId, items: &[Value], more: &[Value]) -> Result<Value, Trap> {
        self.meter.work(more.len() as u64).map_err(|kind| kind.at(id))?;
        self.list(id, items.iter().chain(more).cloned().collect())
    }
}
