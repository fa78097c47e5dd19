//! One form for every gRPC error: a status whose details hold an `ErrorInfo` with the stable code as its
//! reason, and whatever else helps a program to go on.

use std::collections::HashMap;
use std::time::Duration;

use proto::v1;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::compiler::Compiled;

/// Domain of every `ErrorInfo` of this service.
pub const DOMAIN: &str = "orchestra";

/// Most violations of one status; headers are bounded.
const VIOLATIONS_MAX: usize = 20;

/// Bytes of the longest rendered text in a status.
const RENDERED_BYTES_MAX: usize = 4 << 10;

/// How long a client should wait before it tries again when the service is busy or draining.
pub(crate) const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Bytes of the longest message of a status. A message repeats what a client sent, of whatever length, and stands in
/// headers, of which clients take so many bytes and no more.
const MESSAGE_BYTES_MAX: usize = 1 << 10;

/// The message, cut where it is too long.
pub(crate) fn short(message: impl Into<String>) -> String {
    let mut message = message.into();
    if message.len() > MESSAGE_BYTES_MAX {
        let end = (0..=MESSAGE_BYTES_MAX).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
        message.truncate(end);
        message.push_str(" ..");
    }
    message
}

/// A status for the error `code` of the index.
pub(crate) fn status(code: &str, message: impl Into<String>) -> Status {
    let message = short(message);
    let grpc = grpc_code(code);
    let mut details = ErrorDetails::new();
    details.set_error_info(code, DOMAIN, HashMap::new());
    if matches!(grpc, Code::Unavailable | Code::ResourceExhausted) {
        details.set_retry_info(Some(RETRY_DELAY));
    }
    Status::with_error_details(grpc, message, details)
}

/// A status for a field of the request that is wrong.
pub(crate) fn bad_field(code: &str, field: &str, message: impl Into<String>) -> Status {
    let message = short(message);
    let mut details = ErrorDetails::new();
    details.set_error_info(code, DOMAIN, HashMap::new());
    details.add_bad_request_violation(field, message.clone());
    Status::with_error_details(Code::InvalidArgument, format!("{field}: {message}"), details)
}

/// A status for a resource that is not there.
pub(crate) fn not_found(code: &str, kind: &str, name: &str, message: impl Into<String>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(code, DOMAIN, HashMap::new());
    details.set_resource_info(kind, short(name), "", "");
    Status::with_error_details(Code::NotFound, short(message), details)
}

/// The status of a plan that does not compile: one violation per error, with its place, and the text a
/// terminal would show as the message. The reason is the code of the first.
pub(crate) fn plan_errors(compiled: &Compiled) -> Status {
    let mut details = ErrorDetails::new();
    let errors = compiled.diagnostics();
    let mut errors =
        errors.iter().filter(|diagnostic| diagnostic.severity() == v1::Severity::Error).peekable();
    let code = errors.peek().map_or("E1511", |first| first.code.as_str());
    details.set_error_info(code, DOMAIN, HashMap::new());
    for error in errors.take(VIOLATIONS_MAX) {
        let place = error.labels.first().and_then(|label| label.span).unwrap_or_default();
        let field = format!("source.text:{}:{}", place.line, place.column);
        details.add_bad_request_violation(field, format!("[{}] {}", error.code, error.message));
    }
    let mut rendered = compiled.rendered();
    if rendered.len() > RENDERED_BYTES_MAX {
        let end = (0..=RENDERED_BYTES_MAX).rev().find(|end| rendered.is_char_boundary(*end)).unwrap_or(0);
        rendered.truncate(end);
    }
    Status::with_error_details(Code::InvalidArgument, rendered, details)
}

/// The gRPC code that belongs to an error code: one table for all services.
pub(crate) fn grpc_code(code: &str) -> Code {
    match code {
        // Another process owns the store, it is full, or the service is busy or closing.
        "E1001" | "E1173" | "E1175" => Code::Unavailable,
        "E1172" => Code::ResourceExhausted,
        "E1517" | "E1518" => Code::Unauthenticated,
        "E1519" | "E1551" => Code::PermissionDenied,
        "E1008" | "E1205" => Code::AlreadyExists,
        "E1164" | "E1165" | "E1201" | "E1202" | "E1208" | "E1550" => Code::NotFound,
        "E1179" | "E1209" | "E1511" => Code::Internal,
        // What the caller asks is well formed, but the state of the world does not admit it.
        code if code.starts_with("E06") || code.starts_with("E11") || code.starts_with("E14") => {
            Code::FailedPrecondition
        }
        "E1206" | "E1210" => Code::FailedPrecondition,
        // What is too large stays so however often it is asked for.
        "E1009" => Code::InvalidArgument,
        code if code.starts_with("E10") => Code::Unavailable,
        _ => Code::InvalidArgument,
    }
}
