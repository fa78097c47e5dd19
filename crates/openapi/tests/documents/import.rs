//! Documents as entries: what is taken, guessed and refused.

use openapi::{Document, Entry, Import, NoteKind, Origin};
use schema::operation::{Auth, ParameterLocation, RequestBody, SideEffects, Transport};
use serde_json::json;

const ORACLE: &[u8] = include_bytes!("fixtures/oracle31.yaml");

fn origin() -> Origin {
    Origin { netuid: 7, reference: "https://docs.example/api/openapi.yaml".into(), ..Origin::default() }
}

fn import(text: &[u8], origin: &Origin) -> Import {
    Document::read(text).unwrap().import(origin).unwrap()
}

fn entry(text: &[u8], id: &str) -> Entry {
    let import = import(text, &origin());
    import.operations.into_iter().find(|operation| operation.id == id).unwrap().entry.unwrap()
}

/// The facts of each entry in a few lines.
fn shown(import: &Import) -> String {
    let mut out = format!("title {:?}\n", import.title);
    for operation in &import.operations {
        out.push_str(&format!("\n{} = {}\n", operation.id, operation.call));
        let entry = match &operation.entry {
            Ok(entry) => entry,
            Err(error) => {
                out.push_str(&format!("  refused: {error}\n"));
                continue;
            }
        };
        let facts = &entry.descriptor;
        let auth = match &facts.auth {
            Auth::None => "none".to_owned(),
            Auth::Header { name, format } => format!("{name}: {format}"),
            Auth::Query { name } => format!("?{name}="),
            other => format!("{other:?}"),
        };
        let reached = match &facts.transport {
            Transport::Http(http) => {
                let form = match &http.body {
                    RequestBody::Json => String::new(),
                    other => format!(", {other:?}"),
                };
                format!("{} {}{}{form}", http.method, http.base_url, http.path)
            }
            Transport::Other { protocol, .. } => protocol.clone(),
            Transport::Axon(_) | Transport::Grpc(_) => String::new(),
        };
        out.push_str(&format!("  {reached} ({auth}), {:?}, {:?}\n", facts.side_effects, facts.price));
        for note in &entry.notes {
            out.push_str(&format!("  {}: {} {}\n", note.kind.name(), note.field, note.text));
        }
    }
    out
}

#[test]
fn each_operation_is_taken_guessed_or_refused() {
    insta::assert_snapshot!(shown(&import(ORACLE, &origin())), @r#"
    title "Oracle 2.1"

    sn7.get_status = GET /status
      GET https://eu.oracle.example/v1/status (none), None, Unknown
      guessed: side_effects none: a GET without a key
      chosen: base_url `https://eu.oracle.example/v1/`, one of 2 servers, its variables by their defaults

    sn7.create_chat = POST /ask
      POST https://eu.oracle.example/v1/ask (Authorization: Bearer <key>), Metered, Unknown
      guessed: fixed_body `stream` is false: a plan reads whole answers
      guessed: side_effects metered: a POST with a key, and its name or path says `chat`
      chosen: auth `token`, the first of 2 ways that can be spoken
      chosen: base_url `https://eu.oracle.example/v1/`, one of 2 servers, its variables by their defaults

    sn7.get_questions_id = GET /questions/{id}
      GET https://eu.oracle.example/v1/questions/{id} (X-Oracle-Key: <key>), Metered, Unknown
      guessed: side_effects metered: a GET with a key
      chosen: auth `header`, the first of 2 ways that can be spoken
      chosen: base_url `https://eu.oracle.example/v1/`, one of 2 servers, its variables by their defaults

    sn7.put_questions_id = PUT /questions/{id}
      PUT https://eu.oracle.example/v1/questions/{id} (Headers { headers: {"Authorization": "Bearer <token>", "X-Oracle-Key": "<header>"} }), Writes, Unknown
      guessed: side_effects writes: a PUT
      guessed: response text: the document describes no body
      chosen: auth a key of several parts, `header`, `token`, each in its header
      chosen: auth `header` and `token`, the first of 2 ways that can be spoken
      chosen: base_url `https://eu.oracle.example/v1/`, one of 2 servers, its variables by their defaults

    sn7.delete_questions_id = DELETE /questions/{id}
      refused: [E1258] no way in can be spoken: `cookie` is a key in `cookie`, at #/paths/~1questions~1{id}/delete/security

    sn7.head_questions_id = HEAD /questions/{id}
      refused: [E1257] a call is one of GET, POST, PUT, PATCH, DELETE, not HEAD, at #/paths/~1questions~1{id}/head

    sn7.post_files = POST /files
      POST https://eu.oracle.example/v1/files, Multipart { media_types: {} } (?key=), Writes, Unknown
      guessed: side_effects writes: a POST with a key, and nothing says that it only reads
      chosen: base_url `https://eu.oracle.example/v1/`, one of 2 servers, its variables by their defaults

    sn7.post_batch = POST /batch
      POST https://eu.oracle.example/v1/batch, Whole { parameter: "body" } (Authorization: Bearer <key>), Writes, Unknown
      guessed: side_effects writes: a POST with a key, and nothing says that it only reads
      chosen: auth the key is an OAuth 2 token, which has to be got beforehand
      chosen: base_url `https://eu.oracle.example/v1/`, one of 2 servers, its variables by their defaults
      left_out: output its type, so the answer is `Json`: [E0611] `tpye` is no keyword of JSON Schema, at #/paths/~1batch/post/responses/200/content/application~1json/schema

    sn7.get_watch = GET /watch
      refused: [E1256] an answer of `text/event-stream` is a stream, which no plan reads, at #/paths/~1watch/get/responses/200/content/text~1event-stream
    "#);
}

#[test]
fn swagger_has_its_host_and_schemes() {
    let pets = include_bytes!("fixtures/pets20.yaml");
    insta::assert_snapshot!(shown(&import(pets, &origin())), @r#"
    title ""

    sn7.find_pets = GET /pets
      GET https://docs.example/pets (none), None, Unknown
      guessed: side_effects none: a GET without a key
      left_out: output the kinds of an object that only a `discriminator` tells apart, at #/definitions/Pet

    sn7.add_pet = POST /pets
      POST https://docs.example/pets (none), Writes, Unknown
      guessed: side_effects writes: a POST without a key, and its name or path says `add`
      guessed: response text: the document describes no body
      left_out: input the kinds of an object that only a `discriminator` tells apart, at #/definitions/Pet

    sn7.photo = GET /photos/{id}
      GET https://docs.example/photos/{id} (none), None, Unknown
      guessed: side_effects none: a GET without a key

    sn7.add_photo = POST /photos/{id}
      POST https://docs.example/photos/{id}, Multipart { media_types: {} } (none), Writes, Unknown
      guessed: side_effects writes: a POST without a key, and its name or path says `add`
    "#);
}

#[test]
fn arguments_are_one_object_that_names_them_all() {
    let ask = entry(ORACLE, "sn7.create_chat").descriptor;
    assert_eq!(
        ask.input,
        json!({
            "type": "object",
            "properties": { "text": { "type": "string", "minLength": 1 }, "context": { "$ref": "#/$defs/Context" } },
            "required": ["text"],
            "$defs": { "Context": {
                "type": "object",
                "required": ["lines"],
                "properties": { "lines": { "type": "array", "items": { "type": "string" } } },
            } },
        })
    );
    let Transport::Http(http) = ask.transport else { unreachable!() };
    assert_eq!(http.fixed_body["stream"], false);
    assert_eq!(ask.summary, "Answers a question. With context.");
    let example = ask.example.unwrap();
    assert_eq!(
        (example.input, example.output),
        (json!({ "text": "why?" }), json!({ "text": "so", "score": 0.5 }))
    );

    // The key is no argument, and an object that says more of itself than its fields stays one.
    let get = entry(ORACLE, "sn7.get_questions_id").descriptor;
    let names = |input: &serde_json::Value| {
        input["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&get.input), ["id", "X-Trace", "deep"]);
    let Transport::Http(http) = get.transport else { unreachable!() };
    assert_eq!(http.parameters["deep"], ParameterLocation::Query);
    assert_eq!(http.parameters["X-Trace"], ParameterLocation::Header);
    let put = entry(ORACLE, "sn7.put_questions_id").descriptor;
    assert_eq!(names(&put.input), ["id", "lines", "note"]);
    assert_eq!(put.input["allOf"][0]["allOf"][0]["$ref"], "#/$defs/Context");
}

#[test]
fn evidence_is_the_hash_of_the_document_and_the_place_in_it() {
    let entry = entry(ORACLE, "sn7.get_status").descriptor;
    assert_eq!(entry.sources[0].kind, openapi::SOURCE);
    assert_eq!(entry.sources[0].reference, origin().reference);
    assert_eq!(entry.sources[0].path.as_deref(), Some("#/paths/~1status/get"));
    let digest = Document::read(ORACLE).unwrap().digest().to_owned();
    assert_eq!(entry.sources[0].commit, Some(format!("blake3:{digest}")));
    assert_eq!((digest.len(), entry.sources[1].reference.as_str()), (64, "Oracle 2.1"));
    assert_eq!(import(ORACLE, &origin()).operations.len(), 9);
}

#[test]
fn a_server_and_a_prefix_can_be_given() {
    let own = Origin {
        server: Some("https://mine.example/api/".into()),
        // A prefix is no word of the operation: this one buys nothing.
        name_prefix: "order_".into(),
        ..origin()
    };
    let import = import(ORACLE, &own);
    let entry = import.operations[0].entry.as_ref().unwrap();
    assert_eq!(entry.descriptor.id, "sn7.order_get_status");
    let Transport::Http(http) = &entry.descriptor.transport else { unreachable!() };
    assert_eq!(http.base_url, "https://mine.example/api");
    let chat = import.operations[1].entry.as_ref().unwrap();
    assert_eq!(chat.descriptor.side_effects, SideEffects::Metered);
}

#[test]
fn a_document_that_lies_is_told_so() {
    let lie = |members: &str| {
        let text = format!(r#"{{ "openapi": "3.0.0", "paths": {{ {members} }} }}"#);
        let import = import(text.as_bytes(), &origin());
        let error = import.operations[0].entry.as_ref().unwrap_err().clone();
        (error.code, error.at.clone(), error.is_fault())
    };
    let ok = r#""responses": { "200": { "description": "" } }"#;
    for (members, code, at) in [
        (format!(r#""/a?b=c": {{ "get": {{ {ok} }} }}"#), "E1254", "#/paths/~1a?b=c/get"),
        // The path names what is no parameter, and the other way round.
        (format!(r#""/a/{{x}}": {{ "get": {{ {ok} }} }}"#), "E1254", "#/paths/~1a~1{x}/get"),
        (
            format!(
                r#""/a": {{ "get": {{ "parameters": [{{ "name": "x", "in": "path", "schema": {{}} }}], {ok} }} }}"#
            ),
            "E1254",
            "#/paths/~1a/get",
        ),
        (
            format!(r#""/a": {{ "servers": [{{ "url": "ftp://x" }}], "get": {{ {ok} }} }}"#),
            "E1259",
            "#/paths/~1a/servers/0/url",
        ),
        (
            format!(r#""/a": {{ "get": {{ "security": [{{ "no": [] }}], {ok} }} }}"#),
            "E1253",
            "#/paths/~1a/get/security/0",
        ),
        (format!(r#""/a": {{ "get": {{ "security": {{}}, {ok} }} }}"#), "E1254", "#/paths/~1a/get/security"),
    ] {
        assert_eq!(lie(&members), (code, at.to_owned(), true), "{members}");
    }
}

#[test]
fn a_page_for_people_is_no_document() {
    let error = Document::read(b"\n<!doctype html><html></html>").unwrap_err();
    assert_eq!((error.code, error.at.as_str()), ("E1252", "the document"));
}

#[test]
fn the_way_in_is_what_the_document_says_or_shows() {
    let auth = |document: serde_json::Value| {
        let import = import(document.to_string().as_bytes(), &origin());
        let entry = import.operations.into_iter().next().unwrap().entry.map_err(|error| error.code)?;
        let guessed = entry.notes.iter().any(|note| note.field == "auth" && note.kind == NoteKind::Guessed);
        Ok((entry.descriptor.auth, guessed))
    };
    let header = |name: &str, format: &str| Auth::Header { name: name.into(), format: format.into() };
    let swagger = |scheme: serde_json::Value| {
        auth(json!({
            "swagger": "2.0", "host": "a.example", "securityDefinitions": { "way": scheme }, "security": [{ "way": [] }],
            "paths": { "/a": { "get": { "responses": { "200": { "description": "" } } } } },
        }))
    };
    for (scheme, expected) in [
        (json!({ "type": "apiKey", "in": "header", "name": "X-Key" }), Ok((header("X-Key", "<key>"), false))),
        // A bare key there is hardly ever meant.
        (
            json!({ "type": "apiKey", "in": "header", "name": "Authorization" }),
            Ok((header("Authorization", "Bearer <key>"), true)),
        ),
        (
            json!({ "type": "apiKey", "in": "query", "name": "k" }),
            Ok((Auth::Query { name: "k".into() }, false)),
        ),
        (json!({ "type": "basic" }), Ok((header("Authorization", "Basic <key>"), false))),
        (
            json!({ "type": "oauth2", "flow": "application" }),
            Ok((header("Authorization", "Bearer <key>"), false)),
        ),
        (json!({ "type": "oauth2", "flow": "implicit" }), Err("E1258")),
        (json!({ "type": "openIdConnect" }), Err("E1258")),
    ] {
        assert_eq!(swagger(scheme.clone()), expected, "{scheme}");
    }
    let together = |schemes: serde_json::Value| {
        let names = schemes.as_object().unwrap().keys().map(|name| (name.clone(), json!([])));
        let names: serde_json::Value = names.collect::<serde_json::Map<_, _>>().into();
        let get = json!({ "security": [names], "responses": { "200": { "description": "" } } });
        auth(json!({
            "openapi": "3.1.0", "paths": { "/a": { "get": get } }, "components": { "securitySchemes": schemes }
        }))
    };
    let key = |name: &str, place: &str| json!({ "type": "apiKey", "in": place, "name": name });
    let (id, secret) = (key("X-Client-Id", "header"), key("X-Client-Secret", "header"));
    let headers = [("X-Client-Id", "<clientid>"), ("X-Client-Secret", "<client-secret>")];
    let parts = Auth::Headers { headers: headers.map(|(name, format)| (name.into(), format.into())).into() };
    let both = json!({ "clientId": id, "client secret": secret });
    assert_eq!(together(both), Ok((parts, false)));
    for other in
        [key("X-Client-Id", "header"), key("secret", "query"), json!({ "type": "http", "scheme": "digest" })]
    {
        assert_eq!(together(json!({ "clientId": id, "other": other })), Err("E1258"), "{other}");
    }
    let shown = |name: &str, place: &str| {
        let parameter =
            json!({ "name": name, "in": place, "required": true, "schema": { "type": "string" } });
        let get = json!({ "parameters": [parameter], "responses": { "200": { "description": "" } } });
        auth(json!({ "openapi": "3.1.0", "paths": { "/a": { "get": get } } }))
    };
    assert_eq!(shown("authorization", "header"), Ok((header("Authorization", "Bearer <key>"), true)));
    assert_eq!(shown("x-api-key", "header"), Ok((header("x-api-key", "<key>"), true)));
    assert_eq!(shown("api_key", "query"), Ok((Auth::Query { name: "api_key".into() }, true)));
    assert_eq!(shown("x-auth-token", "header"), Ok((header("x-auth-token", "<key>"), true)));
    assert_eq!(shown("token", "query"), Ok((Auth::Query { name: "token".into() }, true)));
    assert_eq!(shown("keyword", "query"), Ok((Auth::None, false)));
    assert_eq!(shown("page_token", "query"), Ok((Auth::None, false)));
    // A number is no key, and stays what must be given.
    let number = json!({ "name": "token", "in": "query", "required": true, "schema": { "type": "integer" } });
    let get = json!({ "parameters": [number], "responses": { "200": { "description": "" } } });
    let text = json!({ "openapi": "3.1.0", "paths": { "/a": { "get": get } } }).to_string();
    let import = import(text.as_bytes(), &origin());
    let entry = import.operations.into_iter().next().unwrap().entry.unwrap().descriptor;
    assert_eq!((entry.auth, &entry.input["required"]), (Auth::None, &json!(["token"])));
}

#[test]
fn a_key_is_no_argument_although_the_document_says_that_there_is_none() {
    let imported = |security: serde_json::Value, required: bool| {
        let parameter = |name: &str, required: bool| json!({ "name": name, "in": "header", "required": required, "schema": { "type": "string" } });
        let body = json!({ "type": "object", "properties": { "password": { "type": "string" } } });
        let post = json!({
            "security": security, "parameters": [parameter("X-API-Key", required)],
            "requestBody": { "content": { "application/json": { "schema": body } } },
            "responses": { "200": { "description": "" } },
        });
        let scheme = json!({ "type": "http", "scheme": "bearer" });
        let text = json!({
            "openapi": "3.1.0", "paths": { "/a": { "post": post } },
            "components": { "securitySchemes": {
                "web": { "type": "apiKey", "in": "header", "name": "Authorization" }, "way": scheme,
                "cookie": { "type": "apiKey", "in": "cookie", "name": "s" },
            } },
        });
        let import = import(text.to_string().as_bytes(), &origin());
        let entry = import.operations.into_iter().next().unwrap().entry.unwrap();
        let names = entry.descriptor.input["properties"].as_object().unwrap().keys().cloned();
        let told = entry.notes.into_iter().map(|note| format!("{} {}", note.kind.name(), note.text));
        (entry.descriptor.auth, names.collect::<Vec<_>>(), told.collect::<Vec<_>>().join("\n"))
    };
    let key = Auth::Header { name: "X-API-Key".into(), format: "<key>".into() };
    let (auth, names, told) = imported(json!([]), true);
    assert_eq!((auth, names), (key.clone(), vec!["password".to_owned()]));
    assert!(told.contains("guessed `password` is a plain argument, though named like a secret"), "{told}");
    assert_eq!(imported(json!([{}, { "way": [] }]), true).0, key);
    let (auth, names, told) = imported(json!([]), false);
    assert_eq!((auth, names), (Auth::None, vec!["password".to_owned()]));
    assert!(told.contains("left_out the optional `X-API-Key`, by its name a key"), "{told}");
    // One that is not taken says nothing of the entry.
    let (_, names, told) = imported(json!([{ "web": [], "cookie": [] }, { "way": [] }]), false);
    assert_eq!(names, ["X-API-Key", "password"]);
    assert!(!told.contains("only says that the header holds the key"), "{told}");
    assert!(told.contains("guessed `X-API-Key` is a plain argument"), "{told}");
}

#[test]
fn the_address_of_a_document_is_kept_without_its_secrets() {
    let reference = "https://me:pw@docs.example/api/openapi.yaml?v=2&token=real-key".to_owned();
    let import = import(ORACLE, &Origin { reference, ..origin() });
    let entries = import.operations.iter().filter_map(|operation| operation.entry.as_ref().ok());
    for entry in entries {
        assert_eq!(entry.descriptor.sources[0].reference, "https://docs.example/api/openapi.yaml?v=2");
    }
}

#[test]
fn what_has_no_name_is_left_out_or_stays_within_the_body() {
    let document = json!({
        "openapi": "3.1.0", "servers": [{ "url": "https://api.example.com" }],
        "paths": { "/x": { "post": {
            "operationId": "ask",
            "parameters": [
                { "name": "", "in": "query", "schema": { "type": "string" } },
                { "name": "a b", "in": "header", "schema": { "type": "string" } },
                { "name": "q", "in": "query", "schema": { "type": "string" } },
            ],
            "requestBody": { "content": { "application/json": { "schema": {
                "type": "object", "required": [""], "properties": { "": { "type": "string" } },
            } } } },
            "responses": { "200": { "description": "" } },
        } } },
    });
    let entry = entry(document.to_string().as_bytes(), "sn7.ask");
    let properties = entry.descriptor.input["properties"].as_object().unwrap();
    assert_eq!(properties.keys().collect::<Vec<_>>(), ["q", "body"]);
    let said: Vec<&str> = entry.notes.iter().map(|note| note.text.as_str()).collect();
    for text in [
        "an optional parameter whose `name` is empty",
        "the optional header `a b`: no header can be called so",
        "the body is one argument, `body`: a field of it has no name",
    ] {
        assert!(said.contains(&text), "{text}: {said:?}");
    }
}

#[test]
fn a_path_is_encoded_where_it_can_be_and_refused_where_nothing_can_be_sent() {
    let imported = |path: &str| {
        let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
        let parameters = if path.contains("{id}") { json!([id]) } else { json!([]) };
        let get = json!({ "operationId": "get", "parameters": parameters, "responses": { "200": { "description": "" } } });
        let document = json!({ "openapi": "3.1.0", "servers": [{ "url": "https://api.example.com/caf\u{e9}" }],
            "paths": { path: { "get": get } } });
        let import = import(document.to_string().as_bytes(), &origin());
        import.operations.into_iter().next().unwrap().entry.map(|entry| match entry.descriptor.transport {
            Transport::Http(http) => format!("{}{}", http.base_url, http.path),
            _ => unreachable!(),
        })
    };
    for (path, sent) in [
        ("/a|b/{id}", "/a%7Cb/{id}"),
        ("/na\u{ef}ve/a b", "/na%C3%AFve/a%20b"),
        ("/50%/a%2Fb", "/50%25/a%2Fb"),
        ("/v1/chat:send,now", "/v1/chat:send,now"),
    ] {
        assert_eq!(imported(path), Ok(format!("https://api.example.com/caf%C3%A9{sent}")), "{path}");
    }
    for (path, why) in [
        ("/a/../b", "dot segments"),
        ("/a/%2e%2E/b", "dot segments"),
        ("/./a", "dot segments"),
        ("/a/{id}/{x", "a brace without its partner"),
        ("/a\\b", "holds '\\\\'"),
        ("/a#b", "holds '#'"),
    ] {
        let error = imported(path).unwrap_err();
        let at = format!("#/paths/{}/get", path.replace('/', "~1"));
        assert_eq!((error.code, error.at), ("E1254", at), "{path}");
        assert!(error.message.contains(why), "{path}: {}", error.message);
    }
}
