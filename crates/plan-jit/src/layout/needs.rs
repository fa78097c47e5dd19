//! Which fields of records are laid out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Layouts, Repr, ReprId};

/// The fields of records that code looks at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    fields: BTreeMap<ReprId, BTreeSet<u32>>,
    whole: BTreeSet<ReprId>,
}

/// A field that is laid out: its position, its representation, its first cell.
pub(crate) type Need = (u32, ReprId, u32);

impl Needs {
    /// Notes that code looks at a field.
    pub(crate) fn add(&mut self, record: ReprId, index: u32) {
        self.fields.entry(record).or_default().insert(index);
    }

    /// Notes that code looks at all of a value.
    pub(crate) fn add_whole(&mut self, repr: ReprId, layouts: &Layouts) {
        if !self.whole.insert(repr) {
            return;
        }
        match layouts.get(repr) {
            Repr::Optional(part) | Repr::List(part) | Repr::Map(part) | Repr::Boxed(part) => {
                self.add_whole(*part, layouts);
            }
            Repr::Record(fields) => fields.iter().for_each(|field| self.add_whole(*field, layouts)),
            Repr::Variants(payloads) => {
                payloads.iter().flatten().for_each(|payload| self.add_whole(*payload, layouts));
            }
            _ => {}
        }
    }

    /// By representation: the fields that are needed. Of what is no record, none.
    pub(crate) fn table(&self, layouts: &Layouts) -> Vec<Vec<Need>> {
        let ids = (0..layouts.reprs.len()).map(|id| ReprId(u32::try_from(id).unwrap_or(u32::MAX)));
        ids.map(|id| {
            let Repr::Record(fields) = layouts.get(id) else { return Vec::new() };
            let count = u32::try_from(fields.len()).unwrap_or(u32::MAX);
            let wanted = self.fields.get(&id);
            let is_needed =
                |index: &u32| self.whole.contains(&id) || wanted.is_some_and(|wanted| wanted.contains(index));
            (0..count)
                .filter(is_needed)
                .filter_map(|index| layouts.field(id, index).map(|(field, cell)| (index, field, cell)))
                .collect()
        })
        .collect()
    }
}
