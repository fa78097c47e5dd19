//! The commands that run and serve: `orch run`, `runs`, `call`, `serve`, `doctor` and `mcp`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use http::{HeaderValue, Uri};

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
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<jiff::SignedDuration>,
    /// Print what happens, and parts of the answer, as they come.
    #[arg(long)]
    pub(crate) stream: bool,
    /// Write the proof of the call into this file, in place of one that is there; missing folders are made.
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
    /// Address to listen on; else `listen` of `[server]` in orchestra.toml, else 127.0.0.1:7410. Port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", env = "ORCHESTRA_LISTEN")]
    pub(crate) listen: Option<String>,
    /// Folder for the store and the runtime's key; else `data` of `[server]` in orchestra.toml, else `.orchestra` beside it.
    #[arg(long, value_name = "FOLDER", env = "ORCHESTRA_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Keep nothing on disk: what runs leave stays in memory, and is gone when the server stops, as are plans that are
    /// published to it and entries that are added. The entries of the project's Ledger are known.
    #[arg(long, conflicts_with = "data")]
    pub(crate) no_journal: bool,
    /// Origin whose pages may call this server by gRPC-Web, such as `https://app.example`; may be given several times.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) allow_origin: Vec<HeaderValue>,
    /// What to log to standard error: `error`, `warn`, `info`, `debug`, `trace`, or a filter by module such as
    /// `info,runtime=debug`; else `info`, or with --quiet `warn`.
    #[arg(long, value_name = "FILTER", env = "ORCHESTRA_LOG")]
    pub(crate) log: Option<String>,
    /// The most a request to the OpenAI endpoint may cost which does not say so by `X-Orchestra-Cost-Max`, such as
    /// `0.05USD`.
    #[cfg(feature = "openai")]
    #[arg(long, value_name = "AMOUNT", env = "ORCHESTRA_OPENAI_COST_MAX")]
    pub(crate) openai_cost_max: Option<schema::amount::Amount>,
}

/// A length of time.
fn duration(text: &str) -> Result<jiff::SignedDuration, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no length of time; one has its unit, such as `90s` or `2m`"))
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
    /// The most that everything this process calls and runs may cost together, such as `1.00USD`; else only each call and
    /// run has the limit that the agent gives it.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) spend_max: Option<String>,
    /// What each request counts for at least whose price nobody has published; else 0.01 USD, or 0.00005 TAO.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true, requires = "spend_max")]
    pub(crate) unpriced_min: Option<String>,
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

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// List runs and calls, the newest first.
    List {
        /// Only those of the plan, or operation, with this name.
        #[arg(long, value_name = "NAME")]
        plan: Option<String>,
        /// How many at most.
        #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[command(flatten)]
        source: RunSource,
    },
    /// Show a run: its state, its steps, what it cost.
    Show {
        /// Such as `01a20312-e3b0-71c1-8f80-cf4a5739d298`, with or without `runs/` before it, or as much of its beginning as no
        /// other run has.
        run: String,
        #[command(flatten)]
        source: RunSource,
    },
    /// Stop a run that has not ended. What was sent is settled, and nothing more is sent.
    Cancel {
        /// Such as `01a20312-e3b0-71c1-8f80-cf4a5739d298`, with or without `runs/` before it, or as much of its beginning as no
        /// other run has.
        run: String,
        #[command(flatten)]
        source: RunSource,
    },
    /// Fetch the proof of a run that ended.
    Proof {
        /// Such as `01a20312-e3b0-71c1-8f80-cf4a5739d298`, with or without `runs/` before it, or as much of its beginning as no
        /// other run has.
        run: String,
        /// Where to write it; else `.orchestra/proofs/<run>.orchproof`.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        source: RunSource,
    },
}

/// Whose runs a command looks at.
#[derive(Debug, Args)]
pub(crate) struct RunSource {
    /// Look at the runs of this server instead of those of this project.
    #[arg(long, value_name = "URL", env = "ORCHESTRA_SERVER", num_args = 0..=1, default_missing_value = "")]
    pub(crate) server: Option<String>,
}
