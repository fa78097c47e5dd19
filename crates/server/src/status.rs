//! One form for every gRPC error: a status whose details hold an `ErrorInfo` with the stable code as its
//! reason, and whatever else helps a program to go on.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Domain of every `ErrorInfo` of this service.
pub const DOMAIN: &str = "orchestra";

/// How long a client should wait before it tries again when the service is busy or draining.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A status for the error `code` of the index.
pub(crate) fn status(code: &str, message: impl Into<String>) -> Status {
    let message = message.into();
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
    let message = message.into();
    let mut details = ErrorDetails::new();
    details.set_error_info(code, DOMAIN, HashMap::new());
    details.add_bad_request_violation(field, message.clone());
    Status::with_error_details(Code::InvalidArgument, format!("{field}: {message}"), details)
}

/// A status for a resource that is not there.
pub(crate) fn not_found(code: &str, kind: &str, name: &str, message: impl Into<String>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(code, DOMAIN, HashMap::new());
    details.set_resource_info(kind, name, "", "");
    Status::with_error_details(Code::NotFound, message, details)
}
