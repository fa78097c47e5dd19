//! The types of an operation.

use serde_json::Value as Json;

use super::keywords::Members;
use super::mapper::{Mapper, Table};
use super::objects::Absence;
use super::{INPUT_NOT_NAMED, SchemaError, names};
use crate::boundary::Checks;
use crate::operation::OperationDescriptor;
use crate::types::{DefId, Type, TypeDefs};

/// What an operation takes and answers, as types.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationTypes {
    /// The records and enums of both.
    pub defs: TypeDefs,
    /// A record of all parameters, named `<Operation>Input`; optional are those that are not required or
    /// have a default.
    pub input: DefId,
    /// The answer; `Json` where the Ledger knows no complete schema.
    pub output: Type,
}

impl OperationTypes {
    /// Maps the schemas of `operation`. Types without a `title` are named `<Operation>Input..` and
    /// `<Operation>Output..`.
    ///
    /// # Errors
    /// [`SchemaError`] with the first construct that does not map.
    pub fn of(operation: &OperationDescriptor) -> Result<Self, SchemaError> {
        Self::from_schemas(
            name_of(&operation.id),
            &operation.input,
            operation.output_complete.then_some(&operation.output),
        )
    }

    /// Maps the schemas of an operation called `name`; without one of its `output`, the answer is `Json`.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn from_schemas(name: &str, input: &Json, output: Option<&Json>) -> Result<Self, SchemaError> {
        let stem = names::pascal(name);
        let mut table = Table::default();
        let within = |document: &str| {
            let document = document.to_owned();
            move |error: SchemaError| SchemaError { pointer: format!("{document}{}", error.pointer), ..error }
        };
        // The answer first: its names are the ones that plans import.
        let output = match output {
            Some(output) => {
                let name = format!("{stem}Output");
                let ty = Mapper::new(output, &mut table).root(&name);
                ty.and_then(|ty| Checks::of(output).map(|_| ty)).map_err(within("output"))?
            }
            None => Type::Json,
        };
        let name = format!("{stem}Input");
        let id = Mapper::new(input, &mut table).parameters(&name);
        let input = id.and_then(|id| Checks::of(input).map(|_| id)).map_err(within("input"))?;
        Ok(Self { defs: table.defs, input, output })
    }
}

fn name_of(id: &str) -> &str {
    id.split_once('.').map_or(id, |(_, name)| name)
}

/// What the names of an operation's types begin with, but for those that a schema names itself.
pub(crate) fn type_stem(id: &str) -> String {
    names::pascal(name_of(id))
}

impl Mapper<'_> {
    /// The record of an operation's parameters.
    fn parameters(mut self, name: &str) -> Result<DefId, SchemaError> {
        let at = self.root_at(name);
        let mut members = self.flatten(self.document, &at.pointer, &mut Vec::new())?;
        let is_object = match members.get("type") {
            None => true,
            Some(ty) => ty == "object",
        };
        let is_choice = ["enum", "const", "items"].iter().any(|keyword| members.contains_key(*keyword))
            || ["oneOf", "anyOf"].iter().any(|keyword| members.get(*keyword).is_some_and(|p| !narrows(p)));
        if !is_object || is_choice {
            let message = "the input of an operation is one object whose properties are the parameters";
            return Err(SchemaError::new(INPUT_NOT_NAMED, &at.pointer, message));
        }
        // Parameters have one name, whatever the document calls the object around them.
        members.shift_remove("title");
        let schema = Json::Object(members.clone());
        self.record(&schema, &members, &at, Absence::OrDefault)
    }
}

/// Whether a union only says which parameters must be given together; the peer checks that.
fn narrows(parts: &Json) -> bool {
    let only_required =
        |part: &Json| part.as_object().is_some_and(|m: &Members| m.keys().all(|key| key == "required"));
    parts.as_array().is_some_and(|parts| parts.iter().all(only_required))
}
