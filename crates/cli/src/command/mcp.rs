//! `orch mcp`: the service of this project, or a server, as the tools of one agent.

use std::io::IsTerminal as _;

use mcp::Options;
use schema::amount::Amount;

use super::Context;
use super::serve::{start_log, stop_signal};
use crate::args;
use crate::exit::{Exit, Failure};
use crate::pages;
use crate::service::Connection;
use crate::service::local::State;

/// Serves the client that started this process until it closes standard input.
pub(crate) async fn run(context: &Context, args: &args::Mcp) -> Result<(), Failure> {
    start_log(context, &args.log)?;
    let [spend_max, unpriced_min] =
        [("--spend-max", &args.spend_max), ("--unpriced-min", &args.unpriced_min)]
            .map(|(option, text)| text.as_deref().map(|text| amount(option, text)).transpose());
    let (spend_max, unpriced_min) = (spend_max?, unpriced_min?);
    if let (Some(max), Some(least)) = (spend_max, unpriced_min)
        && max.currency != least.currency
    {
        let message =
            format!("--unpriced-min is {least}, and --spend-max counts in {}", max.currency.symbol());
        return Err(Failure::new("E1507", message, "give both in one currency"));
    }
    let config = context.config()?;
    let stopped = stop_signal()?;
    let state = if args.no_journal { State::Memory } else { State::Folder(config.state_folder()) };
    let connection = Connection::for_calls(&config, args.server.as_deref(), state).await?;
    let (channel, authorization) = connection.parts();
    if std::io::stdin().is_terminal() {
        context
            .output
            .note("an agent starts this command and speaks to it on standard input; Ctrl-C ends it");
    }
    let options = Options { authorization, spend_max, unpriced_min, error_page: pages::markdown };
    let served = mcp::stdio(channel, options, stopped).await;
    connection.close().await;
    served.map_err(|error| {
        let help = "this command is for programs that speak MCP; docs/agents.md says how to name it to them";
        Failure::new("E1509", format!("the session broke: {error}"), help).exit(Exit::Failed)
    })
}

fn amount(option: &str, text: &str) -> Result<Amount, Failure> {
    text.parse().map_err(|error| {
        Failure::new("E1507", format!("{option}: {error}"), format!("such as {option} 1.00USD"))
    })
}
