//! What may not go round in a circle: functions, plans, types.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use plan_lang::ast::Item;
use plan_lang::{Code, Diagnostic, Span};
use schema::types::{DefId, Type, TypeDef};

use super::Resolver;
use crate::calls::applied;
use crate::codes;
use crate::program::{Origin, TypeName};

/// Members and places of a circle that its message shows.
const SHOWN_MAX: usize = 5;

impl Resolver<'_, '_> {
    /// Reports circles of functions and of plans, and types that have no value.
    pub(super) fn check_cycles(&mut self) {
        self.check_functions();
        self.check_plans();
        self.check_types();
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
                for name in &plan.runs {
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

    /// A type of the file that holds itself, or an enum without a variant, has no value.
    fn check_types(&mut self) {
        let empty = self.without_values();
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = (0..self.types.len()).map(|_| graph.add_node(())).collect();
        let node = |def: DefId| nodes.get(def.0 as usize).copied();
        for &def in &empty {
            for to in self.types.get(def).into_iter().flat_map(parts).flat_map(|ty| needs(ty, &empty)) {
                if let (Some(from), Some(to)) = (node(def), node(to)) {
                    graph.add_edge(from, to, Span::default());
                }
            }
        }
        for &def in &empty {
            if let Some(TypeDef::Enum(found)) = self.types.get(def)
                && found.variants.is_empty()
            {
                let message = format!("the enum `{}` has no variant", found.name);
                self.report_type(&found.name.clone(), message, "add the variants that a value can be");
            }
        }
        for circle in circles(&graph) {
            let found = circle.nodes.iter().filter_map(|at| u32::try_from(at.index()).ok());
            let members: Vec<&TypeDef> = found.filter_map(|at| self.types.get(DefId(at))).collect();
            let names: Vec<&str> = members.iter().map(|ty| ty.name()).collect();
            let records = members.iter().all(|ty| matches!(ty, TypeDef::Record(_)));
            let what = if records { "record" } else { "type" };
            let message = format!("the {what} {} contains itself", named(&names, " > "));
            let help = if records {
                "put a list or `?` between: `[T]`, `T?`"
            } else {
                "put a list or `?` between: `[T]`, `T?`; or add a variant that does not hold it"
            };
            if let Some(first) = names.first().map(|name| (*name).to_owned()) {
                self.report_type(&first, message, help);
            }
        }
    }

    fn report_type(&mut self, name: &str, message: String, help: &str) {
        if let Some((source, span)) = self.type_place(name) {
            let report = Diagnostic::error(codes::NO_FINITE_VALUE, message)
                .primary(span, "no value of it could ever be complete")
                .help(help);
            self.report(source, report);
        }
    }

    /// The types of the file that no finite value has: what is left where those are taken away that have one.
    fn without_values(&self) -> BTreeSet<DefId> {
        let of_file: Vec<(DefId, &TypeDef)> =
            self.types.iter().filter(|(def, _)| self.program.origin(*def) == Origin::File).collect();
        let mut left: BTreeSet<DefId> = of_file.iter().map(|(def, _)| *def).collect();
        let mut users: BTreeMap<DefId, Vec<DefId>> = BTreeMap::new();
        for (def, ty) in &of_file {
            for needed in parts(ty).into_iter().flat_map(|part| needs(part, &left)) {
                users.entry(needed).or_default().push(*def);
            }
        }
        let mut open: Vec<DefId> = left.iter().copied().collect();
        while let Some(def) = open.pop() {
            if left.contains(&def) && self.has_value(def, &left) {
                left.remove(&def);
                open.extend(users.remove(&def).unwrap_or_default());
            }
        }
        left
    }

    /// Whether `def` has a value without a value of those in `empty`.
    fn has_value(&self, def: DefId, empty: &BTreeSet<DefId>) -> bool {
        match self.types.get(def) {
            Some(TypeDef::Record(record)) => {
                record.fields.iter().all(|field| needs(&field.ty, empty).is_empty())
            }
            Some(TypeDef::Enum(found)) => found.variants.iter().any(|variant| {
                variant.payload.as_ref().is_none_or(|payload| needs(payload, empty).is_empty())
            }),
            None => true,
        }
    }

    /// Where the file declares the type called `name`.
    pub(super) fn type_place(&self, name: &str) -> Option<(u16, Span)> {
        let declared = self.program.modules.first()?.types.get(name)?;
        matches!(declared, TypeName::Def(_)).then_some(())?;
        let mut found = self.main_items.iter().filter_map(|item| match item {
            Item::Record(_) | Item::Enum(_) => item.name().filter(|known| known.name == name),
            _ => None,
        });
        Some((0, found.next()?.span))
    }
}

/// The types of the members of `def`.
fn parts(def: &TypeDef) -> Vec<&Type> {
    match def {
        TypeDef::Record(record) => record.fields.iter().map(|field| &field.ty).collect(),
        TypeDef::Enum(found) => {
            found.variants.iter().filter_map(|variant| variant.payload.as_ref()).collect()
        }
    }
}

/// Those of `empty` that keep `ty` from having a value; none where it has one without them.
fn needs(ty: &Type, empty: &BTreeSet<DefId>) -> Vec<DefId> {
    match ty {
        Type::Named(def) if empty.contains(def) => vec![*def],
        Type::List(element, length) if length.min > 0 => needs(element, empty),
        Type::Result(ok, err) => {
            let (mut ok, err) = (needs(ok, empty), needs(err, empty));
            if ok.is_empty() || err.is_empty() {
                return Vec::new();
            }
            ok.extend(err);
            ok
        }
        _ => Vec::new(),
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
            many => format!("the {what}s {} lead back to one another", named(many, ", ")),
        };
        let mut report = Diagnostic::error(code, message);
        for (index, &edge) in self.edges.iter().take(SHOWN_MAX).enumerate() {
            report = if index == 0 { report.primary(edge, label) } else { report.secondary(edge, label) };
        }
        report
    }
}

/// The first names of a circle, and how many others it has.
fn named(names: &[&str], between: &str) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN_MAX).map(|name| format!("`{name}`")).collect();
    let shown = shown.join(between);
    match names.len().saturating_sub(SHOWN_MAX) {
        0 => shown,
        1 => format!("{shown} and 1 other"),
        rest => format!("{shown} and {rest} others"),
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
