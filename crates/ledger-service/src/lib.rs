//! The Subnet Ledger: the registry of what every subnet can do.
//!
//! Log first, state second: every publication is an entry of the store's `ledger` stream, in its canonical bytes and
//! under their hash, and the state is a fold of that stream. A [`Snapshot`] is one state: immutable, cheap to share,
//! and named by a hash, so that a lock can say what it was taken from.
//!
//! This crate must never call a subnet while answering a reader, never change a published version, and knows no
//! gRPC: `server` wraps the [`Handle`].
//!
//! Read first: [`Handle`], [`Snapshot`], [`Catalog`], [`Error`].
//!
//! ```
//! use std::sync::Arc;
//! use ledger_service::{Catalog, Options, SearchRequest};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let ledger = Options::new(Arc::new(store::Memory::new())).open().await?;
//! ledger.load(&Catalog::embedded()?).await?;
//! let hits = ledger.search(&SearchRequest::for_text("web search")).await?;
//! assert_eq!(hits[0].operation.descriptor.id, "sn22.web_search");
//! # Ok::<(), ledger_service::Error>(()) }).unwrap();
//! ```
#![forbid(unsafe_code)]

mod callable;
mod catalog;
mod entry;
mod error;
mod handle;
mod limits;
mod lock;
mod page;
mod publish;
mod revise;
mod rules;
mod search;
mod snapshot;
mod statistics;
mod texts;

pub use callable::Callability;
pub use catalog::Catalog;
pub use entry::{Kind, Published, SubnetDescriptor, SubnetStatus};
pub use error::Error;
pub use handle::{Handle, LoadReport, Options, STREAM};
pub use limits::*;
pub use page::{OperationFilter, Page, PageRequest, SubnetFilter};
pub use revise::{Revision, check, revise};
pub use search::{SearchHit, SearchRequest};
pub use snapshot::Snapshot;
pub use statistics::{STATISTICS, Statistics};
