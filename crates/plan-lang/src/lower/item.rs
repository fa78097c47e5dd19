//! Declarations.

use super::expr::Slot;
use super::{Case, Effects, Lower, docs_of, ident_of, is_reserved, member_span, missing_at};
use crate::ast::{
    Adapter, AdapterMember, Capability, CapabilityOutput, EditionDecl, Enum, Field, Fn, Ident, Import, Item,
    Literal, Param, Plan, PolicyDecl, Record, Test, Text, Use, Variant,
};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::syntax::{SyntaxKind, SyntaxNode};
use crate::text::Span;

impl Lower {
    /// An [`SyntaxKind::Item`] node: docs and a declaration.
    pub(super) fn item(&mut self, item: &SyntaxNode) -> Option<Item> {
        let docs = docs_of(item);
        let span = item.span();
        let node = &item.children().next()?;
        Some(match node.kind() {
            SyntaxKind::Edition => {
                self.refuse_docs(item, "an edition");
                Item::Edition(self.edition_decl(node, span))
            }
            SyntaxKind::Use => {
                self.refuse_docs(item, "an import");
                let from = self.path(node, 0);
                Item::Use(Use { from, imports: self.imports(node), whole: is_whole(node), span })
            }
            SyntaxKind::Record => {
                let name = self.cased_ident(node, Case::Upper, "a record");
                Item::Record(Record { docs, name, fields: self.fields(node), whole: is_whole(node), span })
            }
            SyntaxKind::Enum => {
                let name = self.cased_ident(node, Case::Upper, "an enum");
                Item::Enum(Enum { docs, name, variants: self.variants(node), whole: is_whole(node), span })
            }
            SyntaxKind::PolicyDecl => {
                let name = self.cased_ident(node, Case::Lower, "a policy");
                Item::Policy(PolicyDecl { docs, name, fields: self.policy_fields_in(node), span })
            }
            SyntaxKind::Capability => Item::Capability(self.capability(node, docs, span)),
            SyntaxKind::Adapter => Item::Adapter(Adapter {
                docs,
                operation: self.path(node, 0),
                capability: self.path(node, 1),
                members: self.with_effects(Effects::None("an adapter"), |lower| lower.adapter_members(node)),
                span,
            }),
            SyntaxKind::Fn => Item::Fn(self.function(node, docs, span)),
            SyntaxKind::Plan => Item::Plan(self.plan(node, docs, span)),
            SyntaxKind::Test => Item::Test(self.test(node, docs, span)),
            _ => return None,
        })
    }

    fn refuse_docs(&mut self, item: &SyntaxNode, what: &str) {
        let Some(doc) = item.token(SyntaxKind::Doc) else { return };
        self.report(
            Diagnostic::error(codes::DOCS_PLACE, format!("`///` cannot document {what}"))
                .primary(doc.span(), "")
                .help("use `//` for a comment, or move the text to the declaration it is about"),
        );
    }

    fn edition_decl(&mut self, node: &SyntaxNode, span: Span) -> EditionDecl {
        let Some(token) = node.token(SyntaxKind::Number) else { return EditionDecl { year: None, span } };
        let year = match self.number(token.text(), token.span()) {
            Some(Literal::Int(year)) => u32::try_from(year).ok(),
            Some(_) => {
                self.report(
                    Diagnostic::error(codes::BAD_EDITION, "an edition is a year")
                        .primary(token.span(), "")
                        .help("write `edition 2026`"),
                );
                None
            }
            None => None,
        };
        EditionDecl { year, span }
    }

    fn imports(&mut self, node: &SyntaxNode) -> Vec<Import> {
        let imports = node.child(SyntaxKind::Imports);
        let imports = imports.iter().flat_map(SyntaxNode::children);
        imports
            .filter(|child| child.kind() == SyntaxKind::Import)
            .filter_map(|import| {
                let mut names = import.tokens().filter(|token| token.kind() == SyntaxKind::Ident);
                let name = ident_of(&names.next()?);
                let alias = names.next().map(|alias| ident_of(&alias));
                if let Some(alias) = &alias {
                    let case = if name.is_upper() { Case::Upper } else { Case::Lower };
                    let what = if name.is_upper() { "an imported type" } else { "an imported operation" };
                    self.check_case(alias, case, what);
                }
                Some(Import { name, alias, span: member_span(&import) })
            })
            .collect()
    }

    fn fields(&mut self, node: &SyntaxNode) -> Vec<Field> {
        let fields = node.child(SyntaxKind::Fields);
        let fields = fields.iter().flat_map(SyntaxNode::children);
        fields
            .filter(|child| child.kind() == SyntaxKind::Field)
            .map(|field| Field {
                docs: docs_of(&field),
                name: self.ident(&field),
                ty: self.type_in(&field, 0),
                span: member_span(&field),
            })
            .collect()
    }

    fn variants(&mut self, node: &SyntaxNode) -> Vec<Variant> {
        let variants = node.child(SyntaxKind::Variants);
        let variants = variants.iter().flat_map(SyntaxNode::children);
        variants
            .filter(|child| child.kind() == SyntaxKind::Variant)
            .map(|variant| Variant {
                docs: docs_of(&variant),
                name: self.cased_ident(&variant, Case::Upper, "a variant"),
                payload: variant.tokens().any(|token| token.text() == "(").then(|| self.type_in(&variant, 0)),
                span: member_span(&variant),
            })
            .collect()
    }

    fn params(&mut self, node: &SyntaxNode) -> Vec<Param> {
        let params = node.child(SyntaxKind::Params);
        let params = params.iter().flat_map(SyntaxNode::children);
        params
            .filter(|child| child.kind() == SyntaxKind::Param)
            .map(|param| {
                let has_default = param.tokens().any(|token| token.text() == "=");
                let default = has_default.then(|| {
                    self.with_effects(Effects::None("a default value"), |lower| {
                        lower.expr_in(&param, 0, Slot::Value)
                    })
                });
                let name = self.cased_ident(&param, Case::Lower, "a parameter");
                self.readable(&name);
                Param {
                    docs: docs_of(&param),
                    name,
                    ty: self.type_in(&param, 0),
                    default,
                    span: member_span(&param),
                }
            })
            .collect()
    }

    /// Refuses a parameter whose name no expression can read.
    fn readable(&mut self, param: &Ident) {
        let name = &param.name;
        let is_word = name.chars().all(|c| c == '_' || c.is_alphanumeric());
        if name.is_empty() || (is_word && !is_reserved(name)) {
            return;
        }
        let (why, better) = if is_word {
            ("this word is reserved", format!("{name}_"))
        } else {
            ("not a name between back-quotes", name.replace(|c: char| c != '_' && !c.is_alphanumeric(), "_"))
        };
        self.report(
            Diagnostic::error(codes::MISSING_NAME, format!("no parameter can be called `{name}`"))
                .primary(param.span, why)
                .note("fields may have any name, because they stand behind a dot; a parameter is read by its name alone")
                .help(format!("call it `{better}` or otherwise")),
        );
    }

    fn capability(&mut self, node: &SyntaxNode, docs: Option<String>, span: Span) -> Capability {
        let name = self.cased_ident(node, Case::Lower, "a capability");
        let params = self.params(node);
        let output = match node.token(SyntaxKind::Hole) {
            Some(hole) => CapabilityOutput::Wanted(hole.span()),
            None => CapabilityOutput::Type(self.type_in(node, 0)),
        };
        Capability { docs, name, params, output, span }
    }

    fn adapter_members(&mut self, node: &SyntaxNode) -> Vec<AdapterMember> {
        let body = node.child(SyntaxKind::AdapterBody);
        let members = body.iter().flat_map(SyntaxNode::children);
        members
            .filter(|child| child.kind() == SyntaxKind::AdapterMember)
            .map(|member| AdapterMember {
                name: self.ident(&member),
                value: self.expr_in(&member, 0, Slot::ValueOrLambda),
                span: member_span(&member),
            })
            .collect()
    }

    fn function(&mut self, node: &SyntaxNode, docs: Option<String>, span: Span) -> Fn {
        Fn {
            docs,
            name: self.cased_ident(node, Case::Lower, "a function"),
            params: self.params(node),
            output: self.type_in(node, 0),
            body: self.with_effects(Effects::None("a `fn`"), |lower| lower.body_in(node, true)),
            span,
        }
    }

    fn plan(&mut self, node: &SyntaxNode, docs: Option<String>, span: Span) -> Plan {
        let name = self.cased_ident(node, Case::Lower, "a plan");
        let params = self.params(node);
        let output = self.type_in(node, 0);
        let policy = self.policy_in(node);
        let body = match node.child(SyntaxKind::Block) {
            Some(block) => self.block(&block, true),
            None => self.block_in(node),
        };
        Plan { docs, name, params, output, policy, body, span }
    }

    fn test(&mut self, node: &SyntaxNode, docs: Option<String>, span: Span) -> Test {
        let name = match node.child(SyntaxKind::String) {
            Some(text) => self.fixed_text(&text, "the name of a test"),
            None => Text { value: String::new(), span: Span::at(missing_at(node)) },
        };
        let body = self.with_effects(Effects::RunOnly, |lower| lower.test_body(node));
        Test { docs, name, body, span }
    }
}

/// Whether nothing of a declaration is missing, and nothing of it does not fit.
fn is_whole(node: &SyntaxNode) -> bool {
    !node.descendants().any(|part| part.kind().is_missing() || part.kind().is_error())
}
