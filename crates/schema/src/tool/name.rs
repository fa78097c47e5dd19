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
    let plain = format!("{kind}_{name}");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if plain.len() <= TOOL_NAME_BYTES_MAX && plain.bytes().all(is_plain) {
        return plain;
    }
    // A dash, which plain names do not have, keeps the two kinds apart.
    told_apart(&plain, &[b"tool ", target.as_bytes()])
}

/// Longest name of an argument that every form admits.
pub const ARGUMENT_NAME_BYTES_MAX: usize = 64;

/// Whether every form admits an argument of this name. Anthropic's admits the fewest: letters, digits, `_`, `.` and `-`.
#[must_use]
pub fn is_argument_name(name: &str) -> bool {
    let admitted = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=ARGUMENT_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(admitted)
}

/// The name of an argument in a form that does not admit its own, such as `_top` for `$top`; its own where every form does. `all`
/// are the names of all arguments, of which none has the name that is given. Calls take both.
///
/// ```
/// use schema::tool::argument_name;
/// assert_eq!(argument_name("query", &["query"]), "query");
/// assert_eq!(argument_name("$top", &["$top", "$skip"]), "_top");
/// assert_eq!(argument_name("$top", &["$top", "_top"]), "_top-bded6945");
/// ```
#[must_use]
pub fn argument_name(name: &str, all: &[&str]) -> String {
    if is_argument_name(name) {
        return name.to_owned();
    }
    let plain = underscored(name);
    let is_alone = all.iter().filter(|other| underscored(other) == plain).count() <= 1;
    if is_alone && is_argument_name(&plain) {
        return plain;
    }
    told_apart(&plain, &[b"argument ", name.as_bytes()])
}

fn underscored(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The beginning of a name, with a part of the hash of what it stands for.
fn told_apart(name: &str, of: &[&[u8]]) -> String {
    let digits: String = Context::LedgerEntry.hash(of).to_hex().chars().take(DIGITS).collect();
    let kept: String = underscored(name).chars().take(TOOL_NAME_BYTES_MAX - DIGITS - 1).collect();
    format!("{kept}-{digits}")
}
