//! Types and their ranges.

use super::{Lower, missing_at};
use crate::ast::{Bound, Literal, Refine, Type, TypeKind};
use crate::syntax::{SyntaxKind, SyntaxNode};
use crate::text::Span;

impl Lower {
    /// The `index`-th type directly in `node`; an error type if it is missing.
    pub(super) fn type_in(&mut self, node: &SyntaxNode, index: usize) -> Type {
        match node.children().filter(|child| child.kind() == SyntaxKind::Type).nth(index) {
            Some(ty) => self.ty(&ty),
            None => Type { kind: TypeKind::Error, span: Span::at(missing_at(node)) },
        }
    }

    /// The first type directly in `node`, if there is one.
    pub(super) fn optional_type_in(&mut self, node: &SyntaxNode) -> Option<Type> {
        let ty = node.child(SyntaxKind::Type)?;
        Some(self.ty(&ty))
    }

    fn ty(&mut self, node: &SyntaxNode) -> Type {
        let span = node.span();
        let refine = node.child(SyntaxKind::Refine).map(|refine| self.refine(&refine));
        let plain_end = refine.as_ref().map(|refine| refine.span.end);
        let Some(shape) = node.children().next() else { return Type { kind: TypeKind::Error, span } };
        let plain = Span::new(span.start, plain_end.unwrap_or(shape.span().end));
        let kind = match shape.kind() {
            SyntaxKind::ListType => TypeKind::List { element: Box::new(self.type_in(&shape, 0)), refine },
            SyntaxKind::MapType => {
                let key = Box::new(self.type_in(&shape, 0));
                TypeKind::Map { key, value: Box::new(self.type_in(&shape, 1)), refine }
            }
            SyntaxKind::NamedType => {
                let name = self.ident(&shape);
                let args = shape.children().filter(|child| child.kind() == SyntaxKind::Type);
                let args = args.map(|arg| self.ty(&arg)).collect();
                if node.child(SyntaxKind::ErrorRefine).is_some() {
                    TypeKind::Error
                } else {
                    TypeKind::Named { name, args, refine }
                }
            }
            _ => TypeKind::Error,
        };
        match node.token(SyntaxKind::Operator) {
            Some(_) => Type { kind: TypeKind::Optional(Box::new(Type { kind, span: plain })), span },
            None => Type { kind, span },
        }
    }

    fn refine(&mut self, node: &SyntaxNode) -> Refine {
        let (mut min, mut max, mut after_dots) = (None, None, false);
        for token in node.tokens() {
            match token.kind() {
                SyntaxKind::Punct if token.text() == ".." => after_dots = true,
                SyntaxKind::Number => {
                    let value = self.number(token.text(), token.span()).unwrap_or(Literal::Int(0));
                    let end = if after_dots { &mut max } else { &mut min };
                    *end = Some(Bound { value, span: token.span() });
                }
                _ => {}
            }
        }
        Refine { min, max, span: node.span() }
    }
}
