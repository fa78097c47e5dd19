//! Agents: the official SDKs of the Model Context Protocol, and LangChain on top of one, on the real binary.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test helpers")]

mod http;
mod script;

use std::fs;
use std::process::Command;
use std::sync::Arc;

use e2e::process::{Orch, orch};
use e2e::root;
use e2e::service::{Clients, PATIENT, total_of};
use e2e::subnet::{micro_usd, operation};
use proto::v1;
use proto::v1::plan_service_client::PlanServiceClient;
use schema::operation::OperationDescriptor;
use script::{Script, client, first_major, node, second_major};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;

const PROJECT: &str = "[development]\nsamples = true\nsample_latency_ms = 1\n";
/// What the silent operation costs, in micro-dollars.
const SILENT_PRICE: u64 = 10_000;

/// A subnet that listens and never answers.
struct Silent {
    operation: OperationDescriptor,
    arrived: Arc<Notify>,
    left: Arc<Notify>,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (arrived, left) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell_arrived, tell_left) = (Arc::clone(&arrived), Arc::clone(&left));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.read_u8().await.unwrap();
                tell_arrived.notify_one();
                // Until the caller closes the connection.
                while stream.read_u8().await.is_ok() {}
                tell_left.notify_one();
            }
        });
        Self { operation: operation("silent", &url, micro_usd(SILENT_PRICE), false), arrived, left }
    }
}

/// A server with sample subnets and a silent one.
struct Stage {
    folder: TempDir,
    server: Orch,
    clients: Clients,
    silent: Silent,
}

impl Stage {
    async fn set() -> Self {
        let folder = e2e::folder();
        fs::write(folder.path().join("orchestra.toml"), PROJECT).unwrap();
        let server = Orch::serve(folder.path());
        let clients = Clients::connect(server.address).await;
        let silent = Silent::start().await;
        clients.publish(&silent.operation).await;
        Self { folder, server, clients, silent }
    }

    fn http(&self, mut command: Command) -> Command {
        command.args(["http", &format!("http://{}/mcp", self.server.address)]);
        command
    }

    fn stdio(&self, mut command: Command) -> Command {
        command.arg("stdio").arg(orch()).args(["mcp", "--server", &self.server.address.to_string()]);
        command
    }

    /// Runs a script to its end and does what it asks for.
    async fn play(&self, command: Command, at_least: usize) {
        let mut script = Script::start(command, self.folder.path());
        let mut checked = Vec::new();
        let played = async {
            while let Some(what) = script.asks(&mut checked).await {
                match what.as_str() {
                    "publish" => self.publish().await,
                    "arrive" => self.silent.arrived.notified().await,
                    "leave" => self.left().await,
                    "give up" => {
                        self.silent.arrived.notified().await;
                        self.silent.left.notified().await;
                    }
                    what => panic!("nobody knows how to {what}"),
                }
                script.done();
            }
        };
        let ended = tokio::time::timeout(2 * PATIENT, played).await;
        assert!(ended.is_ok(), "it does not end: {}", checked.join("\n"));
        script.held(&checked, at_least);
    }

    async fn publish(&self) {
        let text = fs::read_to_string(client("links.orch")).unwrap();
        let source = v1::PlanSource { file_name: "links.orch".into(), text, lock: None };
        let request = v1::PublishPlanRequest { source: Some(source), plan: String::new() };
        let mut plans = PlanServiceClient::new(self.clients.channel());
        assert!(plans.publish_plan(request).await.unwrap().into_inner().changed);
    }

    /// The subnet has seen the caller leave; the call has ended, and its cost is recorded.
    async fn left(&self) {
        self.silent.left.notified().await;
        let runs =
            self.clients.runs().list_runs(v1::ListRunsRequest::default()).await.unwrap().into_inner().runs;
        let run = self.clients.ended(&runs.first().unwrap().name).await;
        assert_eq!(run.state(), v1::RunState::Cancelled);
        // What was asked may be charged, and nobody knows whether it was.
        assert_eq!((total_of(&run), run.total_certain), (SILENT_PRICE, false));
        assert!(!run.proof_id.is_empty());
    }
}

fn checks(mut command: Command, arguments: &[&str]) -> Command {
    command.arg(client("mcp_checks.py")).args(arguments);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_major_of_the_python_sdk_over_http() {
    let stage = Stage::set().await;
    stage.play(stage.http(checks(second_major(), &[])), 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_major_with_an_earlier_protocol_over_http() {
    let stage = Stage::set().await;
    stage.play(stage.http(checks(second_major(), &["--legacy"])), 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_major_of_the_python_sdk_over_stdio() {
    let stage = Stage::set().await;
    stage.play(stage.stdio(checks(second_major(), &[])), 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_major_of_the_python_sdk_over_http() {
    let stage = Stage::set().await;
    stage.play(stage.http(checks(first_major(), &[])), 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_major_of_the_python_sdk_over_stdio() {
    let stage = Stage::set().await;
    stage.play(stage.stdio(checks(first_major(), &[])), 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_over_http() {
    let stage = Stage::set().await;
    let mut node = node();
    node.arg(client("mcp_checks.mjs"));
    stage.play(stage.http(node), 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_sdk_over_stdio() {
    let stage = Stage::set().await;
    let mut node = node();
    node.arg(client("mcp_checks.mjs"));
    stage.play(stage.stdio(node), 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn langchain_over_both() {
    let stage = Stage::set().await;
    let langchain = || {
        let mut command = first_major();
        command.arg(client("mcp_langchain.py"));
        command
    };
    stage.play(stage.http(langchain()), 4).await;
    stage.play(stage.stdio(langchain()), 4).await;
}

#[test]
fn the_snippet_of_the_documentation_is_what_runs() {
    let script = fs::read_to_string(client("mcp_langchain.py")).unwrap();
    let (_, snippet) = script.split_once("# begin\n").unwrap();
    let (snippet, _) = snippet.split_once("\n\n# end").unwrap();
    let page = fs::read_to_string(root().join("docs/agents.md")).unwrap();
    assert!(page.contains(snippet.trim_end()), "docs/agents.md must have:\n{snippet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_project_spends_no_more_than_it_may() {
    for python in [first_major(), second_major()] {
        let folder = e2e::folder();
        fs::write(folder.path().join("orchestra.toml"), PROJECT).unwrap();
        let mut command = python;
        command.arg(client("mcp_spend.py")).arg("stdio").arg(orch()).args([
            "mcp",
            "--spend-max",
            "0.008 USD",
        ]);
        let mut script = Script::start(command, folder.path());
        let mut checked = Vec::new();
        let ended = tokio::time::timeout(PATIENT, script.asks(&mut checked)).await;
        assert_eq!(ended.ok(), Some(None), "{}", checked.join("\n"));
        script.held(&checked, 10);
    }
}
