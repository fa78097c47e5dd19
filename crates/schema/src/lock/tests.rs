use serde_json::json;

use super::*;
use crate::amount::{Amount, Currency};
use crate::hash::Context;
use crate::operation::AdapterDescriptor;
use crate::operation::OperationDescriptor;

fn operation(id: &str) -> OperationDescriptor {
    serde_json::from_value(json!({
        "id": id, "netuid": 22, "version": { "breaking": 1, "compatible": 2 }, "summary": "Search.",
        "transport": { "kind": "http", "method": "POST", "base_url": "https://a.example", "path": "/s", "response": "json",
            "fixed_body": { "stream": false, "none": null } },
        "access": "key", "auth": { "kind": "header", "name": "Authorization", "format": "<key>" },
        "side_effects": "metered", "repeat": { "safe": true, "costs_again": true },
        "input": { "type": "object", "properties": { "share": { "type": "number", "maximum": 0.5, "minimum": -1 } } },
        "output": { "enum": [null, "a"], "default": null }, "output_complete": true,
        "price": { "kind": "per_call", "amount": { "units": 4000, "currency": "micro_usd" } }, "sources": [],
    }))
    .unwrap()
}

fn capability(name: &str, operations: &[&str]) -> CapabilityDescriptor {
    let adapters = operations.iter().map(|id| AdapterDescriptor {
        operation: (*id).into(),
        source: format!("adapter {id} as {name} {{}}"),
    });
    CapabilityDescriptor {
        name: name.into(),
        version: Version::FIRST,
        summary: String::new(),
        source: format!("capability {name}() -> Int"),
        adapters: adapters.collect(),
    }
}

fn sample() -> Lock {
    let operations = ["sn22.web_search", "sn13.search"].map(operation);
    let rate = Some(Rate { micro_usd_per_tao: 300_000_000 });
    let capabilities = [capability("web_search", &["sn22.web_search", "sn13.search"])];
    Lock::pin(Hash([7; 32]), rate, operations, capabilities).unwrap()
}

#[test]
fn entries_have_one_spelling() {
    let entry = operation("sn22.web_search");
    let bytes = entry_bytes(&entry).unwrap();
    assert_eq!(operation_from_entry(&bytes).unwrap(), entry);
    // The same facts, laid out in another order.
    let reversed = json!({ "properties": { "share": { "minimum": -1, "maximum": 0.5, "type": "number" } }, "type": "object" });
    let again = OperationDescriptor { input: reversed, ..entry.clone() };
    assert_eq!(entry_bytes(&again).unwrap(), bytes);
    // Another fact is another hash.
    let mut other = entry.clone();
    other.output = json!({ "enum": [null, "a"] });
    assert_ne!(entry_hash(&other).unwrap(), entry_hash(&entry).unwrap());
    let mut deep = entry;
    deep.input = (0..70).fold(json!({}), |inner, _| json!({ "items": inner }));
    assert_eq!(entry_bytes(&deep).unwrap_err().code, "E0604");
}

#[test]
fn operations_that_cannot_be_called_are_left_out_of_a_capability() {
    let whole = sample();
    let mut fewer = whole.to_lockfile();
    fewer.operations.retain(|pin| pin.id == "sn22.web_search");
    fewer.capabilities[0].operations.retain(|id| id == "sn22.web_search");
    let (_, bodies) = whole.to_parts().unwrap();
    let lock = Lock::assemble(&fewer.to_toml(), &bodies).unwrap();
    assert_eq!(lock.to_lockfile(), fewer);
    let (text, own) = lock.to_parts().unwrap();
    assert_eq!((Lock::assemble(&text, &own), own.len()), (Ok(lock), 2));
    // What is pinned is never left out.
    fewer.operations = whole.to_lockfile().operations;
    assert_eq!(Lock::assemble(&fewer.to_toml(), &bodies).unwrap_err().code, "E0605");
}

#[test]
fn what_follows_from_an_entry_is_worked_out_once() {
    let lock = sample();
    let copy = lock.clone();
    let types = |lock: &Lock| std::ptr::from_ref(lock.operations["sn22.web_search"].types().unwrap());
    assert_eq!(types(&lock), types(&copy));
    // Of a lock that was read from the same parts it is worked out anew, and the locks are equal before and after.
    let (text, bodies) = lock.to_parts().unwrap();
    let again = Lock::assemble(&text, &bodies).unwrap();
    assert_eq!(again, lock);
    assert_ne!(types(&again), types(&lock));
    assert_eq!(again, lock);
}

#[test]
fn a_lock_survives_its_parts() {
    let lock = sample();
    let (text, bodies) = lock.to_parts().unwrap();
    assert_eq!(Lock::assemble(&text, &bodies), Ok(lock.clone()));
    let stirred = text.replace("\n[[operation]]", "\n\n# a remark\n[[operation]]");
    assert_eq!(
        Lock::assemble(&stirred, &bodies).map(|lock| lock.hash),
        Ok(lock.hash),
        "layout is not content"
    );
    let crlf = text.replace('\n', "\r\n");
    assert_eq!(Lock::assemble(&crlf, &bodies), Ok(lock.clone()), "a checkout may change the ends of lines");
    let reordered = {
        let (head, rest) = text.split_once("\n[[operation]]").unwrap();
        let (first, rest) = rest.split_once("\n[[operation]]").unwrap();
        let (second, rest) = rest.split_once("\n[[capability]]").unwrap();
        format!("{head}\n[[operation]]{second}\n[[operation]]{first}\n[[capability]]{rest}")
    };
    assert_eq!(Lock::assemble(&reordered, &bodies), Ok(lock));
    let empty = Lock::empty();
    let (text, bodies) = empty.to_parts().unwrap();
    assert_eq!(Lock::assemble(&text, &bodies), Ok(empty));
}

#[test]
fn the_text_is_for_people() {
    insta::assert_snapshot!(sample().to_lockfile().to_toml(), @r#"
    # What the plans here compiled against. Written by `orch lock update`; commit it with
    # orchestra.schemas/, which holds the pinned entries by hash. Do not edit it by hand.
    # sum: 3 pins, a368f3098cd999287e6de9cda0b22dc4b61c913a37e5945084868b558e67feed
    version = 1
    snapshot = "0707070707070707070707070707070707070707070707070707070707070707"
    rate = { micro_usd_per_tao = 300000000 }

    [[operation]]
    id = "sn13.search"
    version = { breaking = 1, compatible = 2 }
    entry = "dd6435cac7226cfe6fce9e3b64f2ad7f596f27b0c5771b3d6192ad8672b140c6"
    price = { amount = { currency = "micro_usd", units = 4000 }, kind = "per_call" }
    repeat = { costs_again = true, safe = true }
    access = "key"

    [[operation]]
    id = "sn22.web_search"
    version = { breaking = 1, compatible = 2 }
    entry = "2cf9ddf065e1a6ebcd3283ab189ba06a6bbd284140dede8e883b5e3f85547d15"
    price = { amount = { currency = "micro_usd", units = 4000 }, kind = "per_call" }
    repeat = { costs_again = true, safe = true }
    access = "key"

    [[capability]]
    name = "web_search"
    version = { breaking = 1, compatible = 0 }
    entry = "287ed22122043deced277e53fdf75662cd6ac6deee9c8cbcbaf50b4931345883"
    operations = ["sn22.web_search", "sn13.search"]
    "#);
}

#[test]
fn what_was_tampered_with_is_refused() {
    let lock = sample();
    let (text, bodies) = lock.to_parts().unwrap();
    let code = |text: &str, bodies: &LockBodies| Lock::assemble(text, bodies).unwrap_err().code;

    let mut missing = bodies.clone();
    missing.remove(&lock.operations["sn22.web_search"].hash());
    assert_eq!(code(&text, &missing), "E0602");

    for hash in bodies.keys() {
        let mut changed = bodies.clone();
        changed.get_mut(hash).unwrap().push(0);
        assert_eq!(code(&text, &changed), "E0603");
    }

    let entry = &lock.operations["sn22.web_search"];
    let (pinned, good) = (entry.hash(), String::from_utf8(entry.bytes().to_vec()).unwrap());
    for junk in [
        "{}".to_owned(),
        "no JSON".into(),
        // The same facts in another spelling, and a key twice: the reader takes the last, another may not.
        format!(" {good}"),
        good.replace("\"maximum\":0.5", "\"maximum\":7,\"maximum\":0.5"),
        good.replace("\"id\"", "\"more\":1,\"id\""),
    ] {
        assert_ne!(junk, good);
        let hash = Context::LedgerEntry.hash(&[junk.as_bytes()]);
        let mut with_junk = bodies.clone();
        with_junk.insert(hash, junk.clone().into_bytes());
        assert_eq!(
            code(&text.replace(&pinned.to_string(), &hash.to_string()), &with_junk),
            "E0604",
            "{junk}"
        );
    }

    for (from, to) in [
        ("units = 4000", "units = 1"),
        ("safe = true", "safe = false"),
        ("access = \"key\"", "access = \"open\""),
        ("compatible = 2", "compatible = 3"),
        ("id = \"sn13.search\"", "id = \"sn13.other\""),
        (
            "operations = [\"sn22.web_search\", \"sn13.search\"]",
            "operations = [\"sn13.search\", \"sn22.web_search\"]",
        ),
        ("operations = [\"sn22.web_search\", \"sn13.search\"]", "operations = [\"sn1.x\"]"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(code(&changed, &bodies), "E0605", "{from}");
    }

    assert_eq!(code(&text.replace("version = 1\n", "version = 2\nmore = 1\n"), &bodies), "E0606");
    let twice = format!(
        "{text}{}",
        text.split_once("\n[[capability]]").map(|(_, rest)| format!("\n[[capability]]{rest}")).unwrap()
    );
    assert_eq!(code(&twice, &bodies), "E0607");
    let alone = Lock::pin(Hash::default(), None, [], [capability("x", &["sn1.y"])]).unwrap_err();
    assert_eq!(alone.code, "E0607");
    let same = Lock::pin(Hash::default(), None, [operation("sn1.y"), operation("sn1.y")], []).unwrap_err();
    assert_eq!(same.code, "E0607");
}

#[test]
fn a_text_that_was_cut_off_or_edited_is_not_what_it_says() {
    let (text, bodies) = sample().to_parts().unwrap();
    let refusal = |text: &str| Lock::assemble(text, &bodies).unwrap_err();
    for section in ["\n[[operation]]\n", "\n[[capability]]\n"] {
        let (cut, _) = text.rsplit_once(section).unwrap();
        // What is left of a capability needs what was cut off before.
        let whole = cut.split("\n[[capability]]").next().unwrap();
        let error = refusal(whole);
        let pins = whole.matches("[[").count();
        let told =
            format!("orchestra.lock says that it has 3 pins, and has {pins}: it was cut off or edited");
        assert_eq!((error.code, error.message), ("E0609", told));
    }
    let none = text.split("\n[[operation]]").next().unwrap();
    assert!(refusal(none).message.contains("has 3 pins, and has 0"));
    for (from, to) in [
        ("snapshot = \"07", "snapshot = \"17"),
        ("micro_usd_per_tao = 300000000", "micro_usd_per_tao = 300000001"),
        ("# sum: 3 pins, ", "# sum: 3 pins, 0"),
        ("# sum: 3 pins, ", "# sum: some pins, "),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = refusal(&changed);
        let told = "orchestra.lock was edited: its sum is not that of what it holds";
        assert_eq!((error.code, error.message.as_str()), ("E0609", told), "{from}");
    }
}

#[test]
fn a_text_without_a_sum_is_read() {
    let lock = sample();
    let (text, bodies) = lock.to_parts().unwrap();
    let older: String =
        text.lines().filter(|line| !line.starts_with("# sum: ")).map(|line| format!("{line}\n")).collect();
    assert_ne!(older, text);
    assert_eq!(Lock::assemble(&older, &bodies), Ok(lock));
}

#[test]
fn broken_text_is_named_by_line_and_column() {
    let (text, _) = sample().to_parts().unwrap();
    let place = |text: &str| {
        let error = Lockfile::parse(text).unwrap_err();
        let place = error.message.strip_prefix("orchestra.lock cannot be read at ").map(str::to_owned);
        assert_eq!(error.code, "E0601");
        place.and_then(|place| Some(place.split_once(':')?.0.to_owned())).unwrap_or(error.message)
    };
    assert_eq!(place(&text.replace("version = 1\n", "version = \n")), "line 4, column 11");
    assert_eq!(place(&text.replace("snapshot = \"07", "snapshot = \"zz")), "line 5, column 12");
    assert_eq!(place(&text.replace("[[operation]]", "[[operations]]")), "line 8, column 3");
    assert_eq!(place(""), "line 1, column 1");
    let long = format!("#{}", "x".repeat(LOCKFILE_BYTES_MAX - 1));
    assert_eq!(place(&long), "line 1, column 1");
    let error = Lockfile::parse(&(long + "x")).unwrap_err();
    assert!(error.message.contains("more than"), "{error}");
}

#[test]
fn prices_of_every_kind_survive() {
    for price in
        [PriceRule::Unknown, PriceRule::Free, PriceRule::PerCall { amount: Amount::new(3, Currency::Rao) }]
    {
        let entry = OperationDescriptor { price, ..operation("sn1.x") };
        let lock = Lock::pin(Hash::default(), None, [entry], []).unwrap();
        let (text, bodies) = lock.to_parts().unwrap();
        assert_eq!(Lock::assemble(&text, &bodies), Ok(lock));
    }
}
