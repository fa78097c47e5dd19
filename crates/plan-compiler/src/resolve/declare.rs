//! Declarations: records, enums, functions, plans, policies, capabilities.

use std::collections::{BTreeMap, BTreeSet};

use plan_lang::ast::{self, CapabilityOutput, Item};
use plan_lang::{Diagnostic, Span};
use schema::types::{EnumDef, EnumWire, FieldDef, RecordDef, Type, TypeDef, VariantDef};

use super::types::{BUILTIN_TYPES, resolve_type};
use super::{Resolver, Unit, duplicate};
use crate::MEMBERS_MAX;
use crate::calls::{run_and_with, with_of_policy};
use crate::codes;
use crate::hir::Target;
use crate::program::{CallTarget, Capability, Function, Origin, Plan, TypeName};
use crate::sink::SourceId;

impl<'a> Resolver<'a, '_> {
    /// Takes the names of records and enums, without their members: they may refer to one another.
    pub(super) fn declare_types(&mut self, unit: &Unit<'a>) {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        for &(source, item) in &unit.items {
            let (name, def, members) = match item {
                Item::Record(item) => (&item.name, empty_record(item), item.fields.len()),
                Item::Enum(item) => (&item.name, empty_enum(item), item.variants.len()),
                _ => continue,
            };
            if name.is_missing() {
                continue;
            }
            if BUILTIN_TYPES.contains(&name.name.as_str()) {
                let message = format!("`{}` is a type of the language", name.name);
                self.report(
                    source,
                    Diagnostic::error(codes::DUPLICATE_ITEM, message).primary(name.span, "rename this one"),
                );
                continue;
            }
            if let Some(span) = first.get(name.name.as_str()) {
                let report = duplicate(name, *span);
                self.report(source, report);
                continue;
            }
            first.insert(&name.name, name.span);
            let found = if members > MEMBERS_MAX {
                self.report(source, crowded(name));
                TypeName::Broken
            } else {
                self.program.origins.push(Origin::File);
                TypeName::Def(self.types.push(def))
            };
            if let Some(module) = self.module(unit.module) {
                module.types.all_mut().insert(name.name.clone(), found);
            }
        }
    }

    /// The members of records and enums.
    pub(super) fn resolve_definitions(&mut self, unit: &Unit<'a>) {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for &(source, item) in &unit.items {
            let (Item::Record(_) | Item::Enum(_), Some(name)) = (item, item.name()) else { continue };
            // The second of two declarations of one name was reported and is not there.
            let found = self.program.modules.get(unit.module).and_then(|m| m.types.get(&name.name));
            let Some(&TypeName::Def(def)) = found.filter(|_| !done.contains(name.name.as_str())) else {
                continue;
            };
            done.insert(&name.name);
            match item {
                Item::Record(item) => {
                    let fields = self.fields(unit, source, item);
                    if !item.whole {
                        self.program.unread.insert(def);
                    }
                    if let Some(TypeDef::Record(record)) = self.types.get_mut(def) {
                        record.fields = fields;
                    }
                }
                Item::Enum(item) => {
                    let variants = self.variants(unit, source, item);
                    // What is wrong with the declaration is told where it stands.
                    let all_upper = item.variants.iter().all(|variant| variant.name.is_upper());
                    if variants.is_empty() || !all_upper || !item.whole {
                        self.program.unread.insert(def);
                    }
                    if let Some(TypeDef::Enum(enumeration)) = self.types.get_mut(def) {
                        enumeration.variants = variants;
                    }
                }
                _ => {}
            }
        }
    }

    fn fields(&mut self, unit: &Unit<'a>, source: SourceId, item: &ast::Record) -> Vec<FieldDef> {
        let mut fields: Vec<FieldDef> = Vec::new();
        let mut spans: Vec<Span> = Vec::new();
        for field in item.fields.iter().filter(|field| !field.name.is_missing()) {
            let ty = self.ty(unit.module, source, &field.ty);
            match fields.iter().position(|known| known.name == field.name.name) {
                Some(at) => {
                    let first = spans.get(at).copied().unwrap_or_default();
                    self.report(source, repeated("field", &field.name, first));
                }
                None => {
                    fields.push(FieldDef { name: field.name.name.clone(), ty, doc: docs(&field.docs) });
                    spans.push(field.name.span);
                }
            }
        }
        fields
    }

    fn variants(&mut self, unit: &Unit<'a>, source: SourceId, item: &ast::Enum) -> Vec<VariantDef> {
        let mut variants: Vec<VariantDef> = Vec::new();
        let mut spans: Vec<Span> = Vec::new();
        for variant in item.variants.iter().filter(|variant| !variant.name.is_missing()) {
            let payload = variant.payload.as_ref().map(|ty| self.ty(unit.module, source, ty));
            match variants.iter().position(|known| known.name == variant.name.name) {
                Some(at) => {
                    let first = spans.get(at).copied().unwrap_or_default();
                    self.report(source, repeated("variant", &variant.name, first));
                }
                None => {
                    let name = variant.name.name.clone();
                    let wire = serde_json::Value::from(name.as_str()).to_string();
                    variants.push(VariantDef { name, wire, payload, doc: docs(&variant.docs) });
                    spans.push(variant.name.span);
                }
            }
        }
        variants
    }

    /// The type that `ty` means in `module`.
    pub(super) fn ty(&mut self, module: usize, source: SourceId, ty: &ast::Type) -> Type {
        let Some(module) = self.program.modules.get(module) else { return Type::Error };
        let found = resolve_type(ty, module, &mut self.types, source, self.sink);
        // What the language itself made of it is nobody else's.
        self.program.origins.resize(self.types.len(), Origin::Prelude);
        found
    }

    /// Takes the names of functions, plans, policies and capabilities, and looks at those of tests.
    pub(super) fn declare_values(&mut self, unit: &Unit<'a>) {
        let mut tests: BTreeMap<&str, Span> = BTreeMap::new();
        for &(source, item) in &unit.items {
            match item {
                Item::Fn(item) => self.declare_fn(unit, source, item),
                Item::Capability(item) => self.declare_capability(unit, source, item),
                Item::Plan(item) if unit.module == 0 => self.declare_plan(source, item),
                Item::Policy(item) if unit.module == 0 => self.declare_policy(source, item),
                Item::Test(item) if unit.module == 0 => {
                    let name = &item.name;
                    if name.value.trim().is_empty() {
                        let report = Diagnostic::error(
                            plan_lang::codes::MISSING_TEXT,
                            "the name of the test is empty",
                        );
                        self.report(
                            source,
                            report
                                .primary(name.span, "expected what holds")
                                .help("write `test \"what holds\" { .. }`"),
                        );
                    } else if let Some(first) = tests.insert(&name.value, name.span) {
                        let message = format!("two tests are called \"{}\"", name.value);
                        let report = Diagnostic::error(codes::DUPLICATE_ITEM, message);
                        self.report(
                            source,
                            report.primary(name.span, "again").secondary(first, "first here"),
                        );
                    }
                }
                Item::Plan(_) | Item::Policy(_) | Item::Test(_) | Item::Use(_) if unit.module != 0 => {
                    let report = Diagnostic::error(
                        codes::BROKEN_CAPABILITY,
                        "a capability holds records, enums, functions and adapters only",
                    );
                    self.report(source, report.primary(item.span(), "does not belong here"));
                }
                _ => {}
            }
        }
    }

    fn declare_fn(&mut self, unit: &Unit<'a>, source: SourceId, item: &'a ast::Fn) {
        if !self.declare(unit.module, source, &item.name) {
            return;
        }
        let index = self.program.functions.len();
        self.program.functions.push(Function {
            decl: item,
            params: Vec::new(),
            output: Type::Error,
            module: unit.module,
            source,
        });
        if let Some(module) = self.module(unit.module) {
            module.functions.all_mut().insert(&item.name.name, index);
        }
    }

    fn declare_policy(&mut self, source: SourceId, item: &'a ast::PolicyDecl) {
        let is_new = self.declare(0, source, &item.name);
        let Some(module) = self.module(0) else { return };
        module.uses.extend(with_of_policy(item));
        if is_new {
            module.policies.all_mut().insert(&item.name.name, item);
        }
    }

    fn declare_plan(&mut self, source: SourceId, item: &'a ast::Plan) {
        let (runs, uses) = run_and_with(item);
        if let Some(module) = self.module(0) {
            module.uses.extend(uses);
        }
        if !self.declare(0, source, &item.name) {
            return;
        }
        let index = self.program.plans.len();
        self.program.plans.push(Plan { decl: item, params: Vec::new(), output: Type::Error, runs });
        if let Some(module) = self.module(0) {
            module.plans.all_mut().insert(&item.name.name, index);
        }
    }

    fn declare_capability(&mut self, unit: &Unit<'a>, source: SourceId, item: &'a ast::Capability) {
        if !self.declare(unit.module, source, &item.name) {
            return;
        }
        let index = self.program.capabilities.len();
        self.program.capabilities.push(Capability {
            name: &item.name.name,
            params: Vec::new(),
            output: match &item.output {
                CapabilityOutput::Type(_) => Some(Type::Error),
                CapabilityOutput::Wanted(_) => None,
            },
            module: unit.module,
            source,
            adapters: Vec::new(),
        });
        if let Some(module) = self.module(unit.module) {
            let target = CallTarget::Known(Target::Capability(index));
            module.targets.insert(item.name.name.clone(), target);
        }
    }
}

fn empty_record(item: &ast::Record) -> TypeDef {
    TypeDef::Record(RecordDef { name: item.name.name.clone(), fields: Vec::new(), doc: docs(&item.docs) })
}

fn empty_enum(item: &ast::Enum) -> TypeDef {
    TypeDef::Enum(EnumDef {
        name: item.name.name.clone(),
        variants: Vec::new(),
        wire: EnumWire::Literal,
        doc: docs(&item.docs),
    })
}

fn docs(docs: &Option<String>) -> String {
    docs.clone().unwrap_or_default()
}

/// A record or enum with too many members.
fn crowded(name: &ast::Ident) -> Diagnostic {
    let message = format!("`{}` has more than {MEMBERS_MAX} members", name.name);
    Diagnostic::error(codes::TOO_MANY_NODES, message)
        .primary(name.span, "too large")
        .help("group some of them in a type of their own")
}

/// A member of a record or enum that is there twice.
pub(super) fn repeated(what: &str, name: &ast::Ident, first: Span) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_FIELD, format!("the {what} `{}` is there twice", name.name))
        .primary(name.span, "again")
        .secondary(first, "first here")
        .help("rename or remove one of them")
}
