//! A subnet that wants a key, and calls of it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use schema::operation::{Auth, OperationDescriptor};
use schema::value::Value;
use serde_json::json;
use subnet::egress::{EgressPolicy, Options};
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Client, Follow, PreparedOperation};

/// Starts a subnet that answers whether a request brought `key`, on threads of its own; returns its origin.
pub(crate) fn serve(key: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let header = format!("authorization: Bearer {key}\r\n");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, header) = (stream.unwrap(), header.clone());
            std::thread::spawn(move || answer(stream, &header));
        }
    });
    origin
}

fn answer(mut stream: TcpStream, header: &str) {
    stream.set_nodelay(true).unwrap();
    let (mut request, mut part) = (Vec::new(), [0; 4_096]);
    while let Ok(read @ 1..) = stream.read(&mut part) {
        request.extend(part.iter().take(read));
        let text = String::from_utf8_lossy(&request);
        if !text.ends_with(r#"{"q":"a"}"#) {
            continue;
        }
        let body = format!(r#"{{"v":{}}}"#, text.contains(header));
        request.clear();
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all((head + &body).as_bytes()).unwrap();
    }
}

/// The operation `sn<netuid>.ask` of that subnet, with a key or without.
pub(crate) fn operation(netuid: u16, origin: &str, auth: &Auth) -> OperationDescriptor {
    let input = json!({"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}});
    let output = json!({"type": "object", "required": ["v"], "properties": {"v": {"type": "boolean"}}});
    serde_json::from_value(json!({
        "id": format!("sn{netuid}.ask"), "netuid": netuid, "version": {"breaking": 1, "compatible": 0}, "summary": "",
        "access": "open", "auth": auth, "side_effects": "none", "repeat": {"safe": true, "costs_again": false},
        "transport": {"kind": "http", "method": "POST", "base_url": origin, "path": "/ask", "response": "json"},
        "input": input, "output": output, "output_complete": true, "sources": [],
    }))
    .unwrap()
}

/// A header that brings the key.
pub(crate) fn bearer() -> Auth {
    Auth::Header { name: "authorization".into(), format: "Bearer <key>".into() }
}

pub(crate) fn client() -> Client {
    let policy = EgressPolicy { allow_loopback: true, allow_private: false };
    Client::new(Options { policy, ..Options::default() }).unwrap()
}

pub(crate) fn prepare(client: &Client, operation: &OperationDescriptor) -> PreparedOperation {
    let types = schema::json_schema::OperationTypes::of(operation).unwrap();
    client.prepare(operation, types.into(), None).unwrap()
}

pub(crate) async fn call(
    client: &Client,
    operation: &PreparedOperation,
    secrets: &SecretStore,
) -> CallOutcome {
    let context = CallContext {
        request_nonce: [1; 32],
        timeout: Duration::from_secs(30),
        secrets,
        hotkey: None,
        follow: Follow::default(),
        listener: None,
    };
    client.call(operation, &Value::record([Value::string("a".to_owned())]), &context).await
}
