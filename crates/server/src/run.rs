//! `RunService`: runs over gRPC.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use proto::v1;
use proto::v1::run_service_server::RunService;
use runtime::view::{CostRow, Run, RunEvent, RunEventKind, RunFilter, RunId, RunState};
use runtime::{CreateRun, DEFAULT_TENANT, Error, Handle, LoadedPlan};
use schema::error::PlanError;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::access::tenant;
use crate::compiler::{Pins, compile};
use crate::convert;
use crate::inside;
use crate::open::Service;
use crate::plans;
use crate::published::Published;
use crate::status::{DOMAIN, RETRY_DELAY, bad_field, grpc_code, not_found, plan_errors, status};

/// Longest request id; a UUID has 36 bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// Runs of a page where the request names no size.
const PAGE_SIZE: usize = 50;
/// Silence after which a watcher is told that the stream is alive.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Events on their way to one watcher.
const EVENTS_BUFFERED: usize = 64;
/// Bytes of a proof in one message.
const PROOF_CHUNK_BYTES: usize = 256 << 10;

/// The service.
#[derive(Debug)]
pub(crate) struct Runs {
    pins: Pins,
    published: Published,
    runtime: Handle,
}

impl Runs {
    pub(crate) fn new(service: &Service) -> Self {
        Self {
            pins: Pins::new(service),
            published: service.published().clone(),
            runtime: service.runtime().clone(),
        }
    }

    /// The plan of a file that a client sent, and what the compiler says of it.
    async fn compiled(
        &self,
        source: Option<v1::PlanSource>,
        plan: &str,
    ) -> Result<(Arc<LoadedPlan>, Vec<v1::Diagnostic>), Status> {
        let compiled = compile(&self.pins, source).await?;
        if compiled.has_errors() {
            return Err(plan_errors(&compiled));
        }
        let plan = self.runtime.load(compiled.plan(plan)?.clone()).map_err(failed)?;
        Ok((plan, compiled.diagnostics()))
    }

    async fn view(&self, tenant: &str, run: RunId) -> Result<v1::Run, Status> {
        self.runtime.get_run(tenant, run).await.map(|run| run_view(&run)).map_err(failed)
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl RunService for Runs {
    type WatchRunStream = Answers<v1::WatchRunResponse>;
    type ReadProofStream = Answers<v1::ReadProofResponse>;

    async fn create_run(
        &self,
        request: Request<v1::CreateRunRequest>,
    ) -> Result<Response<v1::CreateRunResponse>, Status> {
        let tenant = tenant(&request);
        let request = request.into_inner();
        let request_id = request_id(request.request_id)?;
        let cost_max = request.cost_max.map(|amount| convert::amount_of("cost_max", &amount)).transpose()?;
        let (plan, diagnostics) = if request.published_plan.is_empty() {
            self.compiled(request.source, &request.plan).await?
        } else {
            let sent = [("source", request.source.is_some()), ("plan", !request.plan.is_empty())];
            if let Some((field, _)) = sent.iter().find(|(_, is_sent)| *is_sent) {
                return Err(bad_field("E1510", field, "it is to be left out where `published_plan` is set"));
            }
            let name = plans::name("published_plan", &request.published_plan)?;
            // Its warnings were told when it was published.
            (self.published.loaded(DEFAULT_TENANT, name, &self.runtime).await?, Vec::new())
        };
        let inputs_json = if request.inputs_json.is_empty() { "{}".into() } else { request.inputs_json };
        let create = CreateRun {
            plan,
            inputs_json,
            request_id,
            cost_max,
            unpriced_max: request.unpriced_requests_max,
            tenant: Arc::clone(&tenant),
            listener: None,
        };
        let run = self.runtime.create_run(create).await.map_err(failed)?;
        tracing::info!(%run, "run admitted");
        Ok(Response::new(v1::CreateRunResponse { run: Some(self.view(&tenant, run).await?), diagnostics }))
    }

    async fn get_run(
        &self,
        request: Request<v1::GetRunRequest>,
    ) -> Result<Response<v1::GetRunResponse>, Status> {
        let tenant = tenant(&request);
        let run = run_id(&request.into_inner().name)?;
        Ok(Response::new(v1::GetRunResponse { run: Some(self.view(&tenant, run).await?) }))
    }

    async fn watch_run(
        &self,
        request: Request<v1::WatchRunRequest>,
    ) -> Result<Response<Self::WatchRunStream>, Status> {
        let tenant = tenant(&request);
        let request = request.into_inner();
        let run = run_id(&request.name)?;
        let events = self.runtime.watch(&tenant, run, request.after_seq).await.map_err(failed)?;
        let (sender, receiver) = mpsc::channel(EVENTS_BUFFERED);
        tokio::spawn(inside::told(sender.clone(), forward(events, request.after_seq, sender)));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn cancel_run(
        &self,
        request: Request<v1::CancelRunRequest>,
    ) -> Result<Response<v1::CancelRunResponse>, Status> {
        let tenant = tenant(&request);
        let run = run_id(&request.into_inner().name)?;
        let run = self.runtime.cancel_run(&tenant, run).await.map_err(failed)?;
        Ok(Response::new(v1::CancelRunResponse { run: Some(run_view(&run)) }))
    }

    async fn list_runs(
        &self,
        request: Request<v1::ListRunsRequest>,
    ) -> Result<Response<v1::ListRunsResponse>, Status> {
        let tenant = tenant(&request);
        let request = request.into_inner();
        let size = if request.page_size == 0 { PAGE_SIZE } else { request.page_size as usize };
        let filter = RunFilter {
            state: state_filter(request.state)?,
            plan: (!request.plan.is_empty()).then(|| request.plan.clone()),
        };
        let after = page_start(&request)?;
        let page = self.runtime.list_runs(&tenant, &filter, after, size).await.map_err(failed)?;
        Ok(Response::new(v1::ListRunsResponse {
            runs: page.runs.iter().map(run_view).collect(),
            next_page_token: page.next.map(|run| page_token(&request, run)).unwrap_or_default(),
        }))
    }

    async fn read_proof(
        &self,
        request: Request<v1::ReadProofRequest>,
    ) -> Result<Response<Self::ReadProofStream>, Status> {
        let tenant = tenant(&request);
        let run = run_id(&request.into_inner().name)?;
        let bundle = self.runtime.proof(&tenant, run).await.map_err(failed)?;
        let starts = (0..bundle.len()).step_by(PROOF_CHUNK_BYTES);
        let chunks = starts.map(move |start| {
            let end = bundle.len().min(start + PROOF_CHUNK_BYTES);
            Ok(v1::ReadProofResponse { chunk: bundle.slice(start..end) })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(chunks))))
    }
}

/// Sends events until the run has ended or the watcher is gone, and a heartbeat where nothing happens.
async fn forward(
    mut events: runtime::Events,
    after_seq: u64,
    sender: mpsc::Sender<Result<v1::WatchRunResponse, Status>>,
) {
    let mut last = v1::RunEvent { seq: after_seq, ..v1::RunEvent::default() };
    loop {
        let next = tokio::time::timeout(HEARTBEAT, events.next()).await;
        let message = match next {
            Ok(Ok(None)) => return,
            Ok(Ok(Some(event))) => {
                last = event_view(&event);
                Ok(last.clone())
            }
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Ok(v1::RunEvent {
                seq: last.seq,
                time: last.time,
                kind: v1::RunEventKind::Heartbeat.into(),
                spent: last.spent,
                ..v1::RunEvent::default()
            }),
        };
        let stop = message.is_err();
        let message = message.map(|event| v1::WatchRunResponse { event: Some(event) });
        if sender.send(message).await.is_err() || stop {
            return;
        }
    }
}

/// The status of a failure of the runtime.
pub(crate) fn failed(error: Error) -> Status {
    match &error {
        Error::NotFound(run) => not_found(error.code(), "run", &format!("runs/{run}"), error.to_string()),
        Error::NoProof { run, .. } => {
            not_found(error.code(), "proof", &format!("runs/{run}/proof"), error.to_string())
        }
        Error::Input(input) => bad_field(input.code(), "inputs_json", error.to_string()),
        Error::Interrupted(run) => interrupted(*run, &error, Some(RETRY_DELAY)),
        // In a form that a program can ask again by.
        Error::UnpricedAboveMax { requests, priced, .. } => {
            let metadata = [("unpriced_requests", requests.to_string()), ("priced_cost", priced.to_string())];
            let metadata: HashMap<String, String> =
                metadata.map(|(name, value)| (name.to_owned(), value)).into();
            let details = ErrorDetails::with_error_info(error.code(), DOMAIN, metadata);
            Status::with_error_details(grpc_code(error.code()), error.to_string(), details)
        }
        _ => status(error.code(), error.to_string()),
    }
}

/// The status where a run was under way when the runtime shut down, and when to ask for it again.
pub(crate) fn interrupted(run: RunId, error: &Error, again: Option<Duration>) -> Status {
    let metadata = [("run", format!("runs/{run}")), ("certain", "false".into())];
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
    let mut details = ErrorDetails::new();
    details.set_error_info(error.code(), DOMAIN, HashMap::from(metadata));
    if again.is_some() {
        details.set_retry_info(again);
    }
    Status::with_error_details(grpc_code(error.code()), error.to_string(), details)
}

fn run_id(name: &str) -> Result<RunId, Status> {
    let id = name.strip_prefix("runs/").and_then(|id| id.parse().ok());
    id.ok_or_else(|| bad_field("E1510", "name", format!("`{name}` is not of the form runs/<uuid>")))
}

pub(crate) fn request_id(id: String) -> Result<Option<String>, Status> {
    if id.len() > REQUEST_ID_BYTES_MAX {
        let message = format!("it has {} bytes, at most {REQUEST_ID_BYTES_MAX} are admitted", id.len());
        return Err(bad_field("E1510", "request_id", message));
    }
    Ok((!id.is_empty()).then_some(id))
}

fn state_filter(state: i32) -> Result<Option<RunState>, Status> {
    let state = v1::RunState::try_from(state)
        .map_err(|_| bad_field("E1510", "state", "it is no state of a run; leave it out for runs in any"))?;
    Ok(Some(match state {
        v1::RunState::Unspecified => return Ok(None),
        v1::RunState::Pending => RunState::Pending,
        v1::RunState::Running => RunState::Running,
        v1::RunState::Succeeded => RunState::Succeeded,
        v1::RunState::Failed => RunState::Failed,
        v1::RunState::Cancelled => RunState::Cancelled,
    }))
}

/// A token names the last run of its page and the filter it was made for.
fn page_token(request: &v1::ListRunsRequest, run: RunId) -> String {
    format!("{run}.{}.{}", request.state, request.plan)
}

fn page_start(request: &v1::ListRunsRequest) -> Result<Option<RunId>, Status> {
    if request.page_token.is_empty() {
        return Ok(None);
    }
    let run = request.page_token.split('.').next().and_then(|run| run.parse::<RunId>().ok());
    let run = run.filter(|run| page_token(request, *run) == request.page_token);
    run.map(Some).ok_or_else(|| {
        bad_field("E1207", "page_token", "it does not belong to this request; keep the filter between pages")
    })
}

fn run_view(run: &Run) -> v1::Run {
    v1::Run {
        name: format!("runs/{}", run.id),
        plan: run.plan.clone(),
        plan_hash: run.plan_hash.to_hex(),
        state: run_state(run.state).into(),
        result_json: run.result_json.clone().unwrap_or_default().into(),
        error: run.error.as_ref().map(error_view),
        costs: run.costs.iter().map(cost_view).collect(),
        total: Some(convert::amount(run.total)),
        total_certain: run.total_certain,
        create_time: Some(convert::timestamp(run.created_at_us)),
        end_time: run.ended_at_us.map(convert::timestamp),
        proof_id: run.proof_id.map(|id| id.to_hex()).unwrap_or_default(),
        last_seq: run.last_seq,
    }
}

const fn run_state(state: RunState) -> v1::RunState {
    match state {
        RunState::Pending => v1::RunState::Pending,
        RunState::Running => v1::RunState::Running,
        RunState::Succeeded => v1::RunState::Succeeded,
        RunState::Failed => v1::RunState::Failed,
        RunState::Cancelled => v1::RunState::Cancelled,
    }
}

fn error_view(error: &PlanError) -> v1::RunError {
    let call = error.call.as_ref();
    v1::RunError {
        code: error.code.clone(),
        message: error.message.clone(),
        node: error.node.clone().unwrap_or_default(),
        call_kind: call.map(|call| call.kind.name().to_owned()).unwrap_or_default(),
        path: call.and_then(|call| call.path.clone()).unwrap_or_default(),
        // Lines are the client's to find: the runtime never sees the text.
        span: error.span.map(|(start, end)| v1::Span { start, end, ..v1::Span::default() }),
    }
}

pub(crate) fn cost_view(row: &CostRow) -> v1::CostRow {
    v1::CostRow {
        label: row.label.clone(),
        operation: row.operation.clone(),
        calls: row.calls,
        attempts: row.attempts,
        cost: Some(convert::amount(row.cost)),
        basis: convert::basis(row.basis).into(),
        charged_above_agreed: row.charged_above_agreed,
    }
}

pub(crate) fn event_view(event: &RunEvent) -> v1::RunEvent {
    let kind = match event.kind {
        RunEventKind::Opened => v1::RunEventKind::Opened,
        RunEventKind::Node => v1::RunEventKind::Node,
        RunEventKind::AttemptSent => v1::RunEventKind::AttemptSent,
        RunEventKind::AttemptDone => v1::RunEventKind::AttemptDone,
        RunEventKind::Closed => v1::RunEventKind::Closed,
    };
    v1::RunEvent {
        seq: event.seq,
        time: Some(convert::timestamp(event.time_us)),
        kind: kind.into(),
        node: event.node.clone(),
        iteration: event.iteration.clone(),
        state: event.state.name().to_owned(),
        attempt: event.attempt,
        operation: event.operation.clone(),
        message: event.message.clone(),
        spent: Some(convert::amount(event.spent)),
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn a_state_that_is_none_is_refused_and_no_filter() {
        assert_eq!(state_filter(0).ok(), Some(None));
        assert_eq!(state_filter(v1::RunState::Failed.into()).ok(), Some(Some(RunState::Failed)));
        for state in [99, -1] {
            let refused = state_filter(state).unwrap_err();
            let reason = refused.get_details_error_info().map(|info| info.reason);
            assert_eq!(
                (refused.code(), reason.as_deref()),
                (Code::InvalidArgument, Some("E1510")),
                "{state}"
            );
        }
    }
}
