//! Misspelt keywords. To the grammar each is a name, so that the text breaks beside it and not at it.

use super::Source;
use crate::diagnostic::{Diagnostic, suggest};
use crate::lower::is_reserved;
use crate::text::Span;

/// Keywords that start what stands in braces: where one is misspelt, all in these braces was read as something else.
const BLOCK_WORDS: [&str; 4] = ["if", "else", "match", "for"];

/// A word, and the keyword that it was meant to be.
#[derive(Clone, Copy)]
pub(super) struct Misspelt {
    pub(super) span: Span,
    pub(super) keyword: &'static str,
}

impl Misspelt {
    /// Says so, and offers the keyword.
    pub(super) fn told(self, found: Diagnostic) -> Diagnostic {
        found.meant(self.keyword, self.span)
    }
}

/// The keyword that was meant beside the place `at` where the text breaks, by the words around it: one of `leads`
/// before it, to which what follows belongs, or one behind it, which joins what follows to what stands before.
pub(super) fn beside(at: u32, leads: &[&'static str], source: Source<'_>) -> Option<Misspelt> {
    before(at, leads, source).or_else(|| behind(at, source))
}

/// `mach x {`, `switch x {`, `cal search(q)`, `fr x in xs {`.
fn before(at: u32, leads: &[&'static str], source: Source<'_>) -> Option<Misspelt> {
    let (written, span) = source.before(at);
    let (next, next_span) = source.next_on_line(at);
    let is_apart = span.end < next_span.start && !Span::new(span.end, at).text(source.text).contains('\n');
    if !is_apart || !super::missing::starts_value(next) || !is_name(written) {
        return None;
    }
    let (third, _) = source.next_on_line(next_span.end);
    let short: &[&str] = match (next, third) {
        ("call" | "run", _) => &["try"],
        (_, "in") => &["for"],
        (_, "=" | ":") if is_name(next) => &["let"],
        (_, "(") if is_name(next) => &["call", "run"],
        _ => &[],
    };
    let is_match = written == "switch" && leads.contains(&"match");
    let foreign = is_match.then_some("match");
    let keyword = foreign.or_else(|| near_short(written, short)).or_else(|| near(written, leads))?;
    Some(Misspelt { span, keyword })
}

/// `call f(x) wiht {`, `} esle {`, `x sa String`.
fn behind(at: u32, source: Source<'_>) -> Option<Misspelt> {
    let (written, span) = source.next(at);
    let (follows, _) = source.next_on_line(span.end);
    if !is_name(written) {
        return None;
    }
    let is_after_block = source.last_char(at) == Some('}');
    let is_after_value = source.last_char(at).is_some_and(|last| last != '{');
    let keyword = match follows.chars().next() {
        Some('{') if is_after_block => near(written, &["with", "else"]),
        Some('{') => near(written, &["with"]),
        _ if follows == "if" && is_after_block => near(written, &["else"]),
        Some('"') => near(written, &["else", "with"]),
        Some('[') => near_short(written, &["as"]),
        Some(first) if first.is_uppercase() => near_short(written, &["as"]),
        Some(first) if first.is_lowercase() && !is_reserved(follows) => near(written, &["with"]),
        _ => None,
    };
    let keyword = keyword.filter(|_| is_after_value)?;
    Some(Misspelt { span, keyword })
}

/// The keyword that was meant at `at`, where only one of a few can stand.
pub(super) fn at(at: u32, keywords: &[&'static str], source: Source<'_>) -> Option<Misspelt> {
    let (written, span) = source.next_on_line(at);
    let keyword = near_short(written, keywords).filter(|_| is_name(written))?;
    Some(Misspelt { span, keyword })
}

/// Whether the keyword that a message offers starts a block, so that the block was misread.
pub(super) fn opens_block(found: &Diagnostic) -> bool {
    let edits = found.fix.as_ref().map_or(&[][..], |fix| &fix.edits);
    matches!(edits, [edit] if !edit.span.is_empty() && BLOCK_WORDS.contains(&edit.text.as_str()))
}

/// The keyword that was meant by `name` before `{`, behind the token `before` of a line above.
pub(crate) fn before_brace(name: &str, before: &str) -> Option<&'static str> {
    match before {
        ")" => near(name, &["with"]),
        "}" => near(name, &["else", "with"]),
        _ => None,
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(char::is_lowercase) && !is_reserved(word)
}

fn near(written: &str, keywords: &[&'static str]) -> Option<&'static str> {
    suggest(written, keywords.iter().copied())
        .and_then(|near| keywords.iter().copied().find(|keyword| *keyword == near))
        .or_else(|| keywords.iter().copied().find(|keyword| is_swapped(written, keyword)))
}

/// As [`near`], where what stands around leaves only these keywords: of few letters any may be wrong.
fn near_short(written: &str, keywords: &[&'static str]) -> Option<&'static str> {
    let one_slip = |keyword: &&str| strsim::damerau_levenshtein(written, keyword) == 1;
    near(written, keywords).or_else(|| keywords.iter().copied().find(one_slip))
}

/// Whether both are the same two letters.
fn is_swapped(written: &str, keyword: &str) -> bool {
    keyword.len() == 2 && written.chars().rev().eq(keyword.chars())
}
