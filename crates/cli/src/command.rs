//! The commands, one file each.

mod call;
mod check;
mod complete;
mod demo;
mod doc;
mod doctor;
mod expiry;
mod explain;
mod fmt;
mod graph;
mod keys;
mod ledger;
mod lock;
#[cfg(feature = "mcp")]
mod mcp;
mod new;
mod plans;
mod proof;
mod run;
mod runs;
mod serve;
mod test;
mod tokens;

use std::path::PathBuf;

use crate::args::{Cli, Command};
use crate::config::Config;
use crate::exit::Failure;
use crate::harden;
use crate::output::Output;

/// What every command gets.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    config_file: Option<PathBuf>,
}

impl Context {
    /// The configuration. Only commands that need it read it, so that a mistake in it keeps nobody from the
    /// others.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        Config::load(self.config_file.as_deref())
    }
}

/// Runs the command.
pub(crate) async fn dispatch(cli: Cli) -> Result<(), Failure> {
    // Nearly every command may come to hold a key, so none has to remember it.
    harden::process();
    let context = Context { output: Output::new(&cli.global), config_file: cli.global.config };
    if context.config_file.is_some() {
        // Who names a file wants it to be heeded, whatever the command.
        context.config()?;
    }
    match cli.command {
        Command::New(args) => new::run(&context, &args).await,
        Command::Call(args) => call::run(&context, &args).await,
        Command::Check(args) => check::run(&context, &args),
        Command::Fmt(args) => fmt::run(&context, &args),
        Command::Explain(args) => explain::run(&context, &args),
        Command::Graph(args) => graph::run(&context, &args),
        Command::Doc(args) => doc::run(&context, &args),
        Command::Test(args) => test::run(&context, &args),
        Command::Run(args) => run::run(&context, &args).await,
        Command::Runs(args) => runs::run(&context, &args).await,
        Command::Serve(args) => serve::run(&context, &args).await,
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => mcp::run(&context, &args).await,
        Command::Ledger(args) => ledger::run(&context, &args).await,
        Command::Plans(args) => plans::run(&context, &args).await,
        Command::Lock(args) => lock::run(&context, &args).await,
        Command::Proof(args) => proof::run(&context, &args),
        Command::Keys(args) => keys::run(&context, &args).await,
        Command::Doctor(args) => doctor::run(&context, &args).await,
        Command::Tokens(args) => tokens::run(&context, &args),
        Command::Demo(args) => demo::run(&context, &args).await,
        Command::Completions(args) => {
            complete::script(&context, &args);
            Ok(())
        }
        Command::Complete(args) => complete::run(&context, &args).await,
    }
}
