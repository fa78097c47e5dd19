//! Endpoints as text: one spelling per place, everything ambiguous refused.
//!
//! URL parsers disagree about octal and dword addresses, `@`, backslashes, IDN and trailing dots, and each
//! disagreement is a way around a guard. So this parser knows one plain form and refuses the rest; it never repairs.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use super::{EgressPolicy, Refused, address};

/// Longest accepted endpoint, the length of a `Url` value.
const ENDPOINT_BYTES_MAX: usize = 2_048;
/// Longest DNS name and label.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;
/// The lowest port an axon may serve on, and the lowest besides 443 that is dialled at all: below it live mail,
/// shells and databases, which must not be talked to in HTTP.
const PORT_MIN: u16 = 1_025;
const HTTPS_PORT: u16 = 443;
const HTTP_PORT: u16 = 80;
/// Suffixes that no public resolver answers, but a private one may.
const LOCAL_SUFFIXES: [&str; 8] =
    ["localhost", "local", "internal", "intranet", "lan", "home.arpa", "localdomain", "corp"];

/// Scheme, host and port, in one normal spelling: what a secret is bound to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    text: Arc<str>,
    https: bool,
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Host {
    Name(Arc<str>),
    Address(IpAddr),
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Origin {
    /// Reads `https://host[:port]` or `http://host:port`, without a path.
    ///
    /// # Errors
    /// [`Refused::Spelling`].
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let (origin, path) = parse_endpoint(text)?;
        if path.is_empty() { Ok(origin) } else { Err(spelling(text, "an origin has no path")) }
    }

    /// The normal spelling: lower case, the scheme's own port left out.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `host[:port]`, as in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether it is reached by TLS.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The address, where the host is written as one.
    #[must_use]
    pub const fn socket_address(&self) -> Option<SocketAddr> {
        match &self.host {
            Host::Address(address) => Some(SocketAddr::new(*address, self.port)),
            Host::Name(_) => None,
        }
    }

    /// The host name; empty where the host is an address.
    pub(super) fn name(&self) -> &str {
        match &self.host {
            Host::Name(name) => name,
            Host::Address(_) => "",
        }
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Whether anything may ever be sent there; names are judged again by the addresses they resolve to.
    pub(super) fn admit(&self, policy: EgressPolicy) -> Result<(), Refused> {
        let refuse = |why| Err(Refused::Place { origin: self.to_string(), why });
        let local = policy.allow_loopback || policy.allow_private;
        match &self.host {
            Host::Address(ip) => {
                if let Some(range) = address::denied(*ip, policy) {
                    return Err(Refused::Address {
                        origin: self.to_string(),
                        address: *ip,
                        range: range.name(),
                    });
                }
            }
            Host::Name(name) if !local => {
                let suffix = |suffix: &&str| {
                    name.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                };
                if !name.contains('.') || LOCAL_SUFFIXES.iter().any(suffix) {
                    return refuse("the name is local, not public");
                }
            }
            Host::Name(_) => {}
        }
        match (&self.host, self.https) {
            (Host::Name(_), false) if !local => {
                refuse("plain HTTP is for addresses of validators and miners; a name needs https")
            }
            (_, false) if self.port < PORT_MIN => refuse("plain HTTP is dialled on ports from 1025 on"),
            (_, true) if self.port != HTTPS_PORT && self.port < PORT_MIN => {
                refuse("https is dialled on port 443 and on ports from 1025 on")
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn spelling(text: &str, why: &'static str) -> Refused {
    // A URL can hold credentials before an `@`; those must not come back in an error.
    let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    Refused::Spelling { text: shown.chars().filter(|c| !c.is_control()).take(80).collect(), why }
}

/// Splits an endpoint into its origin and its path, which is empty or begins with `/` and does not end in one.
pub(super) fn parse_endpoint(text: &str) -> Result<(Origin, String), Refused> {
    let refuse = |why| Err(spelling(text, why));
    if text.len() > ENDPOINT_BYTES_MAX {
        return refuse("it is longer than 2,048 bytes");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return refuse(
            "only visible ASCII without backslashes is accepted; write international names in punycode",
        );
    }
    if text.contains(['{', '}']) {
        return refuse("a part in braces has not been filled in; give this operation an endpoint");
    }
    let (https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return refuse("it must begin with https:// or http://"),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if text.contains('@') {
        return refuse("user names and passwords are not accepted in it");
    }
    if text.contains(['?', '#']) {
        return refuse("a query or fragment does not belong in it");
    }
    let (host, port) = match split_port(authority) {
        Ok((host, None)) => (host, if https { HTTPS_PORT } else { HTTP_PORT }),
        Ok((host, Some(port))) => (host, port),
        Err(why) => return refuse(why),
    };
    let host = parse_host(host).map_err(|why| spelling(text, why))?;
    let path = check_path(path).map_err(|why| spelling(text, why))?;
    Ok((Origin { text: normal(https, &host, port).into(), https, host, port }, path.into()))
}

fn normal(https: bool, host: &Host, port: u16) -> String {
    let host = match host {
        Host::Name(name) => name.to_string(),
        Host::Address(IpAddr::V4(address)) => address.to_string(),
        Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
    };
    match (https, port) {
        (true, HTTPS_PORT) => format!("https://{host}"),
        (false, HTTP_PORT) => format!("http://{host}"),
        (true, _) => format!("https://{host}:{port}"),
        (false, _) => format!("http://{host}:{port}"),
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let host_end = if authority.starts_with('[') {
        authority.find(']').map_or(authority.len(), |at| at + 1)
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at_checked(host_end).ok_or("its host is malformed")?;
    if rest.is_empty() {
        return Ok((host, None));
    }
    let digits = rest.strip_prefix(':').ok_or("its host is malformed")?;
    if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("its port is not a plain number from 1 to 65535");
    }
    digits
        .parse()
        .map(|port| (host, Some(port)))
        .map_err(|_| "its port is not a plain number from 1 to 65535")
}

fn parse_host(host: &str) -> Result<Host, &'static str> {
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or("its IPv6 address lacks the closing bracket")?;
        let address: Ipv6Addr =
            inner.parse().map_err(|_| "what stands in brackets is not an IPv6 address")?;
        return Ok(Host::Address(address.into()));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let name = host.to_ascii_lowercase();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err("its host name must have 1 to 253 characters");
    }
    for label in name.split('.') {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if label.is_empty() || label.len() > LABEL_BYTES_MAX {
            return Err("its host name has an empty or over-long part, such as a trailing dot");
        }
        if !label.bytes().all(allowed) || label.starts_with('-') || label.ends_with('-') {
            return Err("its host name has characters that no public name has");
        }
    }
    // Resolvers read `0x7f000001`, `017700000001` and `127.1` as addresses; a name never ends in a number.
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return Err("its host is a number; write an address as four decimal numbers");
    }
    Ok(Host::Name(name.into()))
}

fn check_path(path: &str) -> Result<&str, &'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let lower = path.to_ascii_lowercase();
    if ["%2e", "%2f", "%5c", "%00", "%25"].iter().any(|escape| lower.contains(escape)) {
        return Err("its path hides dots, slashes or escapes behind percent-encoding");
    }
    let plain = |segment: &str| {
        segment != "."
            && segment != ".."
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(&byte))
    };
    let mut segments = path.split('/').skip(1).peekable();
    let empty_inside = path.split('/').skip(1).any(str::is_empty);
    if empty_inside || !segments.all(plain) {
        return Err("its path has empty or dot segments, or characters that need encoding");
    }
    Ok(path)
}
