//! Functions of lists that take no lambda.

use schema::types::Type;
use schema::value::Value;

use super::each::int;
use super::receive::WRONG_RECEIVER;
use super::{Builtin, totals};
use crate::expr::ExprId;
use crate::interp::{Machine, Quota, Trap, TrapKind, equal, is_null};

impl Machine<'_> {
    pub(super) fn on_list(
        &mut self,
        id: ExprId,
        op: Builtin,
        items: &[Value],
        rest: &[Value],
    ) -> Result<Value, Trap> {
        if let (Builtin::Get, [Value::Int(place)]) = (op, rest) {
            let found = usize::try_from(*place).ok().and_then(|place| items.get(place));
            return self.or_null(id, found);
        }
        self.meter.work(items.len() as u64).map_err(|kind| kind.at(id))?;
        match (op, rest) {
            (Builtin::Len, []) => Ok(int(items.len())),
            (Builtin::IsEmpty, []) => Ok(Value::Bool(items.is_empty())),
            (Builtin::First, []) => self.or_null(id, items.first()),
            (Builtin::Last, []) => self.or_null(id, items.last()),
            (Builtin::Take, [Value::Int(n)]) => {
                let n = usize::try_from(*n).unwrap_or(0).min(items.len());
                self.list(id, items.iter().take(n).cloned().collect())
            }
            (Builtin::Skip, [Value::Int(n)]) => {
                let n = usize::try_from(*n).unwrap_or(0);
                self.list(id, items.iter().skip(n).cloned().collect())
            }
            (Builtin::Contains, [wanted]) => {
                Ok(Value::Bool(self.place_of(items, wanted).map_err(|kind| kind.at(id))?.is_some()))
            }
            (Builtin::IndexOf, [wanted]) => {
                let place = self.place_of(items, wanted).map_err(|kind| kind.at(id))?;
                Ok(place.map_or(Value::Null, int))
            }
            (Builtin::Flatten, []) => self.flatten(id, items),
            (Builtin::Join, [Value::String(separator)]) => self.join(items, separator).map_err(|k| k.at(id)),
            (Builtin::Ok, []) => self.results(id, items, 0),
            (Builtin::Errors, []) => self.results(id, items, 1),
            (Builtin::DecodeList, []) => self.fitting(id, items),
            _ => self.as_a_whole(id, op, items, rest),
        }
    }

    /// Functions that look at all elements together.
    fn as_a_whole(
        &mut self,
        id: ExprId,
        op: Builtin,
        items: &[Value],
        rest: &[Value],
    ) -> Result<Value, Trap> {
        match (op, rest) {
            (Builtin::Sort, []) => self.sorted(id, items, items),
            (Builtin::Reverse, []) => self.list(id, items.iter().rev().cloned().collect()),
            (Builtin::Sum, []) => self.sum(id, items).map_err(|kind| kind.at(id)),
            (Builtin::Min | Builtin::Max, []) => self.extreme(id, items, items, op == Builtin::Max),
            (Builtin::Average, []) => totals::average(items).map_err(|kind| kind.at(id)),
            (Builtin::Distinct, []) => self.distinct(id, items, items),
            (Builtin::Chunks, [Value::Int(n)]) => self.chunks(id, items, *n),
            (Builtin::Zip, [Value::List(right)]) => self.zip(id, items, right),
            (Builtin::Concat, [Value::List(more)]) => self.concat(id, items, more),
            (Builtin::Present, []) => {
                self.list(id, items.iter().filter(|item| !is_null(item)).cloned().collect())
            }
            _ => Err(WRONG_RECEIVER.at(id)),
        }
    }

    /// The first place of an element that equals `wanted`.
    fn place_of(&mut self, items: &[Value], wanted: &Value) -> Result<Option<usize>, TrapKind> {
        let rate = self.rate();
        for (place, item) in items.iter().enumerate() {
            if equal(item, wanted, rate, self.meter)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn flatten(&mut self, id: ExprId, lists: &[Value]) -> Result<Value, Trap> {
        let mut flat = Vec::new();
        for list in lists {
            let Value::List(items) = list else { return Err(WRONG_RECEIVER.at(id)) };
            if flat.len().saturating_add(items.len()) > schema::limits::LIST_ELEMENTS_MAX {
                return Err(TrapKind::Quota(Quota::Elements).at(id));
            }
            self.meter.work(items.len() as u64).map_err(|kind| kind.at(id))?;
            flat.extend(items.iter().cloned());
        }
        self.list(id, flat)
    }

    fn join(&mut self, texts: &[Value], separator: &str) -> Result<Value, TrapKind> {
        let parts: Vec<&str> =
            texts.iter().map(Value::as_str).collect::<Option<_>>().ok_or(WRONG_RECEIVER)?;
        let separators = separator.len().saturating_mul(parts.len().saturating_sub(1));
        let length = parts.iter().fold(separators, |length, part| length.saturating_add(part.len()));
        // Charged before it is built: the parts may be one text many times.
        self.meter.text(length)?;
        Ok(Value::string(parts.join(separator)))
    }

    fn results(&mut self, id: ExprId, results: &[Value], wanted: u32) -> Result<Value, Trap> {
        let mut values = Vec::new();
        for result in results {
            match result {
                Value::Variant(place, Some(value)) if *place == wanted => values.push(value.as_ref().clone()),
                Value::Variant(_, Some(_)) => {}
                _ => return Err(WRONG_RECEIVER.at(id)),
            }
        }
        self.list(id, values)
    }

    pub(super) fn fitting(&mut self, id: ExprId, items: &[Value]) -> Result<Value, Trap> {
        let Type::List(element, _) = self.ty(id)? else { return Err(WRONG_RECEIVER.at(id)) };
        let mut kept = Vec::new();
        for item in items {
            match self.decoded(item, element) {
                Ok(value) => kept.push(value),
                Err(TrapKind::Decode { .. }) => {}
                Err(kind) => return Err(kind.at(id)),
            }
        }
        self.list(id, kept)
    }
}
