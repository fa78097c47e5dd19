//! Calls of functions. A function is looked at once more for each call with narrower arguments, so that
//! `best(hits, 4)` is known to be at most 4.

use plan_lang::{Span, ast};
use schema::types::Type;

use super::Checker;
use super::args::Passing;
use super::call::params_as_slots;
use super::scope::{Body, Place};
use crate::hir::{Expr, ExprKind};
use crate::relate::{has_ranges, narrowed};

/// Most different calls of one function that are looked at on their own; further ones have the declared
/// result. Keeps checking linear where functions call functions with ever new ranges.
const ANALYSES_PER_FUNCTION: usize = 32;
/// Most functions looked at inside one another.
const ANALYSES_NESTED: usize = 16;

/// Results of functions by the types of their arguments.
#[derive(Debug, Default)]
pub(super) struct Analyses {
    known: Vec<Vec<(Vec<Type>, Type)>>,
    open: Vec<usize>,
}

impl<'a> Checker<'a, '_> {
    pub(super) fn apply_fn(
        &mut self,
        at: usize,
        name: &ast::Ident,
        args: &'a [ast::Arg],
        span: Span,
    ) -> Expr {
        let Some(function) = self.program.functions.get(at) else { return Expr::error(span) };
        let slots = params_as_slots(&function.params, self.fn_defaults.get(at));
        let values = self.arguments(name, &slots, args, Passing::Positional);
        let ty = self.result_of(at, &values);
        Expr::new(ExprKind::Apply(at, values), ty, span)
    }

    /// The type of a function's result for these arguments.
    fn result_of(&mut self, at: usize, args: &[Expr]) -> Type {
        let Some(function) = self.program.functions.get(at) else { return Type::Error };
        let output = &function.output;
        if !has_ranges(output)
            || self.analyses.open.len() >= ANALYSES_NESTED
            || self.analyses.open.contains(&at)
        {
            return output.clone();
        }
        let types: Vec<Type> =
            function.params.iter().zip(args).map(|(param, arg)| narrowed(&param.ty, &arg.ty)).collect();
        if types.iter().zip(&function.params).all(|(ty, param)| *ty == param.ty) {
            return output.clone();
        }
        if self.analyses.known.len() <= at {
            self.analyses.known.resize_with(self.program.functions.len(), Vec::new);
        }
        let known = self.analyses.known.get(at).map_or(&[][..], Vec::as_slice);
        if let Some((_, result)) = known.iter().find(|(args, _)| *args == types) {
            return result.clone();
        }
        if known.len() >= ANALYSES_PER_FUNCTION {
            return output.clone();
        }
        let result = self.analyse(at, &types);
        if let Some(known) = self.analyses.known.get_mut(at) {
            known.push((types, result.clone()));
        }
        result
    }

    fn analyse(&mut self, at: usize, params: &[Type]) -> Type {
        let Some(function) = self.program.functions.get(at) else { return Type::Error };
        let mut body = Body::new(function.module, function.source);
        body.place = Place::Pure("a function");
        let outer = std::mem::replace(&mut self.body, body);
        self.analyses.open.push(at);
        self.sink.enter_quiet();
        for (param, ty) in function.params.iter().zip(params) {
            self.body.bind(param.name, ty.clone());
        }
        let found = self.infer(&function.decl.body, Some(&function.output));
        let fits = !found.is_error() && self.convert(&found.ty, &function.output).is_ok();
        self.sink.leave_quiet();
        self.analyses.open.pop();
        self.body = outer;
        if fits { narrowed(&function.output, &found.ty) } else { function.output.clone() }
    }
}
