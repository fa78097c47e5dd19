//! New compound values: what they are charged, and how deeply they may nest.

use schema::limits::LIST_ELEMENTS_MAX;
use schema::types::Type;
use schema::value::{Json, Value};

use super::show::{height, nests_within};
use super::{Machine, Quota, Trap, TrapKind};
use crate::expr::ExprId;

impl Machine<'_> {
    /// A new list, if it is not too long.
    pub(crate) fn list(&mut self, id: ExprId, items: Vec<Value>) -> Result<Value, Trap> {
        if items.len() > LIST_ELEMENTS_MAX {
            return Err(TrapKind::Quota(Quota::Elements).at(id));
        }
        self.built(id, items.len(), Value::List(items.into()))
    }

    /// A new list of new records with `fields` fields each, none of them nested too deeply.
    pub(crate) fn list_of_records(
        &mut self,
        id: ExprId,
        records: Vec<Value>,
        fields: usize,
    ) -> Result<Value, Trap> {
        self.meter.elements(records.len().saturating_mul(fields)).map_err(|kind| kind.at(id))?;
        if let Type::List(record, _) = self.ty(id)?
            && self.is_open(record)
        {
            for record in &records {
                if !nests_within(record, self.meter).map_err(|kind| kind.at(id))? {
                    return Err(TrapKind::Quota(Quota::Depth).at(id));
                }
            }
        }
        self.list(id, records)
    }

    /// Charges for a new compound value of `parts` parts and refuses one that is nested too deeply.
    pub(crate) fn built(&mut self, id: ExprId, parts: usize, value: Value) -> Result<Value, Trap> {
        self.meter.elements(parts).map_err(|kind| kind.at(id))?;
        if self.is_open(self.ty(id)?) && !nests_within(&value, self.meter).map_err(|kind| kind.at(id))? {
            return Err(TrapKind::Quota(Quota::Depth).at(id));
        }
        Ok(value)
    }

    /// Whether a record or enum leaves its nesting open, as recursive ones do.
    fn is_open(&mut self, ty: &Type) -> bool {
        let Type::Named(def) = ty else { return false };
        let types = &self.body.types;
        *self.unbounded.entry(*def).or_insert_with(|| height(ty, types).is_none())
    }

    /// The `null` of the expression's type. Of JSON that is JSON's own, the same value in another form.
    pub(crate) fn null(&self, id: ExprId) -> Result<Value, Trap> {
        Ok(match self.ty(id)? {
            Type::Json => Value::Json(Json::Null),
            _ => Value::Null,
        })
    }
}
