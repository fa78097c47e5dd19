//! `orch doc`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use plan_compiler::Source;
use plan_doc::page::{IndexRow, Page, html, html_index, markdown, markdown_index};
use serde_json::json;

use super::{Context, run};
use crate::args::{Doc, DocFormat};
use crate::diagnostics::{self, Compiled};
use crate::exit::Failure;
use crate::project::{self, PlanFile, lockfile};

/// Writes the pages of plans: one to standard output, or all into a folder with an index.
pub(crate) fn run(context: &Context, args: &Doc) -> Result<(), Failure> {
    let files = project::plan_files(&args.paths)?;
    let compiled = compile(context, &files)?;
    match &args.out {
        Some(folder) => to_folder(context, args, &compiled, folder),
        None => to_stdout(context, args, &compiled),
    }
}

/// All of them, before anything is written.
fn compile(context: &Context, files: &[PlanFile]) -> Result<Vec<Compiled>, Failure> {
    files
        .iter()
        .map(|file| diagnostics::compile_or_show(context, file, &lockfile::load(&file.folder())?))
        .collect()
}

fn to_stdout(context: &Context, args: &Doc, compiled: &[Compiled]) -> Result<(), Failure> {
    let with_plans: Vec<&Compiled> =
        compiled.iter().filter(|compiled| !compiled.compilation.plans.is_empty()).collect();
    let named = |compiled: &&&Compiled| {
        args.plan.as_deref().is_none_or(|name| compiled.compilation.plan(name).is_some())
    };
    let mut matching = with_plans.iter().filter(named);
    let one = match (matching.next(), matching.next()) {
        (Some(one), None) => *one,
        (Some(_), Some(_)) => {
            let message = "several files have plans, and standard output has room for one page";
            return Err(Failure::new(
                "E1506",
                message,
                "name one file, or write all pages with --out FOLDER",
            ));
        }
        // What is wrong is said for the first file, as elsewhere.
        (None, _) => match with_plans.first().or(compiled.iter().collect::<Vec<_>>().first()) {
            Some(first) => first,
            None => return Err(Failure::new("E1506", "there is no plan", "")),
        },
    };
    let (plan, bound) = run::choose(one, args.plan.as_deref())?;
    let page = Page::of(&Source { name: &one.name, text: &one.text }, plan, bound);
    let text = render(args.format, &page);
    if context.output.json {
        context.output.document(&json!({ "file": one.name, "plan": page.plan, "text": text }));
    } else {
        context.output.data(&text);
    }
    Ok(())
}

fn to_folder(context: &Context, args: &Doc, compiled: &[Compiled], folder: &Path) -> Result<(), Failure> {
    let (mut rows, mut pages) = (Vec::new(), Vec::new());
    let mut taken = BTreeSet::from([format!("index.{}", extension(args.format))]);
    for one in compiled {
        for (plan, bound) in one.compilation.plans.iter().zip(&one.compilation.bounds) {
            if args.plan.as_deref().is_some_and(|name| name != plan.body.name) {
                continue;
            }
            let page = Page::of(&Source { name: &one.name, text: &one.text }, plan, bound);
            let name = file_name(&one.name, &page.plan, args.format, &mut taken);
            rows.push(page.index_row(name.clone()));
            pages.push((name, render(args.format, &page)));
        }
    }
    if pages.is_empty() {
        let what = args.plan.as_ref().map_or_else(|| "a plan".to_owned(), |name| format!("a plan `{name}`"));
        return Err(Failure::new(
            "E1506",
            format!("none of the files has {what}"),
            "name the file that has it",
        ));
    }
    pages.push((format!("index.{}", extension(args.format)), index(args.format, &rows)));
    std::fs::create_dir_all(folder).map_err(|error| project::cannot_write(folder, &error))?;
    let mut written = Vec::new();
    for (name, text) in &pages {
        let path = folder.join(name);
        project::write_whole(&path, text.as_bytes()).map_err(|error| project::cannot_write(&path, &error))?;
        written.push(path.display().to_string());
    }
    if context.output.json {
        context.output.document(&json!({ "written": written }));
    } else {
        let index = written.last().map_or("", String::as_str);
        let pages = if rows.len() == 1 { "1 page".to_owned() } else { format!("{} pages", rows.len()) };
        context.output.note(&format!("wrote {pages} and {index}"));
    }
    Ok(())
}

fn render(format: DocFormat, page: &Page) -> String {
    match format {
        DocFormat::Markdown => markdown(page),
        DocFormat::Html => html(page),
    }
}

fn index(format: DocFormat, rows: &[IndexRow]) -> String {
    match format {
        DocFormat::Markdown => markdown_index(rows),
        DocFormat::Html => html_index(rows),
    }
}

const fn extension(format: DocFormat) -> &'static str {
    match format {
        DocFormat::Markdown => "md",
        DocFormat::Html => "html",
    }
}

/// `sub/find.orch` and `read` give `sub-find.read.md`; a name that is taken gets a number.
fn file_name(file: &str, plan: &str, format: DocFormat, taken: &mut BTreeSet<String>) -> String {
    let path = PathBuf::from(file).with_extension("");
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    // Names that every system and every link can have.
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let stem: String = parts.collect::<Vec<_>>().join("-").chars().map(plain).collect();
    let plan: String = plan.chars().map(plain).collect();
    let mut number = 1;
    loop {
        let more = if number == 1 { String::new() } else { format!("-{number}") };
        let name = format!("{stem}.{plan}{more}.{}", extension(format));
        // Some systems do not tell upper and lower case apart.
        if taken.insert(name.to_ascii_lowercase()) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_name_of_its_own() {
        let mut taken = BTreeSet::new();
        let mut name = |file: &str, plan: &str| file_name(file, plan, DocFormat::Markdown, &mut taken);
        assert_eq!(name("sub/find.orch", "read"), "sub-find.read.md");
        assert_eq!(name("./sub-find.orch", "read"), "sub-find.read-2.md");
        assert_eq!(name("../a b.orch", "Read"), "a_b.Read.md");
        assert_eq!(name("A_B.orch", "read"), "A_B.read-2.md");
        assert_eq!(name("<stdin>", "\u{e9}t\u{e9}"), "_stdin_._t_.md");
    }
}
