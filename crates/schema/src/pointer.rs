//! JSON pointers (RFC 6901), as entries of the Ledger name places in answers by them.

/// Checks the form of one.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn check(text: &str) -> Result<(), String> {
    match text.is_empty() || text.starts_with('/') {
        true => Ok(()),
        false => Err(format!("`{text}` is no JSON pointer: one is empty or begins with `/`")),
    }
}
