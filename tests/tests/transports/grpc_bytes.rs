//! gRPC answers byte by byte, from a server that says what it is told: fields that are absent, and messages that break off.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::*;

const PROTO: &str = r#"syntax = "proto3"; package peer.v1;
    import "google/protobuf/struct.proto";
    import "google/protobuf/wrappers.proto";
    message Ask { optional string word = 1; }
    message Inner { string name = 1; }
    message Row {
        optional string note = 1;
        optional uint64 size = 2;
        Inner inner = 3;
        google.protobuf.StringValue word = 4;
        repeated string tags = 5;
        string plain = 6;
        google.protobuf.Value any = 7;
        oneof choice { string left = 8; bool right = 9; }
        repeated Inner rows = 10;
        map<string, string> words = 11;
    }
    service Rows { rpc One(Ask) returns (Row); rpc Many(Ask) returns (stream Row); }"#;

/// A server that answers every request with these bytes and the status OK.
async fn answering(body: &[u8]) -> String {
    let body = Bytes::copy_from_slice(body);
    let answer = move || {
        let trailers =
            HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
        let body = Full::new(body.clone()).with_trailers(std::future::ready(Some(Ok(trailers))));
        let mut response = Response::new(Body::new(body));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        std::future::ready(response)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/peer.v1.Rows/{method}", post(answer));
    let served =
        Server::builder().add_routes(Routes::from(router)).serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(served);
    origin
}

/// The method `One` or `Many`, whose answer is of this schema.
fn rows(origin: &str, method: &str, output: &Json) -> OperationDescriptor {
    let folder = e2e::folder();
    std::fs::write(folder.path().join("rows.proto"), PROTO).unwrap();
    let descriptors = protox::compile(["rows.proto"], [folder.path()]).unwrap();
    let descriptors = base64::engine::general_purpose::STANDARD.encode(descriptors.encode_to_vec());
    let path = format!("/peer.v1.Rows/{method}");
    entry(&json!({
        "transport": { "kind": "grpc", "base_url": origin, "method": path, "descriptors": descriptors },
        "auth": { "kind": "header", "name": "authorization", "format": "Bearer <key>" }, "access": "key",
        "input": object(0, &[("word", text())]), "output": output,
    }))
}

/// A message in its frame.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// A field of text, by its number.
fn field(number: u8, text: &str) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

/// A schema of a type or nothing.
fn or_null(name: &str) -> Json {
    json!({ "type": [name, "null"] })
}

fn row() -> Json {
    let inner = object(0, &[("name", text())]);
    object(
        0,
        &[
            ("note", or_null("string")),
            ("size", or_null("integer")),
            ("inner", json!({ "anyOf": [inner, { "type": "null" }] })),
            ("word", or_null("string")),
            ("tags", json!({ "type": "array", "items": text() })),
            ("plain", text()),
            ("any", json!({})),
            ("left", or_null("string")),
            ("right", or_null("boolean")),
        ],
    )
}

const KEY: &str = "cnry-0rch3stra-12345";

fn caller() -> Caller<'static> {
    Caller { key: Some(KEY), ..Caller::default() }
}

/// The answer to a message, where these fields of its schema are required.
async fn answer_to(message: &[u8], required: &[&str]) -> (Json, CallOutcome) {
    let mut row = row();
    row["required"] = json!(required);
    caller().call(&rows(&answering(&framed(message)).await, "One", &row), json!({})).await
}

const ABSENT: [&str; 7] = ["note", "size", "inner", "word", "any", "left", "right"];

#[tokio::test]
async fn what_a_message_leaves_out_is_null_and_what_it_always_has_is_its_default() {
    // Whether or not the schema says that the field is there: `null` is what it says of one that is not.
    for required in [&[][..], &ABSENT] {
        let (answer, outcome) = answer_to(&[], required).await;
        assert_eq!(answer, json!({ "tags": [], "plain": "" }), "{:?}", outcome.result);
    }
    // A field that is set to its default is there.
    let null = [7 << 3 | 2, 2, 8, 0];
    let set = [&field(1, "")[..], &[2 << 3, 0], &field(3, ""), &field(4, ""), &null, &[9 << 3, 0]].concat();
    let (answer, _) = answer_to(&set, &["note", "size", "inner", "word", "right", "tags", "plain"]).await;
    let there = json!({ "note": "", "size": 0, "inner": { "name": "" }, "word": "", "right": false });
    for (name, value) in there.as_object().unwrap() {
        assert_eq!(&answer[name], value, "{name}: {answer}");
    }
    assert_eq!((&answer["left"], &answer["any"], &answer["tags"]), (&Json::Null, &Json::Null, &json!([])));
}

#[tokio::test]
async fn a_field_that_must_be_there_and_is_not_is_named() {
    let mut row = row();
    row["properties"]["note"] = text();
    row["required"] = json!(["note"]);
    let entry = rows(&answering(&framed(&field(6, "x"))).await, "One", &row);
    let (_, outcome) = caller().call(&entry, json!({})).await;
    assert_eq!(failure(&outcome, "note"), is("invalid", "E1120"));
    let entry = rows(&answering(&framed(&field(1, ""))).await, "One", &row);
    assert_eq!(caller().call(&entry, json!({})).await.0["note"], "");
}

#[tokio::test]
async fn a_message_of_a_stream_leaves_out_what_it_likes() {
    let body = [framed(&field(1, "a")), framed(&[]), framed(&field(8, ""))].concat();
    let list = json!({ "type": "array", "items": row() });
    let (answer, _) = caller().call(&rows(&answering(&body).await, "Many", &list), json!({})).await;
    let notes: Vec<&Json> = answer.as_array().unwrap().iter().map(|row| &row["note"]).collect();
    assert_eq!(notes, [&json!("a"), &Json::Null, &Json::Null], "{answer}");
    assert_eq!((&answer[1]["left"], &answer[2]["left"]), (&Json::Null, &json!("")), "{answer}");
}

#[tokio::test]
async fn a_key_in_pieces_is_not_kept_where_the_last_message_breaks_off() {
    let (first, last) = KEY.split_at(12);
    let cut = |message: &[u8], bytes: usize| {
        let whole = framed(message);
        whole[..whole.len() - bytes].to_vec()
    };
    let behind = [&field(6, last)[..], &field(8, "x")].concat();
    for (case, rest) in [
        ("within the text", cut(&field(6, &format!("{last} and more")), 5)),
        ("behind it", cut(&behind, 1)),
        ("in a field that cannot be read", framed(&[&field(6, last)[..], &[15]].concat())),
        ("in a message behind one that cannot be read", [framed(&[15]), framed(&field(6, last))].concat()),
    ] {
        let body = [framed(&field(6, first)), rest].concat();
        let list = json!({ "type": "array", "items": row() });
        let (_, outcome) = caller().call(&rows(&answering(&body).await, "Many", &list), json!({})).await;
        assert_eq!(outcome.result.unwrap_err().code, "E1113", "{case}");
        assert!(outcome.response_body.is_empty(), "{case}");
    }
    // In an element of a list, an entry of a map, and texts that are none because they break off or for another byte.
    let nested = |number: u8, message: &[u8]| {
        [&[number << 3 | 2, u8::try_from(message.len()).unwrap()], message].concat()
    };
    let element = |piece: &str| nested(10, &field(1, piece));
    let entry = |piece: &str| nested(11, &[field(1, "k"), field(2, piece)].concat());
    let no_text = nested(6, &[last.as_bytes(), b"\xff"].concat());
    for (case, begin, rest) in [
        ("in an element", element(first), cut(&element(&format!("{last} and more")), 5)),
        ("in an element of texts", field(5, first), cut(&field(5, &format!("{last} and more")), 5)),
        ("in an entry", entry(first), cut(&entry(&format!("{last} and more")), 5)),
        ("before half a character", field(6, first), cut(&field(6, &format!("{last}\u{e9}")), 1)),
        ("in what is no text", field(6, first), framed(&no_text)),
    ] {
        let body = [framed(&begin), rest].concat();
        let list = json!({ "type": "array", "items": row() });
        let (_, outcome) = caller().call(&rows(&answering(&body).await, "Many", &list), json!({})).await;
        assert_eq!(outcome.result.unwrap_err().code, "E1113", "{case}");
        assert!(outcome.response_body.is_empty(), "{case}");
    }
    // Without it what came is kept.
    let body = [framed(&field(6, first)), cut(&field(6, "other"), 2)].concat();
    let list = json!({ "type": "array", "items": row() });
    let (_, outcome) = caller().call(&rows(&answering(&body).await, "Many", &list), json!({})).await;
    assert_eq!(failure(&outcome, "ends within a message"), is("unavailable", "E1130"));
    assert_eq!(&outcome.response_body[..], body);
}
