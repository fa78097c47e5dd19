//! The documentation of a plan as data: what its page says, before it is Markdown or HTML.

mod failure;
mod html;
mod markdown;
mod prose;

use std::collections::{BTreeSet, HashMap};

use plan_compiler::Source;
use plan_ir::bound::Bound;
use plan_ir::explain::time;
use plan_ir::plan::{CompiledPlan, PinnedOperation, descriptor};
use plan_lang::ast::{self, Item};
use plan_lang::{LineIndex, Parse, Span};
use schema::operation::{Access, OperationDescriptor};
use schema::price::PriceRule;
use schema::types::{DefId, Type, TypeDef, TypeDefs};

use crate::graph::PlanGraph;
pub use failure::Failure;
pub use html::{html, html_index};
pub use markdown::{markdown, markdown_index};

/// What the page of a plan says.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Name of the plan.
    pub plan: String,
    /// Name of its file.
    pub file: String,
    /// What its doc comment says, as Markdown; may be empty.
    pub docs: String,
    /// Its head as it is written, from `plan` to before the body.
    pub signature: String,
    /// Its whole text.
    pub source: String,
    /// What it takes.
    pub params: Vec<Param>,
    /// Type of what it gives.
    pub output: String,
    /// Records and enums that its inputs and its result are made of.
    pub types: Vec<TypeDoc>,
    /// Its steps and bounds.
    pub graph: PlanGraph,
    /// The operations it may call, by id.
    pub operations: Vec<Operation>,
    /// What happens when something fails, by step.
    pub failures: Vec<Failure>,
    /// Hash of the lock it was compiled against, short.
    pub lock: String,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: String,
    /// Its value where none is given, as it is written.
    pub default: Option<String>,
    /// What its doc comment says; may be empty.
    pub docs: String,
}

/// A record or enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeDoc {
    /// Its name.
    pub name: String,
    /// `record` or `enum`.
    pub kind: &'static str,
    /// What its doc comment says; may be empty.
    pub docs: String,
    /// Its fields or variants.
    pub members: Vec<Member>,
}

/// A field or variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its type; empty for a variant that carries nothing.
    pub ty: String,
    /// What its doc comment says; may be empty.
    pub docs: String,
}

/// An operation that the plan may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `sn<netuid>.<name>`.
    pub id: String,
    /// Version of the pinned entry.
    pub version: String,
    /// What it does.
    pub summary: String,
    /// What it costs, or that nobody says.
    pub price: String,
    /// Who may call it.
    pub access: &'static str,
    /// How sure the entry is.
    pub status: &'static str,
    /// Where the facts come from.
    pub sources: Vec<String>,
    /// The steps that may call it.
    pub steps: Vec<String>,
}

/// A line of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// Where the page is, from the index.
    pub link: String,
    /// Name of the plan.
    pub plan: String,
    /// Name of its file.
    pub file: String,
    /// First paragraph of its docs.
    pub summary: String,
    /// The most it can cost and take.
    pub bound: String,
}

/// A file whose plans are documented: it is read once for all their pages.
#[derive(Debug)]
pub struct Pages<'a> {
    source: &'a Source<'a>,
    lines: LineIndex,
    /// Its text in the one style, which reads best, and what that consists of.
    text: String,
    parse: Parse,
    /// Where in the tree each plan is.
    plans: HashMap<String, usize>,
}

impl<'a> Pages<'a> {
    /// The pages that can be made of `source`.
    #[must_use]
    pub fn of(source: &'a Source<'a>) -> Self {
        let text = plan_lang::format(source.text).unwrap_or_else(|_| source.text.to_owned());
        let parse = plan_lang::parse(&text);
        let plans = (0..).zip(&parse.ast().items).filter_map(|(at, item)| match item {
            Item::Plan(written) => Some((written.name.name.clone(), at)),
            _ => None,
        });
        let plans = plans.collect();
        Self { source, lines: LineIndex::new(source.text), text, parse, plans }
    }

    /// The page of a plan that was compiled from the file.
    #[must_use]
    pub fn page(&self, plan: &CompiledPlan, bound: &Bound) -> Page {
        let text = &self.text;
        let at = self.plans.get(&plan.body.name);
        let written = at.and_then(|at| match self.parse.ast().items.get(*at) {
            Some(Item::Plan(written)) => Some(written),
            _ => None,
        });
        let graph = PlanGraph::of(plan, bound, &self.lines);
        Page {
            plan: plan.body.name.clone(),
            file: self.source.name.to_owned(),
            docs: written.and_then(|written| written.docs.clone()).unwrap_or_default(),
            signature: written.map(|written| signature(text, written)).unwrap_or_default(),
            source: written.map(|written| slice(text, written.span)).unwrap_or_default(),
            params: params(plan, written, text),
            output: plan.body.types.show(&plan.body.output),
            types: types(plan),
            operations: operations(plan, &graph),
            failures: failure::failures(plan, &graph, self.source.text),
            lock: plan.lock_hash.short(),
            graph,
        }
    }
}

impl Page {
    /// Its line in an index.
    #[must_use]
    pub fn index_row(&self, link: impl Into<String>) -> IndexRow {
        let first = self.docs.split("\n\n").next().unwrap_or_default();
        IndexRow {
            link: link.into(),
            plan: self.plan.clone(),
            file: self.file.clone(),
            summary: first.replace('\n', " "),
            bound: self.bound_line(),
        }
    }

    /// `at most 0.42 USD, 53 s, 61 requests`.
    fn bound_line(&self) -> String {
        match self.graph.calls_max {
            0 => "makes no call and costs nothing".to_owned(),
            1 => {
                format!("at most {}, {}, 1 request", self.graph.cost_max, time(self.graph.latency_us_max))
            }
            requests => {
                format!(
                    "at most {}, {}, {requests} requests",
                    self.graph.cost_max,
                    time(self.graph.latency_us_max)
                )
            }
        }
    }
}

/// A table whose columns say something: one that is empty in every row is left out.
struct Table<'a> {
    head: Vec<&'a str>,
    rows: Vec<Vec<String>>,
}

impl<'a> Table<'a> {
    fn new(head: &[&'a str], rows: impl Iterator<Item = Vec<String>>) -> Self {
        let rows: Vec<Vec<String>> = rows.collect();
        let is_used =
            |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|cell| !cell.is_empty()));
        let used: Vec<bool> = (0..head.len()).map(is_used).collect();
        let keep = |at: usize| used.get(at).copied().unwrap_or(false);
        let head = head.iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, title)| *title).collect();
        let cells = |row: Vec<String>| {
            row.into_iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, cell)| cell).collect()
        };
        let rows = rows.into_iter().map(cells).collect();
        Self { head, rows }
    }
}

fn slice(text: &str, span: Span) -> String {
    text.get(span.range()).unwrap_or_default().to_owned()
}

/// From the word `plan` to before the body.
fn signature(text: &str, plan: &ast::Plan) -> String {
    let before_name = text.get(..plan.name.span.start as usize).unwrap_or_default();
    let start = before_name.rfind("plan").unwrap_or(plan.span.start as usize);
    text.get(start..plan.body.span.start as usize).unwrap_or_default().trim_end().to_owned()
}

fn params(plan: &CompiledPlan, written: Option<&ast::Plan>, text: &str) -> Vec<Param> {
    let default = |name: &str| {
        let param = written?.params.iter().find(|param| param.name.name == name)?;
        param.default.as_ref().map(|default| slice(text, default.span))
    };
    let one = |param: &plan_ir::plan::Param| Param {
        name: param.name.clone(),
        ty: plan.body.types.show(&param.ty),
        default: default(&param.name),
        docs: param.doc.clone(),
    };
    plan.body.params.iter().map(one).collect()
}

/// The records and enums that inputs and result are made of, in the order in which a reader meets them.
fn types(plan: &CompiledPlan) -> Vec<TypeDoc> {
    let defs = &plan.body.types;
    let mut open: Vec<DefId> = Vec::new();
    for ty in plan.body.params.iter().map(|param| &param.ty).chain([&plan.body.output]) {
        named(ty, &mut open);
    }
    open.reverse();
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(id) = open.pop() {
        let Some(def) = defs.get(id).filter(|_| seen.insert(id)) else { continue };
        let mut inner = Vec::new();
        members_of(def).for_each(|ty| named(ty, &mut inner));
        open.extend(inner.into_iter().rev());
        found.push(type_doc(defs, def));
    }
    found
}

fn members_of(def: &TypeDef) -> Box<dyn Iterator<Item = &Type> + '_> {
    match def {
        TypeDef::Record(def) => Box::new(def.fields.iter().map(|field| &field.ty)),
        TypeDef::Enum(def) => Box::new(def.variants.iter().filter_map(|variant| variant.payload.as_ref())),
    }
}

/// The definitions that a type names itself.
fn named(ty: &Type, found: &mut Vec<DefId>) {
    match ty {
        Type::Named(id) => found.push(*id),
        Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => named(inner, found),
        Type::Result(ok, err) => {
            named(ok, found);
            named(err, found);
        }
        _ => {}
    }
}

fn type_doc(defs: &TypeDefs, def: &TypeDef) -> TypeDoc {
    match def {
        TypeDef::Record(def) => TypeDoc {
            name: def.name.clone(),
            kind: "record",
            docs: def.doc.clone(),
            members: def
                .fields
                .iter()
                .map(|field| Member {
                    name: field.name.clone(),
                    ty: defs.show(&field.ty),
                    docs: field.doc.clone(),
                })
                .collect(),
        },
        TypeDef::Enum(def) => TypeDoc {
            name: def.name.clone(),
            kind: "enum",
            docs: def.doc.clone(),
            members: def
                .variants
                .iter()
                .map(|variant| Member {
                    name: variant.name.clone(),
                    ty: variant.payload.as_ref().map(|ty| defs.show(ty)).unwrap_or_default(),
                    docs: variant.doc.clone(),
                })
                .collect(),
        },
    }
}

fn operations(plan: &CompiledPlan, graph: &PlanGraph) -> Vec<Operation> {
    plan.body.operations.iter().filter_map(|pinned| operation(pinned, graph)).collect()
}

fn operation(pinned: &PinnedOperation, graph: &PlanGraph) -> Option<Operation> {
    let steps = graph.nodes.iter().filter(|node| node.operations.contains(&pinned.id));
    // A lock pins all of a capability; the plan calls what can serve it.
    let mut steps: Vec<String> = steps.map(|node| node.label.clone()).collect();
    let mut seen = BTreeSet::new();
    // A plan that is run in several arms has its steps several times.
    steps.retain(|step| seen.insert(step.clone()));
    let entry = descriptor(pinned).ok().filter(|_| !steps.is_empty())?;
    Some(Operation {
        id: pinned.id.clone(),
        version: entry.version.to_string(),
        price: price(&entry.price),
        access: access(entry.access),
        status: status(&entry),
        sources: entry.sources.iter().map(source).collect(),
        summary: entry.summary,
        steps,
    })
}

fn price(rule: &PriceRule) -> String {
    match rule {
        PriceRule::Free => "free".to_owned(),
        PriceRule::PerCall { amount } => format!("{amount} a call"),
        _ => "not published: the plan's `max_price` counts".to_owned(),
    }
}

const fn access(access: Access) -> &'static str {
    match access {
        Access::Open => "anyone",
        Access::Key => "holders of an API key",
        Access::X402 => "anyone who pays by x402",
        Access::RegisteredHotkey => "registered hotkeys",
        Access::PermitAndStake => "validators with a permit and stake",
    }
}

const fn status(entry: &OperationDescriptor) -> &'static str {
    match (entry.verified, entry.output_complete) {
        (true, true) => "verified by real calls",
        (true, false) => "verified by real calls; its answer is opaque JSON",
        (false, true) => "from public sources, not verified",
        (false, false) => "from public sources, not verified; its answer is opaque JSON",
    }
}

fn source(source: &schema::operation::Source) -> String {
    let path = source.path.as_ref().map(|path| format!(" {path}")).unwrap_or_default();
    let commit = source.commit.as_ref().map(|commit| {
        let short: String = commit.chars().take(12).collect();
        format!(" at {short}")
    });
    format!("{}{path}{}", source.reference, commit.unwrap_or_default())
}
