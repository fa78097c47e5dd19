//! `orch doctor`: what a call would need, whether it is there, and what to do where it is not.

use jiff::Timestamp;
use ledger_service::{Callability, Snapshot};
use schema::operation::Access;
use serde_json::{Value, json};
use subnet::secrets::SecretStore;

use super::Context;
use crate::args;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::project;
use crate::service::Connection;
use crate::service::local::{Local, STORE_IN_USE, State};
use crate::tokens::Tokens;
use crate::vault;

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// It is in order.
    Ok,
    /// Something will not work that may not be wanted.
    Warning,
    /// It is wrong.
    Bad,
}

/// One line.
struct Finding {
    what: &'static str,
    health: Health,
    text: String,
    /// What to do; empty where there is nothing to do.
    fix: String,
}

impl Finding {
    fn ok(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, health: Health::Ok, text: text.into(), fix: String::new() }
    }

    fn warning(what: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what, health: Health::Warning, text: text.into(), fix: fix.into() }
    }

    fn bad(what: &'static str, failure: Failure) -> Self {
        let text = format!("[{}] {}", failure.code, failure.message);
        Self { what, health: Health::Bad, text, fix: failure.help }
    }
}

/// Looks at everything and changes nothing; exits with 1 where something is wrong.
pub(crate) async fn run(context: &Context, args: &args::Doctor) -> Result<(), Failure> {
    let mut findings = vec![Finding::ok("version", env!("CARGO_PKG_VERSION"))];
    match context.config() {
        Err(failure) => findings.push(Finding::bad("configuration", failure)),
        Ok(config) => {
            findings.push(configuration(&config));
            let ledger = ledger(&config, &mut findings).await;
            findings.push(keys(&config));
            findings.push(hotkey(&config, ledger.as_ref().map(Local::snapshot).as_deref()));
            findings.push(tokens(&config));
            if let Some(url) = &args.server {
                findings.push(server(&config, url).await);
            }
        }
    }
    show(context, &findings);
    if findings.iter().any(|finding| finding.health == Health::Bad) {
        return Err(Failure::said(Exit::Failed));
    }
    Ok(())
}

fn configuration(config: &Config) -> Finding {
    if !config.is_project() {
        return Finding::ok("configuration", "no orchestra.toml from here upwards; the defaults hold");
    }
    let shown = project::relative(&config.folder.join(crate::config::FILE)).display().to_string();
    let development = config.development();
    if development.samples || development.allow_loopback || development.allow_private {
        let text = format!("{shown}, with development settings: calls may go to this machine or its network");
        return Finding::warning(
            "configuration",
            text,
            "leave out `[development]` where the calls of others are served",
        );
    }
    Finding::ok("configuration", shown)
}

/// The Ledger, and what it and its store are like.
async fn ledger(config: &Config, findings: &mut Vec<Finding>) -> Option<Local> {
    let folder = config.state_folder();
    let there = folder.join(store::DATABASE_FILE).is_file();
    let shown = project::relative(&folder).display().to_string();
    let local = match Local::for_ledger(config, false).await {
        Ok(local) if there => {
            findings.push(Finding::ok("store", format!("{shown} opens")));
            Some(local)
        }
        Ok(local) => {
            findings.push(Finding::ok("store", format!("none yet; the first run or call makes {shown}")));
            Some(local)
        }
        Err(failure) if failure.code == STORE_IN_USE => {
            findings.push(Finding::ok("store", failure.message));
            Local::for_reading(config).await.ok()
        }
        Err(failure) => {
            findings.push(Finding::bad("store", failure));
            Local::for_catalogue().await.ok()
        }
    };
    if let Some(local) = &local {
        let snapshot = local.snapshot();
        let all = snapshot.operations().count();
        let count = |wanted: fn(&Callability) -> bool| {
            snapshot.operations().filter(|published| wanted(&Callability::of(&published.descriptor))).count()
        };
        let as_they_stand = count(|callable| matches!(callable, Callability::Yes));
        let with_a_host = count(|callable| matches!(callable, Callability::NeedsEndpoint(_)));
        findings.push(Finding::ok(
            "ledger",
            format!(
                "{all} operations: {as_they_stand} can be called as they stand, {with_a_host} once `[endpoints]` names \
                 their host"
            ),
        ));
    }
    local
}

/// Keys, of which none is shown and none is tried.
fn keys(config: &Config) -> Finding {
    let (secrets, tenants) = match config.secrets() {
        Ok(secrets) => secrets,
        Err(failure) => return Finding::bad("keys", failure),
    };
    let (path, is_named) = config.tokens_file();
    // A broken file of tokens is told of by itself.
    let tokens = Tokens::read(&path, is_named).unwrap_or_default();
    if let Some(expired) = expired(config, &tokens) {
        return expired;
    }
    let names = |secrets: &SecretStore| secrets.names().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    let mut of_tokens = Vec::new();
    for (name, token) in &tokens.0 {
        match tenants.get(name) {
            None if token.own_keys => {
                let text = format!("none of the token `{name}`, which uses no others");
                return Finding::warning("keys", text, format!("`orch keys add SUBNET --tenant {name}`"));
            }
            None => {}
            Some(own) => of_tokens.push(format!("; of `{name}`: {}", names(own).join(", "))),
        }
    }
    let own = names(&secrets);
    if own.is_empty() && of_tokens.is_empty() {
        return Finding::warning(
            "keys",
            "none",
            "`orch keys add sn22` asks for one; operations with open access need none",
        );
    }
    let own =
        if own.is_empty() { "none of the server's own".to_owned() } else { format!("of {}", own.join(", ")) };
    Finding::ok("keys", format!("{own}{}; `orch keys test NAME` tries one", of_tokens.concat()))
}

/// Keys of the vault that are refused by now, of this process and of the holders of tokens.
fn expired(config: &Config, tokens: &Tokens) -> Option<Finding> {
    let (vault, _) = vault::place(config).and_then(|place| vault::open(&place).ok().flatten())?;
    let now = Timestamp::now();
    let is_used = |tenant: &str| tenant == config.tenant() || tokens.0.contains_key(tenant);
    let expired: Vec<(String, String)> = vault
        .entries()
        .iter()
        .filter(|entry| is_used(entry.tenant()) && entry.value().is_expired(now))
        .map(|entry| match entry.tenant() {
            own if own == config.tenant() => (entry.name().to_owned(), entry.name().to_owned()),
            tenant => {
                (format!("{} of `{tenant}`", entry.name()), format!("{} --tenant {tenant}", entry.name()))
            }
        })
        .collect();
    if expired.is_empty() {
        return None;
    }
    let (names, rotate): (Vec<String>, Vec<String>) = expired.into_iter().unzip();
    let fix = format!("`orch keys rotate {}` takes a new one", rotate.join("`, `orch keys rotate "));
    Some(Finding::warning("keys", format!("expired: {}", names.join(", ")), fix))
}

/// The hotkey, and how many operations answer nobody without one.
fn hotkey(config: &Config, ledger: Option<&Snapshot>) -> Finding {
    let count = |wanted: Access| {
        let operations = ledger.into_iter().flat_map(Snapshot::operations);
        operations.filter(|published| published.descriptor.access == wanted).count()
    };
    let (registered, permitted) = (count(Access::RegisteredHotkey), count(Access::PermitAndStake));
    let few = format!(
        "operations for registered hotkeys only: {registered}, for validators with permit and stake only: {permitted}"
    );
    match config.hotkey() {
        Err(failure) => Finding::bad("hotkey", failure),
        Ok(Some(hotkey)) => Finding::warning(
            "hotkey",
            format!("{} can sign; {few}", hotkey.address()),
            "whether it is registered, and has permit and stake, only the chain knows, and it was not asked",
        ),
        Ok(None) if registered + permitted == 0 => Finding::ok("hotkey", "none, and no operation needs one"),
        Ok(None) => Finding::warning(
            "hotkey",
            format!(
                "none; {few}; they refuse calls from outside, and are for validators and owners of the subnet"
            ),
            "if that is you: `hotkey = \"FILE\"` in orchestra.toml, and `orch keys hotkey FILE` to check it",
        ),
    }
}

fn tokens(config: &Config) -> Finding {
    let (path, is_named) = config.tokens_file();
    match Tokens::read(&path, is_named) {
        Err(failure) => Finding::bad("tokens", failure),
        Ok(tokens) if tokens.0.is_empty() => {
            Finding::ok("tokens", "none: `orch serve` serves everybody who reaches it")
        }
        Ok(tokens) => Finding::ok("tokens", format!("`orch serve` serves {}", tokens.0.len())),
    }
}

async fn server(config: &Config, url: &str) -> Finding {
    let connection = match Connection::for_runs(config, Some(url), State::Memory).await {
        Ok(connection) => connection,
        Err(failure) => return Finding::bad("server", failure),
    };
    let listed = connection.ledger().list_subnets(proto::v1::ListSubnetsRequest::default()).await;
    match listed {
        Ok(_) => Finding::ok("server", "answers, and serves this client"),
        Err(status) => Finding::bad("server", connection.refused(&status)),
    }
}

fn show(context: &Context, findings: &[Finding]) {
    let word = |health| match health {
        Health::Ok => "ok",
        Health::Warning => "warning",
        Health::Bad => "wrong",
    };
    if context.output.json {
        let rows: Vec<Value> = findings
            .iter()
            .map(|finding| {
                json!({
                    "what": finding.what, "health": word(finding.health), "text": finding.text, "fix": finding.fix,
                })
            })
            .collect();
        context.output.document(&json!({ "findings": rows }));
        return;
    }
    let mut text = String::new();
    for finding in findings {
        text.push_str(&format!("{:<8} {:<14} {}\n", word(finding.health), finding.what, finding.text));
        for line in finding.fix.lines() {
            text.push_str(&format!("{:<8} {:<14} = help: {line}\n", "", ""));
        }
    }
    context.output.data(text.trim_end());
}
