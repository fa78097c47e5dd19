//! Names and values that look like those of secrets, so that none lands in an entry, an argument or a proof.

use serde_json::Value as Json;

use crate::names::snake;
use crate::text::percent_decoded;

/// What stands for a secret that was taken out.
pub(crate) const REDACTED: &str = "<redacted>";

/// Last words of names that are secrets whatever stands before them.
const SECRET: [&str; 19] = [
    "apikey",
    "apitoken",
    "accesskey",
    "accesstoken",
    "authorization",
    "authtoken",
    "bearer",
    "credential",
    "credentials",
    "jwt",
    "mnemonic",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "secretkey",
    "sig",
    "signature",
];
/// Words before `key` that make it a secret; other keys are names of things.
const BEFORE_KEY: [&str; 13] = [
    "access",
    "api",
    "app",
    "application",
    "auth",
    "client",
    "license",
    "master",
    "private",
    "secret",
    "service",
    "signing",
    "subscription",
];
/// Words before `token` that make it a secret; other tokens are pages, words or coins.
const BEFORE_TOKEN: [&str; 18] = [
    "access",
    "admin",
    "api",
    "app",
    "auth",
    "authentication",
    "bearer",
    "bot",
    "csrf",
    "hf",
    "id",
    "personal",
    "private",
    "refresh",
    "secret",
    "security",
    "session",
    "user",
];
/// Beginnings of keys that services hand out.
const KEY_MARKS: [&str; 10] = ["sk-", "sk_", "pk_", "cpk_", "ghp_", "gho_", "hf_", "xox", "AIza", "eyJ"];
/// Shorter texts are no keys.
const KEY_CHARS_MIN: usize = 16;

/// Whether what is called `name` is a secret: told by its last words, each as a whole. `X-Api-Key`, `api_key` and
/// `apiKey` are, `keyword`, `page_token` and `max_tokens` are not.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = snake(name);
    let mut words: Vec<&str> = name.split('_').collect();
    let is_header = words.first() == Some(&"x") && words.len() > 1;
    if is_header {
        words.remove(0);
    }
    let before = words.len().checked_sub(2).and_then(|at| words.get(at)).copied();
    match words.last() {
        Some(&"key") => before.map_or(is_header, |before| BEFORE_KEY.contains(&before)),
        // `with_auth` is a flag.
        Some(&"auth") => before.is_none_or(|before| matches!(before, "api" | "basic" | "http")),
        Some(&"token") => before.is_none_or(|before| BEFORE_TOKEN.contains(&before)),
        Some(last) => SECRET.contains(last),
        None => false,
    }
}

/// Whether a text looks like a key that a service handed out, whatever it is called.
pub(crate) fn is_key(text: &str) -> bool {
    let text = text.trim_start_matches("Bearer ");
    text.len() >= KEY_CHARS_MIN
        && KEY_MARKS.iter().any(|mark| text.starts_with(mark))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The first property within `value` that holds a secret, by its name or its text.
pub(crate) fn secret_within(value: &Json) -> Option<&str> {
    match value {
        Json::Object(members) => members.iter().find_map(|(name, value)| {
            let holds = value.as_str().is_some_and(|text| is_secret(name) || is_key(text));
            if holds { Some(name.as_str()) } else { secret_within(value) }
        }),
        Json::Array(items) => items.iter().find_map(secret_within),
        _ => None,
    }
}

/// Takes the texts out of an answer that are secrets by their names, or repeat one of `known`.
pub(crate) fn redact(value: &mut Json, known: &[String]) {
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::String(text) if is_secret(name) => REDACTED.clone_into(text),
                    other => redact(other, known),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| redact(item, known)),
        Json::String(text) if is_key(text) || known.iter().any(|known| text.contains(known)) => {
            REDACTED.clone_into(text);
        }
        _ => {}
    }
}

/// An address without user and password, and without what is a secret in its query: as it may be kept and shown.
///
/// ```
/// let kept = openapi::public_address("https://me:pw@api.example.com/doc?v=2&token=abc#top");
/// assert_eq!(kept, "https://api.example.com/doc?v=2#top");
/// ```
#[must_use]
pub fn public_address(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, after)| (rest, Some(after)));
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let is_public = |pair: &&str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = |part: &str| percent_decoded(part).unwrap_or_else(|| part.to_owned());
        !is_secret(&text(name)) && !is_key(&text(value))
    };
    let kept = query.map(|query| query.split('&').filter(is_public).collect::<Vec<_>>().join("&"));
    let kept = kept.filter(|kept| !kept.is_empty()).map(|kept| format!("?{kept}")).unwrap_or_default();
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{scheme}://{host}{path}{kept}{fragment}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_told_by_whole_words() {
        for name in [
            "authorization",
            "x-api-key",
            "api-key",
            "apikey",
            "apiKey",
            "x-api-token",
            "X-Auth-Token",
            "x-auth",
            "x_token",
            "x-key",
            "token",
            "access_token",
            "ACCESS-KEY",
            "Ocp-Apim-Subscription-Key",
            "client_secret",
            "password",
            "sig",
            "X-Signature",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "keyword",
            "key",
            "sort_key",
            "public_key",
            "page_token",
            "max_tokens",
            "token_id",
            "lease_token",
            "client_token",
            "with_auth",
            "tokenizer",
            "author",
            "secretary",
            "signal",
            "x",
            "",
        ] {
            assert!(!is_secret(name), "{name}");
        }
        assert!(is_key("sk-proj-0123456789abcdef") && is_key("Bearer hf_0123456789abcdef"));
        assert!(
            !is_key("sk-short")
                && !is_key("a sentence that is long enough")
                && !is_key("sk-a b c d e f g h i j")
        );
    }

    #[test]
    fn secrets_are_taken_out() {
        let mut answer =
            json!({ "token": "t", "list": [{ "echo": "as my-secret-key" }], "n": 1, "api_key": null });
        assert_eq!(secret_within(&answer), Some("token"));
        redact(&mut answer, &["my-secret-key".into()]);
        let clean = json!({ "token": REDACTED, "list": [{ "echo": REDACTED }], "n": 1, "api_key": null });
        assert_eq!(answer, clean);
        assert_eq!(secret_within(&json!({ "n": 1, "key": "k" })), None);
    }

    #[test]
    fn addresses_are_kept_without_their_secrets() {
        for (address, kept) in [
            ("http://a.example/doc?token=K", "http://a.example/doc"),
            ("https://u:p@a.example:8443?api%5Fkey=K&v=1", "https://a.example:8443?v=1"),
            ("https://a.example/o?f=1&x=ghp_0123456789abcdef", "https://a.example/o?f=1"),
            ("https://a.example/@me/doc", "https://a.example/@me/doc"),
            ("openapi.json", "openapi.json"),
        ] {
            assert_eq!(public_address(address), kept);
        }
    }
}
