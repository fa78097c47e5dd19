//! Fixes are tried before they are offered: a guess that leaves as many mistakes as there were is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnose;
use super::part::{Part, Parts, offset};
use crate::diagnostic::{Applicability, Diagnostic, Fix};
use crate::text::Span;

/// Most bytes that are read to try fixes one by one. Those behind are tried together.
const MAX_TRIED_BYTES: u32 = 1 << 18;

/// Takes back each fix that does not help. `diagnostics` are those of the whole text, in its order.
pub(super) fn keep_what_helps(parts: &[Arc<Part>], diagnostics: &mut [Diagnostic]) {
    if diagnostics.iter().all(|found| found.fix.is_none()) {
        return;
    }
    let places = Places::of(parts);
    let mut left = MAX_TRIED_BYTES;
    let mut untried: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    let mut helps = vec![true; diagnostics.len()];
    for ((index, found), helps) in diagnostics.iter().enumerate().zip(&mut helps) {
        let Some(fix) = &found.fix else { continue };
        let (first, end) = places.around(touched(found, fix));
        let Some(rest) = left.checked_sub(places.span(first, end).len()) else {
            *helps = false;
            untried.entry((first, end)).or_default().push(index);
            continue;
        };
        left = rest;
        let place = places.read(first, end);
        let known = within(diagnostics, place.span).iter().filter(|known| place.span.contains(known.span()));
        let (before, others): (Vec<_>, Vec<_>) = known.partition(|known| known.span() < found.span());
        *helps = does_help(fix, &place, before.len(), before.len() + others.len());
    }
    for ((first, end), indices) in untried {
        let certain = |found: &&Fix| found.applicability == Applicability::Safe;
        let fix = |index: &usize| diagnostics.get(*index)?.fix.as_ref().filter(certain);
        let safe: Vec<(usize, &Fix)> =
            indices.iter().filter_map(|index| Some((*index, fix(index)?))).collect();
        if !safe.is_empty() && do_help(&safe, &places.read(first, end), diagnostics) {
            for (index, _) in safe {
                helps.get_mut(index).into_iter().for_each(|helps| *helps = true);
            }
        }
    }
    for (found, _) in diagnostics.iter_mut().zip(helps).filter(|(_, helps)| !helps) {
        found.fix = None;
    }
}

/// The declarations of a text, by their number.
struct Places<'p> {
    parts: &'p [Arc<Part>],
    starts: Vec<u32>,
    /// Where the text ends.
    end: u32,
}

impl<'p> Places<'p> {
    fn of(parts: &'p [Arc<Part>]) -> Self {
        let (mut starts, mut end) = (Vec::with_capacity(parts.len()), 0);
        for part in parts {
            starts.push(end);
            end += offset(part.text.len());
        }
        Self { parts, starts, end }
    }

    /// The first that `touched` is in, and the one behind the last.
    fn around(&self, touched: Span) -> (usize, usize) {
        let first = self.starts.partition_point(|start| *start <= touched.start).saturating_sub(1);
        (first, self.starts.partition_point(|start| *start < touched.end).max(first + 1))
    }

    fn span(&self, first: usize, end: usize) -> Span {
        let start = |part: usize| self.starts.get(part).copied().unwrap_or(self.end);
        Span::new(start(first), start(end))
    }

    fn read(&self, first: usize, end: usize) -> Place {
        let text = self.parts.get(first..end).unwrap_or_default().iter().map(|part| &*part.text).collect();
        Place { text, span: self.span(first, end) }
    }
}

/// The declarations that a fix touches, which are read to try it.
struct Place {
    text: String,
    span: Span,
}

impl Place {
    /// A fix as one of this text.
    fn own(&self, fix: &Fix) -> Fix {
        let mut fix = fix.clone();
        for edit in &mut fix.edits {
            let own = |at: u32| at.wrapping_sub(self.span.start);
            edit.span = Span::new(own(edit.span.start), own(edit.span.end));
        }
        fix
    }
}

/// Whether fixes that are certain leave, up to the last of them, one mistake less for each.
fn do_help(fixes: &[(usize, &Fix)], place: &Place, known: &[Diagnostic]) -> bool {
    let edits = fixes.iter().flat_map(|(_, fix)| place.own(fix).edits).collect();
    let all = Fix { edits, ..Fix::safe("") };
    let Some((fixed, end)) = all.apply(&place.text).zip(all.edits.last().map(|edit| edit.span.end)) else {
        return false;
    };
    let known = within(known, place.span).iter().map(|found| found.span().start - place.span.start);
    let before = known.filter(|at| *at < end).count();
    let end = (end + offset(fixed.len())).saturating_sub(offset(place.text.len()));
    let left = diagnose(&fixed, Parts::default()).diagnostics;
    left.iter().filter(|found| found.span().start < end).count() + fixes.len() <= before
}

/// Those of `diagnostics`, which are in the order of the text, that start in `span` or where it ends.
fn within(diagnostics: &[Diagnostic], span: Span) -> &[Diagnostic] {
    let first = diagnostics.partition_point(|found| found.span().start < span.start);
    let end = diagnostics.partition_point(|found| found.span().start <= span.end);
    diagnostics.get(first..end).unwrap_or_default()
}

/// From where to where the text matters to a fix.
fn touched(found: &Diagnostic, fix: &Fix) -> Span {
    let edits = fix.edits.iter().map(|edit| edit.span);
    edits.fold(found.span(), |all, edit| Span::new(all.start.min(edit.start), all.end.max(edit.end)))
}

/// Whether `fix` leaves fewer than `all` mistakes in its place; or, where it puts one word for another or is certain,
/// whether the text is read further: behind what is reported `before` it, the next mistake stands behind the word.
fn does_help(fix: &Fix, place: &Place, before: usize, all: usize) -> bool {
    let fix = place.own(fix);
    let Some(fixed) = fix.apply(&place.text) else { return false };
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
