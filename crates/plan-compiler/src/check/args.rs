//! Arguments: what fills which parameter.

use plan_lang::ast::{self, Arg};
use plan_lang::{Diagnostic, Fix, Span, written_name};
use schema::types::Type;

use super::Checker;
use crate::codes;
use crate::hir::Expr;
use crate::resolve::listed;

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
        let places = places(slots, args, passing);
        // One that is passed was not meant by another argument: it would be passed twice.
        let mut open: Vec<Option<&Slot>> = slots.iter().map(Some).collect();
        for at in places.iter().flatten() {
            open.get_mut(*at).and_then(Option::take);
        }
        let open: Vec<&Slot> = open.into_iter().flatten().collect();
        let mut lost = 0;
        for (arg, place) in args.iter().zip(&places) {
            let found = place.and_then(|at| slots.get(at).zip(filled.get_mut(at)).ok_or(Nowhere::OneTooMany));
            let (slot, target) = match found {
                Ok(found) => found,
                Err(nowhere) => {
                    self.no_slot(nowhere, callee, slots, &open, arg, passing);
                    self.look_at(&arg.value);
                    lost += 1;
                    continue;
                }
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

    /// Reports an argument that is for none of the `slots`, of which nothing is passed for the `open` ones.
    fn no_slot(
        &mut self,
        why: Nowhere,
        callee: &ast::Ident,
        slots: &[Slot],
        open: &[&Slot],
        arg: &Arg,
        passing: Passing,
    ) {
        match (why, &arg.name) {
            (Nowhere::OneTooMany, _) => self.one_too_many(callee, slots, arg),
            (Nowhere::Unknown, Some(name)) if !name.is_missing() => {
                self.unknown_argument(callee, slots, open, name);
            }
            (Nowhere::Unknown, None) if !arg.value.is_error() => {
                self.unnamed_argument(callee, slots, open, arg, passing);
            }
            // What is missing was reported where it is.
            (Nowhere::Unknown, _) => {}
        }
    }

    fn unknown_argument(&mut self, callee: &ast::Ident, slots: &[Slot], open: &[&Slot], name: &ast::Ident) {
        let takes = slots.iter().map(|slot| format!("{}: {}", written_name(&slot.name), self.show(&slot.ty)));
        let message = format!("`{}` takes no argument `{}`", callee.name, name.name);
        let report =
            Diagnostic::error(codes::UNKNOWN_ARGUMENT, message).primary(name.span, "unknown argument");
        let report = match slots {
            [] => report.note(format!("`{}` takes no arguments", callee.name)),
            _ => report.note(format!("`{}` takes: {}", callee.name, listed(takes))),
        };
        let names = open.iter().map(|slot| slot.name.as_str());
        let report = self.sink.did_you_mean(report, &name.name, name.span, names);
        self.report(report);
    }

    fn one_too_many(&mut self, callee: &ast::Ident, slots: &[Slot], arg: &Arg) {
        let message = match slots.len() {
            0 => format!("`{}` takes no arguments", callee.name),
            1 => format!("`{}` takes 1 argument", callee.name),
            many => format!("`{}` takes {many} arguments", callee.name),
        };
        self.report(Diagnostic::error(codes::ARGUMENT_COUNT, message).primary(arg.span, "one too many"));
    }

    fn unnamed_argument(
        &mut self,
        callee: &ast::Ident,
        slots: &[Slot],
        open: &[&Slot],
        arg: &Arg,
        passing: Passing,
    ) {
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
            return self.report(report.help("arguments stand in the parentheses, without braces").fix(fix));
        }
        let mut needed = open.iter().filter(|slot| slot.default.is_none());
        let report = match (needed.next(), needed.next()) {
            (Some(Slot { name: only, .. }), None) => report
                .help(format!("write `{only}: ..`"))
                .fix(Fix::maybe(format!("pass it as `{only}`")).insert(arg.span.start, format!("{only}: "))),
            _ => {
                let names = slots.iter().map(|slot| format!("`{}`", slot.name));
                report.help(format!("it takes {}", listed(names)))
            }
        };
        self.report(report);
    }
}

/// Why an argument is for no parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nowhere {
    /// By its position it is behind the last one.
    OneTooMany,
    /// None has its name, or it has none.
    Unknown,
}

/// The parameter that each argument is for.
fn places(slots: &[Slot], args: &[Arg], passing: Passing) -> Vec<Result<usize, Nowhere>> {
    let first_name = args.iter().position(|arg| arg.name.is_some()).unwrap_or(args.len());
    let named = |name: &ast::Ident| slots.iter().position(|slot| slot.name == name.name);
    let place = |(position, arg): (usize, &Arg)| match &arg.name {
        None if passing == Passing::Positional && position < first_name => {
            (position < slots.len()).then_some(position).ok_or(Nowhere::OneTooMany)
        }
        name => name.as_ref().or(arg.value.as_name()).and_then(named).ok_or(Nowhere::Unknown),
    };
    args.iter().enumerate().map(place).collect()
}
