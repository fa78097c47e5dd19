//! Findings as workflow commands of GitHub Actions, which makes annotations of them.

use std::path::Path;

use plan_lang::{Diagnostic, LineIndex, Severity};

use super::fixes::place;
use crate::diagnostics::Compiled;
use crate::exit::Failure;

/// One command per finding, each on a line of its own; empty where there is none.
pub(super) fn commands(path: &Path, compiled: &Compiled) -> String {
    let lines = LineIndex::new(&compiled.text);
    let found = &compiled.compilation.diagnostics;
    found.iter().map(|diagnostic| command(path, &lines, diagnostic)).collect()
}

/// The command for files that could not be checked.
pub(super) fn failed(path: Option<&Path>, failure: &Failure) -> String {
    let mut properties = format!("title={}", property(&failure.code));
    if let Some(path) = path {
        properties.push_str(&format!(",file={}", file(path)));
    }
    let text = format!("{}\nhelp: {}", failure.message, failure.next_step());
    format!("::error {properties}::{}\n", data(&text))
}

fn command(path: &Path, lines: &LineIndex, diagnostic: &Diagnostic) -> String {
    let kind = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let span = diagnostic.span();
    let ((line, column), (end_line, end_column)) = (place(lines, span.start), place(lines, span.end));
    let title = property(diagnostic.code.as_str());
    let mut properties = format!("title={title},file={},line={line},endLine={end_line}", file(path));
    // Columns of several lines are refused.
    if line == end_line {
        properties.push_str(&format!(",col={column},endColumn={end_column}"));
    }
    format!("::{kind} {properties}::{}\n", data(&message(diagnostic)))
}

fn file(path: &Path) -> String {
    property(&path.to_string_lossy().replace('\\', "/"))
}

/// Everything the finding says, a part a line.
fn message(diagnostic: &Diagnostic) -> String {
    let mut parts = vec![diagnostic.message.clone()];
    parts.extend(diagnostic.notes.iter().map(|note| format!("note: {note}")));
    parts.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
    parts.extend(diagnostic.fix.iter().map(|fix| format!("fix: {}", fix.message)));
    parts.join("\n")
}

/// Text behind `::`, where only what would end or break the line is escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value among the properties, where separators are escaped too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use plan_compiler::Compilation;
    use plan_lang::{Code, Fix, Span};

    use super::*;

    #[test]
    fn what_means_something_to_github_is_escaped() {
        let mut found = Diagnostic::error(Code::new("E0304"), "")
            .primary(Span::new(3, 8), "here")
            .note("a: b")
            .help("do, this")
            .fix(Fix::safe("write x"));
        // Past the constructor, which leaves no line ends in a message.
        found.message = "100% wrong::\r\nno, really".into();
        let over_lines = Diagnostic::warning(Code::new("W0903"), "m").primary(Span::new(0, 8), "");
        let compiled = Compiled {
            name: "x".into(),
            text: "ab\n\u{1F600}de".into(),
            compilation: Compilation { diagnostics: vec![found, over_lines], ..Compilation::default() },
        };
        assert_eq!(
            commands(Path::new("a,b/c:d%.orch"), &compiled),
            "::error title=E0304,file=a%2Cb/c%3Ad%25.orch,line=2,endLine=2,col=1,endColumn=4::\
             100%25 wrong::%0D%0Ano, really%0Anote: a: b%0Ahelp: do, this%0Afix: write x\n\
             ::warning title=W0903,file=a%2Cb/c%3Ad%25.orch,line=1,endLine=2::m\n"
        );
    }
}
