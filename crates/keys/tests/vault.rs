//! The vault on disk: what opens it, what does not, and that nothing of it is ever lost, half-written or shown.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use keys::{
    DEFAULT_TENANT, ENTRIES_MAX, Error, LABEL_CHARS_MAX, PART_NAME_BYTES_MAX, PARTS_MAX, Place, Protection,
    TENANT_BYTES_MAX, Unlock, Value, Vault,
};
use secrecy::{ExposeSecret as _, SecretString};
use subnet::secrets::SecretStore;
use tempfile::TempDir;

const CANARY: &str = "cnry-77aa-vault-key";
const ORIGIN: &str = "https://api.desearch.ai";

struct Fixture {
    folder: TempDir,
    place: Place,
    unlock: Unlock,
}

impl Fixture {
    /// A vault with one key, opened by an identity.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::beside(folder.path().join("private/keys.age"));
        let unlock = Unlock::with_identity(&place.identity, true).unwrap();
        let fixture = Self { folder, place, unlock };
        fixture.change(|vault| vault.add(DEFAULT_TENANT, "sn22", ORIGIN, Some("mine"), key(CANARY))).unwrap();
        fixture
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vault) -> Result<T, Error>) -> Result<T, Error> {
        Vault::change(&self.place, &self.unlock, change)
    }

    fn open(&self) -> Result<Vault, Error> {
        Vault::open(&self.place, &self.unlock)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.place.vault).unwrap()
    }
}

fn key(text: &str) -> Value {
    Value::new(SecretString::from(text), None).unwrap()
}

fn shown(error: &Error) -> String {
    format!("{error} {error:?}")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_are_encrypted_private_and_come_back_as_they_were() {
    let fixture = Fixture::new();
    let place = &fixture.place;
    assert_eq!((mode(&place.vault), mode(&place.identity)), (0o600, 0o600));
    assert_eq!(mode(place.vault.parent().unwrap()), 0o700);
    assert_eq!(place.protection().unwrap(), Some(Protection::Identity));
    let bytes = fixture.bytes();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    for text in [CANARY, "sn22", "desearch"] {
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }
    let vault = fixture.open().unwrap();
    let entry = vault.entry(DEFAULT_TENANT, "sn22").unwrap();
    assert_eq!((entry.origin(), entry.label(), entry.tenant()), (ORIGIN, Some("mine"), DEFAULT_TENANT));
    assert_eq!(entry.value().key().unwrap().expose_secret(), CANARY);
    assert!(!format!("{vault:?} {entry:?} {:?}", fixture.unlock).contains("cnry"));
    let others: Vec<_> = fs::read_dir(place.vault.parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            !["keys.age", "keys.identity", "keys.age.lock", "keys.identity.lock"].contains(&name.as_str())
        })
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn any_age_tool_opens_it() {
    let fixture = Fixture::new();
    let text = fs::read_to_string(&fixture.place.identity).unwrap();
    let secret = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    let identity: age::x25519::Identity = secret.parse().unwrap();
    assert!(text.contains(&format!("# public key: {}", identity.to_public())));
    let plain = age::decrypt(&identity, &fixture.bytes()).unwrap();
    let content: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    assert_eq!(content.get("format").unwrap(), "orchestra-keys");
    assert_eq!(content.get("version").unwrap(), 1);
    assert_eq!(content.pointer("/entries/0/value/parts/key").unwrap(), CANARY);
}

#[test]
fn a_passphrase_opens_what_it_closed_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::beside(folder.path().join("keys.age"));
    let right = Unlock::Passphrase(SecretString::from("a canary passphrase"));
    Vault::change(&place, &right, |vault| vault.add(DEFAULT_TENANT, "sn22", ORIGIN, None, key(CANARY)))
        .unwrap();
    assert_eq!(place.protection().unwrap(), Some(Protection::Passphrase));
    assert!(!place.identity.exists());
    assert_eq!(Vault::open(&place, &right).unwrap().entries().len(), 1);
    let wrong = Unlock::Passphrase(SecretString::from("another canary"));
    let identity = Unlock::with_identity(&place.identity, true).unwrap();
    for (unlock, why) in [(&wrong, "the passphrase is wrong"), (&identity, "it wants a passphrase")] {
        let error = Vault::open(&place, unlock).unwrap_err();
        assert_eq!(error.code(), "E1703");
        assert!(error.to_string().contains(why) && !shown(&error).contains("canary"), "{error}");
    }
    let before = fs::read(&place.vault).unwrap();
    assert_eq!(Vault::change(&place, &wrong, |_| Ok(())).unwrap_err().code(), "E1703");
    assert_eq!(fs::read(&place.vault).unwrap(), before);
}

#[test]
fn another_identity_a_missing_one_and_none_are_told_apart() {
    let fixture = Fixture::new();
    let other = Unlock::with_identity(&fixture.folder.path().join("other"), true).unwrap();
    let error = Vault::open(&fixture.place, &other).unwrap_err();
    assert!(error.code() == "E1703" && error.to_string().contains("another identity"), "{error}");
    let passphrase = Unlock::Passphrase(SecretString::from("x"));
    let error = Vault::open(&fixture.place, &passphrase).unwrap_err();
    assert!(error.code() == "E1703" && error.to_string().contains("wants an identity"), "{error}");
    let missing = Unlock::with_identity(&fixture.folder.path().join("missing"), false).unwrap_err();
    assert_eq!(missing.code(), "E1705");
    let broken = fixture.folder.path().join("broken");
    for content in ["", "# nothing\n", "AGE-SECRET-KEY-1CNRY\n", "x".repeat(5_000).as_str()] {
        fs::write(&broken, content).unwrap();
        set_mode(&broken, 0o600);
        let error = Unlock::with_identity(&broken, true).unwrap_err();
        assert!(error.code() == "E1704" && !shown(&error).contains("CNRY"), "{error}");
    }
    let nowhere = Place::beside(fixture.folder.path().join("none.age"));
    assert_eq!(nowhere.protection().unwrap(), None);
    assert_eq!(Vault::open(&nowhere, &fixture.unlock).unwrap_err().code(), "E1705");
}

#[test]
fn files_that_others_may_read_are_refused() {
    let fixture = Fixture::new();
    for exposed in [0o640, 0o604, 0o660, 0o644] {
        set_mode(&fixture.place.vault, exposed);
        let error = fixture.open().unwrap_err();
        assert!(error.code() == "E1702" && error.to_string().contains("chmod 600"), "{error}");
        assert_eq!(fixture.change(|_| Ok(())).unwrap_err().code(), "E1702");
        assert_eq!(fixture.place.protection().unwrap_err().code(), "E1702");
        set_mode(&fixture.place.vault, 0o600);
        set_mode(&fixture.place.identity, exposed);
        assert_eq!(Unlock::with_identity(&fixture.place.identity, true).unwrap_err().code(), "E1702");
        set_mode(&fixture.place.identity, 0o600);
    }
    assert!(fixture.open().is_ok());
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_damaged_and_left_as_it_is() {
    let fixture = Fixture::new();
    let whole = fixture.bytes();
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&fixture.place.vault, bytes).unwrap();
        let error = fixture.open().err().unwrap_or_else(|| panic!("{what} was not noticed"));
        assert!(["E1703", "E1704"].contains(&error.code()), "{what}: {error}");
        assert!(!shown(&error).contains("cnry"), "{error:?}");
        assert!(fixture.change(|_| Ok(())).is_err());
        assert_eq!(fs::read(&fixture.place.vault).unwrap(), bytes);
    };
    for length in 0..whole.len() {
        refused(&whole[..length], &format!("a cut at {length}"));
    }
    for at in 0..whole.len() {
        let mut turned = whole.clone();
        *turned.get_mut(at).unwrap() ^= 1;
        refused(&turned, &format!("a bit of byte {at}"));
    }
    refused(&[whole.as_slice(), b"x"].concat(), "a byte more");
    fs::write(&fixture.place.vault, &whole).unwrap();
    assert!(fixture.open().is_ok());
}

#[test]
fn content_of_another_kind_or_version_is_refused_without_being_quoted() {
    let fixture = Fixture::new();
    let text = fs::read_to_string(&fixture.place.identity).unwrap();
    let identity: age::x25519::Identity = text.lines().last().unwrap().parse().unwrap();
    let salt = "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]";
    let whole = |version: u32, more: &str| {
        format!(r#"{{"format":"orchestra-keys","version":{version},"salt":{salt},"entries":[]{more}}}"#)
    };
    for (content, why) in [
        ("cnry, and no JSON".to_owned(), "does not hold keys"),
        (r#"{"format":"cnry","version":1}"#.to_owned(), "does not hold keys"),
        (whole(2, r#","cnry":1"#), "another version"),
        (whole(1, r#","cnry":1"#), "not of the form"),
        (whole(1, "").replace("[]", r#"[{"name":"cnry"}]"#), "not of the form"),
    ] {
        fs::write(&fixture.place.vault, age::encrypt(&identity.to_public(), content.as_bytes()).unwrap())
            .unwrap();
        let error = fixture.open().unwrap_err();
        assert!(error.code() == "E1704" && error.to_string().contains(why), "{error}");
        assert!(!shown(&error).contains("cnry"), "{error:?}");
    }
    fs::write(&fixture.place.vault, age::encrypt(&identity.to_public(), whole(1, "").as_bytes()).unwrap())
        .unwrap();
    assert!(fixture.open().unwrap().entries().is_empty());
}

#[test]
fn a_change_that_fails_leaves_the_file_as_it_was() {
    let fixture = Fixture::new();
    let before = fixture.bytes();
    let failed = fixture.change(|vault| {
        vault.replace(DEFAULT_TENANT, "sn22", key("other"))?;
        vault.remove(DEFAULT_TENANT, "sn23")
    });
    assert_eq!(failed.unwrap_err().code(), "E1706");
    assert_eq!(fixture.bytes(), before);
    // A vault is not made by a change that fails either.
    let place = Place::beside(fixture.folder.path().join("new.age"));
    assert!(Vault::change(&place, &fixture.unlock, |vault| vault.remove(DEFAULT_TENANT, "sn22")).is_err());
    assert!(!place.vault.exists());
    // What a process left behind that died while it wrote is no obstacle, and lends its mode to nothing.
    let left = format!("{}.new-{}", fixture.place.vault.display(), std::process::id());
    fs::write(&left, "half").unwrap();
    set_mode(Path::new(&left), 0o666);
    fixture.change(|vault| vault.remove(DEFAULT_TENANT, "sn22")).unwrap();
    assert_eq!(mode(&fixture.place.vault), 0o600);
    assert!(!Path::new(&left).exists() && fixture.open().unwrap().entries().is_empty());
}

#[test]
fn a_vault_behind_a_link_stays_behind_it() {
    let fixture = Fixture::new();
    let link = fixture.folder.path().join("link.age");
    std::os::unix::fs::symlink(&fixture.place.vault, &link).unwrap();
    let place = Place { vault: link.clone(), identity: fixture.place.identity.clone() };
    Vault::change(&place, &fixture.unlock, |vault| vault.remove(DEFAULT_TENANT, "sn22")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fixture.open().unwrap().entries().is_empty());
}

#[test]
fn writers_at_the_same_time_lose_nothing_of_each_other() {
    let fixture = Fixture::new();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let fixture = &fixture;
            scope.spawn(move || {
                let unlock = Unlock::with_identity(&fixture.place.identity, true).unwrap();
                for step in 0..4 {
                    let name = format!("sn{}", 100 + writer * 4 + step);
                    let add = |vault: &mut Vault| vault.add(DEFAULT_TENANT, &name, ORIGIN, None, key("k"));
                    Vault::change(&fixture.place, &unlock, add).unwrap();
                    // Readers see a whole vault at any time.
                    assert!(!fixture.open().unwrap().entries().is_empty());
                }
            });
        }
    });
    let vault = fixture.open().unwrap();
    assert_eq!(vault.entries().len(), 33);
    let names: Vec<&str> = vault.entries().iter().map(keys::Entry::name).collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn processes_that_start_at_once_share_one_identity() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.identity");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Unlock::with_identity(&path, true).unwrap());
        }
    });
    assert_eq!(fs::read_to_string(&path).unwrap().matches("AGE-SECRET-KEY-1").count(), 1);
}

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
fn secrets_of_several_parts_are_kept_and_not_taken_for_a_key() {
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
    assert_eq!(store.names().map(|(name, _)| name).collect::<Vec<_>>(), ["sn22"]);
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
    for tenant in ["", "Cnry", "cnry tenant", long_tenant.as_str()] {
        refused(tenant, "sn1", ORIGIN, None, "E1708");
    }
    let long_label = "ä".repeat(LABEL_CHARS_MAX + 1);
    for label in ["cnry\u{1b}[31m", "two\nlines", long_label.as_str()] {
        refused(DEFAULT_TENANT, "sn1", ORIGIN, Some(label), "E1708");
    }
    for origin in
        ["", "api.example.com", "https://user:cnry@a.example", "https://a.example/path", "ftp://a.example"]
    {
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
    let error = store.identity(&"sn1.test".into(), 1, &origin).unwrap_err();
    assert_eq!(error.code(), "E1119");
}
