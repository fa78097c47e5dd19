//! The compiler's settings, and what of a plan it compiles.

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable as _};
use plan_ir::expr::Fragment;
use plan_ir::plan::{CallSpec, Fallback, NodeBody, PlanBody};

use crate::compile::{self, Refused};
use crate::native::NativePlan;

/// Stack of the thread that compiles: expressions nest as deep as a table allows.
const STACK_BYTES: usize = 32 << 20;

/// Why there is no native code on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no native code on this machine: {0}")]
pub struct Unsupported(String);

/// What is compiled of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coverage {
    /// Fragments with a loop: entering code costs about as much as interpreting a few expressions.
    #[default]
    Loops,
    /// Every fragment that can be.
    All,
}

/// A compiler for this machine.
#[derive(Clone)]
pub struct Engine {
    isa: OwnedTargetIsa,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("target", &self.isa.triple().to_string()).finish()
    }
}

impl Engine {
    /// A compiler for this machine.
    ///
    /// # Errors
    /// [`Unsupported`] where Cranelift does not know the machine.
    pub fn new() -> Result<Self, Unsupported> {
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "speed"),
            ("enable_verifier", "true"),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
            ("enable_probestack", "true"),
            ("probestack_strategy", "inline"),
        ] {
            flags.set(name, value).map_err(|error| Unsupported(error.to_string()))?;
        }
        let builder = cranelift_native::builder().map_err(|error| Unsupported(error.into()))?;
        let isa = builder.finish(settings::Flags::new(flags));
        Ok(Self { isa: isa.map_err(|error| Unsupported(error.to_string()))? })
    }

    /// Compiles the fragments of `body` with a loop. What is refused, the interpreter evaluates.
    ///
    /// # Errors
    /// [`Refused`], where nothing of the plan can be compiled.
    pub fn compile(&self, body: &PlanBody) -> Result<NativePlan, Refused> {
        self.compile_fragments(body, &fragments(body), Coverage::Loops)
    }

    /// Compiles these fragments of `body`.
    ///
    /// # Errors
    /// As [`Engine::compile`].
    pub fn compile_fragments(
        &self,
        body: &PlanBody,
        fragments: &[Fragment],
        coverage: Coverage,
    ) -> Result<NativePlan, Refused> {
        let work = || compile::compile(&self.isa, body, fragments, coverage == Coverage::All);
        let output = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("plan-jit".into()).stack_size(STACK_BYTES);
            let thread =
                thread.spawn_scoped(scope, work).map_err(|error| Refused::Backend(error.to_string()))?;
            thread.join().map_err(|_| Refused::Backend("the code generator panicked".into()))?
        })?;
        Ok(NativePlan::new(body, output))
    }
}

/// Every fragment that a run of the plan evaluates.
#[must_use]
pub fn fragments(body: &PlanBody) -> Vec<Fragment> {
    let mut found: Vec<Fragment> = body.scopes.iter().filter_map(|scope| scope.budget).collect();
    for node in &body.nodes {
        match node {
            NodeBody::Pure(fragment) => found.push(*fragment),
            NodeBody::Ensure { condition, message } => found.extend([*condition, *message]),
            NodeBody::Call(spec) => spec.legs().for_each(|spec| call(spec, &mut found)),
            NodeBody::Branch { scrutinee, .. } => found.push(*scrutinee),
            NodeBody::FanOut { list, .. } => found.push(*list),
            NodeBody::Spent(_) => {}
        }
    }
    found.sort_unstable_by_key(|fragment| (fragment.body, fragment.params, fragment.frame));
    found.dedup();
    found
}

/// Those of one call, without its fallback calls.
fn call(spec: &CallSpec, found: &mut Vec<Fragment>) {
    found.extend(&spec.args);
    found.extend(spec.candidates.iter().flat_map(|candidate| [candidate.request, candidate.response]));
    found.extend(spec.accept);
    found.extend(spec.budget);
    if let Some(Fallback::Value(value)) = &spec.fallback {
        found.push(*value);
    }
}
