//! The wire contract: messages, clients and servers generated from `proto/orchestra/v1`, and the [`Channel`] that clients are made
//! over. Read the `.proto` files; this crate adds no meaning to them.
//!
//! ```
//! let amount = proto::v1::Amount { units: 4_000, currency: proto::v1::Currency::MicroUsd.into() };
//! assert_eq!(amount.currency(), proto::v1::Currency::MicroUsd);
//! ```
#![forbid(unsafe_code)]

mod channel;

pub use channel::{Channel, channel};

/// Package `orchestra.v1`.
#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    reason = "generated code"
)]
pub mod v1 {
    tonic::include_proto!("orchestra.v1");
}

/// The descriptors of every file and what they import, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/orchestra.bin"));
