//! What needs no judgement is mended: safe fixes, until none is left.

use std::collections::BTreeMap;

use plan_lang::diagnostic::apply_safe;
use plan_lang::limits::MAX_REPORTED_ERRORS;
use plan_lang::{Applicability, Code, Diagnostic, Edit, LineCol, LineIndex, Span};
use schema::lock::Lock;

use crate::{Compilation, Options, Source, compile};

/// Most times a text is compiled again. One round makes all fixes that stand apart, so that a text only
/// needs this many where one message hides the next, or where there are more than are reported at once.
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
    /// Safe fixes that are left, and why.
    pub left: Option<Left>,
    /// How many errors the compiler finds in `text` that it did not tell of the source: what was mended had kept it from
    /// looking there.
    pub uncovered: usize,
}

/// Why safe fixes were not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// They leave no fewer mistakes, alone or together, or make one of their own.
    NoBetter,
    /// The text was compiled [`FIX_ROUNDS_MAX`] times, and got better meanwhile: fixing what it is now goes on.
    Rounds,
}

/// A fix that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedFix {
    /// The diagnostic that offered it.
    pub diagnostic: Diagnostic,
    /// Where it was, from 0 and in bytes; in the text as the fixes before it had left it.
    pub at: LineCol,
}

/// Compiles `source` and makes safe fixes, again and again until none is left that makes the text better.
///
/// Each step leaves fewer mistakes than there were: all fixes at once where that does, with those that they uncover;
/// else each on its own. Mistakes of the syntax count before all others, for what cannot be read was not looked at: where
/// one of them is mended, there may be more to see afterwards. None is of the fixes' own making: nothing new is wrong
/// where they have written. A text that was in the one style of [`plan_lang::format`] is in it afterwards; any other
/// keeps its layout.
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
    let compile_text = |text: &str| compile(&Source { name: source.name, text }, lock, options);
    let compilation = compile_text(source.text);
    let first = compilation.diagnostics.clone();
    let mut best =
        Step { text: source.text.to_owned(), compilation, applied: Vec::new(), written: Vec::new() };
    let mut rounds = FIX_ROUNDS_MAX;
    let left = loop {
        if best.offered().is_empty() {
            break None;
        }
        match best.better(&mut rounds, &compile_text) {
            Some(next) => best = next,
            // Where nothing was made, the next time would be as this one.
            None if rounds == 0 && !best.applied.is_empty() => break Some(Left::Rounds),
            None => break Some(Left::NoBetter),
        }
    };
    let Step { mut text, mut compilation, applied, .. } = best;
    let was_in_style =
        !applied.is_empty() && plan_lang::format(source.text).is_ok_and(|formatted| formatted == source.text);
    if was_in_style
        && let Ok(in_style) = plan_lang::format(&text)
        && in_style != text
    {
        compilation = compile_text(&in_style);
        text = in_style;
    }
    let new = new_in(&compilation.diagnostics, &first);
    let uncovered = new.into_iter().filter(|found| found.is_error()).count();
    Fixed { text, applied, compilation, left, uncovered }
}

/// What is said of a text `after` a change that was not said `before`, or not so often. Places may have moved.
fn new_in<'d>(after: &'d [Diagnostic], before: &'d [Diagnostic]) -> Vec<&'d Diagnostic> {
    let mut known: BTreeMap<(Code, &str), usize> = BTreeMap::new();
    for found in before {
        *known.entry((found.code, &found.message)).or_default() += 1;
    }
    let mut new = Vec::new();
    for found in after {
        match known.get_mut(&(found.code, found.message.as_str())) {
            Some(times) if *times > 0 => *times -= 1,
            _ => new.push(found),
        }
    }
    new
}

/// A text on the way, and what was done to it.
#[derive(Clone)]
struct Step {
    text: String,
    compilation: Compilation,
    applied: Vec<AppliedFix>,
    /// What the fixes of the last step have written; empty where they have deleted.
    written: Vec<Span>,
}

impl Step {
    /// The messages whose fixes are certain.
    fn offered(&self) -> Vec<&Diagnostic> {
        let is_safe = |found: &&Diagnostic| {
            found.fix.as_ref().is_some_and(|fix| fix.applicability == Applicability::Safe)
        };
        self.compilation.diagnostics.iter().filter(is_safe).collect()
    }

    /// A step from here that has fewer mistakes, and none of its own: by all fixes and those that they uncover, or else
    /// by one.
    fn better(&self, rounds: &mut usize, compile: &impl Fn(&str) -> Compilation) -> Option<Self> {
        let is_better = |after: &Self| after.mistakes() < self.mistakes() && !after.has_own_mistake(self);
        let start = Self { written: Vec::new(), ..self.clone() };
        let mut next = start.clone();
        while let Some(after) = next.apply(&next.compilation.diagnostics, rounds, compile) {
            if is_better(&after) {
                return Some(after);
            }
            next = after;
        }
        let each = self.offered();
        each.into_iter().find_map(|found| {
            let after = start.apply(std::slice::from_ref(found), rounds, compile)?;
            is_better(&after).then_some(after)
        })
    }

    /// Whether something is wrong where the fixes have written that was not wrong `before`: the change was another one
    /// than what was meant.
    fn has_own_mistake(&self, before: &Self) -> bool {
        let new = new_in(&self.compilation.diagnostics, &before.compilation.diagnostics);
        let touches = |found: &Diagnostic, written: &Span| {
            let place = found.span();
            written.start <= place.end && place.start <= written.end
        };
        let mut errors = new.into_iter().filter(|found| found.is_error());
        errors.any(|found| self.written.iter().any(|written| touches(found, written)))
    }

    /// What the safe fixes of `found` make of the text, in one round.
    fn apply(
        &self,
        found: &[Diagnostic],
        rounds: &mut usize,
        compile: &impl Fn(&str) -> Compilation,
    ) -> Option<Self> {
        let (text, done) = apply_safe(&self.text, found)?;
        *rounds = rounds.checked_sub(1)?;
        let lines = LineIndex::new(&self.text);
        let made = done.iter().filter_map(|index| found.get(*index));
        let made = made.map(|diagnostic| AppliedFix {
            at: lines.utf8(diagnostic.span().start),
            diagnostic: diagnostic.clone(),
        });
        let applied = self.applied.iter().cloned().chain(made).collect();
        let edits =
            done.iter().filter_map(|index| found.get(*index)?.fix.as_ref()).flat_map(|fix| &fix.edits);
        let written = written_by(edits, &self.written);
        Some(Self { compilation: compile(&text), text, applied, written })
    }

    /// How much is wrong, to be compared: a text that cannot be read has mistakes that nobody has looked for yet, so
    /// what breaks its syntax counts before all else. Of more mistakes than are reported the place of the last tells
    /// how many there are.
    fn mistakes(&self) -> (usize, usize, usize, usize) {
        let all = &self.compilation.diagnostics;
        let errors = all.iter().filter(|found| found.is_error());
        let syntax = errors.clone().filter(|found| is_syntax(found)).count();
        let last = all.last().filter(|_| all.len() >= MAX_REPORTED_ERRORS).map(|last| last.span().start);
        let unseen = last.map_or(0, |last| self.text.len().saturating_sub(last as usize));
        (syntax, errors.count(), unseen, all.len())
    }
}

/// The places of what `edits` write, and of what was written `before` and is still there.
fn written_by<'e>(edits: impl Iterator<Item = &'e Edit>, before: &[Span]) -> Vec<Span> {
    let mut edits: Vec<&Edit> = edits.collect();
    edits.sort_by_key(|edit| edit.span);
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut written = Vec::new();
    let mut before = before.iter().peekable();
    // What an offset moves by behind the edits so far.
    let (mut added, mut removed) = (0_u32, 0_u32);
    let moved = |at: u32, added: u32, removed: u32| (at + added).saturating_sub(removed);
    for edit in edits {
        while let Some(span) = before.next_if(|span| span.end <= edit.span.start) {
            written.push(Span::new(moved(span.start, added, removed), moved(span.end, added, removed)));
        }
        while before.next_if(|span| span.start < edit.span.end).is_some() {}
        let start = moved(edit.span.start, added, removed);
        let blank = length(&edit.text) - length(edit.text.trim_start());
        written.push(Span::new(start + blank, start + blank + length(edit.text.trim())));
        added += length(&edit.text);
        removed += edit.span.len();
    }
    written.extend(
        before.map(|span| Span::new(moved(span.start, added, removed), moved(span.end, added, removed))),
    );
    written
}

/// Whether a message is about what can be read at all: `E01..`.
fn is_syntax(found: &Diagnostic) -> bool {
    found.code.as_str().starts_with("E01")
}
