//! Policies.

use super::expr::{Slot, error_at};
use super::{Lower, ident_of, member_span, missing_at, path_of};
use crate::ast::{Expr, ExprKind, FieldInit, PolicyField, PolicyUse, PolicyValue, PolicyValueKind};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};
use crate::text::Span;

impl Lower {
    /// The policy directly in `node`, if there is one.
    pub(super) fn policy_in(&mut self, node: &SyntaxNode) -> Option<PolicyUse> {
        let policy = node.child(SyntaxKind::Policy)?;
        let base = policy.child(SyntaxKind::Path).map(|path| path_of(&path));
        Some(PolicyUse { base, fields: self.policy_fields_in(&policy), span: policy.span() })
    }

    /// The keys in the braces directly in `node`.
    pub(super) fn policy_fields_in(&mut self, node: &SyntaxNode) -> Vec<PolicyField> {
        let fields = node.child(SyntaxKind::PolicyFields);
        let fields = fields.iter().flat_map(SyntaxNode::children);
        fields
            .filter(|child| child.kind() == SyntaxKind::PolicyField)
            .filter_map(|field| self.policy_field(&field))
            .collect()
    }

    fn policy_field(&mut self, node: &SyntaxNode) -> Option<PolicyField> {
        let key = ident_of(&node.token(SyntaxKind::Ident)?);
        let value = node.elements().skip_while(|element| element.span().start <= key.span.start);
        let mut value = value.filter(|element| {
            matches!(element.kind(), SyntaxKind::PolicyFields | SyntaxKind::Percent | SyntaxKind::Expr)
        });
        let (kind, span) = match value.next() {
            Some(SyntaxElement::Token(percent)) => {
                let share = self.percent(percent.text(), percent.span());
                (PolicyValueKind::Percent(share), percent.span())
            }
            Some(SyntaxElement::Node(fields)) if fields.kind() == SyntaxKind::PolicyFields => {
                if key.name == "fallback"
                    && let Some(record) = self.record_of(node)
                {
                    let value =
                        PolicyValue { kind: PolicyValueKind::Expr(Box::new(record)), span: fields.span() };
                    return Some(PolicyField { key, value, span: member_span(node) });
                }
                (PolicyValueKind::Fields(self.policy_fields_in(node)), fields.span())
            }
            Some(SyntaxElement::Node(expr)) => {
                let slot = if key.name == "accept" { Slot::ValueOrLambda } else { Slot::Value };
                (PolicyValueKind::Expr(Box::new(self.expr(&expr, slot))), expr.span())
            }
            None => {
                let span = Span::at(missing_at(node));
                (PolicyValueKind::Expr(Box::new(error_at(span))), span)
            }
        };
        Some(PolicyField { key, value: PolicyValue { kind, span }, span: member_span(node) })
    }

    /// The braces in `node` as the fields of a record; `None` where something in them can only be a policy's.
    fn record_of(&mut self, node: &SyntaxNode) -> Option<Expr> {
        let braces = node.child(SyntaxKind::PolicyFields)?;
        let members = braces.children().filter(|child| child.kind() == SyntaxKind::PolicyField);
        let fields = members.map(|member| {
            let key = ident_of(&member.token(SyntaxKind::Ident)?);
            let value = match self.record_of(&member) {
                Some(inner) => inner,
                None => self.expr(&member.child(SyntaxKind::Expr)?, Slot::Value),
            };
            Some(FieldInit { key, quoted: false, value, shorthand: false, span: member_span(&member) })
        });
        let kind = ExprKind::Anonymous(fields.collect::<Option<_>>()?);
        Some(Expr { kind, span: braces.span() })
    }
}
