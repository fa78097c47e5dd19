//! Native code for the pure expressions of compiled plans, by Cranelift.
#![deny(unsafe_op_in_unsafe_fn)]

mod answer;
mod arena;
mod cells;
mod compile;
mod constants;
mod count;
mod engine;
mod flat;
mod helper;
pub mod layout;
mod native;
mod run;
mod tiered;

pub use answer::{Answer, AnswerReader};
pub use compile::Refused;
pub use engine::{Coverage, Engine, Unsupported, fragments};
pub use flat::{Flat, Shape};
pub use helper::ABI_VERSION;
pub use native::{ARENA_BYTES_MAX, FlatEnv, NativePlan, Outcome};
pub use tiered::{TierLimits, Tiered, TieredPlan};
