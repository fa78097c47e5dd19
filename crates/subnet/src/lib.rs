//! Outgoing calls.
#![forbid(unsafe_code)]

pub mod egress;
pub mod hotkey;
pub mod python;
pub mod secrets;
pub mod ss58;
