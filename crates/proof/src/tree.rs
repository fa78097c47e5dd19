//! The tree over a run's locks: RFC 6962's shape, with leaves and inner nodes hashed in contexts of
//! their own, so an inner node can never be shown as a leaf.

use schema::hash::{Context, Hash};

/// The hash of a leaf that holds `lock`.
#[must_use]
pub fn leaf_hash(lock: &Hash) -> Hash {
    Context::MerkleLeaf.hash(&[&lock.0])
}

fn inner_hash(left: &Hash, right: &Hash) -> Hash {
    Context::MerkleNode.hash(&[&left.0, &right.0])
}

/// Computes a root leaf by leaf. Holds one hash per level, so its size is logarithmic in the leaves.
#[derive(Clone, Debug, Default)]
pub struct TreeHasher {
    /// Roots of complete subtrees, largest first, with their sizes.
    complete: Vec<(u64, Hash)>,
}

impl TreeHasher {
    /// Appends a leaf that holds `lock`.
    pub fn push(&mut self, lock: &Hash) {
        let mut size = 1_u64;
        let mut hash = leaf_hash(lock);
        while let Some((left_size, left)) = self.complete.last()
            && *left_size == size
        {
            hash = inner_hash(left, &hash);
            size = size.saturating_mul(2);
            self.complete.pop();
        }
        self.complete.push((size, hash));
    }

    /// The root over all leaves; `None` where there is no leaf, for a run has at least one.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        let mut subtrees = self.complete.iter().rev().map(|(_, hash)| *hash);
        let smallest = subtrees.next()?;
        Some(subtrees.fold(smallest, |right, left| inner_hash(&left, &right)))
    }
}

/// The root over `locks` in order; `None` where there is none.
#[must_use]
pub fn root(locks: &[Hash]) -> Option<Hash> {
    let mut tree = TreeHasher::default();
    for lock in locks {
        tree.push(lock);
    }
    tree.root()
}

/// The hashes that lead from leaf `index` to the root over `locks`, nearest first; `None` where there
/// is no such leaf.
#[must_use]
pub fn inclusion_path(locks: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= locks.len() {
        return None;
    }
    let (mut rest, mut index, mut path) = (locks, index, Vec::new());
    while rest.len() > 1 {
        let (left, right) = rest.split_at_checked(split_point(rest.len()))?;
        let (next, sibling) = if index < left.len() { (left, right) } else { (right, left) };
        index = index.checked_sub(if index < left.len() { 0 } else { left.len() })?;
        path.push(root(sibling)?);
        rest = next;
    }
    path.reverse();
    Some(path)
}

/// The largest power of two below `leaves`, which is at least 2.
fn split_point(leaves: usize) -> usize {
    leaves.next_power_of_two() / 2
}

/// Whether `path` leads from the leaf `lock` at `index` to the `root` over `leaves` leaves.
#[must_use]
pub fn verify_inclusion(root: &Hash, leaves: u64, index: u64, lock: &Hash, path: &[Hash]) -> bool {
    if index >= leaves {
        return false;
    }
    // RFC 9162, 2.1.3.2: `position` and `last` are the leaf's and the last leaf's index on the level
    // that has been reached.
    let (mut position, mut last) = (index, leaves - 1);
    let mut hash = leaf_hash(lock);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if position % 2 == 1 || position == last {
            hash = inner_hash(sibling, &hash);
            // A right edge without a sibling moves up unhashed.
            while position.is_multiple_of(2) && position != 0 {
                position /= 2;
                last /= 2;
            }
        } else {
            hash = inner_hash(&hash, sibling);
        }
        position /= 2;
        last /= 2;
    }
    last == 0 && hash == *root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locks(count: u8) -> Vec<Hash> {
        (0..count).map(|value| Hash([value; 32])).collect()
    }

    #[test]
    fn roots_match_the_published_vectors() {
        for (count, head, tail) in [
            (1, "49d25431e1eb41f8", "3a0bb5"),
            (2, "90f9e6067623a7b2", "474a67"),
            (3, "93f066616e99cb9a", "5b392c"),
            (7, "5cf2ecb3530fe82e", "786aa5"),
        ] {
            let root = root(&locks(count)).unwrap().to_hex();
            assert!(root.starts_with(head) && root.ends_with(tail), "{count} leaves: {root}");
        }
        assert_eq!(root(&[]), None);
    }

    /// The recursive definition of RFC 6962, 2.1.
    fn reference(locks: &[Hash]) -> Hash {
        match locks {
            [] => panic!("no tree without leaves"),
            [lock] => leaf_hash(lock),
            _ => {
                let (left, right) = locks.split_at(split_point(locks.len()));
                inner_hash(&reference(left), &reference(right))
            }
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_and_nothing_else_is() {
        for count in 1..=33_u8 {
            let locks = locks(count);
            let root = root(&locks).unwrap();
            assert_eq!(root, reference(&locks), "{count} leaves");
            for (index, lock) in locks.iter().enumerate() {
                let path = inclusion_path(&locks, index).unwrap();
                let check = |leaves: u64, index: usize, lock: &Hash, path: &[Hash]| {
                    verify_inclusion(&root, leaves, index as u64, lock, path)
                };
                let leaves = u64::from(count);
                assert!(check(leaves, index, lock, &path), "leaf {index} of {count}");
                for other in 0..usize::from(count) + 2 {
                    assert_eq!(check(leaves, other, lock, &path), other == index);
                }
                assert!(!check(leaves, index, &Hash([99; 32]), &path));
                assert!(!check(0, index, lock, &path));
                let mut longer = path.clone();
                longer.push(root);
                assert!(!check(leaves, index, lock, &longer));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!check(leaves, index, lock, &path[..shorter.len()]));
                }
            }
            assert_eq!(inclusion_path(&locks, usize::from(count)), None);
        }
    }
}
