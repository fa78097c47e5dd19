//! `orch keys rotate`.

use keys::Vault;

use super::super::expiry;
use super::probe::{self, Verdict};
use super::{Context, Named, document, new, said, test};
use crate::args::{NewKey, Spend, Which};
use crate::exit::Failure;
use crate::vault;

/// Takes a new key. Without `force` it waits beside the old one until a call has shown that it works.
pub(super) async fn run(
    context: &Context,
    which: &Which,
    new: &NewKey,
    force: bool,
    spend: &Spend,
) -> Result<(), Failure> {
    let named = Named::of(context, which)?;
    let (spend, expires_at) = (test::amount(spend)?, new.expires.as_deref().map(expiry::at).transpose()?);
    let (vault, unlock) = vault::open_required(&named.place)?;
    let (tenant, name) = (named.tenant.as_str(), named.name);
    let entry = vault.entry(tenant, name).map_err(vault::failure)?;
    let waiting = entry.next().filter(|_| force && !new.is_given()).cloned();
    let value = match waiting {
        Some(value) => value,
        None => {
            // A key of several parts is replaced by one of the same, unless others are named.
            let own =
                entry.value().parts().map(|(part, _)| part.to_owned()).filter(|part| part != keys::KEY_PART);
            let parts = if new.parts.is_empty() { own.collect() } else { new.parts.clone() };
            new::value(new, &parts, &format!("the new key of {name} for {}: ", entry.origin()), expires_at)?
        }
    };
    if !force {
        Vault::change(&named.place, &unlock, |vault| vault.set_next(tenant, name, Some(value.clone())))
            .map_err(vault::failure)?;
        let tested = probe::test(context, &named.config, &vault, entry, &value, spend).await?;
        match tested.verdict {
            Verdict::Works => {}
            Verdict::Refused => {
                Vault::change(&named.place, &unlock, |vault| vault.set_next(tenant, name, None))
                    .map_err(vault::failure)?;
                context.output.note("the old key stays, the new one was dropped");
                return test::report(context, &vault, entry, &value, &tested);
            }
            _ => {
                let message =
                    format!("the new key of {name} waits, and the old one stays in use: {}", tested.message);
                let help = format!(
                    "`orch keys test {name}` tries again, with --spend AMOUNT by a call that is charged; `orch keys \
                     rotate {name} --force` takes it as it is"
                );
                return Err(Failure::new("E1531", message, help));
            }
        }
    }
    let (line, document) = Vault::change(&named.place, &unlock, |vault| {
        vault.replace(tenant, name, value)?;
        let entry = vault.entry(tenant, name)?;
        Ok((named.shown(vault, entry), document(vault, entry)))
    })
    .map_err(vault::failure)?;
    said(context, &format!("rotated {line}"), document);
    context.output.note("a server that is running takes it with its next start");
    Ok(())
}
