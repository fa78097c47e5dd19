//! `use`: operations, their types and capabilities of the lock.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use plan_lang::ast::{self, Item};
use plan_lang::{Diagnostic, Fix, Span, suggest};
use schema::operation::Access;
use schema::types::{DefId, TypeDef};

use super::operation::to_be_pinned;
use super::{Resolver, Unit, duplicate};
use crate::codes;
use crate::hir::Target;
use crate::program::{CallTarget, Origin, TypeName};
use crate::texts::Texts;

/// Operations of one message that it points at.
const SHOWN_IMPORTS: usize = 6;

/// What to say of several operations where the lock holds nothing of their subnets: one command pins them all.
fn all_unpinned(imports: &[&ast::Import]) -> Diagnostic {
    let message = format!("the lock has none of {} operations that this file uses", imports.len());
    let mut report = Diagnostic::error(codes::UNKNOWN_OPERATION, message);
    for (index, import) in imports.iter().take(SHOWN_IMPORTS).enumerate() {
        report = match index {
            0 => report.primary(import.name.span, "not in the lock"),
            _ => report.secondary(import.name.span, "nor is this"),
        };
    }
    to_be_pinned(report)
}

/// A `use` with nothing in its braces.
fn imports_nothing(item: &ast::Use) -> Diagnostic {
    let from = item.from.dotted();
    Diagnostic::warning(codes::EMPTY_IMPORT, format!("this `use` imports nothing of `{from}`"))
        .primary(item.span, "no name in its braces")
        .help(format!("name what it is for, `use {from} {{ name }}`, or remove it"))
        .fix(Fix::maybe("remove it").delete(item.span))
}

impl<'a> Resolver<'a, '_> {
    /// Everything that the plan's file imports.
    pub(super) fn import(&mut self, unit: &Unit<'a>, texts: &Texts) {
        let uses: Vec<&ast::Use> = unit
            .items
            .iter()
            .filter_map(|(_, item)| match item {
                Item::Use(item) if !item.from.is_missing() => Some(item),
                _ => None,
            })
            .collect();
        let unpinned = self.unpinned(&uses);
        let told_together = unpinned.len() > 1;
        if told_together {
            self.report(0, all_unpinned(&unpinned));
        }
        let unpinned: BTreeSet<Span> = unpinned.iter().map(|import| import.name.span).collect();
        // Operations first: a type may be imported in a line before the operation that brings it.
        for types in [false, true] {
            for item in &uses {
                let names = item.imports.iter().filter(|import| import.name.is_upper() == types);
                match namespace(&item.from) {
                    Namespace::Capabilities | Namespace::Subnet(_) if item.imports.is_empty() => {
                        if !types && item.whole {
                            self.report(0, imports_nothing(item));
                        }
                    }
                    Namespace::Capabilities => {
                        names.for_each(|import| self.import_capability(item, import, texts));
                    }
                    Namespace::Subnet(subnet) if types => {
                        names.for_each(|import| self.import_type(import, subnet));
                    }
                    Namespace::Subnet(subnet) => names.for_each(|import| {
                        if told_together && unpinned.contains(&import.name.span) {
                            self.broken(import);
                        } else {
                            self.import_operation(item, import, subnet);
                        }
                    }),
                    Namespace::Unknown => {
                        if !types {
                            self.unknown_namespace(item);
                        }
                        names.for_each(|import| self.broken(import));
                    }
                }
            }
        }
    }

    /// The operations imported from subnets of which the lock holds nothing, and which no other namespace has.
    fn unpinned(&self, uses: &[&'a ast::Use]) -> Vec<&'a ast::Import> {
        let of_unpinned = uses.iter().filter(|item| match namespace(&item.from) {
            Namespace::Subnet(subnet) => !self.is_pinned(subnet),
            Namespace::Capabilities | Namespace::Unknown => false,
        });
        let imports = of_unpinned.flat_map(|item| &item.imports);
        imports
            .filter(|import| !import.name.is_upper() && !import.name.is_missing())
            .filter(|import| self.namespaces_of(&import.name.name).is_empty())
            .collect()
    }

    /// Where the lock has a capability or operation of this name.
    fn namespaces_of(&self, name: &str) -> Vec<&'a str> {
        let lock = self.program.lock;
        let capability = lock.capabilities.contains_key(name).then_some("cap");
        let ids = lock.operations.keys().filter_map(|id| id.split_once('.'));
        capability.into_iter().chain(ids.filter(|(_, of)| *of == name).map(|(subnet, _)| subnet)).collect()
    }

    /// Adds where a name that was imported from the wrong place is, if anywhere.
    fn misplaced(&self, report: Diagnostic, item: &ast::Use, import: &ast::Import) -> Diagnostic {
        let name = &import.name.name;
        let namespaces = self.namespaces_of(name);
        let right = namespaces.iter().take(SHOWN_IMPORTS).map(|from| format!("`use {from} {{ {name} }}`"));
        let report = report.help(format!("did you mean {}?", right.collect::<Vec<_>>().join(" or ")));
        match (namespaces.as_slice(), item.imports.as_slice()) {
            ([only], [_]) => {
                report.fix(Fix::maybe(format!("write `use {only}`")).replace(item.from.span, *only))
            }
            _ => report,
        }
    }

    /// Whether the lock holds an operation of `subnet`.
    fn is_pinned(&self, subnet: &str) -> bool {
        let prefix = format!("{subnet}.");
        let mut from = self.program.lock.operations.range(prefix.clone()..);
        from.next().is_some_and(|(id, _)| id.starts_with(&prefix))
    }

    fn unknown_namespace(&mut self, item: &ast::Use) {
        let from = item.from.dotted();
        let report =
            Diagnostic::error(codes::UNKNOWN_NAMESPACE, format!("there is nothing to use in `{from}`"))
                .primary(item.from.span, "neither a subnet nor `cap`");
        let report = match item.from.segments.as_slice() {
            [subnet, name] => {
                let right = format!("use {} {{ {} }}", subnet.name, name.name);
                report.help(format!("an operation is imported by its name in braces: `{right}`"))
            }
            [namespace] if let Some(right) = namespace_meant(&namespace.name) => {
                if right == "cap" || is_subnet(&right) {
                    report.meant(&right, namespace.span)
                } else {
                    report.help(format!("subnets go from `sn0` to `sn{}`", u16::MAX))
                }
            }
            _ => report.help(
                "write `use sn22 { .. }` for operations of a subnet, `use cap { .. }` for capabilities",
            ),
        };
        self.report(0, report);
    }

    /// Takes the names of an import that was reported, so that their uses are not reported again.
    fn broken(&mut self, import: &'a ast::Import) {
        let local = import.local();
        if let Some(module) = self.module(0) {
            module.broken_import = true;
            if local.is_missing() {
                return;
            }
            if local.is_upper() {
                module.types.all_mut().entry(local.name.clone()).or_insert(TypeName::Broken);
            } else {
                module.targets.entry(local.name.clone()).or_insert(CallTarget::Broken);
                module.declared.entry(&local.name).or_insert(local.span);
            }
        }
    }

    fn import_operation(&mut self, item: &ast::Use, import: &'a ast::Import, subnet: &str) {
        if import.name.is_missing() {
            return;
        }
        let id = format!("{subnet}.{}", import.name.name);
        let is_here = self.program.lock.operations.contains_key(&id);
        if !is_here && !self.namespaces_of(&import.name.name).is_empty() {
            let message = format!("{subnet} has no operation `{}`", import.name.name);
            let report = Diagnostic::error(codes::UNKNOWN_OPERATION, message);
            let report = report.primary(import.name.span, "not of this subnet");
            let report = self.misplaced(report, item, import);
            self.report(0, report);
            return self.broken(import);
        }
        let Some(operation) = self.load(&id, 0, import.name.span) else {
            return self.broken(import);
        };
        self.warn_of_access(import, operation);
        self.bring_types(operation);
        if self.declare(0, 0, import.local()) {
            let target = CallTarget::Known(Target::Operation(operation));
            if let Some(module) = self.module(0) {
                module.targets.insert(import.local().name.clone(), target);
            }
        }
    }

    /// Tells of an operation that refuses most callers, before they wonder why.
    fn warn_of_access(&mut self, import: &ast::Import, operation: usize) {
        let Some(descriptor) = self.program.operations.get(operation).map(|op| op.descriptor()) else {
            return;
        };
        let (id, subnet) = (&descriptor.id, descriptor.netuid);
        let (what, label, help) = match descriptor.access {
            Access::Open | Access::Key => return,
            Access::RegisteredHotkey => (
                format!("`{id}` answers hotkeys that are registered on subnet {subnet}, and nobody else"),
                "refuses callers from outside",
                "`hotkey` in orchestra.toml names yours, and `orch doctor` tells whether it can sign; whether it is \
                 registered, only the chain knows",
            ),
            Access::PermitAndStake => (
                format!(
                    "`{id}` answers validators of subnet {subnet}, with a permit and stake, and nobody else"
                ),
                "refuses everybody but validators",
                "`hotkey` in orchestra.toml names yours, and `orch doctor` tells whether it can sign; whether it has a \
                 permit, only the chain knows",
            ),
            Access::X402 => (
                format!("`{id}` wants to be paid by x402 before it answers"),
                "its offer is told and never paid",
                "ask the subnet for an API key; calls without one end with E1132",
            ),
        };
        let report =
            Diagnostic::warning(codes::FEW_ARE_ANSWERED, what).primary(import.name.span, label).help(help);
        self.report(0, report);
    }

    /// Brings the types of an operation into the scope of the plan's file. The record of its parameters is not
    /// among them: a call names the parameters, and what it has no name for can grow.
    fn bring_types(&mut self, operation: usize) {
        let origin = Origin::Ledger(operation);
        let input = self.program.operations.get(operation).map(|op| op.input);
        let mine = self.program.origins.iter().zip(self.types.iter());
        let brought: Vec<(String, DefId)> = mine
            .filter(|(found, (def, _))| **found == origin && Some(*def) != input)
            .map(|(_, (def, ty))| (ty.name().to_owned(), def))
            .collect();
        if let Some(module) = self.module(0) {
            for (name, def) in brought {
                let known = module.brought.entry(name).or_default();
                if !known.contains(&def) {
                    known.push(def);
                }
            }
        }
    }

    /// `use sn22 { WebSearchOutputDataItem as Hit }`.
    fn import_type(&mut self, import: &'a ast::Import, subnet: &str) {
        let Some(def) = self.find_type(&import.name.name, subnet) else {
            if !self.program.modules.first().is_some_and(|module| module.broken_import) {
                let names = self.type_names(subnet);
                let report = Diagnostic::error(
                    codes::UNKNOWN_TYPE,
                    format!("no operation of {subnet} in the lock has a type `{}`", import.name.name),
                )
                .primary(import.name.span, "unknown type");
                let near = names.iter().map(String::as_str);
                let report = self.sink.did_you_mean(report, &import.name.name, import.name.span, near);
                self.report(0, report);
            }
            return self.broken(import);
        };
        let local = import.local();
        match self.module(0).map(|module| module.types.all_mut().entry(local.name.clone())) {
            Some(Entry::Vacant(free)) => {
                free.insert(TypeName::Def(def));
                if import.alias.is_some() {
                    self.rename(def, &local.name);
                }
            }
            Some(Entry::Occupied(_)) => {
                let declared = self.type_place(&local.name).map(|(_, declared)| declared);
                let first = declared.or_else(|| self.imported_as(&local.name)).unwrap_or(local.span);
                self.report(0, duplicate(local, first));
            }
            None => {}
        }
    }

    /// Where the first import stands that brings `name`.
    fn imported_as(&self, name: &str) -> Option<Span> {
        let uses = self.main_items.iter().filter_map(|item| match item {
            Item::Use(item) => Some(&item.imports),
            _ => None,
        });
        uses.flatten().map(ast::Import::local).find(|local| local.name == name).map(|local| local.span)
    }

    /// Messages show a type under the name that the file gave it.
    fn rename(&mut self, def: DefId, name: &str) {
        match self.types.get_mut(def) {
            Some(TypeDef::Record(record)) => name.clone_into(&mut record.name),
            Some(TypeDef::Enum(enumeration)) => name.clone_into(&mut enumeration.name),
            None => {}
        }
    }

    /// The type of an imported operation of `subnet`, else of any operation of it in the lock.
    fn find_type(&mut self, name: &str, subnet: &str) -> Option<DefId> {
        self.find_loaded_type(name, subnet).or_else(|| {
            for id in self.locked_operations(subnet) {
                if !self.loaded.contains_key(id) {
                    self.load_quietly(id);
                }
            }
            self.find_loaded_type(name, subnet)
        })
    }

    fn find_loaded_type(&self, name: &str, subnet: &str) -> Option<DefId> {
        let of_subnet = |origin: &Origin| match origin {
            Origin::Ledger(operation) => {
                self.program.operations.get(*operation).is_some_and(|op| is_of(&op.descriptor().id, subnet))
            }
            _ => false,
        };
        let mut all = self.program.origins.iter().zip(self.types.iter());
        all.find(|(origin, (def, ty))| of_subnet(origin) && ty.name() == name && !self.is_parameters(*def))
            .map(|(_, (def, _))| def)
    }

    /// Whether it is the record of an operation's parameters.
    fn is_parameters(&self, def: DefId) -> bool {
        self.program.operations.iter().any(|operation| operation.input == def)
    }

    fn type_names(&self, subnet: &str) -> BTreeSet<String> {
        let of_subnet = |origin: &Origin| match origin {
            Origin::Ledger(operation) => {
                self.program.operations.get(*operation).is_some_and(|op| is_of(&op.descriptor().id, subnet))
            }
            _ => false,
        };
        let all = self.program.origins.iter().zip(self.types.iter());
        all.filter(|(origin, (def, _))| of_subnet(origin) && !self.is_parameters(*def))
            .map(|(_, (_, ty))| ty.name().to_owned())
            .collect()
    }

    fn locked_operations(&self, subnet: &str) -> Vec<&'a str> {
        let lock = self.program.lock;
        lock.operations.keys().map(String::as_str).filter(|id| is_of(id, subnet)).collect()
    }

    fn import_capability(&mut self, item: &ast::Use, import: &'a ast::Import, texts: &Texts) {
        if import.name.is_missing() {
            return;
        }
        let name = &import.name.name;
        let module = texts.capabilities.iter().position(|texts| texts.name == *name).map(|at| at + 1);
        let found = self.program.capabilities.iter().position(|c| Some(c.module) == module && c.name == name);
        let Some(capability) = found else {
            if module.is_none() {
                let report = self.unknown_capability(item, import);
                self.report(0, report);
            }
            return self.broken(import);
        };
        self.bring_capability_types(module);
        if self.declare(0, 0, import.local()) {
            let target = CallTarget::Known(Target::Capability(capability));
            if let Some(module) = self.module(0) {
                module.targets.insert(import.local().name.clone(), target);
            }
        }
    }

    fn bring_capability_types(&mut self, from: Option<usize>) {
        let types =
            from.and_then(|from| self.program.modules.get(from)).map(|module| module.types.all().clone());
        let Some(main) = self.module(0) else { return };
        for (name, ty) in types.unwrap_or_default() {
            if let TypeName::Def(def) = ty {
                main.brought.entry(name).or_default().push(def);
            }
        }
    }

    fn unknown_capability(&self, item: &ast::Use, import: &ast::Import) -> Diagnostic {
        let name = &import.name.name;
        let report =
            Diagnostic::error(codes::UNKNOWN_CAPABILITY, format!("the lock has no capability `{name}`"))
                .primary(import.name.span, "not in the lock");
        if !self.namespaces_of(name).is_empty() {
            return self.misplaced(report, item, import);
        }
        match suggest(name, self.program.lock.capabilities.keys().map(String::as_str)) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .fix(Fix::maybe(format!("use `{near}`")).replace(import.name.span, near)),
            None => report.help("run `orch lock update` to pin what this file uses"),
        }
    }
}

/// The namespace that was meant: `SN22` or `subnet22`, `capability`. A subnet's number may be one that there is not.
fn namespace_meant(name: &str) -> Option<String> {
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = name.get(word.len()..).filter(|digits| !digits.is_empty());
    match (word.trim_end_matches('_').to_lowercase().as_str(), digits) {
        ("sn" | "s" | "n" | "ns" | "subnet" | "net" | "netuid", Some(digits)) => Some(format!("sn{digits}")),
        ("cap" | "caps" | "capability" | "capabilities", None) => Some("cap".to_owned()),
        _ => None,
    }
}

/// Where imported names come from.
pub(crate) enum Namespace<'p> {
    /// `cap`.
    Capabilities,
    /// `sn22`.
    Subnet(&'p str),
    /// Anything else.
    Unknown,
}

/// What the path of a `use` names.
pub(crate) fn namespace(from: &ast::Path) -> Namespace<'_> {
    match from.as_ident().map(|ident| ident.name.as_str()) {
        Some("cap") => Namespace::Capabilities,
        Some(name) if is_subnet(name) => Namespace::Subnet(name),
        _ => Namespace::Unknown,
    }
}

fn is_subnet(name: &str) -> bool {
    name.strip_prefix("sn").is_some_and(|digits| digits.parse::<u16>().is_ok())
}

/// Whether operation `id` belongs to `subnet`.
pub(crate) fn is_of(id: &str, subnet: &str) -> bool {
    id.split_once('.').is_some_and(|(of, _)| of == subnet)
}
