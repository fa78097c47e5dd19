//! Values of policy keys: literals within limits.

use plan_ir::plan::{Retry, Tolerance};
use plan_lang::ast::{self, ExprKind as Ast, Literal, PolicyField, PolicyValueKind};
use plan_lang::{Diagnostic, Fix};
use schema::amount::{Amount, Currency};
use schema::error::CallErrorKind;

use super::Checker;
use super::policy::{OnErrorWord, not_set};
use crate::codes;
use crate::{CONCURRENCY_MAX, DEFAULT_BACKOFF_US, POLICY_DURATION_MAX_US, RETRY_MAX};

/// Share of a whole in hundredths of a percent.
const WHOLE: u32 = 10_000;

/// Units that a number without one may have been meant in.
pub(super) const DURATIONS: [&str; 3] = ["s", "ms", "m"];
pub(super) const AMOUNTS: [&str; 2] = ["USD", "TAO"];

/// Help for a number that lacks its unit. Which one was meant only its author knows.
pub(super) fn with_units(number: &str, units: &[&str]) -> String {
    let forms: Vec<String> = units.iter().map(|unit| format!("`{number}{unit}`")).collect();
    format!("a number has its unit: {}", forms.join(", "))
}

impl<'a> Checker<'a, '_> {
    /// Reports a value of the wrong kind.
    pub(super) fn wrong_value(&mut self, field: &PolicyField, wanted: &str) {
        self.wrong_quantity(field, wanted, &[]);
    }

    /// The same; a number alone may be one of these units.
    fn wrong_quantity(&mut self, field: &PolicyField, wanted: &str, units: &[&str]) {
        let is_error = matches!(&field.value.kind, PolicyValueKind::Expr(expr) if expr.is_error());
        if is_error {
            return;
        }
        let message = format!("`{}` takes {wanted}", field.key.name);
        let report =
            Diagnostic::error(codes::BAD_POLICY_VALUE, message).primary(field.value.span, "not this");
        let report = match number(field) {
            Some(number) if !units.is_empty() => report.help(with_units(&number, units)),
            _ => report,
        };
        let text = match &field.value.kind {
            PolicyValueKind::Expr(expr) => match &expr.kind {
                Ast::Template(template) => template.as_text(),
                _ => None,
            },
            _ => None,
        };
        let is_word = |text: &&str| {
            !text.is_empty() && text.chars().all(|c| matches!(c, '.' | '_') || c.is_alphanumeric())
        };
        self.report(match text.filter(is_word) {
            Some(text) => report.fix(Fix::maybe("remove the quotes").replace(field.value.span, text)),
            None => report,
        });
    }

    /// Reports a value that is no literal of the right kind.
    fn wrong_literal(&mut self, field: &PolicyField, wanted: &str, units: &[&str]) {
        match &field.value.kind {
            PolicyValueKind::Expr(expr)
                if !matches!(expr.kind, Ast::Literal(_) | Ast::Template(_) | Ast::Error) =>
            {
                let message = format!("`{}` takes a literal: {wanted}", field.key.name);
                self.report(
                    Diagnostic::error(codes::BAD_POLICY_VALUE, message)
                        .primary(field.value.span, "known only when the plan runs")
                        .note("the bound of a plan follows from its text"),
                );
            }
            _ => self.wrong_quantity(field, wanted, units),
        }
    }

    fn out_of_limits(&mut self, field: &PolicyField, limits: &str) {
        let message = format!("`{}` lies between {limits}", field.key.name);
        self.report(Diagnostic::error(codes::BAD_POLICY_VALUE, message).primary(field.value.span, "outside"));
    }

    /// A duration above zero, microseconds.
    pub(super) fn duration(&mut self, field: &PolicyField) -> Option<u64> {
        let Some(Literal::DurationUs(us)) = literal(field) else {
            self.wrong_literal(field, "a duration, such as `4s` or `200ms`", &DURATIONS);
            return None;
        };
        match u64::try_from(*us) {
            Ok(us) if (1..=POLICY_DURATION_MAX_US).contains(&us) => Some(us),
            _ => {
                self.out_of_limits(field, "1 ms and 7 days");
                None
            }
        }
    }

    pub(super) fn amount(&mut self, field: &PolicyField) -> Option<Amount> {
        let (units, currency) = match literal(field) {
            Some(Literal::Rao(units)) => (*units, Currency::Rao),
            Some(Literal::MicroUsd(units)) => (*units, Currency::MicroUsd),
            _ => {
                self.wrong_literal(field, "an amount, such as `0.01USD` or `0.002TAO`", &AMOUNTS);
                return None;
            }
        };
        match u64::try_from(units) {
            Ok(units) => Some(Amount::new(units, currency)),
            Err(_) => {
                self.wrong_value(field, "an amount of zero or more");
                None
            }
        }
    }

    pub(super) fn concurrency(&mut self, field: &PolicyField) -> Option<u32> {
        self.count_between(field, 1, CONCURRENCY_MAX)
    }

    pub(super) fn tolerate(&mut self, field: &PolicyField) -> Option<Tolerance> {
        if let PolicyValueKind::Percent(share) = &field.value.kind {
            if share.0 <= WHOLE {
                return Some(Tolerance::BasisPoints(share.0));
            }
            self.out_of_limits(field, "0% and 100%");
            return None;
        }
        let Some(Literal::Int(value)) = literal(field) else {
            self.wrong_literal(field, "a number of elements or a share, such as `2` or `20%`", &[]);
            return None;
        };
        let found = u32::try_from(*value).ok();
        if found.is_none() {
            self.out_of_limits(field, "0 and the length of the list");
        }
        found.map(Tolerance::Count)
    }

    pub(super) fn on_error(&mut self, field: &PolicyField) -> Option<OnErrorWord> {
        let word = match &field.value.kind {
            PolicyValueKind::Expr(expr) => expr.as_name(),
            _ => None,
        };
        let found = match word.map(|word| word.name.as_str()) {
            Some("fail") => Some(OnErrorWord::Fail),
            Some("drop") => Some(OnErrorWord::Drop),
            Some("keep") => Some(OnErrorWord::Keep),
            _ => None,
        };
        if found.is_none() {
            match word {
                Some(word) => self.unknown_word(field, word, ["fail", "drop", "keep"]),
                None => self.wrong_value(field, "`fail`, `drop` or `keep`"),
            }
        }
        found
    }

    pub(super) fn unknown_word<'w>(
        &mut self,
        field: &PolicyField,
        word: &ast::Ident,
        words: impl IntoIterator<Item = &'w str>,
    ) {
        let words: Vec<&str> = words.into_iter().collect();
        let message = format!("`{}` has no word `{}`", field.key.name, word.name);
        let report = Diagnostic::error(codes::BAD_POLICY_VALUE, message)
            .primary(word.span, "unknown word")
            .note(format!("it takes: {}", words.join(", ")));
        let report = self.sink.did_you_mean(report, &word.name, word.span, words);
        self.report(report);
    }

    /// The known keys of a value in braces, each once.
    pub(super) fn sub_fields(
        &mut self,
        field: &'a PolicyField,
        known: &[&'static str],
        shape: &str,
    ) -> Option<Vec<(&'static str, &'a PolicyField)>> {
        let PolicyValueKind::Fields(fields) = &field.value.kind else {
            self.wrong_value(field, shape);
            return None;
        };
        let whole = &field.key.name;
        let mut found: Vec<(&'static str, &'a PolicyField)> = Vec::new();
        let open = not_set(known, fields);
        for field in fields.iter().filter(|field| !field.key.is_missing()) {
            let (name, span) = (field.key.name.as_str(), field.key.span);
            if let Some((_, first)) = found.iter().find(|(known, _)| *known == name) {
                let report = Diagnostic::error(codes::DUPLICATE_KEY, format!("`{name}` is set twice"));
                self.report(report.primary(span, "again").secondary(first.key.span, "first here"));
                continue;
            }
            match known.iter().find(|known| **known == name) {
                Some(known) => found.push((known, field)),
                None => {
                    let message = format!("`{whole}` has no key `{name}`");
                    let report = Diagnostic::error(codes::UNKNOWN_KEY, message).primary(span, "unknown key");
                    let report = report.note(format!("it has: {}", known.join(", ")));
                    let report = self.sink.did_you_mean(report, name, span, open.iter().copied());
                    self.report(report);
                }
            }
        }
        Some(found)
    }

    /// A whole number between two others.
    pub(super) fn count_between(&mut self, field: &PolicyField, least: u32, most: u32) -> Option<u32> {
        let Some(Literal::Int(value)) = literal(field) else {
            self.wrong_literal(field, "a whole number, such as `1`", &[]);
            return None;
        };
        let found = u32::try_from(*value).ok().filter(|value| (least..=most).contains(value));
        if found.is_none() {
            self.out_of_limits(field, &format!("{least} and {most}"));
        }
        found
    }

    /// `retry: { max: 1, backoff: 200ms, on: [timeout] }`.
    pub(super) fn retry(&mut self, field: &'a PolicyField) -> Option<Retry> {
        let shape = "keys in braces: `{ max: 1, backoff: 200ms, on: [timeout] }`";
        let errors = self.sink.errors();
        let fields = self.sub_fields(field, &["max", "backoff", "on"], shape)?;
        // Some other key may have been meant to say it.
        let misspelt = self.sink.errors() > errors;
        let mut retry = Retry { max: 0, backoff_us: DEFAULT_BACKOFF_US, on: CallErrorKind::RETRIED.to_vec() };
        let mut complete = true;
        for (name, part) in &fields {
            let read = match *name {
                "max" => self.count_between(part, 0, RETRY_MAX).map(|max| retry.max = max),
                "backoff" => self.duration(part).map(|us| retry.backoff_us = us),
                _ => self.retried(part).map(|on| retry.on = on),
            };
            complete &= read.is_some();
        }
        if misspelt {
            return None;
        }
        if !fields.iter().any(|(name, _)| *name == "max") {
            let report = Diagnostic::error(codes::BAD_POLICY_VALUE, "`retry` does not say how often");
            self.report(
                report.primary(field.value.span, "`max` is missing").help("write `retry: { max: 1 }`"),
            );
            return None;
        }
        complete.then_some(retry)
    }

    fn retried(&mut self, field: &'a PolicyField) -> Option<Vec<CallErrorKind>> {
        let words: Option<Vec<&ast::Ident>> = match &field.value.kind {
            PolicyValueKind::Expr(expr) => match &expr.kind {
                Ast::List(items) => items.iter().map(ast::Expr::as_name).collect(),
                _ => None,
            },
            _ => None,
        };
        let Some(words) = words else {
            self.wrong_value(field, "a list of failures, such as `[timeout, unavailable]`");
            return None;
        };
        let mut on = Vec::new();
        for word in words {
            let found = CallErrorKind::ALL.into_iter().find(|kind| kind.name() == word.name);
            match found {
                Some(kind) if is_retryable(kind) => {
                    if !on.contains(&kind) {
                        on.push(kind);
                    }
                }
                Some(_) => {
                    let message = format!("`{}` is never retried", word.name);
                    let report = Diagnostic::error(codes::BAD_POLICY_VALUE, message);
                    self.report(report.primary(word.span, "trying again would not help"));
                }
                None => {
                    let names = CallErrorKind::ALL.into_iter().filter(|kind| is_retryable(*kind));
                    self.unknown_word(field, word, names.map(CallErrorKind::name));
                }
            }
        }
        // One order, so that two spellings of a policy are one plan.
        on.sort_unstable();
        Some(on)
    }
}

/// Failures that another attempt may not meet.
const fn is_retryable(kind: CallErrorKind) -> bool {
    !matches!(kind, CallErrorKind::OverBudget | CallErrorKind::Interrupted | CallErrorKind::Cancelled)
}

fn number(field: &PolicyField) -> Option<String> {
    match literal(field)? {
        Literal::Int(value) => Some(value.to_string()),
        Literal::Float(value) => Some(value.to_string()),
        _ => None,
    }
}

pub(super) fn literal(field: &PolicyField) -> Option<&Literal> {
    match &field.value.kind {
        PolicyValueKind::Expr(expr) => match &expr.kind {
            Ast::Literal(literal) => Some(literal),
            _ => None,
        },
        _ => None,
    }
}
