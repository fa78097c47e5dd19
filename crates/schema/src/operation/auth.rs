//! How a caller identifies itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a caller identifies itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Not at all.
    None,
    /// A key in a header.
    Header {
        /// Header name.
        name: String,
        /// Value with `<key>` where the key goes, such as `Bearer <key>`.
        format: String,
    },
    /// A key of several parts, such as an id and a secret, in as many headers.
    Headers {
        /// Header name to its value with `<part>` where a part goes, such as `X-Client-Id` to `<id>`.
        headers: BTreeMap<String, String>,
    },
    /// A key in the query string.
    Query {
        /// Parameter name.
        name: String,
    },
    /// The caller's hotkey signs the request, as the transport prescribes.
    Hotkey,
    /// The caller's hotkey signs a text made of the request, by a template.
    Signed(SignedRequest),
    /// The caller's hotkey signs the request by btauth/1 of the v11 Bittensor SDK.
    Btauth {
        /// SS58 address of the receiver's hotkey.
        receiver: String,
        /// Whether the receiver signs its answers by twresp/1. Where it does, one without its signature is refused.
        #[serde(default)]
        signed_answers: bool,
    },
    /// A scheme this version cannot speak.
    Other {
        /// Its name.
        scheme: String,
    },
}

impl Auth {
    /// Whether a caller needs a key, rather than a hotkey or nothing.
    #[must_use]
    pub const fn takes_key(&self) -> bool {
        matches!(self, Self::Header { .. } | Self::Headers { .. } | Self::Query { .. })
    }
}

/// A text that the caller's sr25519 hotkey signs, and the headers that carry it: the Epistula family and its relatives.
///
/// In the templates stand, in braces: `body_sha256` (64 hex digits of the raw body), `method`, `target` (path and
/// query), `timestamp_s`, `timestamp_ms`, `timestamp_ns` (time since 1970; the last is unique within the process),
/// `uuid` (of the attempt), `sender` and `receiver` (SS58 addresses); in headers also `signature_hex` (with `0x`) and
/// `signature_base64`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// What is signed, such as `{body_sha256}.{uuid}.{timestamp_ms}.{receiver}`.
    pub message: String,
    /// Header name to its value.
    pub headers: BTreeMap<String, String>,
    /// SS58 address of the receiver's hotkey; empty in the templates where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
}
