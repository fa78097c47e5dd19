//! Record literals, anonymous records and maps.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use plan_lang::ast::{self, FieldInit};
use plan_lang::{Diagnostic, Edit, Span, written_name};
use schema::types::{DefId, Type, TypeDef};
use schema::value::{Json, Value};

use super::Checker;
use super::literal::{present, to_json};
use crate::codes;
use crate::hir::{Expr, ExprKind};
use crate::prelude;
use crate::program::{Origin, TypeName};
use crate::relate::Origins;
use crate::resolve::{Lookup, ambiguous, listed, lookup};

impl<'a> Checker<'a, '_> {
    /// `Hit { title: "B", link }`.
    pub(super) fn record(
        &mut self,
        name: &'a ast::Ident,
        fields: &'a [FieldInit],
        span: Span,
        want: Option<&Type>,
    ) -> Expr {
        let found = self.module().map(|module| lookup(module, &name.name));
        match found {
            Some(Lookup::Found(TypeName::Def(def))) if self.types.record(def).is_some() => {
                return self.build_record(def, name.span, fields, span);
            }
            Some(Lookup::Found(TypeName::Def(_))) => {
                let report = Diagnostic::error(
                    codes::UNKNOWN_TYPE,
                    format!("`{}` is an enum, not a record", name.name),
                );
                self.report(report.primary(name.span, "no record").help("write a variant: `Enum.Variant`"));
            }
            Some(Lookup::Ambiguous) => self.report(ambiguous(name)),
            Some(Lookup::Unknown) if prelude::is_of_the_library(&name.name) => {
                return self.record_of_the_library(name, fields, span, want);
            }
            Some(Lookup::Unknown) if !name.is_missing() => self.unknown_record(name),
            _ => {}
        }
        self.lost(fields);
        Expr::error(span)
    }

    /// Looks at the values of a record that cannot be made, for the mistakes in them.
    fn lost(&mut self, fields: &'a [FieldInit]) {
        fields.iter().for_each(|field| self.look_at(&field.value));
    }

    fn unknown_record(&mut self, name: &ast::Ident) {
        let Some(module) = self.module().filter(|module| !module.broken_import) else { return };
        let names = module.types.all().keys().chain(module.brought.keys()).map(String::as_str);
        let report = Diagnostic::error(codes::UNKNOWN_TYPE, format!("there is no record `{}`", name.name))
            .primary(name.span, "unknown record");
        let report = self.sink.did_you_mean(report, &name.name, name.span, names);
        self.report(report);
    }

    /// `Pair { left: a, right: b }`: of the types that its place wants, or else of those of its values.
    fn record_of_the_library(
        &mut self,
        name: &'a ast::Ident,
        fields: &'a [FieldInit],
        span: Span,
        want: Option<&Type>,
    ) -> Expr {
        if let Some(Type::Named(def)) = want.map(present)
            && prelude::is_made(&self.types, *def, &name.name)
        {
            return self.build_record(*def, name.span, fields, span);
        }
        let parts = prelude::parts_of_the_library(&name.name);
        let written: Vec<Option<&FieldInit>> =
            parts.iter().map(|(part, _)| fields.iter().find(|init| init.key.name == *part)).collect();
        if fields.len() != parts.len() || written.contains(&None) {
            self.lost(fields);
            let shape = listed(parts.iter().map(|(part, _)| format!("{part}: ..")));
            let message = format!("a `{0}` is written `{0} {{ {shape} }}`", name.name);
            return self.fail(span, Diagnostic::error(codes::MISSING_FIELD, message).primary(name.span, ""));
        }
        let mut values = Vec::new();
        let mut of = Vec::new();
        for ((part, fixed), init) in parts.iter().zip(written.into_iter().flatten()) {
            values.push(self.value_of(init, |this, value| match fixed {
                Some(ty) => this.check(value, ty, &format_args!("the field `{part}` of `{}`", name.name)),
                None => {
                    let value = this.infer(value, None);
                    let value = this.determined(value);
                    of.push(value.ty.clone());
                    value
                }
            }));
        }
        let def = prelude::of_the_library(&self.types, &name.name, &of);
        match def.filter(|_| !values.iter().any(Expr::is_error)) {
            Some(def) => {
                let def = self.types.intern(def);
                Expr::new(ExprKind::Record(def, values), Type::Named(def), span)
            }
            None => Expr::error(span),
        }
    }

    /// A record from its fields; those that may be absent and are not written are `null`.
    fn build_record(&mut self, def: DefId, at: Span, fields: &'a [FieldInit], span: Span) -> Expr {
        let Some(record) = self.types.record(def) else { return Expr::error(span) };
        let (name, declared) = (record.name.clone(), record.fields.clone());
        let mut values: Vec<Option<Expr>> = declared.iter().map(|_| None).collect();
        let is_unread = self.is_unread(&Type::Named(def));
        let given = LazyCell::new(|| fields.iter().map(|init| init.key.name.as_str()).collect());
        let mut lost = 0;
        for init in fields.iter().filter(|init| !init.key.is_missing()) {
            let place = declared.iter().position(|field| field.name == init.key.name);
            let Some((slot, field)) = place.and_then(|at| values.get_mut(at).zip(declared.get(at))) else {
                let value = self.infer(&init.value, Some(&Type::Error));
                lost += 1;
                if is_unread {
                    continue;
                }
                let mut report = self.no_field(&Type::Named(def), &init.key, &given);
                if init.shorthand && !value.is_error() {
                    // The value keeps its name.
                    let key = &init.key;
                    report.fix = report.fix.map(|fix| fix.insert(key.span.end, format!(": {}", key.name)));
                }
                self.report(report);
                continue;
            };
            if let Some(first) = slot {
                let first = first.span;
                let report = Diagnostic::error(
                    codes::DUPLICATE_FIELD,
                    format!("the field `{}` is set twice", field.name),
                );
                let report = report.primary(init.key.span, "again").secondary(first, "first here");
                self.report(report.help("remove one of them"));
                continue;
            }
            *slot = Some(self.value_of(init, |this, value| {
                this.check(value, &field.ty, &format_args!("the field `{}` of `{name}`", field.name))
            }));
        }
        let ledger = self.program.is_ledger(def);
        let mut missing = Vec::new();
        let mut complete = Vec::new();
        for (value, field) in values.into_iter().zip(&declared) {
            complete.push(match (value, &field.ty) {
                (Some(value), _) => value,
                (None, Type::Optional(_)) => Expr::constant(Value::Null, field.ty.clone(), at),
                (None, Type::Json) if ledger => Expr::constant(Value::Json(Json::Null), Type::Json, at),
                (None, ty) => {
                    missing.push(format!("`{}: {}`", field.name, self.show(ty)));
                    Expr::error(at)
                }
            });
        }
        // A field that the record does not have was meant for one of them.
        if missing.len() > lost && !is_unread {
            let (what, add) = if missing.len() == 1 { ("a field", "add it") } else { ("fields", "add them") };
            let report = Diagnostic::error(codes::MISSING_FIELD, format!("this `{name}` lacks {what}"))
                .primary(at, format!("missing: {}", listed(&missing)))
                .help(match self.program.origin(def) {
                    Origin::File => format!("{add}; a field that may be absent is declared with `?`"),
                    _ => add.to_owned(),
                });
            return self.fail(span, report);
        }
        Expr::new(ExprKind::Record(def, complete), Type::Named(def), span)
    }

    /// The value that is written for a field.
    fn value_of(
        &mut self,
        init: &'a FieldInit,
        inside: impl FnOnce(&mut Self, &'a ast::Expr) -> Expr,
    ) -> Expr {
        let before = std::mem::replace(&mut self.body.shorthand, init.shorthand.then_some(&init.key));
        let value = inside(self, &init.value);
        self.body.shorthand = before;
        value
    }

    /// `{ query }`, `{ "a": 1 }`.
    pub(super) fn anonymous(&mut self, fields: &'a [FieldInit], span: Span, want: Option<&Type>) -> Expr {
        let is_record = |ty: &Type| matches!(ty, Type::Named(_) | Type::Map(_));
        let want = want.map(present).and_then(|want| self.member_of_kind(want, is_record));
        match want {
            Some(Type::Named(def)) if self.types.record(def).is_some() => {
                let at = Span::new(span.start, span.start.saturating_add(1));
                self.build_record(def, at, fields, span)
            }
            Some(Type::Map(value)) => self.map(fields, Some(&value), span),
            Some(Type::Json) => {
                let map = self.map(fields, Some(&Type::Json), span);
                to_json(map)
            }
            Some(Type::Error) => {
                for field in fields {
                    self.infer(&field.value, Some(&Type::Error));
                }
                Expr::error(span)
            }
            _ if !fields.is_empty() && fields.iter().all(|field| field.quoted) => {
                self.map(fields, None, span)
            }
            _ => {
                for field in fields {
                    self.infer(&field.value, Some(&Type::Error));
                }
                let report = Diagnostic::error(codes::UNDETERMINED, "nothing tells which record this is")
                    .primary(span, "needs a type")
                    .help("write the name of the record before `{`, or quote the keys of a map");
                self.fail(span, report)
            }
        }
    }

    fn map(&mut self, fields: &'a [FieldInit], value: Option<&Type>, span: Span) -> Expr {
        let mut keys: Vec<&ast::Ident> = Vec::new();
        let mut first_of: BTreeMap<&str, Span> = BTreeMap::new();
        let mut values = Vec::new();
        for init in fields.iter().filter(|init| !init.key.is_missing() || init.quoted) {
            if let Some(&first) = first_of.get(init.key.name.as_str()) {
                let report = Diagnostic::error(
                    codes::DUPLICATE_FIELD,
                    format!("the key `{}` is set twice", init.key.name),
                );
                let report = report.primary(init.key.span, "again").secondary(first, "first here");
                self.report(report.help("remove one of them"));
                continue;
            }
            first_of.insert(&init.key.name, init.key.span);
            keys.push(&init.key);
            values.push(self.value_of(init, |this, written| match value {
                Some(Type::Json) => this.json_value(written),
                Some(ty) => this.check(written, ty, &format_args!("the value of `{}`", init.key.name)),
                None => this.infer(written, None),
            }));
        }
        let element = match value {
            Some(ty) => ty.clone(),
            None => match self.unify(&mut values, "a value of this map") {
                Some(ty) => ty,
                None => return Expr::error(span),
            },
        };
        let key = |key: &ast::Ident| Expr::constant(Value::string(key.name.as_str()), Type::STRING, key.span);
        let entries = keys.into_iter().map(key).zip(values).collect();
        Expr::new(ExprKind::Map(entries), Type::Map(Box::new(element)), span)
    }

    /// A field that the type does not have. None of those that are `given` beside it was meant.
    pub(super) fn no_field(&self, ty: &Type, field: &ast::Ident, given: &BTreeSet<&str>) -> Diagnostic {
        let shown = self.show(ty);
        let report =
            Diagnostic::error(codes::UNKNOWN_FIELD, format!("`{shown}` has no field `{}`", field.name))
                .primary(field.span, "unknown field");
        let Type::Named(def) = ty else { return report };
        let Some(TypeDef::Record(record)) = self.types.get(*def) else { return report };
        let fields = record.fields.iter().map(|f| format!("{}: {}", f.name, self.show(&f.ty)));
        let mut report = match record.fields.as_slice() {
            [] => report.note(format!("`{shown}` has no fields")),
            _ => report.note(format!("`{shown}` has: {}", listed(fields))),
        };
        if let Origin::Ledger(operation) = self.program.origin(*def)
            && let Some(operation) = self.program.operations.get(operation)
        {
            let descriptor = operation.descriptor();
            report = report
                .note(format!("`{shown}` comes from {} {} of the lock", descriptor.id, descriptor.version));
        }
        let names = record.fields.iter().map(|field| field.name.as_str());
        let names = names.filter(|name| !given.contains(name));
        self.sink.did_you_mean(report, &field.name, field.span, names)
    }
}

/// A change of a value that is written by the name of its field alone writes both.
pub(super) fn written_out(mut report: Diagnostic, key: &ast::Ident) -> Diagnostic {
    if let Some(fix) =
        report.fix.as_mut().filter(|fix| fix.edits.iter().all(|edit| key.span.contains(edit.span)))
    {
        let text = format!("{}: ", written_name(&key.name));
        fix.edits.insert(0, Edit { span: Span::at(key.span.start), text });
    }
    report
}
