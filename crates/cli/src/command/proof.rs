//! `orch proof verify | show`, and whose proofs a project trusts.

mod show;

use std::path::Path;

use ::proof::key::PublicKey;
use ::proof::limits::BUNDLE_BYTES_MAX;
use ::proof::verify::{Attested, Level, Signer, TrustPolicy, TrustedKey, Verdict, verify_with};
use anstyle::{AnsiColor, Style};
use schema::hash::Hash;
use serde::Serialize;
use serde_json::{Value, json};

use super::Context;
use crate::args::Proof;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::project;
use crate::service::Connection;

/// Runs one of the subcommands.
pub(crate) fn run(context: &Context, args: &Proof) -> Result<(), Failure> {
    match args {
        Proof::Verify { file, trust } => verify_file(context, file, trust),
        Proof::Show { file, trust } => show::run(context, file, trust),
    }
}

/// Checks a bundle, and the signatures of the answers in it, by `policy`.
pub(crate) fn verify(bundle: &[u8], policy: &TrustPolicy) -> Verdict {
    verify_with(bundle, policy, subnet::hotkey::verify)
}

/// The verdict on a bundle in a few words.
pub(crate) fn verdict_line(verdict: &Verdict) -> String {
    let level = verdict.level.map_or("none", level_name);
    match (&verdict.signer, verdict.valid) {
        (_, false) => match verdict.failures.first() {
            Some(failure) => format!("REFUSED, {}: {}", failure.code, failure.message),
            None => "REFUSED".into(),
        },
        (Signer::Trusted { name, .. }, true) => format!("verified, level {level}, signed by {name}"),
        (Signer::Unknown { key }, true) => format!("whole, level {level}, signed by the unknown key {key}"),
        (Signer::None, true) => {
            format!("NOT SIGNED, level {level}: its hashes hold, and anyone could have written it")
        }
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::L0 => "L0",
        Level::L1 => "L1",
    }
}

/// The bytes of a bundle; what is larger than any bundle is cut, and the verifier says so.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    project::read(file, BUNDLE_BYTES_MAX as u64 + 1)
}

/// The keys named, else those of the project's own runtimes.
fn policy(context: &Context, trust: &[String]) -> Result<TrustPolicy, Failure> {
    if trust.is_empty() {
        return project_policy(&context.config()?);
    }
    let mut policy = TrustPolicy::default();
    for key in trust {
        // A key is 32 bytes in hex, as a hash is.
        let bytes: Hash = key.parse().map_err(|_| {
            let help = "a key is 64 lower-case hex digits; `orch proof verify` names the one that signed";
            Failure::new("E1507", format!("`{key}` is no public key"), help)
        })?;
        policy.runtime_keys.insert(
            PublicKey(bytes.0),
            TrustedKey { name: "a key of --trust".into(), ..TrustedKey::default() },
        );
    }
    Ok(policy)
}

/// The keys of `orch run` and `orch serve` in this project, so far as they have run here.
fn project_policy(config: &Config) -> Result<TrustPolicy, Failure> {
    let mut policy = TrustPolicy::default();
    for folder in [config.state_folder(), config.data_folder()] {
        if folder.join(runtime::keys::KEY_FILE).exists() {
            let key = runtime::keys::load_or_create(&folder)
                .map_err(|error| Failure::new(error.code(), error.to_string(), ""))?;
            let name = "this project's runtime".to_owned();
            policy.runtime_keys.insert(key.public(), TrustedKey { name, ..TrustedKey::default() });
        }
    }
    Ok(policy)
}

/// The keys whose proofs a command can vouch for. A server of this project signs with the project's key; of any other, only its
/// word would be had.
pub(crate) fn trusted(config: &Config, connection: &Connection) -> Result<TrustPolicy, Failure> {
    let mut trusted = project_policy(config)?;
    trusted.runtime_keys.extend(connection.trust().runtime_keys);
    Ok(trusted)
}

fn verify_file(context: &Context, file: &Path, trust: &[String]) -> Result<(), Failure> {
    let bytes = read(file)?;
    let verdict = verify(&bytes, &policy(context, trust)?);
    if context.output.json {
        context.output.document(&document(&verdict));
    } else {
        context.output.data(&describe(&verdict));
    }
    end(context, &verdict)
}

/// The verdict for programs: that every check held is one thing, that somebody answers for it another.
#[derive(Serialize)]
struct Document<'v> {
    #[serde(flatten)]
    verdict: &'v Verdict,
    signed: bool,
    attributed: bool,
}

fn document(verdict: &Verdict) -> Value {
    let (signed, attributed) = (verdict.signer != Signer::None, verdict.is_attributed());
    json!(Document { verdict, signed, attributed })
}

/// Ends the command as the verdict is, with what to do about it.
fn end(context: &Context, verdict: &Verdict) -> Result<(), Failure> {
    let (exit, help) = match (verdict.valid, verdict.is_attributed()) {
        (true, true) => return Ok(()),
        (true, false) => {
            let help = match &verdict.signer {
                Signer::Unknown { key } => format!(
                    "if you have this key from someone you trust, `--trust {key}` accepts what it signed"
                ),
                _ => "ask for the bundle as its runtime made it: nobody answers for this one".to_owned(),
            };
            (Exit::UnknownSigner, help)
        }
        (false, _) => {
            let code = verdict.failures.first().map_or("E1301", |failure| failure.code);
            let help = format!("do not rely on it; `orch explain {code}` says what was checked");
            (Exit::ProofRefused, help)
        }
    };
    if !context.output.json {
        context.output.note(&format!("  = help: {help}"));
    }
    Err(Failure::said(exit))
}

/// How many answers their peers signed, as far as it can be seen; nothing of those that have no signature.
fn answers(verdict: &Verdict) -> impl Iterator<Item = String> {
    let states = [
        (Attested::Attested, "signed by their peers, as they are shown here"),
        (Attested::BodyWithheld, "signed by their peers, by a hash: they are not shown"),
        (Attested::TextWithheld, "said to be signed by their peers: what was signed is not shown"),
        (Attested::Partly, "made of several, of which some are signed and some are not"),
        (Attested::Unchecked, "said to be signed by their peers: not checked"),
    ];
    let count = |state| verdict.steps.iter().filter(|step| step.attested == state).count();
    let counted = states.map(|(state, what)| (count(state), what)).into_iter();
    let some = counted.filter(|(count, _)| *count > 0);
    some.map(|(count, what)| format!("{count} of {} {what}", verdict.steps.len()))
}

/// The verdict for people.
fn describe(verdict: &Verdict) -> String {
    let mark = |color: AnsiColor, word: &str| {
        let style = Style::new().bold().fg_color(Some(color.into()));
        format!("{style}{word}{style:#}")
    };
    let mut lines = vec![match (&verdict.signer, verdict.valid) {
        (_, false) => format!("{}: this is not the proof of a run", mark(AnsiColor::Red, "REFUSED")),
        (Signer::Trusted { name, key }, true) => {
            format!("{}: signed by {name} ({key})", mark(AnsiColor::Green, "VERIFIED"))
        }
        (Signer::Unknown { key }, true) => format!(
            "{}: the bundle is whole, but its signer {key} is not trusted here",
            mark(AnsiColor::Yellow, "NOT ATTRIBUTED")
        ),
        (Signer::None, true) => format!(
            "{}: the hashes hold, and nobody signed it: anyone could have written all of it",
            mark(AnsiColor::Yellow, "NOT SIGNED")
        ),
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
        let calls =
            if calls.is_empty() { "no calls".to_owned() } else { format!("calls: {}", calls.join(", ")) };
        lines.push(format!("  level      {} ({calls})", level_name(level)));
        lines.extend(answers(verdict).map(|line| format!("  answers    {line}")));
    }
    if !verdict.not_proven.is_empty() {
        lines.push("  not proven:".into());
        lines.extend(verdict.not_proven.iter().map(|item| format!("    - {item}")));
    }
    lines.join("\n")
}
