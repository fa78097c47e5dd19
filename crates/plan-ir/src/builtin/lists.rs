//! What the library functions do, by receiver.

use schema::types::Type;
use schema::value::{Json, Value};

use super::{Builtin, strings};
use crate::expr::{ExprId, Lambda};
use crate::interp::{Machine, Quota, Trap, TrapKind, equal, to_json};

const WRONG_RECEIVER: TrapKind = TrapKind::Malformed("a library function has arguments of the wrong type");

fn passes(result: &Value) -> Result<bool, TrapKind> {
    match result {
        Value::Bool(passes) => Ok(*passes),
        _ => Err(TrapKind::Malformed("a condition is no Bool")),
    }
}

impl Machine<'_> {
    /// The value of the library function `op` at expression `id`.
    pub(crate) fn library(
        &mut self,
        id: ExprId,
        op: Builtin,
        args: &[ExprId],
        lambda: Option<&Lambda>,
    ) -> Result<Value, Trap> {
        let values = self.values(args)?;
        match (values.as_slice(), lambda) {
            ([Value::List(items)], Some(lambda)) => self.per_element(id, op, items, lambda),
            ([Value::String(text), rest @ ..], None) if op != Builtin::ToJson => {
                self.on_text(op, text, rest).map_err(|kind| kind.at(id))
            }
            ([Value::List(items), rest @ ..], None) if op != Builtin::ToJson => {
                self.on_list(id, op, items, rest)
            }
            ([value], None) => self.on_other(id, op, value, args),
            _ => Err(WRONG_RECEIVER.at(id)),
        }
    }

    fn per_element(
        &mut self,
        id: ExprId,
        op: Builtin,
        items: &[Value],
        lambda: &Lambda,
    ) -> Result<Value, Trap> {
        match op {
            Builtin::Map => self.mapped(id, items, lambda),
            Builtin::Filter => self.filtered(id, items, lambda),
            Builtin::All => self.found(id, items, lambda, false).map(|found| Value::Bool(!found)),
            Builtin::Any => self.found(id, items, lambda, true).map(Value::Bool),
            _ => Err(WRONG_RECEIVER.at(id)),
        }
    }

    fn mapped(&mut self, id: ExprId, items: &[Value], lambda: &Lambda) -> Result<Value, Trap> {
        let mut mapped = Vec::with_capacity(items.len());
        self.each(id, lambda, items, |_, result| {
            mapped.push(result);
            Ok(true)
        })?;
        self.list(id, mapped)
    }

    fn filtered(&mut self, id: ExprId, items: &[Value], lambda: &Lambda) -> Result<Value, Trap> {
        let mut kept = Vec::new();
        self.each(id, lambda, items, |item, result| {
            if passes(&result)? {
                kept.push(item.clone());
            }
            Ok(true)
        })?;
        self.list(id, kept)
    }

    /// Whether the predicate gives `wanted` for an element.
    fn found(&mut self, id: ExprId, items: &[Value], lambda: &Lambda, wanted: bool) -> Result<bool, Trap> {
        let mut found = false;
        self.each(id, lambda, items, |_, result| {
            found = passes(&result)? == wanted;
            Ok(!found)
        })?;
        Ok(found)
    }

    fn on_text(&mut self, op: Builtin, text: &str, rest: &[Value]) -> Result<Value, TrapKind> {
        self.meter.scan(text.len())?;
        match (op, rest) {
            (Builtin::Len, []) => Ok(Value::Int(strings::len(text))),
            (Builtin::IsEmpty, []) => Ok(Value::Bool(text.is_empty())),
            (Builtin::Take, [Value::Int(n)]) => self.text(strings::take(text, *n)),
            (Builtin::Skip, [Value::Int(n)]) => self.text(strings::skip(text, *n)),
            (Builtin::Trim, []) => self.text(strings::trim(text)),
            (Builtin::Folded, []) => {
                self.meter.work(text.len() as u64)?;
                let folded = strings::folded(text);
                self.text(&folded)
            }
            (Builtin::Normalize, []) => {
                self.meter.work((text.len() as u64).saturating_mul(4))?;
                let normal = strings::normalize(text);
                self.text(&normal)
            }
            (Builtin::Contains, [Value::String(part)]) => {
                self.meter.scan(part.len())?;
                Ok(Value::Bool(text.contains(part.as_ref())))
            }
            (Builtin::StartsWith, [Value::String(part)]) => Ok(Value::Bool(text.starts_with(part.as_ref()))),
            (Builtin::EndsWith, [Value::String(part)]) => Ok(Value::Bool(text.ends_with(part.as_ref()))),
            _ => Err(WRONG_RECEIVER),
        }
    }

    fn on_list(&mut self, id: ExprId, op: Builtin, items: &[Value], rest: &[Value]) -> Result<Value, Trap> {
        self.meter.work(items.len() as u64).map_err(|kind| kind.at(id))?;
        match (op, rest) {
            (Builtin::Len, []) => Ok(Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX))),
            (Builtin::IsEmpty, []) => Ok(Value::Bool(items.is_empty())),
            (Builtin::First, []) => Ok(items.first().cloned().unwrap_or(Value::Null)),
            (Builtin::Last, []) => Ok(items.last().cloned().unwrap_or(Value::Null)),
            (Builtin::Take, [Value::Int(n)]) => {
                let n = usize::try_from(*n).unwrap_or(0).min(items.len());
                self.list(id, items.iter().take(n).cloned().collect())
            }
            (Builtin::Skip, [Value::Int(n)]) => {
                let n = usize::try_from(*n).unwrap_or(0);
                self.list(id, items.iter().skip(n).cloned().collect())
            }
            (Builtin::Contains, [wanted]) => {
                let rate = self.rate();
                for item in items {
                    if equal(item, wanted, rate, self.meter).map_err(|kind| kind.at(id))? {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            (Builtin::Flatten, []) => self.flatten(id, items),
            (Builtin::Join, [Value::String(separator)]) => self.join(items, separator).map_err(|k| k.at(id)),
            (Builtin::Ok, []) => self.results(id, items, 0),
            (Builtin::Errors, []) => self.results(id, items, 1),
            (Builtin::DecodeList, []) => self.fitting(id, items),
            _ => Err(WRONG_RECEIVER.at(id)),
        }
    }

    fn on_other(&mut self, id: ExprId, op: Builtin, value: &Value, args: &[ExprId]) -> Result<Value, Trap> {
        match (op, value) {
            (Builtin::ToJson, _) => {
                let receiver = args.first().ok_or_else(|| WRONG_RECEIVER.at(id))?;
                let ty = self.ty(*receiver)?;
                let text = to_json(value, ty, &self.body.types, self.meter).map_err(|kind| kind.at(id))?;
                self.text(&text).map_err(|kind| kind.at(id))
            }
            (Builtin::Len, Value::Map(map)) => Ok(Value::Int(i64::try_from(map.len()).unwrap_or(i64::MAX))),
            (Builtin::IsEmpty, Value::Map(map)) => Ok(Value::Bool(map.is_empty())),
            (Builtin::DecodeList, Value::Json(Json::Array(items))) => {
                self.meter.work(items.len() as u64).map_err(|kind| kind.at(id))?;
                let items: Vec<Value> = items.iter().cloned().map(Value::Json).collect();
                self.fitting(id, &items)
            }
            (Builtin::DecodeList, Value::Json(_)) => Err(TrapKind::Decode {
                path: "$".into(),
                message: "expected an array to decode the elements of".into(),
            }
            .at(id)),
            _ => Err(WRONG_RECEIVER.at(id)),
        }
    }

    fn text(&mut self, text: &str) -> Result<Value, TrapKind> {
        self.meter.text(text.len())?;
        Ok(Value::string(text))
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

    fn fitting(&mut self, id: ExprId, items: &[Value]) -> Result<Value, Trap> {
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
