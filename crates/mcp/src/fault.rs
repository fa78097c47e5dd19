//! Why a tool gave no answer, in the form in which a model reads it.

use rmcp::model::{CallToolResult, ContentBlock, ErrorData};
use serde_json::{Map, Value as Json, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::resources::error_uri;

/// Arguments of a tool, or a name, that do not fit.
pub(crate) const ARGUMENTS: &str = "E1850";
/// A tool that can spend was called without a limit.
pub(crate) const NO_LIMIT: &str = "E1851";
/// The session has spent what it may.
pub(crate) const SPENT: &str = "E1852";
/// The service does not answer.
const NO_ANSWER: &str = "E1853";

/// An error of a tool: a stable code, what is wrong, and what to do next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault(Box<Parts>);

#[derive(Clone, Debug, PartialEq)]
struct Parts {
    code: String,
    message: String,
    help: String,
    /// Further facts, such as `path`, or what a call was charged although it failed.
    facts: Map<String, Json>,
}

impl Fault {
    pub(crate) fn new(code: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        let (message, help) = (message.into(), help.into());
        Self(Box::new(Parts { code: code.to_owned(), message, help, facts: Map::new() }))
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// What is wrong.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// With a further fact.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.0.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Of a call that was on its way as `run`, where the service did not say what became of it.
    pub(crate) fn of_run(mut self, run: &str) -> Self {
        if run.is_empty() || self.0.facts.contains_key("run") {
            return self;
        }
        self.0.help =
            "get_run says what became of it and what it cost, when the service answers again".into();
        self.with("run", run)
    }

    /// `{"error": ..}` of its [`parts`](Self::parts).
    pub(crate) fn json(&self) -> Json {
        json!({ "error": self.parts() })
    }

    /// `{"code": .., "message": .., "help": .., ..}`.
    pub(crate) fn parts(&self) -> Map<String, Json> {
        let mut parts = Map::new();
        parts.insert("code".into(), self.0.code.as_str().into());
        parts.insert("message".into(), self.0.message.as_str().into());
        parts.insert("help".into(), self.next_step().into());
        parts.extend(self.0.facts.clone());
        parts
    }

    fn next_step(&self) -> String {
        match self.code() {
            _ if !self.0.help.is_empty() => self.0.help.clone(),
            "E1201" | "E1202" => "search_subnets finds the operations there are".into(),
            "E1160" | "E1161" | "E1162" | "E1163" => {
                "mend the arguments by the input schema: get_operation shows that of an operation, check_plan that of \
                 a plan"
                    .into()
            }
            "E1401" | "E1402" => "raise `cost_max` to the figure named, or ask for less".into(),
            code if code.starts_with("E0") => "check_plan shows the place and, where there is one, the fix".into(),
            code => format!("the resource {} says what it means and what to do", error_uri(code)),
        }
    }

    /// As the result of a tool. It has no structured content: clients hold that to the schema of an answer.
    pub(crate) fn result(&self) -> CallToolResult {
        CallToolResult::error(vec![ContentBlock::text(self.json().to_string())])
    }

    /// As an error of the protocol, where what was asked for is no tool of this server at all.
    pub(crate) fn protocol(&self) -> ErrorData {
        let data = Some(self.json());
        match self.code() {
            "E1164" | "E1165" | "E1201" | "E1202" | "E1208" => {
                ErrorData::resource_not_found(self.0.message.clone(), data)
            }
            NO_ANSWER => ErrorData::internal_error(self.0.message.clone(), data),
            _ => ErrorData::invalid_params(self.0.message.clone(), data),
        }
    }
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let Some(info) = details.error_info() else { return without_code(&status) };
        let mut fault = Self::new(&info.reason, status.message(), "");
        for name in ["run", "operation", "charged", "certain", "proof_id", "call_kind", "path"] {
            if let Some(value) = info.metadata.get(name) {
                let value =
                    if name == "certain" { Json::Bool(value == "true") } else { value.as_str().into() };
                fault = fault.with(name, value);
            }
        }
        let wait = details.retry_info().and_then(|info| info.retry_delay);
        if let Some(wait_ms) = wait.and_then(|wait| u64::try_from(wait.as_millis()).ok()) {
            fault = fault.with("retry_after_ms", wait_ms);
        }
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        if violations.is_empty() {
            return fault;
        }
        if let Some(first) = violations.first().filter(|_| !fault.0.facts.contains_key("path")) {
            fault = fault.with("path", first.field.as_str());
        }
        let shown = violations.iter().map(|one| json!({ "field": one.field, "message": one.description }));
        let shown = shown.collect::<Vec<_>>();
        fault.with("violations", shown)
    }
}

/// A status that the service did not make: the way to it is broken, or what answers is something else.
fn without_code(status: &Status) -> Fault {
    let said = if status.message().is_empty() { status.code().description() } else { status.message() };
    let help = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => "ask whoever runs the server for access",
        Code::Unimplemented => "the server is of an older version than this program",
        _ => "try again; where it goes on, see that `orch serve` runs and can be reached",
    };
    Fault::new(NO_ANSWER, format!("the service does not answer: {said}"), help)
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_refused_argument_has_a_path_and_a_code_the_resource_that_explains_it() {
        let mut details = ErrorDetails::new();
        details.set_error_info("E1105", "orchestra", std::collections::HashMap::new());
        details.add_bad_request_violation("arguments.q", "too long");
        let fault = Fault::from(Status::with_error_details(Code::InvalidArgument, "no", details));
        let parts = fault.parts();
        assert_eq!(parts["path"], "arguments.q");
        assert_eq!(parts["help"], "the resource orch://docs/errors/E1105 says what it means and what to do");
    }
}
