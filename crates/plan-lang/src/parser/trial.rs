//! Fixes are tried before they are offered: a guess that leaves as many mistakes as there were is none.

use std::sync::Arc;

use super::diagnose;
use super::part::{Part, Parts, offset};
use crate::diagnostic::{Applicability, Diagnostic, Fix};
use crate::text::Span;

/// Most bytes that are read to try the fixes of one text. Those behind are not offered.
const MAX_TRIED_BYTES: usize = 1 << 18;

/// Takes back each fix that does not help. `diagnostics` are those of the whole text, in its order.
pub(super) fn keep_what_helps(parts: &[Arc<Part>], diagnostics: &mut [Diagnostic]) {
    if diagnostics.iter().all(|found| found.fix.is_none()) {
        return;
    }
    let starts: Vec<u32> = parts
        .iter()
        .scan(0, |at, part| {
            let start = *at;
            *at += part.text.len();
            Some(offset(start))
        })
        .collect();
    let mut left = MAX_TRIED_BYTES;
    let helps: Vec<bool> = diagnostics
        .iter()
        .map(|found| {
            let Some(fix) = &found.fix else { return true };
            let touched = touched(found, fix);
            let first = starts.partition_point(|start| *start <= touched.start).saturating_sub(1);
            let end = starts.partition_point(|start| *start < touched.end).max(first + 1);
            let parts = parts.get(first..end).unwrap_or_default();
            let bytes = parts.iter().map(|part| part.text.len()).sum();
            let Some(rest) = left.checked_sub(bytes) else { return false };
            left = rest;
            let start = starts.get(first).copied().unwrap_or_default();
            let place = Span::new(start, start + offset(bytes));
            let known = diagnostics.iter().filter(|known| place.contains(known.span()));
            let (before, others): (Vec<_>, Vec<_>) = known.partition(|known| known.span() < found.span());
            let text: String = parts.iter().map(|part| &*part.text).collect();
            does_help(fix, &text, start, before.len(), before.len() + others.len())
        })
        .collect();
    for (found, _) in diagnostics.iter_mut().zip(helps).filter(|(_, helps)| !helps) {
        found.fix = None;
    }
}

/// From where to where the text matters to a fix.
fn touched(found: &Diagnostic, fix: &Fix) -> Span {
    let edits = fix.edits.iter().map(|edit| edit.span);
    edits.fold(found.span(), |all, edit| Span::new(all.start.min(edit.start), all.end.max(edit.end)))
}

/// Whether `fix` leaves fewer than `all` mistakes in `text`, which starts at `start`; or, where it puts one word for
/// another or is certain, whether the text is read further: behind what is reported `before` it, the next mistake stands
/// behind the word.
fn does_help(fix: &Fix, text: &str, start: u32, before: usize, all: usize) -> bool {
    let mut fix = fix.clone();
    for edit in &mut fix.edits {
        let own = |at: u32| at.wrapping_sub(start);
        edit.span = Span::new(own(edit.span.start), own(edit.span.end));
    }
    let Some(fixed) = fix.apply(text) else { return false };
    let left = diagnose(&fixed, Parts::default()).diagnostics;
    if left.len() < all {
        return true;
    }
    let [edit] = fix.edits.as_slice() else { return false };
    let is_certain = fix.applicability == Applicability::Safe || edit.text.starts_with(char::is_alphanumeric);
    let is_word = is_certain && !edit.span.is_empty() && !edit.text.is_empty();
    let end = edit.span.start + offset(edit.text.len());
    is_word && left.get(before).is_none_or(|next| next.span().start > end)
}
