//! Names of other languages in the spelling of this one.

use plan_ir::builtin::elsewhere::{names_here, pairs};
use plan_lang::suggest;

/// The name here for what is nearly one from elsewhere.
pub(in crate::check) fn name_near(elsewhere: &str) -> Option<&'static str> {
    suggest(elsewhere, pairs().map(|(_, other)| other)).and_then(|near| names_here(near).next())
}

/// `sortBy` as `sort_by`.
pub(in crate::check) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
