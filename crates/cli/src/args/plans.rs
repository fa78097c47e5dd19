//! Arguments of `orch plans`.

use std::path::PathBuf;

use clap::Subcommand;

use super::LedgerSource;

#[derive(Debug, Subcommand)]
pub(crate) enum Plans {
    /// Publish a plan of a file under its own name; the same content again changes nothing.
    Publish {
        /// The plan file; `-` is standard input. It is compiled against the lock of its folder.
        file: PathBuf,
        /// Which plan, where the file has several that no other runs.
        #[arg(long, value_name = "NAME")]
        plan: Option<String>,
        #[command(flatten)]
        source: LedgerSource,
    },
    /// List the published plans.
    List {
        #[command(flatten)]
        source: LedgerSource,
    },
    /// Show a published plan with its text.
    Show {
        /// Such as `market_research` or `plans/market_research`.
        name: String,
        #[command(flatten)]
        source: LedgerSource,
    },
    /// Take a plan out of the list. Runs of it go on.
    Withdraw {
        /// Such as `market_research` or `plans/market_research`.
        name: String,
        #[command(flatten)]
        source: LedgerSource,
    },
}
