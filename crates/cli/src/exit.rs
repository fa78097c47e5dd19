//! How a command ends: exit codes, and the one form in which an error is shown.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::pages;

/// Why the process ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Findings in a plan, or the run failed.
    Failed = 1,
    /// The command line, an input or the configuration is wrong, or names what is not there.
    Usage = 2,
    /// The server cannot be reached.
    Unreachable = 3,
    /// The server refused who we are.
    Unauthenticated = 4,
    /// The budget does not admit the run, or ran out.
    OverBudget = 5,
    /// The store is locked, corrupt or full.
    Store = 6,
    /// A call needs a secret or a hotkey that is not there or cannot be used.
    MissingSecret = 7,
    /// The lock does not match.
    Lock = 8,
    /// The proof holds, but nobody known signed it.
    UnknownSigner = 9,
    /// The proof does not hold.
    ProofRefused = 10,
    /// Going to another lock asks plans to be compiled again.
    NeedsRecompile = 11,
    /// Going to another lock breaks plans.
    Breaking = 12,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The exit code that belongs to an error code: one table, so that a failure ends alike wherever it
/// was found, here or on a server.
pub(crate) fn exit_of(code: &str) -> Exit {
    match code {
        "E0701" | "E1401" | "E1402" => Exit::OverBudget,
        "E0205" | "E0207" => Exit::Lock,
        "E1104" | "E1105" | "E1106" | "E1107" | "E1108" | "E1118" | "E1119" => Exit::MissingSecret,
        // A name of the Ledger, or a run, that is not there.
        "E1164" | "E1201" | "E1202" | "E1208" => Exit::Usage,
        // Arguments of the run; money in a currency the plan cannot count in is one of them.
        "E1160" | "E1161" | "E1162" | "E1163" | "E1403" => Exit::Usage,
        "E1407" => Exit::OverBudget,
        "E1504" => Exit::Unreachable,
        "E1517" | "E1518" | "E1519" => Exit::Unauthenticated,
        "E1508" => Exit::Interrupted,
        "E1503" | "E1505" | "E1511" | "E1514" | "E1520" | "E1531" | "E1540" | "E1541" => Exit::Failed,
        // A name, tenant or label of the command line, or one key more than a vault holds.
        "E1708" => Exit::Usage,
        // What was given is too large; nothing is wrong with the store.
        "E1009" => Exit::Usage,
        code if code.starts_with("E060") => Exit::Lock,
        code if code.starts_with("E10") => Exit::Store,
        code if code.starts_with("E15") => Exit::Usage,
        code if code.starts_with("E17") => Exit::MissingSecret,
        _ => Exit::Failed,
    }
}

/// An error on its way to the terminal.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Exit code of the process.
    pub(crate) exit: Exit,
    /// Stable code of the error page.
    pub(crate) code: String,
    /// What was wrong, where and why; empty where the command has shown it already.
    pub(crate) message: String,
    /// What to do next; empty where the error's page has to say it.
    pub(crate) help: String,
}

impl Failure {
    /// An error with a code and what to do about it; the exit code follows from the code.
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        let code = code.into();
        Self { exit: exit_of(&code), code, message: message.into(), help: help.into() }
    }

    /// The same error with another exit code.
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// An end without a further message: the command has shown what is wrong.
    pub(crate) fn said(exit: Exit) -> Self {
        Self { exit, code: String::new(), message: String::new(), help: String::new() }
    }

    /// Whether there is something left to say.
    pub(crate) fn is_said(&self) -> bool {
        self.message.is_empty()
    }

    /// For a terminal; the colours are removed where nobody sees them.
    pub(crate) fn render(&self) -> String {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let bold = Style::new().bold();
        let code = if self.code.is_empty() { String::new() } else { format!("[{}]", self.code) };
        let mut text = format!("{red}error{code}{red:#}{bold}: {}{bold:#}", self.message);
        for line in self.next_step().lines() {
            text.push_str(&format!("\n  = help: {line}"));
        }
        text
    }

    /// For a program.
    pub(crate) fn json(&self) -> Value {
        json!({ "error": self.parts() })
    }

    /// Code, message and help for a program.
    pub(crate) fn parts(&self) -> Value {
        json!({ "code": self.code, "message": self.message, "help": self.next_step() })
    }

    /// What to do next: what was said at the place of the error, else where its page is.
    pub(crate) fn next_step(&self) -> String {
        if self.help.is_empty() && pages::find(&self.code).is_some() {
            return format!("`orch explain {}` says what it means and what to do", self.code);
        }
        self.help.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_always_says_what_to_do_next() {
        let plain = |failure: &Failure| anstream::adapter::strip_str(&failure.render()).to_string();
        let with_help = Failure::new("E1502", "x is not there", "check the path");
        assert_eq!(plain(&with_help), "error[E1502]: x is not there\n  = help: check the path");
        let without = Failure::new("E1402", "too dear", "");
        assert!(plain(&without).ends_with("help: `orch explain E1402` says what it means and what to do"));
        assert_eq!(without.exit, Exit::OverBudget);
    }

    #[test]
    fn codes_of_one_kind_end_alike() {
        for (code, exit) in [
            ("E0304", Exit::Failed),
            ("E0608", Exit::Lock),
            ("E0612", Exit::Failed),
            ("E1001", Exit::Store),
            ("E1009", Exit::Usage),
            ("E1105", Exit::MissingSecret),
            ("E1150", Exit::Failed),
            ("E1163", Exit::Usage),
            ("E1164", Exit::Usage),
            ("E1201", Exit::Usage),
            ("E1204", Exit::Failed),
            ("E1208", Exit::Usage),
            ("E1501", Exit::Usage),
            ("E1504", Exit::Unreachable),
            ("E1530", Exit::Usage),
            ("E1531", Exit::Failed),
            ("E1703", Exit::MissingSecret),
            ("E1708", Exit::Usage),
        ] {
            assert_eq!(exit_of(code), exit, "{code}");
        }
    }
}
