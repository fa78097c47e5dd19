//! The server's guards of HTTP/2, spoken to in raw frames, and errors that the gRPC library makes by itself.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use e2e::service::{Served, code_of, development};
use proto::v1;
use server::StoreLocation;
use tokio::io::{AsyncReadExt, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_HEADERS: u8 = 4;
/// Streams an attacker would try; far above the limit of 64 provoked resets.
const STREAMS: u32 = 3_000;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// `POST /orchestra.v1.RunService/GetRun` in HPACK without compression.
fn request_headers() -> Vec<u8> {
    // Indexed `:method: POST` and `:scheme: http`, then `:path` and `:authority` as literals.
    let mut block = vec![0x83, 0x86];
    for (index, value) in [(0x04, "/orchestra.v1.RunService/GetRun"), (0x01, "localhost")] {
        block.push(index);
        block.push(u8::try_from(value.len()).unwrap());
        block.extend_from_slice(value.as_bytes());
    }
    block
}

/// Reads frames until one of `kind` comes; `None` where the connection ends without.
async fn wait_for(stream: &mut (impl AsyncReadExt + Unpin), kind: u8) -> Option<Vec<u8>> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await.ok()?;
        if head[3] == kind {
            return Some(payload);
        }
    }
}

/// A window that overflows makes the server reset the stream itself (CVE-2025-8671). Without a limit one
/// connection could have it open and reset streams for ever.
#[tokio::test]
async fn a_peer_that_provokes_resets_is_sent_away() {
    let served = Served::start(development(StoreLocation::Memory)).await;
    let (mut from, mut to) = TcpStream::connect(served.address).await.unwrap().into_split();
    to.write_all(PREFACE).await.unwrap();
    to.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let attack = tokio::spawn(async move {
        let overflow = 0x7fff_ffff_u32.to_be_bytes();
        for stream in (1..).step_by(2).take(STREAMS as usize) {
            let mut bytes = frame(HEADERS, END_HEADERS, stream, &request_headers());
            bytes.extend(frame(WINDOW_UPDATE, 0, stream, &overflow));
            if to.write_all(&bytes).await.is_err() {
                // The server has closed the connection.
                return;
            }
        }
    });
    let gone = tokio::time::timeout(Duration::from_secs(30), wait_for(&mut from, GO_AWAY)).await.unwrap();
    let payload = gone.expect("a GOAWAY frame");
    let last_stream = u32::from_be_bytes([payload[0], payload[1], payload[2], payload[3]]);
    assert!(last_stream < 2 * STREAMS, "every stream was served before the connection was closed");
    attack.abort();
}

#[tokio::test]
async fn the_server_says_how_many_streams_it_admits() {
    const MAX_CONCURRENT_STREAMS: u16 = 3;
    let served = Served::start(development(StoreLocation::Memory)).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let settings = wait_for(&mut stream, SETTINGS).await.unwrap();
    let admitted = settings
        .chunks(6)
        .find(|entry| u16::from_be_bytes([entry[0], entry[1]]) == MAX_CONCURRENT_STREAMS)
        .map(|entry| u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]]));
    assert_eq!(admitted, Some(128));
}

#[tokio::test]
async fn errors_of_the_library_have_a_code_too() {
    let served = Served::start(development(StoreLocation::Memory)).await;
    let clients = served.host.clients.clone();
    let request = |bytes: usize| v1::FormatRequest { text: " ".repeat(bytes) };
    // A text that is too long is the parser's to refuse; a message that is too large is not even read.
    let fine = clients.compiler().format(request(2 << 20)).await.unwrap().into_inner();
    assert_eq!(fine.diagnostics.len(), 1);
    let refused = clients.compiler().format(request(17 << 20)).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::OutOfRange, "E1516"));

    let mut raw = tonic::client::Grpc::new(clients.channel());
    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<v1::GetRunRequest, v1::GetRunResponse>::default();
    let path = "/orchestra.v1.RunService/NoSuchMethod".parse().unwrap();
    let refused =
        raw.unary(tonic::Request::new(v1::GetRunRequest::default()), path, codec).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::Unimplemented, "E1516"));
}
