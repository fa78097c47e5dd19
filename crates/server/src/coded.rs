//! Gives a code to statuses that the gRPC library makes by itself: a message that is too large or no message,
//! a method that does not exist. Every error a client sees has an `ErrorInfo`.

use std::collections::HashMap;

use http::Response;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::status::DOMAIN;

/// Code of a request that cannot be read, or that asks for what is not there.
const UNREADABLE: &str = "E1516";

/// The response, with details where it is an error without any.
pub(crate) fn coded<B: Default>(response: Response<B>) -> Response<B> {
    let Some(status) = Status::from_header_map(response.headers()) else { return response };
    if status.code() == Code::Ok || !status.details().is_empty() {
        return response;
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(UNREADABLE, DOMAIN, HashMap::new());
    Status::with_error_details(status.code(), status.message(), details).into_http()
}
