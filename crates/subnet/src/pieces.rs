//! What the items of an answer make together: a key that comes in pieces is whole only there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// The texts that stand at one place of each of `items`, put together in their order. Elements of a list that say
/// their `index`, as the choices of a completion do, are told apart by it and not by where they stand.
pub(crate) fn joined<'a>(items: impl IntoIterator<Item = &'a Value>) -> impl Iterator<Item = String> {
    let mut texts = BTreeMap::new();
    for item in items {
        add(&mut texts, &mut String::new(), item);
    }
    texts.into_values()
}

fn add(texts: &mut BTreeMap<String, String>, place: &mut String, value: &Value) {
    let before = place.len();
    match value {
        Value::String(text) => match texts.get_mut(place.as_str()) {
            Some(whole) => whole.push_str(text),
            None => drop(texts.insert(place.clone(), text.clone())),
        },
        Value::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                let at = element.get("index").and_then(Value::as_u64).unwrap_or(at as u64);
                let _ = write!(place, "/{at}");
                add(texts, place, element);
                place.truncate(before);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let _ = write!(place, "/{name}");
                add(texts, place, member);
                place.truncate(before);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_of_one_place_are_put_together() {
        let items = [
            json!({ "n": 1, "choices": [{ "index": 1, "d": { "t": "x" } }, { "index": 0, "d": { "t": "a" } }] }),
            json!({ "choices": [{ "index": 0, "d": { "t": "b" } }], "other": null }),
            json!({ "choices": [{ "index": 1, "d": { "t": "y", "u": "z" } }] }),
        ];
        assert_eq!(joined(&items).collect::<Vec<_>>(), ["ab", "xy", "z"]);
        assert_eq!(joined(&[json!("a"), json!("b"), json!(["c"])]).collect::<Vec<_>>(), ["ab", "c"]);
    }
}
