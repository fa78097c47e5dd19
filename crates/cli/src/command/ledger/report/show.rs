//! The report, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};

use schema::coverage::Leaves;
use serde_json::{Value, json};

use super::{Context, File, Imported, Refusal, Row};
use crate::output::table::{aligned, figures, text};

/// Operations of a file, or of all of them.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    operations: usize,
    /// With a complete schema of the answer.
    complete: usize,
    /// Of those, the ones that map.
    complete_mapped: usize,
    mapped: usize,
    /// That become entries of the Ledger.
    imported: usize,
    /// Of those, the ones that can be called.
    callable: usize,
    leaves: Leaves,
}

impl Totals {
    fn add(&mut self, row: &Row) {
        let mapped = row.refusals.is_empty();
        self.operations += 1;
        self.mapped += usize::from(mapped);
        self.complete += usize::from(row.complete);
        self.complete_mapped += usize::from(row.complete && mapped);
        self.imported += usize::from(is_imported(row));
        self.callable += usize::from(matches!(row.imported, Imported::Callable));
        self.leaves += row.leaves;
    }

    /// Share of the operations with a complete schema that map.
    fn share(self) -> f64 {
        if self.complete == 0 { 1.0 } else { self.complete_mapped as f64 / self.complete as f64 }
    }

    fn to_json(self) -> Value {
        json!({
            "operations": self.operations,
            "mapped": self.mapped,
            "complete": self.complete,
            "complete_mapped": self.complete_mapped,
            "share": self.share(),
            "imported": self.imported,
            "callable": self.callable,
            "leaves": { "typed": self.leaves.typed, "json": self.leaves.json },
        })
    }
}

/// Prints the report; the share of operations with a complete schema that map.
pub(super) fn report(context: &Context, files: &[File]) -> f64 {
    let all = totals(files.iter().flat_map(|file| &file.rows));
    if context.output.json {
        let mut document = all.to_json();
        if let Some(members) = document.as_object_mut() {
            members.insert("codes".into(), json!(codes(files)));
            members.insert("files".into(), files.iter().map(file_json).collect());
        }
        context.output.document(&document);
    } else {
        context.output.data(&for_people(files, all));
    }
    all.share()
}

fn totals<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Totals {
    let mut totals = Totals::default();
    rows.into_iter().for_each(|row| totals.add(row));
    totals
}

fn is_imported(row: &Row) -> bool {
    matches!(row.imported, Imported::Callable | Imported::Listed(_))
}

/// Every reason against an operation, each once.
fn reasons(row: &Row) -> impl Iterator<Item = &Refusal> {
    let own = match &row.imported {
        Imported::Refused(refusal) if !row.refusals.contains(refusal) => Some(refusal),
        _ => None,
    };
    row.refusals.iter().chain(own)
}

/// How often each code is the reason.
fn codes(files: &[File]) -> BTreeMap<&'static str, usize> {
    let mut codes = BTreeMap::new();
    for file in files {
        for refusal in file.refused.iter().chain(file.rows.iter().flat_map(reasons)) {
            *codes.entry(refusal.code).or_default() += 1;
        }
    }
    codes
}

fn file_json(file: &File) -> Value {
    let mut document = totals(&file.rows).to_json();
    if let Some(members) = document.as_object_mut() {
        members.insert("file".into(), file.name.as_str().into());
        members.insert("refused".into(), file.refused.as_ref().map(refusal_json).into());
        members.insert("rows".into(), file.rows.iter().map(row_json).collect());
    }
    document
}

fn row_json(row: &Row) -> Value {
    let unchecked = row.unchecked.iter().map(|(at, pattern)| json!({ "at": at, "pattern": pattern }));
    let listed = match &row.imported {
        Imported::Listed(reason) => Some(reason),
        _ => None,
    };
    json!({
        "operation": row.operation,
        "complete": row.complete,
        "mapped": row.refusals.is_empty(),
        "imported": is_imported(row),
        "callable": matches!(row.imported, Imported::Callable),
        "not_callable_reason": listed,
        "refusals": reasons(row).map(refusal_json).collect::<Value>(),
        "leaves": { "typed": row.leaves.typed, "json": row.leaves.json },
        "unchecked": unchecked.collect::<Value>(),
    })
}

fn refusal_json(refusal: &Refusal) -> Value {
    json!({ "code": refusal.code, "at": refusal.at, "message": refusal.message })
}

fn for_people(files: &[File], all: Totals) -> String {
    let columns = [
        text("FILE"),
        figures("OPERATIONS"),
        figures("COMPLETE"),
        figures("MAPPED"),
        figures("TYPED"),
        figures("IMPORTED"),
        figures("CALLABLE"),
    ];
    let row = |file: &File| {
        let totals = totals(&file.rows);
        let figures = [totals.operations, totals.complete, totals.complete_mapped].map(|n| n.to_string());
        let [operations, complete, mapped] = figures;
        let has_leaves = totals.leaves != Leaves::default();
        let typed = if has_leaves { percent(totals.leaves.share()) } else { "-".into() };
        let [imported, callable] = [totals.imported, totals.callable].map(|n| n.to_string());
        vec![file.name.clone(), operations, complete, mapped, typed, imported, callable]
    };
    let rows: Vec<Vec<String>> = files.iter().map(row).collect();
    let mut out = aligned(&columns, &rows, usize::MAX);
    out.push_str(&refusals(files));
    out.push_str(&listed(files));
    out.push_str(&unchecked(files));
    let of_all = |part: usize, all: usize| format!("{part} of {all}");
    out.push_str(&format!(
        "\n{} operations map. Of those with a complete schema of the answer {} ({}).\n{} of {} places in their answers are typed ({}).\n{} become entries of the Ledger, and {} can be called, given their host and key.\n",
        of_all(all.mapped, all.operations),
        of_all(all.complete_mapped, all.complete),
        percent(all.share()),
        all.leaves.typed,
        all.leaves.typed + all.leaves.json,
        percent(all.leaves.share()),
        of_all(all.imported, all.operations),
        all.callable,
    ));
    out
}

fn refusals(files: &[File]) -> String {
    let mut out = String::new();
    for file in files {
        let whole = file.refused.iter().map(|refusal| (String::new(), refusal));
        let rows = file
            .rows
            .iter()
            .flat_map(|row| reasons(row).map(move |refusal| (format!(" {}", row.operation), refusal)));
        for (operation, Refusal { code, at, message }) in whole.chain(rows) {
            out.push_str(&format!("\n[{code}] {}{operation}\n  {message}\n  at {at}\n", file.name));
        }
    }
    out
}

/// Entries that cannot be called, by the reason.
fn listed(files: &[File]) -> String {
    let mut by_reason: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for file in files {
        for row in &file.rows {
            if let Imported::Listed(reason) = &row.imported {
                *by_reason.entry((&file.name, reason)).or_default() += 1;
            }
        }
    }
    let line = |((file, reason), count): ((&str, &str), usize)| {
        format!("\nlisted, not callable: {count} of {file}\n  {reason}\n")
    };
    by_reason.into_iter().map(line).collect()
}

/// Patterns that are not checked: no refusal, but said.
fn unchecked(files: &[File]) -> String {
    let rows = files.iter().flat_map(|file| file.rows.iter().map(move |row| (file, row)));
    let all = rows.flat_map(|(file, row)| row.unchecked.iter().map(move |found| (&file.name, found)));
    // Operations that share a schema share its patterns.
    let all: BTreeSet<(&String, &(String, String))> = all.collect();
    let line = |(file, (at, pattern)): (&String, &(String, String))| {
        format!("\nnot checked: the pattern `{pattern}`\n  at {file} {at}\n")
    };
    all.into_iter().map(line).collect()
}

/// Rounded down, so that 100% means all.
fn percent(share: f64) -> String {
    format!("{:.1}%", (share * 1000.0).floor() / 10.0)
}
