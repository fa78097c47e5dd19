//! The file of tokens that a server accepts: who holds them and what they may do. Of a token itself it has a hash.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use jiff::Timestamp;
use keys::TENANT_BYTES_MAX;
use runtime::{DEFAULT_TENANT, SpendCap};
use schema::amount::Amount;
use schema::hash::Hash;
use serde::{Deserialize, Serialize};
use server::access::{Access, Grant, token_hash};

use crate::exit::Failure;
use crate::project::reason;

/// What a token begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "orch_";
/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;
/// The token of this process as a client; with `_FILE` at its end, a file with it.
const VARIABLE: &str = "ORCHESTRA_TOKEN";

/// What a client does that a server asks for a token.
pub(crate) const HOW_TO_SHOW: &str = "put the token that you were given into ORCHESTRA_TOKEN, or the name of a file that \
                                      holds it into ORCHESTRA_TOKEN_FILE";

/// The tokens of a server, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Tokens(pub(crate) BTreeMap<String, Token>);

/// What a token may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// SHA-256 of the token, 64 hex digits.
    pub(crate) sha256: String,
    /// What all its runs may cost together, one amount for each currency; without a limit where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spend_max: Option<Vec<String>>,
    /// What each request counts for at least whose price nobody has published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unpriced_min: Option<String>,
    /// Whether it may publish.
    #[serde(default)]
    pub(crate) publish: bool,
    /// Whether its runs use keys of its own only.
    #[serde(default)]
    pub(crate) own_keys: bool,
    /// Until when it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
    /// When it was made.
    pub(crate) created: Timestamp,
}

impl Tokens {
    /// The tokens of the file. Where there is none there are no tokens, unless the file `is_named` by somebody: then it must
    /// be there, and a file that is there must hold one, or a server would serve everybody by mistake.
    pub(crate) fn read(path: &Path, is_named: bool) -> Result<Self, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => {
                return Err(unusable(path, "holds no token: remove it, if everybody is to be served"));
            }
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => return Ok(Self::default()),
            Err(error) => return Err(unusable(path, &format!("cannot be read: {}", reason(&error)))),
        };
        let tokens: Self = toml::from_str(&text)
            .map_err(|error| unusable(path, &format!("is broken: {}", error.message())))?;
        tokens.access(path)?;
        Ok(tokens)
    }

    /// Replaces the file in one step; without a token there is none.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let fail = |error: io::Error| unusable(path, &format!("cannot be written: {}", reason(&error)));
        if self.0.is_empty() {
            return fs::remove_file(path).map_err(fail);
        }
        let text = toml::to_string(self).map_err(|error| unusable(path, &error.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(fail)?;
        // For its owner alone from the first moment.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(fail)?;
        file.persist(path).map_err(|error| fail(error.error))?;
        Ok(())
    }

    /// One that may spend so much and no more over all its runs.
    pub(crate) fn first_with_cap(&self) -> Option<&str> {
        self.0.iter().find(|(_, token)| token.spend_max.is_some()).map(|(name, _)| name.as_str())
    }

    /// What a server makes of them; they are those of the file at `path`.
    pub(crate) fn access(&self, path: &Path) -> Result<Access, Failure> {
        let grants = self.0.iter().map(|(name, token)| {
            let wrong = |why: String| unusable(path, &format!("has a token `{name}` {why}"));
            token.grant(name).map_err(wrong)
        });
        Ok(Access::new(grants.collect::<Result<BTreeMap<Hash, Grant>, Failure>>()?))
    }
}

impl Token {
    fn grant(&self, name: &str) -> Result<(Hash, Grant), String> {
        check_name(name)?;
        let hash = self.sha256.parse().map_err(|_| "whose `sha256` is not 64 hex digits".to_owned())?;
        let grant = Grant {
            name: name.to_owned(),
            spend_cap: self
                .spend_max
                .as_deref()
                .map(|max| spend_cap(max, self.unpriced_min.as_deref()))
                .transpose()?,
            may_publish: self.publish,
            own_keys: self.own_keys,
            expires_at: self.expires,
        };
        Ok((hash, grant))
    }
}

/// A new token; it is nowhere but in the answer.
pub(crate) fn new_token() -> Result<(String, String), Failure> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new("E1179", format!("the operating system gave no random bytes: {error}"), "")
    })?;
    let token = format!("{PREFIX}{}", Hash(bytes).to_hex());
    let hash = token_hash(&token).to_hex();
    Ok((token, hash))
}

/// A cap of these amounts, with what a request without a published price counts for at least; or what is wrong with one.
pub(crate) fn spend_cap(amounts: &[String], unpriced_min: Option<&str>) -> Result<SpendCap, String> {
    let mut parsed: Vec<Amount> = Vec::new();
    for text in amounts {
        let amount: Amount = text
            .parse()
            .map_err(|_| format!("with a limit of `{text}`, which is no amount such as `5 USD`"))?;
        if parsed.iter().any(|earlier| earlier.currency == amount.currency) {
            return Err(format!("with two limits in {}", amount.currency.symbol()));
        }
        parsed.push(amount);
    }
    if parsed.is_empty() {
        return Err("with an empty `spend_max`; leave it out where there is to be no limit".to_owned());
    }
    let cap = SpendCap::new(parsed);
    Ok(match unpriced_min {
        Some(text) => cap.with_unpriced_min(amount(text)?),
        None => cap,
    })
}

fn amount(text: &str) -> Result<Amount, String> {
    text.parse().map_err(|_| format!("with a limit of `{text}`, which is no amount such as `5 USD`"))
}

/// Whether runs can belong to the name.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name == DEFAULT_TENANT {
        return Err(format!(
            "with the name `{DEFAULT_TENANT}`, to which everything belongs that was done without a token"
        ));
    }
    if !keys::is_tenant(name) {
        return Err(format!("whose name is not 1 to {TENANT_BYTES_MAX} letters, digits, `-`, `_` and `.`"));
    }
    Ok(())
}

/// The token that this process shows to servers.
pub(crate) fn own() -> Result<Option<String>, Failure> {
    if let Some(token) = env::var_os(VARIABLE) {
        let token = token.into_string().map_err(|_| unusable_own("is no text"))?;
        return Ok(Some(token.trim().to_owned()).filter(|token| !token.is_empty()));
    }
    let Some(path) = env::var_os(format!("{VARIABLE}_FILE")).map(PathBuf::from) else { return Ok(None) };
    let text = fs::read_to_string(&path)
        .map_err(|error| unusable(&path, &format!("cannot be read: {}", reason(&error))))?;
    Ok(Some(text.trim().to_owned()))
}

/// A token of this process that no header can hold.
pub(crate) fn unusable_own(why: &str) -> Failure {
    Failure::new("E1522", format!("the token in {VARIABLE} {why}"), "write it as `orch tokens add` showed it")
}

fn unusable(path: &Path, why: &str) -> Failure {
    let help = "docs/tokens.md has its form; `orch tokens` makes and changes it";
    Failure::new("E1522", format!("{} {why}", path.display()), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_is_wrong_names_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/tokens.toml");
        let (token, sha256) = new_token().unwrap();
        let row = Token {
            sha256,
            spend_max: Some(vec!["5 USD".into(), "0.5 TAO".into()]),
            unpriced_min: None,
            publish: true,
            own_keys: false,
            expires: None,
            created: Timestamp::UNIX_EPOCH,
        };
        Tokens(BTreeMap::from([("agent".to_owned(), row)])).write(&path).unwrap();
        let read = Tokens::read(&path, true).unwrap();
        assert_eq!(read.0["agent"].sha256, token_hash(&token).to_hex());
        assert!(!fs::read_to_string(&path).unwrap().contains(token.trim_start_matches(PREFIX)));
        for (name, change, wrong) in [
            ("agent", "spend_max = [\"5\"]", "has a token `agent` with a limit of `5`"),
            ("agent", "spend_max = [\"5 USD\", \"6 USD\"]", "with two limits in USD"),
            ("agent", "spend_max = []", "with an empty `spend_max`"),
            ("default", "", "with the name `default`"),
            ("\"a/b\"", "", "has a token `a/b` whose name is not"),
            ("agent", "spend = 1", "is broken: unknown field `spend`"),
        ] {
            let zeros = "00".repeat(32);
            let text =
                format!("[{name}]\nsha256 = \"{zeros}\"\ncreated = \"2026-01-01T00:00:00Z\"\n{change}\n");
            fs::write(&path, text).unwrap();
            let refused = Tokens::read(&path, true).unwrap_err();
            assert!(refused.message.contains(wrong) && refused.code == "E1522", "{}", refused.message);
        }
        assert!(Tokens::read(&folder.path().join("none"), false).unwrap().0.is_empty());
        for (text, named) in [("", false), (" \n", true)] {
            fs::write(&path, text).unwrap();
            assert!(
                Tokens::read(&path, named).unwrap_err().message.ends_with("if everybody is to be served")
            );
        }
        assert!(
            Tokens::read(&folder.path().join("none"), true).unwrap_err().message.contains("cannot be read")
        );
    }
}
