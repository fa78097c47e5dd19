//! The commands about plan files: `orch new`, `check`, `fmt`, `explain`, `graph`, `doc` and `test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::project::is_stdin;

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name of the project and its folder.
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Plan files or folders; `-` is standard input. Without any: the working folder.
    pub(crate) paths: Vec<PathBuf>,
    /// How findings are shown.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<CheckFormat>,
    /// Make the fixes that are certainly meant; what is left is shown, and what can be seen only now that the text can
    /// be read. A fix that mends nothing or brings a mistake of its own is not made; the layout is changed only if it was
    /// formatted before.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Show what `--fix` would change as a diff and change nothing; exit with 1 if there is anything.
    #[arg(long, visible_alias = "dry-run")]
    pub(crate) diff: bool,
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// With the lines they are about, to standard error.
    Human,
    /// One JSON document (docs/formats.md); short: `--json`.
    Json,
    /// One SARIF 2.1.0 log, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions: an annotation per finding.
    Github,
}

#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Plan files or folders; `-` is standard input. Without any: the working folder.
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 if a file would change.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A plan file (`-` is standard input), a code such as E0304, or the word `policy`.
    #[arg(value_name = "FILE|CODE|policy")]
    pub(crate) what: PathBuf,
    /// Which plan, where the file has several that no other runs.
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// The plan file; `-` is standard input.
    pub(crate) file: PathBuf,
    /// Which plan, where the file has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// What it is drawn as.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<GraphFormat>,
}

/// What a graph is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A line per step.
    Text,
    /// One JSON document (docs/formats.md); short: `--json`.
    Json,
    /// The language of Graphviz.
    Dot,
    /// A picture that stands alone, for browsers and documents.
    Svg,
}

#[derive(Debug, Args)]
pub(crate) struct Doc {
    /// Plan files or folders; `-` is standard input. Without any: the working folder.
    pub(crate) paths: Vec<PathBuf>,
    /// Only this plan.
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// What pages are written as.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DocFormat::Markdown)]
    pub(crate) format: DocFormat,
    /// Write a page for each plan and an index into this folder; else one page to standard output.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

/// What pages are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocFormat {
    /// For repositories.
    Markdown,
    /// For browsers; each page stands alone.
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Plan files or folders; `-` is standard input. Without any: the working folder.
    pub(crate) paths: Vec<PathBuf>,
    /// Only tests with this in their names.
    #[arg(long, short = 'n', value_name = "TEXT")]
    pub(crate) name: Option<String>,
}

impl Check {
    pub(super) fn settle(&self) -> Result<(), &'static str> {
        let one_document = matches!(self.format, Some(CheckFormat::Sarif | CheckFormat::Github));
        if one_document && self.diff {
            return Err("a diff is shown with `--format human` or `json` only");
        }
        if one_document && self.fix && self.paths.iter().any(|path| is_stdin(path)) {
            return Err("what standard input becomes is shown with `--format human` or `json` only");
        }
        Ok(())
    }
}
