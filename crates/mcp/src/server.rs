//! The protocol: what the server says of itself, and who answers which request.

use std::sync::Arc;
use std::time::Duration;

use proto::Channel;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, ErrorCode,
    ErrorData, Extensions, GetPromptRequestParams, GetPromptResponse, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, SubscriptionFilter,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};

use crate::fault::{ARGUMENTS, Fault};
use crate::request::Request;
use crate::service::{Caller, Service};
use crate::spend::Purse;
use crate::{ErrorPage, Options, prompt, resources, tools};

/// How often the service is asked whether the published plans have changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const INSTRUCTIONS: &str = "Orchestra calls Bittensor subnets and runs plans over them, with a limit on cost and a proof for \
each. One step: search_subnets, get_operation, then call. Several steps: read orch://docs/language, write a plan, \
check_plan until `ok`, explain_plan, then run_plan. Tools that spend need `cost_max`, such as \"0.05 USD\"; nothing is \
sent that may cost more. An error has a code, what to do next, and what was charged although it failed: mend by that \
instead of repeating. Large results are named, not given: get_run reads parts of them.";

/// A server for one client or many.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    channel: Channel,
    /// Who asks where no HTTP request says so.
    owner: Caller,
    purse: Option<Arc<Purse>>,
    error_page: ErrorPage,
}

impl Server {
    pub(crate) fn new(channel: Channel, options: Options) -> Self {
        let purse = options.spend_max.map(|max| Arc::new(Purse::new(max, options.unpriced_min)));
        let error_page = options.error_page;
        Self { channel, owner: Caller::new(options.authorization), purse, error_page }
    }

    /// The service on behalf of whoever made the request that has these extensions.
    fn service(&self, extensions: &Extensions) -> Service {
        let caller = extensions.get::<http::request::Parts>().map_or_else(|| self.owner.clone(), Caller::of);
        Service::new(self.channel.clone(), caller)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_prompts()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("orchestra", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let all = tools::all(&self.service(&context.extensions)).await.map_err(|fault| fault.protocol())?;
        Ok(ListToolsResult::with_all_items(all))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let request = Request::new(self.service(&context.extensions), self.purse.as_ref(), &context);
        match tools::run(request, &params.name, params.arguments.unwrap_or_default()).await {
            Some(Ok(answer)) => Ok(CallToolResult::from(answer).into()),
            Some(Err(fault)) => Ok(fault.result().into()),
            None => {
                let message = format!("there is no tool `{}`", params.name);
                Err(Fault::new(ARGUMENTS, message, "tools/list says which there are").protocol())
            }
        }
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let all =
            resources::list(&self.service(&context.extensions)).await.map_err(|fault| fault.protocol())?;
        Ok(ListResourcesResult::with_all_items(all))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let read = resources::read(&self.service(&context.extensions), &params.uri, self.error_page).await;
        read.map(Into::into).map_err(|fault| fault.protocol())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompt::list()))
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let filled = prompt::get(&params.name, params.arguments.as_ref());
        filled.map(Into::into).map_err(|fault| fault.protocol())
    }

    /// What has the method of a request and cannot be read as one comes here, too.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let help = match request.method.as_str() {
            "tools/call" => "`params` has the `name` of the tool, and as `arguments` one JSON object",
            "resources/read" => "`params` has the `uri` of the resource",
            "prompts/get" => "`params` has the `name` of the prompt, and as `arguments` one object of texts",
            _ => return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None)),
        };
        let message = format!("the params of {} are not what it takes", request.method);
        Err(Fault::new(ARGUMENTS, message, help).with("path", "params").protocol())
    }

    /// Up to protocol version 2025-11-25 changes are told unasked for as long as the session lasts.
    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let (service, peer) = (self.service(&context.extensions), context.peer);
        tokio::spawn(async move {
            let mut known = Generation::of(&service).await;
            while !peer.is_transport_closed() {
                if known.changed(&service).await
                    && (peer.notify_tool_list_changed().await.is_err()
                        || peer.notify_resource_list_changed().await.is_err())
                {
                    return;
                }
            }
        });
    }

    fn accepted_subscription_filter(&self, _: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut accepted = SubscriptionFilter::new();
        accepted.tools_list_changed = Some(true);
        accepted.resources_list_changed = Some(true);
        Some(accepted)
    }

    /// From 2026-07-28 on a client asks to be told.
    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let service = self.service(&context.request_context().extensions);
        let sink = context.sink();
        let mut known = Generation::of(&service).await;
        let tell = async {
            loop {
                if !known.changed(&service).await {
                    continue;
                }
                // Of what was not asked for the sink refuses to tell; whoever has gone is noticed below.
                let _ = sink.notify_tool_list_changed().await;
                let _ = sink.notify_resource_list_changed().await;
            }
        };
        tokio::select! {
            () = tell => {}
            () = context.cancelled() => {}
        }
        Ok(())
    }
}

/// The state of the published plans that a client knows.
struct Generation(Option<u64>);

impl Generation {
    async fn of(service: &Service) -> Self {
        Self(service.generation().await.ok())
    }

    /// Looks again after a while; whether the plans have changed since.
    async fn changed(&mut self, service: &Service) -> bool {
        tokio::time::sleep(LOOK_EVERY).await;
        match service.generation().await {
            Ok(now) => self.0.replace(now).is_some_and(|known| known != now),
            // A service that does not answer right now will again, or the session ends.
            Err(_) => false,
        }
    }
}
