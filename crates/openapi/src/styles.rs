//! How a document wants lists and objects written in path, query, headers and forms.

use schema::operation::ParameterStyle as Style;
use serde_json::{Map, Value as Json};

use crate::dialect::Dialect;
use crate::document::{Document, below, local};
use crate::error::{Error, NO_FORM, shown};
use crate::media::Media;
use crate::request::Location;

/// Levels of references and unions that a parameter's schema is looked into.
const DEPTH_MAX: usize = 12;

/// What values of a schema can be, beside single ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) list: bool,
    pub(crate) object: bool,
    /// A list or an object within one of them.
    pub(crate) nested: bool,
}

impl Shape {
    const fn is_single(self) -> bool {
        !self.list && !self.object
    }

    const fn or(self, other: Self) -> Self {
        Self {
            list: self.list || other.list,
            object: self.object || other.object,
            nested: self.nested || other.nested,
        }
    }
}

impl Document {
    /// What values of `schema` can be.
    pub(crate) fn shape(&self, schema: &Json, at: &str) -> Result<Shape, Error> {
        self.shape_within(schema, at, DEPTH_MAX)
    }

    fn shape_within(&self, schema: &Json, at: &str, depth: usize) -> Result<Shape, Error> {
        let (Some(members), Some(depth)) = (schema.as_object(), depth.checked_sub(1)) else {
            return Ok(Shape::default());
        };
        let is = |wanted: &str| match members.get("type") {
            Some(Json::Array(types)) => types.iter().any(|ty| ty == wanted),
            Some(ty) => ty == wanted,
            None => false,
        };
        let untyped = !members.contains_key("type");
        let mut shape = Shape {
            list: is("array") || (untyped && members.contains_key("items")),
            object: is("object") || (untyped && members.contains_key("properties")),
            nested: false,
        };
        let mut within: Vec<&Json> = members.get("items").into_iter().collect();
        within.extend(members.get("additionalProperties"));
        let properties = members.get("properties").and_then(Json::as_object);
        within.extend(properties.into_iter().flat_map(Map::values));
        for part in within {
            shape.nested |= !self.shape_within(part, at, depth)?.is_single();
        }
        if let Some(Json::String(target)) = members.get("$ref") {
            let pointer = local(target, at)?;
            shape = shape.or(self.shape_within(self.resolve(&pointer, at)?, &pointer, depth)?);
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for part in members.get(keyword).and_then(Json::as_array).into_iter().flatten() {
                shape = shape.or(self.shape_within(part, at, depth)?);
            }
        }
        Ok(shape)
    }

    /// The style of a parameter, `None` for the common one of its place.
    ///
    /// # Errors
    /// [`NO_FORM`] for a style that nothing writes, or that its values do not fit.
    pub(crate) fn style(
        &self,
        members: &Map<String, Json>,
        location: Location,
        schema: &Json,
        at: &str,
    ) -> Result<Option<Style>, Error> {
        let shape = self.shape(schema, at)?;
        let style = match self.dialect {
            Dialect::Swagger2 => of_swagger(members, location, shape),
            _ => of_openapi(members, location, shape),
        };
        match style {
            Err(word) => {
                let place = place_of(location);
                let message =
                    format!("a parameter of the {place} is not written in the style `{}`", shown(&word));
                Err(Error::new(NO_FORM, at, message))
            }
            Ok(Some(style)) if style != Style::Json && shape.nested => {
                let message = "its lists or objects hold others, for which its style has no form";
                Err(Error::new(NO_FORM, at, message))
            }
            Ok(style) => Ok(style),
        }
    }

    /// The style of one field of a form, by the `encoding` of its body.
    pub(crate) fn style_of_field(
        &self,
        encoding: &Map<String, Json>,
        schema: &Json,
        at: &str,
    ) -> Result<Option<Style>, Error> {
        if ["style", "explode"].iter().all(|key| !encoding.contains_key(*key)) {
            return Ok(None);
        }
        match self.style(encoding, Location::Query, schema, &below(at, "style"))? {
            Some(Style::Fields | Style::Deep) => {
                Err(Error::new(NO_FORM, at, "a field of a form is not written as several"))
            }
            style => Ok(style),
        }
    }
}

const fn place_of(location: Location) -> &'static str {
    match location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "headers",
        Location::Cookie => "cookies",
        Location::Body => "body",
    }
}

fn of_swagger(
    members: &Map<String, Json>,
    location: Location,
    shape: Shape,
) -> Result<Option<Style>, String> {
    if !shape.list || members.get("in").is_some_and(|place| place == "body") {
        return Ok(None);
    }
    let format = members.get("collectionFormat").and_then(Json::as_str).unwrap_or("csv");
    let in_rows = matches!(location, Location::Query | Location::Body);
    match format {
        "csv" => Ok(Some(Style::Comma)),
        "ssv" if in_rows => Ok(Some(Style::Space)),
        "tsv" if in_rows => Ok(Some(Style::Tab)),
        "pipes" if in_rows => Ok(Some(Style::Pipe)),
        "multi" if in_rows => Ok(None),
        other => Err(other.to_owned()),
    }
}

fn of_openapi(
    members: &Map<String, Json>,
    location: Location,
    shape: Shape,
) -> Result<Option<Style>, String> {
    if let Some((media_type, _)) =
        members.get("content").and_then(Json::as_object).and_then(|all| all.iter().next())
    {
        return Ok((Media::of(media_type) == Media::Json).then_some(Style::Json));
    }
    let by_place = match location {
        Location::Path | Location::Header => "simple",
        Location::Query | Location::Cookie | Location::Body => "form",
    };
    let style = members.get("style").and_then(Json::as_str).unwrap_or(by_place);
    let explode = members.get("explode").and_then(Json::as_bool).unwrap_or(style == "form");
    let known = match (location, style, explode) {
        (Location::Cookie, ..) => None,
        (Location::Path, "label", false) => return Ok(Some(Style::Label)),
        (Location::Path, "label", true) => return Ok(Some(Style::LabelExploded)),
        (Location::Path, "matrix", false) => return Ok(Some(Style::Matrix)),
        (Location::Path, "matrix", true) => return Ok(Some(Style::MatrixExploded)),
        (Location::Path | Location::Header, "simple", false) => Some(Style::Comma),
        (Location::Path | Location::Header, "simple", true) => Some(Style::Pairs),
        (Location::Query, "form", true) => shape.object.then_some(Style::Fields),
        (Location::Query, "form", false) => Some(Style::Comma),
        (Location::Query, "spaceDelimited", false) => Some(Style::Space),
        (Location::Query, "pipeDelimited", false) => Some(Style::Pipe),
        // With `explode`, which the specification leaves open, each element is a row.
        (Location::Query, "spaceDelimited" | "pipeDelimited", true) if !shape.object => None,
        (Location::Query, "deepObject", _) if !shape.list => Some(Style::Deep),
        (_, other, _) => return if shape.is_single() { Ok(None) } else { Err(other.to_owned()) },
    };
    // A single value is the same in each.
    Ok(known.filter(|_| !shape.is_single()))
}
