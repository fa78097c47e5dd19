//! Names of tools: as every form admits them, the same each time, and no two the same.

use crate::hash::Context;

/// Longest name of a tool.
pub const TOOL_NAME_BYTES_MAX: usize = 64;

/// Digits of the hash that tells cut names apart.
const DIGITS: usize = 8;

/// The name of a target as a tool: `sn22_web_search`, `cap_generate`, `plan_market_research`. Where a name is too long or
/// has other characters than a tool may have, a part of its hash stands at the end.
///
/// ```
/// assert_eq!(schema::tool::tool_name("sn22.web_search"), "sn22_web_search");
/// assert_eq!(schema::tool::tool_name("plans/market_research"), "plan_market_research");
/// ```
#[must_use]
pub fn tool_name(target: &str) -> String {
    let (kind, name) = match target.split_once(['.', '/']) {
        Some(("plans", name)) => ("plan", name),
        Some((kind, name)) => (kind, name),
        None => ("tool", target),
    };
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let plain = format!("{kind}_{name}");
    if plain.len() <= TOOL_NAME_BYTES_MAX && is_plain(&plain) {
        return plain;
    }
    let digits: String =
        Context::LedgerEntry.hash(&[b"tool ", target.as_bytes()]).to_hex().chars().take(DIGITS).collect();
    let admitted = plain.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let kept: String = admitted.take(TOOL_NAME_BYTES_MAX - DIGITS - 1).collect();
    // A dash, which plain names do not have, keeps the two kinds apart.
    format!("{kept}-{digits}")
}
