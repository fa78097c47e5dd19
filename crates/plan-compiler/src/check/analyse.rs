//! Calls of functions. A function is looked at once more for each call with narrower arguments, so that
//! `best(hits, 4)` is known to be at most 4.

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use plan_lang::{Span, ast};
use schema::types::Type;

use super::Checker;
use super::args::Passing;
use super::call::params_as_slots;
use super::scope::{Body, Place};
use crate::hir::{Expr, ExprKind};
use crate::prelude::PLAN_ERROR;
use crate::relate::{has_ranges, narrowed};

/// Most different calls of one function that are looked at on their own; further ones have the declared
/// result. Keeps checking linear where functions call functions with ever new ranges.
const ANALYSES_PER_FUNCTION: usize = 32;
/// Most functions looked at inside one another.
const ANALYSES_NESTED: usize = 16;

/// Results of functions by the types of their arguments.
#[derive(Debug, Default)]
pub(super) struct Analyses {
    known: Vec<Vec<Known>>,
    open: Vec<usize>,
    /// What the body, and each look at a function inside one another, asked for; the innermost last. Without a body,
    /// what default values and policies ask for.
    asking: Vec<Vec<Request>>,
    outside: Vec<Request>,
    /// Whether a limit decided a result, which then depends on what was asked before.
    limited: bool,
}

/// A look at a function: its place among all functions, and the place in [`Analyses::known`].
type Request = (usize, usize);

#[derive(Debug)]
struct Known {
    args: Vec<Type>,
    result: Type,
    asked: Vec<Request>,
    /// How many looks inside one another it takes.
    depth: usize,
}

/// What a body took for granted of functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The functions by their place and the types of their arguments, also those that these ask for. A type that has
    /// a name is the one that the parameter declares, so it is left out.
    looks: Vec<(usize, Vec<Type>)>,
    /// How many looks inside one another they take.
    depth: usize,
}

impl Asked {
    /// The same where the functions are at other places; `None` where one of them is gone.
    pub(crate) fn moved(self, to: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let looks = self.looks.into_iter().map(|(function, args)| Some((to(function)?, args)));
        Some(Self { looks: looks.collect::<Option<_>>()?, depth: self.depth })
    }
}

/// Whether a file whose bodies asked all this meets a limit. Then what is said of a body depends on what was
/// looked at before it.
pub(crate) fn meets_limit<'r>(all: impl IntoIterator<Item = &'r Asked>) -> bool {
    let mut different: HashMap<usize, Vec<&[Type]>> = HashMap::new();
    for asked in all {
        if asked.depth > ANALYSES_NESTED {
            return true;
        }
        for (function, args) in &asked.looks {
            let known = different.entry(*function).or_default();
            if !known.contains(&args.as_slice()) {
                known.push(args);
                if known.len() > ANALYSES_PER_FUNCTION {
                    return true;
                }
            }
        }
    }
    false
}

impl Analyses {
    pub(super) fn begin_body(&mut self) {
        self.asking.push(Vec::new());
    }

    pub(super) fn end_body(&mut self) -> Asked {
        let asked = self.asking.pop().unwrap_or_default();
        self.all_asked(asked)
    }

    /// What was asked outside of bodies, and whether a limit was met.
    pub(super) fn outside(&self) -> (Asked, bool) {
        (self.all_asked(self.outside.clone()), self.limited)
    }

    fn all_asked(&self, mut open: Vec<Request>) -> Asked {
        let mut asked = Asked::default();
        let mut seen = HashSet::new();
        while let Some(request) = open.pop() {
            if !seen.insert(request) {
                continue;
            }
            let (function, at) = request;
            let Some(known) = self.known.get(function).and_then(|known| known.get(at)) else { continue };
            asked.depth = asked.depth.max(known.depth);
            asked.looks.push((function, known.args.iter().map(without_names).collect()));
            open.extend(&known.asked);
        }
        asked
    }

    /// How much was asked for so far by what is being checked; no number where a limit was met.
    pub(super) fn asked_so_far(&self) -> Option<usize> {
        (!self.limited).then(|| self.asking.last().unwrap_or(&self.outside).len())
    }

    fn ask(&mut self, request: Request) {
        self.asking.last_mut().unwrap_or(&mut self.outside).push(request);
    }

    fn depth_of(&self, asked: &[Request]) -> usize {
        let known = |&(function, at): &Request| self.known.get(function)?.get(at);
        1 + asked.iter().filter_map(known).map(|known| known.depth).max().unwrap_or(0)
    }
}

/// The ranges of a type alone.
fn without_names(ty: &Type) -> Type {
    match ty {
        Type::Named(_) => Type::Named(PLAN_ERROR),
        Type::List(inner, range) => Type::List(Box::new(without_names(inner)), *range),
        Type::Map(inner) => Type::Map(Box::new(without_names(inner))),
        Type::Optional(inner) => Type::Optional(Box::new(without_names(inner))),
        Type::Result(ok, err) => Type::Result(Box::new(without_names(ok)), Box::new(without_names(err))),
        other => other.clone(),
    }
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
        if !has_ranges(output) {
            return output.clone();
        }
        let types: Vec<Type> =
            function.params.iter().zip(args).map(|(param, arg)| narrowed(&param.ty, &arg.ty)).collect();
        if types.iter().zip(&function.params).all(|(ty, param)| *ty == param.ty) {
            return output.clone();
        }
        if self.analyses.open.len() >= ANALYSES_NESTED || self.analyses.open.contains(&at) {
            self.analyses.limited = true;
            return output.clone();
        }
        if self.analyses.known.len() <= at {
            self.analyses.known.resize_with(self.program.functions.len(), Vec::new);
        }
        let known = self.analyses.known.get(at).map_or(&[][..], Vec::as_slice);
        if let Some(place) = known.iter().position(|known| known.args == types) {
            let result = known.get(place).map_or_else(|| output.clone(), |known| known.result.clone());
            self.analyses.ask((at, place));
            return result;
        }
        let place = known.len();
        if place >= ANALYSES_PER_FUNCTION {
            self.analyses.limited = true;
            return output.clone();
        }
        self.analyses.begin_body();
        let result = self.analyse(at, &types);
        let asked = self.analyses.asking.pop().unwrap_or_default();
        let depth = self.analyses.depth_of(&asked);
        if let Some(known) = self.analyses.known.get_mut(at) {
            known.push(Known { args: types, result: result.clone(), asked, depth });
        }
        self.analyses.ask((at, place));
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
