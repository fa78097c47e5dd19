//! `if` and `match`.

use plan_lang::{Diagnostic, Span, ast};
use schema::limits::JSON_DEPTH_MAX;
use schema::types::Type;

use super::Checker;
use super::exhaustive::{missing, unreachable};
use super::pattern::{At, NullsTaken};
use crate::codes;
use crate::hir::{self, Expr, ExprKind, Pattern};

impl<'a> Checker<'a, '_> {
    /// An `if` whose value is used.
    pub(super) fn if_value(&mut self, node: &'a ast::If, span: Span, want: Option<&Type>) -> Expr {
        let Some(otherwise) = &node.otherwise else {
            // As a value it was reported by the parser.
            self.if_statement(node, span);
            return Expr::error(span);
        };
        let count = node.branches.len();
        let (mut conditions, mut values) = (Vec::with_capacity(count), Vec::with_capacity(count + 1));
        for branch in &node.branches {
            conditions.push(self.check(&branch.cond, &Type::Bool, &"the condition of `if`"));
            values.push(self.arm(&branch.then, want));
        }
        values.push(self.arm(otherwise, want));
        let Some(ty) = self.unify_arms(&mut values, want, "the value of this branch") else {
            return Expr::error(span);
        };
        let otherwise = values.pop();
        let branches = conditions.into_iter().zip(values).collect();
        Expr::new(ExprKind::If(Box::new(hir::If { branches, otherwise })), ty, span)
    }

    /// An `if` that only does something.
    pub(super) fn if_statement(&mut self, node: &'a ast::If, span: Span) -> Expr {
        let mut branches = Vec::new();
        for branch in &node.branches {
            let cond = self.check(&branch.cond, &Type::Bool, &"the condition of `if`");
            branches.push((cond, self.block_effect(&branch.then)));
        }
        let otherwise = node.otherwise.as_ref().map(|block| self.block_effect(block));
        Expr::new(ExprKind::If(Box::new(hir::If { branches, otherwise })), Type::Error, span)
    }

    /// An `if` without `else` that is to be the value of the block it ends.
    pub(super) fn if_of_no_value(
        &mut self,
        node: &'a ast::If,
        span: Span,
        want: Option<&Type>,
    ) -> Diagnostic {
        for branch in &node.branches {
            self.check(&branch.cond, &Type::Bool, &"the condition of `if`");
            self.arm(&branch.then, want);
        }
        let word = Span::new(span.start, span.start.saturating_add(2).min(span.end));
        Diagnostic::error(codes::NO_VALUE, "this block has no value: it ends in an `if` without `else`")
            .primary(word, "gives nothing where its condition does not hold")
            .help("add `else { .. }` with a value of the same type, or end the block with an expression")
    }

    fn arm(&mut self, block: &'a ast::Block, want: Option<&Type>) -> Expr {
        let value = self.block_value(block, want);
        self.wanted(value, want)
    }

    /// An arm as what its place wants: each arm is converted on its own, for they may take different ways.
    fn wanted(&mut self, value: Expr, want: Option<&Type>) -> Expr {
        match want {
            Some(want) => self.coerce(value, want, &"the value of this branch"),
            None => value,
        }
    }

    fn unify_arms(&mut self, values: &mut [Expr], want: Option<&Type>, what: &str) -> Option<Type> {
        match want {
            Some(want) => {
                let joined = values.iter().try_fold(Type::Error, |ty, v| crate::relate::join(&ty, &v.ty));
                Some(joined.unwrap_or_else(|| want.clone()))
            }
            None => self.unify(values, what),
        }
    }

    pub(super) fn match_value(&mut self, node: &'a ast::Match, span: Span, want: Option<&Type>) -> Expr {
        let value = self.infer(&node.value, None);
        let ty = value.ty.clone();
        let mut patterns: Vec<Pattern> = Vec::new();
        let mut bodies = Vec::new();
        let mut nulls = NullsTaken::default();
        let mut broken = matches!(ty, Type::Error);
        // Of arms behind a name that was to be a variant, more need not be said.
        let mut told = false;
        for arm in &node.arms {
            self.scoped(|this| {
                let pattern = this.pattern(&arm.pattern, &ty, At::start(&nulls));
                let pattern = pattern.filter(|pattern| this.nests_within_limit(pattern, arm.pattern.span));
                broken |= pattern.is_none();
                let pattern = pattern.unwrap_or(Pattern::Any);
                nulls.add(&pattern);
                let lookalike = this.lookalike(&pattern, &arm.pattern, &ty);
                if let Some(found) = &lookalike {
                    this.body.watch(found.var);
                }
                let body = this.infer(&arm.body, want);
                told |= lookalike.is_some_and(|found| this.lint_lookalike(&found));
                bodies.push(this.wanted(body, want));
                patterns.push(pattern);
            });
        }
        if !broken && !told && !self.is_unread(&ty) {
            self.check_arms(&ty, &patterns, node, span);
        }
        let Some(result) = self.unify_arms(&mut bodies, want, "the value of this arm") else {
            return Expr::error(span);
        };
        let arms = patterns.into_iter().zip(bodies).collect();
        Expr::new(ExprKind::Match(Box::new(hir::Match { value, arms })), result, span)
    }

    fn nests_within_limit(&mut self, pattern: &Pattern, span: Span) -> bool {
        let mut inner = Some(pattern);
        let mut levels = 0;
        while let Some(pattern) = inner {
            levels += 1;
            inner = match pattern {
                Pattern::Variant(_, inner) => inner.as_deref(),
                Pattern::Present(inner) => Some(inner),
                _ => None,
            };
        }
        if levels > JSON_DEPTH_MAX {
            let message = format!("this pattern nests more than {JSON_DEPTH_MAX} deep");
            self.report(
                Diagnostic::error(codes::BAD_PATTERN, message).primary(span, "no value nests so deep"),
            );
        }
        levels <= JSON_DEPTH_MAX
    }

    fn check_arms(&mut self, ty: &Type, patterns: &[Pattern], node: &ast::Match, span: Span) {
        let unreachable = unreachable(patterns, ty, &self.types);
        for (arm, unreachable) in node.arms.iter().zip(unreachable) {
            if unreachable {
                self.report(
                    Diagnostic::warning(codes::UNREACHABLE_ARM, "no value reaches this arm")
                        .primary(arm.pattern.span, "the arms before take all it could match"),
                );
            }
        }
        let all: Vec<&Pattern> = patterns.iter().collect();
        let forgotten = missing(&all, ty, &self.types, usize::MAX);
        if forgotten.count == 0 {
            return;
        }
        let shown: Vec<String> = forgotten.named.iter().map(|case| format!("`{case}`")).collect();
        let rest = forgotten.count.saturating_sub(shown.len());
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        // Values that nothing names: all but those that arms name.
        let nameless = forgotten.count == 1 && forgotten.named.iter().all(|case| case == "_");
        let (what, help) = match ty {
            Type::Optional(_) if nameless => {
                ("every value but `null`".to_owned(), "add an arm with a name for the value, or `_ => ..`")
            }
            _ if nameless => ("all other values".to_owned(), "add `_ => ..`, or a name for the value"),
            _ if forgotten.count == 1 => (shown.join(", "), "add an arm for it, or `_ => ..`"),
            _ => (shown.join(", ") + &more, "add an arm for each, or `_ => ..` for all of them"),
        };
        let found = self.show(ty);
        let word = Span::new(span.start, span.start.saturating_add(5).min(span.end));
        self.report(
            Diagnostic::error(codes::NOT_EXHAUSTIVE, format!("this `match` forgets {what}"))
                .primary(word, "not every value has an arm")
                .secondary(node.value.span, format!("this is `{found}`"))
                .help(help),
        );
    }
}
