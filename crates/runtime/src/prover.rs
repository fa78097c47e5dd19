//! From what the scheduler tells of its nodes to the records of a proof.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use plan_ir::graph::{NodeId, NodeKind};
use proof::answers::{self, Answer};
use proof::attempt::Attempt;
use proof::attestation::Attestation;
use proof::builder::{BuildError, Closing, Contents, NodeRecord, Opened, PeerRecord, ProofBuilder, Show};
use proof::bundle::Bundle;
use proof::commit::{OperationRef, Outcome, Times};
use proof::cost::Cost;
use proof::statement::RunResult;
use schema::hash::Hash;
use schema::operation::Auth;
use schema::price::PriceBasis;
use schema::types::Type;
use schema::value::Value;

use crate::answers::{ANSWERS_MAX, Answered};
use crate::core::{AttemptId, Attempted, End, Fact, FactKind, Instance, Prepared};

/// Makes the proof of one run while it goes on.
#[derive(Debug)]
pub struct Prover {
    plan: Arc<Prepared>,
    /// The first refusal of a record; the run goes on without a proof then.
    builder: Result<ProofBuilder, BuildError>,
    calls: BTreeMap<Instance, CallInProgress>,
    /// Branches and fan-outs that decided.
    decided: BTreeMap<Instance, ()>,
    /// Accepted answers that later runs may use, until one of each call is chosen.
    answered: BTreeMap<AttemptId, Answered>,
    /// Those that were chosen.
    chosen: Vec<Answered>,
}

/// A proof, and the answers that point to it.
#[derive(Debug)]
pub struct Proven {
    /// The bundle.
    pub bundle: Bundle<'static>,
    /// Answers for later runs, each with the lock of its leaf.
    pub(crate) answers: Vec<(Answered, Hash)>,
}

#[derive(Debug, Default)]
struct CallInProgress {
    start_us: u64,
    input: Option<Vec<u8>>,
    attempts: Vec<Attempt>,
    /// Accepted answers of which one is to be chosen.
    answers: BTreeMap<AttemptId, LastAttempt>,
    /// The request whose answer was chosen; until then the last that was made.
    last: Option<LastAttempt>,
    /// The operation and the leaf of an earlier run that the value is from.
    cached: Option<(u32, Hash)>,
}

/// What the commit of a call says of one of its requests.
#[derive(Debug)]
struct LastAttempt {
    operation: u32,
    request: Bytes,
    response: Bytes,
    /// Public key of the miner it was signed for.
    peer: Option<[u8; 32]>,
    /// The answers that `response` is made of, where any of them is signed.
    answers: Vec<Answer>,
}

impl Prover {
    /// The proof of a run of `plan` that was opened as `opened` under `secret`; `inputs` are its canonical
    /// bytes ([`crate::inputs::canonical`]).
    #[must_use]
    pub fn new(plan: Arc<Prepared>, opened: Opened, secret: &[u8; 32], inputs: &[u8], show: Show) -> Self {
        let secret = proof::body::RunSecret::new(*secret);
        let builder = ProofBuilder::new(Arc::clone(&plan.proof), opened, secret, inputs, show);
        Self::of(plan, builder)
    }

    /// The proof of a run of `plan` that `builder` has opened.
    pub(crate) fn of(plan: Arc<Prepared>, builder: Result<ProofBuilder, BuildError>) -> Self {
        Self {
            plan,
            builder,
            calls: BTreeMap::new(),
            decided: BTreeMap::new(),
            answered: BTreeMap::new(),
            chosen: Vec::new(),
        }
    }

    /// Takes in what happened, in order.
    pub fn absorb(&mut self, facts: Vec<Fact>) {
        for fact in facts {
            self.take(fact);
        }
    }

    /// The proof of the run, without its signature ([`Bundle::sign`]).
    ///
    /// # Errors
    /// [`BuildError`] where the run is larger than a proof may be; the run itself is none the worse.
    pub fn finish(self, end: &End, closed_at_us: u64) -> Result<Proven, BuildError> {
        let body = &self.plan.plan.body;
        let output = match end {
            End::Succeeded(value) => {
                let bytes = schema::encode::canonical(value, &body.output, &body.types);
                Some(bytes.map_err(|error| BuildError::Opening(format!("its result: {error}")))?)
            }
            End::Failed(_) | End::Cancelled => None,
        };
        let result = match end {
            End::Succeeded(_) => RunResult::Succeeded,
            End::Failed(error) => RunResult::Failed { code: error.code.clone() },
            End::Cancelled => RunResult::Cancelled,
        };
        let closing = Closing { result, output: output.as_deref(), closed_at_us };
        let place = |answered: &Answered| (answered.node, answered.iteration.clone());
        let wanted = self.chosen.iter().map(|answered| (place(answered), None)).collect();
        let (bundle, locks) = self.builder?.finish_unsigned(&closing, wanted)?;
        let answers = self.chosen.into_iter().filter_map(|answered| {
            let lock = locks.get(&place(&answered)).copied().flatten()?;
            Some((answered, lock))
        });
        Ok(Proven { answers: answers.collect(), bundle })
    }

    fn take(&mut self, fact: Fact) {
        let Fact { time_us, instance, kind } = fact;
        match kind {
            FactKind::Started => {
                self.calls
                    .insert(instance, CallInProgress { start_us: time_us, ..CallInProgress::default() });
            }
            FactKind::Given(args) => {
                let input = self.arguments(instance.node, &args);
                if let Some(call) = self.calls.get_mut(&instance) {
                    // A fallback call has arguments of its own; the node was given the first ones.
                    call.input.get_or_insert(input);
                }
            }
            FactKind::TookArm(arm) => {
                let output = proof::value::number_bytes(u64::from(arm));
                self.record(&instance, Outcome::Branch { arm }, time_us, Some(&output));
                self.decided.insert(instance, ());
            }
            FactKind::FannedOut(list) => {
                let count = list.as_list().map_or(0, <[Value]>::len);
                let outcome = Outcome::FanOut { count: u32::try_from(count).unwrap_or(u32::MAX) };
                let output = self.list(instance.node, &list);
                self.record(&instance, outcome, time_us, output.as_deref());
                self.decided.insert(instance, ());
            }
            FactKind::Attempted(attempted) => self.attempted(&instance, time_us, *attempted),
            FactKind::Counted(attempts) => {
                if let Some(call) = self.calls.get_mut(&instance) {
                    let counted = attempts.iter().filter_map(|attempt| call.answers.remove(attempt));
                    call.last = together(counted.collect()).or(call.last.take());
                }
            }
            FactKind::Chose(attempt) => {
                if let Some(call) = self.calls.get_mut(&instance) {
                    call.last = call.answers.remove(&attempt).or(call.last.take());
                }
                let answered = self.answered.remove(&attempt);
                self.chosen.extend(answered.filter(|_| self.chosen.len() < ANSWERS_MAX));
            }
            FactKind::Cached { operation, origin } => {
                if let Some(call) = self.calls.get_mut(&instance) {
                    call.cached = Some((operation, origin));
                }
            }
            FactKind::Answered { attempt, operation, request, pages, answer } => {
                let (node, iteration) = (instance.node, instance.iteration.to_vec());
                let answered = Answered { node, iteration, operation, request, pages, answer };
                self.answered.insert(attempt, answered);
            }
            FactKind::Completed(value) => self.completed(&instance, time_us, &value),
            FactKind::Failed(code) => self.failed(&instance, time_us, code),
            FactKind::Cancelled => self.failed(&instance, time_us, crate::core::CANCELLED.into()),
        }
    }

    fn attempted(&mut self, instance: &Instance, time_us: u64, attempted: Attempted) {
        let Attempted { attempt, operation, sent_us, outcome, error, cost, basis } = attempted;
        if !outcome.sent {
            return;
        }
        let reference = self.operation(operation);
        let Some(call) = self.calls.get_mut(instance) else { return };
        call.attempts.push(Attempt {
            operation: reference,
            start_us: sent_us,
            end_us: sent_us.max(time_us),
            error,
            cost: costs(cost, basis),
        });
        let (request, response) = (outcome.request, outcome.response);
        let peer = outcome.peer.and_then(|address| subnet::ss58::decode(&address).ok());
        let answers = outcome.answers;
        let made = LastAttempt { operation, request, response, peer, answers };
        if error.is_none() {
            call.answers.insert(attempt, made);
        } else {
            call.last = Some(made);
        }
    }

    fn completed(&mut self, instance: &Instance, time_us: u64, value: &Value) {
        let kind = self.plan.kind(instance.node);
        let output = self.output(instance.node, value);
        let outcome = match kind {
            NodeKind::Call => return self.call_ended(instance, Outcome::Call, time_us, output.as_deref()),
            NodeKind::Pure => Outcome::Pure,
            NodeKind::Ensure => Outcome::Ensure,
            NodeKind::Branch | NodeKind::FanOut => Outcome::Join,
        };
        self.decided.remove(instance);
        self.record(instance, outcome, time_us, output.as_deref());
    }

    fn failed(&mut self, instance: &Instance, time_us: u64, code: String) {
        let join = self.decided.remove(instance).is_some();
        let outcome = Outcome::Failed { code, join };
        if self.plan.kind(instance.node) == NodeKind::Call {
            return self.call_ended(instance, outcome, time_us, None);
        }
        self.record(instance, outcome, time_us, None);
    }

    fn record(&mut self, instance: &Instance, outcome: Outcome, time_us: u64, output: Option<&[u8]>) {
        let times = Times { start_us: time_us, end_us: time_us, monotonic_us: 0 };
        let mut record = NodeRecord::new(instance.node, &instance.iteration, outcome, times);
        record.contents.output = output;
        self.put(&record);
    }

    fn call_ended(&mut self, instance: &Instance, outcome: Outcome, end_us: u64, output: Option<&[u8]>) {
        let call = self.calls.remove(instance).unwrap_or_else(|| CallInProgress {
            // A call whose scope could not be opened fails before it starts.
            start_us: end_us,
            ..CallInProgress::default()
        });
        let outcome = match (outcome, call.cached) {
            (Outcome::Call, Some((_, origin))) => Outcome::Cached { origin },
            (outcome, _) => outcome,
        };
        let (start_us, monotonic_us) = (call.start_us, end_us.saturating_sub(call.start_us));
        let times = Times { start_us, end_us: end_us.max(start_us), monotonic_us };
        let list = call.last.as_ref().filter(|last| last.answers.len() > 1);
        let list = list.map(|last| answers::to_bytes(&last.answers)).unwrap_or_default();
        let mut record = NodeRecord::new(instance.node, &instance.iteration, outcome, times);
        record.contents = Contents { input: call.input.as_deref(), output, ..Contents::default() };
        record.attempts = &call.attempts;
        if let Some((operation, _)) = call.cached {
            record.operation = Some(self.operation(operation));
            record.ledger_entry = Some(self.plan.operation(operation).entry);
        } else if let Some(last) = &call.last {
            record.operation = Some(self.operation(last.operation));
            record.ledger_entry = Some(self.plan.operation(last.operation).entry);
            record.contents.request = present(&last.request);
            record.contents.response = present(&last.response);
            record.peer = self.peer(last, &list);
        }
        self.put(&record);
    }

    /// Who answered, and what they signed of it; else how the request was signed for them. `list` is that of several answers.
    fn peer<'a>(&self, last: &'a LastAttempt, list: &'a [u8]) -> Option<PeerRecord<'a>> {
        let mut attested = last.answers.iter().filter_map(|answer| answer.attestation.as_ref());
        if let Some(Attestation { scheme, key, signed, signature }) = attested.next() {
            let (signature, signed) = (Some(&signature[..]), Some(signed.as_bytes()));
            return Some(match last.answers.len() {
                1 => PeerRecord { scheme: scheme.of_peer_name(), key, signature, signed },
                _ => PeerRecord { scheme: answers::PEER, key, signature: None, signed: Some(list) },
            });
        }
        let key = last.peer.as_ref()?;
        let asked = match self.plan.operation(last.operation).descriptor.auth {
            Auth::Btauth { .. } => "btauth/1/sr25519",
            Auth::Signed(_) => "signed/sr25519",
            _ => "axon-v10/sr25519",
        };
        Some(PeerRecord { scheme: asked, key, signature: None, signed: None })
    }

    fn put(&mut self, record: &NodeRecord<'_>) {
        if let Ok(builder) = &mut self.builder
            && let Err(error) = builder.record(record)
        {
            self.builder = Err(error);
        }
    }

    fn operation(&self, index: u32) -> OperationRef {
        let descriptor = &self.plan.operation(index).descriptor;
        OperationRef { netuid: descriptor.netuid, id: descriptor.id.clone() }
    }

    /// Canonical bytes of a call's arguments, as a list.
    fn arguments(&self, node: NodeId, args: &[Value]) -> Vec<u8> {
        let body = &self.plan.plan.body;
        let fragments = self.plan.call(node, 0).map_or(&[][..], |spec| &spec.args);
        let items = args.iter().zip(fragments).filter_map(|(value, fragment)| {
            schema::encode::to_item(value, body.exprs.ty(fragment.body)?, &body.types).ok()
        });
        schema::ocb::Item::array(items).encode(schema::ocb::Profile::Value).unwrap_or_default()
    }

    fn output(&self, node: NodeId, value: &Value) -> Option<Vec<u8>> {
        let ty = self.plan.value_type(node)?;
        schema::encode::canonical(value, ty, &self.plan.plan.body.types).ok()
    }

    fn list(&self, node: NodeId, list: &Value) -> Option<Vec<u8>> {
        let ty = Type::list(self.plan.item_type(node)?.clone());
        schema::encode::canonical(list, &ty, &self.plan.plan.body.types).ok()
    }
}

/// The answers that decided a call as one record of it, which is that of the first where no peer signed any.
fn together(counted: Vec<LastAttempt>) -> Option<LastAttempt> {
    let is_signed = counted.iter().any(|made| !made.answers.is_empty());
    let mut counted = counted.into_iter();
    let mut first = counted.next()?;
    if !is_signed || counted.len() == 0 {
        return Some(first);
    }
    first.answers = first.parts();
    let (mut request, mut response) = (first.request.to_vec(), first.response.to_vec());
    for made in counted {
        first.answers.extend(made.parts());
        for (all, one) in [(&mut request, &made.request), (&mut response, &made.response)] {
            all.push(b'\n');
            all.extend_from_slice(one);
        }
    }
    Some(LastAttempt { request: request.into(), response: response.into(), ..first })
}

impl LastAttempt {
    /// What it is made of, also where nobody signed that.
    fn parts(&self) -> Vec<Answer> {
        match &self.answers[..] {
            [] => vec![Answer::new(&self.request, &self.response, None)],
            answers => answers.to_vec(),
        }
    }
}

fn costs(cost: schema::amount::Amount, basis: PriceBasis) -> Option<Cost> {
    (cost.units > 0).then(|| Cost { money: cost.into(), basis })
}

fn present(bytes: &Bytes) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}
