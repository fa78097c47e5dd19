//! What a call changes, as far as method, key and words tell. No document says it, so all of this is a guess, and one
//! that errs to the side of caution: a call that may move money or change something is not sent twice.

use schema::operation::{Repeat, SideEffects};

use crate::names::snake;

/// Words of operations that buy something.
const BUYS: &[&str] = &[
    "bid",
    "buy",
    "charge",
    "checkout",
    "deploy",
    "deposit",
    "donate",
    "lease",
    "order",
    "pay",
    "purchase",
    "redeem",
    "refund",
    "rent",
    "reserve",
    "sell",
    "stake",
    "subscribe",
    "swap",
    "topup",
    "train",
    "transfer",
    "unstake",
    "upgrade",
    "withdraw",
];
/// Words of operations that create, change or delete something, or do something in the world.
const WRITES: &[&str] = &[
    "accept",
    "activate",
    "add",
    "allocate",
    "approve",
    "archive",
    "assign",
    "ban",
    "cancel",
    "claim",
    "clear",
    "close",
    "commit",
    "deactivate",
    "delete",
    "deprecate",
    "deregister",
    "destroy",
    "disable",
    "drop",
    "edit",
    "enable",
    "enqueue",
    "execute",
    "finetune",
    "import",
    "insert",
    "invite",
    "kill",
    "launch",
    "login",
    "logout",
    "move",
    "notify",
    "patch",
    "pause",
    "provision",
    "publish",
    "purge",
    "push",
    "put",
    "reboot",
    "register",
    "reject",
    "remove",
    "rename",
    "renew",
    "replace",
    "reset",
    "restart",
    "resume",
    "revoke",
    "rollback",
    "rotate",
    "save",
    "send",
    "set",
    "shutdown",
    "sign",
    "signup",
    "spawn",
    "start",
    "stop",
    "submit",
    "suspend",
    "terminate",
    "trigger",
    "unassign",
    "unregister",
    "unsubscribe",
    "update",
    "upload",
    "upsert",
    "vote",
    "write",
];
/// Pairs of words that are one.
const PAIRS: [(&str, &str); 5] = [
    ("check_out", "checkout"),
    ("fine_tune", "finetune"),
    ("log_in", "login"),
    ("sign_up", "signup"),
    ("top_up", "topup"),
];
/// Words that say the same as [`WRITES`], unless what is made is the answer: `create_embeddings` stores nothing.
const MAKES: &[&str] = &["create", "make", "new"];
/// Words of operations whose answer is what they make.
const GENERATES: &[&str] = &[
    "chat",
    "completion",
    "completions",
    "embed",
    "embedding",
    "embeddings",
    "generate",
    "generation",
    "generations",
    "infer",
    "inference",
    "predict",
    "prediction",
    "predictions",
    "rerank",
    "responses",
    "speech",
    "summarize",
    "transcribe",
    "transcription",
    "transcriptions",
    "translate",
    "translation",
    "translations",
];
/// Words of operations that answer a question, although they are sent as a POST.
const ASKS: &[&str] = &[
    "answer",
    "answers",
    "ask",
    "calculate",
    "check",
    "classify",
    "compute",
    "crawl",
    "detect",
    "estimate",
    "evaluate",
    "find",
    "get",
    "list",
    "lookup",
    "query",
    "scrape",
    "search",
    "tokenize",
    "validate",
    "verify",
];

/// What an operation is known by.
pub(crate) struct Known<'a> {
    pub(crate) method: &'a str,
    /// Whether it takes a key.
    pub(crate) keyed: bool,
    pub(crate) name: &'a str,
    pub(crate) path: &'a str,
    pub(crate) summary: &'a str,
}

impl Known<'_> {
    /// The words of name and path. What stands in for a value in the path is no word of the operation, and the method
    /// may stand in a name that was made of it, which says nothing more.
    fn words(&self) -> Vec<String> {
        let fixed = self.path.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        let text = format!("{}_{}", snake(self.name), snake(&fixed.collect::<Vec<_>>().join("/")));
        let text = PAIRS.iter().fold(text, |text, (apart, one)| text.replace(apart, one));
        let words =
            text.split('_').filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case(self.method));
        words.map(str::to_owned).collect()
    }

    /// The verbs of the summary: its first word, and those behind an `and`. They only ever speak against an
    /// operation: "Check out the cart" asks nothing.
    fn verbs(&self) -> Vec<String> {
        let mut verbs = Vec::new();
        let mut is_verb = true;
        for word in self.summary.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            let word = word.to_lowercase();
            if is_verb {
                // "Buys", "launches" and "buy" are one verb.
                for ending in ["", "s", "es"] {
                    verbs.extend(word.strip_suffix(ending).map(str::to_owned));
                }
            }
            is_verb = matches!(word.as_str(), "and" | "or" | "then");
        }
        verbs
    }
}

/// What a call changes, and why that is thought, in words.
pub(crate) fn effects(known: &Known<'_>) -> (SideEffects, String) {
    let (words, verbs) = (known.words(), known.verbs());
    let among = |said: &[String], list: &'static [&'static str]| {
        said.iter().find_map(|said| list.iter().copied().find(|word| word == said))
    };
    let found = |list| among(&words, list);
    let against = |list| found(list).or_else(|| among(&verbs, list));
    let call = format!("a {} {} a key", known.method, if known.keyed { "with" } else { "without" });
    let because = |word: Option<&str>| match word {
        Some(word) => {
            let place = if words.iter().any(|own| own == word) { "name or path" } else { "summary" };
            format!("{call}, and its {place} says `{word}`")
        }
        None => call.clone(),
    };
    let (buys, writes, makes) = (against(BUYS), against(WRITES), against(MAKES));
    let (generates, asks) = (found(GENERATES), found(ASKS));
    let harmless = if known.keyed { SideEffects::Metered } else { SideEffects::None };
    let (effects, why) = match known.method {
        // To delete an order is to buy nothing.
        "DELETE" => (SideEffects::Writes, "a DELETE".to_owned()),
        method @ ("PUT" | "PATCH") => match buys {
            Some(_) => (SideEffects::SpendsMoney, because(buys)),
            None => (SideEffects::Writes, format!("a {method}")),
        },
        _ if buys.is_some() => (SideEffects::SpendsMoney, because(buys)),
        _ if writes.is_some() => (SideEffects::Writes, because(writes)),
        _ if makes.is_some() && generates.is_none() => (SideEffects::Writes, because(makes)),
        "GET" => (harmless, because(None)),
        _ => match generates.or(asks) {
            Some(word) => (harmless, because(Some(word))),
            None => (SideEffects::Writes, format!("{call}, and nothing says that it only reads")),
        },
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
    let safe = match effects {
        SideEffects::None | SideEffects::Metered => true,
        SideEffects::Writes => matches!(method, "PUT" | "DELETE"),
        SideEffects::SpendsMoney => false,
    };
    Repeat {
        safe,
        costs_again: effects == SideEffects::SpendsMoney || (keyed && effects != SideEffects::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(method: &str, keyed: bool, name: &str, path: &str, summary: &str) -> SideEffects {
        effects(&Known { method, keyed, name, path, summary }).0
    }

    #[test]
    fn effects_follow_method_key_and_words() {
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
            ("POST", true, "get_or_create_key", "/keys", SideEffects::Writes),
            // A name that was made of the method and the path.
            ("POST", true, "post_hits_search", "/hits/search", SideEffects::Metered),
            ("DELETE", false, "search", "/search", SideEffects::Writes),
            ("DELETE", true, "order", "/order/{id}", SideEffects::Writes),
            ("PUT", true, "extend_lease", "/pods", SideEffects::SpendsMoney),
        ] {
            assert_eq!(guessed(method, keyed, name, path, ""), expected, "{method} {path}");
        }
    }

    #[test]
    fn what_may_move_money_is_never_thought_to_be_harmless() {
        for (method, name, path, summary) in [
            ("POST", "transferFunds", "/funds", ""),
            ("POST", "sendEmail", "/email", ""),
            ("POST", "podLaunch", "/pod", ""),
            ("POST", "runTraining", "/training", ""),
            ("POST", "hits", "/hits", ""),
            ("GET", "buyCredits", "/credits", ""),
            ("GET", "cancelOrder", "/x", ""),
            ("GET", "deleteAll", "/x", ""),
            ("GET", "get_api_lease_new", "/api/lease/new", "Request a new worker lease"),
            ("GET", "worker", "/worker", "Launches a worker."),
            ("GET", "cart", "/cart", "Validates and buys what is in the cart."),
            ("POST", "cart", "/cart", "Check out the cart."),
            ("POST", "checkOut", "/cart/find", ""),
        ] {
            let effects = guessed(method, true, name, path, summary);
            assert!(
                matches!(effects, SideEffects::Writes | SideEffects::SpendsMoney),
                "{method} {name}: {effects:?}"
            );
            assert!(!repeat(method, true, effects).safe, "{method} {name}");
        }
        // A value of the path is no word of the operation, and words count as a whole.
        assert_eq!(guessed("GET", true, "hits", "/hits/{order}", ""), SideEffects::Metered);
        assert_eq!(guessed("GET", true, "ordering", "/settings/post", "Payments."), SideEffects::Metered);
    }

    #[test]
    fn what_writes_is_sent_again_only_where_http_allows_it() {
        let safe = |method| repeat(method, true, SideEffects::Writes).safe;
        assert_eq!(["GET", "POST", "PUT", "PATCH", "DELETE"].map(safe), [false, false, true, false, true]);
        assert!(!repeat("PUT", true, SideEffects::SpendsMoney).safe);
        assert_eq!(repeat("GET", true, SideEffects::Metered), Repeat { safe: true, costs_again: true });
        assert_eq!(repeat("GET", false, SideEffects::None), Repeat { safe: true, costs_again: false });
    }
}
