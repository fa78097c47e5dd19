//! Expressions: the table as a whole, and what a fragment may read from where it stands.

use super::{InvalidPlan, values};
use crate::expr::{Expr, Fragment, LocalId};
use crate::graph::{NodeId, NodeKind};
use crate::interp::FRAME_LOCALS_MAX;
use crate::plan::{CompiledPlan, NodeBody, PlanBody};
use crate::topology::Topology;

/// Types, operands and constants of every expression.
pub(super) fn table(body: &PlanBody) -> Result<(), InvalidPlan> {
    let table = &body.exprs;
    if table.exprs.len() != table.types.len() {
        return Err(InvalidPlan::new("not every expression has a type", "expression", table.types.len()));
    }
    for ((id, expr), ty) in (0_u32..).zip(&table.exprs).zip(&table.types) {
        let fail = |what| InvalidPlan::new(what, "expression", id);
        values::known_type(ty, &body.types).map_err(fail)?;
        let mut ordered = true;
        expr.each_operand(|operand| ordered &= operand.0 < id);
        if !ordered || expr.lambda().is_some_and(|lambda| lambda.body.0 >= id) {
            return Err(fail("an operand is not before what uses it"));
        }
        match expr {
            Expr::Const(value) => values::fitting(value, ty, &body.types).map_err(fail)?,
            Expr::Record(def, fields) => match body.types.record(*def) {
                Some(record) if record.fields.len() == fields.len() => {}
                _ => return Err(fail("a record does not have the fields of its type")),
            },
            Expr::Apply(function, args) => match body.functions.get(function.0 as usize) {
                Some(function) if function.fragment.params as usize == args.len() => {}
                _ => return Err(fail("a call does not fit its function")),
            },
            _ => {}
        }
    }
    Ok(())
}

/// What can be read from where a fragment stands.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) params: bool,
    pub(super) node: Option<(&'a CompiledPlan, &'a Topology, NodeId)>,
}

impl Sight<'_> {
    pub(super) const NOTHING: Self = Self { params: false, node: None };
    pub(super) const PARAMS: Self = Self { params: true, node: None };
}

/// A place with fragments.
pub(super) struct Reader<'a> {
    pub(super) sight: Sight<'a>,
    pub(super) place: (&'static str, u32),
}

impl Reader<'_> {
    pub(super) fn fail(&self, what: &'static str) -> InvalidPlan {
        InvalidPlan::new(what, self.place.0, self.place.1)
    }

    pub(super) fn frame(&self, fragment: &Fragment, params: u32) -> Result<(), InvalidPlan> {
        if fragment.params != params || fragment.frame < params {
            return Err(self.fail("a fragment has another number of arguments than its place gives"));
        }
        if fragment.frame > FRAME_LOCALS_MAX {
            return Err(self.fail("a fragment has too many locals"));
        }
        Ok(())
    }

    /// Whether `expr` reads and binds only what is there.
    pub(super) fn reads(&self, body: &PlanBody, expr: &Expr, frame: u32) -> Result<(), InvalidPlan> {
        let local = |local: LocalId| local.0 < frame;
        let fits = match expr {
            Expr::Param(index) => self.sight.params && (*index as usize) < body.params.len(),
            Expr::Node(node) => self.sees_node(*node),
            Expr::Item(control) => self.is_inside(*control, |kind, _| kind == NodeKind::FanOut),
            Expr::Bound(control, index) => self.is_inside(*control, |kind, region| {
                kind == NodeKind::Branch && *index < self.binders(*control, region)
            }),
            Expr::Local(read) => local(*read),
            Expr::Let { local: bound, .. } => local(*bound),
            Expr::Match { arms, .. } => {
                for arm in arms {
                    values::pattern(&arm.pattern, &mut |bound| local(bound))
                        .map_err(|what| self.fail(what))?;
                }
                true
            }
            Expr::Builtin { lambda: Some(lambda), .. } => lambda.params.iter().all(|param| local(*param)),
            _ => true,
        };
        if fits { Ok(()) } else { Err(self.fail("an expression reads or binds what is not there")) }
    }

    /// The node reads only its parents, so that the graph tells the whole truth about what depends on what.
    fn sees_node(&self, read: NodeId) -> bool {
        self.sight.node.is_some_and(|(plan, _, id)| {
            plan.graph.node(id).is_some_and(|node| node.parents.binary_search(&read).is_ok())
        })
    }

    fn is_inside(&self, control: NodeId, is: impl Fn(NodeKind, u32) -> bool) -> bool {
        self.sight.node.is_some_and(|(plan, topology, id)| {
            let around = topology.around(id).find(|(around, _)| *around == control);
            match (around, plan.graph.node(control)) {
                (Some((_, region)), Some(node)) => is(node.kind, region),
                _ => false,
            }
        })
    }

    /// How much the pattern of an arm binds.
    fn binders(&self, control: NodeId, region: u32) -> u32 {
        let mut count = 0;
        let body = self.sight.node.and_then(|(plan, ..)| plan.body.nodes.get(control.0 as usize));
        if let Some(NodeBody::Branch { patterns, .. }) = body
            && let Some(pattern) = patterns.get(region as usize)
        {
            // A pattern that is out of order is reported with its branch.
            let _ = values::pattern(pattern, &mut |_| {
                count += 1;
                true
            });
        }
        count
    }
}
