//! Secrets that people and machines hand to a command: by a hidden prompt, the environment, a file or standard input,
//! never on the command line.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use std::{env, fs};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::project::{cannot_read, reason};

/// What is read at most: more than a key may have, so that it can be refused as too long.
const SECRET_BYTES_MAX: u64 = 16 << 10;

/// What is typed on the terminal without being shown; `None` where nobody is there.
pub(crate) fn ask(question: &str) -> Result<Option<SecretString>, Failure> {
    let terminal = console::Term::stderr();
    if !io::stdin().is_terminal() || !terminal.is_term() {
        return Ok(None);
    }
    let asked = terminal.write_str(question).and_then(|()| terminal.read_secure_line());
    let typed = Zeroizing::new(asked.map_err(|error| lost(&error))?);
    Ok(Some(SecretString::from(typed.as_str())))
}

/// Whether the answer on the terminal is yes; `None` where nobody is there.
pub(crate) fn confirm(question: &str) -> Result<Option<bool>, Failure> {
    let terminal = console::Term::stderr();
    if !io::stdin().is_terminal() || !terminal.is_term() {
        return Ok(None);
    }
    let asked = terminal.write_str(question).and_then(|()| terminal.read_line());
    let answer = asked.map_err(|error| lost(&error))?;
    Ok(Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")))
}

/// What standard input holds, without the line break at its end.
pub(crate) fn from_stdin() -> Result<SecretString, Failure> {
    let mut bytes = buffer();
    let read = io::stdin().take(SECRET_BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|error| no_source(format!("standard input cannot be read: {}", reason(&error))))?;
    text_of(&bytes, "standard input")
}

/// What the file at `path` holds, without the line break at its end.
pub(crate) fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let mut bytes = buffer();
    let read = fs::File::open(path).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_end(&mut bytes));
    read.map_err(|error| cannot_read(path, &error))?;
    text_of(&bytes, &path.display().to_string())
}

/// What the variable `name` holds; `None` where it is not set.
pub(crate) fn from_env(name: &OsStr) -> Option<SecretString> {
    // The system gives a copy; this one is wiped.
    let value = Zeroizing::new(env::var_os(name)?.into_string().ok()?);
    Some(SecretString::from(value.as_str()))
}

/// What the entry `SERVICE/ACCOUNT` of the system's keyring holds. Neither is shown, as they may be a key in the wrong
/// place.
#[cfg(feature = "keyring")]
pub(crate) fn from_keyring(entry: &str) -> Result<SecretString, Failure> {
    let names = entry.split_once('/').filter(|(service, account)| !service.is_empty() && !account.is_empty());
    let (service, account) =
        names.ok_or_else(|| no_source("an entry of the keyring is written SERVICE/ACCOUNT".into()))?;
    let read = keyring::v1::Entry::new(service, account).and_then(|entry| entry.get_password());
    let key = read.map(Zeroizing::new).map_err(|error| {
        no_source(match error {
            keyring::v1::Error::NoEntry => "the keyring has no such entry".to_owned(),
            keyring::v1::Error::NoDefaultStore => "this system has no keyring that can be reached".to_owned(),
            // Its own words may quote what was read.
            _ => "the keyring does not give the entry: it is locked, or the entry is no text".to_owned(),
        })
    })?;
    Ok(SecretString::from(key.as_str()))
}

/// This build reads no keyring.
#[cfg(not(feature = "keyring"))]
pub(crate) fn from_keyring(_: &str) -> Result<SecretString, Failure> {
    let message = "this build reads no keyring of the system";
    Err(Failure::new(
        "E1533",
        message,
        "build `orch` with `--features keyring`, or give the key in another way",
    ))
}

/// A passphrase: of the variable `name`, of the file that `<name>_FILE` names, or typed.
pub(crate) fn passphrase(name: &str, question: &str) -> Result<Option<SecretString>, Failure> {
    if let Some(passphrase) = from_env(OsStr::new(name)) {
        return Ok(Some(passphrase));
    }
    match env::var_os(format!("{name}_FILE")) {
        Some(path) => from_file(Path::new(&path)).map(Some),
        None => ask(question),
    }
}

/// The failure of a key that is not where it should come from.
pub(crate) fn no_source(message: String) -> Failure {
    let help = "type the key at the prompt, or give one of --stdin, --from-env VARIABLE and --from-file FILE";
    Failure::new("E1533", message, help)
}

/// A buffer that need not grow, which would leave a copy behind.
fn buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(usize::try_from(SECRET_BYTES_MAX).unwrap_or_default() + 1))
}

fn text_of(bytes: &[u8], whence: &str) -> Result<SecretString, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| no_source(format!("{whence} does not hold text")))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(no_source(format!("{whence} is empty")));
    }
    Ok(SecretString::from(text))
}

fn lost(error: &io::Error) -> Failure {
    no_source(format!("the terminal cannot be read: {}", reason(error)))
}
