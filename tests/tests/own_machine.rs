//! What a page in a browser of this machine could send to a server on loopback.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use e2e::service::{Served, development};
use server::StoreLocation;
use server::access::{Access, Grant, token_hash};

/// The answer to a POST that has these headers, as it comes over the wire.
fn post(address: SocketAddr, headers: &[(&str, &str)]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut request = String::from("POST /orchestra.v1.LedgerService/ListSubnets HTTP/1.1\r\n");
    for (name, value) in headers.iter().chain(&[("content-length", "5"), ("connection", "close")]) {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n\0\0\0\0\0");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

const GRPC_WEB: (&str, &str) = ("content-type", "application/grpc-web+proto");

#[tokio::test(flavor = "multi_thread")]
async fn other_names_and_other_pages_are_refused_unless_there_are_tokens() {
    let open = Served::start(development(StoreLocation::Memory)).await;
    let address = open.address;
    let asked = tokio::task::spawn_blocking(move || {
        let own = format!("localhost:{}", address.port());
        [
            post(address, &[("host", &own), GRPC_WEB]),
            post(address, &[("host", &own), GRPC_WEB, ("origin", "http://localhost:3000")]),
            post(address, &[("host", "evil.example"), GRPC_WEB]),
            post(address, &[("host", &own), GRPC_WEB, ("origin", "https://evil.example")]),
            post(
                address,
                &[("host", &own), ("content-type", "text/plain"), ("origin", "https://evil.example")],
            ),
        ]
    })
    .await
    .unwrap();
    let [own, own_page, other_name, other_page, plain] = &asked;
    assert!(own.contains("grpc-status:0") && own_page.contains("grpc-status:0"), "{own}\n{own_page}");
    for refused in [other_name, other_page] {
        assert!(refused.to_lowercase().contains("grpc-status: 7"), "{refused}");
    }
    assert!(
        plain.starts_with("HTTP/1.1 403") && plain.contains("[E1551] pages of https://evil.example"),
        "{plain}"
    );

    // A proxy before a server with tokens calls it by the name that its clients do.
    let grant =
        Grant { name: "one".into(), spend_cap: None, may_publish: false, own_keys: false, expires_at: None };
    let access = Access::new(BTreeMap::from([(token_hash("one"), grant)]));
    let with_tokens = Served::start(server::Options { access, ..development(StoreLocation::Memory) }).await;
    let address = with_tokens.address;
    let headers = [("host", "api.example"), GRPC_WEB, ("authorization", "Bearer one")];
    let answered = tokio::task::spawn_blocking(move || post(address, &headers)).await.unwrap();
    assert!(answered.contains("grpc-status:0"), "{answered}");
}
