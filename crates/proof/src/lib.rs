//! Placeholder.
#![forbid(unsafe_code)]

/// Version of the format. It stays 0 until the format is frozen.
pub const VERSION: u64 = 0;

pub mod attempt;
pub mod body;
pub mod builder;
pub mod bundle;
pub mod challenge;
pub mod commit;
pub mod cost;
pub mod header;
pub mod key;
pub mod leaves;
pub mod limits;
pub mod lock;
mod object;
pub mod plan;
pub mod shape;
pub mod statement;
pub mod tree;
pub mod value;
pub mod verify;
pub use object::{ObjectError, Problem};
