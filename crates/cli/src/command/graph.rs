//! `orch graph`.

use plan_doc::PlanGraph;
use plan_lang::LineIndex;
use serde_json::to_value;

use super::{Context, run};
use crate::args::{Graph, GraphFormat};
use crate::diagnostics;
use crate::exit::Failure;
use crate::project::{PlanFile, lockfile};

/// Draws a plan to standard output.
pub(crate) fn run(context: &Context, args: &Graph) -> Result<(), Failure> {
    let file = PlanFile::read(&args.file)?;
    let lock = lockfile::load(&file.folder())?;
    let compiled = diagnostics::compile_or_show(context, &file, &lock)?;
    let (plan, bound) = run::choose(&compiled, args.plan.as_deref())?;
    let graph = PlanGraph::of(plan, bound, &LineIndex::new(&compiled.text));
    match args.format {
        _ if context.output.json => context.output.document(&to_value(&graph).unwrap_or_default()),
        None | Some(GraphFormat::Text | GraphFormat::Json) => context.output.data(&plan_doc::to_text(&graph)),
        Some(GraphFormat::Dot) => context.output.data(&plan_doc::to_dot(&graph)),
        Some(GraphFormat::Svg) => context.output.data(&plan_doc::to_svg(&graph)),
    }
    Ok(())
}
