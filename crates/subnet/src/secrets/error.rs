//! Why a secret was not stored or not used.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use schema::operation::OperationId;

use super::KEY_PART;
use crate::egress::Origin;

/// Why a secret was not stored or not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No secret is stored for the operation. Code E1105.
    #[error(
        "no secret for {operation}: store one named `{operation}` or `{subnet}` for {origin}{}{}",
        tenant.as_ref().map(|tenant| format!(" and the tenant `{tenant}`")).unwrap_or_default(),
        with_parts(parts)
    )]
    Missing {
        /// The operation that needs it.
        operation: OperationId,
        /// The subnet's name for secrets, `sn<netuid>`.
        subnet: String,
        /// Where it would be sent.
        origin: Box<Origin>,
        /// Whose it must be, where those of the deployment do not serve.
        tenant: Option<Arc<str>>,
        /// The parts that the operation needs.
        parts: Vec<String>,
    },
    /// The secret belongs to another origin. Code E1104.
    #[error("secret `{name}` is bound to {bound} and is not sent to {wanted}")]
    OtherOrigin {
        /// Name of the secret.
        name: String,
        /// The origin it was stored for.
        bound: Origin,
        /// The origin of the request.
        wanted: Origin,
    },
    /// The secret was to be used until a time that has passed. Code E1119.
    #[error("secret `{name}` for {origin} expired at {at}")]
    Expired {
        /// Name of the secret.
        name: String,
        /// The origin it is for.
        origin: Origin,
        /// When it expired, in whole seconds.
        at: Timestamp,
    },
    /// The secret cannot be stored or used as it is. Code E1106.
    #[error("secret `{name}`: {why}")]
    Unusable {
        /// Name of the secret.
        name: String,
        /// What is wrong; never holds any of its value.
        why: String,
    },
    /// The file with secrets could not be read. Code E1106.
    #[error("secrets file {path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong; never holds any of its content.
        why: String,
    },
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "E1105",
            Self::OtherOrigin { .. } => "E1104",
            Self::Expired { .. } => "E1119",
            Self::Unusable { .. } | Self::File { .. } => "E1106",
        }
    }
}

/// The options by which `orch keys add` takes a key of several parts.
fn with_parts(parts: &[String]) -> String {
    if matches!(parts, [] | [_]) && parts.iter().all(|part| part == KEY_PART) {
        return String::new();
    }
    let options: Vec<String> = parts.iter().map(|part| format!("--part {part}")).collect();
    format!(", with its parts: `orch keys add` takes them by `{}`", options.join(" "))
}
