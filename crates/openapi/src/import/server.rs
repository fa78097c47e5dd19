//! Where the operations of a document are served.

use schema::operation::{climbs, encoded_path};
use serde_json::Value as Json;

use super::{Notes, Origin};
use crate::dialect::Dialect;
use crate::document::{Document, Operation, below};
use crate::error::{BAD_SERVER, Error, shown};

/// Stands for the host of a document that names none; the deployment fills it in.
const UNKNOWN_HOST: &str = "https://{host}";

impl Document {
    /// The base URL of an operation, without a `/` at its end.
    ///
    /// # Errors
    /// [`BAD_SERVER`] for an address that is no base URL.
    pub(super) fn base_url(
        &self,
        operation: &Operation,
        origin: &Origin,
        notes: &mut Notes,
    ) -> Result<String, Error> {
        if let Some(server) = &origin.server {
            return settled(server, "#/servers", &origin.reference);
        }
        match self.dialect {
            Dialect::Swagger2 => self.swagger_base(origin, notes),
            Dialect::OpenApi30 | Dialect::OpenApi31 => self.server(operation, origin, notes),
        }
    }

    fn server(&self, operation: &Operation, origin: &Origin, notes: &mut Notes) -> Result<String, Error> {
        for place in [operation.at.as_str(), operation.item.as_str(), "#"] {
            let Some(servers) = self.resolve(place, place)?.get("servers") else { continue };
            let at = below(place, "servers");
            let servers = servers.as_array().ok_or_else(|| Error::malformed(&at, "`servers` is a list"))?;
            let urls: Vec<(String, bool)> = servers.iter().filter_map(filled).collect();
            // A list with `http://localhost` for developers before the real one is common.
            let best = urls.iter().position(|(url, _)| url.starts_with("https://")).unwrap_or(0);
            let Some((url, by_default)) = urls.get(best) else { continue };
            let rest = if *by_default { ", its variables by their defaults" } else { "" };
            match urls.len() {
                1 if !by_default => {}
                1 => notes.chosen("base_url", format!("`{}`{rest}", shown(url))),
                all => notes.chosen("base_url", format!("`{}`, one of {all} servers{rest}", shown(url))),
            }
            return settled(url, &format!("{at}/{best}/url"), &origin.reference)
                .inspect(|base| note_unknown(base, notes));
        }
        settled("", "#", &origin.reference).inspect(|base| note_unknown(base, notes))
    }

    fn swagger_base(&self, origin: &Origin, notes: &mut Notes) -> Result<String, Error> {
        let word = |key: &str| self.root.get(key).and_then(Json::as_str).unwrap_or_default();
        let path = match word("basePath") {
            "/" => "",
            path => path,
        };
        let schemes = self.root.get("schemes").and_then(Json::as_array);
        let schemes: Vec<&str> = schemes.into_iter().flatten().filter_map(Json::as_str).collect();
        let scheme = match schemes.first() {
            Some(_) if schemes.contains(&"https") => "https",
            Some(first) => first,
            None if origin.reference.starts_with("http://") => "http",
            None => "https",
        };
        let url = match word("host") {
            "" => path.to_owned(),
            host => format!("{scheme}://{host}{path}"),
        };
        settled(&url, "#/host", &origin.reference).inspect(|base| note_unknown(base, notes))
    }
}

/// The base URL of descriptors, which name none: what `origin` says, else a host that the deployment fills in.
///
/// # Errors
/// [`BAD_SERVER`] for an address that is no base URL.
pub(crate) fn settled_server(origin: &Origin, notes: &mut Notes) -> Result<String, Error> {
    let server = origin.server.as_deref().unwrap_or(UNKNOWN_HOST);
    settled(server, "#/servers", &origin.reference).inspect(|base| note_unknown(base, notes))
}

fn note_unknown(base: &str, notes: &mut Notes) {
    if base.starts_with(UNKNOWN_HOST) {
        notes.guessed(
            "base_url",
            "its host is not known: `--base-url` names it, or `[endpoints]` in orchestra.toml",
        );
    }
}

/// The URL of a server with the defaults of its variables, and whether it has any; a variable without one stays in
/// braces.
fn filled(server: &Json) -> Option<(String, bool)> {
    let template = server.get("url")?.as_str()?;
    let mut url = template.to_owned();
    let variables = server.get("variables").and_then(Json::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        if let Some(default) = variable.get("default").and_then(Json::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    let by_default = url != template;
    Some((url, by_default))
}

/// A base URL in one spelling; one that names no host is resolved at the address of its document.
fn settled(url: &str, at: &str, document: &str) -> Result<String, Error> {
    let refused = |why: &str| Err(Error::new(BAD_SERVER, at, format!("the server `{}` {why}", shown(url))));
    let url = url.trim();
    if url.contains(['?', '#', '@']) || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refused("is no base URL: it has a query, credentials or blanks");
    }
    let whole = match url.split_once("://") {
        Some(("https" | "http", host)) if !host.starts_with('/') && !host.is_empty() => url.to_owned(),
        Some(_) => return refused("is not reached by https or http"),
        None => {
            let (root, folder) = home_of(document);
            match url.trim_start_matches("./") {
                path if url.starts_with('/') => format!("{root}{path}"),
                "" | "." if url.is_empty() => root,
                path => format!("{root}{folder}{path}"),
            }
        }
    };
    let whole = whole.trim_end_matches('/');
    let host_end = whole.find("://").map_or(0, |at| at + 3);
    let path_at =
        whole.get(host_end..).and_then(|rest| rest.find('/')).map_or(whole.len(), |at| host_end + at);
    let (host, path) = whole.split_at_checked(path_at).unwrap_or((whole, ""));
    if climbs(path) {
        return refused("has dot segments (`.` or `..`), which lead elsewhere");
    }
    Ok(format!("{host}{}", encoded_path(path)))
}

/// Scheme with host, and folder, of the address of a document.
fn home_of(document: &str) -> (String, String) {
    let is_address = document.starts_with("https://") || document.starts_with("http://");
    let (scheme, rest) = match document.split_once("://") {
        Some(parts) if is_address => parts,
        _ => return (UNKNOWN_HOST.to_owned(), "/".to_owned()),
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    (format!("{scheme}://{host}"), format!("/{folder}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_resolved_at_the_address_of_their_document() {
        for (url, document, base) in [
            ("https://a.example/v1/", "x.json", "https://a.example/v1"),
            ("/v1", "https://a.example/docs/openapi.json", "https://a.example/v1"),
            ("./v1", "https://a.example/docs/openapi.json", "https://a.example/docs/v1"),
            ("", "https://a.example/docs/openapi.json", "https://a.example"),
            ("/", "https://a.example", "https://a.example"),
            ("https://a.example/caf\u{e9}/{v}/", "x.json", "https://a.example/caf%C3%A9/{v}"),
            ("/v1", "openapi.json", "https://{host}/v1"),
            ("", "openapi.json", "https://{host}"),
        ] {
            assert_eq!(settled(url, "#", document).as_deref(), Ok(base), "{url} of {document}");
        }
        for url in [
            "ftp://a.example",
            "https://",
            "https:///etc",
            "https://u:p@a.example",
            "../up",
            "https://a b",
            "https://a.example/./v1",
            "https://a.example/%2e%2e/v1",
        ] {
            let error = settled(url, "#/servers/0/url", "x.json").unwrap_err();
            assert_eq!((error.code, error.at.as_str()), (BAD_SERVER, "#/servers/0/url"), "{url}");
        }
    }
}
