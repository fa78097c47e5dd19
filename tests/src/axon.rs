//! The real axon of `bittensor` 10.5.0 (`tests/peers/axon_server.py`) as a child process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use schema::operation::{
    Access, Auth, AxonBinding, OperationDescriptor, Repeat, SideEffects, Source, Transport, Version,
};
use schema::price::PriceRule;
use serde_json::Value as Json;

use crate::{python, root};

/// The netuid under which tests publish the axon's operations; Finney does not have it.
pub const NETUID: u16 = 65_010;

/// A running peer.
#[derive(Debug)]
pub struct Axon {
    /// Holds the pipe whose end stops the peer, also when this process is killed.
    _child: Child,
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
    /// SS58 address of its hotkey.
    pub hotkey: String,
}

impl Axon {
    /// Starts a peer; it takes some ten seconds.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        let mut child = Command::new(python("ORCH_PEER_V10_PYTHON", "venv-v10"))
            .arg(root().join("tests/peers/axon_server.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(["--until-stdin-closes", "1"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the peer starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("READY ").map(str::to_owned));
        let ready: Json = serde_json::from_str(&ready.expect("the peer got ready")).unwrap();
        Self {
            _child: child,
            origin: format!("http://127.0.0.1:{}", ready["port"]),
            hotkey: ready["hotkey"].as_str().unwrap().into(),
        }
    }

    /// The Ledger entry `sn65010.<name>` of a synapse whose parameters and answer have these JSON Schemas;
    /// `signed` are its hash fields.
    #[must_use]
    pub fn operation(
        &self,
        name: &str,
        synapse: &str,
        input: Json,
        output: Json,
        signed: &[&str],
    ) -> OperationDescriptor {
        OperationDescriptor {
            id: format!("sn{NETUID}.{name}"),
            netuid: NETUID,
            version: Version::FIRST,
            summary: "A real axon.".into(),
            tags: Vec::new(),
            transport: Transport::Axon(AxonBinding {
                synapse: synapse.into(),
                hotkey: self.hotkey.clone(),
                base_url: self.origin.clone(),
                hash_fields: signed.iter().map(|&name| name.into()).collect(),
            }),
            access: Access::RegisteredHotkey,
            auth: Auth::Hotkey,
            side_effects: SideEffects::None,
            repeat: Repeat { safe: true, costs_again: false },
            input,
            output,
            output_complete: true,
            price: PriceRule::Free,
            observed_cost: None,
            latency: None,
            delivery: None,
            example: None,
            sources: vec![Source {
                kind: "test".into(),
                reference: "tests/peers".into(),
                commit: None,
                path: None,
            }],
            verified: false,
        }
    }
}
