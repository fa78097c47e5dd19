//! Operations, capabilities and plans as tools of language models: one definition in the form of each that asks for it.
//!
//! A definition is made of types, so that it admits what a call takes. What its form cannot say is said in words, in the
//! description of the argument and in [`Definition::unsaid`]; the server checks it in any case.

use serde_json::{Map, Value as Json, json};

use crate::json_schema::{OperationTypes, SchemaError, to_json_schema};
use crate::operation::{OperationDescriptor, SideEffects};
use crate::types::{FieldDef, RecordDef, Type, TypeDef, TypeDefs};

mod name;
mod raw;
mod strict;

pub use name::{ARGUMENT_NAME_BYTES_MAX, TOOL_NAME_BYTES_MAX, argument_name, is_argument_name, tool_name};

/// Bytes of the description of a tool; longer ones are cut, as models' endpoints refuse them.
pub const DESCRIPTION_BYTES_MAX: usize = 1_024;
/// Name of the one property of an answer that is no record, where the form wants an object.
pub const RESULT: &str = "result";

/// Whose form a definition has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{"input": schema, "output": schema}`, JSON Schema 2020-12.
    JsonSchema,
    /// A function tool of OpenAI, in strict mode where that can say the arguments.
    OpenAi,
    /// A tool of Anthropic's messages.
    Anthropic,
    /// A tool of the Model Context Protocol.
    Mcp,
}

/// What can be called as a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// `sn22.web_search`, `cap.generate` or `plans/market_research`.
    pub target: String,
    /// What it does.
    pub description: String,
    /// Its arguments.
    pub params: Vec<ToolParam>,
    /// Type of the answer.
    pub output: Type,
    /// The records and enums of both.
    pub types: TypeDefs,
    /// What a call changes.
    pub effects: Effects,
}

/// An argument of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolParam {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// Documentation, empty where there is none.
    pub doc: String,
    /// Rules that no type can say, such as `matches ^5[a-zA-Z0-9]+$`.
    pub rules: Vec<String>,
}

/// What a call changes, as hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Nothing but the caller's balance.
    pub read_only: bool,
    /// Something that cannot be taken back: it buys, overwrites or deletes.
    pub destructive: bool,
    /// A second call with the same arguments changes nothing more.
    pub idempotent: bool,
    /// It speaks to a world outside.
    pub open_world: bool,
}

/// A definition in one form.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The definition.
    pub json: Json,
    /// What the form cannot say of the arguments, such as `limit: from 1 to 50`.
    pub unsaid: Vec<String>,
}

impl Effects {
    /// Of what touches nothing: what others are added to.
    pub const NONE: Self = Self { read_only: true, destructive: false, idempotent: true, open_world: false };

    /// Of a call of an operation.
    #[must_use]
    pub const fn of(operation: &OperationDescriptor) -> Self {
        let changes = matches!(operation.side_effects, SideEffects::SpendsMoney | SideEffects::Writes);
        Self {
            read_only: !changes,
            destructive: changes,
            idempotent: operation.repeat.safe,
            open_world: true,
        }
    }

    /// Of what does both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            read_only: self.read_only && other.read_only,
            destructive: self.destructive || other.destructive,
            idempotent: self.idempotent && other.idempotent,
            open_world: self.open_world || other.open_world,
        }
    }
}

impl Tool {
    /// An operation.
    ///
    /// # Errors
    /// [`SchemaError`] where its schemas do not map to types.
    pub fn of(operation: &OperationDescriptor) -> Result<Self, SchemaError> {
        let OperationTypes { defs, input, output } = OperationTypes::of(operation)?;
        let raw = raw::Parameters::of(&operation.input);
        let fields = defs.record(input).map(|record| record.fields.as_slice()).unwrap_or_default();
        let params = fields.iter().map(|field| raw.param(field)).collect();
        Ok(Self {
            target: operation.id.clone(),
            description: operation.summary.clone(),
            params,
            output,
            effects: Effects::of(operation),
            types: defs,
        })
    }

    /// Its name as a tool.
    #[must_use]
    pub fn name(&self) -> String {
        tool_name(&self.target)
    }

    /// Its definition. In the forms of tools an argument whose name not all of them admit has its [`argument_name`].
    ///
    /// ```
    /// use schema::tool::{Effects, Form, Tool, ToolParam};
    /// use schema::types::{IntRange, Type, TypeDefs};
    /// let limit = ToolParam {
    ///     name: "limit".into(),
    ///     ty: Type::Int(IntRange { min: 1, max: 50 }).optional(),
    ///     required: false,
    ///     doc: "How many.".into(),
    ///     rules: Vec::new(),
    /// };
    /// let tool = Tool {
    ///     target: "plans/research".into(),
    ///     description: "Looks around.".into(),
    ///     params: vec![limit],
    ///     output: Type::STRING,
    ///     types: TypeDefs::new(),
    ///     effects: Effects::NONE,
    /// };
    /// let definition = tool.definition(Form::OpenAi);
    /// let limit = &definition.json["function"]["parameters"]["properties"]["limit"];
    /// assert_eq!(limit.to_string(), r#"{"type":["integer","null"],"description":"How many. [from 1 to 50]"}"#);
    /// assert_eq!(definition.unsaid, ["limit: from 1 to 50"]);
    /// ```
    #[must_use]
    pub fn definition(&self, form: Form) -> Definition {
        if form != Form::JsonSchema && self.params.iter().any(|param| !is_argument_name(&param.name)) {
            return self.renamed().definition(form);
        }
        let (name, description) = (self.name(), cut(&self.description));
        if form == Form::OpenAi {
            let (parameters, strict, unsaid) = match strict::parameters(self) {
                Ok((schema, unsaid)) => (schema, true, unsaid),
                Err(reason) => {
                    let mut unsaid = self.unsaid();
                    unsaid.insert(0, format!("strict mode is off: {reason}"));
                    (self.input_schema(), false, unsaid)
                }
            };
            let function = json!({ "name": name, "description": description, "parameters": parameters, "strict": strict });
            return Definition { json: json!({ "type": "function", "function": function }), unsaid };
        }
        let input = self.input_schema();
        let json = match form {
            Form::JsonSchema => {
                json!({ "input": input, "output": to_json_schema(&self.output, &self.types) })
            }
            Form::Anthropic => json!({ "name": name, "description": description, "input_schema": input }),
            Form::OpenAi | Form::Mcp => json!({
                "name": name,
                "title": self.target,
                "description": description,
                "inputSchema": input,
                "outputSchema": self.output_object(),
                "annotations": {
                    "title": self.target,
                    "readOnlyHint": self.effects.read_only,
                    "destructiveHint": self.effects.destructive,
                    "idempotentHint": self.effects.idempotent,
                    "openWorldHint": self.effects.open_world,
                },
            }),
        };
        Definition { json, unsaid: self.unsaid() }
    }

    /// The same with arguments whose names every form admits.
    fn renamed(&self) -> Self {
        let names: Vec<&str> = self.params.iter().map(|param| param.name.as_str()).collect();
        let renamed = |param: &ToolParam| {
            let name = argument_name(&param.name, &names);
            let sent = (name != param.name).then(|| format!("sent as `{}`", param.name));
            let rules = param.rules.iter().cloned().chain(sent).collect();
            ToolParam { name, rules, ..param.clone() }
        };
        Self { params: self.params.iter().map(renamed).collect(), ..self.clone() }
    }

    /// The arguments as one JSON Schema object.
    #[must_use]
    pub fn input_schema(&self) -> Json {
        object(&self.params, &self.types)
    }

    /// The answer as JSON Schema of an object: that of a record, else of one whose [`RESULT`] it is.
    fn output_object(&self) -> Json {
        if let Type::Named(id) = self.output
            && self.types.record(id).is_some()
        {
            return to_json_schema(&self.output, &self.types);
        }
        let field = FieldDef { name: RESULT.into(), ty: self.output.clone(), doc: String::new() };
        let mut schema = record_schema(vec![field], &self.types);
        schema.insert("required".into(), json!([RESULT]));
        Json::Object(schema)
    }

    fn unsaid(&self) -> Vec<String> {
        let of = |param: &ToolParam| {
            let name = param.name.clone();
            param.rules.clone().into_iter().map(move |rule| format!("{name}: {rule}"))
        };
        self.params.iter().flat_map(of).collect()
    }
}

impl ToolParam {
    /// What a model is told of it, with `rules` of its type beside its own.
    fn told(&self, rules: &[String]) -> String {
        described(&self.doc, &[rules, &self.rules].concat())
    }
}

/// Parameters as one JSON Schema object, with what is used more than once under its `$defs`.
#[must_use]
pub fn object(params: &[ToolParam], types: &TypeDefs) -> Json {
    let field =
        |param: &ToolParam| FieldDef { name: param.name.clone(), ty: param.ty.clone(), doc: param.told(&[]) };
    let mut schema = record_schema(params.iter().map(field).collect(), types);
    let required = params.iter().filter(|param| param.required).map(|param| Json::from(param.name.as_str()));
    schema.insert("required".into(), required.collect());
    Json::Object(schema)
}

fn record_schema(fields: Vec<FieldDef>, types: &TypeDefs) -> Map<String, Json> {
    let mut types = types.clone();
    let id = types.push(TypeDef::Record(RecordDef { name: String::new(), fields, doc: String::new() }));
    match to_json_schema(&Type::Named(id), &types) {
        Json::Object(mut schema) => {
            schema.shift_remove("title");
            schema
        }
        _ => Map::new(),
    }
}

/// A text with rules behind it.
fn described(doc: &str, rules: &[String]) -> String {
    match (doc.trim(), rules) {
        (doc, []) => doc.to_owned(),
        ("", rules) => format!("[{}]", rules.join("; ")),
        (doc, rules) => format!("{doc} [{}]", rules.join("; ")),
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=DESCRIPTION_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
