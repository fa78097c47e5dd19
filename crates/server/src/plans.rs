//! `PlanService`: plans that the server keeps, over gRPC.

use proto::v1;
use proto::v1::plan_service_server::PlanService;
use runtime::{DEFAULT_TENANT, Handle};
use tonic::{Request, Response, Status};

use crate::compiler::{Pinned, Pins};
use crate::open::Service;
use crate::published::{NAME_PREFIX, Published};
use crate::run::failed;
use crate::status::{bad_field, plan_errors, status};

/// Rows of a page where the request names no size.
const PAGE_SIZE: usize = 50;
/// Most rows of one page.
const PAGE_SIZE_MAX: usize = 500;
/// Longest name of a plan that can be kept.
const NAME_BYTES_MAX: usize = 256;

/// The service.
#[derive(Debug)]
pub(crate) struct Plans {
    pins: Pins,
    published: Published,
    runtime: Handle,
}

impl Plans {
    pub(crate) fn new(service: &Service) -> Self {
        Self {
            pins: Pins::new(service),
            published: service.published().clone(),
            runtime: service.runtime().clone(),
        }
    }
}

#[tonic::async_trait]
impl PlanService for Plans {
    async fn publish_plan(
        &self,
        request: Request<v1::PublishPlanRequest>,
    ) -> Result<Response<v1::PublishPlanResponse>, Status> {
        let request = request.into_inner();
        let pinned = Pinned::sent(&self.pins, request.source)?;
        let compiled = pinned.clone().compile().await?;
        if compiled.has_errors() {
            return Err(plan_errors(&compiled));
        }
        let plan = compiled.plan(&request.plan)?;
        if plan.body.name.len() > NAME_BYTES_MAX {
            let message = format!("its name is longer than the {NAME_BYTES_MAX} bytes that can be kept");
            return Err(bad_field("E1510", "plan", message));
        }
        // What could never be run by its name is refused now rather than each time.
        let loaded = self.runtime.load(plan.clone()).map_err(failed)?;
        loaded.check_limits().map_err(failed)?;
        let summary = compiled.summary(plan).ok_or_else(|| status("E1511", "the plan has no bound"))?;
        let (plan, changed) = self.published.publish(DEFAULT_TENANT, pinned, summary, loaded).await?;
        if changed {
            tracing::info!(plan = plan.name, revision = plan.revision, "plan published");
        }
        let diagnostics = compiled.diagnostics();
        Ok(Response::new(v1::PublishPlanResponse { plan: Some(plan), changed, diagnostics }))
    }

    async fn get_plan(
        &self,
        request: Request<v1::GetPlanRequest>,
    ) -> Result<Response<v1::GetPlanResponse>, Status> {
        let request = request.into_inner();
        let plan = self.published.with_source(DEFAULT_TENANT, name("name", &request.name)?).await?;
        Ok(Response::new(v1::GetPlanResponse { plan: Some(plan) }))
    }

    async fn list_plans(
        &self,
        request: Request<v1::ListPlansRequest>,
    ) -> Result<Response<v1::ListPlansResponse>, Status> {
        let v1::ListPlansRequest { page_size, page_token } = request.into_inner();
        let size = if page_size == 0 { PAGE_SIZE } else { (page_size as usize).min(PAGE_SIZE_MAX) };
        // A token is the name of the last plan of its page.
        let foreign = |_| bad_field("E1207", "page_token", "it is not of a list of plans");
        let after = Some(page_token).filter(|token| !token.is_empty());
        let after = after.as_deref().map(|token| name("page_token", token).map_err(foreign)).transpose()?;
        let page = self.published.list(DEFAULT_TENANT, after, size).await?;
        let last = page.plans.last().filter(|_| page.more);
        Ok(Response::new(v1::ListPlansResponse {
            next_page_token: last.map(|plan| plan.name.clone()).unwrap_or_default(),
            plans: page.plans,
            generation: page.generation,
        }))
    }

    async fn withdraw_plan(
        &self,
        request: Request<v1::WithdrawPlanRequest>,
    ) -> Result<Response<v1::WithdrawPlanResponse>, Status> {
        let request = request.into_inner();
        self.published.withdraw(DEFAULT_TENANT, name("name", &request.name)?).await?;
        tracing::info!(plan = request.name, "plan withdrawn");
        Ok(Response::new(v1::WithdrawPlanResponse {}))
    }
}

/// The name of a plan in the form that requests have it.
pub(crate) fn name<'a>(field: &str, full: &'a str) -> Result<&'a str, Status> {
    let is_word = |name: &&str| {
        !name.is_empty()
            && name.len() <= NAME_BYTES_MAX
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let name = full.strip_prefix(NAME_PREFIX).filter(is_word);
    name.ok_or_else(|| {
        let shown: String = full.chars().take(NAME_BYTES_MAX).collect();
        bad_field("E1510", field, format!("`{shown}` is not of the form plans/<name>"))
    })
}
