//! How a caller identifies itself, from the security schemes of a document.

use std::collections::{BTreeMap, BTreeSet};

use schema::operation::Auth;
use serde_json::{Map, Value as Json};

use super::Notes;
use crate::dialect::Dialect;
use crate::document::{Document, Operation, below, object};
use crate::error::{Error, UNSPEAKABLE, shown};
use crate::secrets::is_secret;

/// Longest name of a part of a key that is made of a scheme's name.
const PART_NAME_CHARS_MAX: usize = 32;

/// A plain token in the header that is made for it.
pub(crate) fn bearer() -> Auth {
    header("Authorization", "Bearer <key>")
}

/// A key in a header.
pub(crate) fn header(name: &str, format: &str) -> Auth {
    Auth::Header { name: name.into(), format: format.into() }
}

impl Document {
    /// How an operation is called: by the first of its alternatives that can be spoken.
    ///
    /// # Errors
    /// [`UNSPEAKABLE`] with the reason for each where none can; [`Error`] where a part has the wrong form.
    pub(super) fn auth(&self, operation: &Operation, notes: &mut Notes) -> Result<Auth, Error> {
        let own = self.members(operation)?.get("security").map(|own| (own, below(&operation.at, "security")));
        let of_all = || self.root.get("security").map(|all| (all, "#/security".to_owned()));
        let Some((security, at)) = own.or_else(of_all) else {
            return self.auth_by_name(operation, false, notes);
        };
        let alternatives =
            security.as_array().ok_or_else(|| Error::malformed(&at, "`security` is a list"))?;
        if alternatives.is_empty() {
            return self.auth_by_name(operation, true, notes);
        }
        let mut reasons = Vec::new();
        for (place, alternative) in alternatives.iter().enumerate() {
            let at = format!("{at}/{place}");
            // What is told of one that is not taken would contradict the entry.
            let mut told = Notes::default();
            match self.alternative(
                object(alternative, &at, "an alternative of `security`")?,
                &at,
                &mut told,
            )? {
                Ok((auth, name)) => {
                    if auth == Auth::None {
                        let shown = self.auth_by_name(operation, true, notes)?;
                        if shown != Auth::None {
                            return Ok(shown);
                        }
                    }
                    notes.0.append(&mut told.0);
                    if alternatives.len() > 1 {
                        let of = alternatives.len();
                        notes.chosen("auth", format!("{name}, the first of {of} ways that can be spoken"));
                    }
                    return Ok(auth);
                }
                Err(reason) => reasons.push(reason),
            }
        }
        let message = format!("no way in can be spoken: {}", reasons.join("; "));
        Err(Error::new(UNSPEAKABLE, at, message))
    }

    /// One alternative: what it asks for together; with the name to tell, or the reason against it.
    fn alternative(
        &self,
        schemes: &Map<String, Json>,
        at: &str,
        notes: &mut Notes,
    ) -> Result<Result<(Auth, String), String>, Error> {
        let mut together = Vec::with_capacity(schemes.len());
        for name in schemes.keys() {
            match self.scheme(name, at, notes)? {
                Ok(auth) => together.push((shown(name), auth)),
                Err(why) => return Ok(Err(why)),
            }
        }
        let names = together.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        Ok(match together.len() {
            0 => Ok((Auth::None, "no key".into())),
            1 => Ok((together.swap_remove(0).1, names)),
            _ => match parts_of(&together) {
                Some(headers) => {
                    let parts =
                        together.iter().map(|(name, _)| part_name(name)).collect::<Vec<_>>().join("`, `");
                    notes.chosen("auth", format!("a key of several parts, `{parts}`, each in its header"));
                    Ok((Auth::Headers { headers }, names))
                }
                None => Err(format!(
                    "{names} are asked for together, and not all are keys in headers of their own"
                )),
            },
        })
    }

    fn scheme(&self, name: &str, at: &str, notes: &mut Notes) -> Result<Result<Auth, String>, Error> {
        let folder = match self.dialect {
            Dialect::Swagger2 => "#/securityDefinitions",
            Dialect::OpenApi30 | Dialect::OpenApi31 => "#/components/securitySchemes",
        };
        let scheme_at = below(folder, name);
        let (scheme, scheme_at) = self.follow(self.resolve(&scheme_at, at)?, scheme_at)?;
        let scheme = object(scheme, &scheme_at, "a security scheme")?;
        Ok(spoken(scheme, notes).map_err(|why| format!("`{}` {why}", shown(name))))
    }

    /// Of an operation without security: documents made from code often show the key as a parameter only. Where the
    /// document says that there is no key (`is_open`), only one that must be given is taken for it.
    fn auth_by_name(&self, operation: &Operation, is_open: bool, notes: &mut Notes) -> Result<Auth, Error> {
        for (name, is_header, is_required) in self.named_parameters(operation)? {
            if !is_secret(&name) || (is_open && !is_required) {
                continue;
            }
            let (place, auth) = match (is_header, name.eq_ignore_ascii_case("authorization")) {
                (true, true) => ("header", bearer()),
                (true, false) => ("header", header(&name, "<key>")),
                (false, _) => ("query", Auth::Query { name: name.clone() }),
            };
            notes.guessed("auth", format!("the key goes in `{}` of the {place}, by its name", shown(&name)));
            return Ok(auth);
        }
        Ok(Auth::None)
    }
}

/// The headers of schemes that are asked for together, with a part of the key in each; `None` where one is no header, or
/// two are the same or have names that make one part.
fn parts_of(together: &[(String, Auth)]) -> Option<BTreeMap<String, String>> {
    let mut headers = BTreeMap::new();
    let mut parts = BTreeSet::new();
    for (name, auth) in together {
        let Auth::Header { name: header, format } = auth else { return None };
        let part = part_name(name);
        let format = format.replace("<key>", &format!("<{part}>"));
        if part.is_empty() || !parts.insert(part) || headers.insert(header.clone(), format).is_some() {
            return None;
        }
    }
    Some(headers)
}

/// The name of a scheme as one of a part: small letters, digits, `-` and `_`.
fn part_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    name.chars().take(PART_NAME_CHARS_MAX).map(plain).collect()
}

/// How a scheme is spoken, or why it cannot be.
fn spoken(scheme: &Map<String, Json>, notes: &mut Notes) -> Result<Auth, String> {
    let word = |key: &str| scheme.get(key).and_then(Json::as_str).unwrap_or_default();
    match (word("type"), word("in"), word("scheme").to_ascii_lowercase().as_str()) {
        ("apiKey", "header", _) if word("name").eq_ignore_ascii_case("authorization") => {
            // Hardly any service takes a bare key there, and Swagger 2.0 has no other way to say `Bearer`.
            notes.guessed("auth", "`Bearer <key>`: the document only says that the header holds the key");
            Ok(bearer())
        }
        ("apiKey", "header", _) if !word("name").is_empty() => Ok(header(word("name"), "<key>")),
        ("apiKey", "query", _) if !word("name").is_empty() => Ok(Auth::Query { name: word("name").into() }),
        ("apiKey", place, _) => Err(format!("is a key in `{}`", shown(place))),
        ("http", _, "bearer") => Ok(bearer()),
        ("http", _, "basic") | ("basic", ..) => {
            notes.chosen("auth", "the key is `user:password`, as it is or in base64");
            Ok(header("Authorization", "Basic <key>"))
        }
        ("http", _, other) => Err(format!("is the HTTP scheme `{}`", shown(other))),
        ("oauth2", ..) if is_plain_token(scheme) => {
            notes.chosen("auth", "the key is an OAuth 2 token, which has to be got beforehand");
            Ok(bearer())
        }
        ("oauth2", ..) => Err("is OAuth 2 that needs a person and a browser".into()),
        (other, ..) => Err(format!("is of the type `{}`", shown(other))),
    }
}

/// Whether a program can get the token by itself: OAuth 2 by password or client credentials.
fn is_plain_token(scheme: &Map<String, Json>) -> bool {
    let is_plain = |flow: &str| matches!(flow, "password" | "clientCredentials" | "application");
    match scheme.get("flows").and_then(Json::as_object) {
        Some(flows) => flows.keys().any(|flow| is_plain(flow)),
        None => scheme.get("flow").and_then(Json::as_str).is_some_and(is_plain),
    }
}
