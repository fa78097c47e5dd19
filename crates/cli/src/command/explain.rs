//! `orch explain FILE`.

use serde_json::json;

use super::{Context, check};
use crate::args::Explain;
use crate::exit::Failure;
use crate::project::{self, PlanFile};

/// Shows the graph of a plan and its bounds.
pub(crate) fn run(context: &Context, args: &Explain) -> Result<(), Failure> {
    let file = PlanFile::read(&args.file)?;
    let lock = project::load_lock(&file.folder())?;
    let (_, compilation) = check::compile_or_show(context, &file, &lock)?;
    let plan = super::run::choose(&compilation.plans, args.plan.as_deref(), &file)?;
    let Some((plan, bound)) = compilation.plan(&plan.body.name) else { return Ok(()) };
    if context.output.json {
        let contributors: Vec<_> = bound
            .contributors
            .iter()
            .map(|row| {
                json!({
                    "node": row.node.0,
                    "label": row.label,
                    "target": row.target,
                    "factors": row.factors,
                    "cost_max": row.cost.to_string(),
                    "latency_us_max": row.latency_us,
                    "basis": row.basis,
                })
            })
            .collect();
        let document = json!({
            "plan": plan.body.name,
            "cost_max": bound.cost.to_string(),
            "latency_us_max": bound.latency_us,
            "basis": bound.basis,
            "contributors": contributors,
            "graph": plan.graph,
        });
        context.output.data(&document.to_string());
    } else {
        context.output.data(&plan_ir::explain::explain(plan, bound));
    }
    Ok(())
}
