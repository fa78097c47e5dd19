//! The sr25519 key that signs requests to axons, and its file.
//!
//! The file format is that of Bittensor wallets (`~/.bittensor/wallets/<wallet>/hotkeys/<name>`): one JSON object
//! in plain text, or the same in a box that a passphrase opens. Only hotkeys are ever read here; a coldkey holds funds
//! and has no business in this process.

mod nacl;

use std::fmt;
use std::path::{Path, PathBuf};

use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey, PublicKey, SecretKey, Signature};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ss58;

/// The signing context every Bittensor wallet and SDK uses.
const SIGNING_CONTEXT: &[u8] = b"substrate";
/// `cryptoType` of sr25519 in key files; 0 is ed25519.
const CRYPTO_SR25519: u8 = 1;
/// How key files begin that old wallets encrypted in ways that are not read here.
const OLD_BOXES: [&[u8]; 2] = [b"$ANSIBLE_VAULT", b"gAAAAA"];
/// How wallets name the files of coldkeys, the public half included.
const COLDKEY: &str = "coldkey";
/// A key file has under 1 KiB; a larger file is not one.
const FILE_BYTES_MAX: u64 = 16 << 10;

/// Why a hotkey could not be read or written. Code E1107, unless said otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened, read or created.
    #[error("hotkey file {path} cannot be read or written: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Others may read the file.
    #[error("hotkey file {path} has mode {mode:o}: others may read the key; run `chmod 600` on it")]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is that of a coldkey, which is never opened. Code E1118.
    #[error("{path} is a coldkey, which holds funds and is never opened; calls are signed by a hotkey")]
    Coldkey {
        /// The file, with links followed.
        path: PathBuf,
    },
    /// The file is encrypted, and [`Hotkey::load`] has no passphrase.
    #[error("hotkey file {path} is encrypted and needs its passphrase")]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is not that of the file, or the file was changed.
    #[error("hotkey file {path} does not open: the passphrase is wrong, or the file is damaged")]
    Passphrase {
        /// The file.
        path: PathBuf,
    },
    /// The content is not a key file.
    #[error("hotkey file {path} is not a wallet key file: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong; never holds any of the content.
        why: &'static str,
    },
    /// The system has no randomness to offer.
    #[error("no randomness for a new hotkey: {0}")]
    Randomness(getrandom::Error),
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Coldkey { .. } => "E1118",
            _ => "E1107",
        }
    }
}

/// A signing key. Its secret half is wiped from memory on drop and never printed.
#[derive(Clone)]
pub struct Hotkey {
    pair: Keypair,
    address: String,
}

impl fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hotkey").field(&self.address).finish()
    }
}

impl Hotkey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`] where the system has none.
    pub fn generate() -> Result<Self, Error> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut()).map_err(Error::Randomness)?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of a 32-byte secret seed, as wallets expand it.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "`from_bytes` checks the length and nothing else")]
        let mini = MiniSecretKey::from_bytes(seed).expect("a seed has 32 bytes");
        Self::from_pair(mini.expand_to_keypair(ExpansionMode::Ed25519))
    }

    fn from_pair(pair: Keypair) -> Self {
        let address = ss58::encode(&pair.public.to_bytes());
        Self { pair, address }
    }

    /// Reads a plain hotkey file, written by a Bittensor wallet (v10 or v11) or by [`Hotkey::save`].
    ///
    /// # Errors
    /// See [`enum@Error`]; [`Error::Encrypted`] where [`Hotkey::load_encrypted`] may be able to. On Unix the file must
    /// not be readable by group or others.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let content = read_private(path)?;
        if content.starts_with(nacl::TAG) {
            return Err(Error::Encrypted { path: path.into() });
        }
        Self::parse(path, &content)
    }

    /// Reads a hotkey file that `passphrase` opens, or a plain one. An encrypted one takes seconds and half a gibibyte
    /// of memory.
    ///
    /// # Errors
    /// See [`enum@Error`]; [`Error::Passphrase`] for a wrong one.
    pub fn load_encrypted(path: &Path, passphrase: &SecretString) -> Result<Self, Error> {
        let content = read_private(path)?;
        if !content.starts_with(nacl::TAG) {
            return Self::parse(path, &content);
        }
        let opened =
            nacl::open(&content, passphrase).ok_or_else(|| Error::Passphrase { path: path.into() })?;
        Self::parse(path, &opened)
    }

    fn parse(path: &Path, content: &[u8]) -> Result<Self, Error> {
        let malformed = |why| Error::Malformed { path: path.into(), why };
        if OLD_BOXES.iter().any(|prefix| content.starts_with(prefix)) {
            return Err(malformed("it is encrypted in an old way; let a wallet of today save it again"));
        }
        let file: KeyFile = serde_json::from_slice(content)
            .map_err(|_| malformed("it is not JSON with the fields of a key file"))?;
        if file.crypto_type.is_some_and(|kind| kind != CRYPTO_SR25519) {
            return Err(malformed("its cryptoType is not sr25519 (1), the only kind axons accept"));
        }
        let pair = match (&file.secret_seed, &file.private_key) {
            (Some(seed), _) => {
                let seed = unhex::<32>(seed).ok_or_else(|| malformed("secretSeed is not 32 bytes of hex"))?;
                Self::from_seed(&seed).pair
            }
            (None, Some(key)) => {
                let key = unhex::<64>(key).ok_or_else(|| malformed("privateKey is not 64 bytes of hex"))?;
                SecretKey::from_bytes(key.as_ref())
                    .map_err(|_| malformed("privateKey is not an sr25519 key"))?
                    .to_keypair()
            }
            (None, None) => return Err(malformed("it has neither secretSeed nor privateKey")),
        };
        let hotkey = Self::from_pair(pair);
        if file.ss58_address.is_some_and(|address| address != hotkey.address) {
            return Err(malformed("its ss58Address does not belong to its secret"));
        }
        Ok(hotkey)
    }

    /// Writes the key in the wallets' format with mode 0600. An existing file is never overwritten.
    ///
    /// # Errors
    /// [`Error::File`] where the file exists or cannot be created.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let hex_of = |bytes: &[u8]| Zeroizing::new(hex(bytes));
        let public = hex_of(&self.pair.public.to_bytes());
        let private = hex_of(Zeroizing::new(self.pair.secret.to_bytes()).as_ref());
        let file = KeyFile {
            account_id: Some(public.clone()),
            public_key: Some(public),
            private_key: Some(private),
            secret_seed: None,
            ss58_address: Some(self.address.clone()),
            crypto_type: Some(CRYPTO_SR25519),
        };
        let text = Zeroizing::new(serde_json::to_string(&file).unwrap_or_default());
        create_private(path, text.as_bytes()).map_err(|reason| Error::File { path: path.into(), reason })
    }

    /// The SS58 address of the public key.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.pair.public.to_bytes()
    }

    /// Signs `message`; signatures are randomised, so two of the same message differ.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign_simple(SIGNING_CONTEXT, message).to_bytes()
    }
}

/// Whether `signature` is one of `message` by the holder of `public_key`.
#[must_use]
pub fn verify(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let (Ok(key), Ok(signature)) = (PublicKey::from_bytes(public_key), Signature::from_bytes(signature))
    else {
        return false;
    };
    key.verify_simple(SIGNING_CONTEXT, message, &signature).is_ok()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_seed: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ss58_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crypto_type: Option<u8>,
}

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    use std::io::Read as _;

    let io = |reason| Error::File { path: path.into(), reason };
    // A link may have any name; what it leads to counts.
    let real = std::fs::canonicalize(path).map_err(io)?;
    for path in [path, &real] {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(COLDKEY)) {
            return Err(Error::Coldkey { path: path.into() });
        }
    }
    let file = std::fs::File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    if let Some(mode) = crate::secrets::exposed_mode(&meta) {
        return Err(Error::Permissions { path: path.into(), mode });
    }
    let mut content = Zeroizing::new(Vec::with_capacity(2048));
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(io)?;
    if read as u64 > FILE_BYTES_MAX {
        return Err(Error::Malformed { path: path.into(), why: "it is larger than any key file" });
    }
    Ok(content)
}

fn create_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;

    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;

    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Exactly `N` bytes from hex with or without `0x`.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut out = Zeroizing::new([0u8; N]);
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let mut value = 0;
        for &digit in pair {
            value = value * 16 + char::from(digit).to_digit(16)?;
        }
        *byte = u8::try_from(value).ok()?;
    }
    Some(out)
}
