//! A runtime over a store, with loopback allowed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use plan_ir::plan::CompiledPlan;
use proof::key::RuntimeKey;
use proof::verify::{Signer, TrustPolicy, verify};
use runtime::view::{Run, RunEvent, RunId};
use runtime::{CreateRun, DEFAULT_TENANT, Error, Handle, LoadedPlan, Options, Services};
use store::{Log, Memory, Sqlite};
use subnet::egress::EgressPolicy;
use subnet::secrets::{SecretStore, TenantSecrets};

pub const TENANT: &str = DEFAULT_TENANT;

pub struct World {
    pub handle: Handle,
    pub log: Arc<dyn Log>,
    pub key: Arc<RuntimeKey>,
}

pub fn client() -> subnet::Client {
    let policy = EgressPolicy { allow_loopback: true, allow_private: false };
    subnet::Client::new(subnet::egress::Options { policy, ..Default::default() }).unwrap()
}

pub fn services(log: Arc<dyn Log>) -> Services {
    Services {
        log,
        client: client(),
        secrets: TenantSecrets::new(SecretStore::new(), [TENANT]),
        hotkey: None,
        key: Arc::new(RuntimeKey::from_seed(&[7; 32])),
        endpoints: BTreeMap::new(),
        samples: None,
        routes: None,
        evaluators: None,
    }
}

impl World {
    pub fn in_memory() -> Self {
        Self::over(Arc::new(Memory::new()))
    }

    pub fn on_disk(dir: &Path) -> Self {
        Self::over(Arc::new(Sqlite::open(&store::Options::new(dir)).unwrap()))
    }

    pub fn over(log: Arc<dyn Log>) -> Self {
        Self::with(Options::default(), services(log))
    }

    pub fn with(options: Options, services: Services) -> Self {
        let (log, key) = (Arc::clone(&services.log), Arc::clone(&services.key));
        Self { handle: Handle::new(options, services), log, key }
    }

    pub fn load(&self, plan: CompiledPlan) -> Arc<LoadedPlan> {
        self.handle.load(plan).unwrap()
    }

    pub async fn create(&self, plan: &Arc<LoadedPlan>) -> Result<RunId, Error> {
        self.handle.create_run(request(plan, "")).await
    }

    pub async fn run(&self, plan: CompiledPlan) -> Run {
        let plan = self.load(plan);
        let id = self.create(&plan).await.unwrap();
        self.handle.wait(TENANT, id).await.unwrap()
    }

    pub async fn events(&self, run: RunId, after_seq: u64) -> Vec<RunEvent> {
        let mut events = self.handle.watch(TENANT, run, after_seq).await.unwrap();
        let mut all = vec![];
        while let Some(event) = events.next().await.unwrap() {
            all.push(event);
        }
        all
    }

    /// Verifies the proof of a run that ended and gives its bytes.
    pub async fn proof(&self, run: &Run) -> Bytes {
        let bytes = self.handle.proof(TENANT, run.id).await.unwrap();
        let verdict = verify(&bytes, &TrustPolicy::of_key(self.key.public(), "test"));
        assert!(verdict.failures.is_empty(), "{:?}", verdict.failures);
        assert!(matches!(verdict.signer, Signer::Trusted { .. }), "{:?}", verdict.signer);
        bytes
    }
}

pub fn request(plan: &Arc<LoadedPlan>, inputs: &str) -> CreateRun {
    CreateRun {
        plan: Arc::clone(plan),
        inputs_json: Bytes::copy_from_slice(inputs.as_bytes()),
        request_id: None,
        cost_max: None,
        unpriced_max: None,
        tenant: TENANT.into(),
        listener: None,
    }
}
