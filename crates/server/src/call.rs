//! `CallService`: one operation, called once, as the run of a plan of one node.

mod plans;

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use plan_compiler::{CAPABILITY_PREFIX, with_own_names};
use proto::v1;
use proto::v1::call_service_server::CallService;
use proto::v1::stream_response::Event;
use runtime::view::{Run, RunEventKind, RunState};
use runtime::{Call, CreateRun, Error, Handle};
use schema::error::{CallErrorKind, PlanError};
use schema::operation::Version;
use subnet::Listen;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::access::tenant;
use crate::convert;
use crate::inside;
use crate::ledger;
use crate::open::Service;
use crate::run::{cost_view, event_view, failed, interrupted, request_id};
use crate::status::{DOMAIN, bad_field, grpc_code, short, status};

use plans::{CallPlan, CallPlans, Called};

/// Longest timeout of a call that is answered in one message: the server gives no answer up to a minute, and a call
/// that is out of time should be told as that.
const UNARY_TIMEOUT_MAX: Duration = Duration::from_secs(50);
/// Messages on their way to one client.
const MESSAGES_BUFFERED: usize = 16;
/// Code of a call that was cancelled.
const CANCELLED: &str = "E1508";

/// The service.
#[derive(Debug)]
pub(crate) struct Calls {
    ledger: ledger_service::Handle,
    runtime: Handle,
    plans: CallPlans,
}

/// A call that may be made.
struct Order {
    plan: Arc<CallPlan>,
    create: CreateRun,
    want_receipt: bool,
}

impl Calls {
    pub(crate) fn new(service: &Service) -> Self {
        Self {
            ledger: service.ledger().clone(),
            runtime: service.runtime().clone(),
            plans: CallPlans::default(),
        }
    }

    async fn order(
        &self,
        tenant: Arc<str>,
        request: v1::CallRequest,
        timeout_max: Option<Duration>,
    ) -> Result<Order, Status> {
        let timeout = request.timeout.map(|timeout| duration(timeout, timeout_max)).transpose()?;
        let cost_max = request.cost_max.map(|amount| convert::amount_of("cost_max", &amount)).transpose()?;
        let request_id = request_id(request.request_id)?;
        let snapshot = self.ledger.snapshot();
        let plan = match request.operation.strip_prefix(CAPABILITY_PREFIX) {
            Some(name) => {
                let published = snapshot.capability(name).map_err(ledger::failed)?;
                newest_only(&request.version, published.descriptor.version)?;
                let caller = (&self.runtime, &*tenant);
                self.plans.capability(&snapshot, published, cost_max, timeout, caller).await?
            }
            None => {
                let published = snapshot.operation_at(&request.operation, &request.version);
                let published = published.map_err(ledger::failed)?;
                self.plans.operation(&snapshot, published, cost_max, timeout, &self.runtime).await?
            }
        };
        let params = &plan.loaded.prepared.plan.body.params;
        let inputs_json = match with_own_names(params, &request.arguments_json) {
            Cow::Borrowed(_) => request.arguments_json,
            Cow::Owned(renamed) => renamed.into(),
        };
        let create = CreateRun {
            plan: Arc::clone(&plan.loaded),
            inputs_json,
            request_id,
            cost_max,
            unpriced_max: request.unpriced_requests_max,
            tenant,
            listener: None,
        };
        Ok(Order { plan, create, want_receipt: request.want_receipt })
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl CallService for Calls {
    type StreamStream = Answers<v1::StreamResponse>;

    async fn call(&self, request: Request<v1::CallRequest>) -> Result<Response<v1::CallResponse>, Status> {
        let tenant = tenant(&request);
        let Order { plan, create, want_receipt } =
            self.order(Arc::clone(&tenant), request.into_inner(), Some(UNARY_TIMEOUT_MAX)).await?;
        // Cancelled with this future where the client goes away.
        let run = self.runtime.call_to_end(create).await.map_err(refused)?;
        answer(&self.runtime, &tenant, run, &plan, want_receipt).await.map(Response::new)
    }

    async fn stream(
        &self,
        request: Request<v1::StreamRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let tenant = tenant(&request);
        let v1::StreamRequest { call, want_items } = request.into_inner();
        let call = call.ok_or_else(|| bad_field("E1510", "call", "it is missing"))?;
        let Order { plan, mut create, want_receipt } = self.order(tenant, call, None).await?;
        let (items, heard) = mpsc::unbounded_channel();
        create.listener = want_items.then(|| Arc::new(Items(items)) as Arc<dyn Listen>);
        let call = self.runtime.call(create).await.map_err(refused)?;
        let (sender, receiver) = mpsc::channel(MESSAGES_BUFFERED);
        let runtime = self.runtime.clone();
        let told = Told { runtime, plan, want_receipt, heard, heard_so_far: 0, sender: sender.clone() };
        tokio::spawn(inside::told(sender, told.until_ended(call)));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// Passes the items of an answer on as JSON text. What waits there is no more than the answer itself, which has a limit.
#[derive(Debug)]
struct Items(mpsc::UnboundedSender<String>);

impl Listen for Items {
    fn item(&self, item: &serde_json::Value) {
        // Nobody hears it any more where the client went away.
        let _ = self.0.send(item.to_string());
    }
}

/// A call that is told while it goes on.
struct Told {
    runtime: Handle,
    plan: Arc<CallPlan>,
    want_receipt: bool,
    heard: mpsc::UnboundedReceiver<String>,
    heard_so_far: u64,
    sender: mpsc::Sender<Result<v1::StreamResponse, Status>>,
}

impl Told {
    async fn until_ended(mut self, call: Call) {
        let sender = self.sender.clone();
        tokio::select! {
            // The call goes with the future that holds it.
            () = sender.closed() => {}
            () = self.tell(call) => {}
        }
    }

    async fn tell(&mut self, call: Call) {
        let accepted = v1::CallAccepted {
            run: format!("runs/{}", call.run()),
            cost_max: Some(convert::amount(self.plan.cost_max)),
            basis: convert::basis(self.plan.basis).into(),
        };
        self.send(Event::Accepted(accepted)).await;
        let last = match self.attempts(&call).await {
            Ok(()) => self.answer(call).await,
            Err(error) => Err(unanswered(error)),
        };
        match last {
            Ok(response) => self.send(Event::Completed(response)).await,
            // A client that went away has nobody to be told.
            Err(status) => drop(self.sender.send(Err(status)).await),
        }
    }

    async fn attempts(&mut self, call: &Call) -> Result<(), Error> {
        let mut events = self.runtime.watch(call.tenant(), call.run(), 0).await?;
        loop {
            // Kept while items come, because what it has read would be lost with it.
            let mut next = pin!(events.next());
            let event = loop {
                tokio::select! {
                    biased;
                    Some(item) = self.heard.recv() => self.item(item).await,
                    event = &mut next => break event?,
                }
            };
            let Some(event) = event else { return Ok(()) };
            // All items of an attempt were heard before it is told how it ended.
            while let Ok(item) = self.heard.try_recv() {
                self.item(item).await;
            }
            if matches!(event.kind, RunEventKind::AttemptSent | RunEventKind::AttemptDone) {
                self.send(Event::Attempt(event_view(&event))).await;
            }
        }
    }

    async fn answer(&self, call: Call) -> Result<v1::CallResponse, Status> {
        let tenant = Arc::clone(call.tenant());
        let run = call.ended().await.map_err(unanswered)?;
        answer(&self.runtime, &tenant, run, &self.plan, self.want_receipt).await
    }

    async fn item(&mut self, item: String) {
        let index = self.heard_so_far;
        self.heard_so_far += 1;
        self.send(Event::Item(v1::CallItem { index, item_json: item.into() })).await;
    }

    async fn send(&self, event: Event) {
        let _ = self.sender.send(Ok(v1::StreamResponse { event: Some(event) })).await;
    }
}

/// The operation that answered: the last that was asked.
async fn answered(runtime: &Handle, tenant: &str, run: &Run, plan: &CallPlan) -> Result<Called, Status> {
    let mut last = String::new();
    if plan.operations.len() > 1 {
        let mut events = runtime.watch(tenant, run.id, 0).await.map_err(failed)?;
        while let Some(event) = events.next().await.map_err(failed)? {
            if event.kind == RunEventKind::AttemptDone {
                last.clone_from(&event.operation);
            }
        }
    }
    let called = plan.operations.iter().find(|called| called.id == last).or(plan.operations.first());
    called.cloned().ok_or_else(|| status("E1511", "the plan of the call has no operation"))
}

/// The answer of a call when it has ended, or why there is none.
async fn answer(
    runtime: &Handle,
    tenant: &str,
    run: Run,
    plan: &CallPlan,
    want_receipt: bool,
) -> Result<v1::CallResponse, Status> {
    if run.state != RunState::Succeeded {
        let asked = answered(runtime, tenant, &run, plan).await?;
        return Err(call_failed(&run, asked.id));
    }
    let receipt = match want_receipt {
        true => runtime.proof(tenant, run.id).await.map_err(failed)?,
        false => bytes::Bytes::new(),
    };
    let Called { id: operation, version, entry_hash } = answered(runtime, tenant, &run, plan).await?;
    Ok(v1::CallResponse {
        costs: run.costs.iter().map(cost_view).collect(),
        total: Some(convert::amount(run.total)),
        total_certain: run.total_certain,
        run: format!("runs/{}", run.id),
        proof_id: proof_id(&run),
        receipt,
        operation,
        version,
        entry_hash,
        latency_us: run.ended_at_us.unwrap_or(run.created_at_us).saturating_sub(run.created_at_us),
        result_json: run.result_json.unwrap_or_default().into(),
    })
}

/// The status of a call that was made and gave no answer, with what became of it.
fn call_failed(run: &Run, operation: String) -> Status {
    let cancelled = PlanError {
        code: CANCELLED.into(),
        message: "the call was cancelled".into(),
        node: None,
        span: None,
        call: None,
    };
    let error = run.error.as_ref().unwrap_or(&cancelled);
    let mut metadata = HashMap::from([
        ("run".to_owned(), format!("runs/{}", run.id)),
        ("charged".to_owned(), run.total.to_string()),
        ("certain".to_owned(), run.total_certain.to_string()),
        ("proof_id".to_owned(), proof_id(run)),
        ("operation".to_owned(), operation),
    ]);
    if let Some(call) = &error.call {
        metadata.insert("call_kind".to_owned(), call.kind.name().to_owned());
        metadata.extend(call.path.clone().map(|path| ("path".to_owned(), path)));
    }
    let code = match error.call.as_ref().map(|call| call.kind) {
        _ if run.state == RunState::Cancelled => Code::Cancelled,
        Some(CallErrorKind::Timeout) => Code::DeadlineExceeded,
        Some(CallErrorKind::Unavailable) => Code::Unavailable,
        Some(CallErrorKind::RateLimited | CallErrorKind::OverBudget) => Code::ResourceExhausted,
        _ => grpc_code(&error.code),
    };
    let mut details = ErrorDetails::new();
    details.set_error_info(error.code.as_str(), DOMAIN, metadata);
    if let Some(wait_ms) = error.call.as_ref().and_then(|call| call.retry_after_ms) {
        details.set_retry_info(Some(Duration::from_millis(wait_ms)));
    }
    Status::with_error_details(code, short(error.message.as_str()), details)
}

/// The status of a call that was not made.
fn refused(error: Error) -> Status {
    match &error {
        Error::Input(input) => bad_field(input.code(), "arguments_json", error.to_string()),
        _ => unanswered(error),
    }
}

/// The status of a call of which nothing is known any more. Where it was made its run is named, and nothing is said of when to
/// ask again: that would be a second call.
fn unanswered(error: Error) -> Status {
    match error {
        Error::Interrupted(run) => interrupted(run, &error, None),
        error => failed(error),
    }
}

fn proof_id(run: &Run) -> String {
    run.proof_id.map(|id| id.to_hex()).unwrap_or_default()
}

/// A timeout of a request, at most `max`. What is too long for any call is refused where its plan is made.
fn duration(timeout: prost_types::Duration, max: Option<Duration>) -> Result<Duration, Status> {
    let refused = |message: &str| bad_field("E1510", "timeout", message);
    let timeout = Duration::try_from(timeout).map_err(|_| refused("it is negative"))?;
    match max {
        Some(max) if timeout > max => {
            Err(refused("it is longer than the 50 seconds that Call admits; Stream waits longer"))
        }
        _ => Ok(timeout),
    }
}

/// Of a capability only the newest version can be called.
fn newest_only(asked: &str, newest: Version) -> Result<(), Status> {
    if asked.is_empty() || asked == newest.to_string() {
        return Ok(());
    }
    let message = format!("of a capability only the newest version can be called, which is {newest}");
    Err(bad_field("E1510", "version", message))
}
