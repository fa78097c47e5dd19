//! A new key: whence it comes.

use jiff::Timestamp;
use keys::Value;

use crate::args::NewKey;
use crate::exit::Failure;
use crate::{secrets, vault};

/// The key, from where `new` says, or typed as the answer to `question`.
pub(super) fn value(new: &NewKey, question: &str, expires_at: Option<Timestamp>) -> Result<Value, Failure> {
    let key = match (&new.from_env, &new.from_file, &new.from_keyring) {
        // Not even the name is shown: who writes `$NAME` has handed over the key itself.
        (Some(name), ..) => secrets::from_env(name).ok_or_else(|| {
            secrets::no_source(
                "the variable that --from-env names is not set, or holds no text (write its name, without a `$`)".into(),
            )
        })?,
        (_, Some(path), _) => secrets::from_file(path)?,
        (.., Some(entry)) => secrets::from_keyring(entry)?,
        (None, None, None) if new.stdin => secrets::from_stdin()?,
        (None, None, None) => secrets::ask(question)?
            .ok_or_else(|| secrets::no_source("nobody is there to type the key".into()))?,
    };
    Value::new(key, expires_at).map_err(vault::failure)
}
