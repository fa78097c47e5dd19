use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde_json::json;

use super::*;
use crate::grpc::json_of;
use crate::pieces;

const PROTO: &str = r#"syntax = "proto3"; package peer.v1;
    import "google/protobuf/any.proto";
    import "google/protobuf/struct.proto";
    import "google/protobuf/wrappers.proto";
    message Inner { string name = 1; uint32 index = 2; Inner inner = 3; }
    message Row {
        string plain = 1;
        optional string note = 2;
        repeated string tags = 3;
        Inner inner = 4;
        repeated Inner rows = 5;
        map<string, string> words = 6;
        map<sint32, Inner> numbered = 7;
        google.protobuf.Value any = 8;
        google.protobuf.StringValue word = 9;
        google.protobuf.Any other = 10;
        repeated google.protobuf.Value list = 11;
        bytes data = 12;
        uint64 size = 13;
        repeated fixed32 counts = 14;
        double ratio = 15;
        map<bool, google.protobuf.Struct> flags = 16;
    }"#;

fn row() -> MessageDescriptor {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rows.proto"), PROTO).unwrap();
    let set = protox::compile(["rows.proto"], [folder.path()]).unwrap();
    let pool = prost_reflect::DescriptorPool::decode(set.encode_to_vec().as_slice()).unwrap();
    pool.get_message_by_name("peer.v1.Row").unwrap()
}

/// A message of this JSON, and its bytes.
fn encoded(row: &MessageDescriptor, json: &Value) -> (DynamicMessage, Vec<u8>) {
    let message = DynamicMessage::deserialize(row.clone(), json).unwrap();
    let bytes = message.encode_to_vec();
    (message, bytes)
}

/// A field of bytes, by its number.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn texts(value: &Value) -> Vec<String> {
    pieces::joined([value]).filter(|text| !text.is_empty()).collect()
}

#[test]
fn what_is_cut_off_is_read_as_far_as_it_goes() {
    let row = row();
    for (whole, cut, read) in [
        (json!({ "plain": "a-key" }), 2, json!({ "plain": "a-k" })),
        (json!({ "tags": ["x", "a-key"] }), 2, json!({ "tags": ["x", "a-k"] })),
        (
            json!({ "rows": [{ "name": "x" }, { "name": "a-key" }] }),
            2,
            json!({
                "rows": [{ "index": 0, "name": "x" }, { "index": 0, "name": "a-k" }],
            }),
        ),
        (
            json!({ "inner": { "inner": { "name": "a-key" } } }),
            1,
            json!({
                "inner": { "index": 0, "inner": { "index": 0, "name": "a-ke" } },
            }),
        ),
        (json!({ "words": { "k": "a-key" } }), 2, json!({ "words": { "k": "a-k" } })),
        (json!({ "words": { "a-key": "" } }), 2, json!({ "words": { "a-k": null } })),
        (
            json!({ "numbered": { "-2": { "name": "a-key" } } }),
            1,
            json!({
                "numbered": { "-2": { "index": 0, "name": "a-ke" } },
            }),
        ),
        (json!({ "word": "a-key" }), 1, json!({ "word": "a-ke" })),
        (json!({ "any": { "k": ["a-key"] } }), 1, json!({ "any": { "k": ["a-ke"] } })),
        (json!({ "list": ["x", "a-key"] }), 1, json!({ "list": ["x", "a-ke"] })),
        (
            json!({ "other": { "@type": "type.googleapis.com/peer.v1.Inner", "name": "a-key" } }),
            1,
            json!({
                "other": { "@type": "type.googleapis.com/peer.v1.Inner", "index": 0, "name": "a-ke" },
            }),
        ),
    ] {
        let (_, bytes) = encoded(&row, &whole);
        assert_eq!(value(&row, &bytes[..bytes.len() - cut]), read, "{whole}");
    }
    assert_eq!(value(&row, &[]), json!({}));
}

#[test]
fn what_is_no_text_keeps_what_it_has_and_what_cannot_be_told_ends_it() {
    let row = row();
    let key = field(1, b"a-key");
    for (rest, why) in [
        (&[15][..], "no type"),
        (&[0, 1, b'x'], "the number 0"),
        (&[0xff; 11], "a tag without an end"),
        (&[4 << 3 | 2, 0xff], "a length without an end"),
        (&[13 << 3], "a number that is not there"),
        (&[15 << 3 | 1, 0], "half a number"),
        (&[1 << 3 | 4], "the end of nothing"),
    ] {
        assert_eq!(value(&row, &[&key, rest].concat()), json!({ "plain": "a-key" }), "{why}");
    }
    assert_eq!(value(&row, &field(1, b"a-k\xc3")), json!({ "plain": "a-k\u{fffd}" }));
    assert_eq!(value(&row, &[field(3, b"\xff-key"), key.clone()].concat())["tags"], json!(["\u{fffd}-key"]));
    // What nobody knows, or knows as something else, is passed over: here a group within a group.
    let unknown = [&[0xfb, 0x07][..], &[0xfb, 0x07], &field(1, b"x"), &[0xfc, 0x07], &[0xfc, 0x07]].concat();
    assert_eq!(value(&row, &[&unknown, &[1 << 3, 7][..], &key].concat()), json!({ "plain": "a-key" }));
    // A message that cannot be read to its end leaves the next where it is.
    let inner = |name: &[u8]| [&field(1, name)[..], &[15]].concat();
    let rows = [field(5, &inner(b"a")), field(5, &inner(b"b"))].concat();
    assert_eq!(texts(&value(&row, &rows)), ["ab"]);
    // Of what comes twice the last counts, and a message is made of both.
    let twice = [key, field(1, b"b"), field(4, &field(1, b"n")), field(4, &[2 << 3, 3])].concat();
    assert_eq!(value(&row, &twice), json!({ "plain": "b", "inner": { "name": "n", "index": 3 } }));
}

#[test]
fn messages_inside_each_other_end_at_some_depth_and_nothing_is_made_of_nothing() {
    let row = row();
    let mut deep = field(1, b"x");
    for _ in 0..5_000 {
        let mut outer = vec![3 << 3 | 2];
        prost::encode_length_delimiter(deep.len(), &mut outer).unwrap();
        outer.extend_from_slice(&deep);
        deep = outer;
    }
    deep[0] = 4 << 3 | 2;
    assert!(texts(&value(&row, &deep)).is_empty());
    // Groups that begin and never end.
    assert_eq!(value(&row, &vec![4 << 3 | 3; 1 << 20])["plain"], json!(null));
    // A length that promises megabytes makes none.
    let Value::Object(members) = value(&row, &[4 << 3 | 2, 0xff, 0xff, 0xff, 0x03]) else { panic!() };
    assert_eq!(Value::Object(members), json!({ "inner": { "index": 0 } }));
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![".{0,6}", "[a-z]{1,4}"]
}

fn message() -> impl Strategy<Value = Value> {
    let inner = (word(), any::<u32>(), word())
        .prop_map(|(name, index, deep)| json!({ "name": name, "index": index, "inner": { "name": deep } }));
    let rows = prop::collection::vec(inner, 0..4);
    let words = prop::collection::btree_map(word(), word(), 0..4);
    let lists = (prop::collection::vec(word(), 0..4), prop::collection::vec(any::<u32>(), 0..4));
    (rows, words, lists, word(), any::<i32>(), any::<bool>(), any::<u64>()).prop_map(
        |(rows, words, (tags, counts), text, number, flag, size)| {
            let inner = rows.first().cloned().unwrap_or_else(|| json!({}));
            let mut other = inner.clone();
            other["@type"] = "type.googleapis.com/peer.v1.Inner".into();
            json!({
                "plain": text, "note": text, "tags": tags, "inner": inner, "rows": rows, "words": words,
                "numbered": { number.to_string(): inner }, "any": { "k": [text, null, 1.5, { "l": flag }] },
                "word": text, "other": other, "list": [text, tags], "data": BASE64.encode(&text), "size": size,
                "counts": counts, "ratio": 0.5, "flags": { flag.to_string(): { "s": text } },
            })
        },
    )
}

proptest! {
    #[test]
    fn anything_is_read_to_its_end(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
        let row = row();
        let _ = value(&row, &bytes);
        let likely = b"\x0a\x12\x1a\x22\x2a\x32\x3a\x42\x52\x03\x08\x23\x24\x5a\x00\xff";
        let likely: Vec<u8> = bytes.iter().map(|byte| likely[usize::from(byte % 16)]).collect();
        let _ = value(&row, &likely);
    }

    #[test]
    fn a_whole_message_has_its_texts_and_half_of_one_their_beginnings(json in message(), cut in any::<prop::sample::Index>()) {
        let row = row();
        let (message, bytes) = encoded(&row, &json);
        let whole = json_of(&message).unwrap();
        prop_assert_eq!(texts(&value(&row, &bytes)), texts(&whole));
        // No text of half a message is longer than what has been read of it.
        let half = value(&row, &bytes[..cut.index(bytes.len())]);
        let size = |value: &Value| texts(value).iter().map(String::len).sum::<usize>();
        prop_assert!(size(&half) <= size(&whole) + 3, "{half} of {whole}");
    }
}
