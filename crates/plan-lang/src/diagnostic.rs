//! The one model of a message about a plan, shared by parser, checker, command line and editor.
//!
//! A diagnostic is plain data: what is wrong, where, why and what to do next. Nothing here prints;
//! [`render`] turns diagnostics into text and `serde` into JSON.

mod apply;
mod render;
mod suggest;

use std::fmt;

use serde::Serialize;

pub use apply::apply_safe;
pub use render::{SourceFile, render};
pub use suggest::{suggest, written_name};

use crate::text::Span;

/// The stable name of a kind of mistake, `E0304`; each has a page `docs/errors/E0304.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Code(&'static str);

impl Code {
    /// Names a code. Declare codes as constants, so that each is written once.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self(code)
    }

    /// The code as printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The plan cannot be compiled.
    Error,
    /// The plan compiles, but probably does not mean what it says.
    Warning,
    /// Worth knowing, nothing to change.
    Note,
}

/// A place that a diagnostic points at, with a few words of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place; may be empty where something is missing.
    pub span: Span,
    /// What is to be said about the place; may be empty.
    pub text: String,
    /// Whether this is where the mistake is, not just what it has to do with.
    pub primary: bool,
}

/// Whether a fix can be applied without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// It means what the author meant: `orch check --fix` applies it.
    Safe,
    /// It may change the meaning or leave something to fill in: the author decides.
    Unsafe,
}

/// A replacement of one span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// The new text; empty to delete.
    pub text: String,
}

/// A change of the source that removes the mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What the change does, as an instruction: "add `=`".
    pub message: String,
    /// The edits, in source order, without overlap; all of them or none.
    pub edits: Vec<Edit>,
    /// Whether it may be applied without asking.
    pub applicability: Applicability,
}

impl Fix {
    /// A fix that is certainly meant.
    #[must_use]
    pub fn safe(message: impl Into<String>) -> Self {
        Self { message: in_one_line(message), edits: Vec::new(), applicability: Applicability::Safe }
    }

    /// A fix that the author has to judge.
    #[must_use]
    pub fn maybe(message: impl Into<String>) -> Self {
        Self { message: in_one_line(message), edits: Vec::new(), applicability: Applicability::Unsafe }
    }

    /// Inserts `text` at `offset`.
    #[must_use]
    pub fn insert(self, offset: u32, text: impl Into<String>) -> Self {
        self.replace(Span::at(offset), text)
    }

    /// Replaces `span` by `text`. Edits are kept in source order.
    #[must_use]
    pub fn replace(mut self, span: Span, text: impl Into<String>) -> Self {
        self.edits.push(Edit { span, text: text.into() });
        self.edits.sort_by_key(|edit| edit.span);
        self
    }

    /// Deletes `span`.
    #[must_use]
    pub fn delete(self, span: Span) -> Self {
        self.replace(span, "")
    }

    /// The source after the fix, or `None` if the edits overlap or do not fit `source`.
    #[must_use]
    pub fn apply(&self, source: &str) -> Option<String> {
        let mut fixed = String::with_capacity(source.len() + 16);
        let mut done = 0;
        for edit in &self.edits {
            fixed.push_str(source.get(done..edit.span.start as usize)?);
            fixed.push_str(&edit.text);
            done = edit.span.end as usize;
        }
        fixed.push_str(source.get(done..)?);
        Some(fixed)
    }
}

/// One message about a plan. Control characters in what it says, which can only be quoted from the plan, are shown as
/// escapes.
///
/// ```
/// use plan_lang::{Code, Diagnostic, Fix, SourceFile, Span, render};
/// const NO_SUCH_FIELD: Code = Code::new("E0304");
/// let found = Diagnostic::error(NO_SUCH_FIELD, "`Hit` has no field `uri`")
///     .primary(Span::new(12, 15), "unknown field")
///     .help("did you mean `link`?")
///     .fix(Fix::maybe("use `link`").replace(Span::new(12, 15), "link"));
/// let file = SourceFile { name: "analyse.orch", text: "let u = hit.uri\n" };
/// assert!(render(&file, &[found], false).starts_with("error[E0304]: `Hit` has no field `uri`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence without a full stop, in the words of the language, never in those of the compiler.
    pub message: String,
    /// Places; the first primary one is where an editor puts the message.
    pub labels: Vec<Label>,
    /// Facts that explain the message.
    pub notes: Vec<String>,
    /// What to do next.
    pub help: Option<String>,
    /// The change that does it, if there is one.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic of any severity, without a place yet.
    #[must_use]
    pub fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: in_one_line(message),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// An error.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Points at the mistake.
    #[must_use]
    pub fn primary(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: in_one_line(text), primary: true });
        self
    }

    /// Points at something that has to do with the mistake.
    #[must_use]
    pub fn secondary(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: in_one_line(text), primary: false });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(in_one_line(text));
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(in_one_line(text));
        self
    }

    /// Offers a change.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Where the mistake is: the first primary label, else the first label, else the start of the file.
    #[must_use]
    pub fn span(&self) -> Span {
        let primary = self.labels.iter().find(|label| label.primary);
        primary.or(self.labels.first()).map_or_else(Span::default, |label| label.span)
    }

    /// Moves each of its places by what `by` says for it, in bytes; to move back, what is added wraps.
    pub fn move_by(&mut self, by: impl Fn(Span) -> u32) {
        let labels = self.labels.iter_mut().map(|label| &mut label.span);
        let edits = self.fix.iter_mut().flat_map(|fix| &mut fix.edits).map(|edit| &mut edit.span);
        for span in labels.chain(edits) {
            let by = by(*span);
            *span = Span::new(span.start.wrapping_add(by), span.end.wrapping_add(by));
        }
    }

    /// All places that it points at and that its fix edits.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        let edits = self.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        self.labels.iter().map(|label| label.span).chain(edits)
    }

    /// Whether this keeps a plan from compiling.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Orders diagnostics as a reader wants them: by place, errors before warnings, then by code.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        (a.span().start, a.severity, a.code, &a.message).cmp(&(
            b.span().start,
            b.severity,
            b.code,
            &b.message,
        ))
    });
}

/// `text` with line ends and other control characters as escapes. Whatever a message quotes of a plan, it is one line
/// and moves no cursor.
#[must_use]
pub fn in_one_line(text: impl Into<String>) -> String {
    let text = text.into();
    if !text.contains(char::is_control) {
        return text;
    }
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}
