//! What an operation's schemas demand beyond its types: kept before something is sent, asked of what comes back.

use schema::boundary::Checks;
use schema::error::{CallError, CallErrorKind};
use schema::json_schema::SchemaError;
use schema::operation::{OperationDescriptor, ResponseBody};
use serde_json::{Map, Value};

/// The rules of one operation; for most there are none.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    input: Checks,
    answer: Checks,
}

impl Rules {
    pub(crate) fn of(operation: &OperationDescriptor) -> Result<Self, SchemaError> {
        let answer =
            if operation.output_complete { Checks::of(&operation.output)? } else { Checks::default() };
        Ok(Self { input: Checks::of_arguments(&operation.input)?, answer })
    }

    /// The arguments as they are sent: without those that are `null`, but for what the schema wants to see all the same.
    /// A peer would refuse what breaks its rules, and might charge for it.
    pub(crate) fn admit(&self, mut arguments: Map<String, Value>) -> Result<Map<String, Value>, CallError> {
        arguments.retain(|_, value| !value.is_null());
        let mut value = Value::Object(arguments);
        self.input.put_nulls(&mut value);
        self.input.check(&value).map_err(|error| CallError {
            path: Some(error.path),
            ..CallError::new(CallErrorKind::Rejected, error.code, error.message)
        })?;
        match value {
            Value::Object(arguments) => Ok(arguments),
            _ => Ok(Map::new()),
        }
    }

    /// Asks the rules of an answer that was read as its type.
    pub(crate) fn check_answer(&self, body: &[u8], form: ResponseBody) -> Result<(), CallError> {
        if self.answer.is_empty() {
            return Ok(());
        }
        let value = match form {
            // It was read before, so it is JSON.
            ResponseBody::Json => serde_json::from_slice(body).unwrap_or_default(),
            ResponseBody::Text => Value::from(String::from_utf8_lossy(body)),
            ResponseBody::Bytes => return Ok(()),
        };
        Ok(self.answer.check(&value)?)
    }
}
