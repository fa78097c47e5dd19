//! The rows of the table of functions, by what they are called on. Every example is run by a test of the
//! compiler, and the reference page is made of these.

pub(crate) mod json;
pub(crate) mod lists;
pub(crate) mod maps;
pub(crate) mod numbers;
pub(crate) mod order;
pub(crate) mod text;
pub(crate) mod times;
pub(crate) mod urls;
