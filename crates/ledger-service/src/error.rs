//! What can go wrong with the Ledger, each with a stable code and the next step.

use schema::operation::Version;

/// A failure of the Ledger.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such operation.
    #[error("there is no operation `{id}`{}", did_you_mean(suggestion.as_deref()))]
    UnknownOperation {
        /// What was asked for.
        id: String,
        /// The most similar id.
        suggestion: Option<String>,
    },
    /// No such capability.
    #[error("there is no capability `{name}`{}", did_you_mean(suggestion.as_deref()))]
    UnknownCapability {
        /// What was asked for.
        name: String,
        /// The most similar name.
        suggestion: Option<String>,
    },
    /// A file of a catalogue cannot be read or does not have the shape it should.
    #[error("{file}: {path}: {reason}")]
    Catalog {
        /// File, as it was named.
        file: String,
        /// Place in the file, such as `operations[3].auth.kind`; `$` for the whole file.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// An entry breaks a rule of the Ledger.
    #[error("entry `{key}`: {path}: {reason}")]
    InvalidEntry {
        /// Id or name of the entry.
        key: String,
        /// Place in the entry.
        path: String,
        /// The rule it breaks.
        reason: String,
    },
    /// The version exists with another content.
    #[error("`{key}` {version} is already published with another content")]
    Immutable {
        /// Id or name of the entry.
        key: String,
        /// The version.
        version: Version,
    },
    /// The version is below the newest one.
    #[error("`{key}` {version} is below the newest version {newest}")]
    Outdated {
        /// Id or name of the entry.
        key: String,
        /// The version that was to be published.
        version: Version,
        /// The newest version.
        newest: Version,
    },
    /// A page token was made for another request, or by nobody.
    #[error("the page token does not belong to this request")]
    PageToken,
    /// The operation exists, this version of it does not.
    #[error("`{key}` has no version {version}; it has {available}")]
    UnknownVersion {
        /// Id or name of the entry.
        key: String,
        /// What was asked for.
        version: String,
        /// The versions there are.
        available: String,
    },
    /// The Ledger's log holds what no Ledger writes.
    #[error("record {seq} of the Ledger's log: {reason}")]
    Log {
        /// Sequence number in the stream.
        seq: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A lock was asked for an operation that cannot be called.
    #[error("`{id}` cannot be called: {reason}")]
    NotCallable {
        /// The operation.
        id: String,
        /// Why not.
        reason: String,
    },
    /// A lock was asked for several names that it cannot have.
    #[error("{}", all_of(.0))]
    NotLockable(Vec<Error>),
    /// What was read somewhere would follow an entry that is from elsewhere.
    #[error("`{id}` {how} `{source_name}`, and is left as it is")]
    Foreign {
        /// The operation.
        id: String,
        /// How the entry that is there came to what it says.
        how: &'static str,
        /// What it was read from.
        source_name: String,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// The stable code; its page is `docs/errors/<code>.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownOperation { .. } => "E1201",
            Self::UnknownCapability { .. } => "E1202",
            Self::Catalog { .. } => "E1203",
            Self::InvalidEntry { .. } => "E1204",
            Self::Immutable { .. } => "E1205",
            Self::Outdated { .. } => "E1206",
            Self::PageToken => "E1207",
            Self::UnknownVersion { .. } => "E1208",
            Self::Log { .. } => "E1209",
            Self::NotCallable { .. } => "E1210",
            Self::NotLockable(all) => all.first().map_or("E1201", Self::code),
            Self::Foreign { .. } => "E1211",
            Self::Store(error) => error.code(),
        }
    }

    /// What to do next, in one sentence.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::UnknownOperation { .. } => "`orch ledger search WORDS` finds operations by what they do",
            Self::UnknownCapability { .. } => "`orch ledger search` lists capabilities and what fulfils them",
            Self::Catalog { .. } => {
                "correct the file at that place; `catalog/README.md` describes the format"
            }
            Self::InvalidEntry { .. } => "correct the entry and publish it again",
            Self::Immutable { .. } | Self::Outdated { .. } => {
                "publish under a version above the newest: raise `compatible`, or `breaking` if a plan can break"
            }
            Self::PageToken => "start again without a page token, and keep the filter the same between pages",
            Self::UnknownVersion { .. } => "ask for one of those versions, or for none to get the newest",
            Self::Log { .. } => "restore the store from a backup",
            Self::NotLockable(all) => all.first().map_or("", Self::help),
            Self::NotCallable { .. } => {
                "choose another operation; `orch ledger search` shows which can be called"
            }
            Self::Foreign { .. } => {
                "file it beside that one with `--name-prefix`, or in its place with `--replace`"
            }
            Self::Store(error) => error.help(),
        }
    }
}

/// One line each.
fn all_of(errors: &[Error]) -> String {
    const SHOWN: usize = 20;
    let mut lines: Vec<String> = errors.iter().take(SHOWN).map(Error::to_string).collect();
    if let Some(more @ 1..) = errors.len().checked_sub(SHOWN) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |suggestion| format!("; did you mean `{suggestion}`?"))
}

/// Longest name for which another is suggested.
const SUGGESTED_BYTES_MAX: usize = 128;

/// The candidate most similar to `wanted`, if one is similar enough to be a slip.
pub(crate) fn most_similar<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    // Longer than any name, it is no slip; comparing takes as long as the product of both lengths.
    if wanted.len() > SUGGESTED_BYTES_MAX {
        return None;
    }
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let similarity = strsim::normalized_damerau_levenshtein(wanted, candidate);
        if similarity >= 0.6 && best.is_none_or(|(score, _)| similarity > score) {
            best = Some((similarity, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}
