//! Descriptors of gRPC services as entries.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use openapi::{Descriptors, Document, Entry, Import, Origin};
use proptest::prelude::*;
use prost_reflect::DescriptorPool;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::FileDescriptorSet;
use schema::json_schema::OperationTypes;
use schema::operation::{Access, Auth, OperationDescriptor, SideEffects, Transport};

/// The set of `files`, the last of which imports the others; with comments.
fn set(files: &[(&str, &str)]) -> Vec<u8> {
    let mut resolver = protox::file::ChainFileResolver::new();
    resolver.add(protox::file::GoogleFileResolver::new());
    resolver.add(Texts(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()));
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file(files.last().unwrap().0).unwrap();
    compiler.encode_file_descriptor_set()
}

struct Texts(Vec<(String, String)>);

impl protox::file::FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
        let found = self.0.iter().find(|(own, _)| own == name);
        let (_, text) = found.ok_or_else(|| protox::Error::file_not_found(name))?;
        protox::file::File::from_source(name, text)
    }
}

fn origin() -> Origin {
    Origin { netuid: 7, reference: "api.binpb".into(), ..Origin::default() }
}

fn import(bytes: &[u8]) -> Import {
    assert!(Descriptors::are_meant(bytes));
    Descriptors::read(bytes).unwrap().import(&origin()).unwrap()
}

fn entries(bytes: &[u8]) -> Vec<Entry> {
    import(bytes).operations.into_iter().map(|operation| operation.entry.unwrap()).collect()
}

fn descriptors(entry: &OperationDescriptor) -> Vec<u8> {
    let Transport::Grpc(grpc) = &entry.transport else { panic!("{entry:?}") };
    BASE64.decode(&grpc.descriptors).unwrap()
}

const SMALL: &str = r#"syntax = "proto3"; package a.v1;
// Finds things.
service Finder {
  // Finds a thing
  // by its name.
  rpc FindThing(Query) returns (Thing);
  rpc DeleteThing(Query) returns (Thing) { option idempotency_level = IDEMPOTENT; }
  rpc Peek(Query) returns (Thing) { option idempotency_level = NO_SIDE_EFFECTS; }
}
message Query {
  // Its name.
  string name = 1;
}
message Thing { string name = 1; Thing next = 2; }
message Unused { string text = 1; }
"#;

#[test]
fn comments_effects_and_names_come_from_the_file() {
    let entries = entries(&set(&[("a.proto", SMALL)]));
    let of = |id: &str| &entries.iter().find(|entry| entry.descriptor.id == id).unwrap().descriptor;
    let find = of("sn7.find_thing");
    assert_eq!(find.summary, "Finds a thing by its name.");
    assert_eq!(find.input["properties"]["name"]["description"], "Its name.");
    assert_eq!((find.side_effects, find.repeat.safe), (SideEffects::None, true), "by its name");
    assert_eq!(
        (of("sn7.delete_thing").side_effects, of("sn7.delete_thing").repeat.safe),
        (SideEffects::Writes, true)
    );
    assert_eq!(of("sn7.peek").side_effects, SideEffects::None);
    assert_eq!(
        (find.sources[0].kind.as_str(), find.sources[0].reference.as_str()),
        ("protobuf", "api.binpb")
    );
    assert_eq!(find.sources[0].path.as_deref(), Some("/a.v1.Finder/FindThing"));
    let types = OperationTypes::of(find).unwrap();
    assert_eq!(types.defs.show(&types.output), "Thing", "which holds itself");
}

#[test]
fn a_key_is_sent_as_it_is_said() {
    let auth = Auth::Header { name: "X-Key".into(), format: "<key>".into() };
    let origin = Origin { auth: Some(auth.clone()), server: Some("https://a.example".into()), ..origin() };
    let import = Descriptors::read(&set(&[("a.proto", SMALL)])).unwrap().import(&origin).unwrap();
    let entry = import.operations[0].entry.as_ref().unwrap();
    assert_eq!((&entry.descriptor.auth, entry.descriptor.access), (&auth, Access::Key));
    assert_eq!(entry.descriptor.side_effects, SideEffects::Metered);
    let Transport::Grpc(grpc) = &entry.descriptor.transport else { panic!("{entry:?}") };
    assert_eq!(
        (grpc.base_url.as_str(), grpc.method.as_str()),
        ("https://a.example", "/a.v1.Finder/FindThing")
    );
}

#[test]
fn an_entry_holds_the_descriptors_of_its_own_messages() {
    let parts = "syntax = \"proto3\"; package b; message Part { string text = 1; } message Other { string text = 1; }";
    let whole = "syntax = \"proto3\"; package a; import public \"b.proto\";";
    let api =
        "syntax = \"proto3\"; package c; import \"a.proto\"; import \"google/protobuf/timestamp.proto\";
        service S { rpc Do(Outer.In) returns (Outer.Out); rpc Else(b.Other) returns (b.Other); }
        message Outer { message In { b.Part part = 1; Kind kind = 2; enum Kind { NONE = 0; } }
          message Out { google.protobuf.Timestamp at = 1; } }";
    let bytes = set(&[("b.proto", parts), ("a.proto", whole), ("c.proto", api)]);
    let entries = entries(&bytes);
    let pool = DescriptorPool::decode(descriptors(&entries[0].descriptor).as_slice()).unwrap();
    let files: Vec<String> = pool.files().map(|file| file.name().to_owned()).collect();
    assert_eq!(files, ["b.proto", "google/protobuf/timestamp.proto", "c.proto"], "without the file between");
    assert!(pool.get_message_by_name("b.Part").is_some() && pool.get_message_by_name("b.Other").is_none());
    let methods = pool.get_service_by_name("c.S").unwrap().methods().count();
    assert_eq!(methods, 1);
    // A change elsewhere changes nothing here.
    let more = api.replace("rpc Else", "rpc More(b.Other) returns (b.Other); rpc Else");
    let parts = parts
        .replace("message Other { string text = 1; }", "message Other { string text = 1; bytes b = 2; }");
    let later = set(&[("b.proto", &parts), ("a.proto", whole), ("c.proto", &more)]);
    assert_eq!(
        descriptors(&import(&later).operations[0].entry.as_ref().unwrap().descriptor),
        descriptors(&entries[0].descriptor)
    );
}

#[test]
fn an_any_may_hold_every_message_there_is() {
    let api = "syntax = \"proto3\"; package c; import \"google/protobuf/any.proto\";
        service S { rpc Get(In) returns (Out); }
        message In { string text = 1; } message Out { google.protobuf.Any any = 1; } message Held { string text = 1; }";
    let entries = entries(&set(&[("c.proto", api)]));
    let pool = DescriptorPool::decode(descriptors(&entries[0].descriptor).as_slice()).unwrap();
    assert!(pool.get_message_by_name("c.Held").is_some());
}

#[test]
fn methods_of_one_name_are_told_apart() {
    let service = |package: &str, services: &str| {
        format!("syntax = \"proto3\"; package {package}; message M {{ string text = 1; }} {services}")
    };
    let one = service("a.v1", "service S { rpc Get(M) returns (M); rpc Alone(M) returns (M); }");
    let two = service("a.v2", "service S { rpc Get(M) returns (M); } service T { rpc Get(M) returns (M); }");
    let all = "syntax = \"proto3\"; import \"one.proto\"; import \"two.proto\";
        service Health { rpc Check(a.v1.M) returns (a.v1.M); }";
    let import = import(&set(&[("one.proto", &one), ("two.proto", &two), ("all.proto", all)]));
    let mut ids: Vec<&str> = import.operations.iter().map(|operation| operation.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["sn7.a_v1_s_get", "sn7.a_v2_s_get", "sn7.alone", "sn7.check", "sn7.t_get"]);
}

#[test]
fn proto2_requires_what_it_says() {
    let api = "syntax = \"proto2\"; package c; service S { rpc Find(In) returns (In); }
        message In { required string a = 1; optional int32 b = 2 [default = 7]; repeated int64 c = 3; }";
    let entry = &entries(&set(&[("c.proto", api)]))[0].descriptor;
    assert_eq!(entry.input["required"], serde_json::json!(["a"]));
    let definition = &entry.output["$defs"]["c.In"];
    assert_eq!(definition["required"], serde_json::json!(["a", "c"]), "an answer has every list");
}

#[test]
fn what_is_no_whole_set_is_told() {
    let bytes = set(&[
        ("b.proto", "syntax = \"proto3\"; message M {}"),
        ("a.proto", "syntax = \"proto3\"; import \"b.proto\"; service S { rpc Do(M) returns (M); }"),
    ]);
    let refused = |bytes: &[u8]| Descriptors::read(bytes).unwrap_err();
    let cut = &bytes[..bytes.len() - 3];
    assert_eq!(refused(cut).code, "E1262");
    let mut without = FileDescriptorSet::decode(bytes.as_slice()).unwrap();
    without.file.retain(|file| file.name() != "b.proto");
    let error = refused(&without.encode_to_vec());
    assert!(error.code == "E1262" && error.message.contains("imports `b.proto`"), "{error}");
    assert_eq!(refused(&vec![0; openapi::DOCUMENT_BYTES_MAX + 1]).code, "E1251");
    for text in ["openapi: 3.1.0", "\n{\"openapi\": \"3.1.0\"}", ""] {
        assert!(!Descriptors::are_meant(text.as_bytes()), "{text}");
        assert_ne!(Document::read(text.as_bytes()).err().map(|error| error.code), Some("E1262"));
    }
}

#[test]
fn a_syntax_that_nobody_knows_is_refused() {
    let mut set = FileDescriptorSet::decode(set(&[("a.proto", SMALL)]).as_slice()).unwrap();
    set.file[0].syntax = Some("proto9".into());
    let error = Descriptors::read(&set.encode_to_vec()).unwrap_err();
    assert_eq!(error.code, "E1262");
    assert!(error.message.contains("`a.proto` has the syntax `proto9`"), "{error}");
}

#[test]
fn services_on_the_page_fail_and_are_read_as_they_say() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors/E1261.md");
    let page = std::fs::read_to_string(page).unwrap();
    let read = |info: &str| {
        let text = page.split(&format!("```{info}\n")).nth(1).unwrap().split("```").next().unwrap();
        let messages = "syntax = \"proto3\"; message Part {} message Parts {} message Receipt {}";
        import(&set(&[("a.proto", &format!("{messages} {text}"))])).operations.remove(0).entry
    };
    assert_eq!(read("proto fails").unwrap_err().code, "E1261");
    assert!(read("proto ok").is_ok());
}

proptest! {
    #[test]
    fn damaged_descriptors_are_read_or_refused(
        cuts in prop::collection::vec((any::<usize>(), 0_usize..12, any::<u8>()), 1..6),
    ) {
        let mut bytes = set(&[("a.proto", SMALL)]);
        for (from, length, byte) in cuts {
            let from = from % bytes.len().max(1);
            let to = (from + length).min(bytes.len());
            bytes.splice(from..to, [byte]);
        }
        if let Ok(descriptors) = Descriptors::read(&bytes) {
            drop(descriptors.import(&origin()));
        }
    }
}
