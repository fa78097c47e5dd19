//! Models: what the Ledger and the published plans have that can serve chat or embeddings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use proto::v1::ledger_service_client::LedgerServiceClient;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::tool_service_client::ToolServiceClient;
use proto::{Channel, v1};
use serde_json::{Value, json};
use tonic::Code;

use crate::caller::Caller;
use crate::error::{Failure, code};
use crate::shape::{Serves, Shape};
use crate::told::shown;
use crate::{ANSWER_BYTES_MAX, Face};

/// How long a model is taken to be as it was: a new version of its entry is noticed after that.
const FRESH: Duration = Duration::from_secs(1);
/// Models that are remembered; when one more comes all are forgotten.
const REMEMBERED_MAX: usize = 1_024;
/// Rows of one page of a list; the most that the services give.
const PAGE: u32 = 500;
/// How like a model must be to be named in place of one that is not there.
const ALIKE: f64 = 0.6;

/// What answers for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Operation(String),
    Capability(String),
    Plan(String),
}

/// A model.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) target: Target,
    pub(crate) shape: Shape,
    /// The subnet's own model where the caller names none.
    pub(crate) own_model: Option<Value>,
    /// Where the text of a part of the answer is: a JSON pointer.
    pub(crate) part: Option<String>,
    summary: String,
    created: i64,
    /// Such as `0.004 USD`; empty where it is not known.
    cost_max: String,
}

/// Who asked for what: what one caller may see is not another's.
type Asked = (Option<Box<[u8]>>, String);

/// The models, and what was lately asked of them.
#[derive(Debug)]
pub(crate) struct Models {
    service: Channel,
    recent: Mutex<HashMap<Asked, (Instant, Arc<Model>)>>,
    /// By hash of the entry, which says everything of a model.
    entries: Mutex<HashMap<String, Option<Arc<Model>>>>,
}

impl Target {
    /// What an id names, and the subnet's own model behind it: `sn64.chat_completions/deepseek-ai/DeepSeek-V3`.
    fn parse(id: &str) -> Option<(Self, Option<&str>)> {
        if id.starts_with("plans/") {
            return Some((Self::Plan(id.to_owned()), None));
        }
        let (name, own) = id.split_once('/').map_or((id, None), |(name, own)| (name, Some(own)));
        if own == Some("") {
            return None;
        }
        let is_operation = || {
            let (netuid, operation) = name.strip_prefix("sn")?.split_once('.')?;
            Some(netuid.parse::<u16>().is_ok() && !operation.is_empty())
        };
        match name {
            name if name.strip_prefix("cap.").is_some_and(|name| !name.is_empty()) => {
                Some((Self::Capability(name.to_owned()), own))
            }
            name if is_operation() == Some(true) => Some((Self::Operation(name.to_owned()), own)),
            _ => None,
        }
    }

    /// Its name as the services know it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Operation(name) | Self::Capability(name) | Self::Plan(name) => name,
        }
    }

    /// Who offers it: the subnet, or this server.
    fn owner(&self) -> &str {
        match self {
            Self::Operation(name) => name.split('.').next().unwrap_or(name),
            Self::Capability(_) | Self::Plan(_) => "orchestra",
        }
    }
}

impl Model {
    fn of_operation(operation: &v1::Operation) -> Option<Self> {
        let entry: Value = serde_json::from_slice(&operation.entry_json).ok()?;
        let shape = Shape::of(entry.get("input")?, entry.get("output")?, false)?;
        let own_model = shape.value_of("model").or_else(|| entry.pointer("/example/input/model")).cloned();
        let part = entry.pointer("/delivery/gather/from").and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            target: Target::Operation(operation.id.clone()),
            shape,
            own_model,
            part,
            summary: operation.summary.clone(),
            created: 0,
            cost_max: if operation.price_known { shown(operation.price) } else { String::new() },
        })
    }

    fn of_capability(name: String, summary: String, definition: &[u8]) -> Option<Self> {
        let definition: Value = serde_json::from_slice(definition).ok()?;
        let shape = Shape::of(definition.get("input")?, definition.get("output")?, true)?;
        let target = Target::Capability(name);
        Some(Self {
            target,
            shape,
            own_model: None,
            part: None,
            summary,
            created: 0,
            cost_max: String::new(),
        })
    }

    fn of_plan(plan: &v1::Plan) -> Option<Self> {
        let summary = plan.summary.as_ref()?;
        let input: Value = serde_json::from_slice(&summary.input_schema_json).ok()?;
        let output: Value = serde_json::from_slice(&summary.output_schema_json).ok()?;
        Some(Self {
            target: Target::Plan(plan.name.clone()),
            shape: Shape::of(&input, &output, true)?,
            own_model: None,
            part: None,
            summary: summary.doc.clone(),
            created: plan.publish_time.map_or(0, |time| time.seconds),
            cost_max: shown(summary.cost_max),
        })
    }

    fn json(&self) -> Value {
        let serves = match self.shape.serves {
            Serves::Chat(..) => "chat",
            Serves::Embeddings => "embeddings",
        };
        let cost_max = Some(&self.cost_max).filter(|cost| !cost.is_empty());
        json!({
            "id": self.target.name(), "object": "model", "created": self.created, "owned_by": self.target.owner(),
            "orchestra": { "serves": serves, "summary": self.summary, "cost_max": cost_max },
        })
    }
}

impl Models {
    pub(crate) fn new(service: Channel) -> Self {
        Self { service, recent: Mutex::default(), entries: Mutex::default() }
    }

    /// The model of an id, and the subnet's own model that the id names behind it.
    pub(crate) async fn find<'a>(
        &self,
        caller: &Caller,
        id: &'a str,
    ) -> Result<(Arc<Model>, Option<&'a str>), Failure> {
        let parsed = Target::parse(id).filter(|_| !id.chars().any(char::is_control));
        let Some((target, own)) = parsed else { return Err(self.unknown(caller, id).await) };
        let authorization = caller.authorization.as_ref().map(|value| value.as_encoded_bytes().into());
        let asked: Asked = (authorization, target.name().to_owned());
        if let Some((since, model)) = lock(&self.recent).get(&asked)
            && since.elapsed() < FRESH
        {
            return Ok((Arc::clone(model), own));
        }
        let model = match &target {
            Target::Operation(name) => self.operation(caller, name).await?,
            Target::Capability(name) => self.capability(caller, name, String::new()).await?,
            Target::Plan(name) => self.plan(caller, name).await?,
        };
        let Some(model) = model else {
            let message = format!(
                "{} can serve neither chat nor embeddings: GET /v1/models lists what can",
                target.name()
            );
            return Err(no_model(message));
        };
        let mut recent = lock(&self.recent);
        if recent.len() >= REMEMBERED_MAX {
            recent.clear();
        }
        recent.insert(asked, (Instant::now(), Arc::clone(&model)));
        drop(recent);
        Ok((model, own))
    }

    async fn operation(&self, caller: &Caller, name: &str) -> Result<Option<Arc<Model>>, Failure> {
        let request = v1::GetOperationRequest { id: name.to_owned(), version: String::new() };
        let response = self.ledger().get_operation(caller.request(request)).await.map_err(no_model_status)?;
        let operation = response.into_inner().operation.unwrap_or_default();
        if !operation.callable {
            return Err(no_model(format!("{name} cannot be called: {}", operation.not_callable_reason)));
        }
        Ok(Model::of_operation(&operation).map(Arc::new))
    }

    async fn capability(
        &self,
        caller: &Caller,
        name: &str,
        summary: String,
    ) -> Result<Option<Arc<Model>>, Failure> {
        let format = v1::ToolFormat::JsonSchema.into();
        let request = v1::GetToolSchemaRequest { target: name.to_owned(), format };
        let schema =
            ToolServiceClient::new(self.service.clone()).get_tool_schema(caller.request(request)).await;
        let definition = schema.map_err(no_model_status)?.into_inner().definition_json;
        Ok(Model::of_capability(name.to_owned(), summary, &definition).map(Arc::new))
    }

    async fn plan(&self, caller: &Caller, name: &str) -> Result<Option<Arc<Model>>, Failure> {
        let request = v1::GetPlanRequest { name: name.to_owned() };
        let response = self.plans().get_plan(caller.request(request)).await.map_err(no_model_status)?;
        Ok(response.into_inner().plan.as_ref().and_then(Model::of_plan).map(Arc::new))
    }

    /// All models by id: operations, capabilities, plans.
    async fn all(&self, caller: &Caller) -> Result<Vec<Arc<Model>>, Failure> {
        let mut models = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListOperationsRequest { page_size: PAGE, page_token, ..Default::default() };
            let page = self.ledger().list_operations(caller.request(request)).await?.into_inner();
            for row in page.operations.iter().filter(|row| row.callable) {
                models.extend(self.known(&row.entry_hash, self.operation(caller, &row.id)).await?);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        loop {
            let request = v1::ListCapabilitiesRequest { page_size: PAGE, page_token };
            let page = self.ledger().list_capabilities(caller.request(request)).await?.into_inner();
            for row in page.capabilities.into_iter().filter(|row| !row.operations.is_empty()) {
                let name = format!("cap.{}", row.name);
                let model = self.capability(caller, &name, row.summary);
                models.extend(self.known(&row.entry_hash, model).await?);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        loop {
            let request = v1::ListPlansRequest { page_size: PAGE, page_token };
            let page = self.plans().list_plans(caller.request(request)).await?.into_inner();
            models.extend(page.plans.iter().filter_map(Model::of_plan).map(Arc::new));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(models);
            }
        }
    }

    /// The model of the entry with this hash, read once. One that cannot be read is none: the list has the others, unless
    /// the caller may not read it.
    async fn known(
        &self,
        hash: &str,
        read: impl Future<Output = Result<Option<Arc<Model>>, Failure>>,
    ) -> Result<Option<Arc<Model>>, Failure> {
        let known = lock(&self.entries).get(hash).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let model = match read.await {
            Ok(model) => model,
            Err(failure) if matches!(failure.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err(failure);
            }
            Err(failure) if failure.status().is_client_error() => None,
            // It may be read the next time.
            Err(_) => return Ok(None),
        };
        lock(&self.entries).insert(hash.to_owned(), model.clone());
        Ok(model)
    }

    /// What to say of an id that has none of the forms of an id.
    async fn unknown(&self, caller: &Caller, id: &str) -> Failure {
        if id.chars().any(char::is_control) {
            return no_model(format!("`{}` holds characters that no id of a model has", id.escape_debug()));
        }
        let models = match self.all(caller).await {
            Ok(models) => models,
            Err(failure) => return failure,
        };
        let likeness = |model: &&Arc<Model>| strsim::jaro_winkler(model.target.name(), id);
        let nearest = models.iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
        let nearest = nearest.filter(|model| likeness(model) >= ALIKE);
        let hint =
            nearest.map(|model| format!("did you mean `{}`? ", model.target.name())).unwrap_or_default();
        let id: String = id.chars().take(80).collect();
        no_model(format!("there is no model `{id}`; {hint}GET /v1/models lists {}", models.len()))
    }

    fn ledger(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.service.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    fn plans(&self) -> PlanServiceClient<Channel> {
        PlanServiceClient::new(self.service.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }
}

/// `GET /v1/models`.
pub(crate) async fn list(State(face): State<Arc<Face>>, headers: HeaderMap) -> Response {
    let listed = async {
        let caller = Caller::of(&headers, face.options)?;
        let models = face.models.all(&caller).await?;
        let data: Vec<Value> = models.iter().map(|model| model.json()).collect();
        Ok::<_, Failure>(json!({ "object": "list", "data": data }))
    };
    listed.await.map_or_else(Failure::into_response, |list| json_response(&list))
}

/// `GET /v1/models/{id}`.
pub(crate) async fn one(
    State(face): State<Arc<Face>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = async {
        let caller = Caller::of(&headers, face.options)?;
        let (model, _) = face.models.find(&caller, &id).await?;
        let mut model = model.json();
        if let Value::Object(fields) = &mut model {
            // Also where it names the subnet's own model.
            fields.insert("id".into(), id.as_str().into());
        }
        Ok::<_, Failure>(model)
    };
    found.await.map_or_else(Failure::into_response, |model| json_response(&model))
}

pub(crate) fn json_response(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn no_model(message: String) -> Failure {
    Failure::new(StatusCode::NOT_FOUND, code::NO_MODEL, message).about("model")
}

/// Everything that is not there is a model that is not there.
fn no_model_status(status: tonic::Status) -> Failure {
    let is_absent = status.code() == Code::NotFound;
    let failure = Failure::from(status);
    if is_absent { failure.about("model") } else { failure }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_operations_capabilities_and_plans() {
        let operation = || Target::Operation("sn64.chat_completions".into());
        assert_eq!(Target::parse("sn64.chat_completions"), Some((operation(), None)));
        let (target, own) = Target::parse("sn64.chat_completions/deepseek-ai/DeepSeek-V3").unwrap();
        assert_eq!((target, own), (operation(), Some("deepseek-ai/DeepSeek-V3")));
        assert_eq!(Target::parse("cap.generate"), Some((Target::Capability("cap.generate".into()), None)));
        assert_eq!(Target::parse("plans/digest"), Some((Target::Plan("plans/digest".into()), None)));
        for none in [
            "gpt-4o",
            "sn.x",
            "sn1.",
            "snx.y",
            "cap.",
            "",
            "sn99999.x",
            "openai/gpt-4o",
            "sn64.chat_completions/",
        ] {
            assert_eq!(Target::parse(none), None, "{none}");
        }
    }
}
