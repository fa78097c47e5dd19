//! From a plan's expressions to native code, by Cranelift: one module for a plan, one function for each of
//! its fragments, and one for each `fn` that is too large to stand in place of its calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use cranelift_codegen::ir::{AbiParam, FuncRef, Function, Signature, UserFuncName, types};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module as _, ModuleError, default_libcall_names};
use plan_ir::expr::{Expr, ExprId, FnId, Fragment};
use plan_ir::plan::PlanBody;
use schema::types::Type;
use schema::value::Value;

mod arithmetic;
mod branch;
mod call;
mod compare;
mod expr;
mod facts;
mod fx;
mod library;
mod list;
mod map;
mod number;
mod reduce;
mod site;
mod sort;
mod stream;
mod table;
mod text;
mod val;

pub(crate) use call::{Read, Source};
pub(crate) use table::Table;

use fx::Fx;

use crate::constants::{Constants, Literal};
use crate::helper::Helper;
use crate::layout::{Need, Needs, ReprId};
use crate::native::Site;

/// Why a fragment is left to the interpreter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Its expressions contradict each other, so no layout of its values can be relied on.
    #[error("its expressions do not fit together: {0}")]
    Malformed(&'static str),
    /// It is larger than compiled code may be.
    #[error("it is too large: {0}")]
    Limit(&'static str),
    /// It has no loop, so compiling it would not pay.
    #[error("it has no loop")]
    NoLoop,
    /// Cranelift did not take it.
    #[error("the code generator refused it: {0}")]
    Backend(String),
}

impl From<ModuleError> for Refused {
    fn from(error: ModuleError) -> Self {
        Self::Backend(format!("{error:?}"))
    }
}

/// A plan that is being compiled.
pub(super) struct Unit<'p> {
    pub(super) table: Table<'p>,
    module: JITModule,
    signature: Signature,
    helpers: BTreeMap<Helper, FuncId>,
    instances: BTreeMap<FnId, FuncId>,
    /// Functions that are called and not compiled yet.
    pending: Vec<(FnId, FuncId)>,
    constants: Constants,
    /// What the code looks at of records that come from values.
    pub(super) needs: Needs,
    /// Copies of expressions that the interpreter evaluates, behind the plan's own.
    shadows: Vec<(Expr, Type)>,
    sites: Vec<Site>,
    /// What the fragment that is being compiled reads.
    reads: Vec<Read>,
    cells: u32,
    code_bytes: usize,
}

/// A fragment that is compiled.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) fragment: Fragment,
    pub(crate) function: FuncId,
    pub(crate) reads: Vec<Read>,
    /// Cells of all that is read.
    pub(crate) cells: u32,
    pub(crate) result: ReprId,
}

/// What compiling a plan gives.
pub(crate) struct Output {
    pub(crate) module: JITModule,
    pub(crate) compiled: Vec<Compiled>,
    pub(crate) refused: Vec<(Fragment, Refused)>,
    pub(crate) layouts: crate::layout::Layouts,
    pub(crate) constants: Constants,
    pub(crate) needs: Vec<Vec<Need>>,
    pub(crate) shadows: Vec<(Expr, Type)>,
    pub(crate) sites: Vec<Site>,
    pub(crate) code_bytes: usize,
}

/// Compiles `fragments` of `body`; those without a loop only if `all`.
pub(crate) fn compile(
    isa: &OwnedTargetIsa,
    body: &PlanBody,
    fragments: &[Fragment],
    all: bool,
) -> Result<Output, Refused> {
    let mut unit = Unit::new(isa, body)?;
    let mut builders =
        Builders { frontend: FunctionBuilderContext::new(), context: cranelift_codegen::Context::new() };
    let (mut compiled, mut refused) = (Vec::new(), Vec::new());
    for fragment in fragments {
        match unit.fragment(fragment, all, &mut builders) {
            Ok(done) => compiled.push(done),
            Err(why) => refused.push((*fragment, why)),
        }
        // Those of a fragment that is refused, too: another one may call them.
        unit.callees(&mut builders)?;
    }
    unit.finish(compiled, refused)
}

/// Cranelift's reusable parts.
pub(super) struct Builders {
    frontend: FunctionBuilderContext,
    context: cranelift_codegen::Context,
}

impl<'p> Unit<'p> {
    fn new(isa: &OwnedTargetIsa, body: &'p PlanBody) -> Result<Self, Refused> {
        let mut builder = JITBuilder::with_isa(Arc::clone(isa), default_libcall_names());
        for helper in Helper::ALL {
            builder.symbol(helper.name(), helper.address());
        }
        let mut module = JITModule::new(builder);
        let mut signature = module.make_signature();
        signature.params.extend([types::I64; 3].map(AbiParam::new));
        signature.returns.push(AbiParam::new(types::I32));
        let mut helpers = BTreeMap::new();
        for helper in Helper::ALL {
            let mut signature = module.make_signature();
            let run = helper.takes_run().then_some(types::I64);
            signature.params.extend(run.iter().chain(helper.params()).copied().map(AbiParam::new));
            if helper.result() != types::INVALID {
                signature.returns.push(AbiParam::new(helper.result()));
            }
            helpers.insert(*helper, module.declare_function(helper.name(), Linkage::Import, &signature)?);
        }
        Ok(Self {
            table: Table::new(body),
            module,
            signature,
            helpers,
            instances: BTreeMap::new(),
            pending: Vec::new(),
            constants: Constants::new(),
            needs: Needs::default(),
            shadows: Vec::new(),
            sites: Vec::new(),
            reads: Vec::new(),
            cells: 0,
            code_bytes: 0,
        })
    }

    /// Compiles a fragment and the functions it calls. What was compiled for one that is refused in the end
    /// stays, and is never entered.
    fn fragment(
        &mut self,
        fragment: &Fragment,
        all: bool,
        builders: &mut Builders,
    ) -> Result<Compiled, Refused> {
        let facts = self.table.root(fragment.body)?;
        if !facts.loops && !all {
            return Err(Refused::NoLoop);
        }
        (self.reads, self.cells) = (Vec::new(), 0);
        let arguments = self.table.arguments(fragment)?;
        let result = self.table.repr(fragment.body)?;
        let function = self.module.declare_anonymous_function(&self.signature)?;
        self.define(function, builders, |fx| {
            fx.frame = fragment.frame;
            fx.bind_arguments(&arguments)?;
            fx.body(fragment)
        })?;
        let (reads, cells) = (std::mem::take(&mut self.reads), self.cells);
        Ok(Compiled { fragment: *fragment, function, reads, cells, result })
    }

    /// Compiles the functions that were called. One that cannot be compiled leaves to the interpreter.
    fn callees(&mut self, builders: &mut Builders) -> Result<(), Refused> {
        while let Some((id, function)) = self.pending.pop() {
            if self.callee(id, function, builders).is_err() {
                self.define(function, builders, |fx| fx.left_to_interpreter())?;
            }
        }
        Ok(())
    }

    fn callee(&mut self, id: FnId, function: FuncId, builders: &mut Builders) -> Result<(), Refused> {
        let fragment = self.table.function(id)?.fragment;
        let arguments = self.table.arguments(&fragment)?;
        self.define(function, builders, |fx| {
            (fx.frame, fx.sees_inputs) = (fragment.frame, false);
            fx.bind_parameters(&arguments)?;
            fx.body(&fragment)
        })
    }

    fn define(
        &mut self,
        id: FuncId,
        builders: &mut Builders,
        emit: impl FnOnce(&mut Fx<'_, 'p, '_>) -> Result<expr::Typed, Refused>,
    ) -> Result<(), Refused> {
        let Builders { frontend, context } = builders;
        context.clear();
        let name = UserFuncName::user(0, id.as_u32());
        context.func = Function::with_name_signature(name, self.signature.clone());
        let emitted = self.emit(FunctionBuilder::new(&mut context.func, frontend), emit);
        if let Err(why) = emitted {
            // A builder that was not finished leaves its parts behind.
            *frontend = FunctionBuilderContext::new();
            return Err(why);
        }
        self.module.define_function(id, context)?;
        self.code_bytes += context.compiled_code().map_or(0, |code| code.code_buffer().len());
        Ok(())
    }

    fn emit(
        &mut self,
        builder: FunctionBuilder<'_>,
        emit: impl FnOnce(&mut Fx<'_, 'p, '_>) -> Result<expr::Typed, Refused>,
    ) -> Result<(), Refused> {
        let mut fx = Fx::new(builder, self, 0)?;
        let (val, repr) = emit(&mut fx)?;
        let out = fx.out()?;
        fx.finish(&val, repr, out)
    }

    /// Makes the code executable.
    fn finish(
        mut self,
        compiled: Vec<Compiled>,
        refused: Vec<(Fragment, Refused)>,
    ) -> Result<Output, Refused> {
        if !compiled.is_empty() {
            self.module.finalize_definitions()?;
        }
        let needs = self.needs.table(&self.table.layouts);
        Ok(Output {
            needs,
            module: self.module,
            compiled,
            refused,
            layouts: self.table.layouts,
            constants: self.constants,
            shadows: self.shadows,
            sites: self.sites,
            code_bytes: self.code_bytes,
        })
    }

    pub(super) fn frontend_config(&self) -> TargetFrontendConfig {
        self.module.target_config()
    }

    pub(super) fn import(&mut self, helper: Helper, function: &mut Function) -> FuncRef {
        let id = self.helpers.get(&helper).copied().unwrap_or_else(|| FuncId::from_u32(0));
        self.module.declare_func_in_func(id, function)
    }

    pub(super) fn import_function(&mut self, id: FuncId, function: &mut Function) -> FuncRef {
        self.module.declare_func_in_func(id, function)
    }

    /// The compiled form of a `fn`.
    pub(super) fn instance(&mut self, id: FnId) -> Result<FuncId, Refused> {
        if let Some(known) = self.instances.get(&id) {
            return Ok(*known);
        }
        let function = self.module.declare_anonymous_function(&self.signature)?;
        self.instances.insert(id, function);
        self.pending.push((id, function));
        Ok(function)
    }

    /// The cell at which a value from outside lies among the arguments.
    pub(super) fn read(&mut self, source: Source, repr: ReprId) -> u32 {
        if let Some(known) = self.reads.iter().find(|read| read.source == source && read.repr == repr) {
            return known.cell;
        }
        let cell = self.cells;
        self.cells += self.table.layouts.cells(repr);
        self.reads.push(Read { source, repr, cell });
        cell
    }

    // Literals.

    /// A literal of the plan.
    pub(super) fn constant(&mut self, id: ExprId, value: &Value, repr: ReprId) -> Result<Literal, Refused> {
        self.constants.literal(&self.table.layouts, id, value, repr)
    }

    /// Address and length of a text that lives as long as the code.
    pub(super) fn text(&mut self, text: &Arc<str>) -> Result<(i64, i64), Refused> {
        self.constants.text(text)
    }

    /// Address of a value that is `null`.
    pub(super) fn null_address(&self) -> i64 {
        static NULL: Value = Value::Null;
        std::ptr::from_ref(&NULL) as i64
    }

    // Sites.

    /// Adds an expression behind the plan's own, of the type that `like` has.
    pub(super) fn shadow(&mut self, expr: Expr, like: ExprId) -> Result<ExprId, Refused> {
        let ty = self.table.body.exprs.ty(like).ok_or(Refused::Malformed("an expression without a type"))?;
        let place = self.table.body.exprs.exprs.len() + self.shadows.len();
        let id = u32::try_from(place).map_err(|_| Refused::Limit("too many expressions"))?;
        self.shadows.push((expr, ty.clone()));
        Ok(ExprId(id))
    }

    pub(super) fn site(&mut self, site: Site) -> i64 {
        self.sites.push(site);
        self.sites.len() as i64 - 1
    }
}
