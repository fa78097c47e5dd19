//! A small pretty printer: documents that are laid out on one line where they fit and broken where not.

/// Something to print.
#[derive(Debug)]
pub(super) struct Doc {
    kind: Kind,
    /// Whether it holds a line break that is always one; then every group around it breaks too.
    breaks: bool,
}

#[derive(Debug)]
enum Kind {
    Text(String),
    /// Nothing if flat, else a line end.
    Soft,
    /// A blank if flat, else a line end.
    Line,
    /// Always a line end.
    Hard,
    /// A line end inside a text; does not break the groups around it.
    TextLine,
    /// Printed only if the group around is broken.
    IfBroken(String),
    /// A comment: printed at the end of the line that it falls on.
    Suffix(String),
    Indent(Box<Doc>),
    Group(Box<Doc>),
    Concat(Vec<Doc>),
}

pub(super) fn text(text: impl Into<String>) -> Doc {
    Doc { kind: Kind::Text(text.into()), breaks: false }
}

pub(super) fn nil() -> Doc {
    concat(Vec::new())
}

pub(super) fn soft() -> Doc {
    Doc { kind: Kind::Soft, breaks: false }
}

pub(super) fn line() -> Doc {
    Doc { kind: Kind::Line, breaks: false }
}

pub(super) fn hard() -> Doc {
    Doc { kind: Kind::Hard, breaks: true }
}

pub(super) fn text_line() -> Doc {
    Doc { kind: Kind::TextLine, breaks: false }
}

pub(super) fn if_broken(text: &str) -> Doc {
    Doc { kind: Kind::IfBroken(text.to_owned()), breaks: false }
}

pub(super) fn suffix(comment: &str) -> Doc {
    Doc { kind: Kind::Suffix(comment.to_owned()), breaks: false }
}

pub(super) fn indent(doc: Doc) -> Doc {
    Doc { breaks: doc.breaks, kind: Kind::Indent(Box::new(doc)) }
}

pub(super) fn group(doc: Doc) -> Doc {
    Doc { breaks: doc.breaks, kind: Kind::Group(Box::new(doc)) }
}

pub(super) fn concat(docs: Vec<Doc>) -> Doc {
    Doc { breaks: docs.iter().any(|doc| doc.breaks), kind: Kind::Concat(docs) }
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Flat,
    Broken,
}

/// Blanks per level of indentation.
const INDENT: usize = 2;

/// Lays `doc` out in lines of at most `width` characters where that is possible.
pub(super) fn print(doc: &Doc, width: usize) -> String {
    let mut printer = Printer { out: String::new(), column: 0, indent: 0, suffixes: Vec::new() };
    let mut stack = vec![(0, Mode::Broken, doc)];
    while let Some((level, mode, doc)) = stack.pop() {
        match &doc.kind {
            Kind::Text(text) => printer.text(text),
            Kind::Hard | Kind::TextLine => printer.newline(level),
            Kind::Line if mode == Mode::Flat => printer.text(" "),
            Kind::Soft if mode == Mode::Flat => {}
            Kind::Line | Kind::Soft => printer.newline(level),
            Kind::IfBroken(text) if mode == Mode::Broken => printer.text(text),
            Kind::IfBroken(_) => {}
            Kind::Suffix(comment) => printer.suffixes.push(comment.clone()),
            Kind::Indent(inner) => stack.push((level + INDENT, mode, inner)),
            Kind::Group(inner) => {
                let room = width.saturating_sub(printer.column());
                let flat = !inner.breaks && fits(inner, &stack, room);
                stack.push((level, if flat { Mode::Flat } else { Mode::Broken }, inner));
            }
            Kind::Concat(docs) => stack.extend(docs.iter().rev().map(|doc| (level, mode, doc))),
        }
    }
    printer.end_line();
    printer.out
}

/// Whether `doc` and what follows it up to the next possible line end take at most `room` characters.
fn fits(doc: &Doc, after: &[(usize, Mode, &Doc)], room: usize) -> bool {
    let mut room = room;
    let mut stack = vec![(Mode::Flat, doc)];
    let mut after = after.iter().rev();
    loop {
        let (mode, doc) = match stack.pop() {
            Some(next) => next,
            None => match after.next() {
                Some((_, mode, doc)) => (*mode, *doc),
                None => return true,
            },
        };
        let width = match &doc.kind {
            // A text with line ends counts up to the first.
            Kind::Text(text) => match text.split_once('\n') {
                Some((first, _)) => return first.chars().count() <= room,
                None => text.chars().count(),
            },
            Kind::Line if mode == Mode::Flat => 1,
            Kind::Line | Kind::Soft if mode == Mode::Broken => return true,
            Kind::Hard | Kind::TextLine => return true,
            Kind::IfBroken(text) if mode == Mode::Broken => text.chars().count(),
            Kind::Line | Kind::Soft | Kind::IfBroken(_) | Kind::Suffix(_) => 0,
            Kind::Indent(inner) | Kind::Group(inner) => {
                stack.push((mode, inner));
                0
            }
            Kind::Concat(docs) => {
                stack.extend(docs.iter().rev().map(|doc| (mode, doc)));
                0
            }
        };
        match room.checked_sub(width) {
            Some(left) => room = left,
            None => return false,
        }
    }
}

struct Printer {
    out: String,
    /// Characters on the current line so far.
    column: usize,
    /// Blanks to write before the next text, if the line is empty.
    indent: usize,
    suffixes: Vec<String>,
}

impl Printer {
    fn column(&self) -> usize {
        self.column.max(self.indent)
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.column == 0 {
            self.out.extend(std::iter::repeat_n(' ', self.indent));
            self.column = self.indent;
        }
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            // At least 1, as the line is not empty for the purpose of indentation.
            Some((_, last)) => last.chars().count().max(1),
            None => self.column + text.chars().count(),
        };
    }

    fn newline(&mut self, indent: usize) {
        self.end_line();
        self.out.push('\n');
        self.column = 0;
        self.indent = indent;
    }

    /// Writes the comments that wait for the end of the line: the first behind it, others below.
    fn end_line(&mut self) {
        for (index, comment) in std::mem::take(&mut self.suffixes).iter().enumerate() {
            if index > 0 {
                self.out.push('\n');
                self.column = 0;
            } else if self.column > 0 {
                self.text(" ");
            }
            self.text(comment);
        }
    }
}
