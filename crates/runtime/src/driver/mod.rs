//! The driver: turns what the scheduler decides into journal appends, calls and timers.

mod attempt;
mod clock;
mod live;
mod patience;
mod plan;
mod recover;
mod task;
mod turns;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plan_ir::interp::Evaluators;
use proof::builder::Show;
use proof::key::RuntimeKey;
use schema::hash::Hash;
use schema::route::{CallSample, Route, RouteTable};
use store::Log;
use subnet::hotkey::Hotkey;
use subnet::secrets::TenantSecrets;
use tokio::sync::{mpsc, watch};

use crate::core::Prepared;
use crate::spend::SpendCap;
pub(crate) use clock::{Clock, wall_us};
pub(crate) use live::{Control, LiveRun, Phase, Registry};
pub use plan::LoadedPlan;
pub(crate) use recover::{cancel, load_plan, recover, seed};
pub(crate) use task::{NewRun, Task, fresh_run};
pub(crate) use turns::{Turn, Turns};

/// Default of [`Options::disk_patience`]: long enough for somebody who was called to make room.
const DISK_PATIENCE: Duration = Duration::from_secs(10 * 60);

/// How the runtime behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Runs under way at once; more are refused.
    pub runs_max: usize,
    /// How long a result that causes nothing outward may wait for others before it is committed. It
    /// bounds what a crash can turn into interrupted calls, and how late watchers see progress.
    pub linger: Duration,
    /// How long a run under way waits for a full or failing disk before it stops here. It goes on by
    /// itself where a commit succeeds until then.
    pub disk_patience: Duration,
    /// Names the build of this program in proofs.
    pub build: Hash,
    /// What tenants may spend over all their runs; who is not named has no cap but those of plans and requests.
    pub spend_caps: BTreeMap<Arc<str>, SpendCap>,
    /// What proofs show.
    pub proofs_show: Show,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runs_max: 10_000,
            linger: Duration::from_millis(5),
            disk_patience: DISK_PATIENCE,
            build: Hash::default(),
            spend_caps: BTreeMap::new(),
            proofs_show: Show::default(),
        }
    }
}

/// What the runtime works with.
#[derive(Debug)]
pub struct Services {
    /// Journals and views.
    pub log: Arc<dyn Log>,
    /// The way out.
    pub client: subnet::Client,
    /// API keys, by whose runs they serve.
    pub secrets: TenantSecrets,
    /// Signs requests to axons, for the runs of tenants whom the deployment's API keys serve too.
    pub hotkey: Option<Arc<Hotkey>>,
    /// Signs proofs.
    pub key: Arc<RuntimeKey>,
    /// Base URLs that replace those of the Ledger, by operation (`sn64.chat_completions`) or subnet
    /// (`sn64`). Deployments and tests fill in hosts that the Ledger does not know.
    pub endpoints: BTreeMap<String, String>,
    /// Where every attempt is told to, if anybody wants to know; told ones are lost while it is full.
    pub samples: Option<mpsc::Sender<CallSample>>,
    /// Live facts about operations; a run takes those of the moment it is created.
    pub routes: Option<watch::Receiver<RouteTable>>,
    /// Evaluate the expressions of plans; the interpreter does where there are none.
    pub evaluators: Option<Arc<dyn Evaluators>>,
}

impl Services {
    /// What is measured of each operation of a plan; empty where nothing is of any.
    pub(crate) fn routes(&self, plan: &Prepared) -> Vec<Route> {
        let Some(routes) = &self.routes else { return Vec::new() };
        let table = routes.borrow();
        if table.routes.is_empty() {
            return Vec::new();
        }
        let route = |id: &str| table.routes.get(id).cloned().unwrap_or_default();
        plan.operations().map(|operation| route(&operation.id)).collect()
    }

    /// Whether proofs are signed when somebody asks for them: where the store ends with the process, which has the key as long
    /// as the store has the proof. What outlives the process is signed before it is stored.
    pub(crate) fn signs_later(&self) -> bool {
        !self.log.is_durable()
    }

    /// The hotkey that signs calls of `tenant`.
    pub(crate) fn hotkey(&self, tenant: &str) -> Option<&Arc<Hotkey>> {
        self.hotkey.as_ref().filter(|_| self.secrets.is_served(tenant))
    }

    pub(crate) fn endpoint(&self, operation: &str, netuid: u16) -> Option<&str> {
        let own = self.endpoints.get(operation);
        own.or_else(|| self.endpoints.get(&format!("sn{netuid}"))).map(String::as_str)
    }
}
