//! The service: opens store, Ledger and runtime, wires them, and serves them by gRPC, one file per
//! service.
//!
//! It compiles what clients send and never accepts a compiled plan from one. Read [`Options`] and
//! [`Service`] first; the wire contract is `proto/orchestra/v1`.
#![forbid(unsafe_code)]

pub mod access;
mod browser;
mod call;
mod coded;
mod compiler;
mod convert;
mod inside;
mod ledger;
mod native;
mod not_grpc;
mod open;
mod own_machine;
mod plans;
mod published;
mod run;
mod serve;
mod status;
mod tools;

pub use native::Native;
pub use open::{OpenError, Options, Service, StoreLocation};
pub use serve::{INSTANCE_HEADER, ServeError};
pub use status::DOMAIN;
