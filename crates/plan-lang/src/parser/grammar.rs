//! The rules of `grammar/orch.pest` as functions, which `build/` makes.

pub(super) use rules::{Rule, file};

use super::machine::{Edge, Machine};

mod rules {
    #![allow(clippy::all, unused, reason = "written by a program")]
    #![allow(missing_docs, non_camel_case_types, reason = "the names are those of the grammar")]

    use crate::parser::machine::Machine;

    include!(concat!(env!("OUT_DIR"), "/grammar.rs"));
}

/// Where a rule of `grammar/orch.pest` starts or ends in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEdge {
    /// The rule, as the grammar calls it.
    pub rule: String,
    /// Whether it ends here.
    pub is_end: bool,
    /// The offset in bytes.
    pub at: usize,
}

/// What the grammar alone makes of `text`: the edges of its rules, in the order in which pest gives its tokens, without
/// those of silent rules and of `EOI`. For tools and tests that go by the grammar, whose names may change with any version;
/// everything else wants [`parse`](crate::parse), which has a limit on the size of a text, reads it in parts and says what is
/// wrong with it. `None` if the text nests too deep.
///
/// ```
/// let edges = plan_lang::rule_edges("fn one() -> Int = 1").unwrap();
/// assert!(edges.iter().any(|edge| edge.rule == "fn_decl" && !edge.is_end && edge.at == 0));
/// ```
#[must_use]
pub fn rule_edges(text: &str) -> Option<Vec<RuleEdge>> {
    let public = |Edge { rule, is_end, at }| RuleEdge { rule: format!("{rule:?}"), is_end, at: at as usize };
    Some(Machine::run(text, file)?.into_iter().map(public).collect())
}
