//! When two JSON values are the same: numbers by value, objects whatever the order of their members.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// Text that is the same for values that are the same, and for no others.
pub(crate) fn canonical(value: &Json) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Json, text: &mut String) {
    match value {
        Json::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Json::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for key in keys {
                text.push_str(&Json::from(key.as_str()).to_string());
                text.push(':');
                write(members.get(key).unwrap_or(&Json::Null), text);
                text.push(',');
            }
            text.push('}');
        }
        Json::Number(number) => match number.as_i64() {
            // Writing to a string cannot fail.
            Some(whole) => drop(write!(text, "{whole}")),
            None => match number.as_f64() {
                // One zero.
                Some(float) => drop(write!(text, "{}", float + 0.0)),
                None => text.push_str(&number.to_string()),
            },
        },
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_compared_by_value_and_objects_by_members() {
        for (a, b, same) in [
            (json!(1), json!(1.0), true),
            (json!(-0.0), json!(0), true),
            (json!({ "a": 1, "b": [2.0] }), json!({ "b": [2], "a": 1.0 }), true),
            (json!([1, 2]), json!([2, 1]), false),
            (json!("1"), json!(1), false),
            (json!(null), json!("null"), false),
        ] {
            assert_eq!(canonical(&a) == canonical(&b), same, "{a} {b}");
        }
    }
}
