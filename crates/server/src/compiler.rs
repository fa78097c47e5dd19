//! `CompilerService`: check, format and explain plans. Pure: nothing is stored, nothing is spent.

use std::collections::{BTreeMap, BTreeSet};

use plan_compiler::{Compilation, Options, Source};
use plan_ir::bound::Bound;
use plan_ir::graph::{Graph, NodeId, NodeKind, Region};
use plan_ir::plan::{CompiledPlan, NodeBody, Param};
use plan_lang::SourceFile;
use plan_lang::ast::Item;
use proto::v1;
use proto::v1::compiler_service_server::CompilerService;
use schema::json_schema::to_json_schema;
use schema::lock::{Lock, LockBodies, Lockfile};
use schema::tool::ToolParam;
use schema::types::Type;
use tonic::{Request, Response, Status};

use crate::convert;
use crate::ledger;
use crate::open::Service;
use crate::status::{bad_field, status};

/// The service.
#[derive(Debug)]
pub(crate) struct Compiler {
    pins: Pins,
}

/// What plans are compiled against.
#[derive(Clone, Debug)]
pub(crate) struct Pins {
    ledger: ledger_service::Handle,
    locks_trusted: bool,
}

impl Pins {
    pub(crate) fn new(service: &Service) -> Self {
        Self { ledger: service.ledger().clone(), locks_trusted: service.locks_trusted() }
    }
}

/// A source text after compilation.
pub(crate) struct Compiled {
    /// The name shown in diagnostics.
    pub(crate) file_name: String,
    /// The text.
    pub(crate) text: String,
    /// What the compiler made of it.
    pub(crate) compilation: Compilation,
}

impl Compiled {
    /// Whether a plan of it may run.
    pub(crate) fn has_errors(&self) -> bool {
        self.compilation.has_errors()
    }

    /// Diagnostics for the wire.
    pub(crate) fn diagnostics(&self) -> Vec<v1::Diagnostic> {
        convert::diagnostics(&self.text, &self.compilation.diagnostics)
    }

    /// Diagnostics as a terminal shows them, without colour.
    pub(crate) fn rendered(&self) -> String {
        let file = SourceFile { name: &self.file_name, text: &self.text };
        plan_lang::render(&file, &self.compilation.diagnostics, false)
    }

    /// What a caller needs to know of a plan of it.
    pub(crate) fn summary(&self, plan: &CompiledPlan) -> Option<v1::PlanSummary> {
        let (_, bound) = self.compilation.plan(&plan.body.name)?;
        Some(summary(plan, bound, &docs(&self.text)))
    }

    /// The plan called `name`, or the only one where the name is empty.
    pub(crate) fn plan(&self, name: &str) -> Result<&CompiledPlan, Status> {
        let plans = &self.compilation.plans;
        let names: Vec<&str> = plans.iter().map(|plan| plan.body.name.as_str()).collect();
        let found = match (name, plans.as_slice()) {
            ("", [plan]) => Some(plan),
            ("", _) => {
                let message = format!("the file has {} plans ({}): name one", plans.len(), names.join(", "));
                return Err(bad_field("E1506", "plan", message));
            }
            _ => plans.iter().find(|plan| plan.body.name == name),
        };
        found.ok_or_else(|| {
            let near = plan_lang::suggest(name, names.iter().copied()).map_or_else(
                || format!("it has {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            bad_field("E1506", "plan", format!("the file has no plan `{name}`; {near}"))
        })
    }
}

impl Compiler {
    pub(crate) fn new(service: &Service) -> Self {
        Self { pins: Pins::new(service) }
    }
}

/// A file with the lock it compiles against.
#[derive(Clone)]
pub(crate) struct Pinned {
    /// The file; its lock is set.
    pub(crate) source: v1::PlanSource,
    lock: Lock,
}

impl Pinned {
    /// What a client sent. A lock is believed only so far as this Ledger holds the same entries, unless the client and
    /// the service are one program of one user.
    pub(crate) fn sent(pins: &Pins, source: Option<v1::PlanSource>) -> Result<Self, Status> {
        let mut source = source.ok_or_else(|| bad_field("E1510", "source", "it is missing"))?;
        if let Some(lock) = &source.lock {
            let lock = assemble(lock)?;
            if !pins.locks_trusted {
                check_held(&pins.ledger, &lock)?;
            }
            return Ok(Self { source, lock });
        }
        let (lockfile, bodies) = pin(&pins.ledger, &source.text)?;
        let toml = lockfile.to_toml();
        let lock = Lock::assemble(&toml, &bodies).map_err(|error| status(error.code, error.to_string()))?;
        source.lock = Some(convert::lock(toml, bodies));
        Ok(Self { source, lock })
    }

    /// What was sent before, and checked then.
    pub(crate) fn kept(source: v1::PlanSource) -> Result<Self, Status> {
        let lock = source.lock.as_ref().ok_or_else(|| bad_field("E1510", "source.lock", "it is missing"))?;
        Ok(Self { lock: assemble(lock)?, source })
    }

    /// Whether both have the same text and the same pins; they may come from different snapshots.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let (mine, others) = (&self.lock, &other.lock);
        self.source.text == other.source.text
            && mine.operations == others.operations
            && mine.capabilities == others.capabilities
            && mine.rate == others.rate
    }

    /// Compiles it.
    pub(crate) async fn compile(self) -> Result<Compiled, Status> {
        self.compile_with(Options::default()).await
    }

    async fn compile_with(self, options: Options) -> Result<Compiled, Status> {
        let Self { source: v1::PlanSource { file_name, text, .. }, lock } = self;
        let file_name = if file_name.is_empty() { "plan.orch".to_owned() } else { file_name };
        // Bounded by the limits on sources and plans, but long enough to stall the other tasks of a thread.
        let compiled = tokio::task::spawn_blocking(move || {
            let source = Source { name: &file_name, text: &text };
            let compilation = plan_compiler::compile(&source, &lock, &options);
            Compiled { compilation, file_name, text }
        });
        compiled
            .await
            .map_err(|_| status("E1511", "the compiler stopped unexpectedly; please report the plan"))
    }
}

/// Compiles what a client sent.
pub(crate) async fn compile(pins: &Pins, source: Option<v1::PlanSource>) -> Result<Compiled, Status> {
    Pinned::sent(pins, source)?.compile().await
}

/// A lock whose every hash fits its body.
fn assemble(lock: &v1::Lock) -> Result<Lock, Status> {
    let mut bodies = LockBodies::new();
    for body in &lock.bodies {
        let hash = body.hash.parse().map_err(|error: schema::hash::ParseHashError| {
            bad_field("E0603", "source.lock.bodies", error.to_string())
        })?;
        bodies.insert(hash, body.content.to_vec());
    }
    Lock::assemble(&lock.toml, &bodies)
        .map_err(|error| bad_field(error.code, "source.lock", error.to_string()))
}

/// Refuses a lock that pins something this Ledger does not hold.
fn check_held(ledger: &ledger_service::Handle, lock: &Lock) -> Result<(), Status> {
    let snapshot = ledger.snapshot();
    let operations = lock.operations.iter();
    let known: BTreeSet<_> =
        operations
            .filter_map(|(id, pinned)| {
                Some(snapshot.operation_version(id, pinned.descriptor().version).ok()?.hash)
            })
            .chain(lock.capabilities.iter().filter_map(|(name, (_, pinned))| {
                Some(snapshot.capability_version(name, pinned.version)?.hash)
            }))
            .collect();
    let pinned = lock.operations.iter().map(|(id, pinned)| (id, pinned.hash()));
    let pinned = pinned.chain(lock.capabilities.iter().map(|(name, (hash, _))| (name, *hash)));
    for (name, hash) in pinned {
        if !known.contains(&hash) {
            let message = format!(
                "the lock pins `{name}` to entry {}, which this server's Ledger does not hold; run `orch lock update --server`",
                hash.short()
            );
            return Err(status("E0608", message));
        }
    }
    Ok(())
}

fn pin(ledger: &ledger_service::Handle, text: &str) -> Result<(Lockfile, LockBodies), Status> {
    let needs = plan_compiler::needs(text);
    let operations = needs.operations.into_iter().collect();
    let capabilities = needs.capabilities.into_iter().collect();
    ledger.snapshot().lock_for(&operations, &capabilities).map_err(ledger::failed)
}

#[tonic::async_trait]
impl CompilerService for Compiler {
    async fn check(&self, request: Request<v1::CheckRequest>) -> Result<Response<v1::CheckResponse>, Status> {
        let compiled = compile(&self.pins, request.into_inner().source).await?;
        let plans = if compiled.has_errors() {
            Vec::new()
        } else {
            let Compilation { plans, bounds, .. } = &compiled.compilation;
            let docs = docs(&compiled.text);
            plans.iter().zip(bounds).map(|(plan, bound)| summary(plan, bound, &docs)).collect()
        };
        Ok(Response::new(v1::CheckResponse {
            diagnostics: compiled.diagnostics(),
            plans,
            rendered: compiled.rendered(),
        }))
    }

    async fn format(
        &self,
        request: Request<v1::FormatRequest>,
    ) -> Result<Response<v1::FormatResponse>, Status> {
        let text = request.into_inner().text;
        Ok(Response::new(match plan_lang::format(&text) {
            Ok(text) => v1::FormatResponse { text, diagnostics: Vec::new() },
            Err(found) => {
                v1::FormatResponse { text: String::new(), diagnostics: convert::diagnostics(&text, &found) }
            }
        }))
    }

    async fn explain(
        &self,
        request: Request<v1::ExplainRequest>,
    ) -> Result<Response<v1::ExplainResponse>, Status> {
        let request = request.into_inner();
        let pinned = Pinned::sent(&self.pins, request.source)?;
        let compiled = pinned.compile_with(Options::to_explain()).await?;
        let diagnostics = compiled.diagnostics();
        let plan = match compiled.plan(&request.plan) {
            // The file itself is what has to be mended first.
            Err(_) if compiled.has_errors() => None,
            plan => compiled.compilation.plan(&plan?.body.name),
        };
        let explanation = plan.map(|(plan, bound)| explanation(plan, bound, &docs(&compiled.text)));
        Ok(Response::new(v1::ExplainResponse { diagnostics, explanation }))
    }
}

/// Documentation of each plan by its name.
fn docs(text: &str) -> BTreeMap<String, String> {
    let parse = plan_lang::parse(text);
    let plans = parse.ast().items.iter().filter_map(|item| match item {
        Item::Plan(plan) => Some((plan.name.name.clone(), plan.docs.clone().unwrap_or_default())),
        _ => None,
    });
    plans.collect()
}

fn summary(plan: &CompiledPlan, bound: &Bound, docs: &BTreeMap<String, String>) -> v1::PlanSummary {
    let body = &plan.body;
    let output = to_json_schema(&body.output, &body.types);
    let hash = plan_ir::bytes::encode(plan).map(|bytes| plan_ir::bytes::plan_hash(&bytes).to_hex());
    v1::PlanSummary {
        name: body.name.clone(),
        doc: docs.get(&body.name).cloned().unwrap_or_default(),
        plan_hash: hash.unwrap_or_default(),
        input_schema_json: schema::tool::object(&tool_params(&body.params), &body.types).to_string().into(),
        output_schema_json: output.to_string().into(),
        cost_max: Some(convert::amount(bound.cost)),
        latency_us_max: bound.latency_us,
    }
}

/// The parameters of a plan as those of a tool.
pub(crate) fn tool_params(params: &[Param]) -> Vec<ToolParam> {
    let param = |param: &Param| ToolParam {
        name: param.name.clone(),
        ty: param.ty.clone(),
        required: param.default.is_none() && !matches!(param.ty, Type::Optional(_)),
        doc: param.doc.clone(),
        rules: Vec::new(),
    };
    params.iter().map(param).collect()
}

fn explanation(plan: &CompiledPlan, bound: &Bound, docs: &BTreeMap<String, String>) -> v1::PlanExplanation {
    let contributors = bound
        .contributors
        .iter()
        .map(|row| v1::BoundContributor {
            node: row.node.0,
            label: row.label.clone(),
            factors: row.factors(),
            cost_max: Some(convert::amount(row.cost)),
            basis: convert::basis(row.basis).into(),
            latency_us_max: row.latency_us,
            purse: row.purse.map(convert::amount),
        })
        .collect();
    v1::PlanExplanation {
        summary: Some(summary(plan, bound, docs)),
        nodes: explained_nodes(plan),
        contributors,
        rendered: plan_ir::explain::explain(plan, bound),
    }
}

fn explained_nodes(plan: &CompiledPlan) -> Vec<v1::ExplainedNode> {
    let mut rows = Vec::with_capacity(plan.graph.nodes.len());
    walk(&plan.graph, &plan.graph.root, None, &mut |id, control| {
        let (Some(node), Some(body)) = (plan.graph.node(id), plan.body.nodes.get(id.0 as usize)) else {
            return;
        };
        rows.push(v1::ExplainedNode {
            id: id.0,
            kind: kind(node.kind).to_owned(),
            label: node.label.clone(),
            parents: node.parents.iter().map(|parent| parent.0).collect(),
            control: control.map(|(control, _)| control.0),
            region: control.map_or(0, |(_, region)| region),
            operations: operations(plan, body),
        });
    });
    rows.sort_by_key(|row| row.id);
    rows
}

type Place = Option<(NodeId, u32)>;

fn walk(graph: &Graph, region: &Region, place: Place, visit: &mut dyn FnMut(NodeId, Place)) {
    for id in &region.nodes {
        visit(*id, place);
        let regions = graph.node(*id).map(|node| node.regions.as_slice()).unwrap_or_default();
        for (index, region) in (0..).zip(regions) {
            walk(graph, region, Some((*id, index)), visit);
        }
    }
}

fn operations(plan: &CompiledPlan, body: &NodeBody) -> Vec<String> {
    let NodeBody::Call(call) = body else { return Vec::new() };
    call.candidates
        .iter()
        .filter_map(|candidate| plan.body.operations.get(candidate.operation as usize))
        .map(|operation| operation.id.clone())
        .collect()
}

const fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Pure => "pure",
        NodeKind::Ensure => "ensure",
        NodeKind::Call => "call",
        NodeKind::Branch => "branch",
        NodeKind::FanOut => "fan_out",
    }
}
