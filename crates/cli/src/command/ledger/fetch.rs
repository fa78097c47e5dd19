//! Documents from addresses, for the commands that read them.

use std::time::Duration;

use openapi::DOCUMENT_BYTES_MAX;
use subnet::egress::{Egress, ExchangeError, FetchError, Options};

use crate::config::Config;
use crate::exit::Failure;

/// Longest time for one document.
pub(super) const FETCH_TIME: Duration = Duration::from_secs(20);

/// The way out for documents: one request at a time to a host, and nothing larger than a document may be.
pub(super) fn egress(config: &Config) -> Result<Egress, Failure> {
    let mut options =
        Options { in_flight_per_host: 1, body_bytes_max: DOCUMENT_BYTES_MAX, ..Options::default() };
    options.policy.allow_loopback = config.development().allow_loopback;
    options.policy.allow_private = config.development().allow_private;
    options.extra_roots_pem = config.extra_roots()?;
    Egress::new(options).map_err(|error| Failure::new(error.code(), error.to_string(), ""))
}

/// Why there is no document, with what to do.
pub(super) fn failure(url: &str, error: &FetchError) -> Failure {
    let url = openapi::public_address(url);
    let message = format!("{url}: {error}");
    match error {
        FetchError::Exchange(ExchangeError::Refused(refused)) => {
            let help = "documents are fetched from public https addresses; for one on this machine say \
                        `allow_loopback = true` under `[development]` in orchestra.toml";
            Failure::new(refused.code(), refused.to_string(), help)
        }
        FetchError::Exchange(ExchangeError::BodyTooLarge { limit }) => {
            let help = "save the part you need to a file, and add that";
            Failure::new("E1251", format!("{url}: the document has more than {limit} bytes"), help)
        }
        FetchError::Status { location: Some(_), .. } => {
            Failure::new("E1540", message, "redirects are not followed: name the address it leads to")
        }
        FetchError::Status { .. } => {
            let help = "open the address in a browser: a document is JSON or YAML, often at /openapi.json; one that needs \
                        a login can be saved to a file";
            Failure::new("E1540", message, help)
        }
        _ => Failure::new("E1540", message, "check the address and the network, and try again"),
    }
}
