//! The port by itself: who may ask, and how a session ends with its server.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use e2e::process::{Orch, orch};
use e2e::service::PATIENT;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{SILENT_PRICE, Stage};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
/// A server that stops cuts whatever is left after five seconds; a session must not need that.
const PROMPT: Duration = Duration::from_secs(4);

async fn send(address: SocketAddr, method: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} /mcp HTTP/1.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Status line and headers.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_is_refused_on_loopback() {
    let stage = Stage::set().await;
    let address = stage.server.address;
    for (headers, status) in [
        (format!("host: {address}\r\n"), "200"),
        (format!("host: localhost:{}\r\n", address.port()), "200"),
        (format!("host: {address}\r\norigin: http://localhost:5173\r\n"), "200"),
        (format!("host: evil.example:{}\r\n", address.port()), "403"),
        (format!("host: {address}\r\norigin: http://evil.example\r\n"), "403"),
        (format!("host: {address}\r\norigin: null\r\n"), "403"),
    ] {
        let head = head(&mut send(address, "POST", &headers, INITIALIZE).await).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}: {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_its_sessions() {
    let stage = Stage::set().await;
    let address = stage.server.address;
    let begun = head(&mut send(address, "POST", &format!("host: {address}\r\n"), INITIALIZE).await).await;
    let session = begun.lines().find(|line| line.starts_with("mcp-session-id: ")).unwrap();
    let headers = format!("host: {address}\r\n{session}\r\n");
    let mut listening = send(address, "GET", &headers, "").await;
    assert!(head(&mut listening).await.starts_with("HTTP/1.1 200 "));
    let stopped = tokio::task::spawn_blocking(move || stage.server.terminate());
    let mut rest = Vec::new();
    tokio::time::timeout(PROMPT, listening.read_to_end(&mut rest)).await.expect("the stream ends").unwrap();
    assert_eq!(stopped.await.unwrap(), 0);
}

/// A request to call an operation that takes any text, in a session and as a request that stands alone.
fn calling(operation: &str, version: &str) -> String {
    let arguments = json!({
        "operation": operation, "arguments_json": "{\"q\": \"x\"}", "cost_max": "0.05 USD", "timeout_seconds": 600,
    });
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": "call", "arguments": arguments, "_meta": meta });
    json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_a_stopping_server_interrupts_is_told_so_and_what_it_cost_is_kept() {
    for version in ["2025-06-18", "2026-07-28"] {
        let stage = Stage::set().await;
        let address = stage.server.address;
        let host = format!("host: {address}\r\n");
        let begun = head(&mut send(address, "POST", &host, INITIALIZE).await).await;
        let session = begun.lines().find(|line| line.starts_with("mcp-session-id: ")).unwrap();
        let of_request = match version {
            "2025-06-18" => format!("{session}\r\n"),
            _ => "mcp-method: tools/call\r\nmcp-name: call\r\n".to_owned(),
        };
        let headers = format!("{host}mcp-protocol-version: {version}\r\n{of_request}");
        let call = calling(&stage.silent.operation.id, version);
        let mut open = send(address, "POST", &headers, &call).await;
        tokio::select! {
            () = stage.silent.arrived.notified() => {}
            refused = head(&mut open) => panic!("{version}: {refused}"),
        }
        let stopped = tokio::task::spawn_blocking(move || stage.server.terminate());
        let mut answer = String::new();
        tokio::time::timeout(PATIENT, open.read_to_string(&mut answer))
            .await
            .expect("the answer ends")
            .unwrap();
        assert_eq!(stopped.await.unwrap(), 0);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 "), "{version}: {answer}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["data"]["error"]["code"], "E1173", "{version}: {body}");
        stage.silent.left.notified().await;
        let mut list = Command::new(orch());
        let list = list
            .current_dir(stage.folder.path())
            .args(["runs", "list", "--json"])
            .env_remove("ORCHESTRA_CONFIG");
        let listed: serde_json::Value = serde_json::from_slice(&list.output().unwrap().stdout).unwrap();
        let run = &listed["runs"][0];
        assert_eq!(
            (&run["state"], &run["total"]["units"]),
            (&json!("cancelled"), &json!(SILENT_PRICE)),
            "{listed}"
        );
    }
}

/// What the answer to `tools/list` says of who asked: that a token is wanted, or the tools.
async fn listed(address: SocketAddr, headers: &str) -> String {
    let mut stream = send(address, "POST", headers, LIST).await;
    let mut text = String::new();
    while !text.contains(r#""id":1"#) {
        let mut part = [0; 1 << 10];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_caller_goes_on_to_the_service() {
    let folder = e2e::folder();
    fs::write(folder.path().join("orchestra.toml"), crate::PROJECT).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(orch());
        command.current_dir(folder.path()).args(args).env_remove("ORCHESTRA_CONFIG");
        command
    };
    let added = run(&["tokens", "add", "agent", "--no-spend-max"]).output().unwrap();
    let token = String::from_utf8(added.stdout).unwrap().trim().to_owned();
    let server = Orch::serve(folder.path());
    let address = server.address;
    let host = format!("host: {address}\r\n");
    // Nobody has a session without a token, nor goes on in one.
    let mine = format!("{host}authorization: Bearer {token}\r\n");
    let begun = head(&mut send(address, "POST", &mine, INITIALIZE).await).await;
    let session = begun.lines().find(|line| line.starts_with("mcp-session-id: ")).unwrap();
    let wrong = format!("{host}authorization: Bearer orch_wrong\r\n");
    for (headers, body, challenge) in [
        (&host, INITIALIZE, "www-authenticate: Bearer realm=\"orchestra\"\r\n"),
        (&wrong, INITIALIZE, "www-authenticate: Bearer realm=\"orchestra\", error=\"invalid_token\"\r\n"),
        (&format!("{host}{session}\r\n"), LIST, "www-authenticate: Bearer realm=\"orchestra\"\r\n"),
    ] {
        let refused = head(&mut send(address, "POST", headers, body).await).await;
        assert!(refused.starts_with("HTTP/1.1 401 ") && refused.contains(challenge), "{refused}");
        assert!(!refused.contains("mcp-session-id"), "{refused}");
    }
    let with = format!("{mine}{session}\r\n");
    head(&mut send(address, "POST", &with, INITIALIZED).await).await;
    assert!(listed(address, &with).await.contains("search_subnets"));

    let mut command = run(&["mcp", "--server", &address.to_string()]);
    let command = command.env("ORCHESTRA_TOKEN", &token).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{INITIALIZE}\n{INITIALIZED}\n{LIST}").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = tokio::task::spawn_blocking(move || lines.nth(1).unwrap()).await.unwrap();
    assert!(said.contains("search_subnets"), "{said}");
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_of_use_to_the_token_that_began_it_alone() {
    let folder = e2e::folder();
    fs::write(folder.path().join("orchestra.toml"), crate::PROJECT).unwrap();
    let token = |name: &str| {
        let mut command = Command::new(orch());
        command.current_dir(folder.path()).env_remove("ORCHESTRA_CONFIG");
        let added = command.args(["tokens", "add", name, "--no-spend-max"]).output().unwrap();
        format!("authorization: Bearer {}\r\n", String::from_utf8(added.stdout).unwrap().trim())
    };
    let (mine, other) = (token("mine"), token("other"));
    let server = Orch::serve(folder.path());
    let address = server.address;
    let host = format!("host: {address}\r\n");
    let begun = head(&mut send(address, "POST", &format!("{host}{mine}"), INITIALIZE).await).await;
    let session = begun.lines().find(|line| line.starts_with("mcp-session-id: ")).unwrap();
    let (bare, _) = session.rsplit_once('.').unwrap();
    // To end what is not there is to have ended it.
    for (method, body, status) in
        [("POST", INITIALIZED, 404), ("POST", LIST, 404), ("GET", "", 404), ("DELETE", "", 202)]
    {
        for (who, session) in [(&other, session), (&mine, bare), (&other, bare)] {
            let headers = format!("{host}{who}{session}\r\n");
            let refused = head(&mut send(address, method, &headers, body).await).await;
            assert!(refused.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {refused}");
        }
    }
    let with = format!("{host}{mine}{session}\r\n");
    head(&mut send(address, "POST", &with, INITIALIZED).await).await;
    assert!(listed(address, &with).await.contains("search_subnets"));
}

/// The body of the answer to one request of a session, up to the end of its JSON.
async fn said(address: SocketAddr, headers: &str, request: &str) -> String {
    let mut stream = send(address, "POST", headers, request).await;
    let mut text = String::new();
    let is_open = |text: &str| text.matches('{').count() > text.matches('}').count();
    while !text.contains("\"id\":7") || is_open(&text) {
        let mut part = [0; 1 << 10];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_are_no_object_are_a_coded_error_of_the_arguments() {
    let stage = Stage::set().await;
    let address = stage.server.address;
    let host = format!("host: {address}\r\n");
    let opened = head(&mut send(address, "POST", &host, INITIALIZE).await).await;
    let session =
        opened.lines().find(|line| line.to_ascii_lowercase().starts_with("mcp-session-id:")).unwrap();
    let host = format!("{host}{session}\r\n");
    head(&mut send(address, "POST", &host, INITIALIZED).await).await;
    for params in [
        r#"{"name":"search_subnets","arguments":["tea"]}"#,
        r#"{"name":"search_subnets","arguments":"tea"}"#,
        r#"{"arguments":{}}"#,
    ] {
        let request = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#);
        let said = said(address, &host, &request).await;
        assert!(said.contains("\"code\":-32602") && said.contains("\"code\":\"E1850\""), "{params}: {said}");
        assert!(said.contains("as `arguments` one JSON object"), "{said}");
    }
    let other = r#"{"jsonrpc":"2.0","id":7,"method":"tools/cal"}"#;
    assert!(said(address, &host, other).await.contains("\"code\":-32601"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_refused_as_json_rpc_does() {
    let stage = Stage::set().await;
    let address = stage.server.address;
    let host = format!("host: {address}\r\n");
    for (body, code) in [("{\"jsonrpc\":", "-32700"), ("nonsense", "-32700"), ("{\"a\":1}", "-32600")] {
        let mut stream = send(address, "POST", &host, body).await;
        let mut text = String::new();
        while !text.contains("\r\n\r\n{") || !text.ends_with("}}") {
            let mut part = [0; 1 << 10];
            let read = stream.read(&mut part).await.unwrap();
            assert!(read > 0, "{text}");
            text.push_str(&String::from_utf8_lossy(&part[..read]));
        }
        assert!(
            text.starts_with("HTTP/1.1 400 ") && text.contains("content-type: application/json"),
            "{text}"
        );
        assert!(text.contains(&format!("\"code\":{code}")) && text.contains("\"id\":null"), "{text}");
    }
}
