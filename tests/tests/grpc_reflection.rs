//! `orch ledger add grpc://...`: services that describe themselves, on grpcio with the reflection of its own package and on
//! our own server, become operations that are called; and what is none of them is told apart.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use e2e::peer::Peer;
use e2e::process::{Orch, orch};
use serde_json::{Value as Json, json};
use subnet::ReflectionError;
use subnet::egress::{Egress, EgressPolicy, ExchangeError, Options};
use tempfile::TempDir;

/// A service with every kind of field.
const SHOP: &str = r#"syntax = "proto3";
package shop.v1;
import "parts.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message EchoRequest {
  string text = 1; int64 big = 2; uint64 unsigned = 3; double ratio = 4; bool flag = 5; bytes raw = 6;
  parts.Color color = 7; parts.Inner inner = 8; repeated string tags = 9; map<string, int32> counts = 10;
  oneof choice { string left = 11; parts.Inner right = 12; }
  optional int32 maybe = 13;
  google.protobuf.Timestamp at = 14; google.protobuf.Duration span = 15; google.protobuf.Struct extra = 16;
  google.protobuf.StringValue note = 17; google.protobuf.Any any = 18; parts.Node tree = 19; sint32 small = 20;
}
message EchoAnswer {
  string text = 1; int64 big = 2; uint64 unsigned = 3; double ratio = 4; bool flag = 5; bytes raw = 6;
  parts.Color color = 7; parts.Inner inner = 8; repeated string tags = 9; map<string, int32> counts = 10;
  oneof choice { string left = 11; parts.Inner right = 12; }
  optional int32 maybe = 13;
  google.protobuf.Timestamp at = 14; google.protobuf.Duration span = 15; google.protobuf.Struct extra = 16;
  google.protobuf.StringValue note = 17; google.protobuf.Any any = 18; parts.Node tree = 19; sint32 small = 20;
}
message Line { string text = 1; }
service Shop {
  rpc Echo(EchoRequest) returns (EchoAnswer) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc KeyedEcho(EchoRequest) returns (EchoAnswer);
  rpc GetTags(EchoRequest) returns (stream Line);
  rpc Upload(stream EchoRequest) returns (EchoAnswer);
  rpc Chat(stream EchoRequest) returns (stream Line);
  rpc Raw(google.protobuf.Struct) returns (google.protobuf.Empty);
}
"#;

const PARTS: &str = r#"syntax = "proto3";
package parts;
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }
message Inner { string name = 1; int64 size = 2; }
message Node { string text = 1; repeated Node children = 2; }
"#;

/// A folder with the descriptors of the shop in `api.binpb`, and leave to call this machine.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("shop.proto", SHOP);
    write("parts.proto", PARTS);
    write("orchestra.toml", "[development]\nallow_loopback = true\n");
    let mut compiler = protox::Compiler::new([folder.path()]).unwrap();
    compiler.include_imports(true).open_file("shop.proto").unwrap();
    fs::write(folder.path().join("api.binpb"), compiler.encode_file_descriptor_set()).unwrap();
    folder
}

/// The shop on grpcio; without `services`, without reflection.
fn shop(folder: &TempDir, services: &[&str]) -> Peer {
    let descriptors = folder.path().join("api.binpb");
    let args: Vec<&str> =
        std::iter::once(descriptors.to_str().unwrap()).chain(services.iter().copied()).collect();
    Peer::start("ORCH_CLIENTS_PYTHON", "venv-clients", "reflecting_server", &args)
}

/// How a command ended: its code, and what it said.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self
    }

    fn is_refused(&self, code: &str, words: &str) {
        assert!(self.err.contains(&format!("error[{code}]")), "{self:?}");
        assert!(self.err.contains(words), "{self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
    }
}

fn run(folder: &Path, args: &[&str]) -> Ended {
    let output = Command::new(orch())
        .current_dir(folder)
        .args(args)
        .env_remove("ORCHESTRA_CONFIG")
        .env_remove("ORCHESTRA_SERVER")
        .env("ORCHESTRA_KEYS", folder.join(".vault/keys.age"))
        .env("SHOP_KEY", "stand-in-key-0123456789")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn grpc(peer: &Peer) -> String {
    peer.origin.replace("http://", "grpc://")
}

#[test]
fn a_server_that_describes_itself_is_called() {
    let folder = folder();
    let peer = shop(&folder, &["shop.v1.Shop"]);
    let address = grpc(&peer);
    let add = ["ledger", "add", &address, "--netuid", "7"];
    let added = run(folder.path(), &[&add[..], &["--json"]].concat()).succeeds().json();
    assert_eq!((&added["new"], &added["refused"]), (&json!(3), &json!(3)), "{added}");
    let of = |id: &str| {
        let operations = added["operations"].as_array().unwrap();
        operations.iter().find(|operation| operation["operation"] == id).unwrap().clone()
    };
    for id in ["sn7.upload", "sn7.chat", "sn7.raw"] {
        assert_eq!((&of(id)["filed"], &of(id)["refusal"]["code"]), (&json!("refused"), &json!("E1261")));
    }
    assert_eq!(of("sn7.echo")["call"], "gRPC /shop.v1.Shop/Echo");
    let guessed =
        |id: &str, field: &str| of(id)["notes"].as_array().unwrap().iter().any(|note| note["field"] == field);
    assert!(!guessed("sn7.echo", "side_effects"), "the method says it");
    assert!(guessed("sn7.keyed_echo", "side_effects") && guessed("sn7.echo", "auth"));
    let again = run(folder.path(), &add).succeeds();
    assert!(again.out.ends_with("0 new, 0 raised, 3 unchanged, 3 refused\n"), "{}", again.out);
    let shown = run(folder.path(), &["ledger", "show", "sn7.echo"]).succeeds().out;
    for says in [
        "text: String?",
        "color: Color?",
        "counts: {String: Int(-2147483648..2147483647)}?",
        "at: Time?",
        "raw: Bytes?",
        "gRPC http://127.0.0.1",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }

    let everything = json!({
        "text": "a", "big": 9_007_199_254_740_993_i64, "unsigned": 7, "ratio": 0.5, "flag": true, "raw": "AAE=",
        "color": "COLOR_RED", "inner": { "name": "n", "size": -1 }, "tags": ["x", "y"], "counts": { "k": 3 },
        "right": { "name": "r" }, "maybe": 0, "at": "2026-01-02T03:04:05Z", "span": "1.500s",
        "extra": { "deep": [1.0, null, { "a": "b" }] }, "note": "n",
        "any": { "@type": "type.googleapis.com/shop.v1.Line", "text": "inside" },
        "tree": { "text": "root", "children": [{ "text": "leaf" }] }, "small": -5,
    });
    let call = ["call", "--max-cost", "0USD", "sn7.echo", "--json", "--args", &everything.to_string()];
    let answer = run(folder.path(), &call).succeeds().json()["result"].clone();
    let mut expected = everything.clone();
    expected["right"]["size"] = json!(0);
    expected["tree"]["children"] = json!([{ "text": "leaf", "children": [] }]);
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&answer[name], value, "{name}");
    }
    let bare =
        run(folder.path(), &["call", "--max-cost", "0USD", "sn7.echo", "--json"]).succeeds().json()["result"]
            .clone();
    assert_eq!(
        (&bare["text"], &bare["tags"], &bare["color"]),
        (&json!(""), &json!([]), &json!("COLOR_UNSPECIFIED"))
    );
    assert!(
        bare.get("maybe").is_none_or(Json::is_null) && bare.get("left").is_none_or(Json::is_null),
        "{bare}"
    );
    let both = run(
        folder.path(),
        &["call", "--max-cost", "0USD", "sn7.echo", "left=a", "right:={\"name\":\"b\",\"size\":1}"],
    );
    both.is_refused("E1112", "");
    let streamed =
        run(folder.path(), &["call", "--max-cost", "0USD", "sn7.get_tags", "tags:=[\"x\",\"y\"]", "--json"])
            .succeeds();
    assert_eq!(streamed.json()["result"], json!([{ "text": "x" }, { "text": "y" }]));
}

#[test]
fn how_a_key_is_sent_is_said_once() {
    let folder = folder();
    let peer = shop(&folder, &["shop.v1.Shop"]);
    let address = grpc(&peer);
    fs::write(
        folder.path().join("orchestra.toml"),
        format!(
            "[development]\nallow_loopback = true\n[secrets.sn7]\norigin = \"{}\"\nenv = \"SHOP_KEY\"\n",
            peer.origin
        ),
    )
    .unwrap();
    let add = ["ledger", "add", &address, "--netuid", "7", "--only", "keyed_echo"];
    run(folder.path(), &[&add[..], &["--key-header", "Authorization: Bearer <key>"]].concat()).succeeds();
    let call = ["call", "sn7.keyed_echo", "text=hello", "--json", "--max-cost", "0.01USD"];
    assert_eq!(run(folder.path(), &call).succeeds().json()["result"]["text"], "hello");
    let again = run(folder.path(), &add).succeeds();
    assert!(
        again.out.ends_with("0 new, 0 raised, 1 unchanged\n"),
        "no descriptors say it, so it stays: {}",
        again.out
    );
    let wrong = run(folder.path(), &[&add[..], &["--key-header", "Bearer <key>"]].concat());
    assert!(wrong.code == Some(2) && wrong.err.contains("<key>"), "{wrong:?}");
}

/// tonic's reflection gives a file at a time, and version 1.
#[test]
fn our_own_server_is_added_like_any_other() {
    let folder = folder();
    let own = tempfile::tempdir().unwrap();
    let server = Orch::serve(own.path());
    let address = format!("grpc://{}", server.address);
    let add =
        ["ledger", "add", &address, "--netuid", "7", "--json", "--only", "/orchestra.v1.LedgerService/*"];
    let added = run(folder.path(), &add).succeeds().json();
    assert!(added["new"].as_u64().unwrap() >= 8, "{added}");
    let called = run(
        folder.path(),
        &["call", "--max-cost", "0USD", "sn7.get_operation", "id=sn22.web_search", "--json"],
    )
    .succeeds();
    assert_eq!(called.json()["result"]["operation"]["id"], "sn22.web_search");
}

#[test]
fn a_file_of_descriptors_is_a_document() {
    let folder = folder();
    let add = ["ledger", "add", "api.binpb", "--netuid", "7", "--only", "echo"];
    let dry = run(folder.path(), &[&add[..], &["--dry-run", "--json"]].concat()).succeeds().json();
    let reason = dry["operations"][0]["not_callable_reason"].as_str().unwrap();
    assert!(reason.contains("[endpoints]"), "{reason}");
    let peer = shop(&folder, &[]);
    run(folder.path(), &[&add[..], &["--base-url", &grpc(&peer)]].concat()).succeeds();
    let called =
        run(folder.path(), &["call", "--max-cost", "0USD", "sn7.echo", "text=a", "--json"]).succeeds();
    assert_eq!(called.json()["result"]["text"], "a");
    run(folder.path(), &["ledger", "add", "shop.proto", "--netuid", "7"]).is_refused("E1262", "protoc");
    let bytes = fs::read(folder.path().join("api.binpb")).unwrap();
    fs::write(folder.path().join("half.binpb"), &bytes[..bytes.len() / 2]).unwrap();
    run(folder.path(), &["ledger", "add", "half.binpb", "--netuid", "7"])
        .is_refused("E1262", "FileDescriptorSet");
}

#[test]
fn what_does_not_describe_itself_is_told_apart() {
    let folder = folder();
    let path = folder.path();
    let add = |address: &str| run(path, &["ledger", "add", address, "--netuid", "7"]);
    let silent = shop(&folder, &[]);
    add(&grpc(&silent)).is_refused("E1544", "has no reflection");
    add(&silent.origin.replace("http://", "grpcs://")).is_refused("E1543", "`grpc://`");

    // A web page, and what a TLS server says to a greeting that is none of TLS.
    let page = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let alert = b"\x15\x03\x03\x00\x02\x02\x46";
    for says in [&page[..], &alert[..]] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("grpc://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut greeting = [0; 24];
            stream.read_exact(&mut greeting).unwrap();
            // The client may have gone at the first byte.
            let _ = stream.write_all(says);
        });
        add(&address).is_refused("E1543", "does not speak gRPC");
        server.join().unwrap();
    }
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    add(&format!("grpc://{unused}")).is_refused("E1540", "no connection");

    fs::write(path.join("orchestra.toml"), "").unwrap();
    add(&grpc(&silent)).is_refused("E1101", "allow_loopback");
    add("grpcs://169.254.169.254").is_refused("E1101", "");
    assert!(!path.join(".orchestra").exists(), "nothing was written");
}

#[test]
fn a_server_with_tls_is_judged_by_its_certificate() {
    let folder = folder();
    let path = folder.path();
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(path.join("server.pem"), certificate.pem()).unwrap();
    fs::write(path.join("server.key"), key.serialize_pem()).unwrap();
    fs::write(path.join("ca.pem"), root).unwrap();
    let peer = shop(&folder, &["shop.v1.Shop"]);
    let address = peer.origin.replace("http://", "grpcs://");
    let add = |address: &str| run(path, &["ledger", "add", address, "--netuid", "7", "--only", "echo"]);
    add(&address).is_refused("E1543", "no TLS connection");
    add(&address.replace("grpcs://", "grpc://")).is_refused("E1543", "`grpcs://`");
    fs::write(
        path.join("orchestra.toml"),
        "[development]\nallow_loopback = true\nextra_roots = [\"ca.pem\"]\n",
    )
    .unwrap();
    add(&address).succeeds();
    let called = run(path, &["call", "--max-cost", "0USD", "sn7.echo", "text=a", "--json"]).succeeds();
    assert_eq!(called.json()["result"]["text"], "a");
}

/// Whatever a server says, it is read up to the limit of the way out and no further.
#[tokio::test]
async fn descriptors_beyond_the_limit_are_not_read() {
    let folder = folder();
    let peer = shop(&folder, &["shop.v1.Shop"]);
    let policy = EgressPolicy { allow_loopback: true, allow_private: false };
    let within =
        |body_bytes_max| Egress::new(Options { policy, body_bytes_max, ..Options::default() }).unwrap();
    let patient = Duration::from_secs(60);
    let whole = within(1 << 20).reflect(&peer.origin, patient).await.unwrap();
    assert_eq!(within(1 << 20).reflect(&peer.origin, patient).await.unwrap(), whole, "the same bytes again");
    // The list of services is small, the descriptors are not.
    let refused = within(whole.len() / 2).reflect(&peer.origin, patient).await.unwrap_err();
    let ReflectionError::Exchange(ExchangeError::BodyTooLarge { limit }) = refused else {
        panic!("{refused}")
    };
    assert_eq!(limit, whole.len() / 2);
}

#[test]
fn a_message_that_no_entry_can_hold_is_refused_alone() {
    let folder = folder();
    let fields: String =
        (1..1_000).map(|n| format!("string a_field_with_a_long_name_{n} = {n};\n")).collect();
    let parts: String = (1..10).map(|n| format!("message Part{n} {{ {fields} }}\n")).collect();
    let huge: String = (1..10).map(|n| format!("Part{n} part{n} = {n}; ")).collect();
    let proto = format!(
        "syntax = \"proto3\"; package huge; {parts} message Huge {{ {huge} }} message Small {{ string text = 1; }} \
         service S {{ rpc GetHuge(Small) returns (Huge); rpc GetSmall(Small) returns (Small); }}"
    );
    fs::write(folder.path().join("shop.proto"), proto).unwrap();
    let mut compiler = protox::Compiler::new([folder.path()]).unwrap();
    compiler.open_file("shop.proto").unwrap();
    fs::write(folder.path().join("api.binpb"), compiler.encode_file_descriptor_set()).unwrap();
    let peer = shop(&folder, &["huge.S"]);
    let added =
        run(folder.path(), &["ledger", "add", &grpc(&peer), "--netuid", "7", "--json"]).succeeds().json();
    let row = |id: &str| {
        let rows = added["operations"].as_array().unwrap();
        rows.iter().find(|row| row["operation"] == id).unwrap().clone()
    };
    assert_eq!(row("sn7.get_huge")["refusal"]["code"], "E1251");
    assert_eq!(row("sn7.get_small")["filed"], "new");
}
