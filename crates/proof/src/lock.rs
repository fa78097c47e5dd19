//! Locks: the hash of a leaf together with the locks of its parents. Changing, dropping, inserting or
//! moving anything upstream changes every lock downstream.

use schema::hash::{Context, Hash};

/// The hash all locks of a run start from: that of its header, which is fixed before the first call.
#[must_use]
pub fn genesis(header: &[u8]) -> Hash {
    Context::Header.hash(&[header])
}

/// The lock of leaf `ordinal`, whose commit has these `commit` bytes, from the locks of its parents in
/// the order [`crate::leaves`] gives.
#[must_use]
pub fn lock<'a>(
    genesis: &Hash,
    ordinal: u32,
    commit: &[u8],
    parents: impl ExactSizeIterator<Item = &'a Hash>,
) -> Hash {
    let mut hasher = Context::Lock.hasher();
    hasher.update(&genesis.0);
    hasher.update(&ordinal.to_be_bytes());
    hasher.update(&Context::Node.hash(&[commit]).0);
    // The walk numbers leaves with a u32, so a parent list never reaches the cap.
    hasher.update(&u32::try_from(parents.len()).unwrap_or(u32::MAX).to_be_bytes());
    for parent in parents {
        hasher.update(&parent.0);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures computed by another BLAKE3 implementation from the formula alone.
    #[test]
    fn locks_match_the_vectors() {
        let genesis = Hash([0; 32]);
        let first = lock(&genesis, 0, &[0xa0], [].iter());
        assert_eq!(first.to_hex(), "0668fdd7a3daf1440ec537d49f4c1ecae0d850d4c26ed2b8744e9fe47990184c");
        let second = lock(&genesis, 1, &[0xa0], [first].iter());
        assert_eq!(second.to_hex(), "d896b9a2ecb47f2d17a905e839c86a4e0bf1f40238f7babdda1b73bb4ee5a8d5");
    }

    #[test]
    fn every_part_of_a_lock_counts() {
        let base = |genesis: u8, ordinal, commit: &[u8], parents: &[Hash]| {
            lock(&Hash([genesis; 32]), ordinal, commit, parents.iter())
        };
        let (a, b) = (Hash([1; 32]), Hash([2; 32]));
        let lock = base(0, 3, b"commit", &[a, b]);
        for other in [
            base(1, 3, b"commit", &[a, b]),
            base(0, 4, b"commit", &[a, b]),
            base(0, 3, b"commiu", &[a, b]),
            base(0, 3, b"commit", &[b, a]),
            base(0, 3, b"commit", &[a]),
            base(0, 3, b"commit", &[a, b, b]),
        ] {
            assert_ne!(lock, other);
        }
    }
}
