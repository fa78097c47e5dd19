//! Making a run: everything that is fixed before its first event, stored together with its first turn.

use std::sync::Arc;

use proof::body::RunSecret;
use proof::builder::{Opening, ProofBuilder};
use schema::amount::Amount;
use schema::hash::{Context, Hash};
use schema::value::Value;
use store::{Appended, Claim};
use tokio::sync::oneshot;

use crate::core::{Core, Event, Given, Prepared};
use crate::driver::{self, Clock, NewRun, Task, Turn};
use crate::error::Error;
use crate::handle::{CreateRun, Shared, drive};
use crate::inputs;
use crate::journal::{self, Record};
use crate::prover::Prover;
use crate::view::RunId;

/// How long a request id is remembered, microseconds: 24 hours.
const REQUEST_ID_US: u64 = 24 * 60 * 60 * 1_000_000;

/// A run that passed admission.
pub(crate) struct Creation {
    pub(crate) opened: journal::Opened,
    pub(crate) request: CreateRun,
    /// In a box, because it is handed on several times.
    pub(crate) task: Box<Task>,
    asked: Option<Asked>,
}

/// A request with an id, while nobody else looks at that id.
#[derive(Debug)]
pub(crate) struct Asked {
    claim: Claim,
    _turn: Turn,
}

impl Asked {
    /// Waits until every earlier request with the same id is stored or refused.
    ///
    /// # Errors
    /// [`Error::Budget`] for inputs that cannot be written.
    pub(crate) async fn of(
        shared: &Shared,
        request: &CreateRun,
        inputs: &[Value],
    ) -> Result<Option<Self>, Error> {
        let Some(key) = &request.request_id else { return Ok(None) };
        let prepared = &request.plan.prepared;
        let digest = digest(prepared, &canonical(prepared, inputs)?, request.cost_max);
        let turn = shared.turns.take(&request.tenant, key).await;
        let now_us = Clock::from(0).now_us();
        let claim = Claim {
            scope: format!("{}/create_run", request.tenant),
            key: key.clone(),
            digest,
            now_us,
            expires_at_us: now_us.saturating_add(REQUEST_ID_US),
        };
        Ok(Some(Self { claim, _turn: turn }))
    }

    /// The run that an earlier request with the same id made.
    ///
    /// # Errors
    /// [`Error::RequestConflict`] where that was another request.
    pub(crate) async fn earlier(&self, shared: &Shared) -> Result<Option<RunId>, Error> {
        let claimed = shared.services.log.claimed(&self.claim).await.map_err(of_store)?;
        Ok(claimed.and_then(|appended| run_of(&appended)))
    }
}

/// The run whose journal an append went to.
fn run_of(appended: &Appended) -> Option<RunId> {
    appended.stream.as_str().rsplit('/').next().and_then(|name| name.parse().ok())
}

fn of_store(error: store::Error) -> Error {
    match error {
        store::Error::ClaimConflict { key, .. } => Error::RequestConflict(key),
        other => Error::Store(other),
    }
}

impl Creation {
    /// A run for which so much is set aside, and that can call these of its operations.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        request: CreateRun,
        inputs: Arc<[Value]>,
        callable: impl Iterator<Item = bool>,
        asked: Option<Asked>,
        reserved: Amount,
    ) -> Result<Self, Error> {
        let plan = Arc::clone(&request.plan);
        let prepared = &plan.prepared;
        let canonical = canonical(prepared, &inputs)?;
        let [secret, nonce] = random()?;
        let id = RunId(uuid::Uuid::now_v7().into_bytes());
        let clock = Clock::from(0);
        let created_at_us = clock.now_us();
        let opening = Opening {
            run_id: id.0,
            inputs: &canonical,
            opened_at_us: created_at_us,
            nonce,
            build_hash: shared.options.build,
            ledger: None,
            tenant: None,
            payment_hash: None,
        };
        let builder = ProofBuilder::open(
            Arc::clone(&prepared.proof),
            &opening,
            RunSecret::new(secret),
            shared.services.key.public(),
            shared.options.proofs_show,
        )?;
        let opened = builder.opened();
        let given = Given {
            inputs: Arc::clone(&inputs),
            seed: driver::seed(&secret),
            callable: callable.collect(),
            cost_max: request.cost_max,
            routes: shared.services.routes(prepared),
        };
        let journalled = journal::Opened {
            run: id,
            plan_hash: prepared.hash,
            inputs: inputs.to_vec(),
            callable: given.callable.clone(),
            cost_max: request.cost_max,
            routes: given.routes.clone(),
            secret,
            challenge: opened.challenge.clone(),
            header: opened.header.clone(),
            created_at_us,
        };
        let new = NewRun {
            tenant: Arc::clone(&request.tenant),
            run: driver::fresh_run(id, &plan, created_at_us),
            reserved,
            core: Core::new(Arc::clone(prepared), given),
            challenge: builder.challenge_hash(),
            prover: Prover::of(Arc::clone(prepared), Ok(builder)),
            plan,
            listener: request.listener.clone(),
            clock,
            stream: journal::stream(&request.tenant, id)?,
            last_record: 0,
        };
        let task = Box::new(Task::new(Arc::clone(shared), new));
        Ok(Self { opened: journalled, request, task, asked })
    }

    /// Stores the run with its first turn, tells so, and drives it.
    pub(crate) async fn run(self, shared: Arc<Shared>, reply: oneshot::Sender<Result<RunId, Error>>) {
        let Self { opened, request, mut task, asked } = self;
        let id = opened.run;
        let mut append = task.opening(&Record::Opened(Box::new(opened)));
        append = shared.store_plan(append, &request.plan.prepared);
        append.claim = asked.as_ref().map(|asked| asked.claim.clone());
        task.take(Event::Start);
        let committed = task.commit(append).await;
        drop(asked);
        let answer = match committed {
            Ok(appended) if appended.repeated => {
                shared.registry.leave(id);
                Err(run_of(&appended).ok_or(Error::NotFound(id)))
            }
            Ok(_) => Ok(()),
            Err(error) => {
                shared.registry.leave(id);
                Err(Err(match error {
                    Error::Store(error) => of_store(error),
                    other => other,
                }))
            }
        };
        match answer {
            Err(instead) => {
                let _ = reply.send(instead);
            }
            Ok(()) => {
                shared.stored.lock().insert(request.plan.prepared.hash, ());
                drop(request);
                let _ = reply.send(Ok(id));
                drive(task).await;
            }
        }
    }
}

/// The arguments as they are hashed.
fn canonical(plan: &Prepared, inputs: &[Value]) -> Result<Vec<u8>, Error> {
    inputs::canonical(&plan.plan.body, inputs).map_err(|error| Error::Budget(error.to_string()))
}

/// What "the same request" means.
fn digest(plan: &Prepared, inputs: &[u8], cost_max: Option<Amount>) -> Hash {
    let cost_max = cost_max.map(|amount| amount.to_string()).unwrap_or_default();
    Context::Body.hash(&[b"create_run", &plan.hash.0, cost_max.as_bytes(), b"\0", inputs])
}

fn random() -> Result<[[u8; 32]; 2], Error> {
    let mut bytes = [[0; 32]; 2];
    getrandom::fill(bytes.as_flattened_mut()).map_err(|_| Error::NoRandomness)?;
    Ok(bytes)
}
