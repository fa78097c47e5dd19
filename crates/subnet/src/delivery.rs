//! Answers that one exchange does not bring in one piece: pages are read one after the other and put together, a task
//! is created and asked after until it is done, the items of a stream are gathered. Each way it is one call: one time,
//! one answer, one record for the proof.

mod way;

use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use proof::answers::Answer;
use schema::amount::Amount;
use schema::delivery::{Pages, Task};
use schema::error::{CallError, CallErrorKind};
use schema::limits::CALL_BODY_BYTES_MAX;
use schema::value::Value;
use serde_json::{Map, Value as Json};

use crate::client::{CallContext, Client, Prepared, Wire};
use crate::code;
use crate::exchanged::Exchanged;
use crate::outcome::CallOutcome;
use crate::streamed::StreamPlan;

pub use way::Follow;
pub(crate) use way::Way;

/// Calls `operation` with fields that its rules admit.
pub(crate) async fn deliver(
    client: &Client,
    operation: &Prepared,
    fields: Map<String, Json>,
    context: &CallContext<'_>,
) -> CallOutcome {
    let mut call = Call { client, operation, context, begun: Instant::now(), so_far: None };
    let result = match &operation.delivery {
        None => call.ask(&operation.wire, fields).await.and_then(|body| operation.decode(&body)),
        Some(Way::Pages(pages)) => call.pages(pages, fields).await,
        Some(Way::Stream { plan, asking }) => call.stream(plan, asking.as_deref(), fields).await,
        Some(Way::Task { task, state, result }) => call.task(task, state, result.as_deref(), fields).await,
    };
    call.end(result)
}

/// A call under way.
struct Call<'a> {
    client: &'a Client,
    operation: &'a Prepared,
    context: &'a CallContext<'a>,
    begun: Instant,
    so_far: Option<CallOutcome>,
}

impl Call<'_> {
    /// An exchange in what is left of the time.
    async fn exchange(
        &self,
        wire: &Wire,
        stream: Option<&StreamPlan>,
        fields: Map<String, Json>,
    ) -> Exchanged {
        let passed = if self.so_far.is_some() { self.begun.elapsed() } else { Duration::ZERO };
        let context = CallContext { timeout: self.context.timeout.saturating_sub(passed), ..*self.context };
        self.client.exchange(self.operation, wire, stream, fields, &context).await
    }

    /// An exchange whose record is kept.
    async fn ask(&mut self, wire: &Wire, fields: Map<String, Json>) -> Result<Bytes, CallError> {
        let exchanged = self.exchange(wire, None, fields).await;
        self.keep(exchanged)
    }

    /// Whether an exchange is charged: it was sent, and was not turned away for nothing.
    fn is_charged(&self, exchanged: &Exchanged) -> bool {
        let is_free = self.operation.refusals.are_free() && exchanged.is_turned_away();
        exchanged.sent && (exchanged.observed_cost.is_some() || !is_free)
    }

    /// Adds an exchange to the record, and gives its answer.
    fn keep(&mut self, exchanged: Exchanged) -> Result<Bytes, CallError> {
        let is_charged = self.is_charged(&exchanged);
        let Exchanged {
            body,
            redacted_request,
            response_body,
            status,
            timings,
            observed_cost,
            unread_charge,
            attestation,
            sent,
        } = exchanged;
        let answer = |attestation| Answer::new(&redacted_request, &response_body, attestation);
        let Some(so_far) = &mut self.so_far else {
            let answers = attestation.map(|signed| answer(Some(signed))).into_iter().collect();
            self.so_far = Some(CallOutcome {
                redacted_request,
                response_body,
                status,
                timings,
                pages: u32::from(is_charged),
                observed_cost,
                unread_charge,
                answers,
                peer: self.operation.wire.receiver().map(str::to_owned),
                sent,
                ..CallOutcome::unsent(CallError::new(CallErrorKind::Cancelled, code::CUT, ""))
            });
            return body;
        };
        if attestation.is_some() || !so_far.answers.is_empty() {
            if so_far.answers.is_empty() {
                so_far.answers.push(Answer::new(&so_far.redacted_request, &so_far.response_body, None));
            }
            so_far.answers.push(answer(attestation));
        }
        so_far.redacted_request = joined(&so_far.redacted_request, &redacted_request);
        so_far.response_body = joined(&so_far.response_body, &response_body);
        so_far.status = status;
        so_far.unread_charge = so_far.unread_charge.take().or(unread_charge);
        match so_far.response_body.len() > CALL_BODY_BYTES_MAX {
            true => {
                let message = format!("the answers together are longer than {CALL_BODY_BYTES_MAX} bytes");
                Err(CallError::invalid(code::TOO_LARGE, "$", message))
            }
            false => body,
        }
    }

    async fn stream(
        &mut self,
        plan: &StreamPlan,
        asking: Option<&Wire>,
        fields: Map<String, Json>,
    ) -> Result<Value, CallError> {
        let (wire, plan) = match (asking, self.context.listener) {
            (Some(_), None) => (&self.operation.wire, None),
            (asking, _) => (asking.unwrap_or(&self.operation.wire), Some(plan)),
        };
        let exchanged = self.exchange(wire, plan, fields).await;
        let body = self.keep(exchanged)?;
        self.operation.decode(&body)
    }

    async fn pages(&mut self, pages: &Pages, mut fields: Map<String, Json>) -> Result<Value, CallError> {
        let parameter = pages.next.parameter();
        let given = fields.get(parameter).filter(|given| !given.is_null()).cloned();
        let (mut all, mut before, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        let mut read = 0;
        loop {
            read += 1;
            let of_page = |error: CallError| CallError {
                message: if read == 1 { error.message } else { format!("page {read}: {}", error.message) },
                ..error
            };
            let exchanged = self.exchange(&self.operation.wire, None, fields.clone()).await;
            let (is_charged, cost) = (self.is_charged(&exchanged), exchanged.observed_cost);
            let body = self.keep(exchanged);
            self.charge(read, is_charged, cost);
            let body = body.map_err(of_page)?;
            let value = self.operation.decode(&body).map_err(of_page)?;
            let mut page = document(&body)?;
            let items = match page.pointer_mut(&pages.items) {
                Some(Json::Array(items)) => std::mem::take(items),
                _ => return Err(of_page(lacks(&pages.items, "a list"))),
            };
            let is_empty = items.is_empty();
            if !is_empty && items == before {
                return Err(of_page(loops(&pages.items, "it has the same elements as the page before it")));
            }
            before.clone_from(&items);
            all.extend(items);
            let next = if is_empty || read >= self.context.follow.pages {
                None
            } else {
                pages.next.after(&page, given.as_ref(), read, all.len())
            };
            match next {
                Some(next) if asked.contains(&next) => {
                    return Err(of_page(loops(
                        &pages.items,
                        "the page that it names as the next was read before",
                    )));
                }
                Some(next) => {
                    asked.push(next.clone());
                    fields.insert(parameter.to_owned(), next);
                }
                None if read == 1 => return Ok(value),
                None => return self.whole(page, &pages.items, all),
            }
        }
    }

    /// The last page with the elements of all.
    fn whole(&self, mut page: Json, items: &str, all: Vec<Json>) -> Result<Value, CallError> {
        if let Some(place) = page.pointer_mut(items) {
            *place = Json::Array(all);
        }
        self.operation.decode(&bytes_of(&page))
    }

    /// Each page is charged; what they cost together is known where each says it.
    fn charge(&mut self, read: u32, is_charged: bool, cost: Option<Amount>) {
        let Some(so_far) = self.so_far.as_mut().filter(|_| read > 1 && is_charged) else { return };
        so_far.pages += 1;
        so_far.observed_cost = match (so_far.observed_cost, cost) {
            (Some(sum), Some(cost)) if sum.currency == cost.currency => {
                sum.units.checked_add(cost.units).map(|units| Amount::new(units, sum.currency))
            }
            _ => None,
        };
    }

    /// A task is charged once: at the most that an answer about it states, as what it came to cost is often known at
    /// its end only.
    fn charge_task(&mut self, cost: Option<Amount>) {
        let Some(so_far) = &mut self.so_far else { return };
        so_far.observed_cost = match (so_far.observed_cost, cost) {
            (Some(before), Some(cost)) if before.units >= cost.units => Some(before),
            (before, cost) => cost.or(before),
        };
    }

    /// An exchange about a task whose record is kept.
    async fn ask_of_task(&mut self, wire: &Wire, named: Map<String, Json>) -> Result<Bytes, CallError> {
        let exchanged = self.exchange(wire, None, named).await;
        self.charge_task(exchanged.observed_cost);
        self.keep(exchanged)
    }

    async fn task(
        &mut self,
        task: &Task,
        state: &Wire,
        result: Option<&Wire>,
        fields: Map<String, Json>,
    ) -> Result<Value, CallError> {
        let every = self.context.follow.every.unwrap_or(Duration::from_millis(task.every_ms.into()));
        if self.context.timeout <= every {
            let (time, every) = (self.context.timeout.as_secs_f64(), every.as_secs_f64());
            let message = format!(
                "a task is first asked after {every} s after it was created, and the call has {time} s: nothing was sent"
            );
            return Err(CallError::new(CallErrorKind::Timeout, code::TASK_LATE, message));
        }
        let created = document(&self.ask(&self.operation.wire, fields).await?)?;
        let id = match created.pointer(&task.id) {
            Some(id @ (Json::String(_) | Json::Number(_))) => id.clone(),
            _ => return Err(lacks(&task.id, "the id of the task")),
        };
        let named = || Map::from_iter([("id".to_owned(), id.clone())]);
        let mut answer = self.wait(task, state, every, &named).await?;
        if let Some(result) = result {
            answer = document(&self.ask_of_task(result, named()).await?)?;
        }
        match answer.pointer(&task.result) {
            Some(result) => self.operation.decode(&bytes_of(result)),
            None => Err(lacks(&task.result, "the result of the task")),
        }
    }

    /// Asks after a task until it is done; of all answers the last is kept. A question that the peer is too busy for
    /// is asked again: the task goes on.
    async fn wait(
        &mut self,
        task: &Task,
        state: &Wire,
        every: Duration,
        named: &impl Fn() -> Map<String, Json>,
    ) -> Result<Json, CallError> {
        let (mut asked, mut pause) = (0, every);
        loop {
            let left = self.context.timeout.saturating_sub(self.begun.elapsed());
            if self.context.follow.polls.is_some_and(|most| asked >= most) || left <= pause {
                let mut message = format!("the task is not done after {asked} questions");
                if pause > every {
                    let seconds = pause.as_secs_f64();
                    message = format!("{message}, and the peer asks to wait {seconds} s for the next");
                }
                let asked_ms = u64::try_from(pause.as_millis()).ok().filter(|_| pause > every);
                let late = CallError::new(CallErrorKind::Timeout, code::TASK_LATE, message);
                return Err(CallError { retry_after_ms: asked_ms, ..late });
            }
            tokio::time::sleep(pause).await;
            let exchanged = self.exchange(state, None, named()).await;
            asked += 1;
            if let Err(error) = &exchanged.body {
                if matches!(error.kind, CallErrorKind::Unavailable | CallErrorKind::RateLimited) {
                    pause = every.max(Duration::from_millis(error.retry_after_ms.unwrap_or(0)));
                    continue;
                }
                if error.code == code::INPUT {
                    return Err(lacks(&task.id, "an id that can stand in a path"));
                }
            }
            pause = every;
            let answer = exchanged.body.clone().and_then(|body| document(&body));
            let word =
                answer.as_ref().ok().and_then(|answer| answer.pointer(&task.state)).and_then(Json::as_str);
            let is_one_of =
                |states: &[String]| word.is_some_and(|word| states.iter().any(|state| state == word));
            self.charge_task(exchanged.observed_cost);
            if is_one_of(&task.done) {
                return self.keep(exchanged).and(answer);
            }
            if is_one_of(&task.failed) {
                let message = format!("the task ended in the state `{}`", word.unwrap_or_default());
                self.keep(exchanged)?;
                return Err(CallError::new(CallErrorKind::Rejected, code::TASK_FAILED, message));
            }
            if word.is_none() {
                self.keep(exchanged)?;
                return Err(answer.err().unwrap_or_else(|| lacks(&task.state, "the state of the task")));
            }
        }
    }

    fn end(self, result: Result<Value, CallError>) -> CallOutcome {
        match self.so_far {
            None => match result {
                Err(error) => CallOutcome::unsent(error),
                Ok(_) => CallOutcome::unsent(CallError::new(
                    CallErrorKind::Cancelled,
                    code::CUT,
                    "nothing was asked",
                )),
            },
            Some(mut outcome) => {
                outcome.timings.total = self.begun.elapsed();
                CallOutcome { result, ..outcome }
            }
        }
    }
}

fn joined(before: &Bytes, after: &Bytes) -> Bytes {
    let mut bytes = BytesMut::with_capacity(before.len() + 1 + after.len());
    bytes.put_slice(before);
    bytes.put_u8(b'\n');
    bytes.put_slice(after);
    bytes.freeze()
}

fn document(body: &[u8]) -> Result<Json, CallError> {
    serde_json::from_slice(body).map_err(|error| CallError::invalid(code::FORM, "$", error.to_string()))
}

fn bytes_of(document: &Json) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// The answer does not hold what the operation's entry says it does.
fn lacks(pointer: &str, what: &str) -> CallError {
    CallError::invalid(code::DELIVERY, path_of(pointer), format!("the answer does not hold {what} there"))
}

/// Pages that lead nowhere new.
fn loops(items: &str, why: &str) -> CallError {
    CallError::invalid(code::PAGES_LOOP, path_of(items), format!("the pages go round: {why}"))
}

fn path_of(pointer: &str) -> String {
    format!("${}", pointer.replace('/', "."))
}
