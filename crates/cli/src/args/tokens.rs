//! `orch tokens`.

use clap::{ArgGroup, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// Make a token and show it, this once. With the first one, the server serves nobody without.
    #[command(group(ArgGroup::new("limit").required(true).args(["spend_max", "no_spend_max"])))]
    Add {
        /// Whose it is: letters, digits, `-`, `_` and `.`. Its runs belong to this name and are seen by nobody else.
        name: String,
        /// What all its runs may cost together, such as `5USD`; may be given once for each currency. Nothing may be
        /// spent in a currency that is not named.
        #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
        spend_max: Vec<String>,
        /// Without any limit but those of plans and requests.
        #[arg(long)]
        no_spend_max: bool,
        /// What each request counts for at least whose price nobody has published; else 0.01 USD, or 0.00005 TAO.
        #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true, conflicts_with = "no_spend_max")]
        unpriced_min: Option<String>,
        /// It may also publish operations, capabilities and plans.
        #[arg(long)]
        publish: bool,
        /// Its runs use the keys that `orch keys add --tenant NAME` stored for it, never those of the server.
        #[arg(long)]
        own_keys: bool,
        /// Until when it holds: 2026-12-31, a time such as 2026-12-31T18:00:00Z, or 90d or 12h from now.
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// In place of the one of this name, which is refused from the server's next start on. What was spent counts on.
        #[arg(long)]
        replace: bool,
    },
    /// List tokens: names and what they may do, never a token itself.
    List,
    /// Remove a token; it is refused from the server's next start on.
    Remove {
        /// Whose.
        name: String,
    },
}
