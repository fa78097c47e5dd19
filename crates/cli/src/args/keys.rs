//! `orch keys`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Add a key to the vault. The first one makes the vault.
    Add {
        #[command(flatten)]
        which: Which,
        /// Where the key is sent and nowhere else, such as `https://api.desearch.ai`; else where the Ledger says that the
        /// subnet or operation is.
        #[arg(long, value_name = "ORIGIN")]
        origin: Option<String>,
        /// What you call it.
        #[arg(long, value_name = "TEXT")]
        label: Option<String>,
        #[command(flatten)]
        new: New,
        /// Protect the vault, which must be a new one, by a passphrase rather than an identity file.
        #[arg(long)]
        passphrase: bool,
    },
    /// List the keys of the vault: names, origins and ages, never any of a key itself.
    List {
        /// Only those of this tenant.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
    /// Call an operation with a key and say whether it works: a free one, or with --spend one that is charged.
    Test {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        spend: Spend,
    },
    /// Take a new key in place of one; the old one stays in use until the new one has been tested.
    Rotate {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        new: New,
        /// Take it without a test; without a new one, take the one that waits.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        spend: Spend,
    },
    /// Remove a key from the vault.
    Remove {
        #[command(flatten)]
        which: Which,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Check that a Bittensor hotkey can sign calls, and show its address. Coldkeys are never opened.
    Hotkey {
        /// Such as ~/.bittensor/wallets/WALLET/hotkeys/NAME.
        file: PathBuf,
    },
}

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A subnet, such as sn22, or one operation, such as sn22.web_search.
    pub(crate) name: String,
    /// Whose key; else `tenant` of `[keys]` in orchestra.toml, or `default`.
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// What people type who would give the key here; taken in, so that it can be refused without being shown.
    #[arg(hide = true, num_args = 0..)]
    pub(crate) stray: Vec<OsString>,
    /// As above.
    #[arg(long = "key", aliases = ["value", "secret", "token", "api-key"], hide = true)]
    pub(crate) given: Option<OsString>,
}

/// A new key. On a terminal it is asked for, unless one of these says where it is.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// Read it from standard input.
    #[arg(long, group = "source")]
    pub(crate) stdin: bool,
    /// Read it from this environment variable.
    #[arg(long, group = "source", value_name = "VARIABLE")]
    pub(crate) from_env: Option<OsString>,
    /// Read it from this file.
    #[arg(long, group = "source", value_name = "FILE")]
    pub(crate) from_file: Option<PathBuf>,
    /// Read it from this entry of the system's keyring; needs a build with `--features keyring`.
    #[arg(long, group = "source", value_name = "SERVICE/ACCOUNT")]
    pub(crate) from_keyring: Option<String>,
    /// A part of a key that has several, such as `id` and `secret`; once for each. Other sources than the prompt then have
    /// lines `PART=VALUE`.
    #[arg(long = "part", value_name = "PART")]
    pub(crate) parts: Vec<String>,
    /// Until when it holds: 2026-12-31, a time such as 2026-12-31T18:00:00Z, or 90d or 12h from now.
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
}

impl New {
    /// Whether anything is said of a new key.
    pub(crate) fn is_given(&self) -> bool {
        let from = [self.from_env.is_some(), self.from_file.is_some(), self.from_keyring.is_some()];
        self.stdin || from.contains(&true) || self.expires.is_some()
    }
}

/// What a test may cost.
#[derive(Debug, Args)]
pub(crate) struct Spend {
    /// Where no free operation tests the key, call one that costs at most this, such as 0.01USD, and say what it cost. Without
    /// it nothing is called that may be charged. Where an operation has no published price, this is what the call is taken to cost
    /// unless its answer states a charge.
    #[arg(long = "spend", value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) max: Option<String>,
}
