//! Every operation of the catalogue can be formed into a request, and its descriptors are those of `catalog/protos`.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ledger_service::{Callability, Catalog};
use schema::json_schema::OperationTypes;
use schema::operation::Transport;
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
