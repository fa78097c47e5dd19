//! What became of a leaf, and how a commit tells it.

use plan_ir::graph::NodeKind;
use schema::hash::Hash;
use serde::Serialize;

use crate::leaves::{Control, Place};
use crate::limits::NAME_LENGTH_MAX;
use crate::object::{Entries, Fields, ObjectError, Problem, Reader};

/// What became of a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A call gave a value.
    Call,
    /// An expression gave a value.
    Pure,
    /// A condition held.
    Ensure,
    /// A branch decided for an arm.
    Branch {
        /// Its index.
        arm: u32,
    },
    /// A fan-out knows its elements.
    FanOut {
        /// Their number.
        count: u32,
    },
    /// A branch or fan-out came to its value.
    Join,
    /// A value of an earlier run was used.
    Cached {
        /// The lock of the leaf that made it.
        origin: Hash,
    },
    /// An arm that was not taken.
    Untaken {
        /// Its index.
        arm: u32,
    },
    /// Never begun.
    Skipped {
        /// Why.
        reason: SkipReason,
        /// Whether the leaf is a join.
        join: bool,
    },
    /// Begun, without a value.
    Failed {
        /// Code of the error's page.
        code: String,
        /// Whether the leaf is a join.
        join: bool,
    },
}

/// Why a node never began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Something it waits for failed or was skipped.
    Parent,
    /// Everything it waits for was there, but the run or the loop around it ended first.
    Stopped,
}

/// The kinds of outcome, as they are numbered and named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Outcome::Call`].
    Call = 1,
    /// [`Outcome::Pure`].
    Pure = 2,
    /// [`Outcome::Ensure`].
    Ensure = 3,
    /// [`Outcome::Branch`].
    Branch = 4,
    /// [`Outcome::FanOut`].
    FanOut = 5,
    /// [`Outcome::Join`].
    Join = 6,
    /// [`Outcome::Skipped`] and [`Outcome::Untaken`].
    Skip = 7,
    /// [`Outcome::Failed`].
    Fail = 8,
    /// [`Outcome::Cached`].
    Cached = 9,
}

impl Outcome {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Call => Kind::Call,
            Self::Pure => Kind::Pure,
            Self::Ensure => Kind::Ensure,
            Self::Branch { .. } => Kind::Branch,
            Self::FanOut { .. } => Kind::FanOut,
            Self::Join => Kind::Join,
            Self::Cached { .. } => Kind::Cached,
            Self::Untaken { .. } | Self::Skipped { .. } => Kind::Skip,
            Self::Failed { .. } => Kind::Fail,
        }
    }

    /// Which leaf of its node it belongs to.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self {
            Self::Untaken { arm } => Place::Arm(*arm),
            Self::Join | Self::Skipped { join: true, .. } | Self::Failed { join: true, .. } => Place::Join,
            _ => Place::Node,
        }
    }

    /// What it decides about the leaves that follow.
    #[must_use]
    pub fn control(&self) -> Control {
        match self {
            Self::Branch { arm } => Control::Arm(*arm),
            Self::FanOut { count } => Control::Count(*count),
            _ => Control::None,
        }
    }

    /// Whether a node of this kind can have it.
    #[must_use]
    pub const fn fits(&self, kind: NodeKind) -> bool {
        match self {
            Self::Call | Self::Cached { .. } => matches!(kind, NodeKind::Call),
            Self::Pure => matches!(kind, NodeKind::Pure),
            Self::Ensure => matches!(kind, NodeKind::Ensure),
            Self::Branch { .. } | Self::Untaken { .. } => matches!(kind, NodeKind::Branch),
            Self::FanOut { .. } => matches!(kind, NodeKind::FanOut),
            Self::Join | Self::Skipped { join: true, .. } | Self::Failed { join: true, .. } => {
                matches!(kind, NodeKind::Branch | NodeKind::FanOut)
            }
            Self::Skipped { join: false, .. } | Self::Failed { join: false, .. } => true,
        }
    }

    /// Whether what waits for the leaf may go on. An arm that was not taken holds nothing up.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        !matches!(self, Self::Skipped { .. } | Self::Failed { .. })
    }

    /// The code it failed with.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Failed { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether it began: has times, and may have content and cost.
    #[must_use]
    pub const fn began(&self) -> bool {
        !matches!(self, Self::Skipped { .. } | Self::Untaken { .. })
    }
}

impl Outcome {
    /// Key 16: why the leaf has no value.
    pub(super) fn write_status(&self, fields: &mut Fields<'_>) {
        match self {
            Self::Untaken { .. } => fields.uint(16, UNTAKEN),
            Self::Skipped { reason: SkipReason::Parent, .. } => fields.uint(16, PARENT),
            Self::Skipped { reason: SkipReason::Stopped, .. } => fields.uint(16, STOPPED),
            Self::Failed { code, .. } => fields.text(16, code),
            _ => {}
        }
    }

    /// Keys 19 to 22: what belongs to one kind of outcome only.
    pub(super) fn write_decision(&self, fields: &mut Fields<'_>) {
        match self {
            Self::Cached { origin } => fields.bytes(19, &origin.0),
            Self::Branch { arm } | Self::Untaken { arm } => fields.uint(20, u64::from(*arm)),
            Self::FanOut { count } => fields.uint(21, u64::from(*count)),
            Self::Skipped { join: true, .. } | Self::Failed { join: true, .. } => {
                fields.put(22, |w| w.bool(true));
            }
            _ => {}
        }
    }
}

const UNTAKEN: u64 = 1;
const PARENT: u64 = 2;
const STOPPED: u64 = 3;

pub(super) enum Status<'a> {
    Skip(u64),
    Code(&'a str),
}

impl<'a> Status<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, ObjectError> {
        if reader.at_text() {
            reader.text(NAME_LENGTH_MAX, "the length of a code").map(Self::Code)
        } else {
            reader.uint().map(Self::Skip)
        }
    }
}

/// Puts kind, status and keys 19 to 22 together; a combination that nothing writes is refused.
pub(super) fn read_outcome(
    kind: u64,
    status: Option<Status<'_>>,
    fields: &mut Entries<'_, '_>,
) -> Result<Outcome, ObjectError> {
    let origin = fields.maybe(19, |r| r.fixed())?.map(Hash);
    let arm = fields.maybe(20, |r| r.u32("the arm"))?;
    let count = fields.maybe(21, |r| r.u32("the count"))?;
    let join = fields.maybe(22, |r| r.flag())?.unwrap_or(false);
    let skipped = |reason| Outcome::Skipped { reason, join };
    Ok(match (kind, status, origin, arm, count, join) {
        (1, None, None, None, None, false) => Outcome::Call,
        (2, None, None, None, None, false) => Outcome::Pure,
        (3, None, None, None, None, false) => Outcome::Ensure,
        (4, None, None, Some(arm), None, false) => Outcome::Branch { arm },
        (5, None, None, None, Some(count), false) => Outcome::FanOut { count },
        (6, None, None, None, None, false) => Outcome::Join,
        (7, Some(Status::Skip(UNTAKEN)), None, Some(arm), None, false) => Outcome::Untaken { arm },
        (7, Some(Status::Skip(PARENT)), None, None, None, _) => skipped(SkipReason::Parent),
        (7, Some(Status::Skip(STOPPED)), None, None, None, _) => skipped(SkipReason::Stopped),
        (8, Some(Status::Code(code)), None, None, None, _) => Outcome::Failed { code: code.to_owned(), join },
        (9, None, Some(origin), None, None, false) => Outcome::Cached { origin },
        _ => return fields.reader.fail(Problem::Range("the kind with its status and decision")),
    })
}
