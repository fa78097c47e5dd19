//! All diagnostics of one compilation as messages about the plan's own file.

use plan_lang::ast::{self, Item};
use plan_lang::{Diagnostic, Span};

use crate::codes;
use crate::sink::{KEPT_MAX, SourceId};
use crate::texts::Texts;
use crate::{DIAGNOSTICS_MAX, FILE_PARTS_MAX};

/// What parser and checker found. Mistakes in a capability of the lock become one message where the file
/// imports it: the text is not the user's to mend.
pub(crate) fn collect(texts: &Texts, reported: Vec<(SourceId, Diagnostic)>) -> Vec<Diagnostic> {
    let parse = texts.get(0);
    let syntax: Vec<Diagnostic> = parse.map_or_else(Vec::new, |parse| parse.diagnostics().to_vec());
    let unread = syntax.iter().any(Diagnostic::is_error);
    let broken = broken_items(texts, &syntax);
    let mut foreign: Vec<(u16, Diagnostic)> = Vec::new();
    let mut found = syntax;
    for (at, diagnostic) in reported {
        if at > 0 {
            foreign.push((at, diagnostic));
        } else if !(unread && may_echo(&diagnostic, &broken)) {
            found.push(diagnostic);
        }
    }
    for capability in &texts.capabilities {
        let mut mistakes: Vec<&Diagnostic> = Vec::new();
        for &part in &capability.sources {
            let syntax = texts.get(part).map_or(&[][..], |parse| parse.diagnostics());
            mistakes.extend(syntax.iter().filter(|d| d.is_error()));
            mistakes.extend(foreign.iter().filter(|(at, d)| *at == part && d.is_error()).map(|(_, d)| d));
        }
        if let Some(first) = mistakes.first() {
            let message = format!("the capability `{}` of the lock does not compile", capability.name);
            found.push(
                Diagnostic::error(codes::BROKEN_CAPABILITY, message)
                    .primary(capability.import, "imported here")
                    .note(format!("[{}] {}", first.code, first.message))
                    .help("run `orch lock update`; if it stays, the Ledger's entry is broken"),
            );
        }
    }
    // A span that does not fit the text would point nowhere.
    debug_assert!(parse.is_none_or(|parse| {
        let end = parse.syntax().span().end;
        found.iter().all(|d| d.labels.iter().all(|label| label.span.end <= end))
    }));
    found
}

/// The declarations that hold a syntax error, or have one behind them: what follows a declaration that cannot be
/// read to its end was to be a part of it.
pub(crate) fn broken_items(texts: &Texts, syntax: &[Diagnostic]) -> Vec<Span> {
    let items: Vec<Span> = texts.items(0).iter().map(Item::span).collect();
    let mut broken: Vec<Span> = syntax
        .iter()
        .filter(|found| found.is_error())
        .filter_map(|found| items.partition_point(|item| item.start <= found.span().start).checked_sub(1))
        .filter_map(|index| items.get(index).copied())
        .collect();
    broken.dedup();
    broken
}

/// The plan at which all plans of a file together got too large.
pub(crate) fn too_much(plan: &ast::Ident) -> Diagnostic {
    let message = format!("the plans of this file have more than {FILE_PARTS_MAX} parts together");
    Diagnostic::error(codes::TOO_MANY_NODES, message)
        .primary(plan.span, "the plans up to this one")
        .note("parts are nodes, expressions and members of types; each plan has the plans it runs and the functions it uses in it")
        .help("move some plans to a file of their own")
}

/// The test at which all plans and tests of a file together got too large.
pub(crate) fn too_many_tests(span: Span) -> Diagnostic {
    let message = format!("the plans and tests of this file have more than {FILE_PARTS_MAX} parts together");
    Diagnostic::error(codes::TOO_MANY_NODES, message)
        .primary(span, "the tests up to this one")
        .note("each test has the plans it runs in it")
        .help("move some tests with their plans to a file of their own")
}

/// Leaves at most [`DIAGNOSTICS_MAX`], and says so at the last. Errors go before warnings.
pub(crate) fn shorten(diagnostics: &mut Vec<Diagnostic>) {
    let all = diagnostics.len();
    if all <= DIAGNOSTICS_MAX {
        return;
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        diagnostics.retain(Diagnostic::is_error);
    }
    diagnostics.truncate(DIAGNOSTICS_MAX);
    let shown = diagnostics.len();
    if let Some(last) = diagnostics.last_mut() {
        let or = if all < KEPT_MAX { "" } else { "or " };
        last.notes.push(format!("{} {or}more messages are not shown", all - shown));
    }
}

/// Whether the mistake may only echo a syntax error: it is in the same declaration, or about a name whose
/// declaration or use could not be read.
fn may_echo(diagnostic: &Diagnostic, broken: &[Span]) -> bool {
    let at = diagnostic.span();
    let of_names = diagnostic.code.as_str().starts_with("E02") || diagnostic.code == codes::UNUSED_VALUE;
    of_names || broken.iter().any(|item| item.contains(at))
}
