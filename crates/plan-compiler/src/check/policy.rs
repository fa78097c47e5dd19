//! Policies: `with web { retry: { max: 1 } }`.

use plan_ir::plan::{Retry, Tolerance};
use plan_ir::validate::FALLBACKS_MAX;
use plan_lang::ast::{self, ExprKind as Ast, PolicyField, PolicyUse, PolicyValueKind};
use plan_lang::{Diagnostic, Span};
use schema::error::CallErrorKind;
use schema::types::Type;

use super::Checker;
use super::expr::not_executed;
use super::policy_key::{Key, Site};
use super::scope::{Body, Place};
use crate::codes;
use crate::hir::{self, CallPolicy, Expr, ExprKind, Fallback, Lambda, Target};
use crate::relate::Conversion;
use crate::resolve::did_you_mean;
use crate::{DEFAULT_BACKOFF_US, DEFAULT_TIMEOUT_US};

/// A key that is set.
#[derive(Clone, Copy, Debug)]
struct Setting<'a> {
    key: Key,
    field: &'a PolicyField,
    /// Whether it stands in a named policy, which sees nothing of the plan around its use.
    named: bool,
}

/// What a call policy is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallSite<'c> {
    pub(super) target: Target,
    pub(super) name: &'c str,
    pub(super) output: &'c Type,
    pub(super) span: Span,
}

/// The policy of a `for`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ForPolicy {
    pub(super) concurrency: Option<u32>,
    pub(super) tolerate: Option<Tolerance>,
    pub(super) on_error: Option<OnErrorWord>,
}

/// What `on_error` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnErrorWord {
    Fail,
    Drop,
    Keep,
}

impl<'a> Checker<'a, '_> {
    /// The declared policies, on their own: what can be said without a place they stand in.
    pub(super) fn policies(&mut self) {
        let Some(module) = self.program.modules.first() else { return };
        let mut policies: Vec<&'a ast::PolicyDecl> = module.policies.values().copied().collect();
        policies.sort_by_key(|policy| policy.span);
        for policy in policies {
            self.body = Body::new(0, 0);
            let errors = self.sink.errors();
            for setting in self.settings(&policy.fields) {
                if setting.key.executed().is_empty() {
                    self.refuse_key(setting);
                    continue;
                }
                self.constant_setting(setting);
            }
            if self.sink.errors() > errors {
                self.broken_policies.push(policy.span);
            }
        }
    }

    /// Checks a value that does not depend on where the policy stands.
    fn constant_setting(&mut self, setting: Setting<'a>) {
        match setting.key {
            Key::Timeout | Key::Deadline => drop(self.duration(setting.field)),
            Key::MaxPrice => drop(self.amount(setting.field)),
            Key::Retry => drop(self.retry(setting.field)),
            Key::Concurrency => drop(self.concurrency(setting.field)),
            Key::Tolerate => drop(self.tolerate(setting.field)),
            Key::OnError => drop(self.on_error(setting.field)),
            _ => {}
        }
    }

    /// The known keys of one list of fields, each once.
    fn settings(&mut self, fields: &'a [PolicyField]) -> Vec<Setting<'a>> {
        let mut settings: Vec<Setting<'a>> = Vec::new();
        for field in fields.iter().filter(|field| !field.key.is_missing()) {
            let Some(key) = Key::named(&field.key.name) else {
                let message = format!("policies have no key `{}`", field.key.name);
                let report =
                    Diagnostic::error(codes::UNKNOWN_KEY, message).primary(field.key.span, "unknown key");
                let names = Key::ALL.iter().map(|key| key.name());
                self.report(did_you_mean(report, &field.key.name, field.key.span, names));
                continue;
            };
            if let Some(first) = settings.iter().find(|setting| setting.key == key) {
                let first = first.field.key.span;
                let report =
                    Diagnostic::error(codes::DUPLICATE_KEY, format!("`{}` is set twice", key.name()));
                self.report(report.primary(field.key.span, "again").secondary(first, "first here"));
                continue;
            }
            settings.push(Setting { key, field, named: false });
        }
        settings
    }

    /// The keys that hold at a site: those of the named policy, with the written ones laid over them.
    fn policy_at(&mut self, policy: Option<&'a PolicyUse>, site: Site) -> Vec<Setting<'a>> {
        let Some(policy) = policy else { return Vec::new() };
        let own = self.settings(&policy.fields);
        let mut settings = match &policy.base {
            Some(path) => self.base_settings(path),
            None => Vec::new(),
        };
        let from_base = settings.len();
        settings.retain(|setting| own.iter().all(|own| own.key != setting.key));
        let from_base = from_base.min(settings.len());
        settings.extend(own);
        let mut kept = Vec::new();
        for (index, setting) in settings.into_iter().enumerate() {
            let base = (index < from_base).then_some(policy.base.as_ref()).flatten();
            if !setting.key.sites().contains(&site) {
                self.misplaced(setting, site, base);
            } else if !setting.key.executed().contains(&site) {
                // A key that is executed nowhere was refused where the policy is declared.
                if base.is_none() || !setting.key.executed().is_empty() {
                    self.refuse_key(setting);
                }
            } else {
                kept.push(setting);
            }
        }
        kept
    }

    fn base_settings(&mut self, path: &'a ast::Path) -> Vec<Setting<'a>> {
        if path.is_missing() {
            return Vec::new();
        }
        let name = path.dotted();
        let Some(module) = self.module() else { return Vec::new() };
        let Some(decl) = module.policies.get(name.as_str()).copied() else {
            let names: Vec<&str> = module.policies.keys().copied().collect();
            let report = Diagnostic::error(codes::UNKNOWN_POLICY, format!("there is no policy `{name}`"))
                .primary(path.span, "unknown policy");
            let report = did_you_mean(report, &name, path.span, names);
            self.report(match report.help {
                Some(_) => report,
                None => report.help(format!("declare it: `policy {name} = {{ timeout: 4s }}`")),
            });
            return Vec::new();
        };
        // What is wrong in the declaration itself was reported there.
        let known = decl
            .fields
            .iter()
            .filter_map(|field| Some(Setting { key: Key::named(&field.key.name)?, field, named: true }));
        let mut settings: Vec<Setting<'a>> = Vec::new();
        for setting in known {
            if settings.iter().all(|other| other.key != setting.key) {
                settings.push(setting);
            }
        }
        settings
    }

    fn misplaced(&mut self, setting: Setting<'a>, site: Site, base: Option<&ast::Path>) {
        let name = setting.key.name();
        let report =
            Diagnostic::error(codes::MISPLACED_KEY, format!("`{name}` does not apply to {}", site.name()));
        let report = match base {
            Some(path) => report
                .primary(path.span, format!("this policy sets `{name}`"))
                .secondary(setting.field.key.span, "set here"),
            None => report.primary(setting.field.key.span, "not here"),
        };
        let applies: Vec<&str> = setting.key.sites().iter().map(|site| site.name()).collect();
        self.report(report.note(format!("`{name}` applies to {}", applies.join(", "))));
    }

    fn refuse_key(&mut self, setting: Setting<'a>) {
        let name = setting.key.name();
        let executed = setting.key.executed();
        let report = match executed.first() {
            Some(site) => not_executed(
                &format!("`{name}` here"),
                setting.field.key.span,
                &format!("it executes it on {}", site.name()),
            ),
            None => not_executed(&format!("`{name}`"), setting.field.key.span, "remove it for now"),
        };
        self.report(report);
    }

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
        let mut checked = CallPolicy {
            timeout_us: DEFAULT_TIMEOUT_US,
            retry: Retry { max: 0, backoff_us: DEFAULT_BACKOFF_US, on: CallErrorKind::RETRIED.to_vec() },
            accept: None,
            fallback: None,
            max_price: None,
        };
        for setting in self.policy_at(policy, Site::Call) {
            match setting.key {
                Key::Timeout => {
                    checked.timeout_us = self.duration(setting.field).unwrap_or(DEFAULT_TIMEOUT_US)
                }
                Key::Retry => {
                    if let Some(retry) = self.retry(setting.field) {
                        self.check_repeat(&retry, setting.field, site);
                        checked.retry = retry;
                    }
                }
                Key::MaxPrice => checked.max_price = self.amount(setting.field),
                Key::Accept => {
                    checked.accept = self.seeing(!setting.named, |this| this.accept(setting.field, site));
                }
                Key::Fallback => {
                    checked.fallback = self.seeing(!setting.named, |this| this.fallback(setting.field, site));
                }
                _ => {}
            }
        }
        (checked, known && self.sink.errors() == errors)
    }

    /// Whether a named policy is there and nothing in it was reported.
    fn is_sound_policy(&self, path: &ast::Path) -> bool {
        let decl = self.module().and_then(|module| module.policies.get(path.dotted().as_str()));
        decl.is_some_and(|decl| !self.broken_policies.contains(&decl.span))
    }

    /// Repeating an operation that is not safe to repeat.
    fn check_repeat(&mut self, retry: &Retry, field: &PolicyField, site: &CallSite<'_>) {
        if retry.max == 0 {
            return;
        }
        let program = self.program;
        let operations: Vec<usize> = match site.target {
            Target::Operation(at) => vec![at],
            Target::Capability(at) => program.capabilities.get(at).map_or_else(Vec::new, |capability| {
                capability.adapters.iter().map(|adapter| adapter.operation).collect()
            }),
        };
        for operation in operations.into_iter().filter_map(|at| program.operations.get(at)) {
            let descriptor = operation.descriptor;
            if descriptor.repeat.safe {
                continue;
            }
            let message = format!("`{}` is not safe to repeat, so it cannot be retried", descriptor.id);
            self.report(
                Diagnostic::error(codes::UNSAFE_REPEAT, message)
                    .primary(field.span, "would send it again")
                    .secondary(site.span, format!("`{}` is called here", site.name))
                    .note("a failed answer may hide a call that did its work: sending it again would do it twice")
                    .help("remove `retry`, or set `retry: { max: 0 }` over a shared policy"),
            );
        }
    }

    fn accept(&mut self, field: &'a PolicyField, site: &CallSite<'_>) -> Option<Lambda> {
        let PolicyValueKind::Expr(expr) = &field.value.kind else {
            self.wrong_value(field, "a lambda, such as `answer => answer.len() > 0`");
            return None;
        };
        self.in_place(Place::Pure("`accept`"), |this| {
            this.lambda(expr, site.output, Some(&Type::Bool), "`accept`")
        })
    }

    fn fallback(&mut self, field: &'a PolicyField, site: &CallSite<'_>) -> Option<Fallback> {
        let PolicyValueKind::Expr(expr) = &field.value.kind else {
            self.wrong_value(field, "a value or another call; a record is written with its name");
            return None;
        };
        if let Ast::Call(call) = &expr.kind {
            self.fallbacks += 1;
            let value = self.call(call);
            self.fallbacks -= 1;
            if self.fallbacks >= FALLBACKS_MAX {
                let message = format!("a call has more than {FALLBACKS_MAX} fallbacks inside one another");
                let report = Diagnostic::error(codes::BAD_POLICY_VALUE, message);
                self.report(report.primary(field.key.span, "one too many"));
                return None;
            }
            return self.fallback_call(value, site);
        }
        let place = Place::Pure("a fallback value");
        let value = self.in_place(place, |this| this.check(expr, site.output, "the value of `fallback`"));
        Some(Fallback::Value(value))
    }

    fn fallback_call(&mut self, value: Expr, site: &CallSite<'_>) -> Option<Fallback> {
        match self.convert(&value.ty, site.output) {
            Ok(Conversion::Identity) => {}
            _ => {
                self.coerce_report(&value, site.output);
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

    fn coerce_report(&mut self, value: &Expr, target: &Type) {
        let (found, wanted) = (self.show(&value.ty), self.show(target));
        self.report(
            Diagnostic::error(
                codes::MISMATCH,
                format!("the answer of `fallback` must be `{wanted}`, not `{found}`"),
            )
            .primary(value.span, format!("this is `{found}`")),
        );
    }

    pub(super) fn for_policy(&mut self, policy: Option<&'a PolicyUse>) -> ForPolicy {
        let mut checked = ForPolicy::default();
        let mut tolerate_field = None;
        for setting in self.policy_at(policy, Site::For) {
            match setting.key {
                Key::Concurrency => checked.concurrency = self.concurrency(setting.field),
                Key::Tolerate => {
                    checked.tolerate = self.tolerate(setting.field);
                    tolerate_field = Some(setting.field);
                }
                Key::OnError => checked.on_error = self.on_error(setting.field),
                _ => {}
            }
        }
        if let (Some(field), Some(OnErrorWord::Keep)) = (tolerate_field, checked.on_error) {
            self.report(
                Diagnostic::error(
                    codes::CONFLICTING_KEYS,
                    "`tolerate` and `on_error: keep` contradict each other",
                )
                .primary(field.span, "nothing is left to tolerate")
                .note("`keep` keeps every failure in the list, so none makes the loop fail")
                .help("remove one of them; count the failures by `.errors().len()`"),
            );
            checked.tolerate = None;
        }
        checked
    }

    /// Budget and deadline of a plan, with its parameters in scope.
    pub(super) fn plan_policy(
        &mut self,
        policy: Option<&'a PolicyUse>,
    ) -> (Option<hir::Budget>, Option<(u64, Span)>) {
        let (mut budget, mut deadline) = (None, None);
        for setting in self.policy_at(policy, Site::Plan) {
            let span = setting.field.value.span;
            match (setting.key, &setting.field.value.kind) {
                (Key::Deadline, _) => deadline = self.duration(setting.field).map(|us| (us, span)),
                (Key::Budget, PolicyValueKind::Expr(expr)) => {
                    let place = Place::Pure("a budget");
                    let amount = self.in_place(place, |this| this.check(expr, &Type::Amount, "the budget"));
                    budget = Some(hir::Budget { amount, span });
                }
                (Key::Budget, _) => self.wrong_value(setting.field, "an amount, such as `0.50USD`"),
                _ => {}
            }
        }
        (budget, deadline)
    }
}
