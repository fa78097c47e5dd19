//! `orch keys`: the vault of keys, and hotkeys of wallets.

mod hotkey;
mod list;
mod new;
mod probe;
mod rotate;
mod test;

use keys::{Entry, Place, Vault};
use serde_json::{Value, json};

use super::{Context, expiry};
use crate::args::{Keys, NewKey, Which};
use crate::config::Config;
use crate::exit::Failure;
use crate::{project, secrets, vault};

/// Runs one of the subcommands.
pub(crate) async fn run(context: &Context, args: &Keys) -> Result<(), Failure> {
    match args {
        Keys::Add { which, origin, label, new, passphrase } => {
            let wanted =
                Wanted { origin: origin.as_deref(), label: label.as_deref(), passphrase: *passphrase };
            add(context, which, &wanted, new).await
        }
        Keys::List { tenant } => list::run(context, tenant.as_deref()),
        Keys::Test { which, spend } => test::run(context, which, spend).await,
        Keys::Rotate { which, new, force, spend } => rotate::run(context, which, new, *force, spend).await,
        Keys::Remove { which, yes } => remove(context, which, *yes),
        Keys::Hotkey { file } => hotkey::run(context, file),
    }
}

/// A key that a command is about.
struct Named<'a> {
    config: Config,
    place: Place,
    tenant: String,
    name: &'a str,
}

impl<'a> Named<'a> {
    /// What the command line names, where it names no key itself.
    fn of(context: &Context, which: &'a Which) -> Result<Self, Failure> {
        if !which.stray.is_empty() || which.given.is_some() {
            let message = "a key is not taken from the command line: every process of this machine can read it there, \
                           and the shell keeps it in its history";
            let help = "give it at the prompt, by --stdin, --from-env VARIABLE or --from-file FILE; and if that was \
                        a real key, have the subnet replace it";
            return Err(Failure::new("E1530", message, help));
        }
        let config = context.config()?;
        let place = vault::required(&config)?;
        let tenant = which.tenant.clone().unwrap_or_else(|| config.tenant().to_owned());
        let named = Self { config, place, tenant, name: &which.name };
        // Before anything is asked for; the vault would only say so afterwards.
        keys::check_names(&named.tenant, named.name).map_err(vault::failure)?;
        Ok(named)
    }

    /// The entry as one line for people.
    fn shown(&self, vault: &Vault, entry: &Entry) -> String {
        let whose = match self.tenant.as_str() {
            keys::DEFAULT_TENANT => String::new(),
            tenant => format!(" of {tenant}"),
        };
        format!("{}{whose} for {} ({})", self.name, entry.origin(), vault.fingerprint(entry.value()))
    }
}

/// What a new entry is to be besides its key.
struct Wanted<'a> {
    origin: Option<&'a str>,
    label: Option<&'a str>,
    passphrase: bool,
}

async fn add(context: &Context, which: &Which, wanted: &Wanted<'_>, new: &NewKey) -> Result<(), Failure> {
    let named = Named::of(context, which)?;
    let expires_at = new.expires.as_deref().map(expiry::at).transpose()?;
    let meant = match wanted.origin {
        Some(origin) => probe::Meant { origin: origin.to_owned(), parts: Vec::new() },
        None => probe::meant(&named.config, named.name).await?,
    };
    // Before anything is asked for, as names are.
    let origin = keys::check_origin(named.name, &meant.origin).map_err(vault::failure)?.to_string();
    let parts = if new.parts.is_empty() { &meant.parts } else { &new.parts };
    let had_identity = named.place.identity.exists();
    let unlock = vault::unlock_to_add(&named.place, wanted.passphrase)?;
    let value = new::value(new, parts, &format!("the key of {} for {origin}: ", named.name), expires_at)?;
    let (tenant, name) = (named.tenant.as_str(), named.name);
    let (line, document) = Vault::change(&named.place, &unlock, |vault| {
        vault.add(tenant, name, &origin, wanted.label, value)?;
        let entry = vault.entry(tenant, name)?;
        Ok((named.shown(vault, entry), document(vault, entry)))
    })
    .map_err(vault::failure)?;
    if !had_identity && named.place.identity.exists() {
        let identity = project::relative(&named.place.identity);
        context.output.note(&format!(
            "made {}: it opens the vault, and without it no key comes back",
            identity.display()
        ));
    }
    said(context, &format!("added {line}"), document);
    context.output.note(&format!("`orch keys test {name}` says whether it works"));
    Ok(())
}

fn remove(context: &Context, which: &Which, yes: bool) -> Result<(), Failure> {
    let named = Named::of(context, which)?;
    let (tenant, name) = (named.tenant.as_str(), named.name);
    let (vault, unlock) = vault::open_required(&named.place)?;
    let entry = vault.entry(tenant, name).map_err(vault::failure)?;
    let line = named.shown(&vault, entry);
    if !yes {
        match secrets::confirm(&format!("remove {line}? [y/N] "))? {
            Some(true) => {}
            Some(false) => {
                context.output.note("nothing was removed");
                return Ok(());
            }
            None => {
                let message = format!("nobody is there to say whether {name} is to be removed");
                return Err(Failure::new("E1534", message, "say so with --yes"));
            }
        }
    }
    Vault::change(&named.place, &unlock, |vault| vault.remove(tenant, name)).map_err(vault::failure)?;
    said(context, &format!("removed {line}"), document(&vault, entry));
    Ok(())
}

/// What was done, for people and for programs.
fn said(context: &Context, line: &str, document: Value) {
    if context.output.json {
        context.output.document(&document);
    } else if !context.output.quiet {
        context.output.data(line);
    }
}

/// An entry for a program.
fn document(vault: &Vault, entry: &Entry) -> Value {
    let value = entry.value();
    let time = |at: jiff::Timestamp| at.to_string();
    json!({
        "name": entry.name(),
        "tenant": entry.tenant(),
        "origin": entry.origin(),
        "label": entry.label(),
        "fingerprint": vault.fingerprint(value),
        "created_at": time(value.created_at()),
        "expires_at": value.expires_at().map(time),
        "expired": value.is_expired(jiff::Timestamp::now()),
        "next": entry.next().map(|next| json!({
            "fingerprint": vault.fingerprint(next),
            "created_at": time(next.created_at()),
            "expires_at": next.expires_at().map(time),
        })),
    })
}
