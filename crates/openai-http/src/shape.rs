//! What can be a model: read from the JSON Schemas of what goes in and comes out, never from names of subnets.

use serde_json::{Map, Value};

/// Properties that take a conversation as one text, in the order they are looked for.
const TEXTS: [&str; 5] = ["prompt", "text", "question", "query", "input"];
/// Properties of an answer that hold its text where it is no completion.
const ANSWERS: [&str; 6] = ["text", "content", "completion", "answer", "response", "output"];
/// Properties that may be required because a request can say them, or because they have a value of their own.
const SAYABLE: [&str; 7] =
    ["model", "max_tokens", "max_completion_tokens", "temperature", "top_p", "dimensions", "system"];
/// References that are followed at most, so that a circle ends.
const REFERENCES_MAX: usize = 8;

/// How requests and answers of a model look.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// The schemas of its arguments by name, references followed.
    pub(crate) properties: Map<String, Value>,
    pub(crate) required: Vec<String>,
    pub(crate) serves: Serves,
}

/// Which endpoint it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    Chat(Ask, Answer),
    Embeddings,
}

/// Where a conversation goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Into `messages`, message by message.
    Messages,
    /// Into this property, as one text.
    Text(String),
}

/// What an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// `choices[].message`, as OpenAI's chat completions.
    Chat,
    /// `choices[].text`, as OpenAI's completions.
    Completion,
    /// `content[].text`, as Anthropic's messages.
    Blocks,
    /// A text.
    Text,
    /// A text in this property.
    TextIn(String),
}

impl Shape {
    /// The shape of what takes `input` and gives `output`, where it can be a model. `any_text` is whether a text that is
    /// the only thing required takes the conversation whatever its name.
    pub(crate) fn of(input: &Value, output: &Value, any_text: bool) -> Option<Self> {
        let properties = input.get("properties")?.as_object()?;
        let properties: Map<String, Value> =
            properties.iter().map(|(name, schema)| (name.clone(), followed(schema, input).clone())).collect();
        let required = input
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>());
        let mut shape =
            Self { properties, required: required.unwrap_or_default(), serves: Serves::Embeddings };
        if gives_embeddings(output) && shape.properties.contains_key("input") {
            return shape.is_sayable("input").then_some(shape);
        }
        let answer = answer(output)?;
        let ask = shape.ask(input, any_text)?;
        let taken = match &ask {
            Ask::Messages => "messages",
            Ask::Text(name) => name,
        };
        if !shape.is_sayable(taken) {
            return None;
        }
        shape.serves = Serves::Chat(ask, answer);
        Some(shape)
    }

    fn ask(&self, input: &Value, any_text: bool) -> Option<Ask> {
        if self.properties.get("messages").is_some_and(|schema| is(schema, input, "array")) {
            return Some(Ask::Messages);
        }
        let is_text =
            |name: &&str| self.properties.get(*name).is_some_and(|schema| is(schema, input, "string"));
        if let Some(name) = TEXTS.iter().find(|name| is_text(name)) {
            return Some(Ask::Text((*name).to_owned()));
        }
        match self.required.as_slice() {
            [only] if any_text && is_text(&only.as_str()) => Some(Ask::Text(only.clone())),
            _ => None,
        }
    }

    /// Whether a request can say everything that is required besides `taken`.
    fn is_sayable(&self, taken: &str) -> bool {
        self.required.iter().all(|name| {
            let has_value = self.properties.get(name).is_some_and(|schema| schema.get("default").is_some());
            name == taken || has_value || SAYABLE.contains(&name.as_str())
        })
    }

    /// The value of an argument where the caller says none.
    pub(crate) fn value_of(&self, name: &str) -> Option<&Value> {
        let schema = self.properties.get(name)?;
        let only = || schema.get("enum").and_then(Value::as_array).and_then(|values| values.first());
        schema.get("default").or_else(|| schema.get("const")).or_else(only)
    }
}

/// Whether the schema admits values of a type. One that says nothing admits all.
pub(crate) fn is(schema: &Value, root: &Value, wanted: &str) -> bool {
    let schema = followed(schema, root);
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind == wanted,
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == wanted),
        _ => false,
    };
    let any = ["anyOf", "oneOf"].iter().filter_map(|name| schema.get(*name)?.as_array()).flatten();
    kind || any.into_iter().any(|part| is(part, root, wanted))
}

/// The schema that a reference within `root` names, or the schema itself.
fn followed<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..REFERENCES_MAX {
        let target =
            schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        match target.and_then(|pointer| root.pointer(pointer)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// The schema at a path of properties; `*` is the elements of a list.
fn at<'a>(root: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(followed(root, root), |schema, step| {
        let next = match *step {
            "*" => schema.get("items")?,
            name => schema.get("properties")?.get(name)?,
        };
        Some(followed(next, root))
    })
}

fn gives_embeddings(output: &Value) -> bool {
    at(output, &["data", "*", "embedding"]).is_some_and(|schema| is(schema, output, "array"))
}

fn answer(output: &Value) -> Option<Answer> {
    let has = |path: &[&str], kind: &str| at(output, path).is_some_and(|schema| is(schema, output, kind));
    if has(&["choices", "*", "message"], "object") {
        return Some(Answer::Chat);
    }
    if has(&["choices", "*", "text"], "string") {
        return Some(Answer::Completion);
    }
    let is_message =
        at(output, &["type"]).and_then(|schema| schema.get("const")).is_some_and(|kind| kind == "message");
    if is_message && has(&["content", "*"], "object") {
        return Some(Answer::Blocks);
    }
    if is(output, output, "string") {
        return Some(Answer::Text);
    }
    let required = output.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
    let name = ANSWERS.iter().find(|name| is_required(name) && has(&[name], "string"))?;
    Some(Answer::TextIn((*name).to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(required: &[&str], properties: Value) -> Value {
        json!({ "type": "object", "properties": properties, "required": required })
    }

    fn serves(input: &Value, output: &Value) -> Option<Serves> {
        Shape::of(input, output, false).map(|shape| shape.serves)
    }

    #[test]
    fn answers_are_told_by_their_schema() {
        let text = json!({ "type": "string" });
        let prompt = object(&["prompt"], json!({ "prompt": text }));
        let ask = || Ask::Text("prompt".into());
        let choices = |choice: Value| object(&[], json!({ "choices": { "type": "array", "items": choice } }));
        let message = json!({ "$ref": "#/$defs/m" });
        let mut chat = choices(object(&[], json!({ "message": message })));
        chat["$defs"] = json!({ "m": { "type": "object" } });
        for (output, expected) in [
            (chat, Answer::Chat),
            (choices(object(&[], json!({ "text": text }))), Answer::Completion),
            (text.clone(), Answer::Text),
            (object(&["answer"], json!({ "answer": text })), Answer::TextIn("answer".into())),
        ] {
            assert_eq!(serves(&prompt, &output), Some(Serves::Chat(ask(), expected)), "{output}");
        }
        let optional = object(&[], json!({ "answer": text }));
        assert_eq!(serves(&prompt, &optional), None, "an answer that may lack its text is no completion");
        assert_eq!(serves(&prompt, &json!({ "type": "number" })), None);
    }

    #[test]
    fn what_a_request_cannot_say_is_no_model() {
        let text = json!({ "type": "string" });
        let asks = |required: &[&str]| {
            object(required, json!({ "prompt": text, "tools": { "type": "array" }, "model": text }))
        };
        assert!(serves(&asks(&["prompt", "model"]), &text).is_some());
        assert_eq!(serves(&asks(&["prompt", "tools"]), &text), None);
        let word = object(&["word"], json!({ "word": text, "other": text }));
        assert_eq!(serves(&word, &text), None);
        let plan = Shape::of(&word, &text, true).unwrap();
        assert_eq!(plan.serves, Serves::Chat(Ask::Text("word".into()), Answer::Text));
    }

    #[test]
    fn a_circle_of_references_ends() {
        let circle = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/a" } } });
        assert_eq!(
            Shape::of(&object(&["prompt"], json!({ "prompt": { "type": "string" } })), &circle, true),
            None
        );
    }
}
