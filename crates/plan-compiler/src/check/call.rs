//! `call` and `run`.

use plan_lang::{Diagnostic, Fix, Span, ast};
use schema::operation::Transport;
use schema::price::{PriceError, PriceRule};
use schema::types::Type;

use super::Checker;
use super::args::{Passing, Slot};
use super::call_policy::CallSite;
use super::coerce::absent;
use super::policy_key::Key;
use crate::codes;
use crate::hir::{self, CallPolicy, Expr, ExprKind, Target};
use crate::program::CallTarget;
use crate::resolve::is_broken;

impl<'a> Checker<'a, '_> {
    /// A call; `want` is what its place takes.
    pub(super) fn call(&mut self, call: &'a ast::Call, want: Option<&Type>) -> Expr {
        let word = Span::new(call.span.start, call.span.start.saturating_add(4).min(call.span.end));
        let allowed = self.may_call("a call", word);
        let Some((target, name)) = self.call_target(&call.target) else {
            self.look_at_all(&call.args);
            let wanted = call.wanted.as_ref().map(|ty| self.ty(ty));
            return Expr { ty: wanted.unwrap_or(Type::Error), ..Expr::error(call.span) };
        };
        let slots = self.slots(target);
        let args = self.arguments(name, &slots, &call.args, Passing::Named);
        let output = self.call_output(target, name, call, want);
        let site = CallSite { target, name: &name.name, output: &output, span: name.span };
        let (policy, complete) = self.call_policy(call.policy.as_ref(), &site);
        if complete && !is_broken(&output) {
            self.check_admissible(target, name, &policy, call);
        }
        if !allowed {
            return Expr { ty: policy.settled(&output), ..Expr::error(call.span) };
        }
        let settled = policy.settled(&output);
        let node = hir::Call { target, name: name.name.clone(), args, output, policy, caught: None };
        Expr::new(ExprKind::Call(Box::new(node)), settled, call.span)
    }

    pub(super) fn call_target(&mut self, path: &'a ast::Path) -> Option<(Target, &'a ast::Ident)> {
        if path.is_missing() {
            return None;
        }
        let Some(name) = path.as_ident() else {
            let last = path.segments.last().map_or("", |last| last.name.as_str());
            let subnet = path.segments.first().map_or("", |first| first.name.as_str());
            let report =
                Diagnostic::error(codes::UNKNOWN_TARGET, format!("`{}` is not imported", path.dotted()));
            let report = report.primary(path.span, "a call takes a name of this file");
            self.report(match self.imported_as(&path.dotted()) {
                Some(name) => {
                    let fix = Fix::maybe(format!("use `{name}`")).replace(path.span, name.clone());
                    report.help(format!("it is imported as `{name}`")).fix(fix)
                }
                None => {
                    report.help(format!("import it: `use {subnet} {{ {last} }}`, then `call {last}(..)`"))
                }
            });
            return None;
        };
        let module = self.module()?;
        match module.targets.get(&name.name) {
            Some(CallTarget::Known(target)) => Some((*target, name)),
            Some(CallTarget::Broken) => None,
            None => {
                let report = self.unknown_target(name);
                self.report(report);
                None
            }
        }
    }

    /// The name that this file gives to an operation.
    fn imported_as(&self, id: &str) -> Option<String> {
        let is_it = |target: &CallTarget| match target {
            CallTarget::Known(Target::Operation(at)) => {
                self.program.operations.get(*at).is_some_and(|operation| operation.descriptor().id == id)
            }
            _ => false,
        };
        self.module()?.targets.iter().find(|(_, target)| is_it(target)).map(|(name, _)| name.clone())
    }

    pub(super) fn unknown_target(&self, name: &ast::Ident) -> Diagnostic {
        let text = name.name.as_str();
        let report =
            Diagnostic::error(codes::UNKNOWN_TARGET, format!("there is no operation or capability `{text}`"))
                .primary(name.span, "not imported");
        let Some(module) = self.module() else { return report };
        if module.plans.contains_key(text) {
            return report.help(format!("`{text}` is a plan: `run {text}(..)`"));
        }
        if module.functions.contains_key(text) {
            return report.help(format!("`{text}` is a function: `{text}(..)`"));
        }
        let mut ids = self.program.operations.iter().map(|operation| &operation.descriptor().id);
        let id = ids.find(|id| id.split_once('.').is_some_and(|(_, operation)| operation == text));
        if let Some(alias) = id.and_then(|id| self.imported_as(id)) {
            let fix = Fix::maybe(format!("use `{alias}`")).replace(name.span, alias.clone());
            return report.help(format!("it is imported as `{alias}`")).fix(fix);
        }
        let near = self.sink.did_you_mean(
            report.clone(),
            text,
            name.span,
            module.targets.keys().map(String::as_str),
        );
        if near.help.is_some() {
            return near;
        }
        let mut subnets = self.program.lock.operations.keys().filter_map(|id| id.split_once('.'));
        match subnets.find(|(_, operation)| *operation == text) {
            Some((subnet, _)) => report.help(format!("import it: `use {subnet} {{ {text} }}`")),
            None if self.program.lock.capabilities.contains_key(text) => {
                report.help(format!("import it: `use cap {{ {text} }}`"))
            }
            None => report.help("import it by `use`; `orch ledger search` finds operations"),
        }
    }

    fn slots(&self, target: Target) -> Vec<Slot> {
        match target {
            Target::Operation(at) => {
                let Some(operation) = self.program.operations.get(at) else { return Vec::new() };
                let required = operation.descriptor().input.get("required").and_then(|list| list.as_array());
                let is_required = |name: &str| required.is_some_and(|list| list.iter().any(|n| n == name));
                let fields = self.types.record(operation.input).map(|record| record.fields.as_slice());
                let slots = fields.unwrap_or_default().iter().map(|field| {
                    let optional = match field.ty {
                        Type::Optional(_) => true,
                        Type::Json => !is_required(&field.name),
                        _ => false,
                    };
                    let absent = || absent(field.ty.clone(), Span::default());
                    Slot { name: field.name.clone(), ty: field.ty.clone(), default: optional.then(absent) }
                });
                slots.collect()
            }
            Target::Capability(at) => {
                let Some(capability) = self.program.capabilities.get(at) else { return Vec::new() };
                let defaults = self.capability_defaults.get(at);
                params_as_slots(&capability.params, defaults)
            }
        }
    }

    /// The type of the answer.
    /// `want` is what the place of the call takes.
    fn call_output(
        &mut self,
        target: Target,
        name: &ast::Ident,
        call: &'a ast::Call,
        want: Option<&Type>,
    ) -> Type {
        let own = match target {
            Target::Operation(at) => self.program.operations.get(at).map(|op| op.output.clone()),
            Target::Capability(at) => self.program.capabilities.get(at).and_then(|cap| cap.output.clone()),
        };
        let generic = matches!(own, None | Some(Type::Json));
        match (&call.wanted, own) {
            (Some(wanted), _) if generic => self.ty(wanted),
            (Some(wanted), Some(own)) => {
                let shown = self.show(&own);
                let message = format!("`{}` answers `{shown}`, whatever is asked for", name.name);
                self.report(
                    Diagnostic::error(codes::WANTED_UNEXPECTED, message)
                        .primary(wanted.span, "not expected")
                        .help("bind the answer by `let` and decode the part that is meant: `answer.x as T`"),
                );
                // The rest was written for what was asked for.
                self.ty(wanted)
            }
            (None, Some(own)) => own,
            (None, None) | (Some(_), None) => {
                let message = format!("`{}` needs the type of the answer", name.name);
                // With votes the place takes what they agree on, not an answer.
                let votes = call.policy.iter().flat_map(|policy| &policy.fields);
                let has_votes = votes.into_iter().any(|field| field.key.name == Key::Quorum.name());
                let want = want.filter(|want| !is_broken(want) && !has_votes).map(|want| self.show(want));
                let (asked, ty) = match &want {
                    Some(want) => (format!("ask for `{want}`"), want.as_str()),
                    None => ("ask for text".to_owned(), "String"),
                };
                let fix = Fix::maybe(asked);
                let fix = match &call.policy {
                    Some(policy) => fix.insert(policy.span.start, format!("as {ty} ")),
                    None => fix.insert(call.span.end, format!(" as {ty}")),
                };
                self.report(
                    Diagnostic::error(codes::WANTED_MISSING, message)
                        .primary(name.span, "answers what it is asked for")
                        .help(format!("write `call {}(..) as T`", name.name))
                        .fix(fix),
                );
                Type::Error
            }
        }
    }

    /// What is wrong with `call f(..) with { .. } as T` where the answer is what the call asks for.
    pub(super) fn asked_too_late(&mut self, call: &'a ast::Call, ty: Span) -> Option<Diagnostic> {
        let name = call.target.as_ident().filter(|_| call.wanted.is_none() && call.policy.is_some())?;
        let CallTarget::Known(Target::Capability(at)) = *self.module()?.targets.get(&name.name)? else {
            return None;
        };
        if self.program.capabilities.get(at)?.output.is_some() {
            return None;
        }
        self.look_at_all(&call.args);
        let message = format!("`{}` needs the type of the answer before its policy", name.name);
        Some(
            Diagnostic::error(codes::WANTED_MISSING, message)
                .primary(ty, "too late")
                .secondary(name.span, "answers what it is asked for")
                .help(format!("`as` stands before `with`: `call {}(..) as T with {{ .. }}`", name.name)),
        )
    }

    /// Whether an operation may serve the call, at a price that is known or declared.
    fn check_admissible(&mut self, target: Target, name: &ast::Ident, policy: &CallPolicy, call: &ast::Call) {
        let operations = self.operations_of(target);
        let mut refused = Vec::new();
        let mut unknown = Vec::new();
        for operation in &operations {
            let id = &operation.id;
            match not_admissible(operation, policy) {
                Some(why) => refused.push(format!("`{id}`: {why}")),
                None if policy.max_price.is_none() && operation.price == PriceRule::Unknown => {
                    unknown.push(id.as_str());
                }
                None => {}
            }
        }
        if refused.len() == operations.len() {
            let mut report = Diagnostic::error(
                codes::NOT_ADMISSIBLE,
                format!("no operation can serve `{}` here", name.name),
            )
            .primary(name.span, "no candidate");
            for why in refused {
                report = report.note(why);
            }
            if operations.is_empty() {
                report =
                    report.help("write an `adapter`, or run `orch lock update` to pin those of the Ledger");
            }
            return self.report(report);
        }
        if !unknown.is_empty() {
            let message = format!("the price of {} is not known", join_ids(&unknown));
            let report = Diagnostic::error(codes::PRICE_UNKNOWN, message)
                .primary(name.span, "may cost anything")
                .note("nobody has published a price; what the plan declares counts in its bound")
                .help("say the most one attempt may cost: `max_price: 0.01USD`");
            self.report(match max_price_fix(call) {
                Some(fix) => report.fix(fix),
                None => report,
            });
        }
    }

    pub(super) fn run_plan(&mut self, run: &'a ast::Run) -> Expr {
        let word = Span::new(run.span.start, run.span.start.saturating_add(3).min(run.span.end));
        let allowed = self.may_call("`run`", word);
        let known = run.plan.as_ident().and_then(|name| {
            let module = self.module()?;
            Some((*module.plans.get(name.name.as_str())?, name))
        });
        let Some((at, name)) = known else {
            self.look_at_all(&run.args);
            if !run.plan.is_missing() {
                let report = self.unknown_plan(&run.plan);
                self.report(report);
            }
            return Expr::error(run.span);
        };
        let Some(plan) = self.program.plans.get(at) else { return Expr::error(run.span) };
        let slots = params_as_slots(&plan.params, self.plan_defaults.get(at));
        let args = self.arguments(name, &slots, &run.args, Passing::Positional);
        let output = plan.output.clone();
        if !allowed {
            return Expr { ty: output, ..Expr::error(run.span) };
        }
        Expr::new(ExprKind::Run(Box::new(hir::Run { plan: at, args })), output, run.span)
    }

    pub(super) fn unknown_plan(&self, path: &ast::Path) -> Diagnostic {
        let text = path.dotted();
        let report = Diagnostic::error(codes::UNKNOWN_PLAN, format!("there is no plan `{text}`"))
            .primary(path.span, "unknown plan");
        let Some(module) = self.module() else { return report };
        if module.targets.contains_key(&text) {
            return report.help(self.way_to_call(&text));
        }
        if module.functions.contains_key(text.as_str()) {
            return report.help(format!("`{text}` is a function: `{text}(..)`"));
        }
        self.sink.did_you_mean(report, &text, path.span, module.plans.all().keys().copied())
    }
}

/// Parameters of a declaration as slots.
pub(super) fn params_as_slots(
    params: &[crate::program::Param<'_>],
    defaults: Option<&Vec<Option<Expr>>>,
) -> Vec<Slot> {
    let default = |at: usize| defaults.and_then(|defaults| defaults.get(at)).cloned().flatten();
    params
        .iter()
        .enumerate()
        .map(|(at, param)| Slot { name: param.name.name.clone(), ty: param.ty.clone(), default: default(at) })
        .collect()
}

/// Adds `max_price` where the call has its policy.
fn max_price_fix(call: &ast::Call) -> Option<Fix> {
    let fix = Fix::maybe("allow 0.01 USD for an attempt");
    match &call.policy {
        None => Some(fix.insert(call.span.end, " with { max_price: 0.01USD }")),
        Some(policy) => {
            let last = policy.fields.last()?;
            Some(fix.insert(last.span.end, ", max_price: 0.01USD"))
        }
    }
}

/// Why an operation may not serve a call with this policy, if so.
pub(crate) fn not_admissible(
    descriptor: &schema::operation::OperationDescriptor,
    policy: &CallPolicy,
) -> Option<String> {
    if policy.only.as_ref().is_some_and(|only| !only.iter().any(|one| one.is_of(descriptor))) {
        return Some("it is not among those that `only` names".to_owned());
    }
    if policy.ignore.iter().any(|one| one.is_of(descriptor)) {
        return Some("`ignore` names it".to_owned());
    }
    if let Transport::Other { protocol, .. } = &descriptor.transport {
        return Some(format!("this version does not speak its protocol, {protocol}"));
    }
    match descriptor.price.worst(policy.max_price) {
        Err(PriceError::AboveMax { price, max_price }) => {
            Some(format!("its price {price} is above `max_price` {max_price}"))
        }
        _ => None,
    }
}

fn join_ids(ids: &[&str]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    quoted.join(", ")
}
