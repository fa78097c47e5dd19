//! OpenAPI and Swagger documents, and descriptors of gRPC services, as what the Ledger's entries are made of: for each
//! operation one JSON Schema of all its parameters and one of its successful answer, each standing alone.
//!
//! It reads bytes and never fetches: a reference that leads out of the document is refused. It reads OpenAPI 3.0,
//! 3.1 and 3.2 and Swagger 2.0, as JSON or YAML, packed by gzip or not. What the older dialects spell otherwise is
//! rewritten to JSON Schema 2020-12, which is what [`schema::json_schema`] maps. Read [`Document`], [`Operation`]
//! and [`Error`] first; [`Document::import`] makes whole entries of a document, [`Descriptors::import`] of descriptors.
//!
//! ```
//! let text = r#"{ "openapi": "3.1.0", "paths": { "/hits/{id}": { "get": {
//!     "operationId": "getHit",
//!     "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
//!     "responses": { "200": { "description": "a hit", "content": { "application/json": { "schema": {
//!         "type": "object", "required": ["link"], "properties": { "link": { "type": "string" } }
//!     } } } } }
//! } } } }"#;
//! let document = openapi::Document::read(text.as_bytes())?;
//! let operation = &document.operations()?[0];
//! assert_eq!((operation.name.as_str(), operation.method), ("get_hit", "GET"));
//! let (input, answer) = (document.request(operation)?, document.answer(operation)?);
//! let types = schema::json_schema::OperationTypes::from_schemas(
//!     &operation.name,
//!     &input.contract.schema,
//!     Some(&answer.contract.schema),
//! );
//! assert_eq!(types.map(|types| types.defs.show(&types.output)).as_deref(), Ok("GetHitOutput"));
//! # Ok::<(), openapi::Error>(())
//! ```
#![forbid(unsafe_code)]

mod answer;
mod bundle;
mod curl;
mod descriptors;
mod dialect;
mod document;
mod error;
mod example;
mod import;
mod infer;
mod json;
mod media;
mod names;
mod parameters;
mod request;
mod secrets;
mod styles;
mod text;
mod yaml;

pub use answer::Answer;
pub use bundle::Contract;
pub use descriptors::{Descriptors, SOURCE as DESCRIPTORS_SOURCE};
pub use dialect::Dialect;
pub use document::{Document, Operation};
pub use error::Error;
pub use example::ExampleCall;
pub use import::{Entry, Import, Imported, Note, NoteKind, Origin, SOURCE};
pub use request::{Location, Request};
pub use secrets::public_address;

/// Bytes of one document, unpacked.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;
/// Values within values of one document, what aliases of YAML stand for included.
pub const DOCUMENT_VALUES_MAX: usize = 1_000_000;
/// Nesting of a document. A level of a schema takes two of them, and no published document known here has thirty.
pub const DOCUMENT_DEPTH_MAX: usize = 120;
/// Operations of one document.
pub const OPERATIONS_MAX: usize = 10_000;
/// Values in the schemas that one operation needs; more than that does not map to types either.
pub const CONTRACT_VALUES_MAX: usize = 500_000;
