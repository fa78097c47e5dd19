//! Arguments of the commands that fill the Ledger from documents.

use std::path::PathBuf;

use clap::Args;

use super::LedgerSource;

/// `orch ledger add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// An address (https), or a file; `-` is standard input.
    #[arg(value_name = "URL|FILE")]
    pub(crate) document: String,
    /// The subnet that its operations belong to.
    #[arg(long, value_name = "N")]
    pub(crate) netuid: u16,
    /// What the names of its operations begin with.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, value_parser = name_part)]
    pub(crate) name_prefix: String,
    /// Where the operations are served, in place of what the document says.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
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
    number.map_err(|_| "a subnet is written like `sn22`".into())
}
