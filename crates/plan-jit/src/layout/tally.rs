//! What a value counts for when it is written out.

use super::{Layouts, ORIGIN_CELLS, Repr, ReprId};

/// What a value counts for when it is written out, as far as that is known from its representation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Parts that all values have.
    pub(crate) parts: u64,
    /// First cells of texts, which count for their length.
    pub(crate) texts: Vec<u32>,
    /// First cells of texts that may be `null`: whether there is one is a number, and the length of none is 0.
    pub(crate) maybe_texts: Vec<u32>,
    /// Parts that have to be looked at, with their first cells.
    pub(crate) others: Vec<(u32, ReprId)>,
    /// Whether the value itself has to be looked at.
    pub(crate) is_whole: bool,
}

impl Tally {
    /// Adds a part that starts at `cell`.
    fn add(&mut self, part: &Self, cell: u32) {
        self.parts += part.parts;
        self.texts.extend(part.texts.iter().map(|text| text + cell));
        self.maybe_texts.extend(part.maybe_texts.iter().map(|text| text + cell));
        self.others.extend(part.others.iter().map(|(other, repr)| (other + cell, *repr)));
    }

    const fn is_one(&self) -> bool {
        self.parts == 1 && self.is_fixed()
    }

    /// Whether all values count the same.
    pub(crate) const fn is_fixed(&self) -> bool {
        self.texts.is_empty() && self.maybe_texts.is_empty() && self.others.is_empty() && !self.is_whole
    }
}

impl Layouts {
    pub(super) fn tally_of(&self, repr: &Repr) -> Tally {
        let mut tally = Tally::default();
        match repr {
            Repr::Bool | Repr::Int | Repr::Float | Repr::Time | Repr::Duration | Repr::Amount => {
                tally.parts = 1;
            }
            Repr::Text => {
                tally.parts = 1;
                tally.texts.push(0);
            }
            Repr::Record(fields) => {
                tally.parts = 1;
                let mut cell = ORIGIN_CELLS;
                for field in fields {
                    // A record within may have an origin of its own.
                    let is_record = matches!(self.get(*field), Repr::Record(_));
                    match self.tally(*field) {
                        Some(inner) if inner.is_fixed() || !(inner.is_whole || is_record) => {
                            tally.add(inner, cell);
                        }
                        _ => tally.others.push((cell, *field)),
                    }
                    cell += self.cells(*field);
                }
            }
            Repr::Variants(payloads) if payloads.iter().all(Option::is_none) => tally.parts = 1,
            // A scalar that may be `null` counts the same either way.
            Repr::Optional(inner) if self.tally(*inner).is_some_and(Tally::is_one) => tally.parts = 1,
            Repr::Optional(inner) if *inner == ReprId::TEXT => {
                tally.parts = 1;
                tally.maybe_texts.push(0);
            }
            Repr::Optional(_) | Repr::Variants(_) | Repr::Boxed(_) => tally.is_whole = true,
            Repr::Opaque | Repr::List(_) | Repr::Map(_) => tally.is_whole = true,
        }
        tally
    }
}
