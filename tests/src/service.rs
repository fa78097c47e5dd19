//! A service with the generated clients on it, in process or over TCP.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use proof::verify::{TrustPolicy, Verdict, verify_with};
use proto::v1::call_service_client::CallServiceClient;
use proto::v1::compiler_service_client::CompilerServiceClient;
use proto::v1::ledger_service_client::LedgerServiceClient;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::run_service_client::RunServiceClient;
use proto::v1::tool_service_client::ToolServiceClient;
use proto::{Channel, v1};
use schema::operation::{CapabilityDescriptor, OperationDescriptor};
use secrecy::SecretString;
use serde_json::Value as Json;
use server::{Options, Service, StoreLocation};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::Endpoint;
use tonic_types::StatusExt as _;

/// Longer than anything in these tests takes on a busy machine.
pub const PATIENT: Duration = Duration::from_secs(120);

/// Between two attempts to open a store.
const RETRY: Duration = Duration::from_millis(20);

/// Options of a service that may call loopback addresses.
#[must_use]
pub fn development(store: StoreLocation) -> Options {
    let mut options = Options::new(store);
    options.egress.policy.allow_loopback = true;
    options
}

/// Options of a service with its state in `folder`, that may call loopback addresses.
#[must_use]
pub fn in_folder(folder: &Path) -> Options {
    development(StoreLocation::Folder(folder.to_owned()))
}

/// Sends the calls of SN22, SN28, SN64 and SN96 to the samples, with their keys.
///
/// # Panics
/// If a key cannot be stored.
pub fn use_samples(options: &mut Options, samples: &samples::Samples) {
    options.egress.policy.allow_loopback = true;
    options.egress.extra_roots_pem.push(samples.ca_pem.clone());
    let (search, chat) = (&samples.search_url, &samples.chat_url);
    for (subnet, origin, path, key) in [
        ("sn22", search, "", samples.search_key),
        ("sn28", chat, "/v1", samples.chat_key),
        ("sn64", chat, "", samples.chat_key),
        ("sn96", chat, "", samples.chat_key),
    ] {
        options.endpoints.insert(subnet.into(), format!("{origin}{path}"));
        options.secrets.insert(subnet, origin, &SecretString::from(key)).unwrap();
    }
}

/// A connection to a service.
#[derive(Clone, Debug)]
pub struct Clients {
    channel: Channel,
}

impl Clients {
    /// Connects to `address`.
    ///
    /// # Panics
    /// If nothing answers there.
    pub async fn connect(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self { channel: proto::channel(endpoint.connect().await.unwrap()) }
    }

    /// Over a channel that is there.
    #[must_use]
    pub const fn over(channel: Channel) -> Self {
        Self { channel }
    }

    /// The channel, for clients of services that are not ours.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Client of the runs.
    #[must_use]
    pub fn runs(&self) -> RunServiceClient<Channel> {
        RunServiceClient::new(self.channel()).max_decoding_message_size(64 << 20)
    }

    /// Client of the calls.
    #[must_use]
    pub fn calls(&self) -> CallServiceClient<Channel> {
        CallServiceClient::new(self.channel()).max_decoding_message_size(64 << 20)
    }

    /// Client of the Ledger.
    #[must_use]
    pub fn ledger(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.channel())
    }

    /// Client of the compiler.
    #[must_use]
    pub fn compiler(&self) -> CompilerServiceClient<Channel> {
        CompilerServiceClient::new(self.channel())
    }

    /// Client of the published plans.
    #[must_use]
    pub fn plans(&self) -> PlanServiceClient<Channel> {
        PlanServiceClient::new(self.channel()).max_decoding_message_size(64 << 20)
    }

    /// Client of the definitions of tools.
    #[must_use]
    pub fn tools(&self) -> ToolServiceClient<Channel> {
        ToolServiceClient::new(self.channel())
    }

    /// Publishes an operation.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn publish(&self, operation: &OperationDescriptor) {
        let entry_json = serde_json::to_vec(operation).unwrap().into();
        self.ledger().publish_operation(v1::PublishOperationRequest { entry_json }).await.unwrap();
    }

    /// Publishes a capability.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn publish_capability(&self, capability: &CapabilityDescriptor) {
        let entry_json = serde_json::to_vec(capability).unwrap().into();
        self.ledger().publish_capability(v1::PublishCapabilityRequest { entry_json }).await.unwrap();
    }

    /// A lock of these operations and capabilities.
    ///
    /// # Panics
    /// If the Ledger lacks one.
    pub async fn lock(&self, operations: &[&str], capabilities: &[&str]) -> v1::Lock {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let request =
            v1::ResolveLockRequest { operations: owned(operations), capabilities: owned(capabilities) };
        self.ledger().resolve_lock(request).await.unwrap().into_inner().lock.unwrap()
    }

    /// Starts a run.
    ///
    /// # Errors
    /// As the service refuses it.
    pub async fn start(&self, text: &str, inputs: &Json) -> Result<v1::Run, Status> {
        let created = self.runs().create_run(request(text, inputs)).await?;
        Ok(created.into_inner().run.unwrap())
    }

    /// Runs a plan to its end.
    ///
    /// # Panics
    /// If it does not begin, or does not end in time.
    pub async fn run(&self, text: &str, inputs: &Json) -> v1::Run {
        let run = self.start(text, inputs).await.unwrap();
        self.ended(&run.name).await
    }

    /// The run when it has ended.
    ///
    /// # Panics
    /// If it does not end in time.
    pub async fn ended(&self, name: &str) -> v1::Run {
        self.events(name, 0).await;
        self.get(name).await
    }

    /// The run as it stands.
    ///
    /// # Panics
    /// If there is none.
    pub async fn get(&self, name: &str) -> v1::Run {
        let request = v1::GetRunRequest { name: name.to_owned() };
        self.runs().get_run(request).await.unwrap().into_inner().run.unwrap()
    }

    /// The events after `after_seq` until the run has ended, heartbeats left out.
    ///
    /// # Panics
    /// If the stream breaks, or does not end in time.
    pub async fn events(&self, name: &str, after_seq: u64) -> Vec<v1::RunEvent> {
        let read = async {
            let request = v1::WatchRunRequest { name: name.to_owned(), after_seq };
            let mut stream = self.runs().watch_run(request).await?.into_inner();
            let mut events = Vec::new();
            while let Some(response) = stream.message().await? {
                events.extend(response.event.filter(|event| event.kind() != v1::RunEventKind::Heartbeat));
            }
            Ok::<_, Status>(events)
        };
        tokio::time::timeout(PATIENT, read).await.expect("the run ends").unwrap()
    }

    /// The proof bundle of a run.
    ///
    /// # Errors
    /// As the service refuses it.
    pub async fn proof(&self, name: &str) -> Result<Vec<u8>, Status> {
        let request = v1::ReadProofRequest { name: name.to_owned() };
        let mut chunks = self.runs().read_proof(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await? {
            bytes.extend_from_slice(&chunk.chunk);
        }
        Ok(bytes)
    }
}

/// A service in this process.
#[derive(Debug)]
pub struct Host {
    /// The service.
    pub service: Service,
    /// Its clients, without a socket between.
    pub clients: Clients,
}

impl Host {
    /// Opens a service. Where an earlier one of this test owned the store, it waits until that one has let go:
    /// tasks of its runs end a moment after it.
    ///
    /// # Panics
    /// If it does not open.
    pub async fn open(options: Options) -> Self {
        let opened = async {
            loop {
                match Service::open(options.clone()).await {
                    Err(error) if error.code() == "E1001" => tokio::time::sleep(RETRY).await,
                    opened => return opened.unwrap(),
                }
            }
        };
        let service = tokio::time::timeout(PATIENT, opened).await.expect("the store is let go");
        let clients = Clients::over(service.channel());
        Self { service, clients }
    }

    /// Trusts the key of this service and no other.
    #[must_use]
    pub fn trust(&self) -> TrustPolicy {
        TrustPolicy::of_key(self.service.public_key(), "the tested runtime")
    }

    /// Fetches the proof of `run` and verifies it as anyone can, offline.
    ///
    /// # Panics
    /// If it does not hold, or is not of this run.
    pub async fn verified(&self, run: &v1::Run) -> Verdict {
        let bundle = self.clients.proof(&run.name).await.unwrap();
        verified(&bundle, run, &self.trust())
    }
}

/// Verifies the proof of `run`.
///
/// # Panics
/// If it does not hold, or is not of this run.
pub fn verified(bundle: &[u8], run: &v1::Run, trust: &TrustPolicy) -> Verdict {
    let verdict = verify_with(bundle, trust, ::subnet::hotkey::verify);
    assert!(verdict.is_attributed(), "{:?}", verdict.failures);
    let summary = verdict.run.as_ref().unwrap();
    assert_eq!(summary.proof_id.to_hex(), run.proof_id);
    assert_eq!(format!("runs/{}", summary.run_id), run.name);
    assert_eq!(summary.plan_hash.to_hex(), run.plan_hash);
    verdict
}

/// Waits until the last service of this test has let go of the store in `folder`.
///
/// # Panics
/// If it does not, or the store cannot be opened.
pub async fn released(folder: &Path) {
    let opened = async {
        loop {
            match store::Sqlite::open(&store::Options::new(folder)) {
                Err(error) if error.code() == "E1001" => tokio::time::sleep(RETRY).await,
                opened => return drop(opened.unwrap()),
            }
        }
    };
    tokio::time::timeout(PATIENT, opened).await.expect("the store is let go");
}

/// A service on a TCP port of loopback.
#[derive(Debug)]
pub struct Served {
    /// The service.
    pub host: Host,
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Served {
    /// Opens a service and serves it.
    ///
    /// # Panics
    /// If it does not open, or there is no port.
    pub async fn start(options: Options) -> Self {
        Self::beside(options, axum::Router::new()).await
    }

    /// The same, with what the port answers beside gRPC.
    ///
    /// # Panics
    /// If it does not open, or there is no port.
    pub async fn beside(options: Options, web: axum::Router) -> Self {
        let host = Host::open(options).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let service = host.service.clone();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            service.serve(listener, web, stopped).await.unwrap();
        });
        Self { host, address, stop: Some(stop), task }
    }

    /// Tells the server to stop and waits until it has.
    ///
    /// # Panics
    /// If it failed, or does not stop in time.
    pub async fn stop(mut self) -> Host {
        drop(self.stop.take());
        tokio::time::timeout(PATIENT, &mut self.task).await.expect("the server stops").unwrap();
        self.host
    }
}

/// A request to run the only plan of `text`.
#[must_use]
pub fn request(text: &str, inputs: &Json) -> v1::CreateRunRequest {
    v1::CreateRunRequest {
        source: Some(source(text)),
        inputs_json: inputs.to_string().into_bytes().into(),
        ..v1::CreateRunRequest::default()
    }
}

/// A plan file without a lock.
#[must_use]
pub fn source(text: &str) -> v1::PlanSource {
    v1::PlanSource { file_name: "plan.orch".into(), text: text.into(), lock: None }
}

/// The stable code of a refusal.
///
/// # Panics
/// If it has none.
#[must_use]
pub fn code_of(status: &Status) -> String {
    let info = status.get_details_error_info();
    let info = info.unwrap_or_else(|| panic!("{status:?} has no ErrorInfo"));
    assert_eq!(info.domain, server::DOMAIN);
    info.reason
}

/// The result of a run that succeeded.
///
/// # Panics
/// If it did not.
pub fn result_of(run: &v1::Run) -> Json {
    assert_eq!(run.state(), v1::RunState::Succeeded, "{:?}", run.error);
    serde_json::from_slice(&run.result_json).unwrap()
}

/// Kind, code and JSON path of the failure of a run.
///
/// # Panics
/// If it did not fail.
pub fn failure_of(run: &v1::Run) -> (String, String, String) {
    assert_eq!(run.state(), v1::RunState::Failed);
    let error = run.error.clone().unwrap();
    (error.call_kind, error.code, error.path)
}

/// What a run cost, in units of its currency.
#[must_use]
pub fn total_of(run: &v1::Run) -> u64 {
    run.total.as_ref().map_or(0, |total| total.units)
}

/// Calls and attempts of a run, over all rows of its cost table.
#[must_use]
pub fn counts_of(run: &v1::Run) -> (u32, u32) {
    run.costs.iter().fold((0, 0), |(calls, attempts), row| (calls + row.calls, attempts + row.attempts))
}
