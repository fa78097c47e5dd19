//! The compiler from the outside: text in, plans or messages out.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

mod bounds;
mod broken_locks;
mod call_arguments;
mod capability_call;
mod certain;
mod common;
mod compat;
mod documents;
mod embedding;
mod execute;
mod fixes;
mod follow_ups;
mod habits;
mod library;
mod limits_of_plans;
mod matches;
mod mdtest;
mod meaning;
#[path = "../../../schema/tests/mapping/model.rs"]
#[allow(dead_code, reason = "shared with the tests of `schema`, which use more of it")]
mod model;
mod one_call;
mod pages;
mod policies;
mod pure;
mod rechecked;
mod robust;
mod rules;
mod session;
mod shapes;
mod shown_types;
mod soundness;
mod statements;
mod suggestions;
mod test_blocks;
mod told_apart;
mod whole_plans;

/// As `orch` has it. Trees are made of many small pieces: with the system's own, these tests take a sixth longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
