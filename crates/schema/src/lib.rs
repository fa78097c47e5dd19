//! The vocabulary every other crate speaks: types and values of the plan language, descriptors of
//! subnet operations, prices, the lockfile, canonical bytes and hashes, and the errors of a run.
//!
//! It never does I/O, never reads a clock and never draws a random number, so it embeds in an editor,
//! a browser or a verifier. Read [`types::Type`], [`value::Value`] and
//! [`operation::OperationDescriptor`] first.
//!
//! ```
//! use schema::amount::{Amount, Currency};
//! let price: Amount = "0.004USD".parse()?;
//! assert_eq!(price, Amount::new(4_000, Currency::MicroUsd));
//! assert_eq!(price.to_string(), "0.004 USD");
//! # Ok::<(), schema::amount::ParseAmountError>(())
//! ```
#![forbid(unsafe_code)]

pub mod amount;
pub mod boundary;
pub mod compat;
pub mod coverage;
pub mod decode;
pub mod delivery;
pub mod encode;
pub mod error;
pub mod hash;
pub mod json_schema;
pub mod limits;
pub mod lock;
pub mod ocb;
pub mod operation;
pub mod price;
pub mod route;
pub mod stream;
pub mod subtype;
pub mod text_form;
pub mod tool;
pub mod types;
pub mod value;

#[cfg(test)]
mod arbitrary;
mod pointer;
mod wire;
