//! Operations of a document as entries of the Ledger.
//!
//! What the document says is taken. What it does not say and an entry needs, above all what a call changes, is
//! guessed by rules that stand in one place each, and every guess is told. What no entry can say is refused.

use std::collections::BTreeMap;

use schema::decode::decode;
use schema::json_schema::{OperationTypes, SchemaError};
use schema::operation::{
    Access, Auth, HttpBinding, OperationDescriptor, ResponseBody, Source, Transport, Version,
};
use schema::price::PriceRule;
use schema::types::Type;
use serde_json::{Value as Json, json};

use crate::answer::Answer;
use crate::document::{Document, Operation};
use crate::error::{Error, NOT_CALLABLE, shown};
use crate::request::Request;
use crate::secrets::public_address;

mod arguments;
mod delivery;
mod effects;
mod examples;
mod files;
mod losses;
mod security;
mod server;

use arguments::Arguments;
pub(crate) use arguments::sent_path;
pub(crate) use effects::{Known, effects, repeat};
pub(crate) use server::settled_server;

/// Kind of the source that names the document of an entry.
pub const SOURCE: &str = "openapi";

/// Methods of a call.
pub(crate) const CALLED: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Where a document is from and what becomes of it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The subnet.
    pub netuid: u16,
    /// What the names of its operations begin with.
    pub name_prefix: String,
    /// Base URL of every operation, in place of what the document says.
    pub server: Option<String>,
    /// Address of the document, or the name of its file. Entries keep it without user, password and keys.
    pub reference: String,
    /// How a key is sent, in place of what the document says.
    pub auth: Option<Auth>,
}

impl Origin {
    /// The same without secrets in its reference, which every entry keeps.
    pub(crate) fn public(&self) -> Self {
        Self { reference: public_address(&self.reference), ..self.clone() }
    }
}

/// A document as entries.
#[derive(Clone, Debug)]
pub struct Import {
    /// Title and version of the document, as it says them.
    pub title: String,
    /// Each operation, in the order of the document.
    pub operations: Vec<Imported>,
}

/// What became of one operation.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its method and path.
    pub call: String,
    /// Where it stands: a JSON pointer.
    pub at: String,
    /// `sn<netuid>.<name>`.
    pub id: String,
    /// The entry, or why there is none.
    pub entry: Result<Entry, Error>,
}

/// An entry with what was not simply taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The entry, in its first version.
    pub descriptor: OperationDescriptor,
    /// What was guessed, chosen and left out.
    pub notes: Vec<Note>,
}

/// A fact of an entry that its document does not say as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How it came about.
    pub kind: NoteKind,
    /// The field, such as `side_effects`.
    pub field: &'static str,
    /// What it says, and why.
    pub text: String,
}

/// How a fact came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// The document does not say it.
    Guessed,
    /// The document says several, and this is one.
    Chosen,
    /// The document says it, and the entry does not.
    LeftOut,
}

impl NoteKind {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guessed => "guessed",
            Self::Chosen => "chosen",
            Self::LeftOut => "left_out",
        }
    }
}

/// Notes so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(pub(crate) Vec<Note>);

impl Notes {
    pub(crate) fn guessed(&mut self, field: &'static str, text: impl Into<String>) {
        self.0.push(Note { kind: NoteKind::Guessed, field, text: text.into() });
    }

    pub(crate) fn chosen(&mut self, field: &'static str, text: impl Into<String>) {
        self.0.push(Note { kind: NoteKind::Chosen, field, text: text.into() });
    }

    pub(crate) fn left_out(&mut self, field: &'static str, text: impl Into<String>) {
        self.0.push(Note { kind: NoteKind::LeftOut, field, text: text.into() });
    }
}

impl Document {
    /// Every operation as an entry, or why it is none.
    ///
    /// # Errors
    /// [`Error`] where the document as a whole cannot be read: its paths, or a server that no call could go to.
    ///
    /// ```
    /// let text = br#"{ "swagger": "2.0", "host": "api.example.com", "schemes": ["https"], "paths": { "/hits": { "get": {
    ///     "operationId": "listHits", "responses": { "200": { "description": "", "schema": { "type": "string" } } }
    /// } } } }"#;
    /// let origin = openapi::Origin { netuid: 7, reference: "hits.json".into(), ..openapi::Origin::default() };
    /// let import = openapi::Document::read(text)?.import(&origin)?;
    /// let entry = import.operations[0].entry.as_ref().unwrap();
    /// assert_eq!(entry.descriptor.id, "sn7.list_hits");
    /// assert_eq!((entry.notes[0].field, entry.notes[0].text.as_str()), ("side_effects", "none: a GET without a key"));
    /// # Ok::<(), openapi::Error>(())
    /// ```
    pub fn import(&self, origin: &Origin) -> Result<Import, Error> {
        let origin = &origin.public();
        let word = |pointer| self.root.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
        let title = format!("{} {}", word("/info/title"), word("/info/version")).trim().to_owned();
        let operations = self.operations()?.into_iter().map(|operation| {
            let name = format!("{}{}", origin.name_prefix, operation.name);
            // A plan names it, and names do not begin with a digit.
            let mark = if name.starts_with(|c: char| c.is_ascii_digit()) { "op_" } else { "" };
            let id = format!("sn{}.{mark}{name}", origin.netuid);
            let entry = self.entry(&operation, origin, &id, &title);
            Imported {
                call: format!("{} {}", operation.method, operation.path),
                at: operation.at.clone(),
                id,
                entry,
            }
        });
        let operations = operations.collect();
        Ok(Import { title, operations })
    }

    fn entry(&self, operation: &Operation, origin: &Origin, id: &str, title: &str) -> Result<Entry, Error> {
        if !CALLED.contains(&operation.method) {
            let message = format!("a call is one of {}, not {}", CALLED.join(", "), operation.method);
            return Err(Error::new(NOT_CALLABLE, &operation.at, message));
        }
        let mut notes = Notes::default();
        let auth = match &origin.auth {
            Some(auth) => auth.clone(),
            None => self.auth(operation, &mut notes)?,
        };
        let request = self.request(operation)?;
        notes.0.extend(request.notes.iter().cloned());
        let answer = self.answer(operation)?;
        losses::tell(&answer.contract, "output", &mut notes);
        losses::tell(&request.contract, "input", &mut notes);
        let base_url = self.base_url(operation, origin, &mut notes)?;
        let arguments = Arguments::of(&request, &auth, &mut notes);
        let path = sent_path(&operation.path, &arguments.parameters, &operation.at)?;
        let keyed = auth != Auth::None;
        let (side_effects, why) = effects(&Known {
            method: operation.method,
            keyed,
            name: &operation.name,
            path: &operation.path,
            summary: &operation.summary,
        });
        notes.guessed("side_effects", why);
        let repeat = repeat(operation.method, keyed, side_effects);
        let response = answer.form.unwrap_or_else(|| {
            notes.guessed("response", "text: the document describes no body");
            ResponseBody::Text
        });
        let (output, output_complete) = contract_of(&answer);
        let transport = match arguments.body {
            Err(protocol) => Transport::Other { protocol: protocol.into(), base_url: Some(base_url) },
            Ok(body) => Transport::Http(HttpBinding {
                method: operation.method.into(),
                base_url,
                path,
                parameters: arguments.parameters,
                styles: arguments.styles,
                fixed_body: arguments.fixed_body,
                body,
                media_type: arguments.media_type,
                accept: answer.media_type.clone(),
                response,
            }),
        };
        let summary = if operation.summary.is_empty() {
            format!("{} {}", operation.method, operation.path)
        } else {
            operation.summary.clone()
        };
        let mut descriptor = OperationDescriptor {
            id: id.to_owned(),
            netuid: origin.netuid,
            version: Version::FIRST,
            summary,
            tags: Vec::new(),
            transport,
            access: if keyed { Access::Key } else { Access::Open },
            auth,
            side_effects,
            repeat,
            input: arguments.input,
            output,
            output_complete,
            // No document says a price, and one that is guessed would count as known.
            price: PriceRule::Unknown,
            observed_cost: None,
            refusals: Default::default(),
            latency: None,
            example: None,
            sources: self.sources(operation, origin, title),
            delivery: None,
            verified: false,
        };
        let types = types_of(&mut descriptor, &request, &answer, &mut notes)?;
        let fits = |json: &Json, ty: &Type| decode(json.to_string().as_bytes(), ty, &types.defs).is_ok();
        descriptor.example =
            self.example(operation, &descriptor.input, request.whole_body)?.filter(|example| {
                let good =
                    fits(&example.input, &Type::Named(types.input)) && fits(&example.output, &types.output);
                if !good {
                    notes.left_out("example", "the one that the document has does not fit its own schema");
                }
                good
            });
        descriptor.delivery = self.delivery(operation, &descriptor, &mut notes);
        notes.0.sort_by_key(|note| note.kind);
        Ok(Entry { descriptor, notes: notes.0 })
    }

    fn sources(&self, operation: &Operation, origin: &Origin, title: &str) -> Vec<Source> {
        let document = Source {
            kind: SOURCE.into(),
            reference: origin.reference.clone(),
            commit: Some(format!("blake3:{}", self.digest)),
            path: Some(operation.at.clone()),
        };
        let title = (!title.is_empty()).then(|| Source {
            kind: "openapi_title".into(),
            reference: shown(title),
            commit: None,
            path: None,
        });
        [Some(document), title].into_iter().flatten().collect()
    }
}

/// The schema of the answer, and whether it is a contract.
fn contract_of(answer: &Answer) -> (Json, bool) {
    match (answer.form, &answer.contract.schema) {
        // No body is an empty text.
        (None, _) => (json!({ "type": "string" }), true),
        (Some(_), Json::Bool(_)) => (json!({}), answer.complete),
        (Some(_), schema) => (schema.clone(), answer.complete),
    }
}

/// The types of an entry. An answer whose schema has none becomes `Json`, and that is told.
fn types_of(
    descriptor: &mut OperationDescriptor,
    request: &Request,
    answer: &Answer,
    notes: &mut Notes,
) -> Result<OperationTypes, Error> {
    let refused = |error: SchemaError| {
        let at = match error.pointer.split_once('#') {
            Some(("input", place)) => request.contract.locate(place),
            Some((_, place)) => answer.contract.locate(place),
            None => error.pointer.clone(),
        };
        Error::new(error.code, at, error.message)
    };
    match OperationTypes::of(descriptor) {
        Err(error) if descriptor.output_complete && error.pointer.starts_with("output") => {
            let error = refused(error);
            notes.left_out("output", format!("its type, so the answer is `Json`: {error}"));
            descriptor.output_complete = false;
            OperationTypes::of(descriptor).map_err(refused)
        }
        types => types.map_err(refused),
    }
}

/// Parameters by name with where they go.
pub(crate) type Locations = BTreeMap<String, schema::operation::ParameterLocation>;
