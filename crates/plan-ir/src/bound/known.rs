//! What is known of the parameters before a run.

use schema::amount::Amount;
use schema::value::Value;

use crate::expr::Fragment;
use crate::interp::{Env, Meter, eval};
use crate::plan::{Param, PlanBody};

/// What is known of the parameters.
pub(super) struct Known<'a> {
    pub(super) params: &'a [Param],
    pub(super) arguments: Option<&'a [Value]>,
}

impl Known<'_> {
    pub(super) fn amount(&self, body: &PlanBody, fragment: Option<&Fragment>) -> Option<Amount> {
        match eval(body, fragment?, &[], self, &mut Meter::default()) {
            Ok(Value::Amount(amount)) => Some(amount),
            _ => None,
        }
    }

    pub(super) fn length(&self, body: &PlanBody, list: &Fragment) -> Option<u64> {
        match eval(body, list, &[], self, &mut Meter::default()) {
            Ok(Value::List(items)) => Some(items.len() as u64),
            _ => None,
        }
    }
}

impl Env for Known<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        match self.arguments {
            Some(arguments) => arguments.get(index as usize).cloned(),
            None => self.params.get(index as usize)?.default.clone(),
        }
    }
}
