//! What the items of an answer make together: a key that comes in pieces is whole only there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// The texts that stand at one place of each of `items`, put together in their order. Objects that say their `index`, as
/// the choices of a completion and the events of a block do, are told apart by it and not by where they stand.
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
                let _ = match index(element) {
                    Some(_) => write!(place, "[]"),
                    None => write!(place, "[{at}]"),
                };
                add(texts, place, element);
                place.truncate(before);
            }
        }
        Value::Object(members) => {
            if let Some(at) = index(value) {
                let _ = write!(place, "#{at}");
            }
            let inside = place.len();
            for (name, member) in members {
                // Names hold anything but must not read as two.
                let _ = write!(place, "/{}", name.replace('~', "~0").replace('/', "~1"));
                add(texts, place, member);
                place.truncate(inside);
            }
            place.truncate(before);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn index(value: &Value) -> Option<u64> {
    value.get("index")?.as_u64()
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
        // Events of two blocks, one after the other in turn; and names that look like places.
        let text = |index: u32, text: &str| json!({ "index": index, "delta": { "text": text } });
        let events = [text(0, "a"), text(1, "x"), text(0, "b"), text(1, "y")];
        assert_eq!(joined(&events).collect::<Vec<_>>(), ["ab", "xy"]);
        let alike = [json!({ "a/b": "1", "l": ["p"] }), json!({ "a": { "b": "2" }, "l": { "0": "q" } })];
        assert_eq!(joined(&alike).collect::<Vec<_>>(), ["2", "1", "q", "p"]);
    }
}
