//! Operations that are imported from a document and called: by what arrives at the other side.

use std::sync::Arc;

use openapi::{Document, Origin};
use schema::operation::{Auth, SideEffects};
use subnet::egress::{Egress, Fetched, Validators};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::http::peer;
use super::*;

/// The operation of `document` whose call is `line`, such as `GET /hits`.
fn imported(document: &[u8], origin: &str, line: &str) -> OperationDescriptor {
    let reference = format!("{origin}/openapi.json?token=not-to-be-kept");
    let origin = Origin { netuid: 65030, server: Some(origin.into()), reference, ..Origin::default() };
    let import = Document::read(document).unwrap().import(&origin).unwrap();
    let operation = import.operations.into_iter().find(|operation| operation.call == line);
    let entry = operation.unwrap().entry.unwrap().descriptor;
    assert!(!serde_json::to_string(&entry).unwrap().contains("not-to-be-kept"));
    entry
}

/// The same of the peer on FastAPI, by the document that it makes of itself.
async fn of_peer(line: &str) -> OperationDescriptor {
    let policy = EgressPolicy { allow_loopback: true, allow_private: false };
    let egress = Egress::new(Options { policy, ..Options::default() }).unwrap();
    let url = format!("{}/openapi.json", peer().origin);
    let fetched = egress.fetch(&url, &Validators::default(), PATIENT).await.unwrap();
    let Fetched::Document { bytes, .. } = fetched else { panic!("no document") };
    imported(&bytes, &peer().origin, line)
}

#[tokio::test]
async fn files_of_fastapi_arrive_as_files() {
    let files = of_peer("POST /files").await;
    let all = json!({ "many": ["YQ==", "YmI="], "one": "Y2Nj", "maybe": "ZGRkZA==", "note": "n" });
    let (answer, _) = Caller::default().call(&files, all).await;
    assert_eq!(
        answer,
        json!({ "names": ["many", "many", "one", "maybe"], "sizes": [1, 2, 3, 4], "note": "n" })
    );
    let few = json!({ "many": ["YQ=="], "one": "Y2Nj", "note": "n" });
    let (answer, _) = Caller::default().call(&files, few).await;
    assert_eq!(answer["sizes"], json!([1, 3]));
}

#[tokio::test]
async fn bodies_lists_and_times_of_fastapi_are_as_it_means_them() {
    let put = of_peer("PUT /things/{id}").await;
    let input = json!({ "id": "a", "body": { "id": "b", "at": "2026-01-02T03:04:05Z" } });
    let (answer, outcome) = Caller::default().call(&put, input).await;
    assert_eq!(answer, json!({ "id": "a/b", "at": "2026-01-02T03:04:05" }), "{:?}", outcome.result);
    let sums = of_peer("POST /sums").await;
    let (answer, _) = Caller::default().call(&sums, json!({ "body": [1, 2, 3] })).await;
    assert_eq!(answer, json!({ "sum": 6 }));
    let search = of_peer("GET /search-all").await;
    let (answer, _) = Caller::default().call(&search, json!({ "item": ["a", "b c"] })).await;
    assert_eq!(answer, json!({ "items": ["a", "b c"], "tags": [] }));
}

#[tokio::test]
async fn a_header_that_fastapi_calls_a_token_is_the_key() {
    let guarded = of_peer("GET /guarded").await;
    assert_eq!(guarded.auth, Auth::Header { name: "x-token".into(), format: "<key>".into() });
    let caller = Caller { key: Some(peer().said("key")), ..Caller::default() };
    let (answer, outcome) = caller.call(&guarded, json!({})).await;
    assert_eq!(answer, json!({ "ok": true }));
    let kept = String::from_utf8(outcome.redacted_request.to_vec()).unwrap();
    assert!(kept.contains("x-token: <key>") && !kept.contains(peer().said("key")), "{kept}");
}

/// Answers each connection once with `answer`, and keeps what it was sent.
struct Scripted {
    origin: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = Vec::new();
                let mut part = [0; 4096];
                while !is_whole(&bytes) {
                    let read = stream.read(&mut part).await.unwrap();
                    bytes.extend_from_slice(&part[..read]);
                }
                log.lock().unwrap().push(String::from_utf8(bytes).unwrap());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { origin, seen }
    }

    fn last(&self) -> String {
        self.seen.lock().unwrap().pop().unwrap()
    }
}

/// Whether a request has come with as many octets behind its head as it says.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.api+json\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntrue";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn styles_go_over_the_wire_as_the_document_says() {
    let peer = Scripted::start(OK).await;
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let object =
        json!({ "type": "object", "properties": { "R": { "type": "integer" }, "G": { "type": "integer" } } });
    let parameter = |name: &str, place: &str, more: Json, schema: &Json| {
        let mut parameter = json!({ "name": name, "in": place, "required": true, "schema": schema });
        parameter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parameter
    };
    let joined = |style: &str| json!({ "style": style, "explode": false });
    let document = json!({ "openapi": "3.1.0", "paths": { "/p/{path}/{matrix}": { "get": {
        "parameters": [
            parameter("path", "path", json!({}), &list),
            parameter("matrix", "path", json!({ "style": "matrix", "explode": true }), &list),
            parameter("rows", "query", json!({}), &list),
            parameter("comma", "query", joined("form"), &list),
            parameter("space", "query", joined("spaceDelimited"), &list),
            parameter("pipe", "query", joined("pipeDelimited"), &list),
            parameter("deep", "query", json!({ "style": "deepObject", "explode": true }), &object),
            parameter("fields", "query", json!({}), &object),
            parameter("X-List", "header", json!({}), &list),
            parameter("X-Pairs", "header", json!({ "explode": true }), &object),
        ],
        "responses": { "200": { "description": "", "content": { "application/vnd.api+json": { "schema": { "type": "boolean" } } } } },
    } } } });
    let get = imported(document.to_string().as_bytes(), &peer.origin, "GET /p/{path}/{matrix}");
    let (list, object) = (json!(["a b", "c"]), json!({ "R": 1, "G": 2 }));
    let input = json!({
        "path": list, "matrix": list, "rows": list, "comma": list, "space": ["a", "c"], "pipe": list, "deep": object,
        "fields": object, "X-List": list, "X-Pairs": object,
    });
    let (answer, outcome) = Caller::default().call(&get, input).await;
    assert_eq!(answer, json!(true), "{:?}", outcome.result);
    let seen = peer.last();
    assert_eq!(
        seen.lines().next().unwrap(),
        "GET /p/a%20b,c/;matrix=a%20b;matrix=c?comma=a%20b,c&deep%5BR%5D=1&deep%5BG%5D=2&R=1&G=2&pipe=a%20b%7Cc\
         &rows=a%20b&rows=c&space=a%20c HTTP/1.1"
    );
    for header in ["x-list: a b,c", "x-pairs: R=1,G=2", "accept: application/vnd.api+json"] {
        assert!(seen.lines().any(|line| line == header), "{header}: {seen}");
    }
}

/// The lists of the catalogue's SN65, whose document says `explode: false`.
#[tokio::test]
async fn a_lease_of_the_catalogue_has_its_lists_in_one_row() {
    let peer = Scripted::start(EMPTY).await;
    let file: Json = serde_json::from_str(include_str!("../../../catalog/operations/sn065.json")).unwrap();
    let mut lease = file["operations"][0].clone();
    assert_eq!(lease["id"], "sn65.new_lease");
    lease["transport"]["base_url"] = peer.origin.as_str().into();
    (lease["auth"], lease["access"]) = (json!({ "kind": "none" }), "open".into());
    let lease = serde_json::from_value(lease).unwrap();
    let input = json!({ "lease_seconds": 600, "whitelist": ["192.0.2.1", "192.0.2.2"] });
    Caller::default().call(&lease, input).await;
    let seen = peer.last();
    let line = "GET /api/lease/new?lease_seconds=600&whitelist=192.0.2.1,192.0.2.2 HTTP/1.1";
    assert_eq!(seen.lines().next(), Some(line));
}

#[tokio::test]
async fn bodies_go_over_the_wire_as_the_document_says() {
    let peer = Scripted::start(OK).await;
    let of = |body: Json| {
        json!({ "swagger": "2.0", "consumes": ["application/xml", "application/json"], "paths": { "/a": { "post": {
        "parameters": body, "responses": { "200": { "description": "", "schema": { "type": "boolean" } } },
    } } } })
    };
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let form = |name: &str, more: &Json| {
        let mut field = json!({ "name": name, "in": "formData" });
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        field
    };
    let multi = json!({ "type": "array", "items": { "type": "string" }, "collectionFormat": "multi" });
    let whole = json!([{ "name": "b", "in": "body", "required": true, "schema": list }]);
    for (body, input, media_type, sent) in [
        (
            json!([form("csv", &list), form("multi", &multi)]),
            json!({ "csv": ["a", "b"], "multi": ["a", "b"] }),
            "application/x-www-form-urlencoded",
            "csv=a%2Cb&multi=a&multi=b",
        ),
        (whole, json!({ "body": ["a"] }), "application/json", r#"["a"]"#),
    ] {
        let post = imported(of(body).to_string().as_bytes(), &peer.origin, "POST /a");
        let (answer, outcome) = Caller::default().call(&post, input).await;
        assert_eq!(answer, json!(true), "{:?}", outcome.result);
        let seen = peer.last();
        assert!(seen.contains(&format!("content-type: {media_type}\r\n")), "{seen}");
        assert!(seen.ends_with(&format!("\r\n\r\n{sent}")), "{seen}");
    }
}

#[tokio::test]
async fn a_success_without_content_is_null_or_told() {
    let peer = Scripted::start(EMPTY).await;
    let of = |more: Json| {
        let mut responses = json!({ "200": { "description": "", "content": { "application/json": { "schema": {
            "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } } } } } });
        responses.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let document =
            json!({ "openapi": "3.1.0", "paths": { "/a": { "get": { "responses": responses } } } });
        imported(document.to_string().as_bytes(), &peer.origin, "GET /a")
    };
    let (answer, outcome) =
        Caller::default().call(&of(json!({ "204": { "description": "" } })), json!({})).await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert_eq!(answer, Json::Null);
    let (_, outcome) = Caller::default().call(&of(json!({})), json!({})).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind.name(), outcome.status), ("invalid", Some(204)), "{error}");
}

#[test]
fn what_may_move_money_is_not_repeated() {
    let of = |method: &str, path: &str| {
        let call = json!({ "security": [{ "key": [] }], "responses": { "200": { "description": "" } } });
        let document = json!({
            "openapi": "3.1.0", "paths": { path: { method: call } },
            "components": { "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } } },
        });
        let line = format!("{} {path}", method.to_uppercase());
        imported(document.to_string().as_bytes(), "https://a.example", &line)
    };
    for (method, path) in
        [("get", "/credits/buy"), ("get", "/api/lease/new"), ("post", "/pods"), ("post", "/runTraining")]
    {
        let operation = of(method, path);
        assert!(!operation.repeat.safe, "{path}");
        assert!(!schema::tool::Effects::of(&operation).read_only, "{path}");
    }
    assert_eq!(of("post", "/search").side_effects, SideEffects::Metered);
}
