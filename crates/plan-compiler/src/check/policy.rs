//! Policies: `with web { retry: { max: 1 } }`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use plan_ir::plan::Tolerance;
use plan_lang::ast::{self, PolicyField, PolicyUse, PolicyValueKind};
use plan_lang::{Diagnostic, Span};
use schema::types::Type;

use super::Checker;
use super::policy_key::{Key, Site};
use super::scope::{Body, Place};
use crate::codes;
use crate::hir;

/// A key that is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) key: Key,
    pub(super) field: &'a PolicyField,
    /// Whether it stands in a named policy, which sees nothing of the plan around its use.
    pub(super) named: bool,
}

/// The policy of a `for`.
#[derive(Clone, Debug, Default)]
pub(super) struct ForPolicy {
    pub(super) concurrency: Option<u32>,
    pub(super) tolerate: Option<Tolerance>,
    /// Where the loop itself sets it: a named policy serves other lists too.
    pub(super) tolerate_at: Option<Span>,
    pub(super) on_error: Option<OnErrorWord>,
    pub(super) budget: Option<hir::Budget>,
}

/// What `on_error` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnErrorWord {
    Fail,
    Drop,
    Keep,
}

impl<'a> Checker<'a, '_> {
    /// The declared policies, on their own: what can be said without a place they stand in. `items` are those of the
    /// file.
    pub(super) fn policies(&mut self, items: &'a [ast::Item]) {
        let Some(module) = self.program.modules.first() else { return };
        let mut policies: Vec<&'a ast::PolicyDecl> = module.policies.all().values().copied().collect();
        if policies.is_empty() {
            return;
        }
        policies.sort_by_key(|policy| policy.span);
        // Most are one word, and the same for many calls.
        let name = |path: &'a ast::Path| match path.as_ident() {
            Some(word) => Cow::Borrowed(word.name.as_str()),
            None => Cow::Owned(path.dotted()),
        };
        let uses: BTreeSet<Cow<'_, str>> = module.uses.iter().copied().map(name).collect();
        // A file without a plan is only begun, and a policy that is not there may have been meant to be one that is.
        let has_plan = items.iter().any(|item| matches!(item, ast::Item::Plan(_)));
        let all_known = has_plan && uses.iter().all(|name| module.policies.contains_key(&**name));
        for policy in policies {
            self.body = Body::new(0, 0);
            let errors = self.sink.errors();
            let settings = self.settings(&policy.fields);
            settings.iter().for_each(|setting| self.constant_setting(*setting));
            let is_used = uses.contains(policy.name.name.as_str());
            if !is_used {
                self.unused_settings(&settings);
            }
            if self.sink.errors() > errors {
                self.broken_policies.push(policy.span);
            } else if !is_used && all_known && !policy.name.name.starts_with('_') {
                let message = format!("nothing uses the policy `{}`", policy.name.name);
                self.report(
                    Diagnostic::warning(codes::UNUSED_VALUE, message)
                        .primary(policy.name.span, "unused")
                        .help(format!("write `with {}` behind a call, or remove it", policy.name.name)),
                );
            }
        }
    }

    /// What depends on the place is otherwise checked where the policy is used: here as far as no answer is needed.
    fn unused_settings(&mut self, settings: &[Setting<'a>]) {
        let field = |key| settings.iter().find(|setting| setting.key == key).map(|setting| setting.field);
        for setting in settings.iter().map(|setting| Setting { named: true, ..*setting }) {
            match setting.key {
                Key::Quorum => drop(self.votes(setting.field, None)),
                Key::Budget => drop(self.budget(setting)),
                Key::Accept => drop(self.accept(setting.field, &Type::Error)),
                Key::Fallback => {
                    self.in_place(Place::Plan, |this| drop(this.fallback(setting.field, &Type::Error)));
                }
                _ => {}
            }
        }
        if let (Some(cache), Some(quorum)) = (field(Key::Cache), field(Key::Quorum)) {
            self.refuse_cached_votes(cache, quorum);
        }
        if let (Some(tolerate), Some(on_error)) = (field(Key::Tolerate), field(Key::OnError)) {
            let word = self.on_error(on_error);
            self.refuse_tolerance(tolerate, word);
        }
    }

    /// Checks a value that does not depend on where the policy stands.
    fn constant_setting(&mut self, setting: Setting<'a>) {
        match setting.key {
            Key::Timeout | Key::Deadline | Key::Cache => drop(self.duration(setting.field)),
            Key::MaxPrice => drop(self.amount(setting.field)),
            Key::Retry => drop(self.retry(setting.field)),
            Key::Concurrency => drop(self.concurrency(setting.field)),
            Key::Tolerate => drop(self.tolerate(setting.field)),
            Key::OnError => drop(self.on_error(setting.field)),
            Key::Hedge => drop(self.hedge(setting.field)),
            Key::Page => drop(self.page(setting.field)),
            Key::Poll => drop(self.poll(setting.field)),
            Key::Prefer => drop(self.prefer(setting.field)),
            Key::Only | Key::Ignore => drop(self.selectors(setting.field)),
            _ => {}
        }
    }

    /// The known keys of one list of fields, each once.
    fn settings(&mut self, fields: &'a [PolicyField]) -> Vec<Setting<'a>> {
        let mut settings: Vec<Setting<'a>> = Vec::new();
        let names = Key::ALL.map(Key::name);
        let open = not_set(&names, fields);
        for field in fields.iter().filter(|field| !field.key.is_missing()) {
            let Some(key) = Key::named(&field.key.name) else {
                let message = format!("policies have no key `{}`", field.key.name);
                let report =
                    Diagnostic::error(codes::UNKNOWN_KEY, message).primary(field.key.span, "unknown key");
                let report = match Key::known_elsewhere(&field.key.name).map(Key::name) {
                    Some(key) => report.help(format!("the key is `{key}`")),
                    None => {
                        self.sink.did_you_mean(report, &field.key.name, field.key.span, open.iter().copied())
                    }
                };
                self.report(match report.help {
                    Some(_) => report,
                    None => report.note(format!("the keys are: {}", names.join(", "))),
                });
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
    pub(super) fn policy_at(&mut self, policy: Option<&'a PolicyUse>, site: Site) -> Vec<Setting<'a>> {
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
            let names = module.policies.all().keys().copied();
            let report = Diagnostic::error(codes::UNKNOWN_POLICY, format!("there is no policy `{name}`"))
                .primary(path.span, "unknown policy");
            let report = self.sink.did_you_mean(report, &name, path.span, names);
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

    pub(super) fn for_policy(&mut self, policy: Option<&'a PolicyUse>) -> ForPolicy {
        let mut checked = ForPolicy::default();
        let mut tolerate_field = None;
        for setting in self.policy_at(policy, Site::For) {
            match setting.key {
                Key::Concurrency => checked.concurrency = self.concurrency(setting.field),
                Key::Tolerate => {
                    checked.tolerate = self.tolerate(setting.field);
                    tolerate_field = Some(setting.field);
                    checked.tolerate_at = (!setting.named).then_some(setting.field.value.span);
                }
                Key::OnError => checked.on_error = self.on_error(setting.field),
                Key::Budget => checked.budget = self.budget(setting),
                _ => {}
            }
        }
        if let Some(field) = tolerate_field
            && self.refuse_tolerance(field, checked.on_error)
        {
            checked.tolerate = None;
        }
        checked
    }

    /// Reports `tolerate` beside a word that leaves it nothing to do.
    fn refuse_tolerance(&mut self, field: &PolicyField, on_error: Option<OnErrorWord>) -> bool {
        let (word, note, help) = match on_error {
            Some(OnErrorWord::Keep) => (
                "keep",
                "`keep` keeps every failure in the list, so none makes the loop fail",
                "remove one of them; count the failures by `.errors().len()`",
            ),
            Some(OnErrorWord::Drop) => (
                "drop",
                "`drop` leaves out every element that fails, so none makes the loop fail",
                "remove one of them: `tolerate` alone leaves out so many and no more",
            ),
            Some(OnErrorWord::Fail) | None => return false,
        };
        let message = format!("`tolerate` and `on_error: {word}` contradict each other");
        self.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, message)
                .primary(field.span, "nothing is left to tolerate")
                .note(note)
                .help(help),
        );
        true
    }

    /// Budget and deadline of a plan, with its parameters in scope.
    pub(super) fn plan_policy(
        &mut self,
        policy: Option<&'a PolicyUse>,
    ) -> (Option<hir::Budget>, Option<(u64, Span)>) {
        let (mut budget, mut deadline) = (None, None);
        for setting in self.policy_at(policy, Site::Plan) {
            let span = setting.field.value.span;
            match setting.key {
                Key::Deadline => deadline = self.duration(setting.field).map(|us| (us, span)),
                Key::Budget => budget = self.budget(setting),
                _ => {}
            }
        }
        (budget, deadline)
    }

    /// A budget; a named policy sees nothing of the plan around its use.
    pub(super) fn budget(&mut self, setting: Setting<'a>) -> Option<hir::Budget> {
        let PolicyValueKind::Expr(expr) = &setting.field.value.kind else {
            self.wrong_value(setting.field, "an amount, such as `0.50USD`");
            return None;
        };
        let amount = self.seeing(!setting.named, |this| {
            this.in_place(Place::Pure("a budget"), |this| this.check(expr, &Type::Amount, &"the budget"))
        });
        Some(hir::Budget { amount, span: setting.field.value.span })
    }
}

/// Those of `names` that no field sets, which a misspelt one may have meant. Looked for once: a list may hold thousands.
pub(super) fn not_set(names: &[&'static str], fields: &[PolicyField]) -> Vec<&'static str> {
    let is_set = |name: &&&str| fields.iter().any(|field| field.key.name == **name);
    names.iter().filter(|name| !is_set(name)).copied().collect()
}
