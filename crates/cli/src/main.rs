//! `orch`: write, check, run and prove plans over Bittensor subnets.
#![forbid(unsafe_code)]

mod args;
mod command;
mod config;
mod exit;
mod output;
mod progress;
mod project;
mod service;

use std::process::ExitCode;

use clap::Parser as _;

use crate::exit::Exit;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let output = Output::new(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.error(&format!("error: the async runtime does not start: {error}"));
            return Exit::Failed.into();
        }
    };
    match runtime.block_on(command::dispatch(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if output.json && !failure.message.is_empty() {
                output.json_line(&serde_json::json!({
                    "error": { "code": failure.code, "message": failure.message, "help": failure.help }
                }));
            } else {
                output.error(&failure.to_string());
            }
            failure.exit.into()
        }
    }
}
