//! What `--fix` does to a file, and how it is shown.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use plan_compiler::{AppliedFix, Left, Options, Source};
use plan_lang::LineIndex;
use schema::lock::Lock;
use serde_json::{Value, json};
use similar::{Algorithm, ChangeTag, TextDiff};

use crate::diagnostics::{self, Compiled};
use crate::project::PlanFile;

/// Longest search for a short diff; after it a longer one, just as true, has to do.
const DIFF_TIME_MAX: Duration = Duration::from_secs(1);

/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 3;

/// The fixes of one file.
#[derive(Debug)]
pub(super) struct Fixes {
    pub(super) applied: Vec<AppliedFix>,
    /// Why some were not made.
    pub(super) left: Option<Left>,
    /// How many mistakes are seen only now that others are mended.
    pub(super) uncovered: usize,
    name: String,
    before: String,
    after: String,
}

/// Compiles a file as it is and as its safe fixes make it. Bytes that are no text are beyond fixing.
pub(super) fn make(file: &PlanFile, lock: &Lock) -> (Compiled, Compiled, Fixes) {
    let before = diagnostics::compile(file, lock);
    let name = before.name.clone();
    let fixed = match std::str::from_utf8(&file.bytes) {
        Ok(text) => plan_compiler::fix(&Source { name: &name, text }, lock, &Options::default()),
        Err(_) => plan_compiler::Fixed {
            text: before.text.clone(),
            compilation: before.compilation.clone(),
            ..plan_compiler::Fixed::default()
        },
    };
    let fixes = Fixes {
        applied: fixed.applied,
        left: fixed.left,
        uncovered: fixed.uncovered,
        name: name.clone(),
        before: before.text.clone(),
        after: fixed.text.clone(),
    };
    (before, Compiled { name, text: fixed.text, compilation: fixed.compilation }, fixes)
}

impl Fixes {
    /// One line per fix: where, what, and which message asked for it.
    pub(super) fn lines(&self, name: &str) -> impl Iterator<Item = String> {
        self.applied.iter().map(move |fix| {
            let (line, column) = (fix.at.line + 1, fix.at.column + 1);
            format!("{name}:{line}:{column}: {} [{}]", what(fix), fix.diagnostic.code)
        })
    }

    /// For a program: places from 0, in the text as the fixes before had left it.
    pub(super) fn to_json(&self) -> Value {
        let one = |fix: &AppliedFix| {
            json!({
                "code": fix.diagnostic.code,
                "message": what(fix),
                "line": fix.at.line,
                "column": fix.at.column,
            })
        };
        self.applied.iter().map(one).collect()
    }

    /// A unified diff, empty where nothing changes.
    pub(super) fn diff(&self) -> String {
        self.write_diff(|_| Style::new())
    }

    /// The same for a terminal.
    pub(super) fn colored_diff(&self) -> String {
        self.write_diff(|tag| match tag {
            ChangeTag::Equal => Style::new(),
            ChangeTag::Delete => Style::new().fg_color(Some(AnsiColor::Red.into())),
            ChangeTag::Insert => Style::new().fg_color(Some(AnsiColor::Green.into())),
        })
    }

    fn write_diff(&self, style: impl Fn(ChangeTag) -> Style) -> String {
        if self.before == self.after {
            return String::new();
        }
        let diff = TextDiff::configure()
            .algorithm(Algorithm::Myers)
            .timeout(DIFF_TIME_MAX)
            .diff_lines(&self.before, &self.after);
        let mut text = format!("--- {0}\n+++ {0}\n", self.name);
        for hunk in diff.unified_diff().context_radius(CONTEXT_LINES).iter_hunks() {
            text.push_str(&format!("{}\n", hunk.header()));
            for change in hunk.iter_changes() {
                let style = style(change.tag());
                let line = change.value().trim_end_matches('\n');
                text.push_str(&format!("{style}{}{line}{style:#}\n", change.tag()));
                if change.missing_newline() {
                    text.push_str("\\ No newline at end of file\n");
                }
            }
        }
        text
    }
}

fn what(fix: &AppliedFix) -> &str {
    fix.diagnostic.fix.as_ref().map_or("", |fix| &fix.message)
}

/// Where a byte of `text` is for tools that count as JavaScript does: line and column from 1.
pub(super) fn place(lines: &LineIndex, offset: u32) -> (u32, u32) {
    let at = lines.utf16(offset);
    (at.line + 1, at.column + 1)
}
