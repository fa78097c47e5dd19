//! The Ledger at work: one handle, shared by everyone.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use schema::operation::{CapabilityDescriptor, OperationDescriptor};
use store::{Log, Record, Search, StreamName};

use crate::catalog::{Catalog, parse_json};
use crate::entry::{Entry, Publication, Published, SubnetDescriptor};
use crate::error::Error;
use crate::publish;
use crate::search::{CANDIDATES, INDEX, SearchHit, SearchRequest, rank};
use crate::snapshot::Snapshot;

/// The stream that holds the Ledger.
pub const STREAM: &str = "ledger";
/// Records read at a time while the state is rebuilt.
const PAGE: usize = 1_000;

/// What a Ledger needs.
#[derive(Clone, Debug)]
pub struct Options {
    log: Arc<dyn Log>,
    beginning: Vec<Record>,
}

/// The Ledger. Clones share it.
#[derive(Clone, Debug)]
pub struct Handle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    log: Arc<dyn Log>,
    stream: StreamName,
    state: RwLock<Arc<Snapshot>>,
    /// Publications happen one after the other; readers never wait for them.
    publishing: tokio::sync::Mutex<()>,
}

/// What loading a catalogue did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Entries that were new.
    pub added: usize,
    /// Entries that were there already.
    pub unchanged: usize,
    /// Operations that are listed but cannot be called as they stand, with the reason.
    pub not_callable: Vec<(String, String)>,
}

impl Options {
    /// A Ledger in `log`.
    #[must_use]
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self { log, beginning: Vec::new() }
    }

    /// In a store that has no Ledger yet, it begins with `records`: those of [`STREAM`] in another store, in their order.
    #[must_use]
    pub fn beginning_with(self, records: Vec<Record>) -> Self {
        Self { beginning: records, ..self }
    }

    /// Opens the Ledger: folds its log from the first record.
    ///
    /// Errors: [`Error::Log`], [`Error::Store`].
    pub async fn open(self) -> Result<Handle, Error> {
        let stream = StreamName::new(STREAM)?;
        for append in publish::copies(&stream, &self.beginning) {
            self.log.append(append).await?;
        }
        let state = rebuild(&*self.log, &stream).await?;
        if !self.beginning.is_empty() {
            for append in publish::indexing(&stream, &state) {
                self.log.append(append).await?;
            }
        }
        let publishing = tokio::sync::Mutex::new(());
        let state = RwLock::new(Arc::new(state));
        Ok(Handle { inner: Arc::new(Inner { log: self.log, stream, state, publishing }) })
    }
}

impl Handle {
    /// The present state.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.state.read())
    }

    /// Publishes a version of an operation. Publishing it again changes nothing (`false`).
    ///
    /// Errors: [`Error::InvalidEntry`], [`Error::Immutable`], [`Error::Outdated`], [`Error::Store`].
    pub async fn publish_operation(
        &self,
        operation: OperationDescriptor,
    ) -> Result<(Arc<Published<OperationDescriptor>>, bool), Error> {
        let (id, version) = (operation.id.clone(), operation.version);
        let added = self.publish(&[Entry::Operation(Box::new(operation))]).await?;
        let published = Arc::clone(self.snapshot().operation_version(&id, version)?);
        Ok((published, added > 0))
    }

    /// Publishes an operation given as JSON text. Errors: as [`Handle::publish_operation`], with the JSON path.
    pub async fn publish_operation_json(
        &self,
        json: &[u8],
    ) -> Result<(Arc<Published<OperationDescriptor>>, bool), Error> {
        let invalid = |(path, reason)| Error::InvalidEntry { key: "?".to_owned(), path, reason };
        self.publish_operation(parse_json(json).map_err(invalid)?).await
    }

    /// Publishes a version of a capability with its adapters; `false` if it was there already.
    ///
    /// Errors: as for operations, and [`Error::UnknownOperation`] for an adapter of one.
    pub async fn publish_capability(&self, capability: CapabilityDescriptor) -> Result<bool, Error> {
        Ok(self.publish(&[Entry::Capability(capability)]).await? > 0)
    }

    /// Publishes a capability given as JSON text; returns what is its newest version then.
    ///
    /// Errors: as [`Handle::publish_capability`], with the JSON path.
    pub async fn publish_capability_json(
        &self,
        json: &[u8],
    ) -> Result<(Arc<Published<CapabilityDescriptor>>, bool), Error> {
        let invalid = |(path, reason)| Error::InvalidEntry { key: "?".to_owned(), path, reason };
        let capability: CapabilityDescriptor = parse_json(json).map_err(invalid)?;
        let name = capability.name.clone();
        let changed = self.publish_capability(capability).await?;
        Ok((Arc::clone(self.snapshot().capability(&name)?), changed))
    }

    /// Publishes a version of a subnet; `false` if it was there already. Errors: as for operations.
    pub async fn publish_subnet(&self, subnet: SubnetDescriptor) -> Result<bool, Error> {
        Ok(self.publish(&[Entry::Subnet(Box::new(subnet))]).await? > 0)
    }

    /// Publishes every entry of a catalogue. Every entry is checked before the first is written; doing it again
    /// changes nothing. Errors: as for single entries.
    pub async fn load(&self, catalog: &Catalog) -> Result<LoadReport, Error> {
        let entries = catalog.entries();
        let added = self.publish(&entries).await?;
        let snapshot = self.snapshot();
        let reason = |id: &str| snapshot.callability(id).ok()?.reason().map(str::to_owned);
        let ids = catalog.operations.iter().map(|operation| &operation.id);
        let not_callable = ids.filter_map(|id| Some((id.clone(), reason(id)?))).collect();
        Ok(LoadReport { added, unchanged: entries.len() - added, not_callable })
    }

    /// Operations by relevance. Errors: [`Error::UnknownCapability`], [`Error::Store`].
    pub async fn search(&self, request: &SearchRequest) -> Result<Vec<SearchHit>, Error> {
        let snapshot = self.snapshot();
        request.capability.as_ref().map_or(Ok(()), |name| snapshot.capability(name).map(drop))?;
        let (text, tags) = (request.text.clone(), request.index_tags());
        let search = Search { index: INDEX.to_owned(), text, tags, limit: CANDIDATES, offset: 0 };
        let found = self.inner.log.search(search).await?;
        // A hit published after this snapshot was taken is left to the next search.
        let candidates = found
            .into_iter()
            .filter_map(|hit| Some((Arc::clone(snapshot.operation(&hit.key).ok()?), hit.score)));
        Ok(rank(&snapshot, request, candidates))
    }

    /// Appends what is new of `entries` and returns how many that was.
    async fn publish(&self, entries: &[Entry]) -> Result<usize, Error> {
        let inner = &self.inner;
        let _turn = inner.publishing.lock().await;
        let before = self.snapshot();
        let steps = publish::plan(&before, &inner.stream, entries)?;
        for step in steps {
            inner.log.append(step.append).await?;
            *inner.state.write() = Arc::new(step.after);
        }
        let added = self.snapshot().last_index() - before.last_index();
        Ok(usize::try_from(added).unwrap_or(usize::MAX))
    }
}

/// The fold of the whole log.
async fn rebuild(log: &dyn Log, stream: &StreamName) -> Result<Snapshot, Error> {
    let mut state = Snapshot::default();
    loop {
        let records = log.read(stream, state.last_index() + 1, PAGE).await?;
        if records.is_empty() {
            state.seal();
            return Ok(state);
        }
        for record in records {
            let publication =
                admitted(&state, &record.bytes).map_err(|reason| Error::Log { seq: record.seq, reason })?;
            state.fold(&publication);
        }
    }
}

/// A record read back, checked against the state before it as it was when it was published.
fn admitted(state: &Snapshot, record: &Bytes) -> Result<Publication, String> {
    let publication = Publication::from_record(record)?;
    let newest = state.versions_of(&publication.entry).last().copied();
    if publication.previous != newest.map(|(_, hash)| hash) {
        return Err("it does not follow the version before it".to_owned());
    }
    if newest.is_some_and(|(version, _)| version >= publication.entry.version()) {
        return Err("its version is not above the one before it".to_owned());
    }
    Ok(publication)
}
