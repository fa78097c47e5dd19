//! What needs no judgement is mended: safe fixes, until none is left.

use plan_lang::diagnostic::apply_safe;
use plan_lang::{Diagnostic, LineCol, LineIndex};
use schema::lock::Lock;

use crate::{Compilation, Options, Source, compile};

/// Most times a text is compiled again. One round makes all fixes that stand apart, so that a text only
/// needs this many where one message hides the next.
pub const FIX_ROUNDS_MAX: usize = 100;

/// A text with its fixes made.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// The text; the source itself where nothing was done.
    pub text: String,
    /// What was done, in the order it was done.
    pub applied: Vec<AppliedFix>,
    /// What the compiler says about `text`.
    pub compilation: Compilation,
    /// Whether there were fixes that were not made, because the text would still have a syntax error after them.
    pub withheld: bool,
}

/// A fix that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedFix {
    /// The diagnostic that offered it.
    pub diagnostic: Diagnostic,
    /// Where it was, from 0 and in bytes; in the text as the fixes before it had left it.
    pub at: LineCol,
}

/// Compiles `source` and makes every safe fix, again and again until none is left.
///
/// All or nothing: where the text would still have a syntax error afterwards, it stays as it was, for what is
/// half understood is not half changed. A text that was in the one style of [`plan_lang::format`] is in it
/// afterwards; any other keeps its layout.
///
/// ```
/// use plan_compiler::{Options, Source, fix};
/// use schema::lock::Lock;
/// let text = "fn double(x: Int(0..9)) -> Int(0..18) x * 2\n";
/// let fixed = fix(&Source { name: "math.orch", text }, &Lock::empty(), &Options::default());
/// assert_eq!(fixed.text, "fn double(x: Int(0..9)) -> Int(0..18) = x * 2\n");
/// assert_eq!(fixed.applied[0].diagnostic.message, "`=` is missing before the body of `fn double`");
/// ```
#[must_use]
pub fn fix(source: &Source<'_>, lock: &Lock, options: &Options) -> Fixed {
    let before = compile(source, lock, options);
    let mut fixed = Fixed { text: source.text.to_owned(), compilation: before.clone(), ..Fixed::default() };
    for _ in 0..FIX_ROUNDS_MAX {
        let Some((text, done)) = apply_safe(&fixed.text, &fixed.compilation.diagnostics) else { break };
        let lines = LineIndex::new(&fixed.text);
        let made = done.iter().filter_map(|index| fixed.compilation.diagnostics.get(*index));
        fixed.applied.extend(made.map(|diagnostic| AppliedFix {
            at: lines.utf8(diagnostic.span().start),
            diagnostic: diagnostic.clone(),
        }));
        fixed.compilation = compile(&Source { name: source.name, text: &text }, lock, options);
        fixed.text = text;
    }
    if fixed.applied.is_empty() {
        return fixed;
    }
    let Ok(in_style) = plan_lang::format(&fixed.text) else {
        let text = source.text.to_owned();
        return Fixed { text, compilation: before, applied: Vec::new(), withheld: true };
    };
    let was_in_style = plan_lang::format(source.text).is_ok_and(|formatted| formatted == source.text);
    if was_in_style && in_style != fixed.text {
        fixed.compilation = compile(&Source { name: source.name, text: &in_style }, lock, options);
        fixed.text = in_style;
    }
    fixed
}
