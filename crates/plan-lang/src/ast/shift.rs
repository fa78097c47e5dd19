//! Moving a declaration to another place of the text.

use super::{
    Adapter, AdapterMember, Arg, Binder, Block, Bound, Branch, Call, Capability, CapabilityOutput,
    EditionDecl, Ensure, Enum, ExpectFails, Expr, ExprKind, Field, FieldInit, Fn, For, Ident, If, Import,
    Item, Let, Match, MatchArm, Mock, MockValue, MockValueKind, Param, Path, Pattern, PatternKind, Plan,
    PolicyDecl, PolicyField, PolicyUse, PolicyValue, PolicyValueKind, Record, Refine, Run, Stmt, Template,
    TemplatePart, Test, TestStmt, Text, Type, TypeKind, Use, Variant,
};
use crate::text::Span;

/// What holds places of the text.
pub(crate) trait Shift {
    /// Moves them by so many bytes; to move them back, what is added wraps.
    fn shift(&mut self, by: u32);
}

impl Shift for Span {
    fn shift(&mut self, by: u32) {
        self.start = self.start.wrapping_add(by);
        self.end = self.end.wrapping_add(by);
    }
}

impl<T: Shift> Shift for Vec<T> {
    fn shift(&mut self, by: u32) {
        self.iter_mut().for_each(|part| part.shift(by));
    }
}

impl<T: Shift> Shift for Option<T> {
    fn shift(&mut self, by: u32) {
        self.iter_mut().for_each(|part| part.shift(by));
    }
}

impl<T: Shift> Shift for Box<T> {
    fn shift(&mut self, by: u32) {
        (**self).shift(by);
    }
}

/// Which fields of a structure hold places. The others are named too: a field that is new is in neither
/// list and does not compile.
macro_rules! shift {
    ($($name:ident { $($place:ident),* $(; $($plain:ident),*)? })*) => {
        $(impl Shift for $name {
            fn shift(&mut self, by: u32) {
                let Self { $($place,)* $($($plain: _,)*)? } = self;
                $($place.shift(by);)*
            }
        })*
    };
}

shift! {
    Adapter { operation, capability, members, span; docs }
    AdapterMember { name, value, span }
    Arg { name, value, span }
    Block { stmts, value, span }
    Bound { span; value }
    Branch { cond, then }
    Call { target, args, wanted, policy, span }
    Capability { name, params, output, span; docs }
    EditionDecl { span; year }
    Ensure { cond, message, span }
    Enum { name, variants, span; docs, whole }
    ExpectFails { run, message, span }
    Expr { kind, span }
    Field { name, ty, span; docs }
    FieldInit { key, value, span; quoted, shorthand }
    Fn { name, params, output, body, span; docs }
    For { binder, list, policy, body }
    Ident { span; name }
    If { branches, otherwise }
    Import { name, alias, span }
    Let { name, ty, value, span }
    Match { value, arms }
    MatchArm { pattern, body, span }
    Mock { target, value, span }
    MockValue { kind, span }
    Param { name, ty, default, span; docs }
    Path { segments, span }
    Pattern { kind, span }
    Plan { name, params, output, policy, body, span; docs }
    PolicyDecl { name, fields, span; docs }
    PolicyField { key, value, span }
    PolicyUse { base, fields, span }
    PolicyValue { kind, span }
    Record { name, fields, span; docs, whole }
    Refine { min, max, span }
    Run { plan, args, span }
    Template { parts, span }
    Test { name, body, span; docs }
    Text { span; value }
    Type { kind, span }
    Use { from, imports, span; whole }
    Variant { name, payload, span; docs }
}

/// The same for the variants of an enumeration.
macro_rules! shift_variants {
    ($($name:ident {
        $($tuple:ident($($part:ident),*),)*
        $(@ $variant:ident { $($place:ident),* $(; $($plain:ident),*)? },)*
        $(= $unit:pat,)*
    })*) => {
        $(impl Shift for $name {
            fn shift(&mut self, by: u32) {
                match self {
                    $(Self::$tuple($($part),*) => { $($part.shift(by);)* })*
                    $(Self::$variant { $($place,)* $($($plain: _,)*)? } => { $($place.shift(by);)* })*
                    $($unit => {})*
                }
            }
        })*
    };
}

shift_variants! {
    Binder { Name(name), Ignore(span), }
    CapabilityOutput { Type(ty), Wanted(span), }
    ExprKind {
        Template(template), Name(name), List(items), Anonymous(fields), Block(block), Call(call), Run(run),
        Try(inner), For(node), If(node), Match(node),
        @ Variant { of, variant, payload },
        @ Record { name, fields },
        @ Lambda { params, body },
        @ Unary { op_span, operand; op },
        @ Binary { op_span, left, right; op },
        @ Apply { function, args },
        @ Method { receiver, method, args; optional },
        @ Field { base, field; optional },
        @ Index { base, index },
        @ Cast { value, ty },
        @ Decode { value, ty; optional },
        = Self::Error | Self::Literal(_),
    }
    Item {
        Edition(item), Use(item), Record(item), Enum(item), Policy(item), Capability(item), Adapter(item),
        Fn(item), Plan(item), Test(item),
    }
    MockValueKind {
        Sequence(values), Value(value),
        @ Fails { error, args },
        @ After { value; delay_us },
    }
    PatternKind {
        Binding(name),
        @ Variant { of, variant, payload },
        = Self::Wildcard | Self::Literal(_) | Self::Text(_) | Self::Error,
    }
    PolicyValueKind { Fields(fields), Expr(value), = Self::Percent(_), }
    Stmt { Let(stmt), Ensure(stmt), Expr(value), }
    TemplatePart { Expr(value), = Self::Text(_), }
    TestStmt { Mock(stmt), Assert(value), ExpectFails(stmt), Stmt(stmt), }
    TypeKind {
        Optional(inner),
        @ Named { name, args, refine },
        @ List { element, refine },
        @ Map { key, value, refine },
        = Self::Error,
    }
}
