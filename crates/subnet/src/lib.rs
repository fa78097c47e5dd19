//! Outgoing calls: every byte that leaves for a subnet goes through here.
//!
//! An operation of the Ledger is prepared once ([`Client::prepare`]) and called often ([`Client::call`]); what comes
//! back is a [`CallOutcome`] with the decoded answer or a `CallError`, the secret-free request a proof commits to, the
//! answer's bytes, the timings and the stated charge. [`egress`] is the only place that opens connections, and it
//! judges every address; [`secrets`] gives a key to the one origin it is bound to and to nobody else.
//!
//! This crate must never follow a redirect, use a proxy from the environment, log a body, or let a key into an error,
//! a canonical request or a kept answer. It decides nothing about retries, hedges and money: a call is one attempt.
//!
//! Read [`Client`], [`CallContext`] and [`egress::Options`] first.
//!
//! ```
//! use subnet::egress::{EgressPolicy, Options};
//! let client = subnet::Client::new(Options::default())?;
//! assert!(client.egress().endpoint("https://api.desearch.ai").is_ok());
//! let refused = client.egress().endpoint("http://169.254.169.254:8080").unwrap_err();
//! assert_eq!(refused.code(), "E1101");
//! let policy = EgressPolicy { allow_loopback: true, allow_private: false };
//! let development = subnet::Client::new(Options { policy, ..Options::default() })?;
//! assert!(development.egress().endpoint("http://127.0.0.1:8091").is_ok());
//! # Ok::<(), subnet::egress::RootError>(())
//! ```
#![forbid(unsafe_code)]

pub mod axon;
mod body;
mod broken;
mod client;
pub mod code;
mod completion;
mod delivery;
mod echo;
pub mod egress;
pub mod entry;
mod events;
mod exchanged;
mod grpc;
pub mod hotkey;
mod https;
mod key_headers;
mod message;
mod miner;
mod outcome;
mod payment;
mod pieces;
pub mod python;
mod reflection;
mod rules;
pub mod secrets;
mod signed;
mod status;
mod streamed;
mod styles;
mod twresp;

pub use client::{CallContext, Client, OperationTypes, PrepareError, PreparedOperation};
pub use delivery::Follow;
pub use outcome::CallOutcome;
pub use proof::ss58;
pub use reflection::ReflectionError;
pub use streamed::Listen;
