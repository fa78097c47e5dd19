//! `for`.

use plan_ir::builtin::Builtin;
use plan_ir::plan::{OnError, Tolerance};
use plan_lang::{Diagnostic, Fix, Span, ast};
use schema::types::{LengthRange, Type};

use super::Checker;
use super::method::builtin;
use super::policy::ForPolicy;
use super::scope::Place;
use crate::codes;
use crate::hir::{Effect, Expr, ExprKind, For, Lambda, VarId};
use crate::prelude;

impl<'a> Checker<'a, '_> {
    pub(super) fn for_loop(&mut self, node: &'a ast::For, span: Span) -> Expr {
        let list = self.infer(&node.list, None);
        let found = self.element_of(&list);
        let element = found.as_ref().map_or(Type::Error, |(element, _)| element.clone());
        let (item, body) = self.scoped(|this| {
            let item = this.body.bind_binder(&node.binder, element.clone());
            let body = this.block_value(&node.body, None);
            (item, this.determined(body))
        });
        let policy = self.for_policy(node.policy.as_ref());
        let Some((element, length)) = found else { return Expr::error(span) };
        if let (Place::Pure(place), Some(policy)) = (self.body.place, &node.policy) {
            let message = format!("a policy has no meaning in {place}");
            let report = Diagnostic::error(codes::EFFECT_IN_PURE, message);
            return self
                .fail(span, report.primary(policy.span, "nothing fails or waits here").help("remove it"));
        }
        if body.is_error() {
            return Expr::error(span);
        }
        let result = body.ty.clone();
        if body.effect == Effect::Pure && node.policy.is_none() {
            let lambda = Lambda { params: vec![item], body: Box::new(body) };
            let ty = Type::List(Box::new(result), length);
            return builtin(Builtin::Map, vec![list], Some(lambda), ty, span);
        }
        if body.effect == Effect::Call && length.max.is_none() {
            let report = self.unbounded(&list);
            self.report(report);
        }
        self.fan_out(list, item, element, length, policy, body, span)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one `for`, used here only")]
    fn fan_out(
        &mut self,
        list: Expr,
        item: VarId,
        element: Type,
        length: LengthRange,
        policy: ForPolicy,
        body: Expr,
        span: Span,
    ) -> Expr {
        let result = body.ty.clone();
        let (tolerate, on_error, ty) = match policy.on_error {
            Some(super::policy::OnErrorWord::Keep) => {
                let item_error = prelude::item_error(&mut self.types, element);
                let kept = Type::Result(Box::new(result), Box::new(Type::Named(item_error)));
                (Tolerance::All, OnError::Keep { item_error }, Type::List(Box::new(kept), length))
            }
            Some(super::policy::OnErrorWord::Drop) => {
                let ty = Type::List(Box::new(result), shortened(length, Tolerance::All));
                (Tolerance::All, OnError::Drop, ty)
            }
            Some(super::policy::OnErrorWord::Fail) | None => {
                let tolerate = policy.tolerate.unwrap_or(Tolerance::Count(0));
                self.lint_tolerance(tolerate, policy.tolerate_at, length);
                (tolerate, OnError::Drop, Type::List(Box::new(result), shortened(length, tolerate)))
            }
        };
        let ForPolicy { concurrency, budget, .. } = policy;
        let node = For { item, list, concurrency, tolerate, on_error, budget, body };
        Expr::new(ExprKind::For(Box::new(node)), ty, span)
    }

    /// Lints a tolerance that no list of this length can use up.
    fn lint_tolerance(&mut self, tolerate: Tolerance, at: Option<Span>, length: LengthRange) {
        let (Tolerance::Count(count), Some(at), Some(most)) = (tolerate, at, length.max) else { return };
        if u64::from(count) > most {
            let elements = if most == 1 { "element" } else { "elements" };
            let message = format!("{count} failures are tolerated of a list of at most {most} {elements}");
            self.report(
                Diagnostic::warning(codes::TOLERATES_ALL, message)
                    .primary(at, "the loop never fails")
                    .help("write `on_error: drop` if every element may fail, or a smaller number"),
            );
        }
    }

    fn element_of(&mut self, list: &Expr) -> Option<(Type, LengthRange)> {
        let shown = self.show(&list.ty);
        let report = match &list.ty {
            Type::Error => return None,
            Type::List(element, length) => return Some(((**element).clone(), *length)),
            Type::Optional(_) => Diagnostic::error(codes::MAY_BE_NULL, "this list may be `null`")
                .primary(list.span, format!("this is `{shown}`"))
                .help("say what stands in for `null` by `?? []`"),
            other => {
                let report =
                    Diagnostic::error(codes::MISMATCH, format!("`for` goes through a list, not `{shown}`"))
                        .primary(list.span, format!("this is `{shown}`"));
                match other {
                    Type::Json => report.help("decode it: `.. as [T]`"),
                    Type::Map(_) => report.help("go through its `.entries()`, `.keys()` or `.values()`"),
                    Type::Int(_) => report.help("numbers in a row are a list: `1.to(n)`"),
                    Type::Result(..) => {
                        report.help("look at both cases before: `match x { Ok(v) => .., Err(e) => .. }`")
                    }
                    _ => report,
                }
            }
        };
        self.report(report);
        None
    }

    fn unbounded(&self, list: &Expr) -> Diagnostic {
        let shown = self.show(&list.ty);
        let report = Diagnostic::error(
            codes::UNBOUNDED_LIST,
            "this `for` makes calls for a list without an upper bound",
        )
        .primary(list.span, format!("no upper bound: this is `{shown}`"))
        .note("the most a plan can cost is known before it runs, so every loop over calls needs a bound")
        .help("add `.take(n)`, or `(..n)` to the type of the input");
        match list.kind {
            ExprKind::Var(_) | ExprKind::Field { .. } | ExprKind::Builtin { .. } => {
                report.fix(Fix::maybe("take at most 10").insert(list.span.end, ".take(10)"))
            }
            _ => report,
        }
    }
}

/// The length of what is left when elements may be dropped.
fn shortened(length: LengthRange, tolerate: Tolerance) -> LengthRange {
    let min = match tolerate {
        Tolerance::Count(count) => length.min.saturating_sub(u64::from(count)),
        Tolerance::BasisPoints(share) => {
            // Of n elements, floor(n * share / 10,000) may fail; what is left grows with n.
            let lost = u128::from(length.min) * u128::from(share) / 10_000;
            length.min.saturating_sub(u64::try_from(lost).unwrap_or(u64::MAX))
        }
        Tolerance::All => 0,
    };
    LengthRange { min, ..length }
}
