//! From a library function in an expression to the one that does it, by receiver.

use schema::value::{Json, Value};

use super::{Builtin, strings};
use crate::expr::{ExprId, Lambda};
use crate::interp::{Machine, Trap, TrapKind, to_json};

pub(super) const WRONG_RECEIVER: TrapKind =
    TrapKind::Malformed("a library function has arguments of the wrong type");

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
            ([Value::List(items), rest @ ..], Some(lambda)) => self.per_element(id, op, items, rest, lambda),
            ([value], None) if op == Builtin::ToJson => self.json_text(id, value, args),
            ([Value::String(text), rest @ ..], None) => {
                self.on_text(op, text, rest).map_err(|kind| kind.at(id))
            }
            ([Value::List(items), rest @ ..], None) => self.on_list(id, op, items, rest),
            ([value], None) => self.on_other(id, op, value),
            _ => Err(WRONG_RECEIVER.at(id)),
        }
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

    fn on_other(&mut self, id: ExprId, op: Builtin, value: &Value) -> Result<Value, Trap> {
        match (op, value) {
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

    fn json_text(&mut self, id: ExprId, value: &Value, args: &[ExprId]) -> Result<Value, Trap> {
        let receiver = args.first().ok_or_else(|| WRONG_RECEIVER.at(id))?;
        let ty = self.ty(*receiver)?;
        let text = to_json(value, ty, &self.body.types, self.meter).map_err(|kind| kind.at(id))?;
        self.text(&text).map_err(|kind| kind.at(id))
    }

    /// A new text, charged.
    pub(super) fn text(&mut self, text: &str) -> Result<Value, TrapKind> {
        self.meter.text(text.len())?;
        Ok(Value::string(text))
    }
}
