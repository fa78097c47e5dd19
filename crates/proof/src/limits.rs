//! Limits of the format. A verifier refuses what exceeds them before it spends memory or time on it,
//! and a producer refuses to make it.

/// Bytes of one bundle file.
pub const BUNDLE_BYTES_MAX: usize = 256 << 20;
/// Bytes of a compiled plan inside a bundle.
pub const PLAN_BYTES_MAX: usize = plan_ir::bytes::PLAN_BYTES_MAX;
/// Bytes of a challenge, a header or a statement.
pub const OBJECT_BYTES_MAX: usize = 1 << 20;
/// Bytes of one node commit.
pub const COMMIT_BYTES_MAX: usize = 4 << 10;
/// Leaves of one run.
pub const LEAVES_MAX: u32 = 1_000_000;
/// Parents of all locks of a run together. A loop body may read many values from outside, so this
/// number, not the bytes of the bundle, bounds the hashing a verifier must do.
pub const LOCK_PARENTS_MAX: u64 = 4_000_000;
/// Fan-outs inside one another: the length of an iteration vector.
pub const ITERATION_DEPTH_MAX: usize = plan_ir::topology::REGION_DEPTH_MAX;
/// Characters of names that are carried as text: operations, schemes, codes.
pub const NAME_LENGTH_MAX: usize = 128;
/// Bytes of a peer's key, of its signature and of other opaque identifiers.
pub const OPAQUE_BYTES_MAX: usize = 256;
/// Bytes of what a peer signs of one of several answers: seven short lines.
pub const SIGNED_BYTES_MAX: usize = 1 << 10;
/// Pieces of evidence on one node.
pub const EVIDENCE_MAX: usize = 16;
/// Signatures on one statement: this version knows the runtime's own only.
pub const SIGNATURES_MAX: usize = 1;
/// Attempts of one node: the most `retry` and `fallback` can add up to.
pub const ATTEMPTS_MAX: u32 = 10_000;
/// Answers that one value was made of: the votes, pages or exchanges of one node.
pub const ANSWERS_MAX: usize = ATTEMPTS_MAX as usize;
/// Failures one verdict lists; a verifier stops when it has found this many.
pub const FAILURES_MAX: usize = 64;
