//! Diagnostics as text for a terminal, in the layout of rustc.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::{Diagnostic, Label, Severity, in_one_line};
use crate::text::{LineIndex, Span};

/// Longest text, from the start of its first line to the end of its last, that a fix is shown in.
const FIX_LINE_BYTES_MAX: usize = 1_000;

/// Most text that the renderer is given for one message, or for one place of it where they are further apart: it looks at
/// all of it for each.
const TEXT_BYTES_MAX: usize = 4 << 10;
/// What the renderer is given before and behind the beginning of a place in a line that is longer.
const CUT_BYTES: usize = 1_000;
/// What is shown of a place that is further on in such a line.
const EXCERPT_BYTES: usize = 100;

/// Lines before and after those of a message that the renderer is given: it may show some for what is between.
const LINES_AROUND: u32 = 2;

/// A source text with the name that messages show.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// The name to show, usually a path as the user gave it.
    pub name: &'a str,
    /// The text that the spans of the diagnostics refer to.
    pub text: &'a str,
}

/// Renders diagnostics one after the other, with an empty line between and a newline at the end.
///
/// `color` adds ANSI styles. Spans that do not fit the text are moved to where they do, so a wrong
/// span never hides a message.
#[must_use]
pub fn render(file: &SourceFile<'_>, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let lines = LineIndex::new(file.text);
    let mut text = String::new();
    for diagnostic in diagnostics {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&renderer.render(&report(file, &lines, diagnostic)));
        text.push('\n');
    }
    text
}

fn report<'a>(file: &SourceFile<'a>, lines: &LineIndex, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str());
    let mut main = Group::with_title(title);
    if !diagnostic.labels.is_empty() {
        let around = Around::of(diagnostic.labels.iter().map(|label| label.span), file, lines);
        main = if around.is_small() {
            let annotations = diagnostic.labels.iter().map(|label| annotation(label, around.fit(label.span)));
            main.element(around.snippet(file.name).annotations(annotations))
        } else {
            let (first, others): (Vec<&Label>, _) = diagnostic.labels.iter().partition(|label| label.primary);
            first.into_iter().chain(others).fold(main, |main, label| apart(main, label, file, lines))
        };
    }
    for note in &diagnostic.notes {
        main = main.element(Level::NOTE.message(note.as_str()));
    }
    if let Some(help) = &diagnostic.help {
        main = main.element(Level::HELP.message(help.as_str()));
    }
    let mut groups = vec![main];
    if let Some(fix) = &diagnostic.fix {
        let title = Level::HELP.secondary_title(fix.message.as_str());
        let around = Around::of(fix.edits.iter().map(|edit| edit.span), file, lines);
        let is_short = fix.edits.iter().all(|edit| stands_in_short_lines(edit.span, file.text));
        groups.push(if is_short && around.is_small() {
            let patches = fix.edits.iter().map(|edit| Patch::new(around.fit(edit.span), edit.text.as_str()));
            title.element(around.snippet(file.name).patches(patches))
        } else {
            Group::with_title(title)
        });
    }
    groups
}

fn annotation<'a>(label: &'a Label, place: Range<usize>) -> Annotation<'a> {
    let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    let text = (!label.text.is_empty()).then_some(label.text.as_str());
    kind.span(place).label(text)
}

/// Adds one place of a message by itself; of lines that are too long, the beginning if the place is there, else what the
/// place begins with.
fn apart<'a>(main: Group<'a>, label: &'a Label, file: &SourceFile<'a>, lines: &LineIndex) -> Group<'a> {
    let shown = |around: Around<'a>| {
        let annotation = annotation(label, around.fit(label.span));
        around.snippet(file.name).annotation(annotation)
    };
    let around = Around::of([label.span].into_iter(), file, lines);
    if around.is_small() {
        return main.element(shown(around));
    }
    let place = fit(label.span, file.text).start;
    let line = lines.utf8(label.span.start).line;
    let begun = lines.line(line).map_or(place, |line| line.start as usize);
    let until = file.text.floor_char_boundary(place + CUT_BYTES);
    if place - begun <= CUT_BYTES {
        let text = file.text.get(begun..until).unwrap_or_default();
        return main.element(shown(Around { text, start: begun as u32, line: line + 1, file: file.text }));
    }
    let column = file.text.get(begun..place).unwrap_or_default().chars().count() + 1;
    let rest = file.text.get(place..until).unwrap_or_default().lines().next().unwrap_or_default();
    let head = rest.get(..rest.floor_char_boundary(EXCERPT_BYTES)).unwrap_or_default();
    let dots = if head.len() < rest.len() { "..." } else { "" };
    let colon = if label.text.is_empty() { "" } else { ": " };
    let text = in_one_line(format!("{}{colon}`{head}{dots}`", label.text));
    let origin = Origin::path(file.name).line(line as usize + 1).char_column(column);
    main.element(origin).element(Level::NOTE.message(text))
}

/// The lines around the places of one message. The renderer splits all that it is given, for every message.
struct Around<'a> {
    text: &'a str,
    /// Where it starts in the file: offset, and line from 1.
    start: u32,
    line: u32,
    file: &'a str,
}

impl<'a> Around<'a> {
    fn of(spans: impl Iterator<Item = Span>, file: &SourceFile<'a>, lines: &LineIndex) -> Self {
        let whole = spans.reduce(Span::cover).unwrap_or_default();
        let first = lines.utf8(whole.start).line.saturating_sub(LINES_AROUND);
        let last = (lines.utf8(whole.end.max(whole.start)).line + LINES_AROUND).min(lines.line_count() - 1);
        let start = lines.line(first).unwrap_or_default().start;
        let end = lines.line(last).map_or(start, |line| line.end);
        Self { text: Span::new(start, end).text(file.text), start, line: first + 1, file: file.text }
    }

    /// Whether it is no more than the renderer is given.
    fn is_small(&self) -> bool {
        self.text.len() <= TEXT_BYTES_MAX
    }

    fn fit(&self, span: Span) -> Range<usize> {
        let Range { start, end } = fit(span, self.file);
        let own = |at: usize| at.saturating_sub(self.start as usize).min(self.text.len());
        own(start)..own(end)
    }

    fn snippet<T: Clone>(&self, name: &'a str) -> Snippet<'a, T> {
        Snippet::source(self.text).path(name).line_start(self.line as usize)
    }
}

/// Whether a fix is shown with its lines, which are not cut to the width of a terminal.
fn stands_in_short_lines(span: Span, text: &str) -> bool {
    let Range { start, end } = fit(span, text);
    let before = text.get(..start).unwrap_or("").bytes().rev().take_while(|byte| *byte != b'\n');
    let behind = text.get(end..).unwrap_or("").bytes().take_while(|byte| *byte != b'\n');
    before.chain(behind).take(FIX_LINE_BYTES_MAX + 1).count() + (end - start) <= FIX_LINE_BYTES_MAX
}

/// The span as a range that the renderer can slice: inside the text and on character borders.
fn fit(span: Span, text: &str) -> Range<usize> {
    let border = |offset: u32| {
        let mut at = (offset as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = border(span.start);
    start..border(span.end).max(start)
}
