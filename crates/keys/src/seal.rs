//! Encryption of a vault: for an identity, or by a passphrase.

use std::io::{Read as _, Write as _};
use std::path::Path;

use age::secrecy::ExposeSecret as _;
use age::{DecryptError, Decryptor, Encryptor, scrypt, x25519};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::files;

/// Logarithm of scrypt's cost, as the `age` tool has it: about a second and 256 MiB.
const WORK_FACTOR: u8 = 18;
/// A file that asks for more is no vault of ours, and would hold a start up for long.
const WORK_FACTOR_MAX: u8 = 20;
/// An identity file has three short lines.
const IDENTITY_BYTES_MAX: u64 = 4 << 10;

/// What a vault is opened by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// A file with a secret of its own, which only its owner may read.
    Identity,
    /// Something that a person knows.
    Passphrase,
}

/// What opens a vault.
#[derive(Clone)]
pub enum Unlock {
    /// The secret of an identity file.
    Identity(Box<x25519::Identity>),
    /// The passphrase.
    Passphrase(SecretString),
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Identity(_) => "Identity",
            Self::Passphrase(_) => "Passphrase",
        })
    }
}

impl Unlock {
    /// The identity in the file at `path`, which is made, with mode 0600, where there is none and `make` says so.
    ///
    /// # Errors
    /// [`Error::Locked`] where it is missing, [`Error::Exposed`] where others may read it, [`Error::Damaged`] where it
    /// holds no identity, [`Error::File`].
    pub fn with_identity(path: &Path, make: bool) -> Result<Self, Error> {
        match files::read(path, IDENTITY_BYTES_MAX)? {
            Some(content) => parse_identity(path, &content),
            None if make => make_identity(path),
            None => Err(Error::Locked {
                path: path.into(),
                why: "is missing: it holds what the vault is opened by",
            }),
        }
    }

    /// `plain` as the content of a vault's file.
    pub(crate) fn seal(&self, plain: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Identity(identity) => encrypt(&identity.to_public(), plain),
            Self::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK_FACTOR);
                encrypt(&recipient, plain)
            }
        }
    }

    /// What [`Unlock::seal`] was given.
    pub(crate) fn open(&self, path: &Path, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let wrong = |with| Error::DoesNotOpen { path: path.into(), with };
        let decryptor = Decryptor::new_buffered(sealed).map_err(|_| not_age(path))?;
        let (opened, with) = match (self, decryptor.is_scrypt()) {
            (Self::Identity(identity), false) => (
                decryptor.decrypt(std::iter::once(identity.as_ref() as &dyn age::Identity)),
                "it was encrypted for another identity than that of the identity file",
            ),
            (Self::Passphrase(passphrase), true) => {
                let mut identity = scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(WORK_FACTOR_MAX);
                let with = "the passphrase is wrong";
                (decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)), with)
            }
            (Self::Identity(_), true) => return Err(wrong("it wants a passphrase, not an identity")),
            (Self::Passphrase(_), false) => return Err(wrong("it wants an identity, not a passphrase")),
        };
        let mut reader = opened.map_err(|error| match error {
            DecryptError::NoMatchingKeys
            | DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed => wrong(with),
            _ => damaged(path),
        })?;
        // The plain text is shorter than its encryption, so the buffer never grows and leaves no copy behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
        reader.read_to_end(&mut plain).map_err(|_| damaged(path))?;
        Ok(plain)
    }
}

/// What the vault `sealed` is opened by, which its head says openly.
pub(crate) fn protection(path: &Path, sealed: &[u8]) -> Result<Protection, Error> {
    let decryptor = Decryptor::new_buffered(sealed).map_err(|_| not_age(path))?;
    Ok(if decryptor.is_scrypt() { Protection::Passphrase } else { Protection::Identity })
}

fn encrypt(recipient: &dyn age::Recipient, plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let encryptor = Encryptor::with_recipients(std::iter::once(recipient)).map_err(std::io::Error::other)?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(plain)?;
    writer.finish()?;
    Ok(sealed)
}

/// The form of `age-keygen`: comments, then one secret.
fn parse_identity(path: &Path, content: &[u8]) -> Result<Unlock, Error> {
    let text = std::str::from_utf8(content).unwrap_or_default();
    let secret = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let identity = secret.and_then(|secret| secret.parse().ok());
    let why = "it holds no identity of age (AGE-SECRET-KEY-1..)";
    identity
        .map(|identity| Unlock::Identity(Box::new(identity)))
        .ok_or_else(|| Error::Damaged { path: path.into(), why })
}

/// Under a lock, so that of two processes that start at once both end with the same identity.
fn make_identity(path: &Path) -> Result<Unlock, Error> {
    let _lock = files::lock(path)?;
    if let Some(content) = files::read(path, IDENTITY_BYTES_MAX)? {
        return parse_identity(path, &content);
    }
    let identity = x25519::Identity::generate();
    let secret = identity.to_string();
    let text = Zeroizing::new(format!(
        "# opens the vault beside it; keep it secret, and keep a copy\n# public key: {}\n{}\n",
        identity.to_public(),
        secret.expose_secret()
    ));
    files::replace(path, text.as_bytes())?;
    Ok(Unlock::Identity(Box::new(identity)))
}

fn not_age(path: &Path) -> Error {
    Error::Damaged { path: path.into(), why: "it is not an age file, or its head is damaged" }
}

fn damaged(path: &Path) -> Error {
    Error::Damaged { path: path.into(), why: "it was changed or cut short since it was written" }
}
