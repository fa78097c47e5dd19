//! What is refused, with its code and place.

use openapi::{Document, Error};
use serde_json::{Value, json};

/// The first refusal of a document with one operation.
fn refusal(document: &Value) -> Option<Error> {
    let document = match Document::read(document.to_string().as_bytes()) {
        Ok(document) => document,
        Err(error) => return Some(error),
    };
    match document.operations() {
        Ok(operations) => operations.iter().find_map(|operation| {
            document.request(operation).err().or_else(|| document.answer(operation).err())
        }),
        Err(error) => Some(error),
    }
}

fn with(path: &str, operation: Value) -> Value {
    json!({ "openapi": "3.1.0", "paths": { path: { "post": operation } }, "components": {
        "schemas": { "A": { "type": "object", "properties": { "id": { "type": "string" } } } },
        "parameters": { "Loop": { "$ref": "#/components/parameters/Loop" } },
    } })
}

#[test]
fn each_refusal_has_its_code_and_place() {
    let ok = json!({ "200": { "description": "" } });
    let body = |media: &str, schema: Value| json!({ "content": { media: { "schema": schema } } });
    let post = "#/paths/~1x/post";
    for (operation, code, at) in [
        (json!({ "responses": ok }), None, String::new()),
        (json!({}), Some("E1254"), post.to_owned()),
        (json!({ "responses": [] }), Some("E1254"), format!("{post}/responses")),
        (json!({ "responses": ok, "parameters": {} }), Some("E1254"), format!("{post}/parameters")),
        (
            json!({ "responses": ok, "parameters": [{ "in": "query" }] }),
            Some("E1254"),
            format!("{post}/parameters/0"),
        ),
        (
            json!({ "responses": ok, "parameters": [
                { "name": " ", "in": "query", "required": true, "schema": {} }] }),
            Some("E1254"),
            format!("{post}/parameters/0/name"),
        ),
        (
            json!({ "responses": ok, "parameters": [
                { "name": "a b", "in": "header", "required": true, "schema": {} }] }),
            Some("E1254"),
            format!("{post}/parameters/0/name"),
        ),
        (
            json!({ "responses": ok, "requestBody": body("application/x-www-form-urlencoded", json!({ "properties": { "": {} } })) }),
            Some("E1256"),
            format!("{post}/requestBody/content/application~1x-www-form-urlencoded/schema/properties/"),
        ),
        (
            json!({ "responses": ok, "parameters": [{ "name": "a" }] }),
            Some("E1254"),
            format!("{post}/parameters/0"),
        ),
        (
            json!({ "responses": ok, "parameters": [{ "name": "a", "in": "body" }] }),
            Some("E1254"),
            format!("{post}/parameters/0"),
        ),
        (
            json!({ "responses": ok, "parameters": [{ "name": "a", "in": "query" }] }),
            Some("E1254"),
            format!("{post}/parameters/0"),
        ),
        (
            json!({ "responses": ok, "parameters": [
                { "name": "a", "in": "query", "schema": {} }, { "name": "a", "in": "query", "schema": {} }] }),
            Some("E1254"),
            format!("{post}/parameters/1"),
        ),
        (
            json!({ "responses": ok, "parameters": [
                { "name": "a", "in": "query", "schema": {} }, { "name": "a", "in": "header", "schema": {} }] }),
            Some("E1255"),
            format!("{post}/parameters/1/schema"),
        ),
        (
            json!({ "responses": ok, "parameters": [{ "name": "id", "in": "query", "schema": {} }],
                "requestBody": body("application/x-www-form-urlencoded", json!({ "$ref": "#/components/schemas/A" })) }),
            Some("E1255"),
            "#/components/schemas/A/properties/id".into(),
        ),
        (
            json!({ "responses": ok, "parameters": [{ "$ref": "#/components/parameters/None" }] }),
            Some("E1253"),
            format!("{post}/parameters/0"),
        ),
        (
            json!({ "responses": ok, "parameters": [{ "$ref": "#/components/parameters/Loop" }] }),
            Some("E1253"),
            "#/components/parameters/Loop".into(),
        ),
        (
            json!({ "responses": ok, "requestBody": body("application/json", json!({ "items": { "$ref": "other.yaml#/A" } })) }),
            Some("E1253"),
            format!("{post}/requestBody/content/application~1json/schema/items"),
        ),
        (json!({ "responses": ok, "requestBody": {} }), Some("E1254"), format!("{post}/requestBody")),
        (
            json!({ "responses": ok, "requestBody": body("text/event-stream", json!({})) }),
            Some("E1256"),
            format!("{post}/requestBody/content/text~1event-stream"),
        ),
        (
            json!({ "responses": { "200": body("text/event-stream", json!({})) } }),
            Some("E1256"),
            format!("{post}/responses/200/content/text~1event-stream"),
        ),
        (
            json!({ "responses": { "200": body("application/json", json!({})), "202": body("text/plain", json!({})) } }),
            Some("E1256"),
            format!("{post}/responses"),
        ),
    ] {
        let found = refusal(&with("/x", operation.clone()));
        assert_eq!(found.as_ref().map(|error| error.code), code, "{operation} {found:?}");
        if let Some(error) = found {
            assert_eq!(error.at, at, "{operation} {error}");
        }
    }
}

#[test]
fn what_is_no_description_of_an_api_is_named_as_such() {
    for (document, code) in [
        (json!({}), "E1252"),
        (json!({ "openapi": "4.0.0" }), "E1252"),
        (json!({ "swagger": "1.2" }), "E1252"),
        (json!({ "openapi": "3.0.0" }), "E1254"),
        (json!({ "openapi": "3.1.0", "paths": [] }), "E1254"),
        (json!({ "openapi": "3.1.0", "paths": { "/a": 1 } }), "E1254"),
        (json!({ "openapi": "3.1.0", "paths": { "/a": { "get": 1 } } }), "E1254"),
        (json!({ "openapi": "3.1.0", "paths": { "/a": { "$ref": "items.yaml" } } }), "E1253"),
        (with("x", json!({ "responses": { "200": {} } })), "E1254"),
    ] {
        assert_eq!(refusal(&document).map(|error| error.code), Some(code), "{document}");
    }
    assert!(refusal(&json!({ "openapi": "3.1.0", "webhooks": {} })).is_none());
    let texts: [(&[u8], &str); 7] = [
        (b"[1]", "E1252"),
        (b"", "E1250"),
        (b"\xff\xfe", "E1250"),
        (b"{\"a\": 1, \"a\": 2}", "E1250"),
        (b"{\"a\": 1", "E1250"),
        (b"a: [", "E1250"),
        (b"\x1f\x8b\x00", "E1250"),
    ];
    for (text, code) in texts {
        assert_eq!(Document::read(text).unwrap_err().code, code, "{text:?}");
    }
    assert_eq!(Document::read(b"{\n  \"a\": 1,\n  \"a\": 2\n}").unwrap_err().at, "line 3, column 5");
}
