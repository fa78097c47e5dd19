//! Many fixes at once.

use super::{Applicability, Diagnostic, Edit, Fix};

/// The text after as many safe fixes as stand beside one another, and the indices of the diagnostics they
/// belong to, ascending.
///
/// Of two fixes whose edits overlap or touch, the one whose first edit comes first is made: what the other
/// was about may look different by then, so it has to be found again. `None` where there is nothing to do.
///
/// ```
/// let text = "fn f(x: Int) -> Int x\nfn g(x: Int) -> Int x\n";
/// let found = plan_lang::parse(text).diagnostics().to_vec();
/// let (fixed, done) = plan_lang::diagnostic::apply_safe(text, &found).unwrap();
/// assert_eq!(fixed, "fn f(x: Int) -> Int = x\nfn g(x: Int) -> Int = x\n");
/// assert_eq!(done, [0, 1]);
/// ```
#[must_use]
pub fn apply_safe(text: &str, diagnostics: &[Diagnostic]) -> Option<(String, Vec<usize>)> {
    let mut offered: Vec<(usize, &Fix)> = diagnostics
        .iter()
        .enumerate()
        .filter_map(|(index, found)| found.fix.as_ref().map(|fix| (index, fix)))
        .filter(|(_, fix)| fix.applicability == Applicability::Safe && !fix.edits.is_empty())
        .collect();
    offered.sort_by_key(|(index, fix)| (fix.edits.first().map(|edit| edit.span), *index));
    let mut edits: Vec<Edit> = Vec::new();
    let mut done = Vec::new();
    for (index, fix) in offered {
        // Sorted by their first edits, so only what comes last can be in the way.
        let first = fix.edits.first().map_or(0, |edit| edit.span.start);
        let in_the_way = edits.last().is_some_and(|last| last.span.end >= first);
        if !in_the_way && fix.apply(text).is_some() {
            edits.extend(fix.edits.iter().cloned());
            done.push(index);
        }
    }
    done.sort_unstable();
    let all = Fix { edits, ..Fix::safe("") };
    (!done.is_empty()).then(|| all.apply(text)).flatten().map(|text| (text, done))
}
