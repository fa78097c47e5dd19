//! `ToolService`: operations, capabilities and published plans as tools of language models.

use std::sync::Arc;

use ledger_service::{Callability, Snapshot};
use plan_compiler::{CAPABILITY_PREFIX, Signature};
use proto::v1;
use proto::v1::tool_service_server::ToolService;
use runtime::{DEFAULT_TENANT, Handle};
use schema::tool::{Definition, Effects, Form, Tool};
use tonic::{Request, Response, Status};

use crate::compiler::tool_params;
use crate::ledger;
use crate::open::Service;
use crate::plans;
use crate::published::{NAME_PREFIX, Published};
use crate::status::status;

/// The service.
#[derive(Debug)]
pub(crate) struct Tools {
    ledger: ledger_service::Handle,
    published: Published,
    runtime: Handle,
}

impl Tools {
    pub(crate) fn new(service: &Service) -> Self {
        Self {
            ledger: service.ledger().clone(),
            published: service.published().clone(),
            runtime: service.runtime().clone(),
        }
    }

    async fn tool(&self, target: &str) -> Result<Tool, Status> {
        if target.starts_with(NAME_PREFIX) {
            return self.plan(target).await;
        }
        let snapshot = self.ledger.snapshot();
        match target.strip_prefix(CAPABILITY_PREFIX) {
            Some(name) => capability(&snapshot, name),
            None => operation(&snapshot, target),
        }
    }

    /// A published plan.
    async fn plan(&self, target: &str) -> Result<Tool, Status> {
        let name = plans::name("target", target)?;
        let kept = self.published.get(DEFAULT_TENANT, name).await?;
        let loaded = self.published.loaded(DEFAULT_TENANT, name, &self.runtime).await?;
        let doc = kept.summary.map(|summary| summary.doc).unwrap_or_default();
        let plan = Arc::clone(&loaded.prepared.plan);
        let effects = loaded
            .prepared
            .operations()
            .map(|operation| Effects::of(operation))
            .fold(Effects::NONE, Effects::and);
        Ok(Tool {
            target: target.to_owned(),
            description: if doc.is_empty() { format!("Runs the plan `{name}`.") } else { doc },
            params: tool_params(&plan.body.params),
            output: plan.body.output.clone(),
            types: plan.body.types.clone(),
            effects,
        })
    }
}

#[tonic::async_trait]
impl ToolService for Tools {
    async fn get_tool_schema(
        &self,
        request: Request<v1::GetToolSchemaRequest>,
    ) -> Result<Response<v1::GetToolSchemaResponse>, Status> {
        let request = request.into_inner();
        let form = match request.format() {
            v1::ToolFormat::Unspecified | v1::ToolFormat::JsonSchema => Form::JsonSchema,
            v1::ToolFormat::Openai => Form::OpenAi,
            v1::ToolFormat::Anthropic => Form::Anthropic,
            v1::ToolFormat::Mcp => Form::Mcp,
        };
        let tool = self.tool(&request.target).await?;
        let Definition { json, unsaid } = tool.definition(form);
        Ok(Response::new(v1::GetToolSchemaResponse {
            tool_name: tool.name(),
            definition_json: json.to_string().into(),
            unsaid,
        }))
    }
}

fn operation(snapshot: &Snapshot, id: &str) -> Result<Tool, Status> {
    let published = snapshot.operation(id).map_err(ledger::failed)?;
    Tool::of(&published.descriptor)
        .map_err(|error| status("E1210", format!("`{id}` has a schema this version cannot type: {error}")))
}

/// A capability. What a call changes is the most that any operation which can be called does.
fn capability(snapshot: &Snapshot, name: &str) -> Result<Tool, Status> {
    let published = snapshot.capability(name).map_err(ledger::failed)?;
    let capability = &published.descriptor;
    let signature =
        Signature::of_capability(capability).map_err(|error| status(error.code(), error.to_string()))?;
    let operations =
        capability.adapters.iter().filter_map(|adapter| snapshot.operation(&adapter.operation).ok());
    let callable = operations.filter(|operation| Callability::of(&operation.descriptor) == Callability::Yes);
    let effects = callable.map(|operation| Effects::of(&operation.descriptor));
    Ok(Tool {
        target: format!("{CAPABILITY_PREFIX}{name}"),
        description: capability.summary.clone(),
        params: tool_params(&signature.params),
        output: signature.output,
        types: signature.types,
        effects: effects.fold(Effects { open_world: true, ..Effects::NONE }, Effects::and),
    })
}
