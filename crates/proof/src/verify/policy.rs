//! Whom a verifier trusts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::key::PublicKey;

/// The runtime keys a verifier trusts. An empty policy trusts nobody; bundles can still be checked, and
/// their signers are reported as unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustPolicy {
    /// By key.
    pub runtime_keys: BTreeMap<PublicKey, TrustedKey>,
}

/// A trusted key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// Whose it is, for people.
    pub name: String,
    /// The first microsecond since 1970 UTC at which a run may have opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from_us: Option<u64>,
    /// The last microsecond since 1970 UTC at which a run may have closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until_us: Option<u64>,
}

impl TrustPolicy {
    /// A policy that trusts one key without limits in time, such as that of the local runtime.
    #[must_use]
    pub fn of_key(key: PublicKey, name: &str) -> Self {
        let trusted = TrustedKey { name: name.to_owned(), ..TrustedKey::default() };
        Self { runtime_keys: BTreeMap::from([(key, trusted)]) }
    }
}

impl TrustedKey {
    /// Whether a run may have opened and closed at these times under the key.
    #[must_use]
    pub fn covers(&self, opened_at_us: u64, closed_at_us: u64) -> bool {
        self.valid_from_us.is_none_or(|from| from <= opened_at_us)
            && self.valid_until_us.is_none_or(|until| closed_at_us <= until)
    }
}
