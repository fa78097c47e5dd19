//! From a library function in an expression to the one that does it, by receiver.

use schema::value::{Json, Value};

use super::{Builtin, numbers, times};
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
        let Some((receiver, rest)) = values.split_first() else { return Err(WRONG_RECEIVER.at(id)) };
        match (receiver, lambda) {
            (Value::List(items), Some(lambda)) => self.per_element(id, op, items, rest, lambda),
            (Value::Map(entries), Some(lambda)) => self.per_value(id, op, entries, rest, lambda),
            (_, Some(_)) => Err(WRONG_RECEIVER.at(id)),
            (receiver, None) => self.on_value(id, op, receiver, rest, args),
        }
    }

    fn on_value(
        &mut self,
        id: ExprId,
        op: Builtin,
        receiver: &Value,
        rest: &[Value],
        args: &[ExprId],
    ) -> Result<Value, Trap> {
        match receiver {
            _ if op == Builtin::ToJson && rest.is_empty() => self.json_text(id, receiver, args),
            Value::String(text) => self.on_text(id, op, text, rest),
            Value::List(items) => self.on_list(id, op, items, rest),
            Value::Map(entries) => self.on_map(id, op, entries, rest),
            Value::Json(json) => self.on_json(id, op, json, rest),
            // Where JSON stands, it is JSON's `null`.
            Value::Null => self.on_json(id, op, &Json::Null, rest),
            Value::Int(first) if op == Builtin::To => self.numbers_to(id, *first, rest),
            _ => self.on_scalar(op, receiver, rest).map_err(|kind| kind.at(id)),
        }
    }

    fn on_scalar(&mut self, op: Builtin, value: &Value, rest: &[Value]) -> Result<Value, TrapKind> {
        match op {
            Builtin::Lesser | Builtin::Greater | Builtin::Clamp => {
                numbers::between(op, value, rest, self.rate(), self.meter)
            }
            Builtin::ToFixed => {
                let text = numbers::to_fixed(value, rest)?;
                self.text(&text)
            }
            Builtin::Date => {
                let text = times::date(value, rest)?;
                self.text(&text)
            }
            Builtin::Year
            | Builtin::Month
            | Builtin::Day
            | Builtin::ToUnix
            | Builtin::ToTime
            | Builtin::ToSeconds => times::of(op, value, rest),
            _ => numbers::of(op, value, rest),
        }
    }

    fn json_text(&mut self, id: ExprId, value: &Value, args: &[ExprId]) -> Result<Value, Trap> {
        let receiver = args.first().ok_or_else(|| WRONG_RECEIVER.at(id))?;
        let ty = self.ty(*receiver)?;
        let text = to_json(value, ty, &self.body.types, self.meter).map_err(|kind| kind.at(id))?;
        self.text(&text).map_err(|kind| kind.at(id))
    }

    /// The value, or the `null` of the expression's type: JSON has one of its own.
    pub(super) fn or_null(&self, id: ExprId, value: Option<&Value>) -> Result<Value, Trap> {
        value.map_or_else(|| self.null(id), |value| Ok(value.clone()))
    }

    /// A new text, charged.
    pub(super) fn text(&mut self, text: &str) -> Result<Value, TrapKind> {
        self.meter.text(text.len())?;
        Ok(Value::string(text))
    }
}
