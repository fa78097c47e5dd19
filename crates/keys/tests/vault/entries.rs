//! The entries of a vault: what is one, whose it is, how one takes the place of another.

use jiff::Timestamp;
use keys::{
    DEFAULT_TENANT, ENTRIES_MAX, KEY_PART, LABEL_CHARS_MAX, PART_NAME_BYTES_MAX, PARTS_MAX, TENANT_BYTES_MAX,
    VAULT_BYTES_MAX, Value, Vault,
};
use secrecy::{ExposeSecret as _, SecretString};
use subnet::secrets::SecretStore;

use crate::fixture::{CANARY, Fixture, ORIGIN, key, shown};

#[test]
fn tenants_have_names_of_their_own() {
    let fixture = Fixture::new();
    fixture
        .change(|vault| vault.add("acme", "sn22", "https://other.example", None, key("acme-key")))
        .unwrap();
    let vault = fixture.open().unwrap();
    for (tenant, origin) in [(DEFAULT_TENANT, ORIGIN), ("acme", "https://other.example")] {
        let mut store = SecretStore::new();
        vault.fill(tenant, &mut store).unwrap();
        let names: Vec<_> = store.names().map(|(name, origin)| (name, origin.as_str())).collect();
        assert_eq!(names, [("sn22", origin)]);
    }
    let mut nobody = SecretStore::new();
    vault.fill("nobody", &mut nobody).unwrap();
    assert_eq!(nobody.names().count(), 0);
    let error = vault.entry("nobody", "sn22").unwrap_err();
    assert_eq!(error.to_string(), "tenant `nobody` has no key `sn22`; it has none");
    let error = vault.entry("acme", "sn23").unwrap_err();
    assert_eq!(error.to_string(), "tenant `acme` has no key `sn23`; it has sn22");
}

#[test]
fn a_name_is_taken_once_and_a_new_key_waits_beside_the_old() {
    let fixture = Fixture::new();
    let again = fixture.change(|vault| vault.add(DEFAULT_TENANT, "sn22", ORIGIN, None, key("new")));
    assert_eq!(again.unwrap_err().code(), "E1707");
    fixture.change(|vault| vault.set_next(DEFAULT_TENANT, "sn22", Some(key("new")))).unwrap();
    let vault = fixture.open().unwrap();
    let entry = vault.entry(DEFAULT_TENANT, "sn22").unwrap();
    assert_eq!(entry.value().key().unwrap().expose_secret(), CANARY);
    let next = entry.next().unwrap().clone();
    assert_eq!(next.key().unwrap().expose_secret(), "new");
    fixture.change(|vault| vault.replace(DEFAULT_TENANT, "sn22", next)).unwrap();
    let vault = fixture.open().unwrap();
    let entry = vault.entry(DEFAULT_TENANT, "sn22").unwrap();
    assert!(entry.next().is_none() && entry.value().key().unwrap().expose_secret() == "new");
}

#[test]
fn secrets_of_several_parts_are_kept_and_used_by_parts() {
    let fixture = Fixture::new();
    let parts = [("id", "who"), ("secret", "what")];
    let value = |parts: &[(&str, &str)]| {
        Value::of_parts(
            parts.iter().map(|(name, part)| ((*name).to_owned(), SecretString::from(*part))),
            None,
        )
    };
    let both = value(&parts).unwrap();
    fixture.change(|vault| vault.add(DEFAULT_TENANT, "sn4", ORIGIN, None, both)).unwrap();
    let vault = fixture.open().unwrap();
    let entry = vault.entry(DEFAULT_TENANT, "sn4").unwrap();
    let kept: Vec<_> = entry
        .value()
        .parts()
        .map(|(name, part)| (name.to_owned(), part.expose_secret().to_owned()))
        .collect();
    assert_eq!(kept, parts.map(|(name, part)| (name.to_owned(), part.to_owned())));
    let mut store = SecretStore::new();
    vault.fill(DEFAULT_TENANT, &mut store).unwrap();
    let origin = subnet::egress::Origin::parse(ORIGIN).unwrap();
    let resolved = |parts: &[&str]| store.resolve(&"sn4.any".into(), 4, &origin, parts.iter().copied());
    assert!(resolved(&["id", "secret"]).is_ok());
    assert_eq!(resolved(&[KEY_PART]).unwrap_err().code(), "E1106");
    let many = |count: usize| {
        let names: Vec<String> = (0..count).map(|index| format!("p{index}")).collect();
        value(&names.iter().map(|name| (name.as_str(), CANARY)).collect::<Vec<_>>())
    };
    assert!(many(PARTS_MAX).is_ok());
    let long = "n".repeat(PART_NAME_BYTES_MAX);
    assert!(value(&[(&long, "x")]).is_ok());
    let longer = format!("{long}n");
    for refused in [many(PARTS_MAX + 1), many(0), value(&[(&longer, CANARY)]), value(&[("cnry key", "x")])] {
        let error = refused.unwrap_err();
        assert!(error.code() == "E1708" && !shown(&error).contains("cnry"), "{error:?}");
    }
}

#[test]
fn what_is_not_a_name_an_origin_a_label_or_a_key_is_refused_and_not_shown() {
    let fixture = Fixture::new();
    let before = fixture.bytes();
    let refused = |tenant: &str, name: &str, origin: &str, label: Option<&str>, code: &str| {
        let add = |vault: &mut Vault| vault.add(tenant, name, origin, label, key("k"));
        let error = fixture.change(add).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!shown(&error).contains("cnry"), "{error:?}");
    };
    for name in
        ["", "cnry-1", "sn", "sn022", "sn70000", "sn1.", "sn1.Cnry", "sn1.a b", "Sn1", "sn+1", "sn1.cnry.é"]
    {
        refused(DEFAULT_TENANT, name, ORIGIN, None, "E1708");
    }
    let long_tenant = "t".repeat(TENANT_BYTES_MAX + 1);
    for tenant in ["", "cnry/1", "cnry tenant", long_tenant.as_str()] {
        refused(tenant, "sn1", ORIGIN, None, "E1708");
    }
    let long_label = "ä".repeat(LABEL_CHARS_MAX + 1);
    for label in ["cnry\u{1b}[31m", "two\nlines", long_label.as_str()] {
        refused(DEFAULT_TENANT, "sn1", ORIGIN, Some(label), "E1708");
    }
    for origin in [
        "",
        "api.example.com",
        "https://user:cnry@a.example",
        "https://a.example/path",
        "ftp://a.example",
        "http://8.8.8.8:80",
    ] {
        refused(DEFAULT_TENANT, "sn1", origin, None, "E1106");
    }
    for text in ["", "  ", "cnry\r\nx: y", "cnryé", "k".repeat((8 << 10) + 1).as_str()] {
        let error = Value::new(SecretString::from(text), None).unwrap_err();
        assert!(error.code() == "E1106" && !shown(&error).contains("cnry"), "{error:?}");
    }
    assert_eq!(fixture.bytes(), before);
    let at_the_limit = |vault: &mut Vault| {
        let (tenant, label) = ("t".repeat(TENANT_BYTES_MAX), "ä".repeat(LABEL_CHARS_MAX));
        vault.add(&tenant, "sn1.web_search", ORIGIN, Some(&label), key(&"k".repeat(8 << 10)))
    };
    fixture.change(at_the_limit).unwrap();
    assert_eq!(fixture.open().unwrap().entries().len(), 2);
}

#[test]
fn a_vault_takes_so_many_keys_and_no_more() {
    let fixture = Fixture::new();
    let more = fixture.change(|vault| {
        for index in 1..ENTRIES_MAX {
            vault.add(&format!("t{index}"), "sn1", ORIGIN, None, key("k"))?;
        }
        Ok(vault.add("one_more", "sn1", ORIGIN, None, key("k")))
    });
    assert!(more.unwrap().unwrap_err().to_string().contains("takes no more"));
    assert_eq!(fixture.open().unwrap().entries().len(), ENTRIES_MAX);
}

#[test]
fn a_vault_holds_so_many_bytes_and_no_more() {
    let fixture = Fixture::new();
    let part = "k".repeat(8 << 10);
    let parts = || (0..PARTS_MAX).map(|index| (format!("p{index}"), SecretString::from(part.as_str())));
    let fill = |count: usize| {
        fixture.change(|vault| {
            for index in 0..count {
                let value = Value::of_parts(parts(), None)?;
                vault.add(&format!("t{index}"), "sn1", ORIGIN, None, value)?;
            }
            Ok(())
        })
    };
    let most = VAULT_BYTES_MAX / (PARTS_MAX * part.len());
    let before = fixture.bytes();
    let error = fill(most).unwrap_err();
    assert!(error.code() == "E1708" && error.to_string().contains("bytes"), "{error}");
    assert_eq!(fixture.bytes(), before);
    // One less leaves room for what stands around the parts, and can be read again.
    fill(most - 1).unwrap();
    assert_eq!(fixture.open().unwrap().entries().len(), most);
}

#[test]
fn fingerprints_tell_keys_apart_within_a_vault_and_mean_nothing_outside_of_it() {
    let (here, there) = (Fixture::new().open().unwrap(), Fixture::new().open().unwrap());
    let of = |text: &str| here.fingerprint(&key(text));
    assert_eq!(of(CANARY), of(&format!(" {CANARY}\n")));
    assert_ne!(of(CANARY), of("another"));
    assert_ne!(of(CANARY), there.fingerprint(&key(CANARY)));
    assert_eq!(of(CANARY).len(), 8);
}

#[test]
fn an_expired_key_goes_to_the_store_so_that_a_call_can_say_so() {
    let fixture = Fixture::new();
    let past: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let value = Value::new(SecretString::from("k"), Some(past)).unwrap();
    assert!(
        value.is_expired(Timestamp::now()) && value.is_expired(past) && !value.is_expired(Timestamp::MIN)
    );
    fixture.change(|vault| vault.add(DEFAULT_TENANT, "sn1", ORIGIN, None, value)).unwrap();
    let vault = fixture.open().unwrap();
    assert_eq!(vault.entry(DEFAULT_TENANT, "sn1").unwrap().value().expires_at(), Some(past));
    let mut store = SecretStore::new();
    vault.fill(DEFAULT_TENANT, &mut store).unwrap();
    let origin = subnet::egress::Origin::parse(ORIGIN).unwrap();
    let error = store.resolve(&"sn1.test".into(), 1, &origin, [KEY_PART]).unwrap_err();
    assert_eq!(error.code(), "E1119");
}
