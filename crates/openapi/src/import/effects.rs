//! What a call changes, as far as method, key and name tell. No document says it, so all of this is a guess, and
//! one that errs to the side of caution: what is not safe is not sent twice.

use schema::operation::{Repeat, SideEffects};

use crate::names::snake;

/// Words of operations that buy something.
const BUYS: &[&str] =
    &["buy", "checkout", "deploy", "order", "pay", "purchase", "rent", "subscribe", "withdraw"];
/// Words of operations that create, change or delete something.
const WRITES: &[&str] = &[
    "add",
    "archive",
    "assign",
    "cancel",
    "clear",
    "commit",
    "delete",
    "deprecate",
    "disable",
    "edit",
    "enable",
    "import",
    "insert",
    "invite",
    "patch",
    "publish",
    "put",
    "register",
    "remove",
    "rename",
    "reset",
    "revoke",
    "rotate",
    "save",
    "set",
    "start",
    "stop",
    "submit",
    "unassign",
    "update",
    "upload",
];
/// Words that say the same as [`WRITES`], unless what is made is the answer: `create_embeddings` stores nothing.
const MAKES: &[&str] = &["create", "post"];
/// Words of operations that answer a question, although they are sent as a POST.
const ASKS: &[&str] = &[
    "answer",
    "answers",
    "ask",
    "calculate",
    "chat",
    "check",
    "classify",
    "completion",
    "completions",
    "compute",
    "crawl",
    "detect",
    "embed",
    "embeddings",
    "estimate",
    "evaluate",
    "find",
    "generate",
    "generations",
    "get",
    "infer",
    "list",
    "predict",
    "predictions",
    "query",
    "rerank",
    "responses",
    "search",
    "speech",
    "transcriptions",
    "translations",
    "validate",
    "verify",
];

/// What a call changes, and why that is thought, in words.
pub(crate) fn effects(method: &str, keyed: bool, name: &str, path: &str) -> (SideEffects, String) {
    let text = format!("{name}_{}", snake(path));
    let found = |words: &'static [&'static str]| {
        // The method may stand in a name that was made of it, which says nothing more.
        let mut parts = text.split('_').filter(|part| !part.eq_ignore_ascii_case(method));
        parts.find_map(|part| words.iter().copied().find(|word| *word == part))
    };
    let key = if keyed { "with" } else { "without" };
    let (effects, why) = match (method, keyed) {
        ("GET", true) => (SideEffects::Metered, format!("a GET {key} a key")),
        ("GET", false) => (SideEffects::None, format!("a GET {key} a key")),
        ("PUT" | "PATCH" | "DELETE", _) => (SideEffects::Writes, format!("a {method}")),
        _ => {
            let (buys, writes, makes, asks) = (found(BUYS), found(WRITES), found(MAKES), found(ASKS));
            let said = |word: &str| format!("a {method} {key} a key, and its name or path says `{word}`");
            match (buys, writes.or(makes.filter(|_| asks.is_none())), asks) {
                (Some(word), _, _) => (SideEffects::SpendsMoney, said(word)),
                (None, Some(word), _) => (SideEffects::Writes, said(word)),
                (None, None, asks) if keyed => {
                    (SideEffects::Metered, asks.map_or_else(|| format!("a {method} {key} a key"), said))
                }
                (None, None, Some(word)) => (SideEffects::None, said(word)),
                (None, None, None) => (SideEffects::Writes, format!("a {method} {key} a key")),
            }
        }
    };
    let name = match effects {
        SideEffects::None => "none",
        SideEffects::Metered => "metered",
        SideEffects::SpendsMoney => "spends_money",
        SideEffects::Writes => "writes",
    };
    (effects, format!("{name}: {why}"))
}

/// Whether a call may be sent again: by its effects, and by what HTTP promises of its method.
pub(crate) fn repeat(method: &str, keyed: bool, effects: SideEffects) -> Repeat {
    let harmless = matches!(effects, SideEffects::None | SideEffects::Metered);
    Repeat {
        safe: harmless || matches!(method, "PUT" | "DELETE"),
        costs_again: effects == SideEffects::SpendsMoney || (keyed && effects != SideEffects::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_follow_method_key_and_name() {
        for (method, keyed, name, path, expected) in [
            ("GET", false, "list", "/list", SideEffects::None),
            ("GET", true, "list", "/list", SideEffects::Metered),
            ("POST", true, "chat", "/chat", SideEffects::Metered),
            ("POST", true, "chat", "/chat/delete", SideEffects::Writes),
            ("POST", true, "rent_pod", "/pods", SideEffects::SpendsMoney),
            ("POST", false, "search", "/search", SideEffects::None),
            ("POST", false, "thing", "/thing", SideEffects::Writes),
            // What is created is the answer.
            ("POST", true, "create_embeddings", "/embeddings", SideEffects::Metered),
            ("POST", true, "create_key", "/keys", SideEffects::Writes),
            // A name that was made of the method and the path.
            ("POST", true, "post_hits", "/hits", SideEffects::Metered),
            ("DELETE", false, "search", "/search", SideEffects::Writes),
        ] {
            assert_eq!(effects(method, keyed, name, path).0, expected, "{method} {path}");
        }
    }

    #[test]
    fn what_writes_is_sent_again_only_where_http_allows_it() {
        let safe = |method| repeat(method, true, SideEffects::Writes).safe;
        assert_eq!(["POST", "PUT", "PATCH", "DELETE"].map(safe), [false, true, false, true]);
        assert_eq!(repeat("GET", true, SideEffects::Metered), Repeat { safe: true, costs_again: true });
        assert_eq!(repeat("GET", false, SideEffects::None), Repeat { safe: true, costs_again: false });
    }
}
