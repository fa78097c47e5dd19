//! Published plans as models: a run of the newest revision, cancelled when nobody waits for it any more.

use futures_util::stream::{self, StreamExt as _};
use http::StatusCode;
use proto::v1::run_service_client::RunServiceClient;
use proto::{Channel, v1};
use serde_json::{Map, Value};
use tonic::Status;

use crate::caller::Caller;
use crate::error::{Failure, code};
use crate::told::{Answered, Receipt, Telling, Told, WAIT_MAX, json_bytes, shown, with_result};
use crate::{ANSWER_BYTES_MAX, Face};

/// A run that is waited for. Dropping it before its end cancels it.
struct Started {
    runs: RunServiceClient<Channel>,
    caller: Caller,
    run: v1::Run,
    plan: String,
    ended: bool,
}

pub(crate) async fn answered(
    face: &Face,
    caller: &Caller,
    plan: &str,
    inputs: &Map<String, Value>,
) -> Result<Answered, Failure> {
    let mut started = Started::start(face, caller, plan, inputs).await?;
    let wait = caller.timeout.unwrap_or(WAIT_MAX).min(WAIT_MAX);
    match tokio::time::timeout(wait, started.answer()).await {
        Ok(answered) => answered,
        Err(_) => Err(started.given_up(wait).await),
    }
}

pub(crate) async fn tell(
    face: &Face,
    caller: &Caller,
    plan: &str,
    inputs: &Map<String, Value>,
) -> Result<Telling, Failure> {
    let mut started = Started::start(face, caller, plan, inputs).await?;
    let accepted = Told::Accepted(started.run.name.clone());
    let answer = async move { started.answer().await.map(Told::Answered) };
    Ok(stream::iter([Ok(accepted)]).chain(stream::once(answer)).boxed())
}

impl Started {
    async fn start(
        face: &Face,
        caller: &Caller,
        plan: &str,
        inputs: &Map<String, Value>,
    ) -> Result<Self, Failure> {
        let mut runs =
            RunServiceClient::new(face.service.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
        let request = v1::CreateRunRequest {
            request_id: caller.request_id.clone(),
            published_plan: plan.to_owned(),
            inputs_json: json_bytes(inputs).into(),
            cost_max: caller.amount(),
            ..v1::CreateRunRequest::default()
        };
        let (caller, plan) = (caller.clone(), plan.to_owned());
        // In a task of its own, whose result is dropped, and so cancelled, where the client goes away before the run has a name.
        let starting = tokio::spawn(async move {
            let run = runs.create_run(caller.request(request)).await?.into_inner().run.unwrap_or_default();
            Ok(Self { runs, caller, run, plan, ended: false })
        });
        starting.await.unwrap_or_else(|_| Err(Status::internal("the run could not be started").into()))
    }

    async fn answer(&mut self) -> Result<Answered, Failure> {
        let watch = v1::WatchRunRequest { name: self.run.name.clone(), after_seq: 0 };
        // The run goes on where it can no longer be watched, and what it will cost nobody knows.
        let unknown = Receipt { certain: false, ..self.receipt(&v1::Run::default()) };
        let lost = |status: Status| Failure::from(status).settled(unknown.clone());
        let mut events = self.runs.watch_run(self.caller.request(watch)).await.map_err(lost)?.into_inner();
        while events.message().await.map_err(lost)?.is_some() {}
        let get = v1::GetRunRequest { name: self.run.name.clone() };
        let run = self.runs.get_run(self.caller.request(get)).await.map_err(lost)?.into_inner().run;
        let run = run.unwrap_or_default();
        self.ended = true;
        let receipt = self.receipt(&run);
        match run.state() {
            v1::RunState::Succeeded => with_result(&run.result_json, receipt),
            state => Err(failed(state, run.error.unwrap_or_default(), receipt)),
        }
    }

    async fn given_up(&mut self, wait: std::time::Duration) -> Failure {
        self.ended = true;
        let cancel = v1::CancelRunRequest { name: self.run.name.clone() };
        let run = self.runs.cancel_run(self.caller.request(cancel)).await;
        let run = run.ok().and_then(|response| response.into_inner().run).unwrap_or_default();
        // What was sent may still be settled.
        let receipt = Receipt { certain: false, ..self.receipt(&run) };
        let seconds = wait.as_secs();
        let message =
            format!("the plan has not ended within {seconds} s and was cancelled; ask with `stream: true`");
        Failure::new(StatusCode::GATEWAY_TIMEOUT, code::TOO_LONG, message).settled(receipt)
    }

    fn receipt(&self, run: &v1::Run) -> Receipt {
        Receipt {
            run: self.run.name.clone(),
            cost: shown(run.total),
            certain: run.total_certain,
            proof: run.proof_id.clone(),
            operation: self.plan.clone(),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.ended {
            let cancel = self.caller.request(v1::CancelRunRequest { name: self.run.name.clone() });
            let mut runs = self.runs.clone();
            // Nobody is there to be told whether it could be cancelled.
            tokio::spawn(async move { drop(runs.cancel_run(cancel).await) });
        }
    }
}

/// A run that ended without a result, by the kind of the call that made it fail.
fn failed(state: v1::RunState, error: v1::RunError, receipt: Receipt) -> Failure {
    let status = match error.call_kind.as_str() {
        _ if state == v1::RunState::Cancelled => StatusCode::CONFLICT,
        "timeout" => StatusCode::GATEWAY_TIMEOUT,
        "unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        "rate_limited" => StatusCode::TOO_MANY_REQUESTS,
        "over_budget" => StatusCode::PAYMENT_REQUIRED,
        _ => StatusCode::BAD_GATEWAY,
    };
    let (code, message) = match error.code.is_empty() {
        true => (code::ANSWER, "the run was cancelled"),
        false => (error.code.as_str(), error.message.as_str()),
    };
    Failure::new(status, code, message).settled(receipt)
}
