//! What the parser refuses to read. Each limit has its own code and is tested at N and N + 1.

/// Longest source text in bytes: 1 MiB, some 25,000 lines. Keeps offsets in `u32` and parse time bounded.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// Deepest nesting of `(`, `[`, `{` and of `{..}` in templates. The parser is recursive; at this depth
/// it fits a 2 MiB stack in an unoptimised build.
pub const MAX_NESTING: usize = 128;

/// Deepest expression as the AST sees it: operators, calls and fields stacked on one another count,
/// brackets do not. Bounds the recursion of everything that walks the AST.
pub const MAX_EXPRESSION_DEPTH: usize = 256;

/// Most syntax errors reported for one file; more are echoes that nobody reads.
pub const MAX_REPORTED_ERRORS: usize = 100;

/// Most places that break the grammar before reading stops. What stands behind that many is not understood anyway, and
/// finding a way through it takes longer than reading what is right.
pub const MAX_BROKEN_PLACES: usize = 1_000;
