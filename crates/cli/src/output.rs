//! What goes to the terminal: data on standard output, chatter on standard error, colour only where
//! wanted and never as the only sign of anything.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use serde_json::Value;

use crate::args::{Color, Global};
use crate::exit::Failure;
use crate::project::reason;

pub(crate) mod money;
pub(crate) mod table;

/// How this process prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// JSON instead of text.
    pub(crate) json: bool,
    /// No chatter.
    pub(crate) quiet: bool,
    color: Color,
}

impl Output {
    /// As the command line asks.
    pub(crate) fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self { json: global.json, quiet: global.quiet, color: global.color }
    }

    /// Whether standard error shows colour.
    pub(crate) fn color_on_stderr(self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never,
        }
    }

    /// Whether standard error is a terminal that can be redrawn.
    pub(crate) fn live(self) -> bool {
        console::user_attended_stderr() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Whether a person reads standard output.
    pub(crate) fn stdout_is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Data, to standard output. Where that fails, [`lost`] says so when the command has ended. A reader that
    /// went away (`| head`) is no error.
    pub(crate) fn data(self, text: &str) {
        self.raw(&visible(text));
    }

    fn raw(self, text: &str) {
        match write(&mut anstream::stdout(), text) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(LOST.set(error)),
            _ => {}
        }
    }

    /// A JSON document on one line, to standard output.
    pub(crate) fn document(self, value: &Value) {
        self.raw(&value.to_string());
    }

    /// A word on what is going on, to standard error; programs do not need it.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet && !self.json {
            self.error(text);
        }
    }

    /// Something that must be seen, to standard error.
    pub(crate) fn error(self, text: &str) {
        // Nobody is left to be told where that fails.
        let _ = write(&mut anstream::stderr(), &visible(text));
    }
}

/// Why data did not get to standard output, the first time.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// The failure of a command whose data did not get to standard output.
pub(crate) fn lost() -> Option<Failure> {
    let why = reason(LOST.get()?);
    let help = "what was done is done; check that the disk it is sent to is not full, and ask again";
    Some(Failure::new("E1503", format!("standard output cannot be written: {why}"), help))
}

/// The text with what a terminal would obey and nobody would see written as `\u....`: characters that turn the direction of
/// what follows, as an answer may hold to make a text look like another, and the controls of the second block. Those of
/// the first are in colours of our own, and escaped in the JSON of answers.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if is_hidden(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Writes `text` in one piece, ended by a line break.
fn write(out: &mut impl io::Write, text: &str) -> io::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    write!(out, "{text}{end}").and_then(|()| out.flush())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_turn_a_text_around_is_shown_instead() {
        assert_eq!(visible("a\u{202e}b\u{9b}31m\u{2066}\u{7f}"), "a\\u202eb\\u009b31m\\u2066\\u007f");
        let plain = "\u{1b}[1mgr\u{fc}n\u{1b}[0m\tשלום\n";
        assert!(matches!(visible(plain), Cow::Borrowed(text) if text == plain));
    }
}
