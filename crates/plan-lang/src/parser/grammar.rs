//! The parser that pest derives from `grammar/orch.pest`. Only the parser module sees it.
#![allow(unreachable_pub, reason = "the derive makes a public enum of rules")]

/// Text to pest pairs.
#[derive(pest_derive::Parser)]
#[grammar = "../../grammar/orch.pest"]
pub(super) struct Grammar;
