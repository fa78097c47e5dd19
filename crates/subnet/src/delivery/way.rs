//! What the further exchanges of a call need, by the way its answer comes.

use std::time::Duration;

use schema::delivery::{Delivery, Pages, Task};
use schema::operation::{HttpBinding, OperationDescriptor, RequestBody, Transport};
use schema::stream::Stream;
use serde_json::{Map, Value as Json, json};

use crate::client::{PrepareError, Wire, properties};
use crate::egress::Endpoint;
use crate::https::HttpPlan;
use crate::streamed::StreamPlan;

/// How far an answer is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    /// Pages that are read at most.
    pub pages: u32,
    /// Between two questions after a task; `None` as the operation's entry says.
    pub every: Option<Duration>,
    /// Questions after a task at most; `None` until the call's time is over.
    pub polls: Option<u32>,
}

impl Default for Follow {
    fn default() -> Self {
        Self { pages: 1, every: None, polls: None }
    }
}

/// A [`Delivery`] with what its further exchanges need.
#[derive(Debug)]
pub(crate) enum Way {
    Pages(Pages),
    Task {
        task: Task,
        state: Box<Wire>,
        result: Option<Box<Wire>>,
    },
    /// `asking` is the request that asks for the stream, where not every answer is one.
    Stream {
        plan: StreamPlan,
        asking: Option<Box<Wire>>,
    },
}

impl Way {
    pub(crate) fn new(
        delivery: &Delivery,
        operation: &OperationDescriptor,
        admit: &dyn Fn(&str) -> Result<Endpoint, PrepareError>,
    ) -> Result<Self, PrepareError> {
        let binding = |why| PrepareError::Binding { operation: operation.id.clone(), why };
        let wire = |http: &HttpBinding, parameters: &Map<String, Json>| {
            let plan = HttpPlan::new(http, &operation.auth, admit(&http.base_url)?, parameters);
            Ok(Box::new(Wire::Http(plan.map_err(binding)?)))
        };
        match (delivery, &operation.transport) {
            (Delivery::Pages(pages), _) => Ok(Self::Pages(pages.clone())),
            (Delivery::Task(task), Transport::Http(http)) => {
                let id = Map::from_iter([("id".to_owned(), json!({}))]);
                let asks = |path: &str| wire(&asking_after(http, path), &id);
                Ok(Self::Task {
                    task: task.clone(),
                    state: asks(&task.path)?,
                    result: task.result_path.as_deref().map(asks).transpose()?,
                })
            }
            (Delivery::Stream(stream), transport) => {
                let is_labelled = matches!(transport, Transport::Http(_));
                let plan = StreamPlan::new(stream, is_labelled)
                    .map_err(|why| binding(format!("delivery.item: {why}")))?;
                let asking = match transport {
                    Transport::Http(http) if !stream.ask.is_empty() => {
                        Some(wire(&asking_for(http, stream), &properties(&operation.input))?)
                    }
                    _ => None,
                };
                Ok(Self::Stream { plan, asking })
            }
            (Delivery::Task(_), _) => Err(binding("delivery: only HTTP has tasks".into())),
        }
    }
}

/// The request that asks after a task.
fn asking_after(http: &HttpBinding, path: &str) -> HttpBinding {
    HttpBinding {
        method: "GET".into(),
        path: path.into(),
        parameters: Default::default(),
        styles: Default::default(),
        media_type: None,
        fixed_body: Default::default(),
        body: RequestBody::Json,
        ..http.clone()
    }
}

/// The request that asks for a stream.
fn asking_for(http: &HttpBinding, stream: &Stream) -> HttpBinding {
    let mut fixed_body = http.fixed_body.clone();
    fixed_body.extend(stream.ask.clone());
    HttpBinding { fixed_body, ..http.clone() }
}
