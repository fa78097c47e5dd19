//! `orch`: write, check, run and prove plans over Bittensor subnets.
#![forbid(unsafe_code)]

mod args;
mod command;
mod config;
mod diagnostics;
mod exit;
mod harden;
mod output;
mod pages;
mod progress;
mod project;
mod secrets;
mod service;
mod tokens;
mod vault;

use std::process::ExitCode;
use std::time::Duration;

use crate::exit::Exit;
use crate::output::Output;

/// A run is made by one thread and answered by another; the system's allocator takes a lock for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Longest wait for what is still going on when a command has ended.
const SHUTDOWN_MAX: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let cli = args::Cli::read();
    // Before there is much memory: pages that are large already stay so.
    if matches!(cli.command, args::Command::Serve(_)) {
        harden::small_pages();
    }
    let output = Output::new(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.error(&format!("error: the async runtime does not start: {error}"));
            return Exit::Failed.into();
        }
    };
    let ended = runtime.block_on(command::dispatch(cli));
    // Lets the store close its file; whoever was left by a second Ctrl-C is not waited for any longer.
    runtime.shutdown_timeout(SHUTDOWN_MAX);
    match ended.and_then(|()| output::lost().map_or(Ok(()), Err)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match output.json {
                _ if failure.is_said() => {}
                true => output.document(&failure.json()),
                false => output.error(&failure.render()),
            }
            failure.exit.into()
        }
    }
}
