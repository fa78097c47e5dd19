//! Editions: the line `edition 2026` picks the grammar and the lints of a file.
//!
//! What a compiled plan means does not depend on an edition; only how its text is read does.

/// A published edition of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Edition {
    /// The first one.
    #[default]
    E2026,
}

impl Edition {
    /// Every edition, oldest first.
    pub const ALL: [Self; 1] = [Self::E2026];

    /// The edition of a file that does not name one.
    pub const NEWEST: Self = Self::E2026;

    /// The year that names it.
    #[must_use]
    pub const fn year(self) -> u32 {
        match self {
            Self::E2026 => 2026,
        }
    }

    /// The edition of that year, if there is one.
    #[must_use]
    pub fn from_year(year: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|edition| edition.year() == year)
    }
}
