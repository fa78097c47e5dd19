//! `for`: one instance of the body per element, so many at once, some of which may fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::graph::NodeId;
use plan_ir::plan::{NodeBody, OnError, Tolerance};
use schema::error::PlanError;
use schema::types::{DefId, Type};
use schema::value::Value;

use super::event::NodeState;
use super::fact::FactKind;
use super::frame::Slot;
use super::{Core, FrameId};

/// Failed elements that the message of a failed loop names.
const SHOWN_FAILURES: usize = 3;

/// A fan-out under way.
#[derive(Debug)]
pub(crate) struct FanOut {
    items: Arc<[Value]>,
    /// The next element to start.
    next: u32,
    running: BTreeMap<u32, FrameId>,
    /// By element; `None` where it is not done or was dropped.
    results: Vec<Option<Value>>,
    done: u32,
    failed: u32,
    /// The first that failed, for the message of the one that is too many: `[3] E1101`.
    first_failures: Vec<String>,
    /// How many may fail.
    allowed: u32,
    concurrency: u32,
}

impl FanOut {
    fn new(items: Arc<[Value]>, concurrency: Option<u32>, tolerate: Tolerance) -> Self {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let share = |points: u32| u64::from(count) * u64::from(points) / 10_000;
        Self {
            next: 0,
            running: BTreeMap::new(),
            results: vec![None; items.len()],
            done: 0,
            failed: 0,
            first_failures: Vec::new(),
            allowed: match tolerate {
                Tolerance::Count(allowed) => allowed,
                Tolerance::BasisPoints(points) => u32::try_from(share(points)).unwrap_or(u32::MAX),
                Tolerance::All => u32::MAX,
            },
            // A window of nothing would never end.
            concurrency: concurrency.unwrap_or(u32::MAX).max(1),
            items,
        }
    }

    /// The instances of its body that have not ended.
    pub(crate) fn running(&self) -> impl Iterator<Item = FrameId> {
        self.running.values().copied()
    }

    /// Takes the next element to start, where the window has room.
    fn admit(&mut self) -> Option<(u32, Value)> {
        let room = u32::try_from(self.running.len()).is_ok_and(|running| running < self.concurrency);
        let item = self.items.get(self.next as usize).filter(|_| room)?.clone();
        let index = self.next;
        self.next += 1;
        Some((index, item))
    }

    /// What is said of those that failed before one that is too many.
    fn failures_before(&self) -> String {
        let before = self.failed.saturating_sub(1);
        let shown = u32::try_from(self.first_failures.len()).unwrap_or(u32::MAX);
        let more = match before.saturating_sub(shown) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        match before {
            0 => String::new(),
            _ => format!("; tolerated before: {}{more}", self.first_failures.join(", ")),
        }
    }

    fn settle(&mut self, index: u32, result: Option<Value>) {
        self.running.remove(&index);
        self.done += 1;
        if let Some(place) = self.results.get_mut(index as usize) {
            *place = result;
        }
    }

    fn is_complete(&self) -> bool {
        self.done as usize == self.items.len()
    }

    fn value(self) -> Value {
        Value::list(self.results.into_iter().flatten())
    }
}

impl Core {
    pub(super) fn start_fan_out(&mut self, frame: FrameId, node: NodeId, list: &Value) {
        let plan = Arc::clone(&self.plan);
        let NodeBody::FanOut { concurrency, tolerate, .. } = plan.body(node) else { return };
        let items: Arc<[Value]> = match list {
            Value::List(items) => Arc::clone(items),
            _ => Arc::from([]),
        };
        let body = plan.node(node).regions.first();
        if body.is_some_and(|body| !self.admit_instances(*body, items.len())) {
            return self.fail_crowded(frame, node, &format!("a loop over {} elements", items.len()));
        }
        self.fact(frame, node, FactKind::FannedOut(Value::List(Arc::clone(&items))));
        self.node_progress(frame, node, NodeState::Running, items.len().to_string());
        let fan_out = FanOut::new(items, *concurrency, *tolerate);
        self.set_slot(frame, node, Slot::FanOut(Box::new(fan_out)));
        self.advance_fan_out(frame, node);
    }

    /// Starts elements while the window has room; with none left, the node is complete.
    fn advance_fan_out(&mut self, frame: FrameId, node: NodeId) {
        let plan = Arc::clone(&self.plan);
        let Some(body) = plan.node(node).regions.first() else { return };
        while let Some((index, item)) = self.fan_out_mut(frame, node).and_then(FanOut::admit) {
            let inner = self.open_frame(*body, Some(frame), index, item, Vec::new());
            if let Some(fan_out) = self.fan_out_mut(frame, node) {
                fan_out.running.insert(index, inner);
            }
        }
        if self.fan_out_mut(frame, node).is_some_and(|fan_out| fan_out.is_complete()) {
            let position = plan.node(node).position;
            let Some(slot) = self.frames.slot_mut(frame, position) else { return };
            if let Slot::FanOut(fan_out) = std::mem::replace(slot, Slot::Failed) {
                self.complete(frame, node, fan_out.value());
            }
        }
    }

    pub(super) fn element_done(&mut self, frame: FrameId, node: NodeId, index: u32, value: Value) {
        let keep = self.kept_as(node).is_some();
        if let Some(fan_out) = self.fan_out_mut(frame, node) {
            fan_out.settle(index, Some(if keep { Value::ok(value) } else { value }));
        }
        self.advance_fan_out(frame, node);
    }

    pub(super) fn element_failed(&mut self, frame: FrameId, node: NodeId, index: u32, mut error: PlanError) {
        let plan = Arc::clone(&self.plan);
        let kept = self.kept_as(node);
        let Some(fan_out) = self.fan_out_mut(frame, node) else { return };
        fan_out.failed += 1;
        if fan_out.failed > fan_out.allowed {
            fan_out.running.remove(&index);
            error.message.push_str(&fan_out.failures_before());
            return self.fail_fan_out(frame, node, error);
        }
        if fan_out.first_failures.len() < SHOWN_FAILURES {
            fan_out.first_failures.push(format!("[{index}] {}", error.code));
        }
        let item = fan_out.items.get(index as usize).cloned().unwrap_or(Value::Null);
        let result = kept.map(|def| {
            let error = error_value(&plan.plan.body.types, def, &error);
            Value::err(Value::record([Value::Int(i64::from(index)), item, error]))
        });
        fan_out.settle(index, result);
        self.advance_fan_out(frame, node);
    }

    /// More elements failed than the plan tolerates: the others are given up.
    fn fail_fan_out(&mut self, frame: FrameId, node: NodeId, error: PlanError) {
        let running: Vec<_> = self.fan_out_mut(frame, node).into_iter().flat_map(|f| f.running()).collect();
        running.into_iter().for_each(|inner| self.tear_down(inner));
        self.fail_node(frame, node, error);
    }

    fn fan_out_mut(&mut self, frame: FrameId, node: NodeId) -> Option<&mut FanOut> {
        match self.frames.slot_mut(frame, self.plan.node(node).position)? {
            Slot::FanOut(fan_out) => Some(fan_out),
            _ => None,
        }
    }

    /// The record of a failed element, where failed elements are kept.
    fn kept_as(&self, node: NodeId) -> Option<DefId> {
        match self.plan.body(node) {
            NodeBody::FanOut { on_error: OnError::Keep { item_error }, .. } => Some(*item_error),
            _ => None,
        }
    }
}

/// `PlanError { code, message, node }` as the plan sees it.
fn error_value(types: &schema::types::TypeDefs, item_error: DefId, error: &PlanError) -> Value {
    let node_is_optional = types
        .record(item_error)
        .and_then(|record| record.field("error"))
        .and_then(|(_, field)| match &field.ty {
            Type::Named(id) => types.record(*id),
            _ => None,
        })
        .and_then(|record| record.field("node"))
        .is_some_and(|(_, field)| matches!(field.ty, Type::Optional(_)));
    let node = match &error.node {
        Some(node) => Value::string(node.as_str()),
        None if node_is_optional => Value::Null,
        None => Value::string(""),
    };
    Value::record([Value::string(error.code.as_str()), Value::string(error.message.as_str()), node])
}
