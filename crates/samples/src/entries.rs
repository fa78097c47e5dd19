//! What a Ledger says of the sample axon: the other two samples have the shapes, and so the entries, of real subnets.

use schema::operation::{
    Access, Auth, AxonBinding, OperationDescriptor, Repeat, SideEffects, Source, Transport, Version,
};
use schema::price::PriceRule;
use serde_json::{Value, json};

use crate::Samples;

/// A netuid that Finney does not have.
pub const AXON_NETUID: u16 = 65_000;

/// The adapter by which the sample axon fulfils the `generate` capability.
pub const AXON_GENERATE_ADAPTER: &str = "\
adapter sn65000.structured_generation as generate {
  request = {
    prompt,
    response_schema: match wanted_schema() {
      null => \"\",
      schema => schema.to_json(),
    },
  }
  response = r => r.answer
}
";

impl Samples {
    /// The entries of the axon's operations, `sn65000.web_search` and `sn65000.structured_generation`.
    #[must_use]
    pub fn axon_operations(&self) -> [OperationDescriptor; 2] {
        let text = json!({"type": "string"});
        let hit = json!({
            "type": "object", "required": ["title", "snippet", "link"],
            "properties": {"title": text, "snippet": text, "link": {"type": "string", "format": "uri"}},
        });
        let results = json!({"type": "array", "maxItems": 10, "items": hit});
        [
            self.entry(
                ("web_search", "WebSearch", "Pages of the sample web."),
                json!({
                    "query": {"type": "string", "minLength": 1, "maxLength": 600},
                    "count": {"type": "integer", "minimum": 1, "maximum": 10, "default": 10},
                }),
                &["query", "count"],
                ("results", results),
            ),
            self.entry(
                (
                    "structured_generation",
                    "StructuredGeneration",
                    "JSON text that fits a JSON Schema, or plain text.",
                ),
                json!({"prompt": text, "response_schema": {"type": "string", "default": ""}}),
                &["prompt", "response_schema"],
                ("answer", text),
            ),
        ]
    }

    fn entry(
        &self,
        (name, synapse, summary): (&str, &str, &str),
        parameters: Value,
        signed: &[&str],
        (answer, schema): (&str, Value),
    ) -> OperationDescriptor {
        OperationDescriptor {
            id: format!("sn{AXON_NETUID}.{name}"),
            netuid: AXON_NETUID,
            version: Version::FIRST,
            summary: summary.into(),
            tags: vec!["sample".into()],
            transport: Transport::Axon(AxonBinding {
                synapse: synapse.into(),
                hotkey: self.axon_hotkey.clone(),
                base_url: self.axon_url.clone(),
                hash_fields: signed.iter().map(|&field| field.into()).collect(),
            }),
            access: Access::Open,
            auth: Auth::Hotkey,
            side_effects: SideEffects::None,
            repeat: Repeat { safe: true, costs_again: false },
            // The first signed field of both is the one without a default.
            input: json!({
                "type": "object", "required": [signed.first()], "properties": parameters, "additionalProperties": false,
            }),
            output: json!({"type": "object", "required": [answer], "properties": {answer: schema}}),
            output_complete: true,
            price: PriceRule::Free,
            observed_cost: None,
            refusals: Default::default(),
            latency: None,
            delivery: None,
            example: None,
            sources: vec![Source {
                kind: "sample".into(),
                reference: "crates/samples".into(),
                commit: None,
                path: None,
            }],
            verified: false,
        }
    }
}
