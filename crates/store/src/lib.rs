//! The log: where everything that happened is kept, and the views folded from it.
//!
//! A [`Log`] holds append-only *streams* of opaque records, plus what has to change in the same instant as a
//! record: *view* rows (current state for look-ups and pages), full-text *index* entries, idempotency *claims*
//! and *blobs* (bodies too large for a record, by content hash). One [`Append`] is atomic over all of them.
//!
//! [`Sqlite`] is the embedded implementation: one SQLite file (WAL, `synchronous=FULL`), one writer thread that
//! commits everything queued at one moment together, readers on connections of their own. [`Memory`] keeps the same in
//! maps, for what need not outlive the process. The trait is small so that a replicated log can stand behind it.
//!
//! This crate must never interpret a record, read a clock, or let SQL (or full-text query syntax) escape into its
//! interface. An acknowledged append survives a crash of the process; a refused one leaves no trace.
//!
//! Read first: [`Log`], [`Append`], [`Sqlite`], [`Memory`], [`Error`].
//!
//! ```
//! use store::{Append, Log, Memory, StreamName};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let log = Memory::new();
//! let stream = StreamName::new("runs/1")?;
//! let done = log.append(Append::to(stream.clone()).expecting(0).record("opened")).await?;
//! assert_eq!(done.last_seq, 1);
//! let records = log.read(&stream, 1, 100).await?;
//! assert_eq!(&records[0].bytes[..], b"opened");
//! # Ok::<(), store::Error>(()) }).unwrap();
//! ```
#![forbid(unsafe_code)]

mod append;
mod error;
mod limits;
mod log;
mod memory;
mod name;
mod ownership;
mod private;
mod search;
mod sqlite;
mod watch;

pub use append::{Append, Appended, BlobWrite, Claim, IndexDoc, IndexWrite, ViewWrite};
pub use error::Error;
pub use limits::*;
pub use log::{BoxFuture, Log, Record, ScanOrder, Stats, StreamInfo, ViewRow, ViewScan};
pub use memory::Memory;
pub use name::StreamName;
pub use ownership::{LOCK_FILE, Server};
pub use search::{Search, SearchHit};
pub use sqlite::{DATABASE_FILE, Options, SCHEMA_VERSION, Sqlite};
pub use watch::Watch;

use schema::hash::Hash;

/// The address under which `bytes` are stored as a blob: plain BLAKE3, without a context, so that any tool can
/// check a blob.
#[must_use]
pub fn blob_hash(bytes: &[u8]) -> Hash {
    Hash(*blake3::hash(bytes).as_bytes())
}
