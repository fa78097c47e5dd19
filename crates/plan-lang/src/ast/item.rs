//! The declarations of a file.

use super::{Block, Expr, Ident, Path, PolicyField, PolicyUse, TestStmt, Text, Type};
use crate::edition::Edition;
use crate::text::Span;

/// A whole source file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// The edition that applies: the declared one, or the newest if none is declared.
    pub edition: Edition,
    /// All declarations that could be read, in source order.
    pub items: Vec<Item>,
    /// The whole text.
    pub span: Span,
}

/// One declaration.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `edition 2026`
    Edition(EditionDecl),
    /// `use sn22 { web_search as search }`
    Use(Use),
    /// `record Page { url: Url }`
    Record(Record),
    /// `enum Stance { Ahead, Behind }`
    Enum(Enum),
    /// `policy web = { timeout: 4s }`
    Policy(PolicyDecl),
    /// `capability web_search(query: String) -> [Hit]`
    Capability(Capability),
    /// `adapter sn22.web_search as web_search { .. }`
    Adapter(Adapter),
    /// `fn same(a: String, b: String) -> Bool = a == b`
    Fn(Fn),
    /// `plan answer(question: String) -> Answer { .. }`
    Plan(Plan),
    /// `test "three of five agree" { .. }`
    Test(Test),
}

impl Item {
    /// The whole declaration, docs included.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Edition(item) => item.span,
            Self::Use(item) => item.span,
            Self::Record(item) => item.span,
            Self::Enum(item) => item.span,
            Self::Policy(item) => item.span,
            Self::Capability(item) => item.span,
            Self::Adapter(item) => item.span,
            Self::Fn(item) => item.span,
            Self::Plan(item) => item.span,
            Self::Test(item) => item.span,
        }
    }

    /// The name it declares; `None` for editions, imports, adapters and tests.
    #[must_use]
    pub fn name(&self) -> Option<&Ident> {
        match self {
            Self::Record(item) => Some(&item.name),
            Self::Enum(item) => Some(&item.name),
            Self::Policy(item) => Some(&item.name),
            Self::Capability(item) => Some(&item.name),
            Self::Fn(item) => Some(&item.name),
            Self::Plan(item) => Some(&item.name),
            Self::Edition(_) | Self::Use(_) | Self::Adapter(_) | Self::Test(_) => None,
        }
    }
}

/// `edition 2026`. Which edition applies is in [`File::edition`].
#[derive(Clone, Debug, PartialEq)]
pub struct EditionDecl {
    /// The year as written; `None` if it is missing or no whole number.
    pub year: Option<u32>,
    /// The whole declaration.
    pub span: Span,
}

/// `use sn22 { web_search as search, crawl }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// Where the names come from: `sn22`, `cap`.
    pub from: Path,
    /// What is imported.
    pub imports: Vec<Import>,
    /// Whether all of it could be read. Else it may have been meant to import other names besides.
    pub whole: bool,
    /// The whole declaration.
    pub span: Span,
}

/// One imported name.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The name in the Ledger.
    pub name: Ident,
    /// The name in this file, if it is another one.
    pub alias: Option<Ident>,
    /// Both names.
    pub span: Span,
}

impl Import {
    /// The name that the import brings into scope.
    #[must_use]
    pub fn local(&self) -> &Ident {
        self.alias.as_ref().unwrap_or(&self.name)
    }
}

/// `record Page { url: Url, text: String(..2000) }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The `///` text before it, without slashes, lines joined by `\n`.
    pub docs: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its fields in order.
    pub fields: Vec<Field>,
    /// Whether all of it could be read. Else it may have been meant to have other fields besides.
    pub whole: bool,
    /// The whole declaration, docs included.
    pub span: Span,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// Its name: any JSON property name.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// Name and type, docs included.
    pub span: Span,
}

/// `enum Stance { Ahead, Level, Other(String) }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Enum {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its variants in order.
    pub variants: Vec<Variant>,
    /// Whether all of it could be read. Else it may have been meant to have other variants besides.
    pub whole: bool,
    /// The whole declaration, docs included.
    pub span: Span,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// Its name; starts upper case.
    pub name: Ident,
    /// The type of the value it carries, if it carries one.
    pub payload: Option<Type>,
    /// Name and payload, docs included.
    pub span: Span,
}

/// `policy web = { timeout: 4s, retry: { max: 1, backoff: 200ms } }`.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyDecl {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its keys in order; duplicates are possible.
    pub fields: Vec<PolicyField>,
    /// The whole declaration, docs included.
    pub span: Span,
}

/// `capability web_search(query: String(1..600), limit: Int(1..50) = 10) -> [Hit](..50)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Capability {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its parameters in order.
    pub params: Vec<Param>,
    /// What it answers.
    pub output: CapabilityOutput,
    /// The whole declaration, docs included.
    pub span: Span,
}

/// What a capability answers.
#[derive(Clone, Debug, PartialEq)]
pub enum CapabilityOutput {
    /// A fixed type.
    Type(Type),
    /// `-> _`: the type that the caller asks for by `as`.
    Wanted(Span),
}

/// `adapter sn22.web_search as web_search { request = .. response = .. }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// The operation that is adapted.
    pub operation: Path,
    /// The capability that it then fulfils.
    pub capability: Path,
    /// `request`, `response`; duplicates and other names are possible.
    pub members: Vec<AdapterMember>,
    /// The whole declaration, docs included.
    pub span: Span,
}

/// `request = { query }` in an adapter.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterMember {
    /// Which side.
    pub name: Ident,
    /// An expression, or a lambda for `response`.
    pub value: Expr,
    /// Name and value.
    pub span: Span,
}

/// A parameter of a plan, function or capability.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// Its name; starts lower case.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// The value it has if none is passed.
    pub default: Option<Expr>,
    /// Name, type and default, docs included.
    pub span: Span,
}

/// `fn same(a: String, b: String) -> Bool = a.normalize() == b.normalize()`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fn {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its parameters in order.
    pub params: Vec<Param>,
    /// What it returns.
    pub output: Type,
    /// Its value; an [`super::ExprKind::Block`] if it is written in braces. Never holds a call or a run.
    pub body: Expr,
    /// The whole declaration, docs included.
    pub span: Span,
}

/// `plan answer(question: String(1..2000)) -> Answer with { budget: 0.20USD } { .. }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its inputs in order.
    pub params: Vec<Param>,
    /// What it returns.
    pub output: Type,
    /// Its policy: `budget` and `deadline`.
    pub policy: Option<PolicyUse>,
    /// Its body.
    pub body: Block,
    /// The whole declaration, docs included.
    pub span: Span,
}

/// `test "three of five agree" { mock generate => "Paris" .. }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// The `///` text before it.
    pub docs: Option<String>,
    /// What the test says.
    pub name: Text,
    /// Its statements in order.
    pub body: Vec<TestStmt>,
    /// The whole declaration, docs included.
    pub span: Span,
}
