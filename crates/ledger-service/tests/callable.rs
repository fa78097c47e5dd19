//! Every operation of the catalogue can be formed into a request, and its descriptors are those of `catalog/protos`.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ledger_service::{Callability, Catalog, Error, check};
use schema::json_schema::OperationTypes;
use schema::operation::{OperationDescriptor, Transport};
use serde_json::{Value as Json, json};
use subnet::Client;
use subnet::egress::Options;

#[test]
fn every_operation_forms_a_request() {
    let client = Client::new(Options::default()).unwrap();
    for operation in Catalog::embedded().unwrap().operations {
        let endpoint = match Callability::of(&operation) {
            Callability::Yes => None,
            Callability::NeedsEndpoint(_) => Some("http://44.1.2.3:48888"),
            Callability::No(why) => unreachable!("{}: {why}", operation.id),
        };
        let types = OperationTypes::of(&operation).unwrap();
        if let Err(error) = client.prepare(&operation, types.into(), endpoint) {
            unreachable!("{error}");
        }
    }
}

#[test]
fn descriptors_are_made_of_the_protos_beside_them() {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/protos");
    let mut made = Vec::new();
    for file in fs::read_dir(&protos).unwrap() {
        let file = file.unwrap().path();
        let mut compiler = protox::Compiler::new([&protos]).unwrap();
        compiler.include_imports(true).open_file(&file).unwrap();
        made.push((file, BASE64.encode(compiler.encode_file_descriptor_set())));
    }
    let mut checked = 0;
    for operation in Catalog::embedded().unwrap().operations {
        let Transport::Grpc(grpc) = &operation.transport else { continue };
        let file = made.iter().find(|(_, descriptors)| *descriptors == grpc.descriptors);
        let package = grpc.method.trim_start_matches('/').split('.').next().unwrap();
        let says = format!("{}: run `cargo xtask descriptors catalog/protos/{package}.proto`", operation.id);
        assert_eq!(file.and_then(|(file, _)| file.file_stem()).unwrap_or_default(), package, "{says}");
        checked += 1;
    }
    assert_eq!(checked, 7);
}

/// The catalogue's entry as JSON, with `value` at `pointer`.
fn changed(id: &str, pointer: &str, value: Json) -> OperationDescriptor {
    let operations = Catalog::embedded().unwrap().operations;
    let entry = operations.into_iter().find(|operation| operation.id == id).unwrap();
    let mut entry = serde_json::to_value(&entry).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    entry.pointer_mut(parent).and_then(Json::as_object_mut).unwrap().insert(name.to_owned(), value);
    serde_json::from_value(entry).unwrap()
}

/// What preparing a call would find is found before anybody pins the entry, in the same words.
#[test]
fn an_entry_that_no_request_can_be_formed_from_is_not_published() {
    let topics = "sn13.list_topics";
    let web = "sn22.web_search";
    let text = || json!({ "type": "string" });
    let signed = |message: &str, value: &str| json!({ "kind": "signed", "message": message, "headers": { "X-Signature": value } });
    let with_receiver = json!({ "kind": "signed", "message": "{uuid}", "headers": { "X-Signature": "{signature_hex}" },
        "receiver": "5abc" });
    let client = Client::new(Options::default()).unwrap();
    for (id, pointer, value, path, says) in [
        (topics, "/transport/descriptors", json!("?"), "transport.descriptors", "base64"),
        (topics, "/transport/descriptors", json!("AAAA"), "transport.descriptors", "cannot be read"),
        (
            topics,
            "/transport/descriptors",
            json!("CgYKAWFiAXg="),
            "transport.descriptors",
            "not proto2 or proto3",
        ),
        (topics, "/transport/method", json!("/sn13.v1.Sn13Service/Nothing"), "transport.method", "no method"),
        (topics, "/transport/method", json!("/other.Service/ListTopics"), "transport.method", "no method"),
        (topics, "/auth", json!({ "kind": "query", "name": "key" }), "auth", "by headers"),
        (topics, "/input/properties/page", text(), "input.properties.page", "no field of that name"),
        (
            topics,
            "/input/properties/source",
            json!({ "type": "integer" }),
            "input.properties.source",
            "string",
        ),
        (topics, "/output/properties/details", text(), "output.properties.details", "a list"),
        (topics, "/output/properties/more", text(), "output.properties.more", "no field of that name"),
        (
            topics,
            "/output/properties/details/items/properties/label_value",
            json!({ "type": "integer" }),
            "output.properties.details.items.properties.label_value",
            "string",
        ),
        (web, "/transport/path", json!("/a/../b"), "transport.path", "dot segments"),
        (web, "/transport/path", json!("/a b"), "transport.path", "percent-encoding"),
        (web, "/auth", signed("{nothing}", "{signature_hex}"), "auth.message", "known are body_sha256"),
        (web, "/auth", signed("{signature_hex}", "{signature_hex}"), "auth.message", "own signature"),
        (web, "/auth", signed("{uuid}", "{uuid}"), "auth.headers", "no header carries the signature"),
        (web, "/auth", signed("{uuid}", "{signature_hex"), "auth.headers", "without its partner"),
        (web, "/auth", with_receiver, "auth.receiver", "hotkey"),
        (web, "/auth", json!({ "kind": "btauth", "receiver": "5abc" }), "auth.receiver", "hotkey"),
    ] {
        let entry = changed(id, pointer, value);
        let Err(Error::InvalidEntry { path: found, reason, .. }) = check(&entry) else {
            unreachable!("{pointer}: {:?}", check(&entry))
        };
        assert!(found == path && reason.contains(says), "{pointer}: {found}: {reason}");
        let types = OperationTypes::of(&entry).unwrap();
        let refused = client.prepare(&entry, types.into(), None).unwrap_err();
        assert_eq!(refused.code(), "E1109", "{pointer}");
        assert_eq!(refused.to_string(), format!("{id}: {path}: {reason}"));
    }
}

/// A schema may say less than the message, and a request more freely what an integer is.
#[test]
fn a_schema_that_says_less_than_its_message_fits() {
    let text_or_none = json!({ "type": ["string", "null"], "maxLength": 5 });
    for (pointer, value) in [
        ("/input/properties/source", json!({})),
        ("/input/properties/source", text_or_none),
        ("/input/properties/source", json!({ "anyOf": [{ "type": "integer" }] })),
        ("/output", json!({ "type": "object" })),
        ("/output/properties/details", json!({ "$ref": "#/nowhere" })),
    ] {
        assert!(subnet::entry::check(&changed("sn13.list_topics", pointer, value)).is_ok(), "{pointer}");
    }
    let unknown = changed("sn13.list_topics", "/auth", json!({ "kind": "other", "scheme": "mtls" }));
    assert!(check(&unknown).is_ok(), "it is listed");
    let limit = changed("sn13.on_demand_data", "/input/properties/limit", json!({ "type": "string" }));
    assert!(subnet::entry::check(&limit).is_ok());
}
