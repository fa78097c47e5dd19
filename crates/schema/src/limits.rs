//! Named limits shared by more than one crate. Each has a coded error where it is enforced and a test
//! at the limit and one past it.

/// Bytes of one source file.
pub const SOURCE_BYTES_MAX: usize = 1 << 20;
/// Nesting of brackets, blocks and templates in source.
pub const NESTING_MAX: usize = 128;
/// Nodes in one compiled plan, sub-plans inlined.
pub const PLAN_NODES_MAX: usize = 10_000;
/// Instances of nodes in one run: each is held in memory (about 10 KiB at worst, so 1 GiB for all) and has a
/// leaf in the proof.
pub const RUN_INSTANCES_MAX: u32 = 100_000;
/// Requests of calls in one run, free ones and each page too: what one client can make a server send.
pub const RUN_CALLS_MAX: u32 = 20_000;
/// Elements of one list value.
pub const LIST_ELEMENTS_MAX: usize = 100_000;
/// Bytes of one request or answer body.
pub const CALL_BODY_BYTES_MAX: usize = 8 << 20;
/// Bytes of all headers of one answer.
pub const RESPONSE_HEADER_BYTES_MAX: usize = 32 << 10;
/// Nesting of a JSON document.
pub const JSON_DEPTH_MAX: usize = 64;
/// Nesting of a canonical proof object; values inside it may nest to [`JSON_DEPTH_MAX`].
pub const OCB_DEPTH_MAX: usize = 8;
/// Scalars of a string checked as `Url`: the length browsers and proxies agree on.
pub const URL_LENGTH_MAX: u64 = 2_048;
/// Bodies above this size go to the blob store; the journal keeps their hash.
pub const INLINE_BODY_BYTES_MAX: usize = 64 << 10;
