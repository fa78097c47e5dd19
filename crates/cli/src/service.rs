//! The service a command speaks to: one opened in this process, or a server elsewhere. Everything after
//! the connection is the same.

use std::time::Duration;

use proof::verify::TrustPolicy;
use proto::Channel;
use proto::v1::call_service_client::CallServiceClient;
use proto::v1::ledger_service_client::LedgerServiceClient;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::run_service_client::RunServiceClient;
use proto::v1::tool_service_client::ToolServiceClient;
use server::INSTANCE_HEADER;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::config::{Config, DEFAULT_ADDRESS};
use crate::exit::{Exit, Failure};
use crate::service::local::{Found, Local};
use crate::tokens;

pub(crate) mod local;

/// Bytes of one message from the service; results and lock bodies may be large.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Longest time until a server accepts a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// While an answer is awaited, how often the server is asked for a sign of life, and how long it may take to
/// give one: what accepts a connection and never says a word would hold a command for ever.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// How often a broken connection is made again before the server counts as gone.
const RECONNECTS_MAX: u32 = 7;

/// Wait before the first of them; it doubles each time, so that all take some 25 seconds.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);

/// Code of a request without a token to a server that wants one.
const NO_TOKEN: &str = "E1517";

/// What clients speak through: a connection that shows this process's token.
pub(crate) type Wire = InterceptedService<Channel, Token>;

/// Puts the token of this process, where it has one, into every request.
#[derive(Clone, Debug)]
pub(crate) struct Token(Option<MetadataValue<Ascii>>);

impl Token {
    fn own() -> Result<Self, Failure> {
        let header = |token: String| {
            let header = format!("Bearer {token}").parse::<MetadataValue<Ascii>>();
            let mut header = header.map_err(|_| tokens::unusable_own("has characters that no token has"))?;
            header.set_sensitive(true);
            Ok::<_, Failure>(header)
        };
        Ok(Self(tokens::own()?.map(header).transpose()?))
    }
}

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A connection to a service.
#[derive(Debug)]
pub(crate) struct Connection {
    channel: Channel,
    token: Token,
    /// What answers, where it is in this process.
    pub(crate) local: Option<Local>,
    /// Its address, where it is elsewhere.
    url: String,
}

impl Connection {
    /// A connection for runs: to the server at `url` where one is named (empty: the configured address),
    /// else to a service in this process.
    pub(crate) async fn for_runs(
        config: &Config,
        url: Option<&str>,
        state: local::State,
    ) -> Result<Self, Failure> {
        match url {
            Some(url) => Self::remote(config, url).await,
            None => Ok(Self::local(Local::for_runs(config, state).await?)),
        }
    }

    /// The same for single calls, which leave runs of earlier processes alone.
    pub(crate) async fn for_calls(
        config: &Config,
        url: Option<&str>,
        state: local::State,
    ) -> Result<Self, Failure> {
        match url {
            Some(url) => Self::remote(config, url).await,
            None => Ok(Self::local(Local::for_calls(config, state).await?)),
        }
    }

    /// A connection for looking things up in the Ledger of a server, or of this project, whoever has its store; or for changing
    /// it.
    pub(crate) async fn for_ledger(
        config: &Config,
        url: Option<&str>,
        change: bool,
    ) -> Result<Self, Failure> {
        match url {
            Some(url) => Self::remote(config, url).await,
            None if change => Ok(Self::local(Local::for_ledger(config, true).await?)),
            None => Ok(Self::local(Local::for_reading(config).await?)),
        }
    }

    /// A connection for changing published plans: those of a server, or of this project.
    pub(crate) async fn for_plans(config: &Config, url: Option<&str>) -> Result<Self, Failure> {
        match url {
            Some(url) => Self::remote(config, url).await,
            None => Ok(Self::local(Local::for_plans(config).await?)),
        }
    }

    /// A connection for looking at runs and published plans: those of a server, or of this project. A server that has the store of
    /// this project is asked.
    pub(crate) async fn for_looking(config: &Config, url: Option<&str>) -> Result<Self, Failure> {
        match url {
            Some(url) => Self::remote(config, url).await,
            None => match Local::for_looking(config).await? {
                Found::Here(local) => Ok(Self::local(*local)),
                Found::At(server, in_use) => Self::owner(config, &server, in_use).await,
            },
        }
    }

    /// A connection to the server that has the store of this project, as it says there. What answers at that address shows that it is
    /// that server before anything else is sent there, this process's token among it.
    async fn owner(config: &Config, server: &store::Server, in_use: Failure) -> Result<Self, Failure> {
        let lost = |why: &str, help: &str| {
            let message = format!("{}, and {why}", in_use.message);
            Failure { message, help: help.to_owned(), ..in_use.clone() }
        };
        let Ok((url, channel)) = channel(config, &server.address).await else {
            let help = "if it is stopping, try again in a moment; if it runs where this address does not lead, such as in a \
                        container, give one that does with --server";
            return Err(lost("nobody answers there", help));
        };
        let mut health = HealthClient::new(channel.clone());
        let asked = tokio::time::timeout(CONNECT_TIMEOUT, health.check(HealthCheckRequest::default())).await;
        let is_owner = asked.is_ok_and(|answer| {
            let headers = answer.as_ref().map_or_else(Status::metadata, tonic::Response::metadata);
            headers
                .get(INSTANCE_HEADER)
                .is_some_and(|instance| instance.as_bytes() == server.instance.as_bytes())
        });
        if is_owner {
            return Ok(Self { channel, token: Token::own()?, local: None, url });
        }
        let help = "give an address that leads to it with --server, or stop that process";
        Err(lost("what listens there is not that process", help))
    }

    /// A way to a service of this process.
    pub(crate) fn local(local: Local) -> Self {
        let channel = local.service.channel();
        Self { channel, token: Token(None), local: Some(local), url: String::new() }
    }

    async fn remote(config: &Config, url: &str) -> Result<Self, Failure> {
        let (url, channel) = channel(config, url).await?;
        Ok(Self { channel, token: Token::own()?, local: None, url })
    }

    /// The connection itself and what to show there, for clients that are not made here.
    #[cfg(feature = "mcp")]
    pub(crate) fn parts(&self) -> (Channel, Option<MetadataValue<Ascii>>) {
        (self.channel.clone(), self.token.0.clone())
    }

    /// The server, where it is elsewhere, and whether a token is shown to it.
    pub(crate) fn server(&self) -> Option<(&str, bool)> {
        self.local.is_none().then_some((self.url.as_str(), self.token.0.is_some()))
    }

    /// What names the same service on the command line, with a space before it: nothing where it is in this process.
    pub(crate) fn option(&self) -> String {
        if self.local.is_some() { String::new() } else { format!(" --server {}", self.url) }
    }

    fn wire(&self) -> Wire {
        InterceptedService::new(self.channel.clone(), self.token.clone())
    }

    /// Client of the runs.
    pub(crate) fn runs(&self) -> RunServiceClient<Wire> {
        RunServiceClient::new(self.wire()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Client of the calls.
    pub(crate) fn calls(&self) -> CallServiceClient<Wire> {
        CallServiceClient::new(self.wire()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Client of the Ledger.
    pub(crate) fn ledger(&self) -> LedgerServiceClient<Wire> {
        LedgerServiceClient::new(self.wire()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Client of the published plans.
    pub(crate) fn plans(&self) -> PlanServiceClient<Wire> {
        PlanServiceClient::new(self.wire()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Client of the definitions of tools.
    pub(crate) fn tools(&self) -> ToolServiceClient<Wire> {
        ToolServiceClient::new(self.wire()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// The keys whose proofs this connection can vouch for: that of the runtime in this process. A server's
    /// word for its own key would prove nothing.
    pub(crate) fn trust(&self) -> TrustPolicy {
        self.local.as_ref().map_or_else(TrustPolicy::default, |local| {
            TrustPolicy::of_key(local.service.public_key(), "this runtime")
        })
    }

    /// Lets a service of this process end in order.
    pub(crate) async fn close(self) {
        if let Some(local) = self.local {
            local.service.close().await;
        }
    }

    /// What a refusal of the service means for the terminal.
    pub(crate) fn refused(&self, status: &Status) -> Failure {
        let code = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        if code.is_empty() {
            return self.without_code(status);
        }
        let text = message(status);
        // The Ledger says in one line what to do next, behind several where it refuses several names.
        let parts = if text.contains('\n') { text.rsplit_once("; ") } else { text.split_once("; ") };
        let failure = match parts {
            Some((what, next)) if code.starts_with("E12") => {
                Failure::new(code, what, next.replace("?; ", "?\n"))
            }
            _ if code == NO_TOKEN => Failure::new(code, text, tokens::HOW_TO_SHOW),
            _ => Failure::new(code, text, ""),
        };
        if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) {
            return failure.exit(Exit::Unauthenticated);
        }
        failure
    }

    /// A status that no service of ours gives: the way to it is broken, or it is something else.
    fn without_code(&self, status: &Status) -> Failure {
        let what = if status.message().is_empty() { status.code().description() } else { status.message() };
        match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => {
                let message = format!("the server at {} refuses this client: {what}", self.url);
                let help = "ask whoever runs the server, or the proxy before it, for access";
                Failure::new("E1514", message, help).exit(Exit::Unauthenticated)
            }
            _ if self.local.is_some() => {
                Failure::new("E1504", format!("the service in this process does not answer: {what}"), "")
                    .exit(Exit::Failed)
            }
            Code::Unavailable => {
                let message = format!("the server at {} does not answer: {what}", self.url);
                let help = "check that it runs, that it is `orch serve` that listens there, and the network in between";
                Failure::new("E1504", message, help)
            }
            _ => {
                let message = format!("the server at {} does not answer as one: {what}", self.url);
                let help = "check that `orch serve` of this version listens there, and no other program; if the connection \
                            broke, what was asked may have been done: `orch runs list` there shows it";
                Failure::new("E1504", message, help)
            }
        }
    }
}

/// Whether to try again after a broken connection, when the wait for it is over.
pub(crate) async fn again(connection: &Connection, status: &Status, broken: &mut u32) -> bool {
    if connection.local.is_some() || !is_broken_connection(status) || *broken >= RECONNECTS_MAX {
        return false;
    }
    tokio::time::sleep(RECONNECT_DELAY * 2_u32.pow(*broken)).await;
    *broken += 1;
    true
}

/// Whether a call may succeed if it is made again: the way to the server broke, nothing was refused.
pub(crate) fn is_broken_connection(status: &Status) -> bool {
    let coded = status.get_details_error_info().is_some();
    let broken =
        matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled);
    broken && (!coded || status.code() == Code::Unavailable)
}

/// A server's whole URL, and the way to it.
async fn channel(config: &Config, url: &str) -> Result<(String, Channel), Failure> {
    let url = address(config, url)?;
    let endpoint = Endpoint::from_shared(url.clone())
        .map_err(|error| no_address(&url, &error.to_string()))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(SIGN_OF_LIFE)
        .keep_alive_timeout(SIGN_OF_LIFE);
    let channel = endpoint.connect().await.map_err(|error| {
        let help = "start one with `orch serve`, or leave out --server (and ORCHESTRA_SERVER) to work in this \
                    process";
        Failure::new("E1504", format!("no server answers at {url}: {}", cause(&error)), help)
    })?;
    Ok((url, proto::channel(channel)))
}

/// The URL of a server from what was typed: an address will do, and nothing means the configured one.
fn address(config: &Config, typed: &str) -> Result<String, Failure> {
    let url = match typed {
        "" => format!("http://{}", config.listen()),
        url if url.contains("://") => url.to_owned(),
        address => format!("http://{address}"),
    };
    if url.starts_with("https://") {
        return Err(no_address(&url, "this version speaks to servers without TLS only"));
    }
    if !url.starts_with("http://") {
        return Err(no_address(&url, "its scheme is not http"));
    }
    Ok(url)
}

fn no_address(url: &str, why: &str) -> Failure {
    let help = format!("write it like http://{DEFAULT_ADDRESS}");
    Failure::new("E1501", format!("`{url}` cannot be used as a server's address: {why}"), help)
}

/// The message without the name of the field in the request, which nobody typed.
fn message(status: &Status) -> String {
    let details = status.get_details_bad_request();
    match details.as_ref().map(|details| details.field_violations.as_slice()) {
        Some([violation])
            if status.message() == format!("{}: {}", violation.field, violation.description) =>
        {
            violation.description.clone()
        }
        _ => status.message().to_owned(),
    }
}

/// The innermost cause, which says what happened; the layers around it say that something did.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(text, _)| text).to_lowercase()
}
