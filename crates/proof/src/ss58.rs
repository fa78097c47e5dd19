//! SS58 addresses with the Bittensor prefix (42): how a hotkey's public key is written as text.

use blake2::{Blake2b512, Digest};

/// The only address format Bittensor uses; others (Polkadot is 0) are refused.
const PREFIX: u8 = 42;
const CHECKSUM_CONTEXT: &[u8] = b"SS58PRE";
const CHECKSUM_BYTES: usize = 2;
const RAW_BYTES: usize = 1 + 32 + CHECKSUM_BYTES;
/// Prefix 42, a 32-byte key and the checksum always encode to this many characters.
const TEXT_CHARS: usize = 48;

/// Why a text is not a Bittensor address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not 48 characters.
    #[error("an address has {TEXT_CHARS} characters, this one has {0}")]
    Length(usize),
    /// Holds characters outside the base58 alphabet, or the wrong number of bytes.
    #[error("the address is not base58")]
    Base58,
    /// A valid SS58 address of another network.
    #[error("the address has network prefix {0}, Bittensor uses {PREFIX}")]
    Prefix(u8),
    /// One or more characters are wrong.
    #[error("the address's checksum does not fit: it is misspelt")]
    Checksum,
}

/// The address of a 32-byte public key.
#[must_use]
pub fn encode(public_key: &[u8; 32]) -> String {
    let mut raw = [0u8; RAW_BYTES];
    {
        let [prefix, key @ .., check_0, check_1] = &mut raw;
        *prefix = PREFIX;
        *key = *public_key;
        [*check_0, *check_1] = checksum_of(public_key);
    }
    bs58::encode(raw).into_string()
}

/// The public key of an address.
///
/// # Errors
/// See [`enum@Error`]; nothing but prefix 42 with a right checksum is accepted.
pub fn decode(address: &str) -> Result<[u8; 32], Error> {
    // Length first: base58 decoding is quadratic, so a long text must not reach it.
    if address.len() != TEXT_CHARS {
        return Err(Error::Length(address.chars().count()));
    }
    let mut raw = [0u8; RAW_BYTES];
    let written = bs58::decode(address).onto(&mut raw).map_err(|_| Error::Base58)?;
    if written != RAW_BYTES {
        return Err(Error::Base58);
    }
    let [prefix, key @ .., check_0, check_1] = raw;
    if prefix != PREFIX {
        return Err(Error::Prefix(prefix));
    }
    if [check_0, check_1] == checksum_of(&key) { Ok(key) } else { Err(Error::Checksum) }
}

fn checksum_of(public_key: &[u8; 32]) -> [u8; CHECKSUM_BYTES] {
    let digest: [u8; 64] = Blake2b512::new()
        .chain_update(CHECKSUM_CONTEXT)
        .chain_update([PREFIX])
        .chain_update(public_key)
        .finalize()
        .into();
    let [first, second, ..] = digest;
    [first, second]
}
