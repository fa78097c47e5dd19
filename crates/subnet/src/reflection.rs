//! What a gRPC server says of itself: its services and their descriptors, by `grpc.reflection.v1`, or by `v1alpha` where
//! a server knows only that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version, header};
use http_body_util::Full;
use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tokio::time::Instant;

use crate::egress::{Egress, Endpoint, ExchangeError, Refused, USER_AGENT};
use crate::grpc::{GRPC, STATUS, frames, status_error};

/// Versions of the service, each with the same messages.
const VERSIONS: [&str; 2] = ["grpc.reflection.v1", "grpc.reflection.v1alpha"];
/// `UNIMPLEMENTED`.
const UNIMPLEMENTED: &[u8] = b"12";
/// Services of one server.
const SERVICES_MAX: usize = 1_000;
/// Files of one server.
const FILES_MAX: usize = 5_000;
/// Times that further files are asked for: how deep imports may go.
const ROUNDS_MAX: usize = 64;

/// Why a server said nothing of use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReflectionError {
    /// There was no whole answer.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// What answers does not speak gRPC.
    #[error("what answers there does not speak gRPC: {0}")]
    NotGrpc(String),
    /// The server speaks gRPC and has no reflection.
    #[error("the server has no reflection, so it does not say which services it offers")]
    NoReflection,
    /// The server refused, or says what cannot be.
    #[error("its reflection is of no use: {0}")]
    Unusable(String),
    /// It says more than is read.
    #[error("it describes more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much is read.
        limit: usize,
    },
}

impl From<Refused> for ReflectionError {
    fn from(refused: Refused) -> Self {
        Self::Exchange(refused.into())
    }
}

/// `ServerReflectionRequest`, with what is asked here.
#[derive(Clone, PartialEq, prost::Message)]
struct Ask {
    #[prost(oneof = "Question", tags = "3, 4, 7")]
    question: Option<Question>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Question {
    #[prost(string, tag = "3")]
    FileByName(String),
    #[prost(string, tag = "4")]
    FileWithSymbol(String),
    #[prost(string, tag = "7")]
    Services(String),
}

/// `ServerReflectionResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct Told {
    #[prost(oneof = "Answer", tags = "4, 6, 7")]
    answer: Option<Answer>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Answer {
    #[prost(message, tag = "4")]
    Files(Files),
    #[prost(message, tag = "6")]
    Services(Services),
    #[prost(message, tag = "7")]
    Error(Failed),
}

#[derive(Clone, PartialEq, prost::Message)]
struct Files {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    files: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    services: Vec<Service>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Failed {
    #[prost(string, tag = "2")]
    message: String,
}

impl Egress {
    /// Asks the gRPC server at `base_url` (`https://host[:port]`, or `http://` without TLS) what it offers: a
    /// `google.protobuf.FileDescriptorSet` with its services and what they refer to, the same bytes whatever order the
    /// server has. Services of reflection itself are not among them.
    ///
    /// # Errors
    /// [`ReflectionError`] where the address is never dialled, the server does not say it all within `limit` and the
    /// size that the options admit, or what it says is of no use.
    pub async fn reflect(&self, base_url: &str, limit: Duration) -> Result<Vec<u8>, ReflectionError> {
        let endpoint = self.endpoint(base_url)?;
        let end = Instant::now() + limit;
        let mut talk = Talk { egress: self, endpoint, end, version: "", bytes: 0 };
        let services = talk.services().await?;
        let mut files = BTreeMap::new();
        let questions = services.iter().map(|name| Question::FileWithSymbol(name.clone())).collect();
        let mut open = talk.files(questions, &mut files, true).await?;
        let mut asked = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            open.retain(|name| !files.contains_key(name) && asked.insert(name.clone()));
            if open.is_empty() {
                return Ok(set_of(files, &services));
            }
            let questions = open.into_iter().map(Question::FileByName).collect();
            open = talk.files(questions, &mut files, false).await?;
        }
        Err(ReflectionError::TooMuch { what: "levels of imports", limit: ROUNDS_MAX })
    }
}

/// The files by name, with no other services than the server has.
fn set_of(files: BTreeMap<String, FileDescriptorProto>, services: &BTreeSet<String>) -> Vec<u8> {
    let served = |mut file: FileDescriptorProto| {
        let package = file.package().to_owned();
        let full = |name: &str| {
            if package.is_empty() { name.to_owned() } else { format!("{package}.{name}") }
        };
        file.service.retain(|service| services.contains(&full(service.name())));
        file
    };
    FileDescriptorSet { file: files.into_values().map(served).collect() }.encode_to_vec()
}

/// A conversation with one server.
struct Talk<'a> {
    egress: &'a Egress,
    endpoint: Endpoint,
    end: Instant,
    /// The version that it speaks.
    version: &'static str,
    /// Bytes of what it said so far.
    bytes: usize,
}

impl Talk<'_> {
    /// The names of its services, by the first version that it knows.
    async fn services(&mut self) -> Result<BTreeSet<String>, ReflectionError> {
        for version in VERSIONS {
            self.version = version;
            let Some(told) = self.ask(vec![Question::Services(String::new())]).await? else { continue };
            let services = told.into_iter().find_map(|told| match told.answer {
                Some(Answer::Services(services)) => Some(services.services),
                _ => None,
            });
            let services =
                services.ok_or_else(|| ReflectionError::Unusable("it does not list its services".into()))?;
            if services.len() > SERVICES_MAX {
                return Err(ReflectionError::TooMuch { what: "services", limit: SERVICES_MAX });
            }
            let own = |name: &String| !name.starts_with("grpc.reflection.");
            return Ok(services.into_iter().map(|service| service.name).filter(own).collect());
        }
        Err(ReflectionError::NoReflection)
    }

    /// Adds the files that answer `questions`; what those import. An answer that is an error ends it where each is
    /// `needed`; else whoever reads the files says what is missing.
    async fn files(
        &mut self,
        questions: Vec<Question>,
        files: &mut BTreeMap<String, FileDescriptorProto>,
        needed: bool,
    ) -> Result<BTreeSet<String>, ReflectionError> {
        let mut imports = BTreeSet::new();
        if questions.is_empty() {
            return Ok(imports);
        }
        let told = self.ask(questions).await?.ok_or(ReflectionError::NoReflection)?;
        for told in told {
            let found = match told.answer {
                Some(Answer::Files(found)) => found.files,
                Some(Answer::Error(failed)) if needed => {
                    let said = shown(&failed.message);
                    return Err(ReflectionError::Unusable(format!(
                        "it lists a service and then says `{said}`"
                    )));
                }
                _ => continue,
            };
            for bytes in found {
                let file = FileDescriptorProto::decode(bytes)
                    .map_err(|error| ReflectionError::Unusable(format!("a file cannot be read: {error}")))?;
                imports.extend(file.dependency.iter().cloned());
                files.insert(file.name().to_owned(), file);
                if files.len() > FILES_MAX {
                    return Err(ReflectionError::TooMuch { what: "files", limit: FILES_MAX });
                }
            }
        }
        Ok(imports)
    }

    /// What the server answers to `questions`, all of one stream; `None` where it does not know the method.
    async fn ask(&mut self, questions: Vec<Question>) -> Result<Option<Vec<Told>>, ReflectionError> {
        let request = self.request(questions)?;
        let left = self.end.saturating_duration_since(Instant::now());
        let (answer, _) = self.egress.exchange(&self.endpoint, request, left).await;
        let answer = answer.map_err(|error| match error {
            ExchangeError::Cut | ExchangeError::Protocol(_) => ReflectionError::NotGrpc(error.to_string()),
            other => other.into(),
        })?;
        check_head(answer.status, &answer.headers)?;
        let from = if answer.trailers.contains_key(STATUS) { &answer.trailers } else { &answer.headers };
        if from.get(STATUS).is_some_and(|status| status.as_bytes() == UNIMPLEMENTED) {
            return Ok(None);
        }
        if let Some(error) = status_error(from) {
            return Err(ReflectionError::Unusable(error.message));
        }
        self.bytes = self.bytes.saturating_add(answer.body.len());
        let limit = self.egress.body_bytes_max();
        if self.bytes > limit {
            return Err(ReflectionError::TooMuch { what: "bytes", limit });
        }
        messages(answer.body, limit).map(Some)
    }

    fn request(&self, questions: Vec<Question>) -> Result<Request<Full<Bytes>>, ReflectionError> {
        let origin = self.endpoint.origin();
        let text = format!(
            "{origin}{}/{}.ServerReflection/ServerReflectionInfo",
            self.endpoint.path(),
            self.version
        );
        let unusable = |error: String| ReflectionError::Unusable(error);
        let uri = Uri::try_from(text).map_err(|error| unusable(error.to_string()))?;
        let mut body = BytesMut::new();
        for question in questions {
            frames::put(&mut body, &Ask { question: Some(question) }).map_err(unusable)?;
        }
        let mut request = Request::new(Full::new(body.freeze()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_2;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, GRPC);
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::USER_AGENT, USER_AGENT);
        Ok(request)
    }
}

fn check_head(status: StatusCode, headers: &HeaderMap) -> Result<(), ReflectionError> {
    let form = headers.get(header::CONTENT_TYPE).and_then(|form| form.to_str().ok()).unwrap_or_default();
    if status == StatusCode::OK && form.starts_with("application/grpc") {
        return Ok(());
    }
    let form = if form.is_empty() { String::new() } else { format!(" and `{}`", shown(form)) };
    Err(ReflectionError::NotGrpc(format!("it answers with status {status}{form}")))
}

fn messages(body: Bytes, bytes_max: usize) -> Result<Vec<Told>, ReflectionError> {
    let unusable = |error: String| ReflectionError::Unusable(error);
    let mut pending = BytesMut::from(body);
    let mut told = Vec::new();
    while let Some(message) =
        frames::take(&mut pending, bytes_max).map_err(|error| unusable(error.message))?
    {
        let message =
            Told::decode(message).map_err(|error| unusable(format!("an answer is no message: {error}")))?;
        told.push(message);
    }
    if pending.is_empty() { Ok(told) } else { Err(unusable("it ends within a message".into())) }
}

/// The first characters of a text from outside.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect()
}
