//! Every bound of this crate, in one place.

/// Canonical bytes of one entry. An append of the store takes twice as much.
pub const MAX_ENTRY_BYTES: usize = 256 * 1024;
/// Entries of one kind in the Ledger.
pub const MAX_ENTRIES: usize = 100_000;
/// Unicode scalars of a summary: one line.
pub const MAX_SUMMARY_CHARS: usize = 160;
/// Bytes of an operation id or capability name.
pub const MAX_ID_BYTES: usize = 100;
/// Tags of one entry.
pub const MAX_TAGS: usize = 16;
/// Adapters of one capability.
pub const MAX_ADAPTERS: usize = 256;
/// Rows of a page where the request names none.
pub const DEFAULT_PAGE_ROWS: usize = 50;
/// Rows of a page; a larger request is lowered to this.
pub const MAX_PAGE_ROWS: usize = 500;
/// Hits of a search where the request names none.
pub const DEFAULT_SEARCH_HITS: usize = 20;
/// Hits of a search; a larger request is lowered to this.
pub const MAX_SEARCH_HITS: usize = 100;
/// Bytes of one file of a catalogue.
pub const MAX_CATALOG_FILE_BYTES: u64 = 4 * 1024 * 1024;
