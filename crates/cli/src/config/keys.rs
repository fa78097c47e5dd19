//! Reading `orchestra.toml`: what is wrong in it, in which line, and what was probably meant.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::{File, SECRETS_FILE};
use crate::project::reason;

/// Keys at the top of the file and in each of its closed sections.
const TOP: [&str; 8] =
    ["package", "server", "development", "endpoints", "secrets", "keys", "proofs", "hotkey"];
const SECTIONS: [(&str, &[&str]); 5] = [
    ("package", &["name"]),
    ("server", &["listen", "data", "store_bytes_max", "tokens", "openai_cost_max"]),
    ("development", &["samples", "sample_latency_ms", "allow_loopback", "allow_private", "extra_roots"]),
    ("keys", &["vault", "identity", "tenant"]),
    ("proofs", &["answers"]),
];

/// Bytes of the largest file that is read; it is configuration, not data.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What is wrong with a file.
#[derive(Debug)]
pub(super) struct Wrong {
    /// To be put behind the file's name: `:3: ..`.
    pub(super) what: String,
    pub(super) help: String,
}

impl File {
    /// Reads and checks the file.
    pub(super) fn read(path: &Path) -> Result<Self, Wrong> {
        let unreadable = |why: &str| Wrong {
            what: format!(" cannot be read: {why}"),
            help: "check the path (--config or ORCHESTRA_CONFIG names it; else it is the nearest above)"
                .into(),
        };
        let size = fs::metadata(path).map_err(|error| unreadable(&reason(&error)))?.len();
        if size > FILE_BYTES_MAX {
            return Err(unreadable(&format!("it has {size} bytes, at most {FILE_BYTES_MAX} are read")));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(&reason(&error)))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, Wrong> {
        // The parser's own text would quote the line, and with it a key that somebody wrote there.
        let broken = |error: toml::de::Error, help: &str| Wrong {
            what: format!(":{}: {}", line(text, error.span().map(|span| span.start)), error.message()),
            help: help.to_owned(),
        };
        let table: Table =
            toml::from_str(text).map_err(|error| broken(error, "mend the TOML in that line"))?;
        check_names(text, &table)?;
        refuse_plain_secrets(text, &table)?;
        toml::from_str(text).map_err(|error| broken(error, "the README of the project shows every section"))
    }
}

fn check_names(text: &str, table: &Table) -> Result<(), Wrong> {
    for (name, value) in table {
        known(text, name, &TOP, "orchestra.toml has no section or key", "it has")?;
        let keys = SECTIONS.iter().find(|(section, _)| section == name).map(|(_, keys)| *keys);
        if let (Some(keys), Value::Table(section)) = (keys, value) {
            for key in section.keys() {
                known(text, key, keys, &format!("[{name}] has no key"), "it takes")?;
            }
        }
    }
    let tenant = table.get("keys").and_then(|keys| keys.get("tenant")).and_then(Value::as_str);
    if let Some(tenant) = tenant.filter(|tenant| !::keys::is_tenant(tenant)) {
        return Err(Wrong {
            what: format!(":{}: `tenant` of [keys] is `{}`", line_of(text, "tenant"), tenant.escape_debug()),
            help: format!(
                "a tenant has 1 to {} letters, digits, `-`, `_` and `.`, as `orch keys add --tenant` takes it",
                ::keys::TENANT_BYTES_MAX
            ),
        });
    }
    let endpoints = table.get("endpoints").and_then(Value::as_table);
    for name in endpoints.into_iter().flat_map(Table::keys) {
        names_operations(text, "endpoints", name)?;
    }
    let secrets = table.get("secrets").and_then(Value::as_table);
    for name in secrets.into_iter().flat_map(Table::keys) {
        names_operations(text, "secrets", name)?;
    }
    Ok(())
}

fn known(text: &str, name: &str, names: &[&str], what: &str, all: &str) -> Result<(), Wrong> {
    if names.contains(&name) {
        return Ok(());
    }
    let help = plan_lang::suggest(name, names.iter().copied())
        .map_or_else(|| format!("{all} {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
    Err(Wrong { what: format!(":{}: {what} `{name}`", line_of(text, name)), help })
}

/// An entry for anything but a subnet or an operation would never be used, and nobody would notice.
fn names_operations(text: &str, section: &str, name: &str) -> Result<(), Wrong> {
    let subnet = name.split_once('.').map_or(name, |(subnet, _)| subnet);
    let netuid = subnet.strip_prefix("sn").and_then(|netuid| netuid.parse::<u16>().ok());
    if netuid.is_some_and(|netuid| format!("sn{netuid}") == subnet) {
        return Ok(());
    }
    Err(Wrong {
        what: format!(":{}: [{section}] has an entry `{name}`", line_of(text, name)),
        help: "name a subnet, such as sn22, or an operation, such as \"sn22.web_search\" in quotes".into(),
    })
}

/// A key in a file that is meant to be shared would end up in version control.
fn refuse_plain_secrets(text: &str, table: &Table) -> Result<(), Wrong> {
    let secrets = table.get("secrets").and_then(Value::as_table);
    for (name, entry) in secrets.into_iter().flatten() {
        if entry.get("value").is_some() {
            return Err(Wrong {
                what: format!(":{}: [secrets.{name}] holds a key", line_of(text, name)),
                help: format!(
                    "name an environment variable with `env`, or move the entry to {SECRETS_FILE}, readable by \
                     you alone"
                ),
            });
        }
    }
    Ok(())
}

/// The line of a byte, from 1.
fn line(text: &str, byte: Option<usize>) -> usize {
    let before = byte.and_then(|byte| text.get(..byte)).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// The first line in which `name` stands as a key or in a section's head.
fn line_of(text: &str, name: &str) -> usize {
    let is_key = |line: &str| {
        let line = line.trim();
        let head = line.strip_prefix('[').and_then(|line| line.split(']').next());
        let key = head.or_else(|| line.split('=').next()).unwrap_or_default();
        key.split('.').any(|part| part.trim().trim_matches('"') == name)
            || key.trim().trim_matches('"') == name
    };
    text.lines().position(is_key).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> (String, String) {
        let Wrong { what, help } = File::parse(text).unwrap_err();
        (what, help)
    }

    #[test]
    fn what_is_written_in_the_template_is_known() {
        for (_, keys) in SECTIONS {
            assert!(!keys.is_empty());
        }
        let text = "[package]\nname = \"x\"\n[server]\nlisten = \"127.0.0.1:0\"\ndata = \"d\"\nstore_bytes_max = 9\ntokens = \"t\"\n[development]\n\
                    samples = true\nsample_latency_ms = 5\nallow_loopback = true\nallow_private = true\nextra_roots = []\n\
                    [endpoints]\nsn8 = \"https://a.example\"\n\"sn8.trade\" = \"https://b.example\"\n\
                    [secrets.sn22]\norigin = \"https://c.example\"\nenv = \"KEY\"\n\
                    [keys]\nvault = \"v\"\nidentity = \"i\"\ntenant = \"t\"\n[proofs]\nanswers = true\n";
        assert!(File::parse(text).is_ok());
        assert!(File::parse("hotkey = \"k\"\n").is_ok());
    }

    #[test]
    fn unknown_names_are_answered_with_their_line_and_the_nearest_one() {
        let cases = [
            ("\n[servr]\n", ":2: orchestra.toml has no section or key `servr`", "did you mean `server`?"),
            ("[server]\nlsten = \"x\"\n", ":2: [server] has no key `lsten`", "did you mean `listen`?"),
            (
                "[server]\nport = 1\n",
                ":2: [server] has no key `port`",
                "it takes listen, data, store_bytes_max, tokens, openai_cost_max",
            ),
            (
                "[development]\nsample = true\n",
                ":2: [development] has no key `sample`",
                "did you mean `samples`?",
            ),
        ];
        for (text, what, help) in cases {
            assert_eq!(wrong(text), (what.to_owned(), help.to_owned()), "{text}");
        }
        assert_eq!(
            wrong("[endpoints]\nsubnet8 = \"https://a\"\n").0,
            ":2: [endpoints] has an entry `subnet8`"
        );
        assert_eq!(wrong("[secrets.sn022]\nenv = \"A\"\n").0, ":1: [secrets] has an entry `sn022`");
    }

    #[test]
    fn broken_text_and_wrong_types_are_answered_with_their_line_and_without_quoting_it() {
        let (what, _) = wrong("[secrets.sn22]\nvalue = \"hunter2\n");
        assert!(what.starts_with(":2: ") && !what.contains("hunter2"), "{what}");
        let (what, _) = wrong("[development]\nsamples = \"yes\"\n");
        assert!(what.starts_with(":2: ") && what.contains("boolean"), "{what}");
    }

    #[test]
    fn a_tenant_that_could_have_no_key_is_refused() {
        let (what, help) = wrong("[keys]\ntenant = \"../x\"\n");
        assert_eq!(what, ":2: `tenant` of [keys] is `../x`");
        assert!(help.contains("1 to 64 letters"), "{help}");
    }

    #[test]
    fn a_key_in_the_shared_file_is_refused() {
        let (what, help) = wrong("[secrets.sn22]\norigin = \"https://a\"\nvalue = \"hunter2\"\n");
        assert_eq!(what, ":1: [secrets.sn22] holds a key");
        assert!(help.contains(SECRETS_FILE) && !help.contains("hunter2"));
    }
}
