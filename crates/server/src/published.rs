//! The plans that the server keeps: a stream of what was published and withdrawn, a row for each plan, and its file as a
//! blob.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use prost::Message as _;
use proto::v1;
use runtime::LoadedPlan;
use schema::hash::Hash;
use store::{Append, Log, StreamName, ViewScan};
use tokio::sync::RwLock;
use tonic::Status;

use crate::compiler::Pinned;
use crate::convert;
use crate::run::failed;
use crate::status::{not_found, plan_errors, status};

/// What stands before the name of a plan in requests.
pub(crate) const NAME_PREFIX: &str = "plans/";
/// Rows of plans by `<tenant>/<name>`.
const PLANS: &str = "plans.published";
/// The last revision of plans that were withdrawn, by the same keys.
const WITHDRAWN: &str = "plans.withdrawn";
/// First byte of a row.
const ROW_VERSION: u8 = 1;
/// Bytes of the rows of one page: stock clients read messages of up to 4 MiB.
const PAGE_BYTES_MAX: usize = 2 << 20;
/// Names that are looked at for the one that was meant.
const SUGGESTED_FROM: usize = 1_000;

/// The published plans. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    log: Arc<dyn Log>,
    /// Changes happen one after the other, and a list sees none of them half.
    turn: RwLock<()>,
    /// Plans that are ready to run, by key, with their revision.
    loaded: Mutex<HashMap<String, (u32, Arc<LoadedPlan>)>>,
}

/// A page of plans, without their files.
pub(crate) struct Page {
    pub(crate) plans: Vec<v1::Plan>,
    /// Whether there are more behind it.
    pub(crate) more: bool,
    pub(crate) generation: u64,
}

/// A plan as it is stored: its message without the file, and where that is.
struct Row {
    source: Hash,
    plan: v1::Plan,
}

impl Published {
    pub(crate) fn new(log: Arc<dyn Log>) -> Self {
        let (turn, loaded) = (RwLock::default(), Mutex::default());
        Self { inner: Arc::new(Inner { log, turn, loaded }) }
    }

    /// Keeps a plan, without its file in the answer, and whether that changed anything.
    pub(crate) async fn publish(
        &self,
        tenant: &str,
        pinned: Pinned,
        summary: v1::PlanSummary,
        loaded: Arc<LoadedPlan>,
    ) -> Result<(v1::Plan, bool), Status> {
        let _turn = self.inner.turn.write().await;
        let key = key(tenant, &summary.name);
        let before = self.row(&key).await?;
        if let Some(row) = &before
            && Pinned::kept(self.source(row).await?).is_ok_and(|kept| kept.says_the_same(&pinned))
        {
            return Ok((row.plan.clone(), false));
        }
        let last = match &before {
            Some(row) => row.plan.revision,
            None => self.withdrawn_revision(&key).await?,
        };
        let plan = v1::Plan {
            name: format!("{NAME_PREFIX}{}", summary.name),
            revision: last.saturating_add(1),
            summary: Some(summary),
            source: None,
            publish_time: Some(convert::timestamp(now_us())),
        };
        let file = store::BlobWrite::new(pinned.source.encode_to_vec());
        let row = Row { source: file.hash(), plan };
        let record = serde_json::json!({ "published": row.plan.name, "revision": row.plan.revision, "source": row.source.to_hex() });
        let mut append = Append::to(stream(tenant)?)
            .record(record.to_string())
            .view(PLANS, key.clone(), row.to_bytes())
            .drop_view(WITHDRAWN, key.clone());
        append.blobs.push(file);
        self.inner.log.append(append).await.map_err(store_failed)?;
        self.keep(key, row.plan.revision, loaded);
        Ok((row.plan, true))
    }

    /// A plan without its file.
    pub(crate) async fn get(&self, tenant: &str, name: &str) -> Result<v1::Plan, Status> {
        self.known(tenant, name).await.map(|row| row.plan)
    }

    /// A plan with its file.
    pub(crate) async fn with_source(&self, tenant: &str, name: &str) -> Result<v1::Plan, Status> {
        let row = self.known(tenant, name).await?;
        let source = self.source(&row).await?;
        Ok(v1::Plan { source: Some(source), ..row.plan })
    }

    /// Plans by name, after the plan `after`.
    pub(crate) async fn list(&self, tenant: &str, after: Option<&str>, size: usize) -> Result<Page, Status> {
        let _turn = self.inner.turn.read().await;
        let log = &self.inner.log;
        let generation = log.last_seq(&stream(tenant)?).await.map_err(store_failed)?;
        let after = after.map(|name| key(tenant, name));
        // One more than asked for tells whether there is a next page.
        let scan = ViewScan::of(PLANS, size + 1).prefix(&key(tenant, "")).after(after.as_deref());
        let rows = log.view_scan(scan).await.map_err(store_failed)?;
        let found = rows.len();
        let mut bytes = 0;
        let fitting = rows.into_iter().take(size).take_while(|row| {
            let first = bytes == 0;
            bytes += row.value.len();
            first || bytes <= PAGE_BYTES_MAX
        });
        let plans = fitting.map(|row| Ok(Row::read(&row.value)?.plan)).collect::<Result<Vec<_>, Status>>()?;
        Ok(Page { more: plans.len() < found, plans, generation })
    }

    /// Takes a plan out of the list.
    pub(crate) async fn withdraw(&self, tenant: &str, name: &str) -> Result<(), Status> {
        let _turn = self.inner.turn.write().await;
        let row = self.known(tenant, name).await?;
        let key = key(tenant, name);
        let record = serde_json::json!({ "withdrawn": row.plan.name, "revision": row.plan.revision });
        let append = Append::to(stream(tenant)?)
            .record(record.to_string())
            .drop_view(PLANS, key.clone())
            .view(WITHDRAWN, key.clone(), row.plan.revision.to_string());
        self.inner.log.append(append).await.map_err(store_failed)?;
        self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        Ok(())
    }

    /// A plan that is ready to run, compiled again where this process has not done it yet.
    pub(crate) async fn loaded(
        &self,
        tenant: &str,
        name: &str,
        runtime: &runtime::Handle,
    ) -> Result<Arc<LoadedPlan>, Status> {
        let row = self.known(tenant, name).await?;
        let (key, revision) = (key(tenant, name), row.plan.revision);
        let known = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, loaded)) = known.filter(|(known, _)| *known == revision) {
            return Ok(loaded);
        }
        let compiled = Pinned::kept(self.source(&row).await?)?.compile().await?;
        // A newer program may refuse what an older one took.
        if compiled.has_errors() {
            return Err(plan_errors(&compiled));
        }
        let loaded = runtime.load(compiled.plan(name)?.clone()).map_err(failed)?;
        self.keep(key, revision, Arc::clone(&loaded));
        Ok(loaded)
    }

    fn keep(&self, key: String, revision: u32, plan: Arc<LoadedPlan>) {
        self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (revision, plan));
    }

    /// The row of a plan that must be there.
    async fn known(&self, tenant: &str, name: &str) -> Result<Row, Status> {
        if let Some(row) = self.row(&key(tenant, name)).await? {
            return Ok(row);
        }
        let prefix = key(tenant, "");
        let scan = ViewScan::of(PLANS, SUGGESTED_FROM).prefix(&prefix);
        let rows = self.inner.log.view_scan(scan).await.map_err(store_failed)?;
        let names = rows.iter().filter_map(|row| row.key.strip_prefix(&prefix));
        let near = match plan_lang::suggest(name, names) {
            Some(near) => format!("did you mean `{NAME_PREFIX}{near}`?"),
            None => "`orch plans list` shows those that are".to_owned(),
        };
        let full = format!("{NAME_PREFIX}{name}");
        Err(not_found("E1550", "plan", &full, format!("`{full}` is not published here; {near}")))
    }

    async fn row(&self, key: &str) -> Result<Option<Row>, Status> {
        let row = self.inner.log.view_get(PLANS, key).await.map_err(store_failed)?;
        row.map(|bytes| Row::read(&bytes)).transpose()
    }

    async fn source(&self, row: &Row) -> Result<v1::PlanSource, Status> {
        let bytes = self.inner.log.get_blob(&row.source).await.map_err(store_failed)?;
        bytes
            .and_then(|bytes| v1::PlanSource::decode(bytes).ok())
            .ok_or_else(|| unreadable("the file of a plan"))
    }

    async fn withdrawn_revision(&self, key: &str) -> Result<u32, Status> {
        let Some(row) = self.inner.log.view_get(WITHDRAWN, key).await.map_err(store_failed)? else {
            return Ok(0);
        };
        let revision = std::str::from_utf8(&row).ok().and_then(|text| text.parse().ok());
        revision.ok_or_else(|| unreadable("the revision of a plan that was withdrawn"))
    }
}

impl Row {
    fn to_bytes(&self) -> Bytes {
        let mut bytes = vec![ROW_VERSION];
        bytes.extend_from_slice(&self.source.0);
        // The contract only ever gains fields, so a later version reads what this one writes.
        bytes.extend(self.plan.encode_to_vec());
        bytes.into()
    }

    fn read(bytes: &[u8]) -> Result<Self, Status> {
        let read = || {
            let (source, plan) = bytes.strip_prefix(&[ROW_VERSION])?.split_first_chunk()?;
            Some(Self { source: Hash(*source), plan: v1::Plan::decode(plan).ok()? })
        };
        read().ok_or_else(|| unreadable("the row of a plan"))
    }
}

fn key(tenant: &str, name: &str) -> String {
    format!("{tenant}/{name}")
}

/// Where a tenant's publications and withdrawals are recorded; its length is the generation of the list.
fn stream(tenant: &str) -> Result<StreamName, Status> {
    StreamName::new(&format!("plans/{tenant}")).map_err(store_failed)
}

fn store_failed(error: store::Error) -> Status {
    status(error.code(), format!("{error}; {}", error.help()))
}

fn unreadable(what: &str) -> Status {
    status("E1002", format!("{what} in the store cannot be read by this version"))
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
