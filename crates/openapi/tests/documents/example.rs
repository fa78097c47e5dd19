//! Operations from examples of calls.

use openapi::{ExampleCall, Origin};
use schema::json_schema::OperationTypes;
use schema::operation::{Auth, Transport};
use serde_json::json;

fn origin() -> Origin {
    Origin { netuid: 7, reference: "search.json".into(), ..Origin::default() }
}

const SEARCH: &str = r#"{
    "name": "web search", "summary": "Searches.", "method": "post",
    "url": "https://api.example.com/v1/{index}/search?limit=3&q=a%20b&api_key=real",
    "path": { "index": "news" },
    "headers": { "Content-Type": "application/json" },
    "request": { "filter": { "lang": "en" } },
    "answer": { "hits": [{ "title": "a", "score": 1 }, { "title": "b", "score": 0.5, "note": null }] },
    "answer_complete": true
}"#;

#[test]
fn an_example_is_an_operation() {
    let call = ExampleCall::from_json(SEARCH.as_bytes()).unwrap();
    let entry = call.entry(&origin()).unwrap();
    let facts = &entry.descriptor;
    assert_eq!(facts.id, "sn7.web_search");
    assert_eq!(facts.auth, Auth::Query { name: "api_key".into() });
    assert!(!serde_json::to_string(facts).unwrap().contains("real"));
    let types = OperationTypes::of(facts).unwrap();
    let records = types.defs.iter().filter_map(|(id, _)| types.defs.record(id));
    let shown = records.map(|record| {
        let fields =
            record.fields.iter().map(|field| format!("{}: {}", field.name, types.defs.show(&field.ty)));
        format!("{} {{ {} }}", record.name, fields.collect::<Vec<_>>().join(", "))
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            "WebSearchOutput { hits: [WebSearchOutputHitsItem] }",
            "WebSearchOutputHitsItem { title: String, score: Float, note: Json }",
            "WebSearchInput { index: String, limit: Int, q: String, filter: WebSearchInputFilter }",
            "WebSearchInputFilter { lang: String }",
        ]
    );
    assert_eq!(
        facts.example.as_ref().unwrap().input,
        json!({ "index": "news", "limit": 3, "q": "a b", "filter": { "lang": "en" } })
    );
    let notes: Vec<String> =
        entry.notes.iter().map(|note| format!("{} {}", note.kind.name(), note.field)).collect();
    assert_eq!(notes, ["guessed auth", "guessed side_effects", "guessed input", "guessed output"]);
    assert_eq!(call.entry(&origin()), Ok(entry));
}

#[test]
fn a_curl_line_is_an_example() {
    let mut call = ExampleCall::from_curl(
        "curl -s -X POST https://api.example.com/v1/chat/completions \\\n  -H \"Authorization: Bearer $KEY\" \\\n  -H 'Content-Type: application/json' --data '{\"model\": \"m\"}'",
    )
    .unwrap();
    call.answer = Some(json!({ "text": "hi" }));
    let entry = call.entry(&origin()).unwrap().descriptor;
    assert_eq!((entry.id.as_str(), entry.output_complete), ("sn7.completions", false));
    assert_eq!(entry.auth, Auth::Header { name: "Authorization".into(), format: "Bearer <key>".into() });
    let Transport::Http(http) = entry.transport else { unreachable!() };
    assert_eq!(
        (http.base_url.as_str(), http.path.as_str()),
        ("https://api.example.com", "/v1/chat/completions")
    );
    let query =
        ExampleCall::from_curl("curl -G https://a.example/find -d q=tao").unwrap().entry(&origin()).unwrap();
    assert_eq!(query.descriptor.input["properties"]["q"]["type"], "string");
}

#[test]
fn an_example_that_lacks_something_is_refused() {
    let refused = |json: &str| {
        let error =
            ExampleCall::from_json(json.as_bytes()).and_then(|call| call.entry(&origin())).unwrap_err();
        (error.code, error.at)
    };
    for (text, code, at) in [
        ("{", "E1260", "line 1, column 1"),
        (r#"{ "url": "api.example.com" }"#, "E1260", "url"),
        (r#"{ "url": "https://u:p@a.example/x" }"#, "E1260", "url"),
        (r#"{ "url": "https://a.example/x/{id}" }"#, "E1260", "url"),
        (r#"{ "url": "https://a.example/x", "method": "HEAD" }"#, "E1260", "method"),
        (r#"{ "url": "https://a.example/x", "method": "GET", "request": {} }"#, "E1260", "request"),
        (r#"{ "url": "https://a.example/x", "request": [1] }"#, "E1260", "request"),
        (r#"{ "url": "https://a.example/x", "headers": { "X-Tenant": "a" } }"#, "E1260", "headers"),
        (r#"{ "url": "https://a.example/1" }"#, "E1260", "name"),
        (r#"{ "url": "https://a.example/x?a=1", "request": { "a": 1 } }"#, "E1255", "request"),
    ] {
        assert_eq!(refused(text), (code, at.to_owned()), "{text}");
    }
}

#[test]
fn a_key_of_an_example_lands_nowhere() {
    let entry = |line: &str, answer: serde_json::Value| {
        let mut call = ExampleCall::from_curl(line)?;
        call.answer = Some(answer);
        call.entry(&origin())
    };
    let kept = entry(
        "curl 'https://a.example/find?token=real-key-1&q=tao' -H 'User-Agent: x'",
        json!({ "q": "tao", "echo": "?token=real-key-1", "session": { "refresh_token": "other" } }),
    )
    .unwrap();
    assert_eq!(kept.descriptor.auth, Auth::Query { name: "token".into() });
    let text = format!("{:?}", kept);
    assert!(!text.contains("real-key-1") && !text.contains("other"), "{text}");
    assert_eq!(kept.descriptor.input["required"], json!(["q"]));
    // By its look.
    let header = entry("curl https://a.example/find -H 'X-Thing: sk-0123456789abcdef'", json!(1)).unwrap();
    assert_eq!(header.descriptor.auth, Auth::Header { name: "X-Thing".into(), format: "<key>".into() });
    for line in [
        "curl 'https://a.example/find?token=real-key-1&sig=real-key-1'",
        "curl https://a.example/find?token=real-key-1 -H 'X-Api-Key: real-key-1'",
        "curl https://a.example/find -d '{\"apiKey\": \"real-key-1\"}'",
        "curl https://a.example/find -d '{\"a\": [{\"b\": \"sk-real-key-1-0123456789\"}]}'",
        "curl https://a.example/find -ume:real-key-1",
    ] {
        let error = entry(line, json!(1)).unwrap_err();
        assert_eq!(error.code, "E1260", "{line}");
        assert!(!error.to_string().contains("real-key-1"), "{error}");
    }
}

#[test]
fn what_a_browser_says_of_itself_is_left_out() {
    let call = ExampleCall::from_curl(
        "curl 'https://a.example/find?q=tao' \\\n  -H 'accept: */*' \\\n  -H 'accept-language: en-GB' \\\n  -b 'session=abc' \\\n  -H 'sec-ch-ua: \"x\"' \\\n  -H 'authorization: Bearer real' --compressed",
    )
    .unwrap();
    let entry = call.entry(&origin()).unwrap();
    assert_eq!(
        entry.descriptor.auth,
        Auth::Header { name: "authorization".into(), format: "Bearer <key>".into() }
    );
    let note = entry.notes.iter().find(|note| note.field == "headers").unwrap();
    assert_eq!(
        (note.kind.name(), note.text.as_str()),
        ("left_out", "`Cookie`, `accept-language`, `sec-ch-ua`, which a call does not send")
    );
}
