//! The command line.

mod keys;
mod ledger;
mod plans;
mod tokens;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use http::{HeaderValue, Uri};

use crate::project::is_stdin;

pub(crate) use keys::{Keys, New as NewKey, Spend, Which};
pub(crate) use ledger::{Add, Crawl};
pub(crate) use plans::Plans;
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
    2  wrong usage or configuration       8  the lock does not match
    3  the server cannot be reached       9  the proof holds, its signer is unknown
    4  the server refuses this client    10  the proof is refused
    5  the budget does not suffice       11  plans must be compiled again
                                         12  a version breaks plans
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
        let mut cli = Self::parse();
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

impl Check {
    fn settle(&self) -> Result<(), &'static str> {
        let one_document = matches!(self.format, Some(CheckFormat::Sarif | CheckFormat::Github));
        if one_document && self.diff {
            return Err("a diff is shown with `--format human` or `json` only");
        }
        if one_document && self.fix && self.paths.iter().any(|path| is_stdin(path)) {
            return Err("what standard input becomes is shown with `--format human` or `json` only");
        }
        Ok(())
    }
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

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name of the project and its folder.
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Plan files or folders; `-` is standard input. Without any: the working folder.
    pub(crate) paths: Vec<PathBuf>,
    /// How findings are shown.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<CheckFormat>,
    /// Make the fixes that are certainly meant; what is left is shown. A file is changed only if it can be read
    /// afterwards, and its layout only if it was formatted before.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Show what `--fix` would change as a diff and change nothing; exit with 1 if there is anything.
    #[arg(long, visible_alias = "dry-run")]
    pub(crate) diff: bool,
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// With the lines they are about, to standard error.
    Human,
    /// One JSON document (docs/formats.md); short: `--json`.
    Json,
    /// One SARIF 2.1.0 log, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions: an annotation per finding.
    Github,
}

#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Plan files or folders; `-` is standard input. Without any: the working folder.
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 if a file would change.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A plan file (`-` is standard input), a code such as E0304, or the word `policy`.
    #[arg(value_name = "FILE|CODE|policy")]
    pub(crate) what: PathBuf,
    /// Which plan, where the file has several that no other runs.
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// The plan file; `-` is standard input.
    pub(crate) file: PathBuf,
    /// Which plan, where the file has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// What it is drawn as.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<GraphFormat>,
}

/// What a graph is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A line per step.
    Text,
    /// One JSON document (docs/formats.md); short: `--json`.
    Json,
    /// The language of Graphviz.
    Dot,
    /// A picture that stands alone, for browsers and documents.
    Svg,
}

#[derive(Debug, Args)]
pub(crate) struct Doc {
    /// Plan files or folders; `-` is standard input. Without any: the working folder.
    pub(crate) paths: Vec<PathBuf>,
    /// Only this plan.
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// What pages are written as.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DocFormat::Markdown)]
    pub(crate) format: DocFormat,
    /// Write a page for each plan and an index into this folder; else one page to standard output.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

/// What pages are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocFormat {
    /// For repositories.
    Markdown,
    /// For browsers; each page stands alone.
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Plan files or folders; `-` is standard input. Without any: the working folder.
    pub(crate) paths: Vec<PathBuf>,
    /// Only tests with this in their names.
    #[arg(long, short = 'n', value_name = "TEXT")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The plan file; `-` is standard input. Or `plans/NAME`, where no such file is there: a published plan.
    pub(crate) file: PathBuf,
    /// Which plan, where the file has several that no other runs.
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// An input, `name=value`; the value is JSON, or plain text for a text parameter.
    #[arg(long = "input", short = 'i', value_name = "NAME=VALUE")]
    pub(crate) inputs: Vec<String>,
    /// A file with all inputs as one JSON object; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "inputs")]
    pub(crate) inputs_file: Option<PathBuf>,
    /// Refuse the run, before anything is spent, if it may cost more than this, such as `0.10USD`.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) max_cost: Option<String>,
    /// Run on this server instead of in this process.
    #[arg(long, value_name = "URL", env = "ORCHESTRA_SERVER", num_args = 0..=1, default_missing_value = "")]
    pub(crate) server: Option<String>,
    /// Keep nothing on disk; a crash loses the run.
    #[arg(long, conflicts_with = "server")]
    pub(crate) no_journal: bool,
    /// Where to write the proof; else `.orchestra/proofs/<run>.orchproof`, or nowhere without a journal.
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,
    /// How to show progress.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub(crate) progress: Progress,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Call {
    /// Such as `sn22.web_search`, or a capability such as `cap.generate`; with `--help` behind it, what it takes and
    /// answers.
    #[arg(required_unless_present = "help")]
    pub(crate) operation: Option<String>,
    /// An argument: `name=value`, as the operation's type has it; `name:=JSON`; `name=@FILE` and `name:=@FILE`.
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) arguments: Vec<String>,
    /// Arguments as one JSON object; `@FILE` takes it from a file, `-` from standard input.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(crate) args: Option<String>,
    /// A version of the operation other than the newest.
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// Refuse the call, before anything is sent, if it may cost more than this, such as `0.01USD`. Needed where the
    /// price is not known.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) max_cost: Option<String>,
    /// Longest wait for the answer, such as `90s`; else 30 seconds.
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<jiff::SignedDuration>,
    /// Print what happens, and parts of the answer, as they come.
    #[arg(long)]
    pub(crate) stream: bool,
    /// Write the proof of the call into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Call from this server instead of from this process.
    #[arg(long, value_name = "URL", env = "ORCHESTRA_SERVER", num_args = 0..=1, default_missing_value = "")]
    pub(crate) server: Option<String>,
    /// Keep nothing on disk; a crash loses what the call cost.
    #[arg(long, conflicts_with = "server")]
    pub(crate) no_journal: bool,
    /// Print help; behind an operation, that of the operation.
    #[arg(long, short)]
    pub(crate) help: bool,
}

/// How to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A tree on a terminal, plain lines otherwise.
    Auto,
    /// A live tree.
    Tree,
    /// A line per event.
    Plain,
    /// A JSON document per event, to standard error.
    Json,
    /// None.
    None,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", env = "ORCHESTRA_LISTEN")]
    pub(crate) listen: Option<String>,
    /// Folder for the store and the runtime's key.
    #[arg(long, value_name = "FOLDER", env = "ORCHESTRA_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Origin whose pages may call this server by gRPC-Web, such as `https://app.example`; may be given several times.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) allow_origin: Vec<HeaderValue>,
    /// What to log to standard error: `error`, `warn`, `info`, `debug`, `trace`, or a filter by module such as
    /// `info,runtime=debug`.
    #[arg(long, value_name = "FILTER", env = "ORCHESTRA_LOG", default_value = "info")]
    pub(crate) log: String,
    /// The most a request to the OpenAI endpoint may cost which does not say so by `X-Orchestra-Cost-Max`, such as
    /// `0.05USD`.
    #[cfg(feature = "openai")]
    #[arg(long, value_name = "AMOUNT", env = "ORCHESTRA_OPENAI_COST_MAX")]
    pub(crate) openai_cost_max: Option<schema::amount::Amount>,
}

/// The header that a browser sends for pages of this origin.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let refused =
        || format!("`{text}` is no origin; one is a scheme with a host, such as https://app.example");
    let uri: Uri = text.parse().map_err(|_| refused())?;
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let schemes = ["http", "https"].into_iter();
    if !schemes.map(|scheme| format!("{scheme}://{host}")).any(|origin| !host.is_empty() && origin == text) {
        return Err(refused());
    }
    HeaderValue::from_str(text).map_err(|_| refused())
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Ask this server too.
    #[arg(long, value_name = "URL", env = "ORCHESTRA_SERVER", num_args = 0..=1, default_missing_value = "")]
    pub(crate) server: Option<String>,
}

#[cfg(feature = "mcp")]
#[derive(Debug, Args)]
pub(crate) struct Mcp {
    /// The most that everything this process calls and runs may cost together, such as `1.00USD`.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) spend_max: Option<String>,
    /// Work on this server instead of in this process.
    #[arg(long, value_name = "URL", env = "ORCHESTRA_SERVER", num_args = 0..=1, default_missing_value = "")]
    pub(crate) server: Option<String>,
    /// Keep nothing on disk; a crash loses what calls cost.
    #[arg(long, conflicts_with = "server")]
    pub(crate) no_journal: bool,
    /// What to log to standard error, as `orch serve` takes it.
    #[arg(long, value_name = "FILTER", env = "ORCHESTRA_LOG", default_value = "warn")]
    pub(crate) log: String,
}

/// Which Ledger a command speaks to.
#[derive(Debug, Args)]
pub(crate) struct LedgerSource {
    /// Use the Ledger of this server instead of the one of this project.
    #[arg(long, value_name = "URL", env = "ORCHESTRA_SERVER", num_args = 0..=1, default_missing_value = "")]
    pub(crate) server: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Find operations.
    Search {
        /// Words to look for.
        query: Vec<String>,
        /// Only operations with this tag; may be given several times.
        #[arg(long)]
        tag: Vec<String>,
        /// Only operations that fulfil this capability.
        #[arg(long, value_name = "NAME")]
        capability: Option<String>,
        /// Most hits.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        #[command(flatten)]
        source: LedgerSource,
    },
    /// Show an operation with its schemas, price and sources.
    Show {
        /// Such as `sn22.web_search`.
        operation: String,
        /// A version other than the newest.
        #[arg(long, conflicts_with = "form")]
        version: Option<String>,
        /// Print it as the definition of a tool for a language model; a capability (`cap.generate`) and a published plan
        /// (`plans/research`), too.
        #[arg(long = "as", value_enum, value_name = "FORM")]
        form: Option<ToolForm>,
        #[command(flatten)]
        source: LedgerSource,
    },
    /// Publish entries of files in the catalogue's format.
    Import {
        /// JSON files, folders of them, or a folder laid out like the catalogue.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        source: LedgerSource,
    },
    /// Make a service callable: its OpenAPI or Swagger document, or an example of a call, as typed operations.
    ///
    /// Reads OpenAPI 3.0, 3.1 and 3.2 and Swagger 2.0, JSON or YAML, packed by gzip or not, from an address or a file.
    /// It says of each operation whether it was filed, what of it was guessed, and what was refused and why. Adding a
    /// document again changes nothing; one that has changed raises versions. `--server` names the Ledger, as
    /// everywhere; the server of the operations is named by `--base-url`.
    Add(Add),
    /// Fetch the documents that the Ledger knows of, and file what changed.
    ///
    /// One request at a time to a host, robots.txt respected, unchanged documents not fetched again; 20 seconds and
    /// 16 MiB for a document, five minutes for all.
    Crawl(Crawl),
    /// Measure how the schemas of operations map to types, without publishing anything.
    ///
    /// Reads entries in the catalogue's format and OpenAPI 3.0, 3.1 and 3.2 and Swagger 2.0 documents, JSON or YAML,
    /// packed by gzip or not. For each file it says how many operations there are, how many of those with a complete
    /// answer schema map, what share of the places of their answers is typed rather than `Json`, how many become
    /// entries of the Ledger, and how many of those can be called; then each refusal with its code and where it stands.
    Report {
        /// Files, or folders of them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Exit with 1 where less than this share of the operations with a complete schema maps, in percent.
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
        at_least: Option<u32>,
    },
}

/// Whose form the definition of a tool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ToolForm {
    /// The JSON Schemas of arguments and answer.
    JsonSchema,
    /// A function tool of OpenAI, in strict mode where that can say the arguments.
    Openai,
    /// A tool of Anthropic's messages.
    Anthropic,
    /// A tool of the Model Context Protocol.
    Mcp,
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
