//! A service in this process, with what it needs around it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use ledger_service::Snapshot;
use samples::Samples;
use secrecy::SecretString;
use server::{OpenError, Options, Service, StoreLocation};

use crate::config::Config;
use crate::exit::Failure;
use crate::tokens::Tokens;

/// Added to every answer of a sample, so that one sees what runs side by side.
const SAMPLE_LATENCY: Duration = Duration::from_millis(120);

/// Code of a store that another process owns.
pub(crate) const STORE_IN_USE: &str = "E1001";

/// Where the state of a service in this process lives.
#[derive(Debug)]
pub(crate) enum State {
    /// Nowhere: it is gone with the process.
    Memory,
    /// In this folder.
    Folder(PathBuf),
}

/// A service in this process.
#[derive(Debug)]
pub(crate) struct Local {
    /// The service.
    pub(crate) service: Service,
    /// Sample subnets, where the configuration asks for them.
    pub(crate) samples: Option<Samples>,
}

/// Where the store of this project is looked at.
#[derive(Debug)]
pub(crate) enum Found {
    /// In this process.
    Here(Box<Local>),
    /// At the server that has it, or why it is not to be had without that server.
    At(store::Server, Failure),
}

impl Local {
    /// A service that runs the plans of this process, with sample subnets where the configuration asks for
    /// them. It compiles against the project's own lock, whatever its Ledger holds.
    pub(crate) async fn for_runs(config: &Config, state: State) -> Result<Self, Failure> {
        let options = Options { trust_locks: true, ledger_of: store_of(config), ..options(state) };
        Self::configured(config, options).await
    }

    /// A service for one call of this process. What an earlier process left behind is not its business.
    pub(crate) async fn for_calls(config: &Config, state: State) -> Result<Self, Failure> {
        let options = Options { take_up_runs: false, ledger_of: store_of(config), ..options(state) };
        Self::configured(config, options).await
    }

    /// A service for clients elsewhere, who reach it at `address`, and whose locks it does not trust.
    pub(crate) async fn for_clients(
        config: &Config,
        state: State,
        address: String,
        allow_origins: Vec<HeaderValue>,
    ) -> Result<Self, Failure> {
        let (path, is_named) = config.tokens_file();
        let tokens = Tokens::read(&path, is_named)?;
        if matches!(state, State::Memory)
            && let Some(name) = tokens.first_with_cap()
        {
            let message = format!(
                "a server that keeps nothing would forget what the token `{name}` has spent of its `spend_max`"
            );
            return Err(Failure::new("E1507", message, "leave out --no-journal"));
        }
        let access = tokens.access(&path)?;
        let ledger_of = store_in(config.data_folder());
        let address = Some(address);
        Self::configured(config, Options { access, address, allow_origins, ledger_of, ..options(state) })
            .await
    }

    async fn configured(config: &Config, mut options: Options) -> Result<Self, Failure> {
        let development = config.development();
        options.store_bytes_max = config.store_bytes_max();
        options.egress = egress(config)?;
        options.endpoints = config.endpoints().clone();
        (options.secrets, options.secrets_of) = config.secrets()?;
        options.hotkey = config.hotkey()?;
        options.runtime.proofs_show = config.proofs_show();
        let latency = development.sample_latency_ms.map_or(SAMPLE_LATENCY, Duration::from_millis);
        let samples =
            if development.samples { Some(start_samples(&mut options, latency).await?) } else { None };
        Self::open(options, samples).await
    }

    /// A service on sample subnets whatever any configuration says.
    pub(crate) async fn on_samples(state: State) -> Result<Self, Failure> {
        let mut options = options(state);
        let samples = start_samples(&mut options, SAMPLE_LATENCY).await?;
        Self::open(options, Some(samples)).await
    }

    /// A service that has the store of this project, to change its Ledger or to see whether it opens. It makes no calls, needs no
    /// secrets, leaves runs alone, and makes no folder unless something is changed: where the project has no store yet, it
    /// reads the catalogue every binary carries.
    pub(crate) async fn for_ledger(config: &Config, change: bool) -> Result<Self, Failure> {
        Self::open(at_rest(config, change), None).await
    }

    /// The same to change published plans, which are compiled against the project's own lock.
    pub(crate) async fn for_plans(config: &Config) -> Result<Self, Failure> {
        Self::open(Options { trust_locks: true, ..at_rest(config, true) }, None).await
    }

    /// A service that shows the runs and the published plans of this project, or the server that has them.
    pub(crate) async fn for_looking(config: &Config) -> Result<Found, Failure> {
        match Service::open(Options { trust_locks: true, ..at_rest(config, false) }).await {
            Ok(service) => Ok(Found::Here(Box::new(Self { service, samples: None }))),
            Err(error) => match error.owner() {
                Some(server) => Ok(Found::At(server.clone(), not_opened(&error))),
                None => Err(not_opened(&error)),
            },
        }
    }

    /// A service whose Ledger is the catalogue that every binary carries.
    pub(crate) async fn for_catalogue() -> Result<Self, Failure> {
        Self::open(options(State::Memory), None).await
    }

    /// A service whose Ledger is looked up and nothing else, also while another process has the store.
    pub(crate) async fn for_reading(config: &Config) -> Result<Self, Failure> {
        Self::open(Options { ledger_of: store_of(config), ..options(State::Memory) }, None).await
    }

    /// The Ledger as it is now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.service.ledger().snapshot()
    }

    async fn open(options: Options, samples: Option<Samples>) -> Result<Self, Failure> {
        let service = Service::open(options).await.map_err(|error| not_opened(&error))?;
        Ok(Self { service, samples })
    }
}

fn not_opened(error: &OpenError) -> Failure {
    let help = match error.owner() {
        // Unless one wants to be the owner.
        Some(server) => format!("add --server {} to use it there", server.address),
        None if error.code() == STORE_IN_USE => {
            "wait for that process to end (a server that was told to stop needs some seconds), or stop it"
                .to_owned()
        }
        None => error.help().to_owned(),
    };
    Failure::new(error.code(), error.to_string(), help)
}

/// Where calls may go as the configuration says.
pub(crate) fn egress(config: &Config) -> Result<subnet::egress::Options, Failure> {
    let development = config.development();
    let policy = subnet::egress::EgressPolicy {
        allow_loopback: development.allow_loopback,
        allow_private: development.allow_private,
    };
    let extra_roots_pem = config.extra_roots()?;
    Ok(subnet::egress::Options { policy, extra_roots_pem, ..subnet::egress::Options::default() })
}

/// A service that leaves runs alone, and makes no folder unless something is changed.
fn at_rest(config: &Config, change: bool) -> Options {
    let state = if change || store_of(config).is_some() {
        State::Folder(config.state_folder())
    } else {
        State::Memory
    };
    Options { take_up_runs: false, ..options(state) }
}

/// The folder of this project's store, where there is one: what keeps nothing knows what the project knows.
fn store_of(config: &Config) -> Option<PathBuf> {
    store_in(config.state_folder())
}

/// The folder, where it has a store.
fn store_in(folder: PathBuf) -> Option<PathBuf> {
    Some(folder).filter(|folder| folder.join(store::DATABASE_FILE).is_file())
}

fn options(state: State) -> Options {
    Options::new(match state {
        State::Memory => StoreLocation::Memory,
        State::Folder(folder) => StoreLocation::Folder(folder),
    })
}

/// Starts the sample subnets and sends the calls of the subnets they are shaped like to them. What the
/// configuration says itself stays.
async fn start_samples(options: &mut Options, latency: Duration) -> Result<Samples, Failure> {
    let failed = |error: String| {
        let help =
            "they need sockets on the loopback interface; `samples = false` in orchestra.toml does without";
        Failure::new("E1505", format!("the sample subnets do not start: {error}"), help)
    };
    let started = samples::start(samples::Options { latency, ..samples::Options::default() });
    let samples = started.await.map_err(|error| failed(error.to_string()))?;
    options.egress.policy.allow_loopback = true;
    options.egress.extra_roots_pem.push(samples.ca_pem.clone());
    for (subnet, origin, path, key) in sample_subnets(&samples) {
        if options.endpoints.contains_key(subnet) {
            continue;
        }
        options.endpoints.insert(subnet.to_owned(), format!("{origin}{path}"));
        // What the vault has for the real subnet is not for its sample, and would be refused there.
        for secrets in options.secrets_of.values_mut().chain([&mut options.secrets]) {
            secrets.forget_subnet(subnet);
        }
        let key = SecretString::from(key);
        options.secrets.insert(subnet, origin, &key).map_err(|error| failed(error.to_string()))?;
    }
    Ok(samples)
}

/// The subnets that have a sample: name, origin and path of the base URL that replaces the Ledger's, key.
pub(crate) fn sample_subnets(samples: &Samples) -> [(&'static str, &str, &'static str, &'static str); 9] {
    let (search, chat) = (samples.search_url.as_str(), samples.chat_url.as_str());
    let tool = |subnet| (subnet, samples.tools_url.as_str(), "", samples.tools_key);
    [
        tool("sn4"),
        ("sn22", search, "", samples.search_key),
        ("sn28", chat, "/v1", samples.chat_key),
        tool("sn32"),
        tool("sn34"),
        tool("sn50"),
        tool("sn51"),
        ("sn64", chat, "", samples.chat_key),
        ("sn96", chat, "", samples.chat_key),
    ]
}
