//! `orch keys list`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use keys::{DEFAULT_TENANT, Entry, Vault};
use serde_json::json;

use super::{Context, document};
use crate::exit::Failure;
use crate::output::table::{aligned, tabbed, text};
use crate::{project, vault};

/// Lists the keys of the vault, or those of one tenant.
pub(super) fn run(context: &Context, tenant: Option<&str>) -> Result<(), Failure> {
    tenant.map_or(Ok(()), keys::check_tenant).map_err(vault::failure)?;
    let config = context.config()?;
    let place = vault::required(&config)?;
    let opened = vault::open(&place)?;
    let is_wanted = |entry: &&Entry| tenant.is_none_or(|tenant| entry.tenant() == tenant);
    let vault = opened.as_ref().map(|(vault, _)| vault);
    let entries: Vec<&Entry> = vault.into_iter().flat_map(Vault::entries).filter(is_wanted).collect();
    if context.output.json {
        let keys: Vec<_> =
            vault.into_iter().flat_map(|vault| entries.iter().map(|entry| document(vault, entry))).collect();
        context.output.document(&json!({ "vault": place.vault.display().to_string(), "keys": keys }));
        return Ok(());
    }
    let Some(vault) = vault.filter(|_| !entries.is_empty()) else {
        let shown = project::relative(&place.vault);
        context.output.note(&format!("no keys in {}; `orch keys add NAME` adds one", shown.display()));
        return Ok(());
    };
    let now = Timestamp::now();
    let rows: Vec<Vec<String>> = entries.iter().map(|entry| row(vault, entry, now)).collect();
    if context.output.stdout_is_terminal() {
        let columns = ["NAME", "TENANT", "ORIGIN", "KEY", "AGE", "EXPIRES", "LABEL"].map(text);
        let width = usize::from(console::Term::stdout().size().1);
        context.output.data(&aligned(&columns, &rows, width));
    } else {
        context.output.data(&tabbed(&rows));
    }
    // Who changes a key here and sees no effect would look for long.
    let before: BTreeSet<String> = config.plain_secrets()?.names().map(|(name, _)| name.to_owned()).collect();
    for entry in
        entries.iter().filter(|entry| entry.tenant() == config.tenant() && before.contains(entry.name()))
    {
        let name = entry.name();
        context.output.note(&format!("{name} is set in the environment or in a file too, which comes first"));
    }
    Ok(())
}

fn row(vault: &Vault, entry: &Entry, now: Timestamp) -> Vec<String> {
    let value = entry.value();
    let expires = match value.expires_at() {
        None => "-".to_owned(),
        Some(at) if value.is_expired(now) => format!("expired {}", day(at)),
        Some(at) => day(at),
    };
    let fingerprint = match entry.next() {
        Some(next) => format!("{} (waits: {})", vault.fingerprint(value), vault.fingerprint(next)),
        None => vault.fingerprint(value),
    };
    let age = now.duration_since(value.created_at()).as_hours().max(0);
    let age = if age < 48 { format!("{age}h") } else { format!("{}d", age / 24) };
    let tenant = if entry.tenant() == DEFAULT_TENANT { "-" } else { entry.tenant() };
    let label = entry.label().unwrap_or("-");
    let cells = [entry.name(), tenant, entry.origin(), &fingerprint, &age, &expires, label];
    cells.map(str::to_owned).into()
}

fn day(at: Timestamp) -> String {
    at.to_string().split('T').next().unwrap_or_default().to_owned()
}
