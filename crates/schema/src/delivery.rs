//! Answers that do not come at once or not in one piece: lists that come page by page, tasks that are created and
//! asked after, and streams. To a plan each is one typed operation.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{OperationDescriptor, ResponseBody, Transport};
use crate::pointer;
use crate::stream::Stream;

/// Pages of one answer at most.
pub const PAGES_MAX: u32 = 100;
/// Times a task is asked after at most.
pub const POLLS_MAX: u32 = 10_000;

/// How an answer is got that does not come in one piece.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivery {
    /// A list in pages. The answer is the last page with the elements of all of them.
    Pages(Pages),
    /// A task. The answer is what it came to.
    Task(Task),
    /// A stream of items. The answer is made of them.
    Stream(Stream),
}

/// A list that comes page by page; each page is charged as a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Where the list is in a page: a JSON pointer (RFC 6901). A page whose list is empty is the last.
    pub items: String,
    /// How the page after it is asked for.
    pub next: NextPage,
}

/// What names the next page. The first is the one the call's own arguments name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum NextPage {
    /// A token that the page holds; where it is absent, `null` or empty, the page is the last.
    Cursor {
        /// The parameter that takes it.
        parameter: String,
        /// Where it is in the page: a JSON pointer.
        from: String,
    },
    /// How many elements were got, from what the call gave for the parameter, or 0.
    Offset {
        /// The parameter.
        parameter: String,
    },
    /// The number of the page, counted from what the call gave for the parameter, or from `first`.
    Number {
        /// The parameter.
        parameter: String,
        /// The number of the first page.
        first: u32,
    },
}

/// A task: the operation's own request creates it, further ones by `GET` ask after it. Only the first is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Where its id is in the answer to the request that creates it: a JSON pointer to a text or number.
    pub id: String,
    /// Path template that tells its state, with `{id}`.
    pub path: String,
    /// Where the state is in that: a JSON pointer to a text.
    pub state: String,
    /// States in which its result is there.
    pub done: Vec<String>,
    /// States in which it never will be. In any other it is under way.
    pub failed: Vec<String>,
    /// Path template of the result, with `{id}`, where what tells the state does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_path: Option<String>,
    /// Where the result is in that: a JSON pointer, empty for the whole.
    #[serde(default)]
    pub result: String,
    /// How long it is waited between two questions where a plan does not say, milliseconds.
    pub every_ms: u32,
}

impl NextPage {
    /// The parameter that names a page.
    #[must_use]
    pub fn parameter(&self) -> &str {
        match self {
            Self::Cursor { parameter, .. } | Self::Offset { parameter } | Self::Number { parameter, .. } => {
                parameter
            }
        }
    }

    /// The parameter's value for the page after `page`, whose list ended with `got` elements in `read` pages so far;
    /// `given` is what the call gave. `None` after the last page.
    #[must_use]
    pub fn after(&self, page: &Value, given: Option<&Value>, read: u32, got: usize) -> Option<Value> {
        let from = |first: u64, more: u64| {
            let start = given.and_then(Value::as_u64).unwrap_or(first);
            Some(Value::from(start.checked_add(more)?))
        };
        match self {
            Self::Cursor { from, .. } => {
                let token = page.pointer(from)?;
                let is_end = token.is_null() || token.as_str().is_some_and(str::is_empty);
                (!is_end).then(|| token.clone())
            }
            Self::Offset { .. } => from(0, u64::try_from(got).unwrap_or(u64::MAX)),
            Self::Number { first, .. } => from(u64::from(*first), u64::from(read)),
        }
    }
}

impl Delivery {
    /// Checks it as that of `operation`.
    ///
    /// # Errors
    /// The field of [`Delivery`] that is wrong, empty for all of it, and why.
    pub fn check(&self, operation: &OperationDescriptor) -> Result<(), (&'static str, String)> {
        if let Self::Stream(stream) = self {
            return stream.check(operation);
        }
        let is_json = match &operation.transport {
            Transport::Http(http) => http.response == ResponseBody::Json,
            Transport::Axon(_) | Transport::Grpc(_) | Transport::Other { .. } => false,
        };
        if !is_json {
            return Err(("", "only JSON over HTTP comes in pages or by a task".into()));
        }
        let pointer = |field, text: &str| pointer::check(text).map_err(|why| (field, why));
        match self {
            Self::Stream(_) => Ok(()),
            Self::Pages(pages) => {
                pointer("items", &pages.items)?;
                if let NextPage::Cursor { from, .. } = &pages.next {
                    pointer("next.from", from)?;
                }
                let parameter = pages.next.parameter();
                match operation.input.pointer("/properties").and_then(|known| known.get(parameter)).is_some()
                {
                    true => Ok(()),
                    false => {
                        Err(("next.parameter", format!("`{parameter}` is no parameter of the operation")))
                    }
                }
            }
            Self::Task(task) => {
                pointer("id", &task.id)?;
                pointer("state", &task.state)?;
                pointer("result", &task.result)?;
                let paths = [("path", Some(&task.path)), ("result_path", task.result_path.as_ref())];
                for (field, path) in paths {
                    if path.is_some_and(|path| !path.contains("{id}")) {
                        return Err((field, "the path names no task: it has no `{id}`".into()));
                    }
                }
                if task.done.is_empty() {
                    return Err(("done", "no state says that the task is done".into()));
                }
                if let Some(both) = task.done.iter().find(|state| task.failed.contains(state)) {
                    return Err(("failed", format!("`{both}` is a state of tasks that are done, too")));
                }
                if task.every_ms == 0 {
                    return Err(("every_ms", "a task is not asked after without a pause".into()));
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_way_of_paging_names_the_page_after() {
        let page = json!({ "items": [1, 2], "next": "b" });
        let cursor = NextPage::Cursor { parameter: "after".into(), from: "/next".into() };
        assert_eq!(cursor.after(&page, None, 1, 2), Some(json!("b")));
        for end in [json!({}), json!({ "next": null }), json!({ "next": "" })] {
            assert_eq!(cursor.after(&end, None, 1, 2), None);
        }
        let offset = NextPage::Offset { parameter: "start".into() };
        assert_eq!(offset.after(&page, None, 1, 2), Some(json!(2)));
        assert_eq!(offset.after(&page, Some(&json!(10)), 2, 5), Some(json!(15)));
        let number = NextPage::Number { parameter: "page".into(), first: 1 };
        assert_eq!(number.after(&page, None, 1, 2), Some(json!(2)));
        assert_eq!(number.after(&page, Some(&json!(7)), 2, 4), Some(json!(9)));
        assert_eq!(number.after(&page, Some(&json!(u64::MAX)), 1, 2), None);
    }

    /// An operation with the one parameter `start`.
    fn operation() -> OperationDescriptor {
        serde_json::from_value(json!({
            "id": "sn1.find", "netuid": 1, "version": { "breaking": 1, "compatible": 0 }, "summary": "",
            "transport": { "kind": "http", "method": "GET", "base_url": "https://a.example", "path": "/a",
                "response": "json" },
            "access": "open", "auth": { "kind": "none" }, "side_effects": "none",
            "repeat": { "safe": true, "costs_again": false },
            "input": { "type": "object", "properties": { "start": { "type": "integer" } } },
            "output": {}, "output_complete": true, "sources": [],
        }))
        .unwrap()
    }

    #[test]
    fn only_json_over_http_comes_in_pages() {
        let next = NextPage::Offset { parameter: "start".into() };
        let pages = Delivery::Pages(Pages { items: "/items".into(), next });
        assert_eq!(pages.check(&operation()), Ok(()));
        let mut text = operation();
        if let Transport::Http(http) = &mut text.transport {
            http.response = ResponseBody::Text;
        }
        assert_eq!(pages.check(&text).unwrap_err().0, "");
        let transport = Transport::Other { protocol: "grpc".into(), base_url: None };
        let other = OperationDescriptor { transport, ..operation() };
        assert_eq!(pages.check(&other).unwrap_err().0, "");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |delivery: Value| {
            let delivery: Delivery = serde_json::from_value(delivery).unwrap();
            delivery.check(&operation()).unwrap_err().0
        };
        let pages = |items: &str, next: Value| json!({ "kind": "pages", "items": items, "next": next });
        assert_eq!(wrong(pages("items", json!({ "by": "offset", "parameter": "start" }))), "items");
        assert_eq!(wrong(pages("", json!({ "by": "offset", "parameter": "page" }))), "next.parameter");
        assert_eq!(
            wrong(pages("", json!({ "by": "cursor", "parameter": "start", "from": "a" }))),
            "next.from"
        );
        let task = |patch: Value| {
            let mut task = json!({ "kind": "task", "id": "/id", "path": "/t/{id}", "state": "/state",
                "done": ["done"], "failed": ["failed"], "every_ms": 500 });
            task.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
            wrong(task)
        };
        assert_eq!(task(json!({ "path": "/t" })), "path");
        assert_eq!(task(json!({ "result_path": "/t" })), "result_path");
        assert_eq!(task(json!({ "done": [] })), "done");
        assert_eq!(task(json!({ "failed": ["done"] })), "failed");
        assert_eq!(task(json!({ "every_ms": 0 })), "every_ms");
        assert_eq!(task(json!({ "state": "state" })), "state");
    }
}
