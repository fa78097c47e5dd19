//! What may not go round in a circle: functions, plans, records.

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use plan_lang::ast::Item;
use plan_lang::{Code, Diagnostic, Span};
use schema::types::{DefId, Type, TypeDef};

use super::Resolver;
use crate::calls::{applied, run_plans};
use crate::codes;
use crate::program::{Origin, TypeName};

impl Resolver<'_, '_> {
    /// Reports circles of functions, of plans and of records.
    pub(super) fn check_cycles(&mut self) {
        self.check_functions();
        self.check_plans();
        self.check_records();
    }

    fn check_functions(&mut self) {
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = self.program.functions.iter().map(|_| graph.add_node(())).collect();
        for (function, &from) in self.program.functions.iter().zip(&nodes) {
            let Some(module) = self.program.modules.get(function.module) else { continue };
            for name in applied(&function.decl.body) {
                let callee = module.functions.get(name.name.as_str()).and_then(|&to| nodes.get(to));
                if let Some(&to) = callee {
                    graph.add_edge(from, to, name.span);
                }
            }
        }
        for circle in circles(&graph) {
            let members = circle.nodes.iter().filter_map(|at| self.program.functions.get(at.index()));
            let names: Vec<&str> = members.clone().map(|f| f.decl.name.name.as_str()).collect();
            let source = members.clone().next().map_or(0, |f| f.source);
            let report = circle.report(codes::RECURSIVE_FN, "function", &names, "called here");
            let report =
                report.help("functions end because they never call themselves: use `map`, `filter` or `for`");
            self.report(source, report);
        }
    }

    fn check_plans(&mut self) {
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = self.program.plans.iter().map(|_| graph.add_node(())).collect();
        if let Some(module) = self.program.modules.first() {
            for (plan, &from) in self.program.plans.iter().zip(&nodes) {
                for path in run_plans(&plan.decl.body) {
                    let Some(name) = path.as_ident() else { continue };
                    let callee = module.plans.get(name.name.as_str()).and_then(|&to| nodes.get(to));
                    if let Some(&to) = callee {
                        graph.add_edge(from, to, name.span);
                    }
                }
            }
        }
        for circle in circles(&graph) {
            let members = circle.nodes.iter().filter_map(|at| self.program.plans.get(at.index()));
            let names: Vec<&str> = members.map(|p| p.decl.name.name.as_str()).collect();
            let report = circle.report(codes::RECURSIVE_PLAN, "plan", &names, "run here");
            let report = report.help("a plan is laid out in full before it runs, so it cannot run itself");
            self.report(0, report);
        }
    }

    /// A record of the file that holds itself has no finite value.
    fn check_records(&mut self) {
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = (0..self.types.len()).map(|_| graph.add_node(())).collect();
        for (def, ty) in self.types.iter() {
            if self.program.origin(def) != Origin::File {
                continue;
            }
            if let TypeDef::Record(record) = ty {
                for to in record.fields.iter().filter_map(|field| directly(&field.ty)) {
                    if let (Some(&from), Some(&to)) = (nodes.get(def.0 as usize), nodes.get(to.0 as usize)) {
                        graph.add_edge(from, to, Span::default());
                    }
                }
            }
        }
        for circle in circles(&graph) {
            let names: Vec<String> = circle
                .nodes
                .iter()
                .filter_map(|at| u32::try_from(at.index()).ok().and_then(|at| self.types.get(DefId(at))))
                .map(|ty| ty.name().to_owned())
                .collect();
            let Some((source, span)) = names.first().and_then(|name| self.record_place(name)) else {
                continue;
            };
            let message = format!("the record `{}` contains itself", names.join("` > `"));
            self.report(
                source,
                Diagnostic::error(codes::INFINITE_RECORD, message)
                    .primary(span, "no value of it could ever be complete")
                    .help("put a list or `?` between: `[T]`, `T?`"),
            );
        }
    }

    fn record_place(&self, name: &str) -> Option<(u16, Span)> {
        let declared = self.program.modules.first()?.types.get(name)?;
        matches!(declared, TypeName::Def(_)).then_some(())?;
        let mut records = self.main_items.iter().filter_map(|item| match item {
            Item::Record(item) if item.name.name == name => Some(item.name.span),
            _ => None,
        });
        Some((0, records.next()?))
    }
}

/// The record that a value of `ty` always holds.
fn directly(ty: &Type) -> Option<DefId> {
    match ty {
        Type::Named(def) => Some(*def),
        _ => None,
    }
}

/// A circle of declarations.
struct Circle {
    nodes: Vec<NodeIndex>,
    /// Where each leads to another, in source order.
    edges: Vec<Span>,
}

impl Circle {
    fn report(&self, code: Code, what: &str, names: &[&str], label: &str) -> Diagnostic {
        let message = match names {
            [only] => format!("the {what} `{only}` leads back to itself"),
            many => format!("the {what}s `{}` lead back to one another", many.join("`, `")),
        };
        let mut report = Diagnostic::error(code, message);
        for (index, &edge) in self.edges.iter().enumerate() {
            report = if index == 0 { report.primary(edge, label) } else { report.secondary(edge, label) };
        }
        report
    }
}

/// Every circle of the graph, by the order of its first node.
fn circles(graph: &DiGraph<(), Span>) -> Vec<Circle> {
    // Kosaraju's way needs no stack as deep as the longest chain.
    let mut found: Vec<Circle> = petgraph::algo::kosaraju_scc(graph)
        .into_iter()
        .filter_map(|mut nodes| {
            nodes.sort_unstable();
            let out = nodes.iter().flat_map(|&node| graph.edges(node));
            let inside = out.filter(|edge| nodes.binary_search(&edge.target()).is_ok());
            let mut edges: Vec<Span> = inside.map(|edge| *edge.weight()).collect();
            edges.sort_unstable();
            (!edges.is_empty()).then_some(Circle { nodes, edges })
        })
        .collect();
    found.sort_by(|a, b| a.nodes.cmp(&b.nodes));
    found
}
