//! Conversions between types: casts that may trap, widenings that may not.

use std::sync::Arc;

use schema::decode::{DecodeError, cast, decode_text};
use schema::encode::to_json_value;
use schema::limits::JSON_DEPTH_MAX;
use schema::types::{Type, TypeDefs};
use schema::value::{Json, Value};

use super::show::written_bytes;
use super::{Machine, Quota, Trap, TrapKind};
use crate::expr::{ExprId, Widening};

impl Machine<'_> {
    pub(super) fn cast(&mut self, id: ExprId, inner: ExprId) -> Result<Value, Trap> {
        let value = self.value(inner)?;
        let ty = self.ty(id)?;
        self.decoded(&value, ty).map_err(|kind| kind.at(id))
    }

    /// What `value as ty` means, charged for the whole value.
    pub(crate) fn decoded(&mut self, value: &Value, ty: &Type) -> Result<Value, TrapKind> {
        let bytes = written_bytes(value, self.meter)?;
        self.meter.text(bytes)?;
        cast(value, ty, &self.body.types).map_err(misfit)
    }

    pub(super) fn decode_text(&mut self, id: ExprId, inner: ExprId) -> Result<Value, Trap> {
        let Value::String(text) = self.value(inner)? else {
            return Err(TrapKind::Malformed("only text is decoded as text").at(id));
        };
        let ty = self.ty(id)?;
        self.meter.text(text.len()).map_err(|kind| kind.at(id))?;
        decode_text(&text, ty, &self.body.types).map_err(|error| misfit(error).at(id))
    }

    pub(super) fn widen(&mut self, id: ExprId, inner: ExprId, widening: Widening) -> Result<Value, Trap> {
        let value = self.value(inner)?;
        match (widening, value) {
            (Widening::Identity, value) => Ok(value),
            (Widening::Inject(place), value) => {
                self.built(id, 1, Value::Variant(place, Some(Arc::new(value))))
            }
            (Widening::IntToFloat, Value::Int(value)) => Ok(Value::Float(value as f64)),
            (Widening::IntToFloat, _) => Err(TrapKind::Malformed("only an Int widens to Float").at(id)),
            (Widening::ToJson, Value::Json(json)) => Ok(Value::Json(json)),
            (Widening::ToJson, value) => {
                let ty = self.ty(inner)?;
                self.opaque(&value, ty).map_err(|kind| kind.at(id))
            }
        }
    }

    fn opaque(&mut self, value: &Value, ty: &Type) -> Result<Value, TrapKind> {
        let bytes = written_bytes(value, self.meter)?;
        self.meter.text(bytes)?;
        opaque(value, ty, &self.body.types).map(Value::Json)
    }
}

/// `value` of type `ty` as opaque JSON, charged to nobody.
pub(super) fn opaque(value: &Value, ty: &Type, defs: &TypeDefs) -> Result<Json, TrapKind> {
    let tree = to_json_value(value, ty, defs)
        .map_err(|_| TrapKind::Malformed("a value does not have the type of its expression"))?;
    let json = Json::from(&tree);
    // The value may hold opaque JSON below levels of its own.
    if json_nests_within(&json, JSON_DEPTH_MAX) { Ok(json) } else { Err(TrapKind::Quota(Quota::Depth)) }
}

fn misfit(error: DecodeError) -> TrapKind {
    TrapKind::Decode { path: error.path, message: error.message }
}

/// Whether arrays and objects nest at most `levels` deep.
fn json_nests_within(json: &Json, levels: usize) -> bool {
    let below = |levels: usize| move |part: &Json| json_nests_within(part, levels);
    match (json, levels.checked_sub(1)) {
        (Json::Array(items), Some(levels)) => items.iter().all(below(levels)),
        (Json::Object(entries), Some(levels)) => entries.values().all(below(levels)),
        (Json::Array(_) | Json::Object(_), None) => false,
        _ => true,
    }
}
