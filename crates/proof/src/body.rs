//! Salted commits to content, and the salts. A hash of a short answer without a salt could be guessed;
//! with it, nothing is shown until someone gives salt and bytes together.

use plan_ir::graph::NodeId;
use schema::hash::{Context, Hash};

use crate::leaves::Place;

/// The commit to `bytes` under `salt`.
#[must_use]
pub fn body_commit(salt: &[u8; 32], bytes: &[u8]) -> Hash {
    Context::Body.hash(&[salt, bytes])
}

/// Which content of a leaf, or of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The inputs of the run.
    RunInput = 1,
    /// The result of the run.
    RunOutput = 2,
    /// What a node was given.
    Input = 3,
    /// The request it sent.
    Request = 4,
    /// The answer it got.
    Response = 5,
    /// Its value.
    Output = 6,
    /// Its attempts.
    Attempts = 7,
    /// What its peer signed.
    Signed = 8,
}

impl Field {
    /// All fields, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::RunInput,
        Self::RunOutput,
        Self::Input,
        Self::Request,
        Self::Response,
        Self::Output,
        Self::Attempts,
        Self::Signed,
    ];

    /// Whether it is content of the run rather than of a leaf.
    #[must_use]
    pub const fn is_of_run(self) -> bool {
        matches!(self, Self::RunInput | Self::RunOutput)
    }
}

/// 32 secret random bytes of one run, from which all its salts are derived. Whoever has it can open
/// every commit of the run, so it never leaves the runtime. Its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct RunSecret([u8; 32]);

impl RunSecret {
    /// The secret of these random bytes.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The salt of content of the run itself.
    #[must_use]
    pub fn run_salt(&self, field: Field) -> [u8; 32] {
        *blake3::keyed_hash(&self.0, &[field as u8]).as_bytes()
    }

    /// The salt of content of one leaf. It depends on the leaf's place in the plan, not on its ordinal,
    /// so a runtime can commit to content before it knows how many leaves come before.
    #[must_use]
    pub fn salt(&self, node: NodeId, place: Place, iteration: &[u32], field: Field) -> [u8; 32] {
        let (place, arm) = match place {
            Place::Node => (0_u8, 0_u32),
            Place::Arm(arm) => (1, arm),
            Place::Join => (2, 0),
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&[field as u8, place]);
        hasher.update(&arm.to_be_bytes());
        hasher.update(&node.0.to_be_bytes());
        for index in iteration {
            hasher.update(&index.to_be_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

impl Drop for RunSecret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl std::fmt::Debug for RunSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunSecret(..)")
    }
}
