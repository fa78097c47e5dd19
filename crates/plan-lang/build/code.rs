//! From the rules of the grammar to functions of Rust.

use std::collections::{BTreeMap, BTreeSet};

use pest_meta::ast::RuleType;
use pest_meta::optimizer::{OptimizedExpr as Expr, OptimizedRule};

use crate::bytes::Bytes;
use crate::first::{Firsts, one_byte};

/// The names of all rules that make pairs, and a function for each rule.
pub(crate) fn of(rules: &[OptimizedRule]) -> Result<String, String> {
    let writer =
        Writer { names: rules.iter().map(|rule| rule.name.as_str()).collect(), firsts: Firsts::of(rules) };
    let pairs = rules.iter().filter(|rule| rule.ty != RuleType::Silent);
    let pairs: Vec<String> = pairs.map(|rule| format!("    {},\n", rule.name)).collect();
    let mut code = format!("pub(in crate::parser) enum Rule {{\n{}}}\n", pairs.concat());
    code.insert_str(0, "#[derive(Clone, Copy, Debug, PartialEq, Eq)]\n");
    for rule in rules {
        let name = &rule.name;
        let body = writer.expr(&rule.expr)?;
        let body = match rule.ty {
            RuleType::Silent => body,
            RuleType::Normal => format!("m.node(Rule::{name}, |m| {body})"),
            RuleType::Atomic => format!("m.token(Rule::{name}, |m| {body})"),
            _ => return Err(format!("rule `{name}`: only `{{`, `_{{` and `@{{` are known")),
        };
        let body = if contains_itself(name, rules) { format!("m.deeper(|m| {body})") } else { body };
        code.push_str(&format!(
            "pub(in crate::parser) fn {name}(m: &mut Machine<'_>) -> bool {{\n    {body}\n}}\n"
        ));
    }
    Ok(code)
}

fn contains_itself(name: &str, rules: &[OptimizedRule]) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![name];
    while let Some(next) = left.pop() {
        let Some(rule) = rules.iter().find(|rule| rule.name == next) else { continue };
        for expr in rule.expr.iter_top_down() {
            if let Expr::Ident(inner) = expr
                && let Some(rule) = rules.iter().find(|rule| rule.name == inner)
                && seen.insert(&rule.name)
            {
                left.push(&rule.name);
            }
        }
    }
    seen.contains(&name.to_owned())
}

struct Writer<'a> {
    names: BTreeSet<&'a str>,
    firsts: Firsts<'a>,
}

impl Writer<'_> {
    /// A condition that moves `m` behind what fits, or leaves it where it is.
    fn expr(&self, expr: &Expr) -> Result<String, String> {
        if let Some(pattern) = one_byte(expr).and_then(Bytes::pattern) {
            return Ok(format!("m.byte(|byte| matches!(byte, {pattern}))"));
        }
        Ok(match expr {
            Expr::Str(text) if text.is_empty() => "true".into(),
            Expr::Str(text) => format!("m.text({text:?})"),
            Expr::Range(from, to) => {
                format!("m.char(|c| ({:?}..={:?}).contains(&c))", a_char(from)?, a_char(to)?)
            }
            Expr::Ident(name) if self.names.contains(name.as_str()) => format!("{name}(m)"),
            Expr::Ident(name) => match name.as_str() {
                "ANY" => "m.char(|_| true)".into(),
                "SOI" => "m.is_at_start()".into(),
                "EOI" => "m.is_at_end()".into(),
                name if pest::unicode::by_name(name).is_some() => format!("m.char(pest::unicode::{name})"),
                name => return Err(format!("`{name}` is not known")),
            },
            Expr::PosPred(inner) => match one_byte(inner).and_then(Bytes::pattern) {
                Some(pattern) => format!("matches!(m.peek(), {pattern})"),
                None => self.guarded(inner, &format!("m.is_ahead(|m| {})", self.expr(inner)?)),
            },
            Expr::NegPred(inner) => format!("!{}", self.expr(&Expr::PosPred(inner.clone()))?),
            Expr::Seq(first, next) => {
                let mut all = vec![self.expr(first)?];
                let mut next = next;
                while let Expr::Seq(first, after) = &**next {
                    all.push(self.expr(first)?);
                    next = after;
                }
                all.push(self.expr(next)?);
                format!("m.all(|m| {})", all.join(" && "))
            }
            Expr::Choice(..) => self.choice(expr)?,
            Expr::Opt(inner) => format!("({} || true)", self.guarded(inner, &self.expr(inner)?)),
            Expr::Rep(inner) => match one_byte(inner).and_then(Bytes::pattern) {
                Some(pattern) => format!("m.skip(|byte| matches!(byte, {pattern}))"),
                None => format!("m.many(|m| {})", self.guarded(inner, &self.expr(inner)?)),
            },
            // Up to the first of these characters, or to the end.
            Expr::Skip(ends) if ends.iter().all(|end| end.len() == 1) => {
                let ends = Bytes::of(ends.iter().flat_map(|end| end.bytes())).pattern();
                format!("m.skip(|byte| !matches!(byte, {}))", ends.ok_or("there is nothing to skip to")?)
            }
            other => return Err(format!("{other} is not known")),
        })
    }

    /// `code`, run only where `expr` can start.
    fn guarded(&self, expr: &Expr, code: &str) -> String {
        let first = self.firsts.expr(expr);
        match first.bytes.pattern() {
            Some(pattern) if !first.anywhere && one_byte(expr).is_none() => {
                format!("(matches!(m.peek(), {pattern}) && {code})")
            }
            _ => code.to_owned(),
        }
    }

    /// Tries those alternatives, in their order, that can start with the next byte.
    fn choice(&self, expr: &Expr) -> Result<String, String> {
        let mut alternatives = Vec::new();
        let mut rest = expr;
        while let Expr::Choice(one, other) = rest {
            alternatives.push(&**one);
            rest = other;
        }
        alternatives.push(rest);
        let codes = alternatives.iter().map(|one| self.expr(one)).collect::<Result<Vec<_>, _>>()?;
        let tried = |byte: Option<u8>| -> Vec<usize> {
            let firsts = alternatives.iter().map(|one| self.firsts.expr(one)).enumerate();
            let tried = firsts
                .filter(|(_, first)| first.anywhere || byte.is_some_and(|byte| first.bytes.contains(byte)));
            tried.map(|(at, _)| at).collect()
        };
        let all = |tried: &[usize]| -> String {
            let codes: Vec<&str> = tried.iter().filter_map(|at| codes.get(*at)).map(String::as_str).collect();
            if codes.is_empty() { "false".into() } else { codes.join(" || ") }
        };
        let otherwise = tried(None);
        let mut arms: BTreeMap<Vec<usize>, Vec<u8>> = BTreeMap::new();
        for byte in 0..=u8::MAX {
            let tried = tried(Some(byte));
            if tried != otherwise {
                arms.entry(tried).or_default().push(byte);
            }
        }
        let arms: Vec<(String, String)> = arms
            .iter()
            .filter_map(|(tried, bytes)| Some((Bytes::of(bytes.iter().copied()).pattern()?, all(tried))))
            .collect();
        let length: usize = arms.iter().map(|(_, code)| code.len()).sum();
        // An alternative that is written into many arms makes more code than it saves.
        if arms.is_empty() || length > 3 * codes.iter().map(String::len).sum::<usize>() {
            let guarded = alternatives.iter().zip(&codes).map(|(one, code)| self.guarded(one, code));
            return Ok(format!("({})", guarded.collect::<Vec<_>>().join(" || ")));
        }
        let arms: String = arms.iter().map(|(pattern, code)| format!("{pattern} => {code}, ")).collect();
        Ok(format!("(match m.peek() {{ {arms}_ => {} }})", all(&otherwise)))
    }
}

fn a_char(text: &str) -> Result<char, String> {
    text.chars().next().ok_or_else(|| "a range starts and ends with a character".to_owned())
}
