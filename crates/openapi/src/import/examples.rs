//! The example of an operation, where its document publishes one of both sides.

use schema::operation::{Example, ExampleProvenance};
use serde_json::{Map, Value as Json};

use crate::document::{Document, Operation};
use crate::error::Error;
use crate::media::Media;
use crate::request::BODY;

impl Document {
    /// What the document publishes as input and answer; nothing where it is not both.
    ///
    /// # Errors
    /// Where a reference on the way leads nowhere.
    pub(super) fn example(
        &self,
        operation: &Operation,
        input: &Json,
        whole_body: bool,
    ) -> Result<Option<Example>, Error> {
        let Some(output) = self.answer_example(operation)? else { return Ok(None) };
        let mut arguments = Map::new();
        for place in [&operation.item, &operation.at] {
            let parameters = self.resolve(place, place)?.get("parameters").and_then(Json::as_array);
            for parameter in parameters.into_iter().flatten() {
                let (parameter, _) = self.follow(parameter, place.clone())?;
                let Some(name) = parameter.get("name").and_then(Json::as_str) else { continue };
                let of_schema = || example_of(parameter.get("schema")?);
                if let Some(value) = example_of(parameter).or_else(of_schema) {
                    arguments.insert(name.to_owned(), value);
                }
            }
        }
        match self.body_example(operation)? {
            Some(body) if whole_body => drop(arguments.insert(BODY.to_owned(), body)),
            Some(Json::Object(body)) => arguments.extend(body),
            _ => {}
        }
        let properties = input.get("properties").and_then(Json::as_object);
        arguments.retain(|name, _| properties.is_some_and(|known| known.contains_key(name)));
        let required = input.get("required").and_then(Json::as_array);
        let mut required = required.into_iter().flatten().filter_map(Json::as_str);
        if required.any(|name| !arguments.contains_key(name)) {
            return Ok(None);
        }
        let provenance = ExampleProvenance::Source;
        Ok(Some(Example { input: arguments.into(), output, provenance }))
    }

    fn body_example(&self, operation: &Operation) -> Result<Option<Json>, Error> {
        let Some(body) = self.members(operation)?.get("requestBody") else { return Ok(None) };
        let (body, _) = self.follow(body, operation.at.clone())?;
        self.content_example(body, operation)
    }

    fn answer_example(&self, operation: &Operation) -> Result<Option<Json>, Error> {
        let responses = self.members(operation)?.get("responses").and_then(Json::as_object);
        let success = responses.into_iter().flatten().find(|(status, _)| status.starts_with('2'));
        let Some((_, response)) = success else { return Ok(None) };
        let (response, _) = self.follow(response, operation.at.clone())?;
        // Swagger 2.0 has them by media type.
        let by_type = response.get("examples").and_then(Json::as_object);
        if let Some(example) = by_type.and_then(|all| all.get("application/json")) {
            return Ok(Some(example.clone()));
        }
        self.content_example(response, operation)
    }

    fn content_example(&self, holder: &Json, operation: &Operation) -> Result<Option<Json>, Error> {
        let content = holder.get("content").and_then(Json::as_object);
        let Some((_, _, media)) = content.and_then(Media::best) else { return Ok(None) };
        let (media, _) = self.follow(media, operation.at.clone())?;
        if let Some(example) = example_of(media) {
            return Ok(Some(example));
        }
        let Some(schema) = media.get("schema") else { return Ok(None) };
        let (schema, _) = self.follow(schema, operation.at.clone())?;
        Ok(example_of(schema))
    }
}

/// `example`, else the first of `examples`: values themselves in a list, objects with `value` in a mapping.
fn example_of(holder: &Json) -> Option<Json> {
    if let Some(example) = holder.get("example") {
        return Some(example.clone());
    }
    match holder.get("examples")? {
        Json::Array(values) => values.first().cloned(),
        Json::Object(named) => named.values().next()?.get("value").cloned(),
        _ => None,
    }
}
