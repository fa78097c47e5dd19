//! What goes to the terminal: data on standard output, chatter on standard error, colour only where
//! wanted and never as the only sign of anything.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use proto::v1;
use schema::amount::{Amount, Currency};

use crate::args::{Color, Global};

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
        io::stderr().is_terminal()
    }

    /// Data, to standard output. A reader that went away (`| head`) is no error.
    pub(crate) fn data(self, text: &str) {
        let mut out = anstream::stdout();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
    }

    /// A JSON document on one line, to standard output.
    pub(crate) fn json_line(self, value: &serde_json::Value) {
        self.data(&value.to_string());
    }

    /// A word on what is going on, to standard error.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// Something that must be seen, to standard error.
    pub(crate) fn error(self, text: &str) {
        let mut out = anstream::stderr();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
    }
}

/// A table with left-aligned columns, or tab-separated rows without a head where a program reads.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>], terminal: bool) -> String {
    let mut text = String::new();
    if !terminal {
        for row in rows {
            let _ = writeln!(text, "{}", row.join("\t"));
        }
        return text;
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut row = String::new();
        for (column, cell) in cells.enumerate() {
            let _ = write!(row, "{cell:<width$}  ", width = width(column));
        }
        let _ = writeln!(text, "{}", row.trim_end());
    };
    line(&mut head.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// Money as people read it.
pub(crate) fn amount(amount: Option<&v1::Amount>) -> String {
    amount.and_then(to_amount).map_or_else(|| "-".into(), |amount| amount.to_string())
}

/// Money of the wire, where its currency is known.
pub(crate) fn to_amount(amount: &v1::Amount) -> Option<Amount> {
    let currency = match amount.currency() {
        v1::Currency::Unspecified => return None,
        v1::Currency::Rao => Currency::Rao,
        v1::Currency::MicroUsd => Currency::MicroUsd,
    };
    Some(Amount::new(amount.units, currency))
}

/// Money for the wire.
pub(crate) fn from_amount(amount: Amount) -> v1::Amount {
    let currency = match amount.currency {
        Currency::Rao => v1::Currency::Rao,
        Currency::MicroUsd => v1::Currency::MicroUsd,
    };
    v1::Amount { units: amount.units, currency: currency.into() }
}

/// The word for a basis.
pub(crate) const fn basis(basis: v1::PriceBasis) -> &'static str {
    match basis {
        v1::PriceBasis::Unspecified => "-",
        v1::PriceBasis::Known => "known",
        v1::PriceBasis::Declared => "declared",
        v1::PriceBasis::Observed => "observed",
        v1::PriceBasis::Assumed => "assumed",
    }
}

/// The word for a state.
pub(crate) const fn state(state: v1::RunState) -> &'static str {
    match state {
        v1::RunState::Unspecified => "-",
        v1::RunState::Pending => "pending",
        v1::RunState::Running => "running",
        v1::RunState::Succeeded => "succeeded",
        v1::RunState::Failed => "failed",
        v1::RunState::Cancelled => "cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_on_a_terminal_and_split_by_tabs_elsewhere() {
        let rows = vec![vec!["a".to_owned(), "long cell".into()], vec!["bb".into(), "c".into()]];
        assert_eq!(table(&["X", "Y"], &rows, true), "X   Y\na   long cell\nbb  c\n");
        assert_eq!(table(&["X", "Y"], &rows, false), "a\tlong cell\nbb\tc\n");
    }
}
