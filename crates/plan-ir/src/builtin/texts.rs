//! Functions of text: what each is charged, and which function of [`super::strings`] does it.

use schema::limits::LIST_ELEMENTS_MAX;
use schema::value::Value;

use super::each::int;
use super::{Builtin, strings};
use crate::expr::ExprId;
use crate::interp::{Machine, Trap, TrapKind};

impl Machine<'_> {
    pub(super) fn on_text(
        &mut self,
        id: ExprId,
        op: Builtin,
        text: &str,
        rest: &[Value],
    ) -> Result<Value, Trap> {
        self.meter.scan(text.len()).map_err(|kind| kind.at(id))?;
        match (op, rest) {
            (Builtin::Split, [Value::String(separator)]) => {
                self.meter.scan(separator.len()).map_err(|kind| kind.at(id))?;
                if separator.is_empty() {
                    let mut bytes = [0; 4];
                    let chars = text.chars().map(|c| Value::string(&*c.encode_utf8(&mut bytes)));
                    return self.parts(id, text, chars);
                }
                self.parts(id, text, text.split(separator.as_ref()).map(Value::string))
            }
            (Builtin::Lines, []) => self.parts(id, text, text.lines().map(Value::string)),
            (Builtin::Words, []) => self.parts(id, text, strings::words(text).map(Value::string)),
            _ => self.text_to_value(op, text, rest).map_err(|kind| kind.at(id)),
        }
    }

    /// A list of parts of `text`, which together are at most as long.
    fn parts(&mut self, id: ExprId, text: &str, parts: impl Iterator<Item = Value>) -> Result<Value, Trap> {
        self.meter.text(text.len()).map_err(|kind| kind.at(id))?;
        let parts: Vec<Value> = parts.take(LIST_ELEMENTS_MAX + 1).collect();
        self.meter.work(parts.len() as u64).map_err(|kind| kind.at(id))?;
        self.list(id, parts)
    }

    fn text_to_value(&mut self, op: Builtin, text: &str, rest: &[Value]) -> Result<Value, TrapKind> {
        match (op, rest) {
            (Builtin::Len, []) => Ok(Value::Int(strings::len(text))),
            (Builtin::IsEmpty, []) => Ok(Value::Bool(text.is_empty())),
            (Builtin::Contains, [Value::String(part)]) => {
                self.meter.scan(part.len())?;
                Ok(Value::Bool(text.contains(part.as_ref())))
            }
            (Builtin::IndexOf, [Value::String(part)]) => {
                self.meter.scan(part.len())?;
                Ok(strings::index_of(text, part).map_or(Value::Null, int))
            }
            (Builtin::StartsWith, [Value::String(part)]) => Ok(Value::Bool(text.starts_with(part.as_ref()))),
            (Builtin::EndsWith, [Value::String(part)]) => Ok(Value::Bool(text.ends_with(part.as_ref()))),
            (Builtin::ToInt, []) => Ok(strings::to_int(text).map_or(Value::Null, Value::Int)),
            (Builtin::ToFloat, []) => Ok(strings::to_float(text).map_or(Value::Null, Value::Float)),
            _ => self.text_to_text(op, text, rest),
        }
    }

    fn text_to_text(&mut self, op: Builtin, text: &str, rest: &[Value]) -> Result<Value, TrapKind> {
        match (op, rest) {
            (Builtin::Take, [Value::Int(n)]) => self.text(strings::take(text, *n)),
            (Builtin::Skip, [Value::Int(n)]) => self.text(strings::skip(text, *n)),
            (Builtin::Trim, []) => self.text(strings::trim(text)),
            (Builtin::Folded, []) => self.rewritten(text, 1, strings::folded),
            (Builtin::Upper, []) => self.rewritten(text, 1, strings::upper),
            (Builtin::UrlEncoded, []) => self.rewritten(text, 1, strings::url_encoded),
            (Builtin::Normalize, []) => self.rewritten(text, 4, strings::normalize),
            (Builtin::Replace, [Value::String(part), Value::String(by)]) => {
                self.meter.scan(part.len())?;
                let length = strings::replaced_length(text, part, by);
                // Charged before it is built: it may be far longer than what it is built from.
                self.meter.text(length)?;
                Ok(Value::string(strings::replace(text, part, by)))
            }
            _ => self.on_url(op, text, rest),
        }
    }

    /// A text made character by character, each charged `steps`; such texts are at most 18 times as long.
    fn rewritten(&mut self, text: &str, steps: u64, make: fn(&str) -> String) -> Result<Value, TrapKind> {
        self.meter.work((text.len() as u64).saturating_mul(steps))?;
        self.text(&make(text))
    }
}
