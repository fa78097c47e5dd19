//! Whether the texts of a capability compile. A published version never changes, so one with a mistake in
//! it would break every plan that takes the newest.

use std::collections::BTreeSet;

use plan_compiler::{Options, Source, compile};
use schema::lock::Lock;
use schema::operation::CapabilityDescriptor;

use crate::error::Error;
use crate::snapshot::Snapshot;

/// Checks a capability and its adapters as a plan would meet them; `after` is the state with it. Adapters of
/// operations that cannot be called are not looked at, as they are in no lock.
///
/// Errors: [`Error::InvalidEntry`] with what the compiler said first.
pub(crate) fn check(after: &Snapshot, capability: &CapabilityDescriptor) -> Result<(), Error> {
    let invalid = |reason: String| Error::InvalidEntry {
        key: capability.name.clone(),
        path: "source".to_owned(),
        reason,
    };
    let names = BTreeSet::from([capability.name.clone()]);
    let (lockfile, bodies) = match after.lock_for(&BTreeSet::new(), &names) {
        Err(Error::NotCallable { .. }) => return Ok(()),
        locked => locked?,
    };
    let lock = Lock::assemble(&lockfile.to_toml(), &bodies).map_err(|error| invalid(error.to_string()))?;
    let text = format!("edition 2026\nuse cap {{ {} }}\n", capability.name);
    let source = Source { name: "a plan", text: &text };
    let compilation = compile(&source, &lock, &Options::default());
    match compilation.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        None => Ok(()),
        Some(first) => {
            let notes: String = first.notes.iter().map(|note| format!("; {note}")).collect();
            Err(invalid(format!("[{}] {}{notes}", first.code, first.message)))
        }
    }
}
