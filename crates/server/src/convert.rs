//! Between the types of the crates and those of the wire: one spelling of each, for all services.

use plan_lang::{Applicability, Diagnostic, LineIndex, Severity, Span};
use proto::v1;
use schema::amount::{Amount, Currency};
use schema::hash::Hash;
use schema::lock::LockBodies;
use schema::price::PriceBasis;
use tonic::Status;

use crate::status::bad_field;

/// Diagnostics with their places as lines and columns of `text`.
pub(crate) fn diagnostics(text: &str, found: &[Diagnostic]) -> Vec<v1::Diagnostic> {
    let lines = LineIndex::new(text);
    let span = |span: Span| place(&lines, span);
    found
        .iter()
        .map(|diagnostic| v1::Diagnostic {
            code: diagnostic.code.to_string(),
            severity: severity(diagnostic.severity).into(),
            message: diagnostic.message.clone(),
            labels: labels(diagnostic)
                .map(|label| v1::DiagnosticLabel { span: Some(span(label.span)), text: label.text.clone() })
                .collect(),
            notes: diagnostic.notes.clone(),
            help: diagnostic.help.clone().unwrap_or_default(),
            fix: diagnostic.fix.as_ref().map(|fix| v1::DiagnosticFix {
                message: fix.message.clone(),
                edits: fix
                    .edits
                    .iter()
                    .map(|edit| v1::TextEdit { span: Some(span(edit.span)), text: edit.text.clone() })
                    .collect(),
                safe: fix.applicability == Applicability::Safe,
            }),
        })
        .collect()
}

/// The main label first.
fn labels(diagnostic: &Diagnostic) -> impl Iterator<Item = &plan_lang::Label> {
    let (primary, others): (Vec<_>, Vec<_>) = diagnostic.labels.iter().partition(|label| label.primary);
    primary.into_iter().chain(others)
}

/// A span with its line and column.
pub(crate) fn place(lines: &LineIndex, span: Span) -> v1::Span {
    let at = lines.utf8(span.start);
    v1::Span { start: span.start, end: span.end, line: at.line + 1, column: at.column + 1 }
}

const fn severity(severity: Severity) -> v1::Severity {
    match severity {
        Severity::Error => v1::Severity::Error,
        Severity::Warning => v1::Severity::Warning,
        Severity::Note => v1::Severity::Note,
    }
}

/// Money for the wire.
pub(crate) fn amount(amount: Amount) -> v1::Amount {
    let currency = match amount.currency {
        Currency::Rao => v1::Currency::Rao,
        Currency::MicroUsd => v1::Currency::MicroUsd,
    };
    v1::Amount { units: amount.units, currency: currency.into() }
}

/// Money of a request.
pub(crate) fn amount_of(field: &str, amount: &v1::Amount) -> Result<Amount, Status> {
    let currency = match amount.currency() {
        v1::Currency::Rao => Currency::Rao,
        v1::Currency::MicroUsd => Currency::MicroUsd,
        v1::Currency::Unspecified => {
            return Err(bad_field("E1510", field, "its currency must be CURRENCY_RAO or CURRENCY_MICRO_USD"));
        }
    };
    Ok(Amount::new(amount.units, currency))
}

/// A lock for the wire.
pub(crate) fn lock(toml: String, bodies: LockBodies) -> v1::Lock {
    let body =
        |(hash, content): (Hash, Vec<u8>)| v1::LockBody { hash: hash.to_hex(), content: content.into() };
    v1::Lock { toml, bodies: bodies.into_iter().map(body).collect() }
}

/// How sure a figure is, for the wire.
pub(crate) const fn basis(basis: PriceBasis) -> v1::PriceBasis {
    match basis {
        PriceBasis::Known => v1::PriceBasis::Known,
        PriceBasis::Declared => v1::PriceBasis::Declared,
        PriceBasis::Observed => v1::PriceBasis::Observed,
        PriceBasis::Assumed => v1::PriceBasis::Assumed,
    }
}

/// A moment in microseconds since 1970 UTC, for the wire.
pub(crate) fn timestamp(time_us: u64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: i64::try_from(time_us / 1_000_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(time_us % 1_000_000 * 1_000).unwrap_or(0),
    }
}
