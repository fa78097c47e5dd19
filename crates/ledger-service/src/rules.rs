//! What an entry must fulfil to be published.

use std::collections::BTreeSet;

use schema::operation::{
    Auth, CapabilityDescriptor, HttpBinding, OperationDescriptor, ParameterLocation, Transport,
};
use serde_json::Value;

use crate::entry::{Entry, SubnetDescriptor};
use crate::error::Error;
use crate::limits::{MAX_ADAPTERS, MAX_ENTRY_BYTES, MAX_ID_BYTES, MAX_SUMMARY_CHARS, MAX_TAGS};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// A broken rule: where in the entry, and what it is.
type Broken = (String, String);

/// Checks everything that can be said about an entry alone. Errors: [`Error::InvalidEntry`].
pub(crate) fn check(entry: &Entry, bytes: &[u8]) -> Result<(), Error> {
    let checked = match entry {
        Entry::Operation(descriptor) => operation(descriptor),
        Entry::Capability(descriptor) => capability(descriptor),
        Entry::Subnet(descriptor) => subnet(descriptor),
    };
    let sized = || {
        require(bytes.len() <= MAX_ENTRY_BYTES, "$", || {
            format!("{} bytes, above the limit of {MAX_ENTRY_BYTES}", bytes.len())
        })
    };
    checked.and_then(|()| sized()).map_err(|(path, reason)| Error::InvalidEntry {
        key: entry.key().chars().take(MAX_ID_BYTES).collect(),
        path,
        reason,
    })
}

fn operation(descriptor: &OperationDescriptor) -> Result<(), Broken> {
    let prefix = format!("sn{}.", descriptor.netuid);
    let name = descriptor.id.strip_prefix(&prefix);
    require(name.is_some_and(is_snake), "id", || {
        format!("an id is `{prefix}` and a name in lower case, digits and `_`")
    })?;
    require(descriptor.id.len() <= MAX_ID_BYTES, "id", || format!("longer than {MAX_ID_BYTES} bytes"))?;
    summary(&descriptor.summary)?;
    tags(&descriptor.tags)?;
    require(!descriptor.sources.is_empty(), "sources", || "at least one source is needed".to_owned())?;
    let is_object = descriptor.input.get("type").and_then(Value::as_str) == Some("object");
    require(is_object, "input.type", || "the input is an object of all parameters".to_owned())?;
    let unnamed = parameters(descriptor).iter().any(|name| name.trim().is_empty());
    require(!unnamed, "input.properties", || "every parameter has a name".to_owned())?;
    match &descriptor.transport {
        Transport::Http(http) => binding(http, &parameters(descriptor))?,
        Transport::Axon(axon) => {
            let known = parameters(descriptor);
            let unknown = axon.hash_fields.iter().find(|field| !known.contains(field.as_str()));
            require(unknown.is_none(), "transport.hash_fields", || {
                format!("`{}` is no parameter of the input", unknown.map_or("", String::as_str))
            })?;
        }
        Transport::Grpc(grpc) => {
            require(
                grpc.method.starts_with('/') && grpc.method.matches('/').count() == 2,
                "transport.method",
                || format!("`{}` is no gRPC method: one is `/package.Service/Method`", grpc.method),
            )?;
            has_scheme(&grpc.base_url)?;
        }
        Transport::Other { .. } => {}
    }
    delivery(descriptor)?;
    callable(descriptor)?;
    if let Some(cost) = &descriptor.observed_cost {
        cost.check().map_err(|(field, why)| (format!("observed_cost.{field}"), why))?;
    }
    match &descriptor.auth {
        Auth::Header { name, format } => {
            header_name(name, "auth.name")?;
            require(format.contains("<key>"), "auth.format", || {
                "the format names the key's place as `<key>`".to_owned()
            })
        }
        Auth::Headers { headers } => {
            require(headers.len() > 1, "auth.headers", || {
                "it names one header for each part of the key".to_owned()
            })?;
            for (name, format) in headers {
                header_name(name, "auth.headers")?;
                require(format.contains('<') && format.contains('>'), "auth.headers", || {
                    format!("the format of `{name}` names a part of the key, such as `<id>`")
                })?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn header_name(name: &str, field: &str) -> Result<(), Broken> {
    let is_one = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    require(is_one, field, || "a header name is letters, digits and `-`".to_owned())
}

fn delivery(descriptor: &OperationDescriptor) -> Result<(), Broken> {
    let Some(delivery) = &descriptor.delivery else { return Ok(()) };
    delivery.check(descriptor).map_err(|(field, why)| {
        (if field.is_empty() { "delivery".to_owned() } else { format!("delivery.{field}") }, why)
    })
}

/// What preparing a call would find: nobody should pin an entry that no request can be formed from.
fn callable(descriptor: &OperationDescriptor) -> Result<(), Broken> {
    subnet::entry::check(descriptor).map_err(|fault| (fault.path, fault.why))
}

fn parameters(descriptor: &OperationDescriptor) -> BTreeSet<&str> {
    let properties = descriptor.input.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str)).collect()
}

fn binding(http: &HttpBinding, parameters: &BTreeSet<&str>) -> Result<(), Broken> {
    require(METHODS.contains(&http.method.as_str()), "transport.method", || {
        format!("`{}` is none of {}", http.method, METHODS.join(", "))
    })?;
    has_scheme(&http.base_url)?;
    require(http.path.starts_with('/'), "transport.path", || "a path starts with `/`".to_owned())?;
    for (name, location) in &http.parameters {
        require(parameters.contains(name.as_str()), "transport.parameters", || {
            format!("`{name}` is no parameter of the input")
        })?;
        let in_path = http.path.contains(&format!("{{{name}}}"));
        require(in_path == (*location == ParameterLocation::Path), "transport.parameters", || {
            format!("`{name}` and the path template disagree")
        })?;
    }
    for name in placeholders(&http.path) {
        require(http.parameters.contains_key(name), "transport.path", || {
            format!("`{{{name}}}` is no path parameter")
        })?;
    }
    for name in http.fixed_body.keys() {
        require(!parameters.contains(name.as_str()), "transport.fixed_body", || {
            format!("`{name}` is also a parameter")
        })?;
    }
    Ok(())
}

fn has_scheme(base_url: &str) -> Result<(), Broken> {
    let has_scheme = base_url.starts_with("https://") || base_url.starts_with("http://");
    require(has_scheme, "transport.base_url", || "a base URL starts with https:// or http://".to_owned())
}

fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn capability(descriptor: &CapabilityDescriptor) -> Result<(), Broken> {
    require(is_snake(&descriptor.name) && descriptor.name.len() <= MAX_ID_BYTES, "name", || {
        format!("a name is lower case, digits and `_`, at most {MAX_ID_BYTES} bytes")
    })?;
    summary(&descriptor.summary)?;
    require(!descriptor.source.trim().is_empty(), "source", || {
        "the capability's text is missing".to_owned()
    })?;
    require(descriptor.adapters.len() <= MAX_ADAPTERS, "adapters", || format!("more than {MAX_ADAPTERS}"))?;
    let mut seen = BTreeSet::new();
    for adapter in &descriptor.adapters {
        require(seen.insert(&adapter.operation), "adapters", || {
            format!("`{}` has two adapters", adapter.operation)
        })?;
        require(!adapter.source.trim().is_empty(), "adapters", || {
            format!("the adapter of `{}` has no text", adapter.operation)
        })?;
    }
    Ok(())
}

fn subnet(descriptor: &SubnetDescriptor) -> Result<(), Broken> {
    let name = descriptor.name.trim();
    require(!name.is_empty() && !name.chars().any(char::is_control), "name", || {
        "a name is visible text".to_owned()
    })?;
    tags(&descriptor.tags)?;
    require(!descriptor.sources.is_empty(), "sources", || "at least one source is needed".to_owned())
}

fn summary(text: &str) -> Result<(), Broken> {
    require(!text.trim().is_empty(), "summary", || "it is empty".to_owned())?;
    require(!text.chars().any(char::is_control), "summary", || "it is one line of visible text".to_owned())?;
    require(text.chars().count() <= MAX_SUMMARY_CHARS, "summary", || {
        format!("longer than {MAX_SUMMARY_CHARS} characters")
    })
}

fn tags(tags: &[String]) -> Result<(), Broken> {
    require(tags.len() <= MAX_TAGS, "tags", || format!("more than {MAX_TAGS}"))?;
    let bad = tags.iter().find(|tag| !is_snake(tag) || tag.len() > MAX_ID_BYTES);
    require(bad.is_none(), "tags", || {
        format!("`{}` is not lower case, digits and `_`", bad.map_or("", String::as_str))
    })
}

fn is_snake(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn require(holds: bool, path: &str, reason: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err((path.to_owned(), reason())) }
}
