//! gRPC services, for the command that adds them: where they are, and what they say of themselves.

use subnet::ReflectionError;
use subnet::egress::{Egress, ExchangeError};

use super::fetch;
use crate::exit::Failure;

/// Schemes of gRPC, without and with TLS, each with the scheme that an entry has.
const SCHEMES: [(&str, &str); 2] = [("grpc://", "http://"), ("grpcs://", "https://")];

/// What to do where a server does not describe itself.
pub(super) const FILE_HELP: &str = "add its descriptors as a file: `protoc --include_imports --descriptor_set_out=api.binpb API.proto`, or \
                         `buf build -o api.binpb`; then `orch ledger add api.binpb --base-url grpcs://HOST`";

/// Whether a document is a gRPC server.
pub(super) fn is_server(document: &str) -> bool {
    SCHEMES.iter().any(|(scheme, _)| document.starts_with(scheme))
}

/// The base URL of an address that may have a scheme of gRPC.
pub(super) fn base_url(address: &str) -> String {
    let rest = |(scheme, plain): &(&str, &str)| {
        address.strip_prefix(scheme).map(|rest| format!("{plain}{}", rest.trim_end_matches('/')))
    };
    SCHEMES.iter().find_map(rest).unwrap_or_else(|| address.to_owned())
}

/// The descriptors of what the server at `address` offers, by its reflection.
pub(super) async fn describe(egress: &Egress, address: &str) -> Result<Vec<u8>, Failure> {
    let described = egress.reflect(&base_url(address), fetch::FETCH_TIME).await;
    described.map_err(|error| failure(address, error))
}

fn failure(address: &str, error: ReflectionError) -> Failure {
    let message = format!("{address}: {error}");
    let other = match address.starts_with("grpcs://") {
        true => "`grpc://` for a server without TLS",
        false => "`grpcs://` for a server with TLS",
    };
    match error {
        // No TLS is no network's fault.
        ReflectionError::Exchange(ExchangeError::Connect { what: "no TLS connection", .. })
        | ReflectionError::NotGrpc(_) => {
            let help = format!("check host and port, which may be those of a web page; and write {other}");
            Failure::new("E1543", message, help)
        }
        ReflectionError::Exchange(error) => fetch::failure(address, &error.into()),
        ReflectionError::TooMuch { .. } => Failure::new("E1251", message, FILE_HELP),
        _ => Failure::new("E1544", message, FILE_HELP),
    }
}
