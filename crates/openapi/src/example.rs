//! One operation from an example of its request and its answer, for subnets that publish no document.

use std::collections::BTreeMap;
use std::fmt;

use schema::json_schema::OperationTypes;
use schema::operation::{
    Access, Auth, Example, ExampleProvenance, HttpBinding, OperationDescriptor, ParameterLocation,
    RequestBody, ResponseBody, Source, TRANSPORT_HEADERS, Transport, Version,
};
use schema::price::PriceRule;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json, json};

use crate::error::{BAD_EXAMPLE, Error, SAME_NAME, shown};
use crate::import::{CALLED, Entry, Known, Notes, Origin, effects, repeat, sent_path};
use crate::infer::schema_of;
use crate::names::snake;
use crate::secrets::{is_key, is_secret, redact, secret_within};
use crate::text::percent_decoded;

/// Headers that say something of a browser and nothing of the call.
const OF_A_BROWSER: [&str; 12] = [
    "accept-language",
    "cache-control",
    "cookie",
    "dnt",
    "if-modified-since",
    "if-none-match",
    "origin",
    "pragma",
    "priority",
    "referer",
    "upgrade-insecure-requests",
    "x-requested-with",
];
/// Headers that the transport writes in any case, as every example has them.
const UNTOLD: [&str; 4] = ["accept", "content-length", "content-type", "host"];

/// Shorter keys are not looked for in the answer.
const SECRET_CHARS_MIN: usize = 8;

/// An example call, as it stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleCall {
    /// Name of the operation; else the last words of its path.
    #[serde(default)]
    pub name: Option<String>,
    /// One line on what it does.
    #[serde(default)]
    pub summary: Option<String>,
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`; else `GET`, or `POST` where there is a `request`.
    #[serde(default)]
    pub method: Option<String>,
    /// The whole address, with `{name}` for what stands in `path`, and the query.
    pub url: String,
    /// Values of the parameters of the path.
    #[serde(default)]
    pub path: Map<String, Json>,
    /// Headers. What the one that is for keys holds is dropped; `<key>` can stand in its place.
    /// In a file they may also be a list of lines `Name: value`.
    #[serde(default, deserialize_with = "headers")]
    pub headers: BTreeMap<String, String>,
    /// The body, an object; nothing where there is none.
    #[serde(default)]
    pub request: Option<Json>,
    /// The answer.
    #[serde(default)]
    pub answer: Option<Json>,
    /// Whether every answer has the form of this one. Else it is `Json` to a plan.
    #[serde(default)]
    pub answer_complete: bool,
}

fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Read;
    impl<'de> Visitor<'de> for Read {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("headers, as an object of texts or a list of lines `Name: value`")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            BTreeMap::deserialize(MapAccessDeserializer::new(map))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut lines: A) -> Result<Self::Value, A::Error> {
            let mut headers = BTreeMap::new();
            while let Some(line) = lines.next_element::<String>()? {
                // The line is not repeated: it may hold a key.
                let named = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
                let (name, value) = named
                    .filter(|(name, _)| !name.is_empty())
                    .ok_or_else(|| A::Error::custom("a header of the list is no line `Name: value`"))?;
                if headers.insert(name.to_owned(), value.to_owned()).is_some() {
                    return Err(A::Error::custom("a header stands in the list twice"));
                }
            }
            Ok(headers)
        }
    }
    deserializer.deserialize_any(Read)
}

impl ExampleCall {
    /// Reads an example from JSON.
    ///
    /// # Errors
    /// `E1260` where it is not one.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| {
            let at = format!("line {}, column {}", error.line(), error.column());
            Error::new(BAD_EXAMPLE, at, format!("it is no example of a call: {error}"))
        })
    }

    /// The operation that the example shows.
    ///
    /// # Errors
    /// `E1260` where the example lacks what a call needs, `E1255` where two arguments have one name.
    ///
    /// ```
    /// let call = openapi::ExampleCall::from_json(br#"{
    ///     "url": "https://api.example.com/v1/search?q=tao&limit=3",
    ///     "headers": { "Authorization": "Bearer <key>" },
    ///     "answer": { "hits": [{ "title": "a", "score": 0.5 }] }, "answer_complete": true
    /// }"#)?;
    /// let origin = openapi::Origin { netuid: 7, reference: "search.json".into(), ..openapi::Origin::default() };
    /// let entry = call.entry(&origin)?;
    /// assert_eq!(entry.descriptor.id, "sn7.search");
    /// assert_eq!(entry.descriptor.input["properties"]["limit"]["type"], "integer");
    /// # Ok::<(), openapi::Error>(())
    /// ```
    pub fn entry(&self, origin: &Origin) -> Result<Entry, Error> {
        let origin = &origin.public();
        let mut notes = Notes::default();
        let method = self.method(&mut notes)?;
        let address = self.address()?;
        let mut arguments = Arguments::default();
        for (name, value) in &self.path {
            if value.as_str().is_some_and(|text| is_secret(name) || is_key(text)) {
                return Err(no_place("path", name));
            }
            arguments.add(name, value.clone(), Some(ParameterLocation::Path), "path")?;
        }
        let (mut auth, mut secrets) = self.auth_of_headers(&mut notes)?;
        for (name, value) in address.query {
            if value == "<key>" || is_secret(&name) || is_key(&value) {
                if auth != Auth::None {
                    let what =
                        format!("`{}` holds a key beside another one, and a call has one", shown(&name));
                    return Err(bad("url", what));
                }
                secrets.push(value);
                notes.guessed("auth", format!("the key goes in `{}` of the query", shown(&name)));
                auth = Auth::Query { name };
            } else {
                arguments.add(&name, scalar(&value), Some(ParameterLocation::Query), "url")?;
            }
        }
        match &self.request {
            None => {}
            Some(_) if method == "GET" => return Err(bad("request", "a GET has no body")),
            Some(Json::Object(body)) => {
                if let Some(name) = self.request.as_ref().and_then(secret_within) {
                    return Err(no_place("request", name));
                }
                for (name, value) in body {
                    arguments.add(name, value.clone(), None, "request")?;
                }
            }
            Some(_) => return Err(bad("request", "the body of a call is an object of named arguments")),
        }
        let path = sent_path(&address.path, &arguments.parameters, "url")
            .map_err(|error| bad("url", error.message))?;
        let name = self.name.as_deref().map_or_else(|| name_of(&address.path), snake);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(bad("name", "the operation needs a name that begins with a letter"));
        }
        let id = format!("sn{}.{}{name}", origin.netuid, origin.name_prefix);
        let keyed = auth != Auth::None;
        let (side_effects, why) = effects(&Known {
            method: &method,
            keyed,
            name: &name,
            path: &address.path,
            summary: self.summary.as_deref().unwrap_or_default(),
        });
        notes.guessed("side_effects", why);
        notes.guessed("input", "types and required arguments are those of the example");
        // Shorter ones occur in answers by chance.
        secrets.retain(|secret| secret.len() >= SECRET_CHARS_MIN);
        let mut answer = self.answer.clone();
        answer.iter_mut().for_each(|answer| redact(answer, &secrets));
        let response = if matches!(self.answer, Some(Json::String(_))) {
            ResponseBody::Text
        } else {
            ResponseBody::Json
        };
        let output = self.output(&mut notes);
        let input = Json::from(arguments.values);
        let example = answer.clone().map(|output| Example {
            input: input.clone(),
            output,
            provenance: ExampleProvenance::Source,
        });
        // Over what the entry was made of, so without the key that the address or a header may hold.
        let text = serde_json::to_vec(&json!([method, address.host, address.path, input, answer]));
        let descriptor = OperationDescriptor {
            id,
            netuid: origin.netuid,
            version: Version::FIRST,
            summary: self.summary.clone().unwrap_or_else(|| format!("{method} {}", address.path)),
            tags: Vec::new(),
            transport: Transport::Http(HttpBinding {
                method: method.clone(),
                base_url: origin.server.clone().unwrap_or(address.host),
                path,
                parameters: arguments.parameters,
                styles: BTreeMap::new(),
                fixed_body: BTreeMap::new(),
                body: RequestBody::Json,
                media_type: None,
                accept: None,
                response,
            }),
            access: if keyed { Access::Key } else { Access::Open },
            auth,
            side_effects,
            repeat: repeat(&method, keyed, side_effects),
            input: schema_of(&input),
            output,
            output_complete: self.answer_complete && self.answer.is_some(),
            price: PriceRule::Unknown,
            observed_cost: None,
            refusals: Default::default(),
            latency: None,
            example,
            sources: vec![Source {
                kind: "example".into(),
                reference: origin.reference.clone(),
                commit: Some(format!("blake3:{}", blake3::hash(&text.unwrap_or_default()))),
                path: None,
            }],
            delivery: None,
            verified: false,
        };
        OperationTypes::of(&descriptor)
            .map_err(|error| Error::new(error.code, error.pointer, error.message))?;
        notes.0.sort_by_key(|note| note.kind);
        Ok(Entry { descriptor, notes: notes.0 })
    }

    fn method(&self, notes: &mut Notes) -> Result<String, Error> {
        let Some(method) = &self.method else {
            let method = if self.request.is_some() { "POST" } else { "GET" };
            notes.guessed("method", method);
            return Ok(method.into());
        };
        let method = method.to_ascii_uppercase();
        match CALLED.contains(&method.as_str()) {
            true => Ok(method),
            false => Err(bad("method", format!("`{}` is none of {}", shown(&method), CALLED.join(", ")))),
        }
    }

    fn output(&self, notes: &mut Notes) -> Json {
        match &self.answer {
            Some(answer) if self.answer_complete => {
                notes.guessed("output", "every answer has the fields and types of the example");
                schema_of(answer)
            }
            Some(answer) => {
                notes.left_out(
                    "output",
                    "`Json` to a plan: say `answer_complete` where all answers are like this one",
                );
                schema_of(answer)
            }
            None => {
                notes.left_out("output", "`Json` to a plan: there is no `answer`");
                json!({})
            }
        }
    }

    /// How the key is sent, with the keys that the example holds.
    fn auth_of_headers(&self, notes: &mut Notes) -> Result<(Auth, Vec<String>), Error> {
        let mut auth = Auth::None;
        let mut secrets = Vec::new();
        let mut ignored = Vec::new();
        for (name, value) in &self.headers {
            let lower = name.to_ascii_lowercase();
            let is_written = TRANSPORT_HEADERS.contains(&lower.as_str()) && !is_secret(&lower);
            if is_written || OF_A_BROWSER.contains(&lower.as_str()) || lower.starts_with("sec-") {
                if !UNTOLD.contains(&lower.as_str()) {
                    ignored.push(format!("`{}`", shown(name)));
                }
                continue;
            }
            let Some(format) = key_format(name, value) else {
                let what = format!(
                    "the header `{}` is none that a call can send; the one with the key says `<key>`",
                    shown(name)
                );
                return Err(bad("headers", what));
            };
            if auth != Auth::None {
                return Err(bad("headers", "two headers hold keys, and a call has one"));
            }
            notes.guessed("auth", format!("`{}: {format}`", shown(name)));
            secrets.extend(value.split(' ').next_back().map(str::to_owned));
            auth = Auth::Header { name: name.clone(), format };
        }
        if !ignored.is_empty() {
            notes.left_out("headers", format!("{}, which a call does not send", ignored.join(", ")));
        }
        Ok((auth, secrets))
    }

    fn address(&self) -> Result<Address, Error> {
        let whole = self.url.split('#').next().unwrap_or_default();
        let (place, query) = whole.split_once('?').unwrap_or((whole, ""));
        let (scheme, rest) = match place.split_once("://") {
            Some((scheme @ ("https" | "http"), rest)) if !rest.is_empty() && !rest.starts_with('/') => {
                (scheme, rest)
            }
            _ => return Err(bad("url", "it is no whole address, beginning with https://")),
        };
        if rest.contains('@') {
            return Err(bad("url", "user names and passwords do not belong in it"));
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |part: &str| {
                percent_decoded(&part.replace('+', " "))
                    .ok_or_else(|| bad("url", "its query is not spelled as one"))
            };
            Ok((text(name)?, text(value)?))
        });
        Ok(Address {
            host: format!("{scheme}://{host}"),
            path: format!("/{path}"),
            query: pairs.collect::<Result<_, Error>>()?,
        })
    }
}

struct Address {
    host: String,
    path: String,
    query: Vec<(String, String)>,
}

#[derive(Default)]
struct Arguments {
    values: Map<String, Json>,
    parameters: BTreeMap<String, ParameterLocation>,
}

impl Arguments {
    /// Adds an argument of the path, the query, or (without a location) the body.
    fn add(
        &mut self,
        name: &str,
        value: Json,
        location: Option<ParameterLocation>,
        at: &str,
    ) -> Result<(), Error> {
        if let Some(location) = location {
            self.parameters.insert(name.to_owned(), location);
        }
        match self.values.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(Error::new(SAME_NAME, at, format!("two arguments are called `{}`", shown(name)))),
        }
    }
}

/// The value of a key's header with `<key>` where the key is; nothing where the header is not one for keys. What the
/// example holds there is not looked at: it may be a real key.
fn key_format(name: &str, value: &str) -> Option<String> {
    if value.contains("<key>") {
        return Some(value.to_owned());
    }
    if !is_secret(name) && !is_key(value) {
        return None;
    }
    let scheme = value.split_once(' ').map(|(scheme, _)| scheme);
    let scheme = scheme.filter(|scheme| scheme.chars().all(|c| c.is_ascii_alphabetic()));
    Some(scheme.map_or("<key>".to_owned(), |scheme| format!("{scheme} <key>")))
}

/// A value of the query as what it looks like.
fn scalar(text: &str) -> Json {
    let plain = serde_json::from_str(text).ok();
    plain.filter(|json: &Json| json.is_number() || json.is_boolean()).unwrap_or_else(|| text.into())
}

/// The last words of a path that are no parameter.
fn name_of(path: &str) -> String {
    let mut parts = path.split('/').rev().filter(|part| !part.contains('{')).map(snake);
    parts.find(|name| !name.is_empty()).unwrap_or_default()
}

fn no_place(at: &str, name: &str) -> Error {
    let what = format!(
        "`{}` holds a key, by its name or its look, and keys are sent in one header or query parameter only: leave it out",
        shown(name)
    );
    bad(at, what)
}

fn bad(at: &str, message: impl Into<String>) -> Error {
    Error::new(BAD_EXAMPLE, at, message)
}
