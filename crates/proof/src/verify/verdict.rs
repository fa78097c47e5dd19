//! What a verifier found: never one bit, and the same text and JSON from every implementation.

use std::collections::BTreeMap;

use schema::hash::Hash;
use serde::Serialize;

use crate::commit::Kind;
use crate::cost::Totals;
use crate::key::PublicKey;
use crate::limits::FAILURES_MAX;
use crate::statement::RunResult;

/// Everything a verifier has to say about one bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether every check held. Says nothing about who signed; see `signer`.
    pub valid: bool,
    /// The checks that did not hold, in the order they were made; at most [`FAILURES_MAX`].
    pub failures: Vec<Failure>,
    /// Who signed.
    pub signer: Signer,
    /// The least level of all calls, or of the run where it made none; `None` where a check failed.
    pub level: Option<Level>,
    /// Number of calls at each level.
    pub histogram: BTreeMap<Level, u32>,
    /// Level of each call that began.
    pub steps: Vec<Step>,
    /// What the bundle does not prove, in plain words.
    pub not_proven: Vec<String>,
    /// What the bundle says about the run, as far as it could be read.
    pub run: Option<RunSummary>,
}

/// What a bundle says about its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Name of the proof.
    pub proof_id: Hash,
    /// The run, as a UUID.
    pub run_id: String,
    /// Hash of the plan.
    pub plan_hash: Hash,
    /// Hash that names the build of the runtime.
    pub build_hash: Hash,
    /// Number of leaves.
    pub leaves: u32,
    /// How it ended.
    pub result: RunResult,
    /// Sums.
    pub totals: Totals,
    /// When it began, microseconds since 1970 UTC.
    pub opened_at_us: u64,
    /// When it ended, microseconds since 1970 UTC.
    pub closed_at_us: u64,
}

/// One check that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Code of the error's page.
    pub code: &'static str,
    /// Which check.
    pub check: Check,
    /// The leaf, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<u32>,
    /// That leaf's node as `label#id[i][j]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What was found, for people.
    pub message: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}] ", self.code)?;
        if let (Some(leaf), Some(node)) = (self.leaf, &self.node) {
            write!(f, "leaf {leaf} ({node}): ")?;
        }
        f.write_str(&self.message)
    }
}

/// The checks of a verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Size, encoding, and that encoding it again gives the same bytes.
    Encoding,
    /// The version of the format.
    Version,
    /// The statement's signature.
    Signature,
    /// The signer's key is valid at the run's times.
    Key,
    /// The challenge and its signature.
    Challenge,
    /// The plan's hash and graph.
    Plan,
    /// Header, challenge and statement agree.
    Header,
    /// Each leaf is the one that plan and decisions ask for.
    Leaf,
    /// Number of leaves and root over their locks.
    Root,
    /// Nothing ran before or without what it waits for.
    Order,
    /// Sums of cost, attempts and calls.
    Totals,
    /// Content that is shown opens its commit.
    Disclosure,
    /// Decisions agree with content that is shown.
    Decision,
    /// The result agrees with the leaves.
    Result,
    /// What peers signed is what they answered.
    Attestation,
}

impl Check {
    /// Code of its error page.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Encoding => "E1301",
            Self::Version => "E1302",
            Self::Signature => "E1303",
            Self::Key => "E1304",
            Self::Challenge => "E1305",
            Self::Plan => "E1306",
            Self::Header => "E1307",
            Self::Leaf => "E1308",
            Self::Root => "E1309",
            Self::Order => "E1310",
            Self::Totals => "E1311",
            Self::Disclosure => "E1312",
            Self::Decision => "E1313",
            Self::Result => "E1314",
            Self::Attestation => "E1315",
        }
    }
}

/// Who signed a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Signer {
    /// Nobody, or nobody whose signature holds.
    None,
    /// A key the policy does not know: the bundle is whole, but not attributed.
    Unknown {
        /// The key.
        key: PublicKey,
    },
    /// A key the policy trusts.
    Trusted {
        /// The key.
        key: PublicKey,
        /// Whose it is.
        name: String,
    },
}

/// How strong a proof is. A verifier computes it; a bundle cannot claim it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Level {
    /// The bundle agrees with itself, and that is all: anyone could have written it.
    L0,
    /// Nothing was changed after the runtime signed, and the runtime's key answers for it.
    L1,
}

/// Whether the peer of a call signed its answer, as far as a verifier could see. Levels do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attested {
    /// No signature of the answer is there.
    NotAttested,
    /// Of the several answers that the value was made of, some are signed and some are not.
    Partly,
    /// A signature is there; what it is of is not shown, so nothing was checked.
    TextWithheld,
    /// A signature is there that this verifier cannot check; everything else about it holds.
    Unchecked,
    /// The peer signed an answer whose hash is shown. That it is the one that is committed to cannot be seen, because the
    /// answer is not shown.
    BodyWithheld,
    /// The peer signed this very answer: whoever trusts its key need not trust the runtime for that.
    Attested,
}

/// The level of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its leaf.
    pub leaf: u32,
    /// Its node in the plan.
    pub node: u32,
    /// What became of it.
    pub kind: Kind,
    /// Its level.
    pub level: Level,
    /// Whether its peers signed their answers; of several answers the least that holds of one.
    pub attested: Attested,
    /// SS58 addresses of the peers that signed, each once; by what the bundle says where `attested` is [`Attested::TextWithheld`]
    /// (the first of them then) or [`Attested::Unchecked`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signed_by: Vec<String>,
}

impl Verdict {
    pub(super) fn new() -> Self {
        Self {
            valid: true,
            failures: Vec::new(),
            signer: Signer::None,
            level: None,
            histogram: BTreeMap::new(),
            steps: Vec::new(),
            not_proven: Vec::new(),
            run: None,
        }
    }

    pub(super) fn fail(&mut self, check: Check, message: impl Into<String>) {
        self.fail_at(check, None, None, message);
    }

    pub(super) fn fail_at(
        &mut self,
        check: Check,
        leaf: Option<u32>,
        node: Option<String>,
        message: impl Into<String>,
    ) {
        self.valid = false;
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(Failure { code: check.code(), check, leaf, node, message: message.into() });
        }
    }

    /// Whether a check of this kind failed.
    #[must_use]
    pub fn failed(&self, check: Check) -> bool {
        self.failures.iter().any(|failure| failure.check == check)
    }

    /// Whether every check held and a trusted key signed.
    #[must_use]
    pub fn is_attributed(&self) -> bool {
        self.valid && matches!(self.signer, Signer::Trusted { .. })
    }
}
