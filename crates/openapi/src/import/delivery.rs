//! Whether an answer comes in pages or can be streamed. No document says it; both are told by names that APIs agree on,
//! and only where nothing in the document speaks for anything else: an answer that is followed wrongly is worse than one
//! that is not followed.

use schema::delivery::{Delivery, NextPage, Pages};
use schema::operation::{HttpBinding, OperationDescriptor, ParameterLocation, Transport};
use schema::stream::{Framing, Gather, Stream};
use serde_json::{Map, Value as Json, json};

use super::Notes;
use crate::document::{Document, Operation};
use crate::media::Media;

/// Parameters that take the token of a page, and what answers call it.
const CURSORS: [&str; 3] = ["cursor", "page_token", "pageToken"];
const NEXT_CURSORS: [&str; 4] = ["next_cursor", "nextCursor", "next_page_token", "nextPageToken"];
/// Where in an answer it may stand besides the top.
const PARTS: [&str; 4] = ["meta", "metadata", "page_info", "pagination"];
/// Parameters that take the number of elements to pass over.
const OFFSETS: [&str; 2] = ["offset", "skip"];
/// Parameters that take the number of a page.
const NUMBERS: [&str; 3] = ["page", "page_number", "pageNumber"];
/// Parameters that say how many elements a page has.
const SIZES: [&str; 8] =
    ["limit", "page_size", "pageSize", "per_page", "perPage", "size", "max_results", "maxResults"];
/// What ends a stream in every API that is shaped like OpenAI's.
const DONE: &str = "[DONE]";

impl Document {
    /// How the answer of `entry` comes, if that is beyond doubt.
    pub(super) fn delivery(
        &self,
        operation: &Operation,
        entry: &OperationDescriptor,
        notes: &mut Notes,
    ) -> Option<Delivery> {
        let Transport::Http(http) = &entry.transport else { return None };
        if !entry.output_complete {
            return None;
        }
        let (delivery, why) = match http.method.as_str() {
            "GET" => pages(entry, http)?,
            "POST" if self.also_streams(operation) => stream(entry, http)?,
            _ => return None,
        };
        delivery.check(entry).ok()?;
        notes.guessed("delivery", why);
        Some(delivery)
    }

    /// Whether success is described as events besides.
    fn also_streams(&self, operation: &Operation) -> bool {
        let responses =
            self.members(operation).ok().and_then(|members| members.get("responses")?.as_object());
        let successes = responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
        successes.into_iter().any(|(_, response)| {
            let followed = self.follow(response, String::new());
            let content = followed.ok().and_then(|(response, _)| response.get("content")?.as_object());
            content.is_some_and(|content| content.keys().any(|name| Media::of(name) == Media::Stream))
        })
    }
}

fn pages(entry: &OperationDescriptor, http: &HttpBinding) -> Option<(Delivery, String)> {
    let list = list(&entry.output)?;
    let parameters = entry.input.pointer("/properties")?.as_object()?;
    let known = |names: &[&'static str]| -> Vec<&'static str> {
        let is_query = |name: &&'static str| {
            parameters.contains_key(*name) && http.parameters.get(*name) == Some(&ParameterLocation::Query)
        };
        names.iter().copied().filter(is_query).collect()
    };
    let ways = [known(&CURSORS), known(&OFFSETS), known(&NUMBERS)];
    // Two ways at once, or a cursor of another name beside, leave open which one counts.
    let [parameter] = *ways.concat() else { return None };
    let has_other = ["after", "before", "after_id", "starting_after", "start_cursor"].iter();
    if has_other.into_iter().any(|name| parameters.contains_key(*name))
        || is_required(&entry.input, parameter)
    {
        return None;
    }
    let schema = parameters.get(parameter)?;
    let next = match &ways {
        [cursor, ..] if !cursor.is_empty() => {
            NextPage::Cursor { parameter: parameter.into(), from: next_cursor(&entry.output)? }
        }
        _ if !is_integer(schema) || known(&SIZES).is_empty() => return None,
        [_, offset, _] if !offset.is_empty() => NextPage::Offset { parameter: parameter.into() },
        _ => NextPage::Number { parameter: parameter.into(), first: first_of(schema)? },
    };
    let place = if list.is_empty() { "the answer itself".to_owned() } else { format!("`{list}`") };
    let why =
        format!("pages by `{parameter}`, the list of each is {place}; one is read unless a plan says more");
    Some((Delivery::Pages(Pages { items: list, next }), why))
}

/// The number of the first page: 0 or 1, as the parameter's default or least value says.
fn first_of(schema: &Json) -> Option<u32> {
    let first = schema.get("default").or_else(|| schema.get("minimum"))?.as_u64()?;
    u32::try_from(first).ok().filter(|first| *first <= 1)
}

/// Where the one list of an answer is: the answer, or its one property that is a list. One with a highest length cannot
/// hold the elements of several pages.
fn list(output: &Json) -> Option<String> {
    let schema = resolved(output, output)?;
    if is_type(schema, "array") {
        return schema.get("maxItems").is_none().then(String::new);
    }
    let properties = properties(schema)?;
    let mut lists = properties.iter().filter_map(|(name, property)| {
        let property = resolved(output, property)?;
        is_type(property, "array").then_some((name, property))
    });
    let (name, property) = lists.next()?;
    let is_plain = !name.contains(['/', '~']) && is_required(schema, name);
    (is_plain && lists.next().is_none() && property.get("maxItems").is_none()).then(|| format!("/{name}"))
}

/// Where the token of the next page is, if one place has the name of one.
fn next_cursor(output: &Json) -> Option<String> {
    let schema = resolved(output, output)?;
    let top = properties(schema)?;
    let parts = PARTS.iter().filter_map(|part| {
        let inner = properties(resolved(output, top.get(*part)?)?)?;
        Some((format!("/{part}"), inner))
    });
    let places = std::iter::once((String::new(), top)).chain(parts);
    let found = places.flat_map(|(before, inner)| {
        let names = NEXT_CURSORS.iter().filter(|name| inner.contains_key(**name));
        names.map(move |name| format!("{before}/{name}")).collect::<Vec<_>>()
    });
    let found: Vec<String> = found.collect();
    let [one] = found.as_slice() else { return None };
    Some(one.clone())
}

/// Chats of the two forms that everybody copies: what their events add up to is known.
fn stream(entry: &OperationDescriptor, http: &HttpBinding) -> Option<(Delivery, String)> {
    if http.fixed_body.get("stream") != Some(&Json::Bool(false)) {
        return None;
    }
    let schema = resolved(&entry.output, &entry.output)?;
    let properties = properties(schema)?;
    let has = |names: &[&str]| names.iter().all(|name| properties.contains_key(*name));
    let (gather, end, form) = if http.path.ends_with("/chat/completions") && has(&["choices", "model"]) {
        (Gather::Completion, Some(DONE.to_owned()), "chunks of OpenAI's completions")
    } else if http.path.ends_with("/messages") && has(&["content", "role", "stop_reason"]) {
        (Gather::Message, None, "events of Anthropic's messages")
    } else {
        return None;
    };
    let stream = Stream {
        framing: Framing::Events,
        ask: [("stream".to_owned(), json!(true))].into(),
        end,
        item: json!({ "type": "object" }),
        gather,
    };
    Some((Delivery::Stream(stream), format!("a stream where somebody listens, in {form}")))
}

fn resolved<'a>(document: &'a Json, schema: &'a Json) -> Option<&'a Json> {
    // A reference to a reference is rare, and a circle of them is none.
    (0..8).try_fold(schema, |schema, _| match schema.get("$ref").and_then(Json::as_str) {
        Some(target) => document.pointer(target.strip_prefix('#')?),
        None => Some(schema),
    })
}

fn properties(schema: &Json) -> Option<&Map<String, Json>> {
    schema.get("properties")?.as_object()
}

fn is_type(schema: &Json, name: &str) -> bool {
    schema.get("type").is_some_and(|ty| ty == name)
}

/// Whether a parameter is an integer, or none.
fn is_integer(schema: &Json) -> bool {
    let or_null = |types: &Vec<Json>| {
        types.iter().any(|ty| ty == "integer") && types.iter().all(|ty| ty == "integer" || ty == "null")
    };
    is_type(schema, "integer") || schema.get("type").and_then(Json::as_array).is_some_and(or_null)
}

fn is_required(schema: &Json, name: &str) -> bool {
    let required = schema.get("required").and_then(Json::as_array);
    required.is_some_and(|required| required.iter().any(|one| one == name))
}
