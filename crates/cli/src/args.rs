//! The command line.

mod files;
mod keys;
mod ledger;
mod plans;
mod runs;
mod tokens;

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

pub(crate) use files::{Check, CheckFormat, Doc, DocFormat, Explain, Fmt, Graph, GraphFormat, New, Test};
pub(crate) use keys::{Keys, New as NewKey, Spend, Which};
pub(crate) use ledger::{Add, Crawl, Ledger, LedgerSource, ToolForm};
pub(crate) use plans::Plans;
#[cfg(feature = "mcp")]
pub(crate) use runs::Mcp;
pub(crate) use runs::{Call, Doctor, Progress, Run, RunSource, Runs, Serve};
pub(crate) use tokens::Tokens;

/// What follows the commands in the help.
const FIRST_STEPS: &str = "\
First steps:
  orch demo                  the whole way once, on sample subnets, without keys or network
  orch new hello             a project of your own; then: cd hello, orch run plan.orch
  orch explain E0304         what an error code means";

/// What follows them in the long help: what scripts rely on.
const EXIT_CODES: &str = "\
First steps:
  orch demo                  the whole way once, on sample subnets, without keys or network
  orch new hello             a project of your own; then: cd hello, orch run plan.orch
  orch explain E0304         what an error code means

Exit codes:
    0  all is well                        6  the store is in use, damaged or full
    1  findings, or the run failed        7  a secret is missing or cannot be used
    2  wrong usage or configuration, or   8  the lock does not match
       a name of what is not there        9  the proof holds, its signer is unknown
    3  the server cannot be reached      10  the proof is refused
    4  the server refuses this client    11  plans must be compiled again
    5  the budget does not suffice       12  a version breaks plans
                                        130  interrupted

Results go to standard output, everything else to standard error.";

/// Plans over Bittensor subnets: typed, bounded before they run, proven afterwards.
#[derive(Debug, Parser)]
#[command(name = "orch", version, max_term_width = 100, after_help = FIRST_STEPS, after_long_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The command line of this process. What is wrong with it ends the process with a usage error.
    pub(crate) fn read() -> Self {
        let mut cli = Self::try_parse().unwrap_or_else(|error| as_argument(error).exit());
        if let Err(message) = cli.settle() {
            Self::command().error(ErrorKind::ArgumentConflict, message).exit();
        }
        cli
    }

    /// Makes one thing of switches that say the same, and refuses those that contradict each other.
    fn settle(&mut self) -> Result<(), &'static str> {
        let json = &mut self.global.json;
        let is_other = match &self.command {
            Command::Check(check) => {
                *json |= check.format == Some(CheckFormat::Json);
                check.settle()?;
                matches!(check.format, Some(format) if format != CheckFormat::Json)
            }
            Command::Graph(graph) => {
                *json |= graph.format == Some(GraphFormat::Json);
                matches!(graph.format, Some(format) if format != GraphFormat::Json)
            }
            _ => false,
        };
        if is_other && *json {
            Err("`--json` is another format than the one that `--format` names")
        } else {
            Ok(())
        }
    }
}

/// `orch call sn22.web_search --query a`: an argument of the operation is no switch. One of ours that is misspelt is left
/// to clap.
fn as_argument(mut error: clap::Error) -> clap::Error {
    let is_call = error.get(ContextKind::Usage).is_some_and(|usage| usage.to_string().contains("orch call"));
    let switch = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(switch)) if is_call && error.kind() == ErrorKind::UnknownArgument => {
            switch.trim_start_matches('-').to_owned()
        }
        _ => return error,
    };
    if let Some(ContextValue::String(near)) = error.get(ContextKind::SuggestedArg)
        && plan_lang::suggest(&switch, [near.trim_start_matches('-')]).is_some()
    {
        return error;
    }
    // The usage is made of what was taken for meant, too.
    for wrong in [ContextKind::SuggestedArg, ContextKind::TrailingArg, ContextKind::Usage] {
        error.remove(wrong);
    }
    let tip = format!("an argument of the operation is written `{switch}=VALUE`, without `--`");
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

/// Switches every command has.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print one JSON document instead of text.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    /// Say less: the result and errors only.
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub(crate) quiet: bool,
    /// When to use colour.
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        value_name = "WHEN",
        value_enum,
        default_value_t = Color::Auto
    )]
    pub(crate) color: Color,
    /// Configuration file; else the nearest orchestra.toml from here upwards.
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FILE", env = "ORCHESTRA_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a folder with a plan that runs offline at once.
    New(New),
    /// Type-check plans against the lock, and mend what needs no judgement.
    Check(Check),
    /// Format plans in the one style.
    Fmt(Fmt),
    /// Show what a plan does and the most it can cost and take; or what an error code means.
    Explain(Explain),
    /// Draw a plan: its steps, what waits for what, and the most each call can cost and take.
    Graph(Graph),
    /// Write the documentation of plans: signature, bounds, graph, operations, failures.
    Doc(Doc),
    /// Run the tests in plan files: on virtual time, without a network, at no cost.
    Test(Test),
    /// Run a plan.
    Run(Run),
    /// Look at runs and calls, here or on a server; stop them, and fetch their proofs.
    #[command(subcommand)]
    Runs(Runs),
    /// Call one operation once: `orch call sn22.web_search query="..."`.
    Call(Call),
    /// Serve gRPC and MCP: runs, calls, the Ledger and the compiler.
    Serve(Serve),
    /// Be a tool of an agent: MCP over standard input and output.
    #[cfg(feature = "mcp")]
    Mcp(Mcp),
    /// Look things up in the Subnet Ledger, or add to it.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Keep plans by name, on a server or in this project.
    #[command(subcommand)]
    Plans(Plans),
    /// Pin what plans use in orchestra.lock.
    #[command(subcommand)]
    Lock(Lock),
    /// Verify or read proofs.
    #[command(subcommand)]
    Proof(Proof),
    /// Keep API keys in an encrypted vault; check hotkeys.
    #[command(subcommand)]
    Keys(Keys),
    /// Look at configuration, store, keys, hotkey and tokens, and say what to do about what is missing.
    Doctor(Doctor),
    /// Say who may use `orch serve`, and what they may spend.
    #[command(subcommand)]
    Tokens(Tokens),
    /// The main job in one command, on sample subnets on this machine.
    Demo(Demo),
    /// Print the script that makes a shell complete commands, operations and arguments.
    Completions(Completions),
    /// Print what the last word may become.
    #[command(hide = true)]
    Complete(Complete),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Lock {
    /// Write orchestra.lock and orchestra.schemas/ for the plans of a folder.
    Update {
        /// Folders, or plan files in them. Without any: the project, or the working folder where there is none.
        paths: Vec<PathBuf>,
        #[command(flatten)]
        source: LedgerSource,
    },
    /// Check that the lock is whole and that every plan compiles against it; or what going to another lock means.
    ///
    /// Without --against: whether orchestra.lock is as `orch lock update` wrote it, pins all that the plans of the
    /// folder use, and they compile. It exits with 8 where the lock is at fault, and with 1 where a plan is.
    ///
    /// With --against: for each pin what going from this lock to that snapshot asks of plans, with path and reason,
    /// and which plans do not compile against it. It exits with 0 where nothing is asked (`none`, `compatible`), with
    /// 11 where plans need to be compiled again (`needs-recompile`), and with 12 where one may fail (`breaking`).
    Check {
        /// Folders, or plan files in them. Without any: the project, or the working folder where there is none.
        paths: Vec<PathBuf>,
        /// A lockfile, a folder with one, or the word `ledger` for what `orch lock update` would pin now.
        #[arg(long, value_name = "SNAPSHOT")]
        against: Option<PathBuf>,
        /// Compare with the Ledger of this server.
        #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
        server: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Proof {
    /// Check a bundle offline.
    Verify {
        /// The bundle.
        file: PathBuf,
        /// A public key to trust, 64 hex digits; else the keys of this project's runtime.
        #[arg(long, value_name = "KEY")]
        trust: Vec<String>,
    },
    /// Print what a bundle says, verified or not.
    Show {
        /// The bundle.
        file: PathBuf,
        /// A public key to trust, 64 hex digits; else the keys of this project's runtime.
        #[arg(long, value_name = "KEY")]
        trust: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// A shell that completes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// `source <(orch completions bash)`
    Bash,
    /// `source <(orch completions zsh)`
    Zsh,
    /// `orch completions fish | source`
    Fish,
}

#[derive(Debug, Args)]
pub(crate) struct Complete {
    /// The words behind `orch`, up to the one to complete.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Folder for the store, the proof and the key; else one in the system's temporary folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// How to show progress.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub(crate) progress: Progress,
}
