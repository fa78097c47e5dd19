//! Plans: compiled, written, shown and mended.

use plan_compiler::{Left, Options, Source, compile, fix};
use plan_doc::page::{Pages, html, markdown};

use crate::ledger::ledger;
use crate::text::well_placed;

/// Longest text that is looked at in every way; longer ones are only compiled.
const THOROUGH_BYTES_MAX: usize = 2_000;

/// Compiling gives messages or plans; plans are well formed and survive being written and read, and everything that
/// shows them has something to show.
pub(crate) fn check(text: &str) {
    let source = Source { name: "fuzz.orch", text };
    let thorough = text.len() <= THOROUGH_BYTES_MAX;
    let compilation = compile(&source, ledger(), &Options::with_tests());
    well_placed(text, &compilation.diagnostics);
    assert!(!compilation.has_errors() || compilation.plans.is_empty(), "plans of a text with errors");
    assert_eq!(compilation.plans.len(), compilation.bounds.len());
    let mut pages = None;
    for (plan, bound) in compilation.plans.iter().zip(&compilation.bounds) {
        assert_eq!(plan_ir::validate::validate(plan), Ok(()), "a plan that breaks a rule");
        // A plan may be too large to be written.
        if let Ok(bytes) = plan_ir::bytes::encode(plan) {
            let read = plan_ir::bytes::decode(&bytes);
            assert!(read.is_ok_and(|read| read.body == plan.body), "a plan that is read otherwise");
        }
        if thorough {
            let page = pages.get_or_insert_with(|| Pages::of(&source)).page(plan, bound);
            assert!(markdown(&page).contains("## Graph") && html(&page).contains("</svg>"));
            assert!(plan_doc::to_dot(&page.graph).ends_with("}\n"));
        }
    }
    if thorough {
        mend(&source);
    }
}

/// Fixes break nothing, and come to an end.
fn mend(source: &Source<'_>) {
    let fixed = fix(source, ledger(), &Options::default());
    let breaks = !fixed.applied.is_empty() && plan_lang::parse(&fixed.text).has_errors();
    assert!(!breaks || plan_lang::parse(source.text).has_errors(), "a fix that breaks:\n{}", fixed.text);
    let again = fix(&Source { name: "fuzz.orch", text: &fixed.text }, ledger(), &Options::default());
    assert!(again.applied.is_empty() || fixed.left == Some(Left::Rounds), "fixes that are never done");
}
