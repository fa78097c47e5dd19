//! The syntax from the outside: text in, trees, messages, fixes and laid out text out.

mod ast;
mod depth;
mod fence;
mod fixes;
mod format;
mod hopeless;
mod messages;
mod pages;
mod parse;
mod soup;
mod support;
#[path = "../../../fuzz-bodies/src/text.rs"]
mod text;
