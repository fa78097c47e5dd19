//! Lists and objects in the path, the query, a header or a form, in the style that the entry names.
//!
//! What a reader could take apart in two ways is not sent: an element that, encoded for its place, still holds the mark
//! between elements, a list within a list. A comma in the query or the path stands between elements as it is, and is
//! encoded within one; a blank, `|` or tab between elements is encoded itself.

use schema::error::CallError;
use schema::operation::{ParameterLocation, ParameterStyle as Style};
use serde_json::Value;

use crate::https::{plain_text, unsendable};
use crate::secrets::percent_encoded;

/// Whether a parameter of that place can have the style; `None` is the body.
pub(crate) const fn fits(style: Style, place: Option<ParameterLocation>) -> bool {
    match style {
        Style::Json | Style::Comma | Style::Pairs => true,
        Style::Space | Style::Pipe | Style::Tab => matches!(place, Some(ParameterLocation::Query) | None),
        Style::Fields | Style::Deep => matches!(place, Some(ParameterLocation::Query)),
        Style::Label | Style::LabelExploded | Style::Matrix | Style::MatrixExploded => {
            matches!(place, Some(ParameterLocation::Path))
        }
    }
}

/// Encodes one text for its place.
type Encode<'a> = &'a dyn Fn(&str) -> Result<String, CallError>;

/// A parameter of a query as rows `name=value`, encoded; none where it is null or empty.
pub(crate) fn query_rows(name: &str, value: &Value, style: Option<Style>) -> Result<Vec<String>, CallError> {
    let row = |name: &str, text: &str| format!("{}={}", percent_encoded(name), percent_encoded(text));
    let encode = |text: &str| Ok(percent_encoded(text));
    let joined = |mark: &str| {
        let text = list(name, value, mark, false, &encode)?;
        Ok(vec![format!("{}={text}", percent_encoded(name))])
    };
    match (style, value) {
        (_, Value::Null) => Ok(Vec::new()),
        (Some(Style::Json), value) => Ok(vec![row(name, &value.to_string())]),
        (Some(_), Value::Array(items)) if items.iter().all(Value::is_null) => Ok(Vec::new()),
        (Some(Style::Comma), Value::Array(_) | Value::Object(_)) => joined(","),
        (Some(Style::Space), Value::Array(_) | Value::Object(_)) => joined("%20"),
        (Some(Style::Pipe), Value::Array(_) | Value::Object(_)) => joined("%7C"),
        (Some(Style::Tab), Value::Array(_) | Value::Object(_)) => joined("%09"),
        (Some(Style::Fields | Style::Deep), Value::Object(members)) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            members
                .map(|(field, value)| {
                    let text = plain_text(value).ok_or_else(|| nested(name))?;
                    match style {
                        Some(Style::Deep) => Ok(row(&format!("{name}[{field}]"), &text)),
                        _ => Ok(row(field, &text)),
                    }
                })
                .collect()
        }
        (_, Value::Array(items)) => {
            let items = items.iter().filter(|item| !item.is_null());
            Ok(items.map(|item| row(name, &text_of(item))).collect())
        }
        (_, value) => Ok(vec![row(name, &text_of(value))]),
    }
}

/// A parameter of a header, or a field of a form, as one text that is not encoded.
pub(crate) fn text(name: &str, value: &Value, style: Option<Style>) -> Result<String, CallError> {
    let plain = |text: &str| Ok(text.to_owned());
    let joined = |mark: &str, pairs: bool| list(name, value, mark, pairs, &plain);
    match (style, value) {
        (Some(Style::Comma), Value::Array(_) | Value::Object(_)) => joined(",", false),
        (Some(Style::Pairs), Value::Array(_) | Value::Object(_)) => joined(",", true),
        (Some(Style::Space), Value::Array(_) | Value::Object(_)) => joined(" ", false),
        (Some(Style::Pipe), Value::Array(_) | Value::Object(_)) => joined("|", false),
        (Some(Style::Tab), Value::Array(_) | Value::Object(_)) => joined("\t", false),
        (Some(Style::Json), value) => Ok(value.to_string()),
        (_, value) => Ok(text_of(value)),
    }
}

/// A parameter of the path, each text in it by `encode`.
pub(crate) fn segment(
    name: &str,
    value: &Value,
    style: Option<Style>,
    encode: Encode<'_>,
) -> Result<String, CallError> {
    let joined = |mark: &str, pairs: bool| list(name, value, mark, pairs, encode);
    let exploded = |mark: &str| match value {
        // Each element has the name of the parameter, each field its own.
        Value::Array(items) => {
            let rows = items.iter().map(|item| {
                let text = plain_text(item).ok_or_else(|| nested(name))?;
                Ok(format!("{mark}{}={}", percent_encoded(name), encode(&text)?))
            });
            rows.collect::<Result<String, _>>()
        }
        _ => Ok(format!("{mark}{}", list(name, value, mark, true, encode)?)),
    };
    let is_single = !value.is_array() && !value.is_object();
    match style {
        Some(Style::Json) => encode(&value.to_string()),
        Some(Style::Label) => Ok(format!(".{}", joined(",", false)?)),
        Some(Style::LabelExploded) => Ok(format!(".{}", joined(".", true)?)),
        Some(Style::MatrixExploded) if !is_single => exploded(";"),
        Some(Style::Matrix | Style::MatrixExploded) => {
            Ok(format!(";{}={}", percent_encoded(name), joined(",", false)?))
        }
        Some(Style::Pairs) => joined(",", true),
        Some(_) => joined(",", false),
        None => encode(&plain_text(value).unwrap_or_default()),
    }
}

/// Elements with `mark` between them; the fields of an object as elements, or with `pairs` as `name=value`.
fn list(name: &str, value: &Value, mark: &str, pairs: bool, encode: Encode<'_>) -> Result<String, CallError> {
    let one = |text: &str| {
        let written = encode(text)?;
        let mut between = [mark, "="].into_iter().take(if pairs && value.is_object() { 2 } else { 1 });
        match between.find(|between| written.contains(between)) {
            Some(between) => Err(unsendable(format!(
                "an element of `{name}` holds `{between}`, which stands between elements and could not be told apart"
            ))),
            None => Ok(written),
        }
    };
    let element = |item: &Value| one(&plain_text(item).ok_or_else(|| nested(name))?);
    let parts: Vec<String> = match value {
        Value::Array(items) => {
            items.iter().filter(|item| !item.is_null()).map(element).collect::<Result<_, _>>()?
        }
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let between = if pairs { "=" } else { mark };
            let written =
                members.map(|(field, value)| Ok(format!("{}{between}{}", one(field)?, element(value)?)));
            written.collect::<Result<_, CallError>>()?
        }
        single => vec![encode(&plain_text(single).unwrap_or_default())?],
    };
    Ok(parts.join(mark))
}

fn nested(name: &str) -> CallError {
    unsendable(format!("`{name}` holds a list or an object within another, which its style cannot write"))
}

/// Scalars as they are, anything else as JSON.
fn text_of(value: &Value) -> String {
    plain_text(value).unwrap_or_else(|| value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_has_each_style() {
        let rows = |value: Value, style| query_rows("c", &value, style).map(|rows| rows.join("&"));
        let (list, object) = (json!(["a b", 1, null]), json!({ "R": 100, "G": "x&y", "no": null }));
        for (style, of_list, of_object) in [
            (None, "c=a%20b&c=1", "c=%7B%22R%22%3A100%2C%22G%22%3A%22x%26y%22%2C%22no%22%3Anull%7D"),
            (Some(Style::Comma), "c=a%20b,1", "c=R,100,G,x%26y"),
            (Some(Style::Pipe), "c=a%20b%7C1", "c=R%7C100%7CG%7Cx%26y"),
            (Some(Style::Tab), "c=a%20b%091", "c=R%09100%09G%09x%26y"),
            (Some(Style::Fields), "c=a%20b&c=1", "R=100&G=x%26y"),
            (Some(Style::Deep), "c=a%20b&c=1", "c%5BR%5D=100&c%5BG%5D=x%26y"),
            (
                Some(Style::Json),
                "c=%5B%22a%20b%22%2C1%2Cnull%5D",
                "c=%7B%22R%22%3A100%2C%22G%22%3A%22x%26y%22%2C%22no%22%3Anull%7D",
            ),
        ] {
            assert_eq!(rows(list.clone(), style).as_deref(), Ok(of_list), "{style:?}");
            assert_eq!(rows(object.clone(), style).as_deref(), Ok(of_object), "{style:?}");
            assert_eq!(rows(json!(null), style).as_deref(), Ok(""), "{style:?}");
        }
        assert_eq!(rows(json!(["a", "b"]), Some(Style::Space)).as_deref(), Ok("c=a%20b"));
        assert_eq!(rows(json!([]), Some(Style::Comma)).as_deref(), Ok(""));
        assert_eq!(rows(json!(["a,b", "c"]), Some(Style::Comma)).as_deref(), Ok("c=a%2Cb,c"));
        assert_eq!(rows(json!({ "a,b": "c,d" }), Some(Style::Comma)).as_deref(), Ok("c=a%2Cb,c%2Cd"));
        for (value, style) in [
            (json!(["a b"]), Style::Space),
            (json!(["a|b"]), Style::Pipe),
            (json!(["a\tb"]), Style::Tab),
            (json!([["a"]]), Style::Comma),
            (json!({ "a": { "b": 1 } }), Style::Deep),
            (json!({ "a": [1] }), Style::Fields),
        ] {
            assert_eq!(rows(value.clone(), Some(style)).unwrap_err().code, "E1112", "{value} {style:?}");
        }
    }

    #[test]
    fn a_path_has_each_style() {
        let encode = |text: &str| Ok(percent_encoded(text));
        let written = |value: &Value, style| segment("c", value, Some(style), &encode).unwrap();
        let (one, list, object) = (json!("b/c"), json!(["a", "b"]), json!({ "R": 100, "G": 200 }));
        for (style, of_one, of_list, of_object) in [
            (Style::Comma, "b%2Fc", "a,b", "R,100,G,200"),
            (Style::Pairs, "b%2Fc", "a,b", "R=100,G=200"),
            (Style::Label, ".b%2Fc", ".a,b", ".R,100,G,200"),
            (Style::LabelExploded, ".b%2Fc", ".a.b", ".R=100.G=200"),
            (Style::Matrix, ";c=b%2Fc", ";c=a,b", ";c=R,100,G,200"),
            (Style::MatrixExploded, ";c=b%2Fc", ";c=a;c=b", ";R=100;G=200"),
        ] {
            assert_eq!(written(&one, style), of_one, "{style:?}");
            assert_eq!(written(&list, style), of_list, "{style:?}");
            assert_eq!(written(&object, style), of_object, "{style:?}");
        }
        assert_eq!(written(&json!(["a,b", "c"]), Style::Comma), "a%2Cb,c");
        assert_eq!(written(&json!({ "a=b": "c,d" }), Style::Pairs), "a%3Db=c%2Cd");
        assert_eq!(written(&json!(["a;b", "c"]), Style::MatrixExploded), ";c=a%3Bb;c=c");
        // A dot is written the same either way.
        let dotted = segment("c", &json!(["a.b"]), Some(Style::LabelExploded), &encode);
        assert_eq!(dotted.unwrap_err().code, "E1112");
    }

    #[test]
    fn a_header_and_a_form_have_one_text() {
        let written = |value: Value, style| text("c", &value, style);
        assert_eq!(written(json!(["a", 2]), Some(Style::Comma)).as_deref(), Ok("a,2"));
        assert_eq!(written(json!({ "R": 1, "G": 2 }), Some(Style::Pairs)).as_deref(), Ok("R=1,G=2"));
        assert_eq!(written(json!("a,b"), Some(Style::Comma)).as_deref(), Ok("a,b"));
        assert_eq!(written(json!(["a=b"]), Some(Style::Pairs)).as_deref(), Ok("a=b"));
        assert_eq!(written(json!({ "a": "=" }), Some(Style::Pairs)).unwrap_err().code, "E1112");
        assert_eq!(written(json!(["a,b"]), Some(Style::Comma)).unwrap_err().code, "E1112");
    }
}
