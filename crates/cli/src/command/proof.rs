//! `orch proof verify | show`, and the trust policy of a project.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use ::proof::body::Field;
use ::proof::bundle::Bundle;
use ::proof::key::PublicKey;
use ::proof::verify::{Level, Signer, TrustPolicy, TrustedKey, Verdict, verify};
use schema::hash::Hash;
use schema::ocb::{Item, Profile};
use serde_json::{Value, json};

use super::Context;
use crate::args::Proof;
use crate::exit::{Exit, Failure};

/// Bytes of the largest bundle that is read.
const BUNDLE_BYTES_MAX: u64 = 256 << 20;

/// Runs one of the subcommands.
pub(crate) fn run(context: &Context, args: &Proof) -> Result<(), Failure> {
    match args {
        Proof::Verify { file, trust } => verify_file(context, file, trust),
        Proof::Show { file } => show(context, file),
    }
}

/// The keys that this project trusts by default: that of its own runtime, where it has one.
pub(crate) fn project_policy(context: &Context) -> Result<TrustPolicy, Failure> {
    local_policy(&context.config.state_folder())
}

/// The key of the runtime whose state lies in `folder`.
pub(crate) fn local_policy(folder: &Path) -> Result<TrustPolicy, Failure> {
    if !folder.join(runtime::keys::KEY_FILE).exists() {
        return Ok(TrustPolicy::default());
    }
    let key = runtime::keys::load_or_create(folder)
        .map_err(|error| Failure::new(Exit::Failed, error.code(), error.to_string(), ""))?;
    Ok(TrustPolicy::of_key(key.public(), "this project's runtime"))
}

/// The verdict on a bundle.
pub(crate) fn check(bundle: &[u8], policy: &TrustPolicy) -> Verdict {
    verify(bundle, policy)
}

/// The verdict on a bundle in a few words.
pub(crate) fn verdict_line(bundle: &[u8], policy: &TrustPolicy) -> String {
    let verdict = verify(bundle, policy);
    let level = verdict.level.map_or("none", level_name);
    match (&verdict.signer, verdict.valid) {
        (_, false) => match verdict.failures.first() {
            Some(failure) => format!("REFUSED, {}: {}", failure.code, failure.message),
            None => "REFUSED".into(),
        },
        (Signer::Trusted { name, .. }, true) => format!("verified, level {level}, signed by {name}"),
        (Signer::Unknown { key }, true) => {
            format!("holds, level {level}, but the signer {key} is not known here")
        }
        (Signer::None, true) => format!("holds, level {level}, signed by nobody"),
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::L0 => "L0",
        Level::L1 => "L1",
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    fs::File::open(file).and_then(|file| file.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(
        |error| {
            Failure::new(
                Exit::Usage,
                "E1502",
                format!("{} cannot be read: {error}", file.display()),
                "check the path",
            )
        },
    )?;
    if bytes.len() as u64 > BUNDLE_BYTES_MAX {
        let message = format!("{} is larger than {} MiB", file.display(), BUNDLE_BYTES_MAX >> 20);
        return Err(Failure::new(Exit::ProofRefused, "E1301", message, "no bundle is that large"));
    }
    Ok(bytes)
}

fn policy(context: &Context, trust: &[String]) -> Result<TrustPolicy, Failure> {
    if trust.is_empty() {
        return project_policy(context);
    }
    let mut policy = TrustPolicy::default();
    for key in trust {
        // A key is 32 bytes in hex, as a hash is.
        let bytes: Hash = key.parse().map_err(|_| {
            Failure::new(
                Exit::Usage,
                "E1507",
                format!("`{key}` is no public key"),
                "a key is 64 lower-case hex digits",
            )
        })?;
        policy
            .runtime_keys
            .insert(PublicKey(bytes.0), TrustedKey { name: "--trust".into(), ..TrustedKey::default() });
    }
    Ok(policy)
}

fn verify_file(context: &Context, file: &Path, trust: &[String]) -> Result<(), Failure> {
    let bytes = read(file)?;
    let verdict = verify(&bytes, &policy(context, trust)?);
    if context.output.json {
        context.output.data(&serde_json::to_string(&verdict).unwrap_or_default());
    } else {
        context.output.data(&describe(&verdict));
    }
    match (verdict.valid, verdict.is_attributed()) {
        (true, true) => Ok(()),
        (true, false) => Err(Failure::said(Exit::UnknownSigner)),
        (false, _) => Err(Failure::said(Exit::ProofRefused)),
    }
}

fn describe(verdict: &Verdict) -> String {
    let mut lines = vec![match (&verdict.signer, verdict.valid) {
        (_, false) => "REFUSED".to_owned(),
        (Signer::Trusted { name, key }, true) => format!("VERIFIED: signed by {name} ({key})"),
        (Signer::Unknown { key }, true) => {
            format!(
                "NOT ATTRIBUTED: the bundle is whole, but its signer {key} is not trusted here (see --trust)"
            )
        }
        (Signer::None, true) => {
            "NOT ATTRIBUTED: the bundle agrees with itself, but nobody signed it".to_owned()
        }
    }];
    for failure in &verdict.failures {
        let place = failure.node.as_ref().map(|node| format!(" at {node}")).unwrap_or_default();
        lines.push(format!("  {}{place}: {}", failure.code, failure.message));
    }
    if let Some(run) = &verdict.run {
        lines.push(format!("  run        {}", run.run_id));
        lines.push(format!("  proof id   {}", run.proof_id));
        lines.push(format!("  plan       {}", run.plan_hash));
        lines.push(format!("  leaves     {}", run.leaves));
    }
    if let Some(level) = verdict.level {
        let calls: Vec<String> = verdict
            .histogram
            .iter()
            .map(|(level, calls)| format!("{calls} at {}", level_name(*level)))
            .collect();
        lines.push(format!("  level      {} (calls: {})", level_name(level), calls.join(", ")));
    }
    if !verdict.not_proven.is_empty() {
        lines.push("  not proven:".into());
        lines.extend(verdict.not_proven.iter().map(|item| format!("    - {item}")));
    }
    lines.join("\n")
}

fn show(context: &Context, file: &Path) -> Result<(), Failure> {
    let bytes = read(file)?;
    let policy = project_policy(context)?;
    let verdict = verify(&bytes, &policy);
    let refused = |message: String| {
        Failure::new(
            Exit::ProofRefused,
            "E1301",
            format!("{}: {message}", file.display()),
            "it is no proof bundle, or a damaged one",
        )
    };
    let bundle = Bundle::from_bytes(&bytes).map_err(|error| refused(error.to_string()))?;
    let shown =
        |field| bundle.disclosed(None, field).map_or(Value::Null, |shown| disclosed_json(&shown.bytes));
    let document = json!({
        "verdict": verdict,
        "bytes": bytes.len(),
        "inputs": shown(Field::RunInput),
        "output": shown(Field::RunOutput),
    });
    if context.output.json {
        context.output.data(&document.to_string());
        return Ok(());
    }
    context.output.data(&describe(&verdict));
    for name in ["inputs", "output"] {
        let value = document.get(name).unwrap_or(&Value::Null);
        let text = if value.is_null() {
            "not shown".into()
        } else {
            serde_json::to_string_pretty(value).unwrap_or_default()
        };
        context.output.data(&format!("{name} {text}"));
    }
    Ok(())
}

/// Disclosed content as JSON: canonical values as the JSON they stand for.
fn disclosed_json(bytes: &[u8]) -> Value {
    Item::decode(bytes, Profile::Value).map_or(Value::Null, item_json)
}

fn item_json(item: Item) -> Value {
    match item {
        Item::Uint(number) => number.into(),
        Item::Nint(number) => {
            (-1 - i128::from(number)).to_string().parse().map_or(Value::Null, Value::Number)
        }
        Item::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Item::Text(text) => text.into(),
        Item::Array(items) => items.into_iter().map(item_json).collect(),
        Item::Map(entries) => {
            entries.into_iter().map(|(key, item)| (key.to_string(), item_json(item))).collect()
        }
        Item::TextMap(entries) => entries.into_iter().map(|(key, item)| (key.0, item_json(item))).collect(),
        Item::Bool(value) => value.into(),
        Item::Null => Value::Null,
        Item::Float(number) => number.into(),
    }
}
