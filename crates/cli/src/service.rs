//! The service a command speaks to: one opened in this process, or a server elsewhere. Everything after
//! the connection is the same.

use std::path::PathBuf;
use std::time::Duration;

use proof::verify::TrustPolicy;
use proto::v1::compiler_service_client::CompilerServiceClient;
use proto::v1::ledger_service_client::LedgerServiceClient;
use proto::v1::run_service_client::RunServiceClient;
use samples::Samples;
use secrecy::SecretString;
use server::{Options, Service, StoreLocation};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::config::{Config, DEFAULT_ADDRESS};
use crate::exit::{Exit, Failure, exit_of};

/// Bytes of one message from the service; results and lock bodies may be large.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Added to every answer of a sample, so that one sees what runs side by side.
const SAMPLE_LATENCY: Duration = Duration::from_millis(120);

/// Where the state of a service in this process lives.
#[derive(Debug)]
pub(crate) enum State {
    /// Nowhere: it is gone with the process.
    Memory,
    /// In this folder.
    Folder(PathBuf),
}

/// A connection to a service.
#[derive(Debug)]
pub(crate) struct Connection {
    channel: Channel,
    /// Kept for as long as the connection, because it is what answers.
    local: Option<Local>,
}

/// A service in this process with what it needs around it.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) service: Service,
    /// Sample subnets, where the configuration asks for them.
    pub(crate) samples: Option<Samples>,
}

impl Connection {
    /// The server at `url` where one is named (empty: the configured address), else a service in this
    /// process.
    pub(crate) async fn open(config: &Config, url: Option<&str>, state: State) -> Result<Self, Failure> {
        match url {
            Some(url) => Self::remote(config, url).await,
            None => Self::local(local(config, state).await?).await,
        }
    }

    /// A connection to a service of this process.
    pub(crate) async fn local(local: Local) -> Result<Self, Failure> {
        let channel = local.service.channel().await.map_err(|error| {
            Failure::new(
                Exit::Failed,
                "E1504",
                format!("the service in this process does not answer: {error}"),
                "",
            )
        })?;
        Ok(Self { channel, local: Some(local) })
    }

    async fn remote(config: &Config, url: &str) -> Result<Self, Failure> {
        let url = match url {
            "" => format!("http://{}", config.listen()),
            url if url.contains("://") => url.to_owned(),
            address => format!("http://{address}"),
        };
        let endpoint = Endpoint::from_shared(url.clone()).map_err(|error| {
            let help = format!("write it like http://{DEFAULT_ADDRESS}");
            Failure::new(Exit::Usage, "E1501", format!("`{url}` is no address of a server: {error}"), help)
        })?;
        let channel = endpoint.connect().await.map_err(|error| {
            let help = "start one with `orch serve`, or leave out --server to run in this process";
            Failure::new(
                Exit::Unreachable,
                "E1504",
                format!("no server answers at {url}: {}", chain(&error)),
                help,
            )
        })?;
        Ok(Self { channel, local: None })
    }

    /// Client of the runs.
    pub(crate) fn runs(&self) -> RunServiceClient<Channel> {
        RunServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Client of the compiler.
    pub(crate) fn compiler(&self) -> CompilerServiceClient<Channel> {
        CompilerServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Client of the Ledger.
    pub(crate) fn ledger(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// The keys whose proofs this connection can vouch for: that of the runtime in this process. A server's
    /// word for its own key would prove nothing.
    pub(crate) fn trust(&self) -> TrustPolicy {
        self.local.as_ref().map_or_else(TrustPolicy::default, |local| {
            TrustPolicy::of_key(local.service.public_key(), "this runtime")
        })
    }
}

/// Opens the service in this process, with sample subnets where the configuration asks for them.
pub(crate) async fn local(config: &Config, state: State) -> Result<Local, Failure> {
    open(config, state, config.development().samples).await
}

/// Opens the service in this process, with sample subnets whatever the configuration says.
pub(crate) async fn local_with_samples(config: &Config, state: State) -> Result<Local, Failure> {
    open(config, state, true).await
}

async fn open(config: &Config, state: State, with_samples: bool) -> Result<Local, Failure> {
    let development = config.development();
    let mut options = Options::new(match state {
        State::Memory => StoreLocation::Memory,
        State::Folder(folder) => StoreLocation::Folder(folder),
    });
    options.egress.policy.allow_loopback = development.allow_loopback;
    options.egress.policy.allow_private = development.allow_private;
    options.egress.extra_roots_pem = config.extra_roots()?;
    options.endpoints = config.endpoints().clone();
    options.secrets = config.secrets()?;
    options.hotkey = config.hotkey()?;
    let samples = if with_samples { Some(start_samples(&mut options).await?) } else { None };
    let service = Service::open(options).await.map_err(|error| {
        Failure::new(exit_of(error.code()), error.code(), error.to_string(), error.help())
    })?;
    Ok(Local { service, samples })
}

/// Starts the sample subnets and sends the calls of the subnets they are shaped like to them. What the
/// configuration says itself stays.
async fn start_samples(options: &mut Options) -> Result<Samples, Failure> {
    let failed = |error: String| {
        Failure::new(Exit::Failed, "E1505", format!("the sample subnets do not start: {error}"), "")
    };
    let started = samples::start(samples::Options { latency: SAMPLE_LATENCY, ..samples::Options::default() });
    let samples = started.await.map_err(|error| failed(error.to_string()))?;
    options.egress.policy.allow_loopback = true;
    options.egress.extra_roots_pem.push(samples.ca_pem.clone());
    for (subnet, origin, path, key) in sample_subnets(&samples) {
        options.endpoints.entry(subnet.to_owned()).or_insert_with(|| format!("{origin}{path}"));
        let key = SecretString::from(key);
        options.secrets.insert(subnet, origin, &key).map_err(|error| failed(error.to_string()))?;
    }
    Ok(samples)
}

/// The subnets that have a sample: name, origin and path of the base URL that replaces the Ledger's, key.
pub(crate) fn sample_subnets(samples: &Samples) -> [(&'static str, &str, &'static str, &'static str); 4] {
    let (search, chat) = (samples.search_url.as_str(), samples.chat_url.as_str());
    [
        ("sn22", search, "", samples.search_key),
        ("sn28", chat, "/v1", samples.chat_key),
        ("sn64", chat, "", samples.chat_key),
        ("sn96", chat, "", samples.chat_key),
    ]
}

/// What a status of the service means for the terminal.
pub(crate) fn refused(status: &Status) -> Failure {
    let code = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    let exit = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => Exit::Unauthenticated,
        Code::Unavailable if code.is_empty() => Exit::Unreachable,
        _ => exit_of(&code),
    };
    Failure::new(exit, code, status.message(), "")
}

/// An error with its causes, which libraries keep out of their first line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
