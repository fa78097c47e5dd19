//! Opening the service: store, Ledger and runtime, wired as data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use ledger_service::{Catalog, STATISTICS, Statistics};
use proof::key::PublicKey;
use runtime::DEFAULT_TENANT;
use schema::hash::{Context, Hash};
use store::{Log, Memory, Sqlite, StreamName};
use subnet::hotkey::Hotkey;
use subnet::secrets::{SecretStore, TenantSecrets};
use subnet::{Client, egress};
use uuid::Uuid;

use crate::access::Access;
use crate::native::Native;
use crate::published::Published;

/// How long runs may go on after the service is told to stop, unless the options say otherwise.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// What a service needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its state lives.
    pub store: StoreLocation,
    /// Folder of a store whose Ledger and statistics of calls a service in memory begins with, as they are at this moment; whoever
    /// owns that store goes on with it. `None`, or a store without a Ledger: the catalogue.
    pub ledger_of: Option<PathBuf>,
    /// Bytes the database in a folder may grow to; `None` = as the disk allows.
    pub store_bytes_max: Option<u64>,
    /// Where the service is to answer clients; who is refused its store is told.
    pub address: Option<String>,
    /// How calls leave the machine.
    pub egress: egress::Options,
    /// Base URLs that replace those of the Ledger, by operation (`sn64.chat_completions`) or subnet (`sn64`).
    pub endpoints: BTreeMap<String, String>,
    /// Keys of subnets. They serve everybody but the holders of tokens with keys of their own only.
    pub secrets: SecretStore,
    /// Keys of the holders of tokens, by name. They come before those of the server, and nobody else's runs use them.
    pub secrets_of: BTreeMap<String, SecretStore>,
    /// Signs calls of axons.
    pub hotkey: Option<Hotkey>,
    /// How the runtime behaves.
    pub runtime: runtime::Options,
    /// How long runs may go on after the service is told to stop.
    pub close_grace: Duration,
    /// Whether to take up the runs that an earlier process left behind. A process that only looks something
    /// up in the Ledger must not spend money on them.
    pub take_up_runs: bool,
    /// Who may use the service; everybody who reaches it unless there are tokens.
    pub access: Access,
    /// Whether a lock that a client sends is compiled against although this Ledger does not hold its entries.
    /// Only for a service whose one client is the program around it: the lock is its user's own file then.
    pub trust_locks: bool,
    /// Origins whose pages may call by gRPC-Web, such as `https://app.example`; none unless named.
    pub allow_origins: Vec<HeaderValue>,
}

/// Where the state of a service lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreLocation {
    /// Nowhere: it is gone with the process, and nothing is durable.
    Memory,
    /// In this folder, which one process owns at a time.
    Folder(PathBuf),
}

impl Options {
    /// A service at `store` that calls public addresses only and has no keys.
    #[must_use]
    pub fn new(store: StoreLocation) -> Self {
        let runtime = runtime::Options { build: build_hash(), ..runtime::Options::default() };
        Self {
            store,
            ledger_of: None,
            store_bytes_max: None,
            address: None,
            egress: egress::Options::default(),
            endpoints: BTreeMap::new(),
            secrets: SecretStore::new(),
            secrets_of: BTreeMap::new(),
            hotkey: None,
            runtime,
            close_grace: CLOSE_GRACE,
            take_up_runs: true,
            access: Access::default(),
            trust_locks: false,
            allow_origins: Vec::new(),
        }
    }
}

/// Names this build in proofs. The version is what a source build knows of itself.
fn build_hash() -> Hash {
    Context::Evidence.hash(&[b"orch ", env!("CARGO_PKG_VERSION").as_bytes()])
}

/// Why a service does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The Ledger.
    #[error(transparent)]
    Ledger(#[from] ledger_service::Error),
    /// The runtime's key.
    #[error(transparent)]
    Key(#[from] runtime::keys::KeyError),
    /// The runtime.
    #[error(transparent)]
    Runtime(#[from] runtime::Error),
    /// An extra certificate authority.
    #[error(transparent)]
    Root(#[from] egress::RootError),
    /// The operating system gave no random bytes for a key.
    #[error("the operating system gave no random bytes: {0}")]
    Randomness(std::io::Error),
}

impl OpenError {
    /// The stable code; its page is `docs/errors/<code>.md`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Store(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Runtime(error) => error.code(),
            Self::Root(error) => error.code(),
            Self::Randomness(_) => "E1179",
        }
    }

    /// The server that has the store, where one has it.
    #[must_use]
    pub const fn owner(&self) -> Option<&store::Server> {
        match self {
            Self::Store(store::Error::Locked { server, .. }) => server.as_ref(),
            _ => None,
        }
    }

    /// What to do next; empty where the message says it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Store(error) => error.help(),
            Self::Ledger(error) => error.help(),
            Self::Key(_) | Self::Runtime(_) | Self::Root(_) | Self::Randomness(_) => "",
        }
    }
}

/// An open service. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Service {
    ledger: ledger_service::Handle,
    statistics: Statistics,
    runtime: runtime::Handle,
    published: Published,
    native: Native,
    /// What it calls itself to those who found its address in its store.
    instance: u64,
    store: Option<Arc<Sqlite>>,
    public_key: PublicKey,
    close_grace: Duration,
    access: Access,
    locks_trusted: bool,
    allow_origins: Vec<HeaderValue>,
}

impl Service {
    /// Opens store, Ledger and runtime, fills a fresh Ledger with the catalogue, and takes up the runs that
    /// an earlier process left behind unless the options say otherwise.
    ///
    /// # Errors
    /// [`OpenError`]; nothing is left half-open.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let client = Client::new(options.egress)?;
        let (mut beginning, mut calls_before) = (Vec::new(), Vec::new());
        // The half of it that is random but for two bits: more than enough to tell servers apart.
        let (_, instance) = Uuid::new_v4().as_u64_pair();
        let mut store = None;
        let (log, key): (Arc<dyn Log>, _) = match &options.store {
            StoreLocation::Memory => {
                if let Some(folder) = &options.ledger_of {
                    beginning = Sqlite::records_of(folder, &StreamName::new(ledger_service::STREAM)?)?;
                    calls_before = Sqlite::rows_of(folder, STATISTICS)?;
                }
                let key = runtime::keys::ephemeral().map_err(OpenError::Randomness)?;
                (Arc::new(Memory::new()), key)
            }
            // The store first: its lock makes sure that no other process makes a key at the same time.
            StoreLocation::Folder(folder) => {
                let max_bytes = options.store_bytes_max;
                let server =
                    options.address.map(|address| store::Server { address, instance: instance.to_string() });
                let opened =
                    Sqlite::open(&store::Options { max_bytes, server, ..store::Options::new(folder) })?;
                let opened = Arc::clone(store.insert(Arc::new(opened)));
                (opened, runtime::keys::load_or_create(folder)?)
            }
        };
        let ledger = ledger_service::Options::new(Arc::clone(&log)).beginning_with(beginning).open().await?;
        if ledger.snapshot().last_index() == 0 {
            ledger.load(&Catalog::embedded()?).await?;
        }
        let statistics = Statistics::open(&log, calls_before).await?;
        let published = Published::new(Arc::clone(&log));
        let public_key = key.public();
        let native = Native::start();
        let secrets = TenantSecrets::new(options.secrets, options.access.served());
        let of_tenants = options.secrets_of.into_iter().filter(|(tenant, _)| tenant != DEFAULT_TENANT);
        let secrets = of_tenants.fold(secrets, |all, (tenant, own)| all.with(&tenant, own));
        let services = runtime::Services {
            log,
            client,
            secrets,
            hotkey: options.hotkey.map(Arc::new),
            key: Arc::new(key),
            endpoints: options.endpoints,
            samples: Some(statistics.samples()),
            routes: Some(statistics.routes()),
            evaluators: native.evaluators(),
        };
        let runtime_options = runtime::Options { spend_caps: options.access.spend_caps(), ..options.runtime };
        let runtime = runtime::Handle::new(runtime_options, services);
        runtime.open_accounts().await?;
        let resumed = if options.take_up_runs { runtime.recover().await? } else { 0 };
        if resumed > 0 {
            tracing::info!(runs = resumed, "took up runs of an earlier process");
        }
        let Options { access, close_grace, trust_locks: locks_trusted, allow_origins, .. } = options;
        Ok(Self {
            ledger,
            statistics,
            runtime,
            published,
            native,
            instance,
            store,
            public_key,
            close_grace,
            access,
            locks_trusted,
            allow_origins,
        })
    }

    /// Whether it serves everybody who reaches it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.access.is_open()
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) const fn instance(&self) -> u64 {
        self.instance
    }

    /// Takes its address back from its store: who looks for it there would find nobody.
    pub(crate) fn leave_address(&self) {
        if let Some(store) = &self.store {
            store.is_no_server();
        }
    }

    pub(crate) const fn locks_trusted(&self) -> bool {
        self.locks_trusted
    }

    pub(crate) const fn published(&self) -> &Published {
        &self.published
    }

    pub(crate) fn allow_origins(&self) -> &[HeaderValue] {
        &self.allow_origins
    }

    pub(crate) const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The Ledger.
    #[must_use]
    pub fn ledger(&self) -> &ledger_service::Handle {
        &self.ledger
    }

    /// The runtime.
    #[must_use]
    pub fn runtime(&self) -> &runtime::Handle {
        &self.runtime
    }

    /// The native code of hot plans.
    #[must_use]
    pub fn native(&self) -> &Native {
        &self.native
    }

    /// The key that signs the proofs of this service.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// Refuses new runs and gives those under way a few seconds; the next process takes up the rest.
    pub async fn close(&self) {
        self.runtime.shutdown(self.close_grace).await;
        self.statistics.close().await;
    }
}
