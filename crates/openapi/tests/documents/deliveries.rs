//! Pages and streams that are guessed, and those that are not.

use openapi::{Document, Entry, NoteKind, Origin};
use schema::delivery::{Delivery, NextPage};
use schema::stream::Gather;
use serde_json::{Value as Json, json};

fn entry(path: &str, operation: &Json, method: &str) -> Entry {
    let document = json!({ "openapi": "3.1.0", "servers": [{ "url": "https://a.example" }], "paths": { path: { method: operation } } });
    let document = Document::read(document.to_string().as_bytes()).unwrap();
    let origin = Origin { netuid: 7, ..Origin::default() };
    document.import(&origin).unwrap().operations.remove(0).entry.unwrap()
}

/// An answer with `properties`, all of them required.
fn answer(properties: &Json) -> Json {
    let names: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

fn listed(parameters: &[(&str, Json)], output: &Json) -> Entry {
    let parameters: Vec<Json> = parameters
        .iter()
        .map(|(name, schema)| json!({ "name": name, "in": "query", "schema": schema }))
        .collect();
    let operation = json!({ "parameters": parameters, "responses": { "200": { "description": "",
        "content": { "application/json": { "schema": output } } } } });
    entry("/items", &operation, "get")
}

fn int() -> Json {
    json!({ "type": "integer" })
}

fn text() -> Json {
    json!({ "type": "string" })
}

fn list() -> Json {
    json!({ "type": "array", "items": { "type": "string" } })
}

#[test]
fn pages_are_guessed_where_parameters_and_answer_say_one_thing() {
    let rows = answer(&json!({ "rows": list(), "total": int() }));
    let first = json!({ "type": "integer", "default": 1 });
    let nested = answer(&json!({ "rows": list(), "metadata": answer(&json!({ "nextCursor": text() })) }));
    let cursor = |from: &str| NextPage::Cursor { parameter: "cursor".into(), from: from.into() };
    let top = answer(&json!({ "rows": list(), "next_cursor": text() }));
    for (parameters, output, items, next) in [
        (
            vec![("offset", int()), ("limit", int())],
            &rows,
            "/rows",
            NextPage::Offset { parameter: "offset".into() },
        ),
        (
            vec![("offset", int()), ("limit", int())],
            &list(),
            "",
            NextPage::Offset { parameter: "offset".into() },
        ),
        (
            vec![("skip", json!({ "type": ["integer", "null"] })), ("limit", int())],
            &rows,
            "/rows",
            NextPage::Offset { parameter: "skip".into() },
        ),
        (
            vec![("page", first.clone()), ("per_page", int())],
            &rows,
            "/rows",
            NextPage::Number { parameter: "page".into(), first: 1 },
        ),
        (vec![("cursor", text())], &top, "/rows", cursor("/next_cursor")),
        (vec![("cursor", text()), ("limit", int())], &nested, "/rows", cursor("/metadata/nextCursor")),
    ] {
        let entry = listed(&parameters, output);
        let Some(Delivery::Pages(pages)) = &entry.descriptor.delivery else {
            panic!("{parameters:?}: {entry:?}")
        };
        assert_eq!((pages.items.as_str(), &pages.next), (items, &next), "{parameters:?}");
        assert!(entry.notes.iter().any(|note| note.field == "delivery" && note.kind == NoteKind::Guessed));
    }
}

#[test]
fn what_could_be_something_else_is_no_page() {
    let rows = answer(&json!({ "rows": list(), "total": int() }));
    let paged = || vec![("offset", int()), ("limit", int())];
    let with = |name: &'static str, schema: Json| [paged(), vec![(name, schema)]].concat();
    let optional = json!({ "type": "object", "properties": { "rows": list() } });
    let capped = json!({ "type": "array", "items": text(), "maxItems": 10 });
    for (why, parameters, output) in [
        ("no size", vec![("offset", int())], rows.clone()),
        ("two ways", with("page", int()), rows.clone()),
        ("a way of another name beside", with("after", text()), rows.clone()),
        ("an offset that is no number", vec![("offset", text()), ("limit", int())], rows.clone()),
        ("a first page that nobody knows", vec![("page", int()), ("limit", int())], rows.clone()),
        ("two lists", paged(), answer(&json!({ "rows": list(), "errors": list() }))),
        ("a list that may be absent", paged(), optional),
        ("a list of limited length", paged(), answer(&json!({ "rows": capped }))),
        ("no list", paged(), answer(&json!({ "total": int() }))),
        ("no token in the answer", vec![("cursor", text())], rows.clone()),
        (
            "two tokens in the answer",
            vec![("cursor", text())],
            answer(
                &json!({ "rows": list(), "next_cursor": text(), "meta": answer(&json!({ "next_cursor": text() })) }),
            ),
        ),
    ] {
        assert_eq!(listed(&parameters, &output).descriptor.delivery, None, "{why}");
    }
}

/// A chat at `path` that answers `output`; as events besides, if it says so.
fn chat(path: &str, output: &Json, streams: bool) -> Entry {
    let json = json!({ "schema": output });
    let content = match streams {
        true => json!({ "application/json": json, "text/event-stream": { "schema": text() } }),
        false => json!({ "application/json": json }),
    };
    let body =
        json!({ "type": "object", "properties": { "model": text(), "stream": { "type": "boolean" } } });
    let operation = json!({ "requestBody": { "content": { "application/json": { "schema": body } } },
        "responses": { "200": { "description": "", "content": content } } });
    entry(path, &operation, "post")
}

#[test]
fn chats_of_known_forms_are_streamed_where_the_document_has_events() {
    let completion = answer(&json!({ "id": text(), "model": text(), "choices": list() }));
    let message = answer(&json!({ "role": text(), "content": list(), "stop_reason": text() }));
    for (path, output, gather, end) in [
        ("/v1/chat/completions", &completion, Gather::Completion, Some("[DONE]")),
        ("/v1/messages", &message, Gather::Message, None),
    ] {
        let entry = chat(path, output, true);
        let Some(Delivery::Stream(stream)) = &entry.descriptor.delivery else { panic!("{path}: {entry:?}") };
        assert_eq!((&stream.gather, stream.end.as_deref()), (&gather, end));
        assert_eq!(stream.ask.get("stream"), Some(&json!(true)));
        assert_eq!(chat(path, output, false).descriptor.delivery, None, "the document has no events");
    }
    // Documents describe events of operations that have none, and events of forms that nobody else has.
    assert_eq!(
        chat("/v1/embeddings", &answer(&json!({ "data": list(), "model": text() })), true)
            .descriptor
            .delivery,
        None
    );
    assert_eq!(chat("/v1/chat/completions", &message, true).descriptor.delivery, None);
    assert_eq!(chat("/v1/responses", &message, true).descriptor.delivery, None);
}
