//! Findings as a SARIF 2.1.0 log, which code scanning reads.

use std::path::{Path, PathBuf};

use plan_lang::{Applicability, Diagnostic, Fix, Label, LineIndex, Severity, Span};
use serde_json::{Value, json};

use super::fixes::place;
use crate::diagnostics::Compiled;
use crate::exit::Failure;
use crate::pages;

/// The schema of the log's form.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What paths of a checkout are relative to; whoever reads the log knows where that is.
const ROOT: &str = "%SRCROOT%";

/// One run over all files; a path is `None` for standard input.
pub(super) fn log(files: &[(Option<PathBuf>, &Compiled)]) -> Value {
    let mut codes: Vec<&str> =
        files.iter().flat_map(|(_, file)| &file.compilation.diagnostics).map(|d| d.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut results = Vec::new();
    for (path, compiled) in files {
        let file = File { location: location(path.as_deref()), lines: LineIndex::new(&compiled.text) };
        results.extend(compiled.compilation.diagnostics.iter().map(|found| file.result(&codes, found)));
    }
    let artifacts = files.iter().map(|(path, _)| artifact(path.as_deref())).collect();
    one_run(&codes, json!({ "executionSuccessful": true }), artifacts, results)
}

/// A run that ended before anything was checked, and one result that says why.
pub(super) fn failed(path: Option<&Path>, failure: &Failure) -> Value {
    let text = format!("{}\nhelp: {}", failure.message, failure.next_step());
    let place = path.map(|path| json!({ "physicalLocation": { "artifactLocation": location(Some(path)) } }));
    let result = json!({
        "ruleId": failure.code,
        "ruleIndex": 0,
        "level": "error",
        "message": { "text": text },
        "locations": place.into_iter().collect::<Vec<_>>(),
    });
    let invocation = json!({ "executionSuccessful": false, "exitCode": failure.exit as u8 });
    one_run(&[&failure.code], invocation, Vec::new(), vec![result])
}

fn one_run(codes: &[&str], invocation: Value, artifacts: Vec<Value>, results: Vec<Value>) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "orch",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(code)).collect::<Value>(),
            }},
            "columnKind": "utf16CodeUnits",
            "invocations": [invocation],
            "artifacts": artifacts,
            "results": results,
        }],
    })
}

/// The page of a code.
fn rule(code: &str) -> Value {
    let level = if code.starts_with('W') { "warning" } else { "error" };
    let mut rule = json!({ "id": code, "defaultConfiguration": { "level": level } });
    if let (Some(page), Some(fields)) = (pages::find(code), rule.as_object_mut()) {
        fields.insert("shortDescription".into(), json!({ "text": page.title() }));
        fields.insert("help".into(), json!({ "text": page.plain(), "markdown": page.markdown }));
    }
    rule
}

fn artifact(path: Option<&Path>) -> Value {
    json!({
        "location": location(path),
        "roles": [if path.is_some() { "analysisTarget" } else { "standardStream" }],
        "encoding": "UTF-8",
        "sourceLanguage": "orch",
    })
}

fn location(path: Option<&Path>) -> Value {
    match path {
        None => json!({ "uri": "stdin:", "description": { "text": "standard input" } }),
        Some(path) if path.is_absolute() => json!({ "uri": format!("file://{}", uri(path)) }),
        Some(path) => json!({ "uri": uri(path), "uriBaseId": ROOT }),
    }
}

/// A path as the path of a URI: `/` between its parts, and everything escaped that could mean something else.
fn uri(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.to_string_lossy().replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(byte.into())
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// A file that results point into.
struct File {
    location: Value,
    lines: LineIndex,
}

impl File {
    fn result(&self, codes: &[&str], found: &Diagnostic) -> Value {
        let level = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let mut text = found.message.clone();
        text.extend(found.notes.iter().map(|note| format!("\nnote: {note}")));
        text.extend(found.help.iter().map(|help| format!("\nhelp: {help}")));
        let main = found.labels.iter().position(|label| label.primary).unwrap_or(0);
        let others = found.labels.iter().enumerate().filter(|(at, _)| *at != main);
        let mut result = json!({
            "ruleId": found.code,
            "ruleIndex": codes.binary_search(&found.code.as_str()).unwrap_or_default(),
            "level": level,
            "message": { "text": text },
            "locations": [{ "physicalLocation": self.physical(found.span()) }],
            "relatedLocations": others.map(|(at, label)| self.related(at, label)).collect::<Value>(),
        });
        if let (Some(fix), Some(fields)) =
            (found.fix.as_ref().filter(|fix| !fix.edits.is_empty()), result.as_object_mut())
        {
            fields.insert("fixes".into(), json!([self.fix(fix)]));
        }
        result
    }

    fn physical(&self, span: Span) -> Value {
        json!({ "artifactLocation": self.location, "region": self.region(span) })
    }

    fn related(&self, id: usize, label: &Label) -> Value {
        let mut related = json!({ "id": id, "physicalLocation": self.physical(label.span) });
        if let Some(fields) = related.as_object_mut().filter(|_| !label.text.is_empty()) {
            fields.insert("message".into(), json!({ "text": label.text }));
        }
        related
    }

    fn region(&self, span: Span) -> Value {
        let ((line, column), (end_line, end_column)) =
            (place(&self.lines, span.start), place(&self.lines, span.end));
        json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
    }

    fn fix(&self, fix: &Fix) -> Value {
        let replacements: Value = fix
            .edits
            .iter()
            .map(|edit| {
                json!({ "deletedRegion": self.region(edit.span), "insertedContent": { "text": edit.text } })
            })
            .collect();
        json!({
            "description": { "text": fix.message },
            "artifactChanges": [{ "artifactLocation": self.location, "replacements": replacements }],
            "properties": { "safe": fix.applicability == Applicability::Safe },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(location(Some(Path::new("a b/c#d?%\u{e9}.orch")))["uri"], "a%20b/c%23d%3F%25%C3%A9.orch");
        assert_eq!(location(Some(Path::new("/x/y.orch"))), json!({ "uri": "file:///x/y.orch" }));
        assert_eq!(location(Some(Path::new("y.orch")))["uriBaseId"], ROOT);
    }
}
