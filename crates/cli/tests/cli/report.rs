//! `orch ledger report`: what maps, what does not, and why.

use std::path::Path;

use crate::orch::Folder;

const LIBRARY: &str = include_str!("../../../openapi/tests/documents/fixtures/library31.yaml");

const STREAM: &str = r##"{ "swagger": "2.0", "paths": { "/a": { "get": {
    "parameters": [
        { "name": "key", "in": "query", "type": "string", "pattern": "(?=x)" },
        { "name": "session", "in": "cookie", "type": "string", "required": true }
    ],
    "responses": { "200": { "description": "", "schema": { "tpye": "string" } } } } } } }"##;

#[test]
fn the_catalogue_maps_whole() {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let folder = Folder::empty();
    let catalog = catalog.to_str().unwrap();
    let report = folder.orch(["ledger", "report", "--json", "--at-least", "100", catalog]).succeeds().json();
    assert_eq!((&report["operations"], &report["mapped"]), (&114.into(), &114.into()));
    assert_eq!(report["complete"], report["complete_mapped"]);
    assert!(report["leaves"]["typed"].as_u64() > report["leaves"]["json"].as_u64());
    assert_eq!(report["codes"], serde_json::json!({}));
    assert_eq!(folder.files(".").len(), 0);
}

#[test]
fn documents_are_measured_and_each_refusal_is_told() {
    let folder = Folder::empty();
    folder.write("docs/library.yaml", LIBRARY);
    folder.write("docs/stream.json", STREAM);
    folder.write("docs/notes.yml", "just: notes\n");
    folder.write("docs/README.md", "no schemas");
    let report = folder.orch(["ledger", "report", "docs"]).succeeds();
    insta::assert_snapshot!(report.out, @r#"
    FILE               OPERATIONS  COMPLETE  MAPPED   TYPED  IMPORTED  CALLABLE
    docs/library.yaml           6         5       5  100.0%         5         5
    docs/notes.yml              0         0       0       -         0         0
    docs/stream.json            1         1       0       -         1         0

    [E1257] docs/library.yaml HEAD /cover
      a call is one of GET, POST, PUT, PATCH, DELETE, not HEAD
      at #/paths/~1cover/head

    [E1252] docs/notes.yml
      the document says neither `openapi` nor `swagger`
      at #

    [E0611] docs/stream.json GET /a
      `tpye` is no keyword of JSON Schema
      at #/paths/~1a/get/responses/200/schema

    listed, not callable: 1 of docs/stream.json
      the protocol `cookie parameters` is not supported yet

    not checked: the pattern `(?=x)`
      at docs/stream.json #/paths/~1a/get/parameters/0

    6 of 7 operations map. Of those with a complete schema of the answer 5 of 6 (83.3%).
    24 of 24 places in their answers are typed (100.0%).
    6 of 7 become entries of the Ledger, and 5 can be called, given their host and key.
    "#);
    let json = folder.orch(["ledger", "report", "--json", "docs"]).succeeds().json();
    assert_eq!(json["codes"], serde_json::json!({ "E0611": 1, "E1252": 1, "E1257": 1 }));
    assert_eq!(json["files"][1]["refused"]["code"], "E1252");
    assert_eq!(json["files"][2]["rows"][0]["unchecked"][0]["pattern"], "(?=x)");
    // Five of the six with a complete schema.
    folder.orch(["ledger", "report", "docs", "--at-least", "83"]).succeeds();
    folder.orch(["ledger", "report", "docs", "--at-least", "84"]).exits(1);
}

#[test]
fn paths_that_hold_nothing_are_refused() {
    let folder = Folder::empty();
    folder.write("empty/notes.txt", "");
    folder.write("bad.json", r#"{ "operations": [{ "id": "sn1.a" }] }"#);
    let refused = folder.orch(["ledger", "report", "empty"]).exits(2);
    assert!(refused.err.starts_with("error[E1502]: there is no file of schemas"), "{}", refused.err);
    folder.orch(["ledger", "report", "nowhere"]).exits(2);
    folder.orch(["ledger", "report"]).exits(2);
    let refused = folder.orch(["ledger", "report", "bad.json"]).exits(1);
    assert!(refused.err.contains("error[E1203]: bad.json: sn1.a: missing field"), "{}", refused.err);
}
