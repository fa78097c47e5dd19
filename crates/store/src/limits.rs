//! Every bound of this crate, in one place. Exceeding one is [`Error::TooLarge`](crate::Error::TooLarge).

/// Bytes of all records of one append. Chosen so that one append can be one message of a message broker.
pub const MAX_APPEND_BYTES: usize = 512 * 1024;
/// Records in one append.
pub const MAX_APPEND_RECORDS: usize = 4_096;
/// View rows and index entries in one append, together.
pub const MAX_APPEND_WRITES: usize = 4_096;
/// Bytes of all view values and index texts of one append.
pub const MAX_APPEND_VIEW_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one blob: twice the largest body of a call, so that a request and its answer fit together.
pub const MAX_BLOB_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of a stream name.
pub const MAX_STREAM_NAME_BYTES: usize = 200;
/// Bytes of a view, index, scope or tag name, and of a key.
pub const MAX_KEY_BYTES: usize = 512;
/// Rows of one page of any read; a larger `limit` is lowered to this.
pub const MAX_PAGE_ROWS: usize = 10_000;
/// Bytes after which a page of any read ends early (a page holds at least one row).
pub const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Unicode scalars of a search text.
pub const MAX_SEARCH_CHARS: usize = 1_000;
/// Distinct words of a search text that take part in the search; later ones are left out.
pub const MAX_SEARCH_TERMS: usize = 32;
/// Tags that one search may ask for, and that one document may carry.
pub const MAX_TAGS: usize = 64;
/// Records of one stream.
pub const MAX_STREAM_RECORDS: u64 = u32::MAX as u64;
/// Appends that share one commit.
pub const MAX_GROUP_APPENDS: usize = 1_024;
/// Appends that wait for the writer before `append` itself waits.
pub const MAX_QUEUED_APPENDS: usize = 4_096;
