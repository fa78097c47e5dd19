//! How a command ends: exit codes, and the one form in which an error is shown.

use std::fmt;
use std::process::ExitCode;

/// Why the process ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Findings in a plan, or the run failed.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The server cannot be reached.
    Unreachable = 3,
    /// The server refused who we are.
    Unauthenticated = 4,
    /// The budget does not admit the run, or ran out.
    OverBudget = 5,
    /// The store is locked, corrupt or full.
    Store = 6,
    /// A call needs a secret that is not there.
    MissingSecret = 7,
    /// The lock does not match.
    Lock = 8,
    /// The proof holds, but nobody known signed it.
    UnknownSigner = 9,
    /// The proof does not hold.
    ProofRefused = 10,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error on its way to the terminal.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit code of the process.
    pub(crate) exit: Exit,
    /// Stable code of the error page; empty where everything was said already.
    pub(crate) code: String,
    /// What was wrong, where and why.
    pub(crate) message: String,
    /// What to do next; empty where the message says it.
    pub(crate) help: String,
}

impl Failure {
    /// An error with a code and what to do about it.
    pub(crate) fn new(
        exit: Exit,
        code: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { exit, code: code.into(), message: message.into(), help: help.into() }
    }

    /// An end without a further message: the command has shown what is wrong.
    pub(crate) fn said(exit: Exit) -> Self {
        Self::new(exit, "", "", "")
    }

    /// An error whose exit code follows from its stable code.
    pub(crate) fn coded(code: &str, message: impl Into<String>) -> Self {
        Self::new(exit_of(code), code, message, "")
    }
}

/// The exit code that belongs to an error code: one table, so that a failure ends alike wherever it
/// was found.
pub(crate) fn exit_of(code: &str) -> Exit {
    match code {
        "E0701" | "E1401" | "E1402" => Exit::OverBudget,
        code if code.starts_with("E060") => Exit::Lock,
        code if code.starts_with("E10") => Exit::Store,
        code if code.starts_with("E15") => Exit::Usage,
        _ => Exit::Failed,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            return Ok(());
        }
        if self.code.is_empty() {
            write!(f, "error: {}", self.message)?;
        } else {
            write!(f, "error[{}]: {}", self.code, self.message)?;
        }
        if self.help.is_empty() { Ok(()) } else { write!(f, "\nhelp: {}", self.help) }
    }
}

impl std::error::Error for Failure {}
