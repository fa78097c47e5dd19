//! Encrypted key files of Bittensor wallets: a NaCl secret box under a key that Argon2i makes of a passphrase.

use argon2::{Algorithm, Argon2, Params, Version};
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// How such a file begins; nonce and box follow.
pub(super) const TAG: &[u8] = b"$NACL";
/// Every wallet has the same salt.
const SALT: [u8; 16] =
    [0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1];
/// Passes over the memory, and its size: half a gibibyte, some seconds.
const PASSES: u32 = 8;
const MEMORY_KIB: u32 = 512 << 10;
const NONCE_BYTES: usize = 24;

/// The plain content of `file`; `None` where the passphrase is another one or the file was changed, which cannot be
/// told apart. Takes seconds and half a gibibyte of memory.
pub(super) fn open(file: &[u8], passphrase: &SecretString) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = file.strip_prefix(TAG)?.split_at_checked(NONCE_BYTES)?;
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).ok()?;
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2i, Version::V0x13, params)
        .hash_password_into(passphrase.expose_secret().as_bytes(), &SALT, key.as_mut())
        .ok()?;
    let opened =
        XSalsa20Poly1305::new(Key::from_slice(key.as_ref())).decrypt(Nonce::from_slice(nonce), sealed);
    opened.ok().map(Zeroizing::new)
}
