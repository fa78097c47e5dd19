//! `orch doc`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use plan_compiler::Source;
use plan_doc::page::{IndexRow, Page, Pages, html, html_index, markdown, markdown_index};
use plan_ir::plan::CompiledPlan;
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
    let page = Pages::of(&Source { name: &one.name, text: &one.text }).page(plan, bound);
    let text = render(args.format, &page);
    if context.output.json {
        context.output.document(&json!({ "file": one.name, "plan": page.plan, "text": text }));
    } else {
        context.output.data(&text);
    }
    Ok(())
}

fn to_folder(context: &Context, args: &Doc, compiled: &[Compiled], folder: &Path) -> Result<(), Failure> {
    let is_meant = |plan: &CompiledPlan| args.plan.as_deref().is_none_or(|name| name == plan.body.name);
    if !compiled.iter().flat_map(|one| &one.compilation.plans).any(is_meant) {
        let what = args.plan.as_ref().map_or_else(|| "a plan".to_owned(), |name| format!("a plan `{name}`"));
        return Err(Failure::new(
            "E1506",
            format!("none of the files has {what}"),
            "name the file that has it",
        ));
    }
    std::fs::create_dir_all(folder).map_err(|error| project::cannot_write(folder, &error))?;
    let (mut rows, mut written) = (Vec::new(), Vec::new());
    let mut write = |name: &str, text: &str| {
        let path = folder.join(name);
        project::write_whole(&path, text.as_bytes()).map_err(|error| project::cannot_write(&path, &error))?;
        written.push(path.display().to_string());
        Ok::<_, Failure>(())
    };
    let index_name = format!("index.{}", extension(args.format));
    let mut names = Names::without(&index_name);
    for one in compiled {
        let source = Source { name: &one.name, text: &one.text };
        let pages = Pages::of(&source);
        let plans = one.compilation.plans.iter().zip(&one.compilation.bounds);
        for (plan, bound) in plans.filter(|(plan, _)| is_meant(plan)) {
            let page = pages.page(plan, bound);
            let name = names.page(&one.name, &page.plan, args.format);
            write(&name, &render(args.format, &page))?;
            rows.push(page.index_row(name));
        }
    }
    write(&index_name, &index(args.format, &rows))?;
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

/// Names of pages: each is given once.
struct Names {
    /// In lower case: some systems do not tell upper and lower case apart.
    taken: BTreeSet<String>,
    /// How many were given for the same file and plan.
    counts: BTreeMap<String, usize>,
}

impl Names {
    fn without(name: &str) -> Self {
        Self { taken: BTreeSet::from([name.to_ascii_lowercase()]), counts: BTreeMap::new() }
    }

    /// `sub/find.orch` and `read` give `sub-find.read.md`; a name that is taken gets a number.
    fn page(&mut self, file: &str, plan: &str, format: DocFormat) -> String {
        let path = PathBuf::from(file).with_extension("");
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy()),
            _ => None,
        });
        // Names that every system and every link can have.
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
        let stem: String = parts.collect::<Vec<_>>().join("-").chars().map(plain).collect();
        let plan: String = plan.chars().map(plain).collect();
        let count = self.counts.entry(format!("{stem}.{plan}").to_ascii_lowercase()).or_default();
        loop {
            *count += 1;
            let more = if *count == 1 { String::new() } else { format!("-{count}") };
            let name = format!("{stem}.{plan}{more}.{}", extension(format));
            if self.taken.insert(name.to_ascii_lowercase()) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_name_of_its_own() {
        let mut names = Names::without("index.md");
        let mut name = |file: &str, plan: &str| names.page(file, plan, DocFormat::Markdown);
        assert_eq!(name("sub/find.orch", "read"), "sub-find.read.md");
        assert_eq!(name("./sub-find.orch", "read"), "sub-find.read-2.md");
        assert_eq!(name("../a b.orch", "Read"), "a_b.Read.md");
        assert_eq!(name("A_B.orch", "read"), "A_B.read-2.md");
        assert_eq!(name("<stdin>", "\u{e9}t\u{e9}"), "_stdin_._t_.md");
    }
}
