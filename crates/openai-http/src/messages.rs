//! The conversation of a request as the arguments of a model: message by message where it takes messages, else as one
//! text.

use serde_json::{Map, Value};

use crate::error::Failure;
use crate::shape::{Ask, Shape, is};

/// What a message may say without changing the answer.
const WITHOUT_EFFECT: [&str; 4] = ["name", "refusal", "annotations", "audio"];

/// Puts the conversation into `arguments`.
pub(crate) fn put(
    messages: Option<&Value>,
    shape: &Shape,
    ask: &Ask,
    arguments: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let messages = match messages {
        Some(Value::Array(messages)) if !messages.is_empty() => messages,
        Some(_) => {
            return Err(Failure::parameter("messages", "`messages` is a list of at least one message"));
        }
        None => return Err(Failure::parameter("messages", "`messages` is missing")),
    };
    match ask {
        Ask::Messages => as_messages(messages, shape, arguments),
        Ask::Text(name) => {
            let text = as_text(messages, shape, arguments)?;
            arguments.insert(name.clone(), text.into());
            Ok(())
        }
    }
}

fn as_messages(messages: &[Value], shape: &Shape, arguments: &mut Map<String, Value>) -> Result<(), Failure> {
    let nothing = Value::Null;
    let schema = shape.properties.get("messages").and_then(|schema| schema.get("items")).unwrap_or(&nothing);
    let mut fitted = Vec::with_capacity(messages.len());
    let mut system = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let message = fit(at, object(at, message)?, schema)?;
        match message.get("content") {
            Some(Value::String(content)) if is_system(&message) && takes_system(shape) => {
                system.push(content.clone())
            }
            _ => fitted.push(Value::Object(message)),
        }
    }
    if !system.is_empty() {
        arguments.insert("system".into(), system.join("\n\n").into());
    }
    arguments.insert("messages".into(), fitted.into());
    Ok(())
}

/// A message in the form that `schema` admits.
fn fit(at: usize, message: &Map<String, Value>, schema: &Value) -> Result<Map<String, Value>, Failure> {
    let Some(Value::Object(known)) = schema.get("properties") else { return Ok(message.clone()) };
    let mut fitted = Map::new();
    for (name, value) in message {
        let place = || format!("messages[{at}].{name}");
        match (name.as_str(), known.get(name)) {
            ("role", schema) => drop(fitted.insert(name.clone(), role(at, value, schema)?.into())),
            ("content", Some(schema)) if !is(schema, schema, "array") => {
                let content = match value {
                    Value::Array(_) => text(at, value)?.into(),
                    value => value.clone(),
                };
                fitted.insert(name.clone(), content);
            }
            (_, Some(_)) => drop(fitted.insert(name.clone(), value.clone())),
            (_, None) if is_nothing(value) || WITHOUT_EFFECT.contains(&name.as_str()) => {}
            (_, None) => {
                return Err(Failure::parameter(
                    place(),
                    format!("this model takes no `{name}` in a message"),
                ));
            }
        }
    }
    Ok(fitted)
}

/// The role by the name that the model has for it.
fn role<'a>(at: usize, role: &'a Value, schema: Option<&Value>) -> Result<&'a str, Failure> {
    let place = format!("messages[{at}].role");
    let Some(role) = role.as_str() else {
        return Err(Failure::parameter(place, "a role is a text, such as `user`"));
    };
    let Some(roles) = schema.and_then(|schema| schema.get("enum")).and_then(Value::as_array) else {
        return Ok(role);
    };
    let has = |name: &str| roles.iter().any(|known| known == name);
    match role {
        role if has(role) => Ok(role),
        "developer" if has("system") => Ok("system"),
        _ => {
            let roles: Vec<&str> = roles.iter().filter_map(Value::as_str).collect();
            let message = format!("this model has no role `{role}`; it has {}", roles.join(", "));
            Err(Failure::parameter(place, message))
        }
    }
}

/// The conversation as one text: the message itself where there is one, else all with their roles.
fn as_text(messages: &[Value], shape: &Shape, arguments: &mut Map<String, Value>) -> Result<String, Failure> {
    let mut parts = Vec::with_capacity(messages.len());
    let mut system = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let message = object(at, message)?;
        if let Some(calls) = message.get("tool_calls").filter(|calls| !is_nothing(calls)) {
            let place = format!("messages[{at}].tool_calls");
            return Err(Failure::parameter(
                place,
                format!("this model has no tools, and was sent calls: {calls:.80}"),
            ));
        }
        if message.get("role").is_some_and(|role| role == "tool") {
            let place = format!("messages[{at}].role");
            return Err(Failure::parameter(place, "this model has no tools, and was sent what one gave"));
        }
        let said = text(at, message.get("content").unwrap_or(&Value::Null))?;
        match role(at, message.get("role").unwrap_or(&Value::Null), None)? {
            "system" | "developer" if takes_system(shape) => system.push(said),
            role => parts.push((role, said)),
        }
    }
    if !system.is_empty() {
        arguments.insert("system".into(), system.join("\n\n").into());
    }
    if let [(_, only)] = parts.as_mut_slice() {
        return Ok(std::mem::take(only));
    }
    Ok(parts.iter().map(|(role, said)| format!("{role}: {said}")).collect::<Vec<_>>().join("\n\n"))
}

fn object(at: usize, message: &Value) -> Result<&Map<String, Value>, Failure> {
    let wrong =
        || Failure::parameter(format!("messages[{at}]"), "a message is an object with `role` and `content`");
    message.as_object().ok_or_else(wrong)
}

/// The text of a content, whose parts may be texts only.
fn text(at: usize, content: &Value) -> Result<String, Failure> {
    match content {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().enumerate().map(|(part, value)| {
                match value.get("text").and_then(Value::as_str) {
                    Some(text) => Ok(text),
                    None => {
                        let place = format!("messages[{at}].content[{part}]");
                        Err(Failure::parameter(place, "this model takes text only"))
                    }
                }
            });
            Ok(texts.collect::<Result<Vec<_>, _>>()?.concat())
        }
        _ => Err(Failure::parameter(
            format!("messages[{at}].content"),
            "a content is a text or a list of parts",
        )),
    }
}

fn is_system(message: &Map<String, Value>) -> bool {
    message.get("role").is_some_and(|role| role == "system")
}

/// Whether the model takes what is said before the conversation apart from it.
fn takes_system(shape: &Shape) -> bool {
    shape.properties.get("system").is_some_and(|schema| is(schema, schema, "string"))
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shape::{Answer, Serves};

    fn arguments(properties: Value, ask: Ask, messages: Value) -> Result<Value, Value> {
        let Value::Object(properties) = properties else { panic!("properties are an object") };
        let serves = Serves::Chat(ask.clone(), Answer::Text);
        let shape = Shape { properties, required: Vec::new(), serves };
        let mut arguments = Map::new();
        put(Some(&messages), &shape, &ask, &mut arguments)
            .map(|()| Value::Object(arguments))
            .map_err(|failure| failure.body()["error"]["param"].clone())
    }

    fn messages() -> Value {
        let roles = json!({ "enum": ["system", "user", "assistant"] });
        json!({ "messages": { "type": "array", "items": { "type": "object",
            "properties": { "role": roles, "content": { "type": ["string", "null"] } } } } })
    }

    #[test]
    fn messages_take_the_form_of_the_schema() {
        let fitted = arguments(
            messages(),
            Ask::Messages,
            json!([
                { "role": "developer", "content": "Be brief." },
                { "role": "user", "name": "eve", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] },
                { "role": "assistant", "content": null, "tool_calls": [] },
            ]),
        );
        let expected = json!({ "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "ab" },
            { "role": "assistant", "content": null },
        ] });
        assert_eq!(fitted, Ok(expected));
    }

    #[test]
    fn what_was_said_before_goes_where_the_schema_has_it() {
        let mut properties = messages();
        properties["system"] = json!({ "type": "string" });
        let said = json!([{ "role": "system", "content": "S" }, { "role": "user", "content": "U" }]);
        let fitted = arguments(properties, Ask::Messages, said.clone());
        assert_eq!(fitted, Ok(json!({ "system": "S", "messages": [{ "role": "user", "content": "U" }] })));
        let ask = Ask::Text("prompt".into());
        assert_eq!(arguments(json!({}), ask.clone(), said), Ok(json!({ "prompt": "system: S\n\nuser: U" })));
        let one = json!([{ "role": "user", "content": "U" }]);
        assert_eq!(arguments(json!({}), ask, one), Ok(json!({ "prompt": "U" })));
    }

    #[test]
    fn what_cannot_be_said_is_named() {
        let user = |content: Value| json!([{ "role": "user", "content": content }]);
        let image = user(json!([{ "type": "text", "text": "a" }, { "type": "image_url", "image_url": {} }]));
        for (said, place) in [
            (json!([]), "messages"),
            (json!(["hi"]), "messages[0]"),
            (json!([{ "role": "critic", "content": "" }]), "messages[0].role"),
            (json!([{ "role": 1, "content": "" }]), "messages[0].role"),
            (image, "messages[0].content[1]"),
            (json!([{ "role": "assistant", "tool_calls": [{ "id": "a" }] }]), "messages[0].tool_calls"),
        ] {
            assert_eq!(arguments(messages(), Ask::Messages, said.clone()), Err(json!(place)), "{said}");
        }
        assert_eq!(
            arguments(json!({}), Ask::Text("q".into()), user(json!(1))),
            Err(json!("messages[0].content"))
        );
        let given = json!([{ "role": "tool", "tool_call_id": "a", "content": "42" }]);
        for ask in [Ask::Text("q".into()), Ask::Messages] {
            assert_eq!(arguments(messages(), ask, given.clone()), Err(json!("messages[0].role")));
        }
    }

    /// A conversation that went on after calls of tools, with an operation whose schema has them.
    #[test]
    fn calls_of_tools_and_what_they_gave_are_passed_on_where_the_schema_has_them() {
        let said = json!([
            { "role": "user", "content": "how warm is it?" },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "a", "type": "function", "function": { "name": "warmth", "arguments": "{}" } } ] },
            { "role": "tool", "tool_call_id": "a", "content": [{ "type": "text", "text": "21" }] },
        ]);
        let mut properties = messages();
        let message = &mut properties["messages"]["items"]["properties"];
        message["role"]["enum"] = json!(["user", "assistant", "tool"]);
        message["tool_calls"] = json!({ "type": "array" });
        message["tool_call_id"] = json!({ "type": "string" });
        let mut expected = said.clone();
        expected[2]["content"] = json!("21");
        assert_eq!(arguments(properties, Ask::Messages, said), Ok(json!({ "messages": expected })));
    }
}
