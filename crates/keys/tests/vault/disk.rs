//! The vault on disk: what opens it, what does not, and that nothing of it is ever lost, half-written or shown.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use keys::{DEFAULT_TENANT, Place, Protection, Unlock, Vault};
use secrecy::{ExposeSecret as _, SecretString};

use crate::fixture::{CANARY, Fixture, ORIGIN, key, shown};

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
    let right = Unlock::Passphrase(SecretString::from("cnry-0rch3stra-passphrase"));
    Vault::change(&place, &right, |vault| vault.add(DEFAULT_TENANT, "sn22", ORIGIN, None, key(CANARY)))
        .unwrap();
    assert_eq!(place.protection().unwrap(), Some(Protection::Passphrase));
    assert!(!place.identity.exists());
    assert_eq!(Vault::open(&place, &right).unwrap().entries().len(), 1);
    let wrong = Unlock::Passphrase(SecretString::from("cnry-0rch3stra-other"));
    let identity = Unlock::with_identity(&place.identity, true).unwrap();
    for (unlock, why) in [(&wrong, "the passphrase is wrong"), (&identity, "it wants a passphrase")] {
        let error = Vault::open(&place, unlock).unwrap_err();
        assert_eq!(error.code(), "E1703");
        assert!(error.to_string().contains(why) && !shown(&error).contains("cnry"), "{error}");
    }
    let before = fs::read(&place.vault).unwrap();
    assert_eq!(Vault::change(&place, &wrong, |_| Ok(())).unwrap_err().code(), "E1703");
    assert_eq!(fs::read(&place.vault).unwrap(), before);
}

#[test]
fn another_identity_a_missing_one_and_none_are_told_apart() {
    let fixture = Fixture::new();
    let other = Unlock::with_identity(&fixture.folder.path().join("elsewhere.identity"), true).unwrap();
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
