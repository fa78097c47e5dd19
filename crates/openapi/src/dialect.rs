//! Which language a document is written in, and its schemas in the one language that is mapped.

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, NO_API, shown};

/// The language of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Swagger 2.0.
    Swagger2,
    /// OpenAPI 3.0: schemas in a dialect of their own.
    OpenApi30,
    /// OpenAPI 3.1 and 3.2: schemas in JSON Schema 2020-12.
    OpenApi31,
}

/// Who reads the values of a schema: some properties are for one side only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Values that a plan sends.
    Input,
    /// Values that come back.
    Answer,
}

impl Dialect {
    /// The dialect that `root` declares.
    pub(crate) fn of(root: &Json) -> Result<Self, Error> {
        let text = |key: &str| match root.get(key) {
            Some(Json::String(text)) => Some(text.clone()),
            // `swagger: 2.0` without quotes is a number in YAML.
            Some(Json::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let refused = |message: String| Err(Error::new(NO_API, "#", message));
        match (text("openapi"), text("swagger")) {
            (Some(version), _) if is_of(&version, "3.0") => Ok(Self::OpenApi30),
            (Some(version), _) if is_of(&version, "3.1") || is_of(&version, "3.2") => Ok(Self::OpenApi31),
            (None, Some(version)) if is_of(&version, "2.0") => Ok(Self::Swagger2),
            (Some(version), _) => {
                refused(format!("OpenAPI {} is not read; 3.0, 3.1 and 3.2 are", shown(&version)))
            }
            (None, Some(version)) => refused(format!("Swagger {} is not read; 2.0 is", shown(&version))),
            (None, None) => refused("the document says neither `openapi` nor `swagger`".into()),
        }
    }

    /// Where the document keeps its named schemas.
    pub(crate) const fn schemas(self) -> &'static str {
        match self {
            Self::Swagger2 => "#/definitions/",
            Self::OpenApi30 | Self::OpenApi31 => "#/components/schemas/",
        }
    }

    /// The members of one schema object as JSON Schema 2020-12 has them; what stands within is not looked into.
    pub(crate) fn modern(self, members: &mut Map<String, Json>, direction: Direction) {
        if self != Self::OpenApi31 {
            self.modernise(members);
        }
        // Documents that were raised to 3.1 keep it here and there.
        modern_bounds(members);
        leave_out_the_other_side(members, direction);
    }

    fn modernise(self, members: &mut Map<String, Json>) {
        if members.contains_key("$ref") {
            // What stands beside a reference is not looked at, but that is seldom meant of these.
            members.retain(|key, _| {
                matches!(key.as_str(), "$ref" | "description" | "default" | "nullable" | "x-nullable")
            });
        }
        if self == Self::Swagger2 {
            if let Some(nullable) = members.shift_remove("x-nullable") {
                members.entry("nullable").or_insert(nullable);
            }
            if members.get("type").is_some_and(|ty| ty == "file") {
                members.insert("type".into(), "string".into());
                members.insert("format".into(), "binary".into());
            }
            if let Some(Json::String(property)) = members.get("discriminator").cloned() {
                members.insert("discriminator".into(), json!({ "propertyName": property }));
            }
        }
    }
}

/// `exclusiveMinimum: true` beside a `minimum` is an `exclusiveMinimum` of that number.
fn modern_bounds(members: &mut Map<String, Json>) {
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match members.get(flag) {
            Some(Json::Bool(true)) if members.contains_key(bound) => {
                let limit = members.remove(bound).unwrap_or_default();
                members.insert(flag.into(), limit);
            }
            Some(Json::Bool(_)) => {
                members.shift_remove(flag);
            }
            _ => {}
        }
    }
}

fn is_of(version: &str, minor: &str) -> bool {
    version.strip_prefix(minor).is_some_and(|patch| patch.is_empty() || patch.starts_with('.'))
        // `2` and `3.0` come out of a number without their zero.
        || minor.strip_suffix(".0") == Some(version)
}

/// A `readOnly` property is not sent, a `writeOnly` one does not come back, even where it is `required`.
fn leave_out_the_other_side(members: &mut Map<String, Json>, direction: Direction) {
    let mark = match direction {
        Direction::Input => "readOnly",
        Direction::Answer => "writeOnly",
    };
    let Some(Json::Object(properties)) = members.get_mut("properties") else { return };
    let marked = |property: &Json| property.get(mark) == Some(&Json::Bool(true));
    let left_out: Vec<String> =
        properties.iter().filter(|(_, property)| marked(property)).map(|(name, _)| name.clone()).collect();
    if left_out.is_empty() {
        return;
    }
    properties.retain(|name, _| !left_out.contains(name));
    if let Some(Json::Array(required)) = members.get_mut("required") {
        required.retain(|name| !left_out.iter().any(|out| name == out));
    }
}
