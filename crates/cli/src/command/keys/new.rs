//! A new key: whence it comes.

use jiff::Timestamp;
use keys::Value;
use secrecy::{ExposeSecret as _, SecretString};

use crate::args::NewKey;
use crate::exit::Failure;
use crate::{secrets, vault};

/// The key, from where `new` says, or typed as the answer to `question`; of these `parts`, where it has several.
pub(super) fn value(
    new: &NewKey,
    parts: &[String],
    question: &str,
    expires_at: Option<Timestamp>,
) -> Result<Value, Failure> {
    let mut seen = parts.to_vec();
    seen.sort();
    seen.dedup();
    if seen.len() < parts.len() {
        return Err(Failure::new("E1507", "--part names a part twice", "name each part once"));
    }
    let key = given(new)?;
    if parts.is_empty() {
        let key = key.map_or_else(|| typed(question), Ok)?;
        // The store would only say that no header can hold it.
        if key.expose_secret().trim().contains(['\r', '\n']) {
            let message = "the key has several lines, and a header has one";
            let help = "a key of several parts comes in lines `PART=VALUE`, and `--part PART` names each";
            return Err(Failure::new("E1106", message, help));
        }
        return Value::new(key, expires_at).map_err(vault::failure);
    }
    let parts = match &key {
        Some(lines) => parts_in(lines, parts)?,
        None => {
            let ask = |part: &String| Ok((part.clone(), typed(&format!("{part} of {question}"))?));
            parts.iter().map(ask).collect::<Result<_, Failure>>()?
        }
    };
    Value::of_parts(parts, expires_at).map_err(vault::failure)
}

/// What a source other than the prompt holds; `None` where none is named.
fn given(new: &NewKey) -> Result<Option<SecretString>, Failure> {
    Ok(Some(match (&new.from_env, &new.from_file, &new.from_keyring) {
        // Not even the name is shown: who writes `$NAME` has handed over the key itself.
        (Some(name), ..) => secrets::from_env(name).ok_or_else(|| {
            secrets::no_source(
                "the variable that --from-env names is not set, or holds no text (write its name, without a `$`)".into(),
            )
        })?,
        (_, Some(path), _) => secrets::from_file(path)?,
        (.., Some(entry)) => secrets::from_keyring(entry)?,
        (None, None, None) if new.stdin => secrets::from_stdin()?,
        (None, None, None) => return Ok(None),
    }))
}

fn typed(question: &str) -> Result<SecretString, Failure> {
    secrets::ask(question)?.ok_or_else(|| secrets::no_source("nobody is there to type the key".into()))
}

/// The parts of a key in lines `PART=VALUE`: those that are wanted, each once. No message shows a line.
fn parts_in(lines: &SecretString, wanted: &[String]) -> Result<Vec<(String, SecretString)>, Failure> {
    let all = wanted.join("`, `");
    let wrong =
        |what: &str| secrets::no_source(format!("{what}; write one line `PART=VALUE` for each of `{all}`"));
    let mut parts: Vec<(String, SecretString)> = Vec::new();
    for line in lines.expose_secret().lines().filter(|line| !line.trim().is_empty()) {
        let (part, value) = line.split_once('=').ok_or_else(|| wrong("the source has a line without `=`"))?;
        let part = wanted.iter().find(|wanted| *wanted == part.trim());
        let part = part.ok_or_else(|| wrong("the source has a line for a part that no --part names"))?;
        if parts.iter().any(|(earlier, _)| earlier == part) {
            return Err(wrong("the source has a part twice"));
        }
        parts.push((part.clone(), SecretString::from(value)));
    }
    if parts.len() < wanted.len() {
        return Err(wrong("the source lacks a part"));
    }
    Ok(parts)
}
