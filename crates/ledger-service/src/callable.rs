//! Whether this version of Orchestra can call an operation, and if not, why.

use schema::operation::{Auth, OperationDescriptor, Transport};

/// Why an operation cannot be called; `None` if it can. An operation that cannot be called is listed all the same.
#[must_use]
pub fn not_callable_reason(operation: &OperationDescriptor) -> Option<String> {
    match &operation.transport {
        Transport::Other { protocol, .. } => {
            return Some(format!("the protocol `{protocol}` is not supported yet"));
        }
        Transport::Http(http) if http.base_url.contains('{') => {
            return Some(format!("`{}` needs a host that only a deployment knows", http.base_url));
        }
        Transport::Http(_) | Transport::Axon(_) => {}
    }
    if let Auth::Other { scheme } = &operation.auth {
        return Some(format!("the authentication scheme `{scheme}` is not supported yet"));
    }
    None
}
