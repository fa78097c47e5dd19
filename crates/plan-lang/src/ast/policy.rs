//! Policies: keys and values, not yet checked against the closed list of keys.

use super::{Expr, Ident, Path};
use crate::text::Span;

/// `with web`, `with { timeout: 4s }`, `with web { hedge: { after: p95, max: 1 } }`.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyUse {
    /// The named policy that the fields are laid over.
    pub base: Option<Path>,
    /// The keys in braces, in order; duplicates are possible.
    pub fields: Vec<PolicyField>,
    /// From `with` on.
    pub span: Span,
}

/// `timeout: 4s`.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyField {
    /// The key.
    pub key: Ident,
    /// The value.
    pub value: PolicyValue,
    /// Key and value.
    pub span: Span,
}

/// What a policy key is set to.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyValue {
    /// Its shape.
    pub kind: PolicyValueKind,
    /// The whole value.
    pub span: Span,
}

/// The shapes of policy values.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyValueKind {
    /// Keys in braces: `retry: { max: 1 }`. Braces are keys in a policy, and a record behind `fallback:` only.
    Fields(Vec<PolicyField>),
    /// `tolerate: 20%`.
    Percent(Percent),
    /// Any expression. Words such as `cheapest`, `p95`, `keep` are [`super::ExprKind::Name`], lists of
    /// them [`super::ExprKind::List`], `accept:` takes a [`super::ExprKind::Lambda`], `fallback:` also a
    /// [`super::ExprKind::Call`].
    Expr(Box<Expr>),
}

/// A share in hundredths of a percent: `20%` is 2,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(pub u32);
