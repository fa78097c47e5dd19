//! Patterns in which `*` stands for any characters.

/// Whether all of `text` fits `pattern`.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        // The earliest place leaves most to the parts behind it.
        match text.split_once(part) {
            _ if part.is_empty() => {}
            Some((_, behind)) => text = behind,
            None => return false,
        }
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("get_*", "get_hit", true),
            ("*_hit", "get_hit", true),
            ("*a*b", "xaxb", true),
            ("*a*b", "xb", false),
            ("a*a", "a", false),
            ("a**c", "abc", true),
            ("/v1/*/x", "/v1/y/x", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
