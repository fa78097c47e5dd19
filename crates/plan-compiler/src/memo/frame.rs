//! What of a text stands around the bodies of its plans.

use std::fmt::Write as _;

use plan_lang::Chunk;
use plan_lang::ast::Item;

/// All of a text but what stands inside of plans, chunk by chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    text: String,
    /// Where the part of each chunk ends, with the name of the plan that the chunk is.
    parts: Vec<(usize, Option<String>)>,
}

/// How two frames differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// Not at all.
    None,
    /// In what stands around the body of one plan, by the place of its chunk: its signature and its policy. No type with
    /// arguments is among it, before or now.
    Plan(usize),
    /// In something else.
    Other,
}

impl Frame {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.parts.clear();
    }

    /// Adds what is around the body of a chunk that is a plan, else all of it, by its number.
    pub(super) fn add(&mut self, number: u64, chunk: &Chunk, items: &[&Item]) {
        // Writing to a string does not fail.
        let name = match around(chunk, items) {
            Some((name, before, behind)) => {
                let _ = writeln!(self.text, "{} {} {before}{behind}", before.len(), behind.len());
                Some(name.to_owned())
            }
            None => {
                let _ = writeln!(self.text, "{number}");
                None
            }
        };
        self.parts.push((self.text.len(), name));
    }

    /// How this differs from an earlier one.
    pub(super) fn difference(&self, before: &Self) -> Difference {
        if self.parts.len() != before.parts.len() {
            return Difference::Other;
        }
        let mut different =
            self.each().zip(before.each()).enumerate().filter(|(_, (now, before))| now != before);
        match (different.next(), different.next()) {
            (None, _) => Difference::None,
            (Some((at, ((Some(name), now), (named, before)))), None)
                if named == Some(name) && !has_type_arguments(now) && !has_type_arguments(before) =>
            {
                Difference::Plan(at)
            }
            _ => Difference::Other,
        }
    }

    /// The parts with the names of those that are plans.
    fn each(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let mut start = 0;
        self.parts.iter().map(move |(end, name)| {
            let part = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            (name.as_deref(), part)
        })
    }
}

/// Whether a type such as `Pair<A, B>` may be written there: those are numbered over the whole file, as they are met.
fn has_type_arguments(text: &str) -> bool {
    text.contains('<')
}

/// The name of the plan that a chunk is, and what stands before its body and behind it.
fn around<'c>(chunk: &'c Chunk, items: &[&'c Item]) -> Option<(&'c str, &'c str, &'c str)> {
    let [Item::Plan(plan)] = items else { return None };
    let at = |offset: u32| offset.checked_sub(chunk.span.start).map(|offset| offset as usize);
    let before = chunk.text().get(..at(plan.body.span.start)?)?;
    Some((&plan.name.name, before, chunk.text().get(at(plan.body.span.end)?..)?))
}
