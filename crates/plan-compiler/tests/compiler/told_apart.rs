//! What a message is about can be told apart: two types that have one name, and types of which a part is unknown.

use crate::common::{compiled, shown};

/// The messages of errors, in the order of the text.
fn messages(text: &str) -> Vec<String> {
    let found = compiled(text).diagnostics;
    found.into_iter().filter(|found| found.is_error()).map(|found| found.message).collect()
}

/// Types whose names are cut, because they are long.
#[test]
fn long_types_of_one_name_show_where_they_differ() {
    let long = "[{String: [Result<Url, String(1..40)>](1..100)}](1..1000)";
    let function = |body: &str| {
        format!("fn f(a: [{long}], b: [{}], c: [Int]) -> Bool =\n  {body}\n", long.replace("Url", "Time"))
    };
    let side = |of: &str| format!("Pair<..> {{ left: {}, .. }}", long.replace("Url", of));
    let (urls, times) = (side("Url"), side("Time"));
    for (body, message) in [
        ("a.zip(c) == b.zip(c)", format!("`==` does not apply to `[{urls}]` and `[{times}]`")),
        (
            "[a.zip(c), b.zip(c)].len() > 1",
            format!("an element of this list must be `[{urls}]`, not `[{times}]`"),
        ),
        (
            "a.zip(c).contains(b.zip(c)[0])",
            format!("the argument of `contains` must be `{urls}`, not `{times}`"),
        ),
    ] {
        let text = function(body);
        assert_eq!(messages(&text), [message], "{}", shown(&text));
        // The labels say the same as the message.
        let labels = compiled(&text).diagnostics.remove(0).labels;
        assert!(labels.iter().any(|label| label.text.contains(&times)), "{labels:?}");
    }
    // Ranges count as well, and what may be `null`.
    for (other, message) in [
        (
            long.replace("(1..40)", "(1..50)"),
            "must be `Pair<..> { left: [{String: [Result<Url, String(1..40)>]",
        ),
        (long.replace("Url,", "Url?,"), "may be `null`"),
    ] {
        let text = format!(
            "fn g(a: Pair<{long}, Int>) -> Int = a.right\nfn f(a: [{other}], c: [Int]) -> Int =\n  g(a: a.zip(c)[0])\n"
        );
        let found = messages(&text);
        assert!(found.len() == 1 && found[0].contains(message), "{found:?}");
    }
}

#[test]
fn a_record_of_the_library_is_made_without_its_types() {
    let text = "fn f(x: Pair<Int, Url>) -> Pair<Int, String> = x\n";
    let help = compiled(text).diagnostics.remove(0).help.unwrap();
    assert_eq!(help, "make one of its fields: `Pair { left: x.left, .. }`");
    let made = text.replace("= x", "= Pair { left: x.left, right: \"{x.right}\" }");
    assert_eq!(messages(&made), [""; 0]);
}

#[test]
fn types_of_two_operations_say_whose_they_are() {
    let text = "use sn28 { chat_completions as one }\nuse sn64 { chat_completions as other }\n\
        policy chat = { max_price: 0.01USD }\n\
        plan p() -> Int with { budget: 1USD, deadline: 10m } {\n  \
        let a = call one(messages: [{ role: \"user\", content: \"?\" }], model: \"m\") with chat\n  \
        let b = call other(messages: [{ role: \"user\", content: \"?\" }], model: \"m\") with chat\n  \
        [a, b].len()\n}";
    assert_eq!(
        messages(text),
        ["an element of this list must be `ChatCompletionsOutput of sn28.chat_completions`, \
          not `ChatCompletionsOutput of sn64.chat_completions`"],
        "{}",
        shown(text)
    );
}

/// `?` would say that it has `null`.
#[test]
fn what_is_unknown_of_a_type_is_no_question_mark() {
    for (body, message) in [
        ("[] + 1", "`+` does not apply to `[_]` and `Int`"),
        ("null + 1", "`+` does not apply to `null` and `Int`"),
        ("-null", "`-` does not apply to `null`"),
        ("[null] + 1", "`+` does not apply to `[null]` and `Int`"),
        ("Ok(1) + 1", "`+` does not apply to `Result<Int, _>` and `Int`"),
        ("[1].zip([]) + 1", "`+` does not apply to `[Pair<Int(1..1), _>]` and `Int`"),
        ("[].foo()", "`[_](..0)` has no method `foo`"),
    ] {
        assert_eq!(messages(&format!("fn f() -> Int = {body}\n")), [message], "{body}");
    }
}

#[test]
fn a_fallback_that_is_no_vote_is_told_how_to_be_one() {
    let text = "use cap { generate }\npolicy ask = { max_price: 0.01USD }\n\
        plan p(q: String(1..9)) -> Int with { budget: 1USD, deadline: 10m } {\n  \
        let v = call generate(prompt: q) as Int with ask {\n    quorum: { of: 3, need: 2 },\n    \
        fallback: call generate(prompt: q) as Int with ask,\n  }\n  v.agreed\n}";
    let found = compiled(text).diagnostics;
    assert_eq!(found[0].message, "the answer of `fallback` must be `Voted<Int>`, not `Int`");
    assert!(found[0].help.as_ref().is_some_and(|help| help.contains("give the fallback a `quorum` too")));
}
