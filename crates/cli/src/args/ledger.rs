//! `orch ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `orch ledger add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// An address (https), a gRPC server (grpcs://HOST:PORT, or grpc:// without TLS), or a file; `-` is standard input.
    #[arg(value_name = "URL|FILE")]
    pub(crate) document: String,
    /// The subnet that its operations belong to.
    #[arg(long, value_name = "N", value_parser = subnet)]
    pub(crate) netuid: u16,
    /// What the names of its operations begin with.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, value_parser = name_part)]
    pub(crate) name_prefix: String,
    /// Where the operations are served, in place of what the document says.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// How a key is sent, such as `Authorization: Bearer <key>`. Descriptors never say it, so of gRPC it stays; of a document it
    /// holds for this reading, in place of what that says.
    // Read later: what is refused here is repeated, and it may be a key.
    #[arg(long, value_name = "NAME: FORMAT", conflicts_with = "example")]
    pub(crate) key_header: Option<String>,
    /// Only operations whose name or path fits this; `*` stands for any characters. May be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,
    /// The file is an example of one call: JSON or TOML with `url`, `request` and `answer`, or a `curl` command line.
    #[arg(long)]
    pub(crate) example: bool,
    /// The answer of the example, where the file does not hold it.
    #[arg(long, value_name = "FILE", requires = "example")]
    pub(crate) answer: Option<PathBuf>,
    /// File the sound operations of a document that is wrong elsewhere.
    #[arg(long)]
    pub(crate) partial: bool,
    /// Follow entries that are from elsewhere, too: those of the catalogue, and those that were changed by hand.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Show what would be filed and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) source: LedgerSource,
}

/// `orch ledger crawl`.
#[derive(Debug, Args)]
pub(crate) struct Crawl {
    /// Only documents of this subnet, such as `sn22`. May be given several times.
    #[arg(long, value_name = "SUBNET", value_parser = subnet)]
    pub(crate) only: Vec<u16>,
    /// Fetch, show what would be filed, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) source: LedgerSource,
}

fn name_part(text: &str) -> Result<String, String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match text.chars().all(is_name) && !text.starts_with(|c: char| c.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("a name has lower case letters, digits and `_`, and begins with no digit".into()),
    }
}

fn subnet(text: &str) -> Result<u16, String> {
    let number = text.strip_prefix("sn").unwrap_or(text).parse();
    number.map_err(|_| "a subnet is written like `22` or `sn22`, up to 65535".into())
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
    /// Make a service callable: its OpenAPI or Swagger document, its gRPC methods, or an example of a call, as typed
    /// operations.
    ///
    /// Reads OpenAPI 3.0, 3.1 and 3.2 and Swagger 2.0, JSON or YAML, packed by gzip or not, from an address or a file. A
    /// gRPC server is asked by its reflection; without that, a file of its descriptors does (`buf build -o api.binpb`).
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
