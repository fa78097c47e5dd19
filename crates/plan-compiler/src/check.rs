//! Types: every body is checked against what its names stand for and becomes [`crate::hir`].
//!
//! Bidirectional: [`Checker::infer`] finds the type of an expression, with the type its place wants as a
//! hint for literals; [`Checker::check`] also converts it to that type or reports why it cannot be. What
//! was reported has type [`Type::Error`], which fits everywhere, so that one mistake is one message.

mod adapter;
mod analyse;
mod args;
mod attempt;
mod block;
mod bodies;
mod call;
mod call_policy;
mod cast;
mod certain;
mod choice;
mod coerce;
mod constant;
mod control;
mod exhaustive;
mod expr;
mod field;
mod known;
mod lambda;
mod literal;
mod looping;
mod method;
mod operator;
mod out_of_range;
mod pattern;
mod plan;
mod policy;
mod policy_key;
mod policy_value;
mod record;
mod scope;
mod test_block;
mod text_length;
mod variant;

use std::collections::{BTreeSet, HashMap};

use plan_lang::{Diagnostic, Span, ast};
use schema::types::{Type, TypeDefs};

use crate::hir::{AdapterBody, Expr, FnBody, PlanBody, Target, TestBody};
use crate::kept::{Keeping, KeptStmts};
use crate::program::{Module, Origin, Program};
use crate::relate::{self, Conversion, Misfit};
use crate::resolve::resolve_type;
use crate::sink::Sink;

pub(crate) use analyse::{Asked, meets_limit};
use bodies::Bodies;
pub(crate) use bodies::{BodyId, Found, Report};
pub(crate) use call::not_admissible;
pub(crate) use constant::constant_value;
use scope::Body;

/// Everything checked.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The program's types and those the checker made.
    pub(crate) types: TypeDefs,
    pub(crate) functions: Vec<FnBody>,
    pub(crate) plans: Vec<PlanBody>,
    pub(crate) adapters: Vec<AdapterBody>,
    /// Per plan and parameter, its default.
    pub(crate) plan_defaults: Vec<Vec<Option<Expr>>>,
    /// The tests of the plan's own file, in its order.
    pub(crate) tests: Vec<TestBody>,
}

/// Checks the bodies of a program one by one. What is said of one does not depend on which others were checked
/// before, as long as no limit of [`analyse`] is met.
pub(crate) struct Checker<'a, 's> {
    program: &'s Program<'a>,
    types: TypeDefs,
    sink: Sink,
    /// The body that is being checked.
    body: Body<'a>,
    /// What is known of the statements of the plan that is being checked, until they are reached.
    keeping: Option<Keeping>,
    /// Those of its statements that are known for later.
    kept: KeptStmts,
    fn_defaults: Vec<Vec<Option<Expr>>>,
    plan_defaults: Vec<Vec<Option<Expr>>>,
    capability_defaults: Vec<Vec<Option<Expr>>>,
    analyses: analyse::Analyses,
    /// Declared policies in which something was reported.
    broken_policies: Vec<Span>,
    /// Fallback calls around the call at hand.
    fallbacks: usize,
    bodies: Bodies<'a>,
    /// Per plan that a test runs, what it calls and the plans it runs itself.
    called_by_plans: HashMap<usize, (BTreeSet<Target>, BTreeSet<usize>)>,
}

impl<'a, 's> Checker<'a, 's> {
    /// For `program`; `items` are the declarations of the plan's own file. Goes on with what `sink` has. Checks what
    /// belongs to no body: default values and declared policies.
    pub(crate) fn new(program: &'s Program<'a>, items: &'a [ast::Item], types: TypeDefs, sink: Sink) -> Self {
        let mut checker = Self {
            program,
            types,
            sink,
            body: Body::new(0, 0),
            keeping: None,
            kept: KeptStmts::default(),
            fn_defaults: Vec::new(),
            plan_defaults: Vec::new(),
            capability_defaults: Vec::new(),
            analyses: analyse::Analyses::default(),
            broken_policies: Vec::new(),
            fallbacks: 0,
            bodies: Bodies::of(program, items),
            called_by_plans: HashMap::new(),
        };
        checker.defaults();
        checker.policies(items);
        checker
    }

    /// The default values of all parameters.
    fn defaults(&mut self) {
        let program = self.program;
        for function in &program.functions {
            self.body = Body::new(function.module, function.source);
            let defaults = self.defaults_of(&function.params);
            self.fn_defaults.push(defaults);
        }
        for plan in &program.plans {
            self.body = Body::new(0, 0);
            let defaults = self.defaults_of(&plan.params);
            self.plan_defaults.push(defaults);
        }
        for capability in &program.capabilities {
            self.body = Body::new(capability.module, capability.source);
            let defaults = self.defaults_of(&capability.params);
            self.capability_defaults.push(defaults);
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        let diagnostic = match self.body.shorthand {
            Some(key) => record::written_out(diagnostic, key),
            None => diagnostic,
        };
        self.sink.report(self.body.source, diagnostic);
    }

    /// Reports and stands for the expression.
    fn fail(&mut self, span: Span, diagnostic: Diagnostic) -> Expr {
        self.report(diagnostic);
        Expr::error(span)
    }

    fn module(&self) -> Option<&Module<'a>> {
        self.program.modules.get(self.body.module)
    }

    /// The type as users write it.
    fn show(&self, ty: &Type) -> String {
        self.types.show(ty)
    }

    /// Two types that a message tells apart, as users write them.
    fn show_apart(&self, left: &Type, right: &Type) -> (String, String) {
        let source = |def| match self.program.origin(def) {
            Origin::Ledger(at) => {
                self.program.operations.get(at).map(|operation| operation.descriptor().id.clone())
            }
            Origin::File | Origin::Prelude => None,
        };
        self.types.show_apart(left, right, &source)
    }

    /// The type that `ty` means here.
    fn ty(&mut self, ty: &ast::Type) -> Type {
        match self.program.modules.get(self.body.module) {
            Some(module) => resolve_type(ty, module, &mut self.types, self.body.source, &mut self.sink),
            None => Type::Error,
        }
    }

    fn convert(&self, from: &Type, to: &Type) -> Result<Conversion, Misfit> {
        relate::convert(from, to, &self.types, self.program)
    }
}
