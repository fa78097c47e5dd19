//! Outgoing calls.
#![forbid(unsafe_code)]

pub mod axon;
mod client;
pub mod code;
pub mod egress;
pub mod hotkey;
mod https;
mod outcome;
pub mod python;
pub mod secrets;
pub mod ss58;
mod status;

pub use client::{CallContext, Client, OperationTypes, PrepareError, PreparedOperation};
pub use outcome::CallOutcome;
