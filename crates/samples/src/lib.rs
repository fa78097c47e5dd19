//! Sample subnets on real loopback sockets, for the demo, for new projects and for tests.
//!
//! Four servers in the shapes of real subnets: web search, crawl and posts over HTTPS (SN22), chat completions and
//! embeddings over HTTPS (SN28, SN64, SN96), detectors, forecasts and machine lists over HTTPS (SN4, SN32, SN34, SN50,
//! SN51), and an axon of the v10 protocol that checks signatures, nonces and body hashes as the real one does. Their
//! answers depend on nothing but the request, so a run can be repeated; nothing here is intelligent.
//!
//! This crate must never listen on anything but loopback, and never be needed by a server in production. Read
//! [`Options`], [`Samples`] and [`Faults`] first.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), samples::Error> {
//! let samples = samples::start(samples::Options::default()).await?;
//! assert!(samples.search_url.starts_with("https://127.0.0.1:"));
//! // Trust `samples.ca_pem`, allow loopback, send `samples.search_key`; dropping `samples` ends the servers.
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod authority;
mod axon;
mod chat;
mod detectors;
mod embed;
mod entries;
mod forecasts;
mod instance;
mod machines;
mod pages;
mod posts;
mod serve;
mod tools;
mod web;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use subnet::hotkey::Hotkey;

pub use entries::{AXON_GENERATE_ADAPTER, AXON_NETUID};
use serve::{Gate, Listener};

/// The key that the sample search accepts.
pub const SEARCH_KEY: &str = "cnry-0rch3stra-sample-search-key";
/// The key that the sample chat accepts, sent as `Bearer <key>`.
pub const CHAT_KEY: &str = "cnry-0rch3stra-sample-chat-key";
/// The key that the detectors, forecasts and machine lists accept, each in the header of the real one.
pub const TOOLS_KEY: &str = "cnry-0rch3stra-sample-tools-key";
/// Seed of the sample miner's hotkey. Public, so it must never hold anything.
const MINER_SEED: [u8; 32] = *b"orchestra sample miner, public!!";

/// How the samples behave.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Added to every answer, so that a demo shows what runs side by side.
    pub latency: Duration,
    /// What goes wrong; nothing by default.
    pub faults: Faults,
}

/// Faults by count: a value of 3 means every third request to a server, 0 means none. Where several fall on one
/// request, the first of this list counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// The connection is closed without an answer.
    pub drop_every: u32,
    /// Answered 503.
    pub error_every: u32,
    /// Answered 429 with `Retry-After: 1`.
    pub rate_limit_every: u32,
    /// Answered 200 with JSON of another shape.
    pub misfit_every: u32,
    /// Not answered for ten minutes.
    pub hang_every: u32,
}

/// Why the samples did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No socket on loopback.
    #[error("no sample server on loopback")]
    Socket(#[from] io::Error),
    /// The certificates could not be made.
    #[error("no certificate for the sample servers: {0}")]
    Certificate(String),
}

/// Running sample subnets; dropping it ends them.
#[derive(Debug)]
pub struct Samples {
    /// `https://127.0.0.1:<port>` of the search: `GET /web?query=&start=`, `GET /web/crawl?url=`,
    /// `GET /twitter?query=&count=`, `POST /desearch/ai/search/links/twitter`.
    pub search_url: String,
    /// `https://127.0.0.1:<port>` of the chat: `POST /v1/chat/completions`, `POST /v1/embeddings`.
    pub chat_url: String,
    /// `https://127.0.0.1:<port>` of the rest: `POST /detect-image`, `POST /text`, `POST /batch`, `GET /insights/..`,
    /// `GET /inventory`, `GET /executors`.
    pub tools_url: String,
    /// `http://127.0.0.1:<port>` of the axon: `POST /WebSearch`, `POST /StructuredGeneration`.
    pub axon_url: String,
    /// SS58 address of the axon's hotkey.
    pub axon_hotkey: String,
    /// Certificate of the authority that signed the three HTTPS servers, to be trusted as an extra root.
    pub ca_pem: String,
    /// The key of the search: [`SEARCH_KEY`].
    pub search_key: &'static str,
    /// The key of the chat: [`CHAT_KEY`].
    pub chat_key: &'static str,
    /// The key of the rest: [`TOOLS_KEY`].
    pub tools_key: &'static str,
    listeners: [Listener; 4],
}

/// Requests that arrived so far, refused and failed ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// At the search.
    pub search: u64,
    /// At the chat.
    pub chat: u64,
    /// At the detectors, forecasts and machine lists.
    pub tools: u64,
    /// At the axon.
    pub axon: u64,
}

impl Samples {
    /// How many requests each server has got.
    #[must_use]
    pub fn served(&self) -> Served {
        let [search, chat, tools, axon] = &self.listeners;
        Served { search: search.served(), chat: chat.served(), tools: tools.served(), axon: axon.served() }
    }
}

/// Starts all four servers on ports that the system chooses. Must be called within a tokio runtime.
///
/// # Errors
/// [`enum@Error`] where there is no socket or no randomness.
pub async fn start(options: Options) -> Result<Samples, Error> {
    let authority = authority::Authority::new()?;
    let gate = || Gate::new(options.latency, options.faults);
    let search = Listener::start(Some(authority.acceptor()), gate(), Arc::new(web::answer)).await?;
    let chat = Listener::start(Some(authority.acceptor()), gate(), Arc::new(chat::answer)).await?;
    let tools = Listener::start(Some(authority.acceptor()), gate(), Arc::new(tools::answer)).await?;
    let miner = axon::Miner::new(Hotkey::from_seed(&MINER_SEED));
    let axon_hotkey = miner.address().to_owned();
    let axon = Listener::start(None, gate(), Arc::new(move |request| miner.answer(request))).await?;
    Ok(Samples {
        search_url: format!("https://{}", search.address()),
        chat_url: format!("https://{}", chat.address()),
        tools_url: format!("https://{}", tools.address()),
        axon_url: format!("http://{}", axon.address()),
        axon_hotkey,
        ca_pem: authority.into_pem(),
        search_key: SEARCH_KEY,
        chat_key: CHAT_KEY,
        tools_key: TOOLS_KEY,
        listeners: [search, chat, tools, axon],
    })
}
