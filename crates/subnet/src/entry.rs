//! What must hold of an entry so that a request can be formed from it, beyond the form of its fields. The Ledger asks
//! before it publishes an entry, and preparing a call comes by the same functions.

use schema::operation::{Auth, OperationDescriptor, Transport};

use crate::grpc;
use crate::https::{checked_path, header_parameters};
use crate::signed::Signer;

/// What is wrong with an entry, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct Fault {
    /// The field, such as `auth.message`.
    pub path: String,
    /// What it is, in words.
    pub why: String,
}

impl Fault {
    pub(crate) fn new(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self { path: path.into(), why: why.into() }
    }

    /// The same, of an entry whose field `parent` it is in.
    pub(crate) fn within(self, parent: &str) -> Self {
        Self { path: format!("{parent}.{}", self.path), ..self }
    }
}

/// Checks the templates of a signed request, the template of a path, that parameters sent as headers can be headers, and that the descriptors of a gRPC method hold it and fit the schemas.
///
/// # Errors
/// The first [`Fault`].
pub fn check(operation: &OperationDescriptor) -> Result<(), Fault> {
    match &operation.auth {
        Auth::Signed(request) => Signer::new(request).map(drop).map_err(|fault| fault.within("auth"))?,
        Auth::Btauth { receiver, signed_answers } => {
            Signer::btauth(receiver, *signed_answers).map(drop).map_err(|fault| fault.within("auth"))?;
        }
        _ => {}
    }
    match &operation.transport {
        Transport::Http(binding) => {
            checked_path(binding)?;
            let headers = header_parameters(&binding.parameters);
            headers.map(drop).map_err(|why| Fault::new("transport.parameters", why))
        }
        Transport::Grpc(binding) => grpc::checked(binding, operation).map(drop),
        _ => Ok(()),
    }
}
