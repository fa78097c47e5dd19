//! Filing what was read: each entry is compared with the one that is there and published if it says something new.

use ledger_service::{Callability, Revision, revise};
use openapi::{Import, Imported, Note};
use proto::v1;
use schema::compat::{Change, Level};
use schema::operation::{OperationDescriptor, Transport, Version};
use subnet::egress::Egress;

use crate::exit::Failure;
use crate::service::Connection;

mod show;

pub(super) use show::{changes, operation_json, refusals, report, summary};

/// Code of an operation that the Ledger does not have.
const UNKNOWN: &str = "E1201";

/// How entries are filed.
pub(super) struct Filing<'a> {
    pub(super) connection: &'a Connection,
    /// Judges where calls would go.
    pub(super) egress: &'a Egress,
    /// Follows entries from elsewhere, too.
    pub(super) replace: bool,
    /// Publishes nothing.
    pub(super) dry_run: bool,
}

/// What became of one operation.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Id in the Ledger.
    pub(super) id: String,
    /// Method and path.
    pub(super) call: String,
    /// Where it stands in the document.
    pub(super) at: String,
    pub(super) filed: Filed,
    /// What was guessed, chosen and left out.
    pub(super) notes: Vec<Note>,
    /// Why it cannot be called as it stands.
    pub(super) not_callable: Option<String>,
}

/// What filing came to.
#[derive(Debug)]
pub(super) enum Filed {
    New(Version),
    Unchanged(Version),
    Raised {
        from: Version,
        to: Version,
        level: Level,
        changes: Vec<Change>,
    },
    /// There is an entry from elsewhere.
    Conflict(Problem),
    /// The document cannot say an entry.
    Refused(Problem),
}

/// Why an operation was not filed.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) at: String,
    pub(super) message: String,
    pub(super) help: String,
}

/// How many operations came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) new: usize,
    pub(super) raised: usize,
    pub(super) unchanged: usize,
    pub(super) conflicts: usize,
    pub(super) refused: usize,
}

impl Counts {
    pub(super) fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            match outcome.filed {
                Filed::New(_) => counts.new += 1,
                Filed::Raised { .. } => counts.raised += 1,
                Filed::Unchanged(_) => counts.unchanged += 1,
                Filed::Conflict(_) => counts.conflicts += 1,
                Filed::Refused(_) => counts.refused += 1,
            }
        }
        counts
    }

    /// Operations of which there is an entry now that says what was read.
    pub(super) const fn filed(self) -> usize {
        self.new + self.raised + self.unchanged
    }
}

/// Refuses a document that is wrong in itself: half an interface is no interface, and what it says elsewhere may be
/// as wrong.
///
/// # Errors
/// The first fault with its place, and how many there are.
pub(super) fn sound(document: &str, import: &Import) -> Result<(), Failure> {
    let faults = || {
        let errors = import.operations.iter().filter_map(|operation| operation.entry.as_ref().err());
        errors.filter(|error| error.is_fault())
    };
    let Some(first) = faults().next() else { return Ok(()) };
    let (wrong, all) = (faults().count(), import.operations.len());
    let message = format!("{document}: {}, at {}", first.message, first.at);
    let partial = format!(
        "{wrong} of {all} operations are wrong in themselves; `orch ledger add --partial` files the others"
    );
    let is_any_sound = import.operations.iter().any(|operation| operation.entry.is_ok());
    let help = if is_any_sound { partial } else { String::new() };
    Err(Failure::new(first.code, message, help))
}

impl Filing<'_> {
    /// Files every operation. Each stands for itself: one that is refused does not keep out the others.
    ///
    /// # Errors
    /// Where the Ledger itself fails.
    pub(super) async fn file(&self, import: Import) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = Vec::new();
        for imported in import.operations {
            outcomes.push(self.file_one(imported).await?);
        }
        Ok(outcomes)
    }

    async fn file_one(&self, imported: Imported) -> Result<Outcome, Failure> {
        let Imported { call, at, id, entry } = imported;
        let outcome = |filed, notes, not_callable| Outcome {
            id: id.clone(),
            call: call.clone(),
            at: at.clone(),
            filed,
            notes,
            not_callable,
        };
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Ok(outcome(Filed::Refused(error.into()), Vec::new(), None)),
        };
        if let Err(refused) = self.admit(&entry.descriptor) {
            return Ok(outcome(Filed::Refused(refused), Vec::new(), None));
        }
        let not_callable = Callability::of(&entry.descriptor).reason().map(str::to_owned);
        let newest = self.newest(&id).await?;
        let problem = |error: ledger_service::Error| Problem {
            code: error.code().to_owned(),
            at: at.clone(),
            message: error.to_string(),
            help: error.help().to_owned(),
        };
        let filed = match revise(newest.as_ref(), entry.descriptor, self.replace) {
            Ok(Revision::Unchanged(version)) => Filed::Unchanged(version),
            Ok(Revision::New(entry)) => {
                self.publish(&entry).await?;
                Filed::New(entry.version)
            }
            Ok(Revision::Raised { entry, from, level, changes }) => {
                self.publish(&entry).await?;
                Filed::Raised { from, to: entry.version, level, changes }
            }
            Err(error @ ledger_service::Error::Foreign { .. }) => Filed::Conflict(problem(error)),
            Err(error) => Filed::Refused(problem(error)),
        };
        Ok(outcome(filed, entry.notes, not_callable))
    }

    /// A document can say any server; whether anything may ever be sent there is for the way out to say.
    fn admit(&self, entry: &OperationDescriptor) -> Result<(), Problem> {
        let base_url = match &entry.transport {
            Transport::Http(http) => &http.base_url,
            Transport::Grpc(grpc) => &grpc.base_url,
            Transport::Axon(_) | Transport::Other { .. } => return Ok(()),
        };
        if base_url.contains('{') {
            return Ok(());
        }
        self.egress.endpoint(base_url).map(drop).map_err(|refused| Problem {
            code: refused.code().to_owned(),
            at: "#/servers".to_owned(),
            message: refused.to_string(),
            help: "name another server by `--base-url`".to_owned(),
        })
    }

    async fn newest(&self, id: &str) -> Result<Option<OperationDescriptor>, Failure> {
        let request = v1::GetOperationRequest { id: id.to_owned(), version: String::new() };
        let operation = match self.connection.ledger().get_operation(request).await {
            Ok(response) => response.into_inner().operation.unwrap_or_default(),
            Err(status) => {
                let failure = self.connection.refused(&status);
                return if failure.code == UNKNOWN { Ok(None) } else { Err(failure) };
            }
        };
        serde_json::from_slice(&operation.entry_json).map(Some).map_err(|error| {
            let message = format!("the entry of {id} is not of this version: {error}");
            Failure::new("E1504", message, "use an `orch` of the version that the server has")
        })
    }

    async fn publish(&self, entry: &OperationDescriptor) -> Result<(), Failure> {
        if self.dry_run {
            return Ok(());
        }
        let entry_json = serde_json::to_vec(entry).unwrap_or_default().into();
        let request = v1::PublishOperationRequest { entry_json };
        let published = self.connection.ledger().publish_operation(request).await;
        published.map(drop).map_err(|status| self.connection.refused(&status))
    }
}

impl From<openapi::Error> for Problem {
    fn from(error: openapi::Error) -> Self {
        Self { code: error.code.to_owned(), at: error.at, message: error.message, help: String::new() }
    }
}
