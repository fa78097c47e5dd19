//! What must hold of every input, as functions of bytes.
//!
//! Fuzzers (`fuzz/`) call them with what they come up with; the tests of this crate call them with the corpus and with
//! mutations of it, and the tests of the crates that read the input with what they generate. A body returns for every
//! input, quickly, or it panics with what does not hold. Read [`TARGETS`] first.
//!
//! ```
//! fuzz_bodies::parse(b"fn f( -> Int = \xff");
//! fuzz_bodies::format(b"fn f()->Int=1 // why");
//! ```
#![forbid(unsafe_code)]

pub mod dice;
mod document;
mod import;
mod ledger;
mod lock;
mod plan;
mod text;

pub use ledger::ledger;

/// Something that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name of the body and of its program in `fuzz/fuzz_targets/`.
    pub name: &'static str,
    /// What must hold.
    pub body: fn(&[u8]),
    /// Folders of inputs to start from, below the project's root.
    pub corpus: &'static [&'static str],
}

/// Folders of plans: texts that are hard to read, to lay out and to compile, and some that people would write.
const PLANS: &[&str] = &[
    "crates/fuzz-bodies/corpus/parse",
    "crates/fuzz-bodies/corpus/format",
    "crates/fuzz-bodies/corpus/check",
    "crates/plan-lang/tests/fixtures",
    "crates/plan-compiler/tests/compiler/plans",
];

/// Everything that is fuzzed.
pub const TARGETS: &[Target] = &[
    Target { name: "parse", body: parse, corpus: PLANS },
    Target { name: "format", body: format, corpus: PLANS },
    Target { name: "check", body: check, corpus: PLANS },
    Target { name: "schema", body: schema, corpus: &["crates/schema/tests/mapping/corpus"] },
    Target {
        name: "lock",
        body: lock,
        corpus: &["crates/schema/tests/locks/corpus", "examples/plans/orchestra.schemas"],
    },
    Target {
        name: "openapi",
        body: openapi,
        corpus: &["crates/openapi/tests/documents/corpus", "crates/openapi/tests/documents/fixtures"],
    },
];

/// Reading a plan keeps every byte and says what it does not understand, in whichever steps the text came.
pub fn parse(data: &[u8]) {
    text::parse(data);
}

/// A plan that can be read is laid out once and for all, and nothing gets lost.
pub fn format(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        text::format(text);
    }
}

/// Compiling gives messages or plans, and plans are well formed.
pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        plan::check(text);
    }
}

/// A JSON Schema maps to types and checks that agree, or is refused with a code and a place.
pub fn schema(data: &[u8]) {
    if let Ok(schema) = serde_json::from_slice(data) {
        import::import_any(&schema);
    }
}

/// A lockfile, or an entry of one, is read as a whole or refused with a code.
pub fn lock(data: &[u8]) {
    lock::lockfile(&String::from_utf8_lossy(data), &schema::lock::LockBodies::new());
    lock::entry(data);
}

/// An OpenAPI document and the operations in it are read, or refused with a code.
pub fn openapi(data: &[u8]) {
    document::read(data);
}
