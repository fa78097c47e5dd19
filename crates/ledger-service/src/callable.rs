//! Whether this version of Orchestra can call an operation, and if not, why.

use schema::json_schema::OperationTypes;
use schema::operation::{Auth, OperationDescriptor, Transport};

/// Whether an operation can be called. One that cannot is listed all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callability {
    /// As it stands.
    Yes,
    /// Once the deployment names the host, which differs from user to user; the reason why.
    NeedsEndpoint(String),
    /// Not by this version; the reason why.
    No(String),
}

impl Callability {
    /// Judges an operation.
    #[must_use]
    pub fn of(operation: &OperationDescriptor) -> Self {
        if let Transport::Other { protocol, .. } = &operation.transport {
            return Self::No(format!("the protocol `{protocol}` is not supported yet"));
        }
        if let Auth::Other { scheme } = &operation.auth {
            return Self::No(format!("the authentication scheme `{scheme}` is not supported yet"));
        }
        if let Err(error) = OperationTypes::of(operation) {
            return Self::No(format!("its schema does not map to types: {error}"));
        }
        let base_url = match &operation.transport {
            Transport::Http(http) => &http.base_url,
            Transport::Grpc(grpc) => &grpc.base_url,
            Transport::Axon(_) | Transport::Other { .. } => return Self::Yes,
        };
        if base_url.contains('{') {
            return Self::NeedsEndpoint(format!(
                "`{base_url}` needs a host of your own under `[endpoints]` in orchestra.toml"
            ));
        }
        Self::Yes
    }

    /// Why it cannot be called as it stands.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Yes => None,
            Self::NeedsEndpoint(reason) | Self::No(reason) => Some(reason),
        }
    }
}
