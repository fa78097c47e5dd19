//! The types that the checker made in earlier versions of a text.

use schema::types::{TypeDef, TypeDefs};

/// Definitions that stand behind those of the program, in their order: what a `try` or a `zip` gives, for example. Each
/// version of the text begins with them, so that the checked form of what did not change names them by the same numbers.
#[derive(Debug, Default)]
pub(super) struct Interned {
    defs: Vec<TypeDef>,
    /// How many the first version had.
    at_first: usize,
}

/// How many more there may be than the first version had: those that a text no longer needs are not told from the others.
const MORE_MAX: usize = 256;

impl Interned {
    /// Adds them to `types`, which are those of the program: where nothing around its statements changed none of these are
    /// among them.
    pub(super) fn add_to(&self, types: &mut TypeDefs) {
        let declared = types.len();
        for def in &self.defs {
            types.intern(def.clone());
        }
        debug_assert_eq!(types.len(), declared + self.defs.len(), "types have other numbers");
    }

    /// Takes over those of `types` behind the first `declared`, which [`Self::add_to`] was given. Whether there are few
    /// enough to go on with.
    pub(super) fn take(&mut self, types: &TypeDefs, declared: usize) -> bool {
        let is_first = self.defs.is_empty();
        let new = types.iter().skip(declared + self.defs.len());
        self.defs.extend(new.map(|(_, def)| def.clone()));
        if is_first {
            self.at_first = self.defs.len();
        }
        self.defs.len() <= self.at_first + MORE_MAX
    }
}
