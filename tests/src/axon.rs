//! The real axon of `bittensor` 10.5.0 (`tests/peers/axon_server.py`) as a child process.

use schema::operation::{
    Access, Auth, AxonBinding, OperationDescriptor, Repeat, SideEffects, Source, Transport, Version,
};
use schema::price::PriceRule;
use serde_json::Value as Json;

use crate::peer::Peer;

/// The netuid under which tests publish the axon's operations; Finney does not have it.
pub const NETUID: u16 = 65_010;

/// A running axon.
#[derive(Debug)]
pub struct Axon {
    _peer: Peer,
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
    /// SS58 address of its hotkey.
    pub hotkey: String,
}

impl Axon {
    /// Starts an axon; it takes some ten seconds.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        let args = [&["--until-stdin-closes", "1"], args].concat();
        let peer = Peer::start("ORCH_PEER_V10_PYTHON", "venv-v10", "axon_server", &args);
        let (origin, hotkey) = (peer.origin.clone(), peer.said("hotkey").to_owned());
        Self { _peer: peer, origin, hotkey }
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
            refusals: Default::default(),
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
