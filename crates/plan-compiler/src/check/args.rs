//! Arguments: what fills which parameter.

use plan_lang::ast::{self, Arg};
use plan_lang::{Diagnostic, Fix, Span, written_name};
use schema::types::Type;

use super::Checker;
use crate::codes;
use crate::hir::Expr;
use crate::resolve::{did_you_mean, listed};

/// A parameter to fill.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) ty: Type,
    /// What fills it where nothing is passed; `None` where something must be.
    pub(super) default: Option<Expr>,
}

/// How arguments find their parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    /// By name only; a bare `url` stands for `url: url`.
    Named,
    /// By position, and from the first name on by name.
    Positional,
}

impl<'a> Checker<'a, '_> {
    /// One value per slot. `callee` is what is called, for messages.
    pub(super) fn arguments(
        &mut self,
        callee: &ast::Ident,
        slots: &[Slot],
        args: &'a [Arg],
        passing: Passing,
    ) -> Vec<Expr> {
        let mut filled: Vec<Option<(Expr, Span)>> = slots.iter().map(|_| None).collect();
        let first_name = args.iter().position(|arg| arg.name.is_some()).unwrap_or(args.len());
        let mut lost = 0;
        for (position, arg) in args.iter().enumerate() {
            let place = match &arg.name {
                Some(name) => self.named_slot(callee, slots, args, passing, name),
                None if passing == Passing::Positional && position < first_name => {
                    self.positional_slot(callee, slots, position, arg)
                }
                None => self.punned_slot(callee, slots, &filled, arg, passing),
            };
            let Some((slot, target)) = place.and_then(|at| slots.get(at).zip(filled.get_mut(at))) else {
                self.infer_argument(&arg.value);
                lost += 1;
                continue;
            };
            if let Some((_, first)) = target {
                let first = *first;
                let message = format!("the argument `{}` is passed twice", slot.name);
                let report = Diagnostic::error(codes::DUPLICATE_FIELD, message);
                let report = report.primary(arg.span, "again").secondary(first, "first here");
                self.report(report.help("remove one of them"));
                continue;
            }
            let what = format_args!("the argument `{}` of `{}`", slot.name, callee.name);
            *target = Some((self.check(&arg.value, &slot.ty, &what), arg.span));
        }
        self.complete(callee, slots, filled, lost)
    }

    /// Looks at an argument that nothing takes, for its own mistakes.
    fn infer_argument(&mut self, value: &'a ast::Expr) {
        if !matches!(value.kind, ast::ExprKind::Lambda { .. }) {
            self.infer(value, Some(&Type::Error));
        }
    }

    /// Fills what was not passed. An argument that was `lost`, and reported, was meant for one of them.
    fn complete(
        &mut self,
        callee: &ast::Ident,
        slots: &[Slot],
        filled: Vec<Option<(Expr, Span)>>,
        lost: usize,
    ) -> Vec<Expr> {
        let mut missing = Vec::new();
        let mut values = Vec::new();
        for (value, slot) in filled.into_iter().zip(slots) {
            values.push(match (value, &slot.default) {
                (Some((value, _)), _) => value,
                (None, Some(default)) => Expr { span: callee.span, ..default.clone() },
                (None, None) => {
                    missing.push(format!("`{}: {}`", slot.name, self.show(&slot.ty)));
                    Expr::error(callee.span)
                }
            });
        }
        if missing.len() > lost {
            let plural = if missing.len() == 1 { "an argument" } else { "arguments" };
            self.report(
                Diagnostic::error(codes::ARGUMENT_COUNT, format!("`{}` lacks {plural}", callee.name))
                    .primary(callee.span, format!("missing: {}", listed(&missing)))
                    .help("pass it; only what has a default can be left out"),
            );
        }
        values
    }

    fn named_slot(
        &mut self,
        callee: &ast::Ident,
        slots: &[Slot],
        args: &[Arg],
        passing: Passing,
        name: &ast::Ident,
    ) -> Option<usize> {
        let found = slots.iter().position(|slot| slot.name == name.name);
        if found.is_none() && !name.is_missing() {
            let takes =
                slots.iter().map(|slot| format!("{}: {}", written_name(&slot.name), self.show(&slot.ty)));
            let message = format!("`{}` takes no argument `{}`", callee.name, name.name);
            let report =
                Diagnostic::error(codes::UNKNOWN_ARGUMENT, message).primary(name.span, "unknown argument");
            let report = match slots {
                [] => report.note(format!("`{}` takes no arguments", callee.name)),
                _ => report.note(format!("`{}` takes: {}", callee.name, listed(takes))),
            };
            // One that is passed already was not meant: it would be passed twice.
            let passed = passed(slots, args, passing);
            let names = slots.iter().map(|slot| slot.name.as_str()).filter(|name| !passed.contains(name));
            self.report(did_you_mean(report, &name.name, name.span, names));
        }
        found
    }

    fn positional_slot(
        &mut self,
        callee: &ast::Ident,
        slots: &[Slot],
        at: usize,
        arg: &Arg,
    ) -> Option<usize> {
        if at < slots.len() {
            return Some(at);
        }
        let most = slots.len();
        let message = match most {
            0 => format!("`{}` takes no arguments", callee.name),
            1 => format!("`{}` takes 1 argument", callee.name),
            many => format!("`{}` takes {many} arguments", callee.name),
        };
        self.report(Diagnostic::error(codes::ARGUMENT_COUNT, message).primary(arg.span, "one too many"));
        None
    }

    fn punned_slot(
        &mut self,
        callee: &ast::Ident,
        slots: &[Slot],
        filled: &[Option<(Expr, Span)>],
        arg: &Arg,
        passing: Passing,
    ) -> Option<usize> {
        if let Some(name) = arg.value.as_name()
            && let Some(at) = slots.iter().position(|slot| slot.name == name.name)
        {
            return Some(at);
        }
        if arg.value.is_error() {
            return None;
        }
        let message = match passing {
            Passing::Named => format!("arguments of `{}` are passed by name", callee.name),
            Passing::Positional => {
                format!("after a named argument, `{}` takes the others by name", callee.name)
            }
        };
        let report =
            Diagnostic::error(codes::UNNAMED_ARGUMENT, message).primary(arg.span, "which argument is this?");
        let is_slot = |key: &str| slots.iter().any(|slot| slot.name == key);
        if let ast::ExprKind::Anonymous(fields) = &arg.value.kind
            && let (Some(first), Some(last)) = (fields.first(), fields.last())
            && fields.iter().all(|field| is_slot(&field.key.name))
        {
            let braces = arg.value.span;
            let fix = Fix::maybe("remove the braces")
                .delete(Span::new(braces.start, first.span.start))
                .delete(Span::new(last.span.end, braces.end));
            self.report(report.help("arguments stand in the parentheses, without braces").fix(fix));
            return None;
        }
        let open = slots.iter().zip(filled).filter(|(slot, value)| value.is_none() && slot.default.is_none());
        let open: Vec<&str> = open.map(|(slot, _)| slot.name.as_str()).collect();
        let report = match open.as_slice() {
            [only] => report
                .help(format!("write `{only}: ..`"))
                .fix(Fix::maybe(format!("pass it as `{only}`")).insert(arg.span.start, format!("{only}: "))),
            _ => {
                let names = slots.iter().map(|slot| format!("`{}`", slot.name));
                report.help(format!("it takes {}", listed(names)))
            }
        };
        self.report(report);
        None
    }
}

/// The names of the parameters that arguments are for.
fn passed<'s>(slots: &'s [Slot], args: &'s [Arg], passing: Passing) -> Vec<&'s str> {
    let first_name = args.iter().position(|arg| arg.name.is_some()).unwrap_or(args.len());
    let name = |(position, arg): (usize, &'s Arg)| match &arg.name {
        Some(name) => Some(name.name.as_str()),
        None if passing == Passing::Positional && position < first_name => {
            slots.get(position).map(|slot| slot.name.as_str())
        }
        None => arg.value.as_name().map(|name| name.name.as_str()),
    };
    args.iter().enumerate().filter_map(name).collect()
}
