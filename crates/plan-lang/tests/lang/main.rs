//! The syntax from the outside: text in, trees, messages, fixes and laid out text out.

mod ast;
mod depth;
mod diagnostic;
mod edits;
mod fence;
mod fixes;
mod format;
mod hopeless;
mod lines;
mod literals;
mod messages;
mod pages;
mod parse;
mod precheck;
mod reference;
mod soup;
mod suggest;
mod support;
#[path = "../../../fuzz-bodies/src/text.rs"]
mod text;
mod tokens;

/// As `orch` has it. Trees are made of many small pieces: with the system's own, these tests take a sixth longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
