//! Functions of opaque JSON. What is not there is `null`.

use schema::value::{Json, Value};

use super::Builtin;
use super::receive::WRONG_RECEIVER;
use crate::expr::ExprId;
use crate::interp::{Machine, Trap, TrapKind};

impl Machine<'_> {
    pub(super) fn on_json(
        &mut self,
        id: ExprId,
        op: Builtin,
        json: &Json,
        rest: &[Value],
    ) -> Result<Value, Trap> {
        match (op, rest) {
            (Builtin::Get, [Value::String(key)]) => {
                self.meter.scan(key.len()).map_err(|kind| kind.at(id))?;
                Ok(Value::Json(json.get(key).cloned().unwrap_or(Json::Null)))
            }
            (Builtin::Get, [Value::Int(place)]) => {
                Ok(Value::Json(element(json, *place).unwrap_or(Json::Null)))
            }
            (Builtin::Keys, []) => self.json_keys(id, json),
            (Builtin::Kind, []) => self.text(kind(json)).map_err(|trap| trap.at(id)),
            (Builtin::DecodeList, []) => self.decode_elements(id, json),
            _ => Err(WRONG_RECEIVER.at(id)),
        }
    }

    fn json_keys(&mut self, id: ExprId, json: &Json) -> Result<Value, Trap> {
        let keys = match json {
            Json::Object(entries) => entries.keys().cloned().map(Value::String).collect(),
            _ => Vec::new(),
        };
        self.meter.work(keys.len() as u64).map_err(|kind| kind.at(id))?;
        self.list(id, keys)
    }

    fn decode_elements(&mut self, id: ExprId, json: &Json) -> Result<Value, Trap> {
        let Json::Array(items) = json else {
            let message = "expected an array to decode the elements of".into();
            return Err(TrapKind::Decode { path: "$".into(), message }.at(id));
        };
        self.meter.work(items.len() as u64).map_err(|kind| kind.at(id))?;
        let items: Vec<Value> = items.iter().cloned().map(Value::Json).collect();
        self.fitting(id, &items)
    }
}

fn element(json: &Json, place: i64) -> Option<Json> {
    match json {
        Json::Array(items) => items.get(usize::try_from(place).ok()?).cloned(),
        _ => None,
    }
}

const fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Int(_) | Json::Float(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
