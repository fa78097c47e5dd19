//! `LedgerService`: the registry over gRPC.

use std::sync::Arc;

use ledger_service::{
    Callability, Error, OperationFilter, PageRequest, Published, SearchRequest, Snapshot, SubnetDescriptor,
    SubnetFilter,
};
use proto::v1;
use proto::v1::ledger_service_server::LedgerService;
use schema::amount::Amount;
use schema::operation::{Access, CapabilityDescriptor, OperationDescriptor};
use schema::price::PriceRule;
use schema::route::{Route, RouteTable};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use crate::convert;
use crate::open::Service;
use crate::status::{bad_field, not_found, status};

/// The service.
#[derive(Debug)]
pub(crate) struct Ledger {
    ledger: ledger_service::Handle,
    routes: watch::Receiver<RouteTable>,
}

impl Ledger {
    pub(crate) fn new(service: &Service) -> Self {
        Self { ledger: service.ledger().clone(), routes: service.statistics().routes() }
    }
}

#[tonic::async_trait]
impl LedgerService for Ledger {
    async fn get_operation(
        &self,
        request: Request<v1::GetOperationRequest>,
    ) -> Result<Response<v1::GetOperationResponse>, Status> {
        let request = request.into_inner();
        let snapshot = self.ledger.snapshot();
        let published = snapshot.operation_at(&request.id, &request.version).map_err(failed)?;
        let operation = operation(&snapshot, published, true);
        let lately = {
            let known = self.routes.borrow();
            let charged = known.charged.get(&operation.id).copied();
            known.routes.get(&operation.id).map(|route| lately(route, charged))
        };
        Ok(Response::new(v1::GetOperationResponse { operation: Some(operation), lately }))
    }

    async fn list_operations(
        &self,
        request: Request<v1::ListOperationsRequest>,
    ) -> Result<Response<v1::ListOperationsResponse>, Status> {
        let request = request.into_inner();
        let netuid = request
            .netuid
            .map(|netuid| {
                u16::try_from(netuid).map_err(|_| bad_field("E1510", "netuid", "a netuid is at most 65535"))
            })
            .transpose()?;
        let filter = OperationFilter { netuid, tag: some(request.tag), capability: some(request.capability) };
        let snapshot = self.ledger.snapshot();
        let page = page(request.page_size, request.page_token);
        let page = snapshot.list_operations(&filter, &page).map_err(failed)?;
        Ok(Response::new(v1::ListOperationsResponse {
            operations: page.rows.iter().map(|row| operation(&snapshot, row, false)).collect(),
            next_page_token: page.next,
        }))
    }

    async fn search_operations(
        &self,
        request: Request<v1::SearchOperationsRequest>,
    ) -> Result<Response<v1::SearchOperationsResponse>, Status> {
        let request = request.into_inner();
        let search = SearchRequest {
            text: request.query,
            tags: request.tags.into_iter().collect(),
            capability: some(request.capability),
            limit: request.limit as usize,
        };
        let hits = self.ledger.search(&search).await.map_err(failed)?;
        let snapshot = self.ledger.snapshot();
        let hit = |hit: &ledger_service::SearchHit| v1::SearchHit {
            operation: Some(operation(&snapshot, &hit.operation, false)),
            reason: hit.reason.clone(),
        };
        Ok(Response::new(v1::SearchOperationsResponse { hits: hits.iter().map(hit).collect() }))
    }

    async fn publish_operation(
        &self,
        request: Request<v1::PublishOperationRequest>,
    ) -> Result<Response<v1::PublishOperationResponse>, Status> {
        let json = request.into_inner().entry_json;
        let (published, changed) = self.ledger.publish_operation_json(&json).await.map_err(failed)?;
        let operation = operation(&self.ledger.snapshot(), &published, true);
        Ok(Response::new(v1::PublishOperationResponse { operation: Some(operation), changed }))
    }

    async fn publish_capability(
        &self,
        request: Request<v1::PublishCapabilityRequest>,
    ) -> Result<Response<v1::PublishCapabilityResponse>, Status> {
        let json = request.into_inner().entry_json;
        let (published, changed) = self.ledger.publish_capability_json(&json).await.map_err(failed)?;
        let capability = capability(&published);
        Ok(Response::new(v1::PublishCapabilityResponse { capability: Some(capability), changed }))
    }

    async fn list_subnets(
        &self,
        request: Request<v1::ListSubnetsRequest>,
    ) -> Result<Response<v1::ListSubnetsResponse>, Status> {
        let request = request.into_inner();
        let snapshot = self.ledger.snapshot();
        let filter = SubnetFilter { tag: some(request.tag) };
        let page = page(request.page_size, request.page_token);
        let page = snapshot.list_subnets(&filter, &page).map_err(failed)?;
        Ok(Response::new(v1::ListSubnetsResponse {
            subnets: page.rows.iter().map(|row| subnet(&snapshot, row)).collect(),
            next_page_token: page.next,
        }))
    }

    async fn list_capabilities(
        &self,
        request: Request<v1::ListCapabilitiesRequest>,
    ) -> Result<Response<v1::ListCapabilitiesResponse>, Status> {
        let request = request.into_inner();
        let page = page(request.page_size, request.page_token);
        let page = self.ledger.snapshot().list_capabilities(&page).map_err(failed)?;
        Ok(Response::new(v1::ListCapabilitiesResponse {
            capabilities: page.rows.iter().map(|row| capability(row)).collect(),
            next_page_token: page.next,
        }))
    }

    async fn resolve_lock(
        &self,
        request: Request<v1::ResolveLockRequest>,
    ) -> Result<Response<v1::ResolveLockResponse>, Status> {
        let request = request.into_inner();
        let operations = request.operations.into_iter().collect();
        let capabilities = request.capabilities.into_iter().collect();
        let snapshot = self.ledger.snapshot();
        let (lockfile, bodies) = snapshot.lock_for(&operations, &capabilities).map_err(failed)?;
        let lock = convert::lock(lockfile.to_toml(), bodies);
        Ok(Response::new(v1::ResolveLockResponse { lock: Some(lock) }))
    }
}

/// The status of a failure of the Ledger.
pub(crate) fn failed(error: Error) -> Status {
    let message = format!("{error}; {}", error.help());
    match &error {
        Error::UnknownOperation { id, .. } => not_found(error.code(), "operation", id, message),
        Error::UnknownCapability { name, .. } => not_found(error.code(), "capability", name, message),
        Error::UnknownVersion { key, .. } => not_found(error.code(), "operation version", key, message),
        Error::InvalidEntry { path, .. } => bad_field(error.code(), &format!("entry_json:{path}"), message),
        Error::PageToken => bad_field(error.code(), "page_token", message),
        _ => status(error.code(), message),
    }
}

fn page(size: u32, token: String) -> PageRequest {
    PageRequest { size: size as usize, token }
}

/// An empty string of the wire is a value that was left out.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn operation(snapshot: &Snapshot, published: &Published<OperationDescriptor>, whole: bool) -> v1::Operation {
    let operation = &published.descriptor;
    // A published operation is one of the snapshot's own.
    let callability = snapshot.callability(&operation.id).ok();
    let reason = callability.and_then(Callability::reason);
    let price = match &operation.price {
        PriceRule::PerCall { amount } => Some(convert::amount(*amount)),
        _ => None,
    };
    v1::Operation {
        id: operation.id.clone(),
        netuid: operation.netuid.into(),
        version: operation.version.to_string(),
        summary: operation.summary.clone(),
        tags: operation.tags.clone(),
        capabilities: snapshot.capabilities_of(&operation.id).map(str::to_owned).collect(),
        entry_hash: published.hash.to_hex(),
        callable: reason.is_none(),
        not_callable_reason: reason.unwrap_or_default().to_owned(),
        price_known: !matches!(operation.price, PriceRule::Unknown),
        price,
        access: access(operation.access).to_owned(),
        verified: operation.verified,
        entry_json: if whole { published.bytes.clone() } else { bytes::Bytes::new() },
    }
}

fn lately(route: &Route, charged: Option<Amount>) -> v1::CallStatistics {
    v1::CallStatistics {
        calls: route.calls,
        success_share: route.success_share.unwrap_or_default(),
        latency_ms_p50: route.latency_ms_p50,
        latency_ms_p95: route.latency_ms_p95,
        charged_p50: charged.map(convert::amount),
    }
}

const fn access(access: Access) -> &'static str {
    match access {
        Access::Open => "open",
        Access::Key => "key",
        Access::X402 => "x402",
        Access::RegisteredHotkey => "registered_hotkey",
        Access::PermitAndStake => "permit_and_stake",
    }
}

fn subnet(snapshot: &Snapshot, published: &Arc<Published<SubnetDescriptor>>) -> v1::Subnet {
    let subnet = &published.descriptor;
    v1::Subnet {
        netuid: subnet.netuid.into(),
        name: subnet.name.clone(),
        status: subnet.status.as_str().to_owned(),
        tags: subnet.tags.clone(),
        operation_count: u32::try_from(snapshot.operation_count(subnet.netuid)).unwrap_or(u32::MAX),
        stale_risk: subnet.stale_risk,
        openapi_urls: subnet.openapi_urls.clone(),
    }
}

fn capability(published: &Published<CapabilityDescriptor>) -> v1::Capability {
    let capability = &published.descriptor;
    v1::Capability {
        name: capability.name.clone(),
        version: capability.version.to_string(),
        summary: capability.summary.clone(),
        source: capability.source.clone(),
        operations: capability.adapters.iter().map(|adapter| adapter.operation.clone()).collect(),
        entry_hash: published.hash.to_hex(),
    }
}
