//! Path templates: what stands between the braces of `/quotes/{topic}` is a parameter, the rest is sent as it is.

use std::fmt::Write as _;

/// A part of a path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// Sent as it stands here.
    Literal(String),
    /// The name of the parameter whose value stands there.
    Parameter(String),
}

/// The parts of a template that a request can be sent to.
///
/// # Errors
/// Why it can be sent to none, as the rest of a sentence about it: dot segments lead elsewhere, characters that no URL has
/// have to be percent-encoded ([`encoded_path`]).
///
/// ```
/// use schema::operation::{PathPart, path_parts};
/// let parts = path_parts("/quotes/{topic}").unwrap();
/// assert_eq!(parts, [PathPart::Literal("/quotes/".into()), PathPart::Parameter("topic".into())]);
/// assert!(path_parts("/a/../b").is_err() && path_parts("/a b").is_err());
/// ```
pub fn path_parts(template: &str) -> Result<Vec<PathPart>, String> {
    let refused = |why: &str| Err(why.to_owned());
    if !template.starts_with('/') {
        return refused("does not begin with `/`");
    }
    let Some(parts) = split(template) else { return refused("has a brace without its partner") };
    // A value is neither empty nor dots alone, so a segment that has one is no dot segment: `{name}.{ext}`.
    let filled = parts.iter().map(|part| match part {
        PathPart::Literal(literal) => literal.as_str(),
        PathPart::Parameter(_) => "x",
    });
    if template.contains("%00") {
        return refused("holds an encoded NUL");
    }
    if climbs(&filled.collect::<String>()) {
        return refused("has dot segments (`.` or `..`), which lead elsewhere");
    }
    for part in &parts {
        let PathPart::Literal(literal) = part else { continue };
        if let Some(c) = literal.chars().find(|c| is_foreign(*c)) {
            return Err(format!("holds {c:?}, which no path has"));
        }
        if encoded(literal) != *literal {
            return refused("has characters that need percent-encoding");
        }
    }
    Ok(parts)
}

/// A template whose characters that no URL has are percent-encoded; parameters stay as they are, and so does
/// what [`path_parts`] refuses.
#[must_use]
pub fn encoded_path(template: &str) -> String {
    let Some(parts) = split(template) else { return template.to_owned() };
    let written = |part: &PathPart| match part {
        PathPart::Literal(literal) => encoded(literal),
        PathPart::Parameter(name) => format!("{{{name}}}"),
    };
    parts.iter().map(written).collect()
}

/// Whether a part of a path would climb out of its place, or end it. Many servers decode `%2F` and `%2E` before they
/// route, so that counts as what it stands for.
#[must_use]
pub fn climbs(text: &str) -> bool {
    let lower = text.to_ascii_lowercase().replace("%2f", "/").replace("%5c", "/").replace("%2e", ".");
    lower.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")) || lower.contains("%00")
}

fn split(template: &str) -> Option<Vec<PathPart>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let (literal, after) = rest.split_once('{').map_or((rest, None), |(head, tail)| (head, Some(tail)));
        if literal.contains('}') {
            return None;
        }
        if !literal.is_empty() {
            parts.push(PathPart::Literal(literal.into()));
        }
        let Some(after) = after else { break };
        let (name, tail) =
            after.split_once('}').filter(|(name, _)| !name.is_empty() && !name.contains('{'))?;
        parts.push(PathPart::Parameter(name.into()));
        rest = tail;
    }
    Some(parts)
}

/// Whether a character in a path is a mistake and no text to encode: it would end the path, or no server reads it so.
fn is_foreign(c: char) -> bool {
    matches!(c, '?' | '#' | '\\') || c.is_ascii_control()
}

/// `literal` with its characters that no path of a URL has percent-encoded; what is encoded already stays.
fn encoded(literal: &str) -> String {
    let mut out = String::with_capacity(literal.len());
    let octets = literal.as_bytes();
    for (at, octet) in octets.iter().enumerate() {
        let is_escape = *octet == b'%'
            && octets.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let is_plain = octet.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(octet);
        if is_plain || is_escape || is_foreign(char::from(*octet)) {
            out.push(char::from(*octet));
        } else {
            let _ = write!(out, "%{octet:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_url_has_is_encoded_once() {
        for (template, encoded) in [
            ("/v1/{a b}/x", "/v1/{a b}/x"),
            ("/caf\u{e9}/|{id}", "/caf%C3%A9/%7C{id}"),
            ("/50%/%41/%2f", "/50%25/%41/%2f"),
            ("/a b\"<>^`[]", "/a%20b%22%3C%3E%5E%60%5B%5D"),
        ] {
            assert_eq!(encoded_path(template), encoded);
            assert_eq!(encoded_path(encoded), encoded);
            assert!(path_parts(encoded).is_ok(), "{encoded}");
        }
    }

    #[test]
    fn dots_beside_a_parameter_are_no_dot_segment() {
        for template in ["/files/{name}.{ext}", "/v{major}.{minor}/x", "/a/.{x}"] {
            assert!(path_parts(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn what_no_request_can_be_sent_to_is_refused_with_its_reason() {
        for (template, why) in [
            ("a", "does not begin with `/`"),
            ("/a/./b", "dot segments"),
            ("/a/../b", "dot segments"),
            ("/a/%2E%2e/b", "dot segments"),
            ("/a/..%2Fb", "dot segments"),
            ("/a/{x}/..", "dot segments"),
            ("/a/{x", "without its partner"),
            ("/a/x}", "without its partner"),
            ("/a/{}", "without its partner"),
            ("/a?b=1", "holds '?'"),
            ("/a\\b", "holds '\\\\'"),
            ("/a%00", "NUL"),
            ("/a\u{7}", "holds '\\u{7}'"),
            ("/\u{e9}", "percent-encoding"),
        ] {
            let refused = path_parts(template).unwrap_err();
            assert!(refused.contains(why), "{template}: {refused}");
        }
    }
}
