//! How the parts of a request are written: styles, forms, files, media types.

use openapi::{Document, Entry, Error, Origin};
use schema::operation::{HttpBinding, ParameterStyle as Style, RequestBody, Transport};
use serde_json::{Value as Json, json};

/// The one operation of a document: `patch` over a POST to `/a/{id}`.
fn import(version: &Json, patch: &Json) -> Result<Entry, Error> {
    let mut post = json!({ "responses": { "200": { "description": "" } } });
    post.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    let mut document = json!({
        "paths": { "/a/{id}": { "post": post } },
        "components": { "schemas": { "File": { "type": "string", "format": "binary" } } },
    });
    document.as_object_mut().unwrap().extend(version.as_object().unwrap().clone());
    let document = Document::read(document.to_string().as_bytes()).unwrap();
    let origin = Origin {
        netuid: 7,
        server: Some("https://a.example".into()),
        reference: "a.json".into(),
        ..Origin::default()
    };
    document.import(&origin).unwrap().operations.remove(0).entry
}

fn binding(entry: &Entry) -> HttpBinding {
    let Transport::Http(http) = entry.descriptor.transport.clone() else {
        panic!("{:?}", entry.descriptor.transport)
    };
    http
}

fn told(entry: &Entry) -> String {
    let notes = entry.notes.iter().map(|note| format!("{} {} {}", note.kind.name(), note.field, note.text));
    notes.collect::<Vec<_>>().join("\n")
}

const ID: &str = r#"{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }"#;

fn id() -> Json {
    serde_json::from_str(ID).unwrap()
}

fn openapi() -> Json {
    json!({ "openapi": "3.1.0" })
}

#[test]
fn a_parameter_has_the_style_of_the_document() {
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let object = json!({ "type": "object", "properties": { "R": { "type": "integer" } } });
    let either = json!({ "anyOf": [list, { "type": "null" }] });
    let table = [
        ("query", json!({}), &list, None),
        ("query", json!({ "explode": false }), &list, Some(Style::Comma)),
        ("query", json!({ "explode": false }), &either, Some(Style::Comma)),
        ("query", json!({ "style": "spaceDelimited" }), &list, Some(Style::Space)),
        ("query", json!({ "style": "pipeDelimited", "explode": false }), &list, Some(Style::Pipe)),
        ("query", json!({ "style": "deepObject", "explode": true }), &object, Some(Style::Deep)),
        ("query", json!({}), &object, Some(Style::Fields)),
        ("query", json!({ "style": "form", "explode": false }), &object, Some(Style::Comma)),
        ("header", json!({}), &list, Some(Style::Comma)),
        ("header", json!({ "explode": true }), &object, Some(Style::Pairs)),
    ];
    for (place, more, schema, style) in table {
        let mut parameter = json!({ "name": "x", "in": place, "required": true, "schema": schema });
        parameter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let entry = import(&openapi(), &json!({ "parameters": [id(), parameter] })).unwrap();
        assert_eq!(binding(&entry).styles.get("x").copied(), style, "{parameter}");
    }
    for (style, explode, expected) in [
        ("simple", false, Style::Comma),
        ("label", false, Style::Label),
        ("label", true, Style::LabelExploded),
        ("matrix", false, Style::Matrix),
        ("matrix", true, Style::MatrixExploded),
    ] {
        let parameter = json!({ "name": "id", "in": "path", "required": true, "style": style, "explode": explode, "schema": list });
        let entry = import(&openapi(), &json!({ "parameters": [parameter] })).unwrap();
        assert_eq!(binding(&entry).styles["id"], expected);
    }
    let content = json!({ "application/json": { "schema": object } });
    let parameter = json!({ "name": "x", "in": "query", "content": content });
    let entry = import(&openapi(), &json!({ "parameters": [id(), parameter] })).unwrap();
    assert_eq!(binding(&entry).styles["x"], Style::Json);
}

#[test]
fn lists_of_swagger_have_their_format() {
    let swagger = json!({ "swagger": "2.0" });
    let id = json!({ "name": "id", "in": "path", "required": true, "type": "string" });
    let list = |place: &str, format: Option<&str>| {
        let mut parameter = json!({ "name": "x", "in": place, "required": true, "type": "array", "items": { "type": "string" } });
        if let Some(format) = format {
            parameter["collectionFormat"] = format.into();
        }
        let entry = import(&swagger, &json!({ "parameters": [id, parameter] }));
        entry.map(|entry| binding(&entry).styles.get("x").copied()).map_err(|error| error.code)
    };
    for (place, format, style) in [
        ("query", None, Ok(Some(Style::Comma))),
        ("query", Some("csv"), Ok(Some(Style::Comma))),
        ("query", Some("ssv"), Ok(Some(Style::Space))),
        ("query", Some("tsv"), Ok(Some(Style::Tab))),
        ("query", Some("pipes"), Ok(Some(Style::Pipe))),
        ("query", Some("multi"), Ok(None)),
        ("formData", None, Ok(Some(Style::Comma))),
        ("formData", Some("multi"), Ok(None)),
        ("header", None, Ok(Some(Style::Comma))),
        ("header", Some("multi"), Err("E1256")),
    ] {
        assert_eq!(list(place, format), style, "{place} {format:?}");
    }
}

#[test]
fn what_has_no_style_is_left_out_or_refused() {
    let nested = json!({ "type": "array", "items": { "type": "array", "items": { "type": "string" } } });
    let parameter = |required: bool| json!({ "name": "x", "in": "query", "explode": false, "required": required, "schema": nested });
    let with = |parameter: Json| import(&openapi(), &json!({ "parameters": [id(), parameter] }));
    let error = with(parameter(true)).unwrap_err();
    assert_eq!((error.code, error.at.as_str()), ("E1256", "#/paths/~1a~1{id}/post/parameters/1"));
    let entry = with(parameter(false)).unwrap();
    assert!(told(&entry).contains("left_out input the optional `x`: [E1256]"), "{}", told(&entry));
    assert!(!binding(&entry).parameters.contains_key("x"));
    let header = |name: &str, required: bool| {
        with(json!({ "name": name, "in": "header", "required": required, "schema": { "type": "string" } }))
    };
    assert_eq!(header("Accept-Encoding", true).unwrap_err().code, "E1256");
    for (name, required) in
        [("Accept-Encoding", false), ("Content-Length", true), ("X-Request-Id", true), ("User-Agent", false)]
    {
        let entry = header(name, required).unwrap();
        assert!(told(&entry).contains(&format!("left_out input the header `{name}`")), "{}", told(&entry));
        assert!(!binding(&entry).parameters.contains_key(name));
    }
}

#[test]
fn files_are_found_however_they_are_written() {
    let octets = json!({ "type": "string", "contentMediaType": "application/octet-stream" });
    let properties = json!({
        "plain": octets, "maybe": { "anyOf": [octets, { "type": "null" }] }, "named": { "$ref": "#/components/schemas/File" },
        "many": { "type": "array", "items": octets }, "image": octets, "any": octets, "note": { "type": "string" },
    });
    let encoding = json!({ "image": { "contentType": "image/png, image/jpeg" }, "any": { "contentType": "image/*" }, "note": { "contentType": "text/csv" } });
    let content = json!({ "multipart/form-data": { "schema": { "type": "object", "properties": properties }, "encoding": encoding } });
    let entry =
        import(&openapi(), &json!({ "parameters": [id()], "requestBody": { "content": content } })).unwrap();
    let RequestBody::Multipart { media_types } = binding(&entry).body else { panic!() };
    let types: Vec<_> = media_types.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(types, [("image", "image/png"), ("named", "application/octet-stream")]);
    let input = &entry.descriptor.input["properties"];
    assert_eq!(
        (&input["plain"]["format"], &input["many"]["items"]["format"]),
        (&json!("binary"), &json!("binary"))
    );
    assert_eq!(input["maybe"]["anyOf"][0]["format"], "binary");
    assert!(told(&entry).contains("left_out body `any` is sent as octets, not as `image/*`"));
    assert!(told(&entry).contains("left_out body the media type `text/csv` of the field `note`"));
}

#[test]
fn a_body_of_swagger_has_the_form_that_its_parameters_say() {
    let body = |consumes: Json, parameters: Json| {
        let entry =
            import(&json!({ "swagger": "2.0", "consumes": consumes }), &json!({ "parameters": parameters }));
        let entry = entry.unwrap();
        (binding(&entry).body, entry.descriptor.input["properties"].as_object().unwrap().len())
    };
    let id = json!({ "name": "id", "in": "path", "required": true, "type": "string" });
    let field = |name: &str, ty: &str| json!({ "name": name, "in": "formData", "type": ty });
    let whole = json!({ "name": "b", "in": "body", "schema": { "type": "object", "properties": { "x": {}, "y": {} } } });
    let multipart = RequestBody::Multipart { media_types: Default::default() };
    for (consumes, parameters, expected, count) in [
        (json!(["application/xml", "application/json"]), json!([id, whole]), RequestBody::Json, 3),
        (json!(["application/json"]), json!([id, field("x", "string")]), RequestBody::Form, 2),
        (
            json!(["application/json"]),
            json!([id, field("x", "file"), field("y", "string")]),
            multipart.clone(),
            3,
        ),
        (json!(["multipart/form-data"]), json!([id, field("x", "string")]), multipart, 2),
        (
            json!(["application/xml"]),
            json!([id, whole]),
            RequestBody::Raw { parameter: "body".into(), media_type: "application/xml".into() },
            2,
        ),
    ] {
        assert_eq!(body(consumes.clone(), parameters.clone()), (expected, count), "{consumes} {parameters}");
    }
}

#[test]
fn a_body_without_names_of_its_own_is_one_argument() {
    let of = |schema: Json, media_type: &str| {
        let content = json!({ media_type: { "schema": schema } });
        let answer = json!({ "200": { "description": "", "content": { "application/vnd.api+json": { "schema": { "type": "object" } } } } });
        let body = json!({ "required": true, "content": content });
        import(&openapi(), &json!({ "parameters": [id()], "requestBody": body, "responses": answer }))
            .unwrap()
    };
    let object = |names: &[&str]| {
        let properties: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
        json!({ "type": "object", "properties": properties })
    };
    for schema in [
        json!({ "type": "object" }),
        json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
        json!({ "type": "array", "items": { "type": "string" } }),
        json!({ "type": "string" }),
        json!({ "oneOf": [object(&["a"]), object(&["b"])] }),
        object(&["id", "title"]),
    ] {
        let entry = of(schema.clone(), "application/vnd.api+json");
        let http = binding(&entry);
        assert_eq!(http.body, RequestBody::Whole { parameter: "body".into() }, "{schema}");
        assert_eq!(entry.descriptor.input["required"], json!(["id", "body"]), "{schema}");
        let vendor = Some("application/vnd.api+json");
        assert_eq!((http.media_type.as_deref(), http.accept.as_deref()), (vendor, vendor));
    }
    assert_eq!(binding(&of(object(&["a"]), "application/json")).media_type, None);
    let content =
        |value: &Json, example: &Json| json!({ "application/json": { "schema": value, "example": example } });
    let mut own = id();
    own["example"] = "of-the-path".into();
    let both = json!({
        "parameters": [own],
        "requestBody": { "content": content(&object(&["id", "title"]), &json!({ "id": "of-the-body" })) },
        "responses": { "200": { "description": "", "content": content(&json!({ "type": "string" }), &json!("done")) } },
    });
    assert_eq!(
        import(&openapi(), &both).unwrap().descriptor.example.unwrap().input,
        json!({ "id": "of-the-path", "body": { "id": "of-the-body" } })
    );
    let form = of(json!({ "type": "object" }), "application/x-www-form-urlencoded");
    assert!(matches!(form.descriptor.transport, Transport::Other { .. }));
}

#[test]
fn answers_are_not_held_to_formats_that_services_do_not_keep() {
    let properties = json!({
        "at": { "type": "string", "format": "date-time" }, "link": { "type": "string", "format": "uri" },
        "code": { "type": "string", "enum": [8, "a"] }, "name": { "type": "string", "pattern": "^(?!x)" },
    });
    let schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": { "type": "integer" } });
    let content = |schema: &Json| json!({ "application/json": { "schema": schema } });
    let responses =
        json!({ "200": { "description": "", "content": content(&schema) }, "204": { "description": "" } });
    let body =
        json!({ "content": content(&json!({ "type": "object", "properties": { "at": properties["at"] } })) });
    let entry =
        import(&openapi(), &json!({ "parameters": [id()], "requestBody": body, "responses": responses }))
            .unwrap();
    let output = &entry.descriptor.output["anyOf"];
    assert_eq!(output[1], json!({ "type": "null" }));
    assert_eq!(output[0]["properties"]["at"], json!({ "type": "string" }));
    assert_eq!(entry.descriptor.input["properties"]["at"]["format"], "date-time");
    let told = told(&entry);
    for says in [
        "left_out output `format: date-time`",
        "left_out output `format: uri`",
        "left_out output the type of properties without names",
        "left_out output a pattern that looks ahead or behind",
        "left_out output values of an enum of texts that are numbers",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
}
