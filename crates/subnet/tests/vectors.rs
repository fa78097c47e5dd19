//! The vectors that the real SDK made (`tests/peers/vectors`): addresses, signatures, hashes, requests, key files.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};
use sha3::{Digest as _, Sha3_256};
use subnet::hotkey::{self, Hotkey};
use subnet::{axon, python, ss58};

fn vector(name: &str) -> Value {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "peers", "vectors", name].iter().collect();
    serde_json::from_slice(&std::fs::read(&path).expect("vector file")).expect("JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("text field {name}"))
}

fn rows<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).unwrap_or_else(|| panic!("list {name}"))
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.strip_prefix("0x").unwrap_or(hex).as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn addresses_decode_and_encode_as_the_wallet_does() {
    let file = vector("ss58.json");
    for row in rows(&file, "valid") {
        let key: [u8; 32] = bytes(text(row, "public_key")).try_into().unwrap();
        assert_eq!(ss58::encode(&key), text(row, "ss58"));
        assert_eq!(ss58::decode(text(row, "ss58")), Ok(key));
    }
    for row in rows(&file, "invalid") {
        assert!(ss58::decode(text(row, "ss58")).is_err(), "{row}");
    }
    // Wrong in every single place, and in alphabet and length.
    let good = text(&rows(&file, "valid")[0], "ss58");
    for at in 0..good.len() {
        for wrong in ["1", "z", "0", "é"] {
            let mut bad = good.to_owned();
            bad.replace_range(at..=at, wrong);
            assert!(bad == good || ss58::decode(&bad).is_err(), "{bad}");
        }
    }
    assert!(ss58::decode("").is_err());
    assert!(ss58::decode(&good.repeat(1_000)).is_err());
}

#[test]
fn signatures_of_the_sdk_verify_and_altered_ones_do_not() {
    let file = vector("sr25519.json");
    for row in rows(&file, "cases") {
        let key: [u8; 32] = bytes(text(row, "public_key")).try_into().unwrap();
        let signature: [u8; 64] = bytes(text(row, "signature")).try_into().unwrap();
        let message = bytes(text(row, "message_hex"));
        let valid = row["valid"].as_bool().unwrap();
        assert_eq!(hotkey::verify(&key, &message, &signature), valid, "{row}");
        if !valid {
            continue;
        }
        let mut altered = signature;
        altered[5] ^= 1;
        assert!(!hotkey::verify(&key, &message, &altered));
    }
}

#[test]
fn python_texts_are_rebuilt_from_json() {
    for row in rows(&vector("python_repr.json"), "cases") {
        let value: Value = serde_json::from_str(text(row, "json")).unwrap();
        let python = python::str_of(&value);
        assert_eq!(python, text(row, "python_str"), "{row}");
        assert_eq!(Sha3_256::digest(&python).as_slice(), bytes(text(row, "sha3_256")));
    }
}

#[test]
fn body_hashes_are_those_of_the_sdk() {
    for row in rows(&vector("body_hash.json"), "cases") {
        let fields: Vec<Value> = rows(row, "preimages").to_vec();
        // The pre-images are texts, and the hash of a text is the hash of the value it shows.
        assert_eq!(axon::body_hash(&fields), text(row, "body_hash"), "{row}");
        let named: Vec<&Value> = rows(row, "required_hash_fields")
            .iter()
            .map(|name| row["fields"].get(name.as_str().unwrap()).unwrap_or(&Value::Null))
            .collect();
        // A default is not in `fields`, and an integer in a float field is hashed as a float: the schema knows both.
        let complete =
            named.iter().zip(&fields).all(|(value, shown)| python::str_of(value) == shown.as_str().unwrap());
        if complete {
            assert_eq!(axon::body_hash(named), text(row, "body_hash"), "{row}");
        }
    }
}

#[test]
fn requests_have_the_headers_a_real_dendrite_sends() {
    let file = vector("axon_request.json");
    let keys = vector("keyfile_v10.json");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("validator");
    write_private(&path, text(&keys["files"]["vec/coldkey"], "text"));
    // The captured requests were signed by //Validator, whose key this development file holds.
    let validator = Hotkey::load(&path).unwrap();
    let mut checked = 0;
    for row in rows(&file, "requests") {
        let captured: Vec<(&str, &str)> = rows(row, "wire_headers")
            .iter()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let of = |name: &str| captured.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let body: Map<String, Value> = serde_json::from_str(text(row, "wire_body")).unwrap();
        let signed = signed_fields(text(row, "synapse"));
        let required: Vec<String> = captured
            .iter()
            .filter_map(|(name, _)| name.strip_prefix("bt_header_input_obj_").map(str::to_owned))
            .collect();
        let envelope = axon::Envelope {
            synapse: text(row, "synapse"),
            receiver: of("bt_header_axon_hotkey").unwrap(),
            nonce: 1_790_000_000_000_000_000,
            uuid: text(&file, "uuid"),
            timeout: Duration::from_secs(12),
        };
        let ours = axon::headers(&envelope, &body, &required, &signed, &validator).unwrap();
        for (name, value) in &ours {
            if name == "bt_header_dendrite_signature" {
                let signature: [u8; 64] = bytes(value.to_str().unwrap()).try_into().unwrap();
                let message = text(row, "signed_message").as_bytes();
                assert!(hotkey::verify(&validator.public_key(), message, &signature), "{row}");
            } else {
                let expected = captured.iter().find(|(own, _)| name == own.to_ascii_lowercase().as_str());
                assert_eq!(value.to_str().ok(), expected.map(|(_, value)| *value), "{name} of {row}");
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 8);
}

fn signed_fields(synapse: &str) -> Vec<String> {
    let names: &[&str] = match synapse {
        "WebSearch" => &["query", "count"],
        "UrlExtract" => &["urls", "keywords", "limit"],
        "TextGeneration" => &["messages", "temperature", "max_tokens", "seed"],
        "StructuredGeneration" => &["prompt", "response_schema"],
        _ => &[],
    };
    names.iter().map(|&name| name.to_owned()).collect()
}

fn write_private(path: &std::path::Path, content: impl AsRef<[u8]>) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, content.as_ref()).unwrap();
}

#[test]
fn plain_key_files_of_both_wallet_versions_load() {
    let folder = tempfile::tempdir().unwrap();
    let mut loaded = 0;
    for name in ["keyfile_v10.json", "keyfile_v11.json"] {
        for (index, (file, content)) in vector(name)["files"].as_object().unwrap().iter().enumerate() {
            let Some(content) = content.get("text").and_then(Value::as_str) else { continue };
            let path = folder.path().join(format!("{name}{index}"));
            write_private(&path, content);
            let known: Value = serde_json::from_str(content).unwrap_or_default();
            match Hotkey::load(&path) {
                Ok(key) => {
                    assert_eq!(key.address(), text(&known, "ss58Address"), "{file}");
                    let signature = key.sign(b"message");
                    assert!(hotkey::verify(&key.public_key(), b"message", &signature));
                    loaded += 1;
                }
                Err(error) => {
                    let has_secret = known.get("privateKey").is_some() || known.get("secretSeed").is_some();
                    let sr25519 = known.get("cryptoType").and_then(Value::as_u64) == Some(1);
                    assert!(!(has_secret && sr25519), "{file}: {error}");
                }
            }
        }
    }
    assert!(loaded >= 4, "{loaded}");
}

#[test]
fn an_encrypted_key_file_opens_with_its_passphrase_only() {
    let file = vector("keyfile_v11.json");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encrypted");
    let sealed = bytes(text(&file, "encrypted_hex"));
    write_private(&path, &sealed);
    assert!(matches!(Hotkey::load(&path), Err(hotkey::Error::Encrypted { .. })));
    let passphrase = SecretString::from(text(&file, "password"));
    let plain: Value = serde_json::from_str(text(&file, "plaintext_utf8")).unwrap();
    let key = Hotkey::load_encrypted(&path, &passphrase).unwrap();
    assert_eq!(key.address(), text(&plain, "ss58Address"));
    let wrong = Hotkey::load_encrypted(&path, &SecretString::from("canary-passphrase")).unwrap_err();
    assert!(matches!(wrong, hotkey::Error::Passphrase { .. }) && wrong.code() == "E1107");
    assert!(!format!("{wrong} {wrong:?}").contains("canary"));
    // Cut short, it is no box at all.
    let short = folder.path().join("short");
    write_private(&short, &sealed[..20]);
    assert!(matches!(Hotkey::load_encrypted(&short, &passphrase), Err(hotkey::Error::Passphrase { .. })));
    // A plain file needs no passphrase, whoever offers one; the ways of old wallets are not read.
    let plain = folder.path().join("plain");
    write_private(&plain, text(&file, "plaintext_utf8"));
    assert_eq!(Hotkey::load_encrypted(&plain, &passphrase).unwrap().address(), key.address());
    for (index, old) in ["$ANSIBLE_VAULT;1.1;AES256\n00", "gAAAAABcanary"].iter().enumerate() {
        let path = folder.path().join(format!("old{index}"));
        write_private(&path, old);
        let error = Hotkey::load(&path).unwrap_err().to_string();
        assert!(error.contains("encrypted in an old way") && !error.contains("canary"), "{error}");
    }
}

#[test]
fn a_coldkey_is_never_opened_by_whatever_name() {
    let folder = tempfile::tempdir().unwrap();
    let content = text(&vector("keyfile_v10.json")["files"]["vec/coldkey"], "text").to_owned();
    for name in ["coldkey", "coldkeypub.txt"] {
        let path = folder.path().join(name);
        write_private(&path, &content);
        let link = folder.path().join(format!("hotkey-{name}"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for path in [path, link] {
            for error in [Hotkey::load(&path), Hotkey::load_encrypted(&path, &SecretString::from("x"))] {
                let error = error.unwrap_err();
                assert_eq!(error.code(), "E1118", "{error}");
                assert!(matches!(error, hotkey::Error::Coldkey { .. }));
            }
        }
    }
}

#[test]
fn a_saved_hotkey_is_private_loads_again_and_is_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("default");
    let key = Hotkey::generate().unwrap();
    key.save(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = Hotkey::load(&path).unwrap();
    assert_eq!(again.address(), key.address());
    assert!(hotkey::verify(&key.public_key(), b"x", &again.sign(b"x")));
    assert!(Hotkey::generate().unwrap().save(&path).is_err());
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    assert!(matches!(Hotkey::load(&path), Err(hotkey::Error::Permissions { mode: 0o640, .. })));
    let content = std::fs::read_to_string(&path).unwrap();
    let private = serde_json::from_str::<Value>(&content).unwrap();
    let private = text(&private, "privateKey");
    for shown in [format!("{key:?}"), format!("{:?}", Hotkey::load(&path))] {
        assert!(!shown.contains(private.get(2..).unwrap()));
    }
}

#[test]
fn a_key_file_that_contradicts_itself_is_refused_without_showing_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let seed = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
    let other = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    for (index, content) in [
        format!(r#"{{"secretSeed":"0x{seed}","ss58Address":"{other}","cryptoType":1}}"#),
        format!(r#"{{"secretSeed":"0x{seed}","cryptoType":0}}"#),
        format!(r#"{{"secretSeed":"0x{seed}00"}}"#),
        format!(r#"{{"privateKey":"0x{seed}"}}"#),
        format!(r#"{{"secretSeed":"{seed}""#),
        "{}".into(),
        "x".repeat(17 << 10),
    ]
    .iter()
    .enumerate()
    {
        let path = folder.path().join(index.to_string());
        write_private(&path, content);
        let error = Hotkey::load(&path).expect_err(content);
        assert!(matches!(error, hotkey::Error::Malformed { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("fac7959d"), "{error}");
    }
}
