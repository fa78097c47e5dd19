//! Parameters, results and adapters: what declarations need once all type names are known.

use std::collections::BTreeSet;

use plan_lang::Diagnostic;
use plan_lang::ast::{self, CapabilityOutput, Item};
use schema::types::Type;

use super::declare::repeated;
use super::{Resolver, Unit};
use crate::MEMBERS_MAX;
use crate::codes;
use crate::hir::Target;
use crate::program::{Adapter, AdapterOf, CallTarget, Param};
use crate::sink::SourceId;

impl<'a> Resolver<'a, '_> {
    /// Types of the parameters and results of a module's functions, plans and capabilities.
    pub(super) fn resolve_signatures(&mut self, unit: &Unit<'a>) {
        for &(source, item) in &unit.items {
            match item {
                Item::Fn(item) => {
                    let place = self
                        .module(unit.module)
                        .and_then(|m| m.functions.get(item.name.name.as_str()))
                        .copied();
                    let params = self.params(unit, source, &item.params);
                    let output = self.ty(unit.module, source, &item.output);
                    let function = place.and_then(|at| self.program.functions.get_mut(at));
                    // The second of two declarations of one name is not there.
                    if let Some(function) = function.filter(|found| std::ptr::eq(found.decl, item)) {
                        function.params = params;
                        function.output = output;
                    }
                }
                Item::Plan(item) if unit.module == 0 => {
                    let place = self.module(0).and_then(|m| m.plans.get(item.name.name.as_str())).copied();
                    let params = self.params(unit, source, &item.params);
                    let output = self.ty(unit.module, source, &item.output);
                    let plan = place.and_then(|at| self.program.plans.get_mut(at));
                    if let Some(plan) = plan.filter(|found| std::ptr::eq(found.decl, item)) {
                        plan.params = params;
                        plan.output = output;
                    }
                }
                Item::Capability(item) => self.capability_signature(unit, source, item),
                _ => {}
            }
        }
    }

    fn capability_signature(&mut self, unit: &Unit<'a>, source: SourceId, item: &'a ast::Capability) {
        let params = self.params(unit, source, &item.params);
        let output = match &item.output {
            CapabilityOutput::Type(ty) => Some(self.ty(unit.module, source, ty)),
            CapabilityOutput::Wanted(_) => None,
        };
        let mut all = self.program.capabilities.iter_mut();
        let mine = all.find(|c| c.module == unit.module && c.name == item.name.name);
        if let Some(capability) = mine {
            capability.params = params;
            capability.output = output;
        }
    }

    fn params(&mut self, unit: &Unit<'a>, source: SourceId, params: &'a [ast::Param]) -> Vec<Param<'a>> {
        let mut found: Vec<Param<'a>> = Vec::new();
        for param in params.iter().filter(|param| !param.name.is_missing()) {
            let ty = self.ty(unit.module, source, &param.ty);
            match found.iter().find(|known| known.name.name == param.name.name) {
                Some(first) => {
                    let report = repeated("parameter", &param.name, first.name.span);
                    self.report(source, report);
                }
                None if found.len() >= MEMBERS_MAX => {
                    let message = format!("there are more than {MEMBERS_MAX} parameters");
                    let report = Diagnostic::error(codes::TOO_MANY_NODES, message);
                    let report = report.primary(param.name.span, "one too many");
                    self.report(source, report.help("pass some of them as a record"));
                    break;
                }
                None => found.push(Param {
                    name: &param.name,
                    ty,
                    default: param.default.as_ref(),
                    docs: param.docs.as_deref().unwrap_or(""),
                }),
            }
        }
        found
    }

    /// The adapters of a module, each under its capability.
    pub(super) fn declare_adapters(&mut self, unit: &Unit<'a>) {
        let mut seen = BTreeSet::new();
        for &(source, item) in &unit.items {
            let Item::Adapter(item) = item else { continue };
            let Some((capability, operation)) = self.adapter_ends(unit, source, item) else { continue };
            if !seen.insert((capability, operation)) {
                let message = format!("`{}` is adapted twice", item.operation.dotted());
                self.report(
                    source,
                    Diagnostic::error(codes::DUPLICATE_ITEM, message).primary(item.operation.span, "again"),
                );
                continue;
            }
            let index = self.program.adapters.len();
            self.program.adapters.push(Adapter {
                capability,
                operation,
                decl: item,
                module: unit.module,
                source,
            });
            if let Some(capability) = self.program.capabilities.get_mut(capability) {
                let known = capability.adapters.iter_mut().find(|known| known.operation == operation);
                match known {
                    // An adapter of the plan's own file stands in for that of the lock.
                    Some(known) if unit.module == 0 => known.adapter = index,
                    Some(_) => {}
                    None => capability.adapters.push(AdapterOf { operation, adapter: index }),
                }
            }
        }
    }

    fn adapter_ends(
        &mut self,
        unit: &Unit<'a>,
        source: SourceId,
        item: &ast::Adapter,
    ) -> Option<(usize, usize)> {
        let capability = if item.capability.is_missing() { None } else { self.adapted(unit, source, item) };
        if item.operation.is_missing() {
            return None;
        }
        let operation = self.load(&item.operation.dotted(), source, item.operation.span);
        capability.zip(operation)
    }

    fn adapted(&mut self, unit: &Unit<'a>, source: SourceId, item: &ast::Adapter) -> Option<usize> {
        let module = self.program.modules.get(unit.module)?;
        let name = item.capability.dotted();
        match module.targets.get(&name) {
            Some(CallTarget::Known(Target::Capability(index))) => return Some(*index),
            Some(CallTarget::Broken) => return None,
            _ => {}
        }
        let capabilities = module.targets.iter().filter_map(|(name, target)| match target {
            CallTarget::Known(Target::Capability(_)) => Some(name.as_str()),
            _ => None,
        });
        let report = Diagnostic::error(codes::BAD_ADAPTER, format!("there is no capability `{name}`"))
            .primary(item.capability.span, "unknown capability");
        let report = self.sink.did_you_mean(report, &name, item.capability.span, capabilities);
        self.report(source, report);
        None
    }
}

/// Whether the type holds something that was reported.
pub(crate) fn is_broken(ty: &Type) -> bool {
    match ty {
        Type::Error => true,
        Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => is_broken(inner),
        Type::Result(ok, err) => is_broken(ok) || is_broken(err),
        _ => false,
    }
}
