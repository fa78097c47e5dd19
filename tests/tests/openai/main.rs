//! The OpenAI endpoint of a running `orch serve`, used by OpenAI's own packages for Python and Node and by the snippets of
//! `docs/openai.md`. The subnets are stand-ins (`tests/peers/openai_server.py`) and the samples.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers")]

mod disconnects;
mod entries;
mod snippets;
mod tokens;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use e2e::peer::Peer;
use e2e::process::Orch;
use e2e::service::{Clients, source};
use e2e::{python, root};
use proto::v1;
use proto::v1::plan_service_client::PlanServiceClient;

/// What the stand-in accepts, sent as `Bearer <key>`.
const KEY: &str = "cnry-0rch3stra-stand-in-openai-key";

/// A running server with two subnets that sell chat, and what is published there.
struct Server {
    orch: Orch,
    peer: Peer,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts it; `settings` are further lines of `[server]`.
    async fn start(settings: &str) -> Self {
        let peer = Peer::start("ORCH_PEER_V11_PYTHON", "venv-v11", "openai_server", &[]);
        let folder = e2e::folder();
        let config = format!("[server]\n{settings}\n[development]\nsamples = true\nallow_loopback = true\n");
        fs::write(folder.path().join("orchestra.toml"), config).unwrap();
        let private = folder.path().join(".orchestra");
        fs::create_dir(&private).unwrap();
        let secret =
            |subnet: &str| format!("[secrets.{subnet}]\norigin = \"{}\"\nvalue = \"{KEY}\"\n", peer.origin);
        let secrets = private.join("secrets.toml");
        fs::write(&secrets, secret("sn65031") + &secret("sn65032")).unwrap();
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
        let orch = Orch::serve(folder.path());
        let clients = Clients::connect(orch.address).await;
        for operation in entries::operations(&peer.origin) {
            clients.publish(&operation).await;
        }
        clients.publish_capability(&entries::capability()).await;
        for text in [entries::TEXT_PLAN, entries::OTHER_PLAN] {
            let request = v1::PublishPlanRequest { source: Some(source(text)), plan: String::new() };
            PlanServiceClient::new(clients.channel()).publish_plan(request).await.unwrap();
        }
        Self { orch, peer, _folder: folder }
    }

    /// Runs `command` with the address of the endpoint and the stand-in's, and counts its lines `ok ..`.
    async fn checked(&self, mut command: Command) -> usize {
        command.arg(format!("http://{}/v1", self.orch.address)).arg(&self.peer.origin);
        let output = output(command).await;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        said.lines().filter(|line| line.starts_with("ok ")).count()
    }
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn script(program: impl Into<PathBuf>, name: &str) -> Command {
    let mut command = Command::new(program.into());
    command.arg(root().join("tests/clients").join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_package_is_served() {
    let server = Server::start("").await;
    let command = script(python("ORCH_CLIENTS_PYTHON", "venv-clients"), "openai_checks.py");
    assert!(server.checked(command).await >= 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_package_is_served() {
    let server = Server::start("openai_cost_max = \"0.05USD\"").await;
    assert!(server.checked(script("node", "openai_checks.mjs")).await >= 12);
}
