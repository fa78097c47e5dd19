//! What an expression of the grammar can start with.

use std::collections::BTreeMap;

use pest_meta::optimizer::{OptimizedExpr as Expr, OptimizedRule};

use crate::bytes::Bytes;

/// Where an expression fits: the next byte is one of these, or it does not matter. It may still fail.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct First {
    pub(crate) bytes: Bytes,
    /// Whether it may fit whatever the next byte is, and at the end of the text.
    pub(crate) anywhere: bool,
}

impl First {
    /// Of what fits before anything, as it takes nothing.
    const NOTHING: Self = Self { bytes: Bytes::NONE, anywhere: true };
    const UNKNOWN: Self = Self { bytes: Bytes::ALL, anywhere: true };

    fn of(bytes: Bytes) -> Self {
        Self { bytes, anywhere: false }
    }

    /// Of one after the other.
    fn then(self, next: Self) -> Self {
        if self.anywhere { Self { bytes: self.bytes | next.bytes, anywhere: next.anywhere } } else { self }
    }

    /// Of both at the same place.
    fn and(self, other: Self) -> Self {
        match (self.anywhere, other.anywhere) {
            (true, _) => other,
            (_, true) => self,
            (false, false) => Self::of(self.bytes & other.bytes),
        }
    }

    fn or(self, other: Self) -> Self {
        Self { bytes: self.bytes | other.bytes, anywhere: self.anywhere || other.anywhere }
    }
}

/// Of every rule.
#[derive(Debug, Default)]
pub(crate) struct Firsts<'a>(BTreeMap<&'a str, First>);

impl<'a> Firsts<'a> {
    pub(crate) fn of(rules: &'a [OptimizedRule]) -> Self {
        let mut firsts = Self::default();
        // A rule that is not known yet fits nowhere; what is known grows until it is complete.
        loop {
            let known = rules.iter().map(|rule| (rule.name.as_str(), firsts.expr(&rule.expr))).collect();
            if firsts.0 == known {
                return firsts;
            }
            firsts.0 = known;
        }
    }

    pub(crate) fn expr(&self, expr: &Expr) -> First {
        match expr {
            Expr::Str(text) if text.is_empty() => First::NOTHING,
            Expr::Str(text) => First::of(Bytes::of(text.bytes().take(1))),
            Expr::Range(..) => one_byte(expr).map_or(First::of(Bytes::ALL), First::of),
            Expr::Ident(name) => match self.0.get(name.as_str()) {
                Some(first) => *first,
                None if self.0.is_empty() => First::default(),
                None => built_in(name),
            },
            Expr::NegPred(_) => First::NOTHING,
            Expr::PosPred(inner) | Expr::RestoreOnErr(inner) => self.expr(inner),
            Expr::Seq(first, next) => match &**first {
                Expr::PosPred(ahead) => self.expr(ahead).and(self.expr(next)),
                first => self.expr(first).then(self.expr(next)),
            },
            Expr::Choice(one, other) => self.expr(one).or(self.expr(other)),
            Expr::Opt(inner) | Expr::Rep(inner) => First { anywhere: true, ..self.expr(inner) },
            _ => First::UNKNOWN,
        }
    }
}

/// The bytes of which any one fits `expr`, if there is no more to it.
pub(crate) fn one_byte(expr: &Expr) -> Option<Bytes> {
    let bytes = match expr {
        Expr::Str(text) => match text.as_bytes() {
            [byte] => Bytes::of([*byte]),
            _ => return None,
        },
        Expr::Range(from, to) => match (from.as_bytes(), to.as_bytes()) {
            ([from], [to]) => Bytes::of(*from..=*to),
            _ => return None,
        },
        Expr::Ident(name) => match name.as_str() {
            "ASCII_DIGIT" => Bytes::of(b'0'..=b'9'),
            "ASCII_HEX_DIGIT" => Bytes::of((0..=u8::MAX).filter(u8::is_ascii_hexdigit)),
            "ASCII_ALPHA" => Bytes::of((0..=u8::MAX).filter(u8::is_ascii_alphabetic)),
            "ASCII_ALPHANUMERIC" => Bytes::of((0..=u8::MAX).filter(u8::is_ascii_alphanumeric)),
            _ => return None,
        },
        Expr::Choice(one, other) => one_byte(one)? | one_byte(other)?,
        _ => return None,
    };
    // At the end of the text, the next byte is said to be 0.
    (!bytes.contains(0)).then_some(bytes)
}

fn built_in(name: &str) -> First {
    if let Some(bytes) = one_byte(&Expr::Ident(name.to_owned())) {
        return First::of(bytes);
    }
    match (name, pest::unicode::by_name(name)) {
        ("ANY", _) => First::of(Bytes::ALL),
        ("SOI" | "EOI", _) => First::NOTHING,
        (_, Some(is)) => {
            First::of(Bytes::of((0..=u8::MAX).filter(|byte| *byte >= 128 || is(char::from(*byte)))))
        }
        _ => First::UNKNOWN,
    }
}
