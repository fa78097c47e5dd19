//! Answers of earlier runs. A call with `cache` looks for one before it asks; only an answer that this plan
//! accepts counts, so what another plan accepted is judged again.

use std::sync::Arc;

use plan_ir::graph::NodeId;
use plan_ir::plan::CallSpec;
use schema::hash::Hash;
use schema::value::Value;

use super::call::State;
use super::event::NodeState;
use super::fact::FactKind;
use super::{Core, FrameId};

/// Number of a look-up within its run, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(pub u32);

/// What is looked for: the newest answer to one of these requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// The look-up.
    pub id: LookupId,
    /// Operations, by their position in the plan, with what each would be asked, in the order the call
    /// prefers them.
    pub requests: Vec<(u32, Value)>,
    /// Pages of the answer at most.
    pub pages: u32,
    /// How old an answer may be, microseconds.
    pub age_us: u64,
}

/// An answer that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Which of [`Lookup::requests`] it answers.
    pub request: u32,
    /// The answer as the operation gave it.
    pub answer: Value,
    /// The lock of the leaf, in the proof of the run that paid for it.
    pub origin: Hash,
}

impl Core {
    /// The look-ups whose results are awaited.
    pub fn lookups(&self) -> impl Iterator<Item = &Lookup> {
        self.lookups.values().filter_map(|(frame, node)| match &self.call_ref(*frame, *node)?.state {
            State::Lookup(lookup) => Some(lookup),
            _ => None,
        })
    }

    /// Looks for an answer to what the call would ask each of its operations.
    pub(super) fn look_up(&mut self, frame: FrameId, node: NodeId, spec: &CallSpec, age_us: u64) {
        let choices = self.call_mut(frame, node).map(|call| call.choices.clone()).unwrap_or_default();
        let asked = choices.iter().map(|choice| self.request_of(frame, node, spec, choice));
        // A request that cannot be formed is reported when it is to be sent.
        let Ok(requests) = asked.collect::<Result<Vec<_>, _>>() else {
            return self.begin_round(frame, node);
        };
        let requests: Vec<_> =
            requests.into_iter().map(|(request, operation)| (operation, request)).collect();
        self.lookups_made = self.lookups_made.wrapping_add(1);
        let lookup = Lookup { id: LookupId(self.lookups_made), requests, pages: spec.pages, age_us };
        self.lookups.insert(lookup.id, (frame, node));
        self.actions.lookups.push(lookup.clone());
        if let Some(call) = self.call_mut(frame, node) {
            call.state = State::Lookup(lookup);
        }
    }

    pub(super) fn forget_lookup(&mut self, id: LookupId) {
        self.lookups.remove(&id);
        self.actions.lookups.retain(|lookup| lookup.id != id);
    }

    pub(super) fn looked_up(&mut self, id: LookupId, hit: Option<Hit>) {
        let Some((frame, node)) = self.lookups.remove(&id) else { return };
        if let Some(call) = self.call_mut(frame, node) {
            call.state = State::Nothing;
        }
        let plan = Arc::clone(&self.plan);
        let accepted = hit.and_then(|hit| {
            let position = hit.request as usize;
            let value = self.judge(frame, node, position, hit.answer).ok()?;
            let call = self.call_ref(frame, node)?;
            let choice = call.choices.get(position)?;
            let operation = plan.call(node, call.level)?.candidates.get(choice.candidate)?.operation;
            Some((value, operation, hit.origin))
        });
        match accepted {
            Some((value, operation, origin)) => {
                self.node_progress(frame, node, NodeState::Running, "taken from an earlier run");
                self.fact(frame, node, FactKind::Cached { operation, origin });
                self.call_succeeded(frame, node, value);
            }
            None => self.begin_round(frame, node),
        }
    }
}
