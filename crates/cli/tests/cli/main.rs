//! The command line as a user has it: the real binary, in temporary folders, on sample subnets.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![expect(clippy::indexing_slicing, reason = "tests: a missing JSON member is a failed test")]

#[cfg(feature = "mcp")]
mod agent;
#[cfg(feature = "mcp")]
mod agent_spend;
#[cfg(feature = "mcp")]
mod agent_stop;
mod call;
mod call_failed;
mod canary;
mod check;
mod check_fix;
mod check_formats;
mod complete;
mod config;
mod deliveries;
mod doc;
mod doctor;
mod documents;
mod error_pages;
mod examples;
mod exit;
mod explain;
mod graph;
#[cfg(all(feature = "keyring", target_os = "linux"))]
mod keyring;
mod keys;
mod ledger;
mod ledger_add;
mod ledger_crawl;
mod lock;
mod looking;
mod new;
mod orch;
mod plans;
mod prompt;
mod proof;
mod report;
mod run;
mod runs;
mod serve;
mod statistics;
mod test_command;
mod tokens;
mod versions;
