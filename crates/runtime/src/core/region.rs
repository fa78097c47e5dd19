//! Regions come and go: opening an instance, starting its nodes, handing on their values, giving it up.

use std::sync::Arc;

use plan_ir::expr::Fragment;
use plan_ir::graph::{NodeId, NodeKind};
use plan_ir::interp::match_pattern;
use plan_ir::plan::NodeBody;
use schema::error::PlanError;
use schema::limits::RUN_INSTANCES_MAX;
use schema::value::Value;

use super::event::{End, NodeState};
use super::fact::FactKind;
use super::frame::{Frame, Slot};
use super::prepared::RegionId;
use super::{Core, FrameId};

/// The run's own `ensure` did not hold.
const ENSURE_FAILED: &str = "E1150";
/// The run would have more instances than it may.
const TOO_MANY_INSTANCES: &str = "E1157";
/// The compiled plan contradicts itself.
const MALFORMED: &str = "E1170";

impl Core {
    /// Counts `times` instances of `region`; `false`, and counts nothing, where the run would have more
    /// than it may. A plan whose lists are all bounded was counted when it was compiled; this is for the
    /// others, before they take memory.
    pub(super) fn admit_instances(&mut self, region: RegionId, times: usize) -> bool {
        let more = self.plan.region(region).nodes.len().saturating_mul(times);
        let total = u32::try_from(more).ok().and_then(|more| self.instances.checked_add(more));
        match total.filter(|total| *total <= RUN_INSTANCES_MAX) {
            Some(total) => {
                self.instances = total;
                true
            }
            None => false,
        }
    }

    /// Fails a node that [`Self::admit_instances`] refused.
    pub(super) fn fail_crowded(&mut self, frame: FrameId, node: NodeId, what: &str) {
        let message = format!("with {what} the run would have more than {RUN_INSTANCES_MAX} steps");
        let error = self.error(frame, node, TOO_MANY_INSTANCES, message);
        self.fail_node(frame, node, error);
    }

    /// Opens an instance of `region`; its nodes without unfinished parents become ready.
    pub(super) fn open_frame(
        &mut self,
        region: RegionId,
        outer: Option<FrameId>,
        index: u32,
        item: Value,
        bound: Vec<Value>,
    ) -> FrameId {
        let plan = Arc::clone(&self.plan);
        let id = self.frames.next_id();
        let nodes = &plan.region(region).nodes;
        let mut slots = Vec::with_capacity(nodes.len());
        for node in nodes {
            let waits =
                plan.parents(*node).iter().filter(|parent| self.must_wait(id, *node, **parent, outer));
            let missing = waits.count();
            if missing == 0 {
                self.ready.push_back((id, *node));
            }
            slots.push(Slot::Waiting(missing));
        }
        let open = slots.len();
        let waiters = std::collections::BTreeMap::new();
        self.frames.insert(Frame { region, outer, index, item, bound, slots, open, waiters })
    }

    /// Whether `node` of the new instance `id` waits for `parent`, of the same region or one around it.
    fn must_wait(&mut self, id: FrameId, node: NodeId, parent: NodeId, outer: Option<FrameId>) -> bool {
        let region = self.plan.node(parent).region;
        let Some(home) = outer.and_then(|outer| self.frames.enclosing(outer, region)) else {
            return true;
        };
        if self.frames.value(&self.plan, home, parent).is_some() {
            return false;
        }
        if let Some(home) = self.frames.get_mut(home) {
            home.waiters.entry(parent).or_default().push((id, node));
        }
        true
    }

    /// Starts a node whose parents are done. Its instance may have been given up since it became ready.
    pub(super) fn start_node(&mut self, frame: FrameId, node: NodeId) {
        if self.frames.get(frame).is_none() {
            return;
        }
        if let Err(error) = self.enter_scopes(frame, node) {
            return self.fail_node(frame, node, *error);
        }
        let plan = Arc::clone(&self.plan);
        match plan.body(node) {
            NodeBody::Pure(fragment) => {
                if let Some(value) = self.eval_or_fail(frame, node, fragment) {
                    self.complete(frame, node, value);
                }
            }
            NodeBody::Spent(scope) => {
                let spent = self.spent_in(*scope, frame);
                self.complete(frame, node, Value::Amount(spent));
            }
            NodeBody::Ensure { condition, message } => self.ensure(frame, node, condition, message),
            NodeBody::Call(_) => self.start_call(frame, node),
            NodeBody::Branch { scrutinee, patterns } => {
                let Some(value) = self.eval_or_fail(frame, node, scrutinee) else { return };
                let taken = patterns.iter().zip(&plan.node(node).regions).find_map(|(pattern, region)| {
                    match_pattern(pattern, &value).map(|bound| (*region, bound))
                });
                let Some((region, bound)) = taken else {
                    let error = self.error(frame, node, MALFORMED, "no arm of the branch fits".into());
                    return self.fail_node(frame, node, error);
                };
                if !self.admit_instances(region, 1) {
                    return self.fail_crowded(frame, node, "this branch");
                }
                let arm = plan.node(node).regions.iter().position(|own| *own == region).unwrap_or(0);
                self.fact(frame, node, FactKind::TookArm(u32::try_from(arm).unwrap_or(u32::MAX)));
                self.node_progress(frame, node, NodeState::Running, "");
                let inner = self.open_frame(region, Some(frame), 0, Value::Null, bound);
                self.set_slot(frame, node, Slot::Branch(inner));
            }
            NodeBody::FanOut { list, .. } => {
                if let Some(list) = self.eval_or_fail(frame, node, list) {
                    self.start_fan_out(frame, node, &list);
                }
            }
        }
    }

    fn ensure(&mut self, frame: FrameId, node: NodeId, condition: &Fragment, message: &Fragment) {
        match self.eval_or_fail(frame, node, condition) {
            None => {}
            Some(Value::Bool(true)) => self.complete(frame, node, Value::Bool(true)),
            Some(_) => {
                let Some(message) = self.eval_or_fail(frame, node, message) else { return };
                let text = message.as_str().unwrap_or("a condition of the plan does not hold");
                let error = self.error(frame, node, ENSURE_FAILED, text.into());
                self.fail_node(frame, node, error);
            }
        }
    }

    /// The value of a node's expression; where it traps, the node has failed.
    fn eval_or_fail(&mut self, frame: FrameId, node: NodeId, fragment: &Fragment) -> Option<Value> {
        match self.eval(frame, fragment, &[]) {
            Ok(value) => Some(value),
            Err(trap) => {
                let error = self.trapped(frame, node, &trap);
                self.fail_node(frame, node, error);
                None
            }
        }
    }

    pub(super) fn set_slot(&mut self, frame: FrameId, node: NodeId, slot: Slot) {
        let position = self.plan.node(node).position;
        if let Some(place) = self.frames.slot_mut(frame, position) {
            *place = slot;
        }
    }

    /// A node has its value: what waited for it may start, and its region may be complete.
    pub(super) fn complete(&mut self, frame: FrameId, node: NodeId, value: Value) {
        let plan = Arc::clone(&self.plan);
        self.fact(frame, node, FactKind::Completed(value.clone()));
        if matches!(plan.kind(node), NodeKind::Call | NodeKind::Branch | NodeKind::FanOut) {
            self.node_progress(frame, node, NodeState::Succeeded, "");
        }
        self.leave_scopes(frame, node);
        let facts = plan.node(node);
        let Some(home) = self.frames.get_mut(frame) else { return };
        if let Some(slot) = home.slots.get_mut(facts.position) {
            *slot = Slot::Done(value);
        }
        home.open = home.open.saturating_sub(1);
        let complete = home.open == 0;
        let waiters = home.waiters.remove(&node).unwrap_or_default();
        let own = facts.children.iter().map(|child| (frame, *child));
        for (frame, child) in own.chain(waiters) {
            let position = plan.node(child).position;
            if let Some(Slot::Waiting(missing)) = self.frames.slot_mut(frame, position) {
                *missing = missing.saturating_sub(1);
                if *missing == 0 {
                    self.ready.push_back((frame, child));
                }
            }
        }
        if complete {
            self.close_frame(frame);
        }
    }

    /// Every node of an instance has its value: the instance's own goes to what opened it.
    fn close_frame(&mut self, id: FrameId) {
        let plan = Arc::clone(&self.plan);
        let Some(frame) = self.frames.remove(id) else { return };
        let Frame { region, outer, index, slots, .. } = *frame;
        self.close_scopes(id, region);
        let facts = plan.region(region);
        let position = facts.result.map(|result| plan.node(result).position);
        let value = match position.and_then(|position| slots.into_iter().nth(position)) {
            Some(Slot::Done(value)) => value,
            _ => Value::Null,
        };
        match (outer, facts.opener) {
            (Some(outer), Some(opener)) if plan.kind(opener) == NodeKind::FanOut => {
                self.element_done(outer, opener, index, value);
            }
            (Some(outer), Some(opener)) => self.complete(outer, opener, value),
            _ => self.finish(End::Succeeded(value)),
        }
    }

    /// A node has no value: its region fails.
    pub(super) fn fail_node(&mut self, frame: FrameId, node: NodeId, error: PlanError) {
        self.fact(frame, node, FactKind::Failed(error.code.clone()));
        self.node_progress(frame, node, NodeState::Failed, error.message.clone());
        self.set_slot(frame, node, Slot::Failed);
        self.fail_frame(frame, error);
    }

    /// A region fails: everything in it is given up, and so is what opened it, unless that tolerates it.
    pub(super) fn fail_frame(&mut self, id: FrameId, error: PlanError) {
        let Some(frame) = self.frames.get(id) else { return };
        let (outer, region, index) = (frame.outer, frame.region, frame.index);
        let opener = self.plan.region(region).opener;
        self.tear_down(id);
        match (outer, opener) {
            (Some(outer), Some(opener)) if self.plan.kind(opener) == NodeKind::FanOut => {
                self.element_failed(outer, opener, index, error);
            }
            (Some(outer), Some(opener)) => self.fail_node(outer, opener, error),
            _ => self.finish(End::Failed(error)),
        }
    }

    /// Gives up an instance and all inside it; attempts in flight are cancelled and settled.
    pub(super) fn tear_down(&mut self, id: FrameId) {
        let plan = Arc::clone(&self.plan);
        let Some(region) = self.frames.get(id).map(|frame| frame.region) else { return };
        for node in &plan.region(region).nodes {
            let position = plan.node(*node).position;
            let Some(slot) = self.frames.slot_mut(id, position) else { continue };
            match slot {
                Slot::Waiting(_) | Slot::Failed | Slot::Done(_) => continue,
                Slot::Call(_) => self.give_up_call(id, *node),
                Slot::Branch(inner) => {
                    let inner = *inner;
                    self.tear_down(inner);
                }
                Slot::FanOut(fan_out) => {
                    let running: Vec<_> = fan_out.running().collect();
                    running.into_iter().for_each(|inner| self.tear_down(inner));
                }
            }
            self.set_slot(id, *node, Slot::Failed);
            self.fact(id, *node, FactKind::Cancelled);
            self.node_progress(id, *node, NodeState::Cancelled, "");
        }
        self.close_scopes(id, region);
        self.frames.remove(id);
    }
}
