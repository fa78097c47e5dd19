//! The policies of a call as a whole: what each key says, and whether all of them fit the call.

use plan_ir::plan::{Hedge, HedgeAfter, Poll, Prefer, Retry};
use plan_ir::validate::FALLBACKS_MAX;
use plan_lang::ast::{self, ExprKind as Ast, PolicyField, PolicyUse, PolicyValueKind};
use plan_lang::{Diagnostic, Span};
use schema::error::CallErrorKind;
use schema::operation::{OperationDescriptor, SideEffects};
use schema::types::Type;

use super::Checker;
use super::call::not_admissible;
use super::policy::Setting;
use super::policy_key::{Key, Site};
use super::scope::Place;
use crate::codes;
use crate::hir::{self, CallPolicy, Expr, ExprKind, Fallback, Lambda, Target};
use crate::prelude;
use crate::relate::Conversion;
use crate::{DEFAULT_BACKOFF_US, DEFAULT_TIMEOUT_US};

/// What a call policy is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallSite<'c> {
    pub(super) target: Target,
    pub(super) name: &'c str,
    /// Type of one answer.
    pub(super) output: &'c Type,
    pub(super) span: Span,
}

impl CallPolicy {
    /// Of a call that says nothing.
    fn plain() -> Self {
        Self {
            timeout_us: DEFAULT_TIMEOUT_US,
            retry: Retry { max: 0, backoff_us: DEFAULT_BACKOFF_US, on: CallErrorKind::RETRIED.to_vec() },
            quorum: None,
            hedge: None,
            accept: None,
            fallback: None,
            max_price: None,
            budget: None,
            cache_us: None,
            pages: 1,
            poll: Poll::default(),
            prefer: Prefer::Cheapest,
            only: None,
            ignore: Vec::new(),
        }
    }

    /// Type of what the call gives: the answer, or what the votes agree on.
    pub(super) fn settled(&self, answer: &Type) -> Type {
        self.quorum.as_ref().map_or_else(|| answer.clone(), |quorum| Type::Named(quorum.voted))
    }
}

impl<'a> Checker<'a, '_> {
    /// The policy of a call, and whether all of it could be read.
    pub(super) fn call_policy(
        &mut self,
        policy: Option<&'a PolicyUse>,
        site: &CallSite<'_>,
    ) -> (CallPolicy, bool) {
        let errors = self.sink.errors();
        // A named policy that is missing or broken was reported elsewhere.
        let base = policy.and_then(|policy| policy.base.as_ref());
        let known = base.is_none_or(|base| self.is_sound_policy(base));
        let mut settings = self.policy_at(policy, Site::Call);
        // What the fallback has to give depends on it.
        settings.sort_by_key(|setting| setting.key != Key::Quorum);
        let mut checked = CallPolicy::plain();
        for setting in &settings {
            self.call_setting(&mut checked, *setting, site);
        }
        if self.sink.errors() == errors {
            self.check_combination(&checked, &settings, site);
        }
        // A price that cannot be read was reported when the text was.
        let is_priced =
            settings.iter().all(|setting| setting.key != Key::MaxPrice) || checked.max_price.is_some();
        (checked, known && is_priced && self.sink.errors() == errors)
    }

    fn call_setting(&mut self, checked: &mut CallPolicy, setting: Setting<'a>, site: &CallSite<'_>) {
        let Setting { key, field, named } = setting;
        match key {
            Key::Timeout => checked.timeout_us = self.duration(field).unwrap_or(DEFAULT_TIMEOUT_US),
            Key::Retry => {
                if let Some(retry) = self.retry(field) {
                    checked.retry = retry;
                }
            }
            Key::MaxPrice => checked.max_price = self.amount(field),
            Key::Quorum => checked.quorum = Some(self.quorum(field, site)),
            Key::Hedge => checked.hedge = self.hedge(field),
            Key::Accept => checked.accept = self.seeing(!named, |this| this.accept(field, site.output)),
            Key::Fallback => {
                let wanted = checked.settled(site.output);
                checked.fallback = self.seeing(!named, |this| this.fallback(field, &wanted));
            }
            Key::Budget => checked.budget = self.budget(setting),
            Key::Cache => checked.cache_us = self.duration(field),
            Key::Prefer => checked.prefer = self.prefer(field).unwrap_or_default(),
            Key::Only => checked.only = self.selectors(field),
            Key::Ignore => checked.ignore = self.selectors(field).unwrap_or_default(),
            Key::Page => checked.pages = self.page(field).unwrap_or(1),
            Key::Poll => checked.poll = self.poll(field).unwrap_or_default(),
            Key::Concurrency | Key::Tolerate | Key::OnError | Key::Deadline => {}
        }
    }

    /// Whether a named policy is there and nothing in it was reported.
    fn is_sound_policy(&self, path: &ast::Path) -> bool {
        let decl = self.module().and_then(|module| module.policies.get(path.dotted().as_str()));
        decl.is_some_and(|decl| !self.broken_policies.contains(&decl.span))
    }

    /// What the keys mean together, and for the operations that may serve the call.
    fn check_combination(&mut self, policy: &CallPolicy, settings: &[Setting<'a>], site: &CallSite<'_>) {
        let field = |key| settings.iter().find(|setting| setting.key == key).map(|setting| setting.field);
        let operations = self.operations_of(site.target);
        let admissible: Vec<&OperationDescriptor> =
            operations.into_iter().filter(|op| not_admissible(op, policy).is_none()).collect();
        let repeats = [
            (Key::Retry, policy.retry.max > 0, "retried", "would send it again"),
            (Key::Hedge, policy.hedge.is_some(), "hedged", "may send it twice"),
            (Key::Quorum, policy.quorum.is_some(), "voted on", "sends it several times"),
        ];
        for (key, repeated, how, label) in repeats {
            if let Some(field) = field(key).filter(|_| repeated) {
                self.check_repeat(&admissible, key, field, how, label, site);
            }
        }
        if let Some(field) = field(Key::Fallback) {
            let again = self.asked_again(&admissible, policy);
            self.check_repeat(&again, Key::Fallback, field, "its own fallback", "may send it again", site);
        }
        if let (Some(hedge), Some(field)) = (&policy.hedge, field(Key::Hedge))
            && hedge.after == HedgeAfter::P95
        {
            self.check_p95(&admissible, field);
        }
        if let (Some(Hedge { after: HedgeAfter::Us(after_us), .. }), Some(field)) =
            (&policy.hedge, field(Key::Hedge))
            && *after_us >= policy.timeout_us
        {
            self.report(
                Diagnostic::warning(codes::LATE_HEDGE, "this hedge is never sent")
                    .primary(field.value.span, "due when the attempt is over")
                    .note("its price is in the bound all the same")
                    .help("let `after` be shorter than `timeout`, which is 30 s where nothing is said"),
            );
        }
        if let (Some(_), Some(cache)) = (policy.cache_us, field(Key::Cache)) {
            self.check_cache(&admissible, cache, field(Key::Quorum), site);
        }
        self.check_delivery(&admissible, field(Key::Page), field(Key::Poll), site);
        if let ([only], Some(quorum)) = (admissible.as_slice(), field(Key::Quorum)) {
            self.report(
                Diagnostic::warning(codes::ONE_VOTER, format!("all votes go to `{}`", only.id))
                    .primary(quorum.key.span, "one voter, asked several times")
                    .note("votes are worth most where they are independent: other operations, other models")
                    .help("vote over a capability that several operations serve"),
            );
        }
    }

    /// Everything that may serve a target.
    pub(super) fn operations_of(&self, target: Target) -> Vec<&'a OperationDescriptor> {
        let program = self.program;
        let places: Vec<usize> = match target {
            Target::Operation(at) => vec![at],
            Target::Capability(at) => program.capabilities.get(at).map_or_else(Vec::new, |capability| {
                capability.adapters.iter().map(|adapter| adapter.operation).collect()
            }),
        };
        places.into_iter().filter_map(|at| program.operations.get(at)).map(|op| op.descriptor()).collect()
    }

    /// Those of `operations` that a fallback of the call may ask once more.
    fn asked_again(
        &self,
        operations: &[&'a OperationDescriptor],
        policy: &CallPolicy,
    ) -> Vec<&'a OperationDescriptor> {
        let mut again: Vec<&OperationDescriptor> = Vec::new();
        let mut open = policy.fallback.as_ref();
        while let Some(Fallback::Call(call)) = open {
            let others = self.operations_of(call.target);
            let others: Vec<_> =
                others.into_iter().filter(|op| not_admissible(op, &call.policy).is_none()).collect();
            let asked =
                operations.iter().copied().filter(|own| others.iter().any(|other| other.id == own.id));
            for operation in asked {
                if again.iter().all(|known| known.id != operation.id) {
                    again.push(operation);
                }
            }
            open = call.policy.fallback.as_ref();
        }
        again
    }

    /// Repeating an operation that is not safe to repeat.
    fn check_repeat(
        &mut self,
        operations: &[&OperationDescriptor],
        key: Key,
        field: &PolicyField,
        how: &str,
        label: &str,
        site: &CallSite<'_>,
    ) {
        for descriptor in operations.iter().filter(|descriptor| !descriptor.repeat.safe) {
            let message = format!("`{}` is not safe to repeat, so it cannot be {how}", descriptor.id);
            let key = key.name();
            self.report(
                Diagnostic::error(codes::UNSAFE_REPEAT, message)
                    .primary(field.span, label)
                    .secondary(site.span, format!("`{}` is called here", site.name))
                    .note("a failed answer may hide a call that did its work: sending it again would do it twice")
                    .help(format!("remove `{key}`, also from a shared policy")),
            );
        }
    }

    fn check_p95(&mut self, operations: &[&OperationDescriptor], field: &PolicyField) {
        let Some(unknown) = operations.iter().find(|operation| operation.latency.is_none()) else { return };
        let message = format!("the latency of `{}` is not known, so there is no p95", unknown.id);
        self.report(
            Diagnostic::error(codes::P95_UNKNOWN, message)
                .primary(field.value.span, "after what?")
                .note("the lock pins latencies once the Ledger has measured them by real calls")
                .help("write a duration: `hedge: { after: 2s, max: 1 }`"),
        );
    }

    fn check_cache(
        &mut self,
        operations: &[&OperationDescriptor],
        field: &PolicyField,
        quorum: Option<&PolicyField>,
        site: &CallSite<'_>,
    ) {
        if let Some(quorum) = quorum {
            self.refuse_cached_votes(field, quorum);
        }
        let changes = |operation: &&&OperationDescriptor| {
            matches!(operation.side_effects, SideEffects::Writes | SideEffects::SpendsMoney)
        };
        if let Some(operation) = operations.iter().find(changes) {
            let message = format!("`{}` changes something, so its answer cannot be cached", operation.id);
            self.report(
                Diagnostic::error(codes::CACHED_EFFECT, message)
                    .primary(field.key.span, "would skip the call")
                    .secondary(site.span, format!("`{}` is called here", site.name))
                    .help("remove `cache`"),
            );
        }
    }

    pub(super) fn refuse_cached_votes(&mut self, cache: &PolicyField, quorum: &PolicyField) {
        self.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, "`cache` and `quorum` contradict each other")
                .primary(cache.key.span, "takes one answer of an earlier run")
                .secondary(quorum.key.span, "asks for several new ones")
                .help("remove one of them"),
        );
    }

    /// Pages of an answer that comes in one piece; asking after one that comes at once.
    fn check_delivery(
        &mut self,
        operations: &[&OperationDescriptor],
        page: Option<&PolicyField>,
        poll: Option<&PolicyField>,
        site: &CallSite<'_>,
    ) {
        let cases = [
            (page, true, "has no pages", "comes in one piece", "page by page"),
            (poll, false, "is not asked after", "comes with the answer to the request", "by a task"),
        ];
        for (field, paged, lacks, how, wanted) in cases {
            let Some(field) = field else { continue };
            let fits = |op: &&OperationDescriptor| if paged { op.is_paged() } else { op.is_task() };
            if operations.iter().any(fits) {
                continue;
            }
            let key = &field.key.name;
            self.report(
                Diagnostic::error(codes::NOT_DELIVERED_SO, format!("the answer of `{}` {lacks}", site.name))
                    .primary(field.key.span, format!("it {how}"))
                    .secondary(site.span, format!("`{}` is called here", site.name))
                    .note(format!("the Ledger says of an operation whether its answer comes {wanted}"))
                    .help(format!("remove `{key}`, also from a shared policy")),
            );
        }
    }

    /// A predicate over an answer of type `output`.
    pub(super) fn accept(&mut self, field: &'a PolicyField, output: &Type) -> Option<Lambda> {
        let PolicyValueKind::Expr(expr) = &field.value.kind else {
            self.wrong_value(field, "a lambda, such as `answer => answer.len() > 0`");
            return None;
        };
        self.in_place(Place::Pure("`accept`"), |this| {
            this.lambda(expr, output, Some(&Type::Bool), &"`accept`")
        })
    }

    /// What stands in for a call that gives `wanted`.
    pub(super) fn fallback(&mut self, field: &'a PolicyField, wanted: &Type) -> Option<Fallback> {
        let PolicyValueKind::Expr(expr) = &field.value.kind else {
            self.wrong_value(field, "a value or another call; a record is written with its name");
            return None;
        };
        if let Ast::Call(call) = &expr.kind {
            self.fallbacks += 1;
            let value = self.call(call, Some(wanted));
            self.fallbacks -= 1;
            if self.fallbacks >= FALLBACKS_MAX {
                let message = format!("a call has more than {FALLBACKS_MAX} fallbacks inside one another");
                let report = Diagnostic::error(codes::BAD_POLICY_VALUE, message);
                self.report(report.primary(field.key.span, "one too many"));
                return None;
            }
            return self.fallback_call(value, wanted);
        }
        let place = Place::Pure("a fallback value");
        let value = self.in_place(place, |this| this.check(expr, wanted, &"the value of `fallback`"));
        Some(Fallback::Value(value))
    }

    fn fallback_call(&mut self, value: Expr, wanted: &Type) -> Option<Fallback> {
        match self.convert(&value.ty, wanted) {
            Ok(Conversion::Identity) => {}
            _ => {
                self.fallback_misfit(&value, wanted);
                return None;
            }
        }
        match value.kind {
            ExprKind::Call(call) if call.args.iter().all(|arg| arg.effect == hir::Effect::Pure) => {
                Some(Fallback::Call(call))
            }
            ExprKind::Call(_) => {
                let report = Diagnostic::error(
                    codes::EFFECT_IN_PURE,
                    "an argument of a fallback call makes a call of its own",
                );
                self.report(report.primary(value.span, "").help("bind that answer by `let` before"));
                None
            }
            _ => None,
        }
    }

    fn fallback_misfit(&mut self, value: &Expr, wanted: &Type) {
        let (found, wanted) = self.show_apart(&value.ty, wanted);
        let message = format!("the answer of `fallback` must be `{wanted}`, not `{found}`");
        let report =
            Diagnostic::error(codes::MISMATCH, message).primary(value.span, format!("this is `{found}`"));
        self.report(if wanted.starts_with("Voted<") && !found.starts_with("Voted<") {
            report.help("give the fallback a `quorum` too, or handle the failure: `match try call .. { .. }`")
        } else {
            report
        });
    }

    /// `try call ..`: the call gives a `Result`.
    pub(super) fn caught(&mut self, mut call: hir::Call, span: Span) -> Expr {
        let votes = std::iter::successors(Some(&call), |call| match &call.policy.fallback {
            Some(Fallback::Call(next)) => Some(next),
            _ => None,
        });
        let most = votes.filter_map(|call| call.policy.quorum.as_ref()).map(|quorum| quorum.of).max();
        let votes = schema::types::LengthRange::up_to(most.map_or(0, u64::from));
        let error = prelude::call_error(&mut self.types, call.output.clone(), votes);
        let settled = call.policy.settled(&call.output);
        call.caught = Some(error);
        let ty = Type::Result(Box::new(settled), Box::new(Type::Named(error)));
        Expr::new(ExprKind::Call(Box::new(call)), ty, span)
    }
}
