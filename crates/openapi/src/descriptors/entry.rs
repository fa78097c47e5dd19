//! A method as an entry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use prost_reflect::MethodDescriptor;
use prost_reflect::prost_types::method_options::IdempotencyLevel;
use schema::json_schema::{OperationTypes, SchemaError};
use schema::operation::{
    Access, Auth, GrpcBinding, OperationDescriptor, Repeat, SideEffects, Source, Transport, Version,
};
use schema::price::PriceRule;
use serde_json::json;

use super::comments::Comments;
use super::messages::Messages;
use super::prune::prune;
use super::{Descriptors, SOURCE, path_of};
use crate::error::{Error, NO_GRPC_CALL, TOO_LARGE, shown};
use crate::import::{Entry, Known, Notes, Origin, effects, repeat};

/// How a gRPC call is named where an HTTP method would be.
const CALL: &str = "gRPC call";

impl Descriptors {
    /// `method` as an entry that is served below `base_url`; `notes` are those that hold for all.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn entry(
        &self,
        method: &MethodDescriptor,
        origin: &Origin,
        id: &str,
        base_url: &str,
        mut notes: Notes,
        comments: &mut Comments,
    ) -> Result<Entry, Error> {
        let path = path_of(method);
        if method.is_client_streaming() {
            let message = "it takes a stream of requests, and a call has one";
            return Err(Error::new(NO_GRPC_CALL, path, message));
        }
        // First, for it is what bounds the schemas.
        let descriptors = prune(method).map_err(|bytes| {
            Error::new(
                TOO_LARGE,
                &path,
                format!("the descriptors of its messages have {bytes} bytes or more"),
            )
        })?;
        let Some(input) = Messages::request(&method.input(), comments) else {
            let message = format!(
                "it takes a bare `{}`, and a call has parameters with names",
                method.input().full_name()
            );
            return Err(Error::new(NO_GRPC_CALL, path, message));
        };
        let output = Messages::answer(&method.output(), method.is_server_streaming(), comments);
        let auth = origin.auth.clone().unwrap_or_else(|| {
            notes.guessed("auth", "none: descriptors do not say how a key is sent; `--key-header` does");
            Auth::None
        });
        let keyed = auth != Auth::None;
        let (side_effects, repeat) = changes(method, keyed, &mut notes);
        let comment = comments.above(&method.parent_file(), method.path());
        let mut descriptor = OperationDescriptor {
            id: id.to_owned(),
            netuid: origin.netuid,
            version: Version::FIRST,
            summary: if comment.is_empty() { format!("gRPC {path}") } else { comment },
            tags: Vec::new(),
            transport: Transport::Grpc(GrpcBinding {
                base_url: base_url.to_owned(),
                method: path.clone(),
                descriptors: BASE64.encode(descriptors),
            }),
            access: if keyed { Access::Key } else { Access::Open },
            auth,
            side_effects,
            repeat,
            input,
            output,
            output_complete: true,
            // No descriptor says one, and a guess would count as known.
            price: PriceRule::Unknown,
            observed_cost: None,
            refusals: Default::default(),
            latency: None,
            example: None,
            sources: vec![Source {
                kind: SOURCE.into(),
                reference: origin.reference.clone(),
                commit: Some(format!("blake3:{}", self.digest)),
                path: Some(path.clone()),
            }],
            delivery: None,
            verified: false,
        };
        check_types(&mut descriptor, &path, &mut notes)?;
        notes.0.sort_by_key(|note| note.kind);
        Ok(Entry { descriptor, notes: notes.0 })
    }
}

/// What a call changes and whether it may be repeated: what the method's `idempotency_level` says, else a guess.
fn changes(method: &MethodDescriptor, keyed: bool, notes: &mut Notes) -> (SideEffects, Repeat) {
    let options = method.method_descriptor_proto().options.as_ref();
    let level = options.map_or(IdempotencyLevel::IdempotencyUnknown, |options| options.idempotency_level());
    if level == IdempotencyLevel::NoSideEffects {
        let effects = if keyed { SideEffects::Metered } else { SideEffects::None };
        return (effects, repeat(CALL, keyed, effects));
    }
    let (effects, why) = effects(&Known { method: CALL, keyed, name: method.name(), path: "", summary: "" });
    notes.guessed("side_effects", why);
    let mut repeat = repeat(CALL, keyed, effects);
    repeat.safe |= level == IdempotencyLevel::Idempotent;
    (effects, repeat)
}

/// Checks that the schemas map to types. An answer that has none becomes `Json`, and that is told.
fn check_types(descriptor: &mut OperationDescriptor, path: &str, notes: &mut Notes) -> Result<(), Error> {
    let refused = |error: SchemaError| {
        Error::new(error.code, format!("{path} {}", shown(&error.pointer)), error.message)
    };
    match OperationTypes::of(descriptor) {
        Err(error) if error.pointer.starts_with("output") => {
            notes.left_out("output", format!("its type, so the answer is `Json`: {}", refused(error)));
            descriptor.output = json!({});
            descriptor.output_complete = false;
            OperationTypes::of(descriptor).map(drop).map_err(refused)
        }
        types => types.map(drop).map_err(refused),
    }
}
