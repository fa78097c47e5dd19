//! Which operations serve a call and how their answers are got: votes, hedges, pages, preferences, selections.

use plan_ir::plan::{Hedge, HedgeAfter, Poll, Prefer};
use plan_ir::validate::QUORUM_MAX;
use plan_lang::Diagnostic;
use plan_lang::ast::{self, ExprKind as Ast, Literal, PolicyField, PolicyValueKind};
use schema::delivery::{PAGES_MAX, POLLS_MAX};
use schema::types::Type;

use super::Checker;
use super::call_policy::CallSite;
use super::policy_value::literal;
use crate::codes;
use crate::hir::{Quorum, Selector};
use crate::prelude;
use crate::relate::Conversion;

/// Most requests that hedge one other.
const HEDGES_MAX: u32 = 10;

impl<'a> Checker<'a, '_> {
    /// `quorum: { of: 5, need: 3, by: same, early: true }`.
    pub(super) fn quorum(&mut self, field: &'a PolicyField, site: &CallSite<'_>) -> Quorum {
        let voted = prelude::voted(&mut self.types, site.output.clone());
        // What the call gives is known even where the numbers are not.
        let broken = Quorum { of: 2, need: 1, by: None, early: false, voted };
        let votes = self.votes(field, Some(site));
        votes.map_or(broken, |(of, need, by, early)| Quorum { of, need, by, early, voted })
    }

    /// `of`, `need`, `by` and `early`; whether the function fits the answers is seen only at a call.
    pub(super) fn votes(
        &mut self,
        field: &'a PolicyField,
        site: Option<&CallSite<'_>>,
    ) -> Option<(u32, u32, Option<usize>, bool)> {
        let shape = "keys in braces: `{ of: 5, need: 3, by: same }`";
        let fields = self.sub_fields(field, &["of", "need", "by", "early"], shape)?;
        let (mut of, mut need, mut by, mut early) = (None, None, None, false);
        let mut complete = true;
        for (name, part) in &fields {
            let read = match *name {
                "of" => self.count_between(part, 2, QUORUM_MAX).map(|count| of = Some(count)),
                "need" => self.count_between(part, 1, QUORUM_MAX).map(|count| need = Some(count)),
                "by" => self.agreement(part, site).map(|function| by = Some(function)),
                _ => self.switch(part).map(|is| early = is),
            };
            complete &= read.is_some();
        }
        let missing = [("of", of.is_none()), ("need", need.is_none())];
        for (name, _) in missing.into_iter().filter(|(name, missing)| *missing && !has(&fields, name)) {
            let message = format!("`quorum` does not say `{name}`");
            let report = Diagnostic::error(codes::BAD_POLICY_VALUE, message);
            let help = "write `quorum: { of: 5, need: 3 }`: five votes, of which three agree";
            self.report(report.primary(field.value.span, format!("`{name}` is missing")).help(help));
        }
        let (of, need) = (of?, need?);
        if need > of {
            let message = format!("{need} of {of} votes can never agree");
            let report = Diagnostic::error(codes::BAD_POLICY_VALUE, message);
            self.report(report.primary(field.value.span, "`need` is above `of`"));
            return None;
        }
        complete.then_some((of, need, by, early))
    }

    /// `by: same`, a function of two answers.
    fn agreement(&mut self, field: &'a PolicyField, site: Option<&CallSite<'_>>) -> Option<usize> {
        let name = match &field.value.kind {
            PolicyValueKind::Expr(expr) => expr.as_name(),
            _ => None,
        };
        let Some(name) = name else {
            self.wrong_value(field, "the name of a function of two answers, such as `same`");
            return None;
        };
        let found = self.module().and_then(|module| module.functions.get(name.name.as_str())).copied();
        let Some((at, function)) = found.and_then(|at| Some((at, self.program.functions.get(at)?))) else {
            let text = name.name.as_str();
            let report = Diagnostic::error(codes::UNKNOWN_FUNCTION, format!("there is no function `{text}`"))
                .primary(name.span, "unknown function");
            let names = self.module().into_iter().flat_map(|module| module.functions.all().keys().copied());
            let report = self.sink.did_you_mean(report, text, name.span, names);
            self.report(report);
            return None;
        };
        let Some(site) = site else { return Some(at) };
        let takes = |ty: &Type| self.convert(site.output, ty) == Ok(Conversion::Identity);
        let fits = function.output == Type::Bool
            && matches!(function.params.as_slice(), [a, b] if takes(&a.ty) && takes(&b.ty));
        if !fits {
            let answer = self.show(site.output);
            let message = format!("`{}` does not compare two answers", name.name);
            self.report(
                Diagnostic::error(codes::BAD_POLICY_VALUE, message)
                    .primary(name.span, format!("must be `fn(a: {answer}, b: {answer}) -> Bool`")),
            );
            return None;
        }
        Some(at)
    }

    /// `hedge: { after: 2s, max: 1 }`.
    pub(super) fn hedge(&mut self, field: &'a PolicyField) -> Option<Hedge> {
        let fields = self.sub_fields(field, &["after", "max"], "keys in braces: `{ after: 2s, max: 1 }`")?;
        let (mut after, mut max) = (None, Some(1));
        for (name, part) in &fields {
            match *name {
                "after" => after = self.hedge_after(part),
                _ => max = self.count_between(part, 1, HEDGES_MAX),
            }
        }
        if !has(&fields, "after") {
            let report = Diagnostic::error(codes::BAD_POLICY_VALUE, "`hedge` does not say when");
            let help = "write `hedge: { after: 2s }`: a second request where the first takes longer";
            self.report(report.primary(field.value.span, "`after` is missing").help(help));
        }
        Some(Hedge { after: after?, max: max? })
    }

    /// `page: { max: 3 }`: how many pages are read at most.
    pub(super) fn page(&mut self, field: &'a PolicyField) -> Option<u32> {
        let fields = self.sub_fields(field, &["max"], "keys in braces: `{ max: 3 }`")?;
        let Some((_, part)) = fields.first() else {
            let report = Diagnostic::error(codes::BAD_POLICY_VALUE, "`page` does not say how many");
            let help = "write `page: { max: 3 }`: as many pages as there are, three at most";
            self.report(report.primary(field.value.span, "`max` is missing").help(help));
            return None;
        };
        self.count_between(part, 1, PAGES_MAX)
    }

    /// `poll: { every: 2s, max: 30 }`: how a task is asked after. What is not said the operation's entry says.
    pub(super) fn poll(&mut self, field: &'a PolicyField) -> Option<Poll> {
        let fields = self.sub_fields(field, &["every", "max"], "keys in braces: `{ every: 2s, max: 30 }`")?;
        let mut poll = Poll::default();
        for (name, part) in &fields {
            match *name {
                "every" => poll.every_us = Some(self.duration(part)?),
                _ => poll.max = Some(self.count_between(part, 1, POLLS_MAX)?),
            }
        }
        Some(poll)
    }

    fn hedge_after(&mut self, field: &'a PolicyField) -> Option<HedgeAfter> {
        let word = match &field.value.kind {
            PolicyValueKind::Expr(expr) => expr.as_name(),
            _ => None,
        };
        match word {
            Some(word) if word.name == "p95" => Some(HedgeAfter::P95),
            Some(word) => {
                self.unknown_word(field, word, ["p95"]);
                None
            }
            None => self.duration(field).map(HedgeAfter::Us),
        }
    }

    pub(super) fn prefer(&mut self, field: &'a PolicyField) -> Option<Prefer> {
        let words = [
            ("cheapest", Prefer::Cheapest),
            ("fastest", Prefer::Fastest),
            ("most_reliable", Prefer::MostReliable),
        ];
        let word = match &field.value.kind {
            PolicyValueKind::Expr(expr) => expr.as_name(),
            _ => None,
        };
        let Some(word) = word else {
            self.wrong_value(field, "`cheapest`, `fastest` or `most_reliable`");
            return None;
        };
        let found = words.iter().find(|(name, _)| *name == word.name).map(|(_, prefer)| *prefer);
        if found.is_none() {
            self.unknown_word(field, word, words.map(|(name, _)| name));
        }
        found
    }

    /// `only: [sn64, sn28.chat_completions]`.
    pub(super) fn selectors(&mut self, field: &'a PolicyField) -> Option<Vec<Selector>> {
        let shape = "a list of subnets and operations, such as `[sn64, sn28.chat_completions]`";
        let items: &[ast::Expr] = match &field.value.kind {
            PolicyValueKind::Expr(expr) => match &expr.kind {
                Ast::List(items) => items,
                _ => &[],
            },
            _ => &[],
        };
        if items.is_empty() {
            self.wrong_value(field, shape);
            return None;
        }
        let quoted = |item: &&ast::Expr| matches!(item.kind, Ast::Template(_));
        if let Some(item) = items.iter().find(quoted) {
            let message = format!("`{}` takes names, not texts", field.key.name);
            let report = Diagnostic::error(codes::BAD_POLICY_VALUE, message);
            self.report(report.primary(item.span, "a text").help("leave out the quotes: `[sn28]`"));
            return None;
        }
        let mut selectors = Vec::new();
        let errors = self.sink.errors();
        for item in items {
            let (path, selector) = match &item.kind {
                Ast::Name(subnet) => (subnet.name.clone(), netuid(&subnet.name).map(Selector::Subnet)),
                Ast::Field { base, field: operation, optional: false } => {
                    let subnet = base.as_name().map_or("", |subnet| subnet.name.as_str());
                    let path = format!("{subnet}.{}", operation.name);
                    (path.clone(), netuid(subnet).map(|_| Selector::Operation(path)))
                }
                _ => (String::new(), None),
            };
            match selector {
                Some(selector) if self.is_pinned(&selector) => selectors.push(selector),
                _ if item.is_error() => {}
                Some(_) => self.not_pinned(&path, item.span),
                None => self.wrong_value(field, shape),
            }
        }
        (self.sink.errors() == errors).then_some(selectors)
    }

    fn is_pinned(&self, selector: &Selector) -> bool {
        self.program.operations.iter().any(|operation| selector.is_of(operation.descriptor()))
    }

    fn not_pinned(&mut self, path: &str, span: plan_lang::Span) {
        let message = format!("no operation that this file calls is of `{path}`");
        let report = Diagnostic::error(codes::BAD_POLICY_VALUE, message).primary(span, "selects nothing");
        let known = self.program.operations.iter().flat_map(|operation| {
            let id = operation.descriptor().id.as_str();
            [id, id.split_once('.').map_or(id, |(subnet, _)| subnet)]
        });
        let report = self.sink.did_you_mean(report, path, span, known);
        self.report(report);
    }

    /// `true` or `false`.
    fn switch(&mut self, field: &PolicyField) -> Option<bool> {
        match literal(field) {
            Some(Literal::Bool(value)) => Some(*value),
            _ => {
                self.wrong_value(field, "`true` or `false`");
                None
            }
        }
    }
}

/// `22` of `sn22`.
fn netuid(name: &str) -> Option<u16> {
    name.strip_prefix("sn")?.parse().ok()
}

fn has(fields: &[(&str, &PolicyField)], name: &str) -> bool {
    fields.iter().any(|(known, _)| *known == name)
}
