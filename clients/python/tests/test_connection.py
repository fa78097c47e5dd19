"""TLS and tokens: what a connection carries."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from orchestra_client import Client, Unavailable
from orchestra_client.v1 import ledger_pb2, ledger_pb2_grpc


def certificate(folder: Path) -> tuple[Path, bytes]:
    """A file with a key and a certificate of 127.0.0.1 for it, and the certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "orchestra tests")])
    now = datetime.now(timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = made.public_bytes(serialization.Encoding.PEM)
    file = folder / "server.pem"
    file.write_bytes(key.private_bytes(*form) + pem)
    return file, pem


@pytest.fixture
def encrypted(address: str, tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """A proxy before the server that ends TLS, as one does in production; its address and its authority."""
    file, pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.set_alpn_protocols(["h2"])
    host, port = address.removeprefix("http://").rsplit(":", 1)
    listener = socket.create_server(("127.0.0.1", 0))

    def passed(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                sink.sendall(data)
        except OSError:
            pass

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                near = context.wrap_socket(plain, server_side=True)
            except (ssl.SSLError, OSError):
                continue
            far = socket.create_connection((host, int(port)))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=passed, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}", pem
    listener.close()


def test_an_encrypted_connection_is_made_to_whom_is_trusted_only(encrypted: tuple[str, bytes]) -> None:
    address, pem = encrypted
    with Client(address, root_certificates=pem) as client:
        assert any(hit.operation == "sn22.web_search" for hit in client.search("web search"))
    with Client(address) as stranger, pytest.raises(Unavailable):
        stranger.search("web search", timeout=10)


def test_a_token_is_sent_with_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []

    class Ledger(ledger_pb2_grpc.LedgerServiceServicer):
        def SearchOperations(self, request: object, context: grpc.ServicerContext) -> ledger_pb2.SearchOperationsResponse:
            sent.append(dict(context.invocation_metadata()).get("authorization"))
            return ledger_pb2.SearchOperationsResponse()

    server = grpc.server(ThreadPoolExecutor(1))
    ledger_pb2_grpc.add_LedgerServiceServicer_to_server(Ledger(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for token in ("from-code", None):
        monkeypatch.setenv("ORCHESTRA_TOKEN", "from-environment")
        with Client(f"http://127.0.0.1:{port}", token=token) as client:
            client.search("a")
    monkeypatch.delenv("ORCHESTRA_TOKEN")
    with Client(f"http://127.0.0.1:{port}") as client:
        client.search("a")
    server.stop(None)
    assert sent == ["Bearer from-code", "Bearer from-environment", None]


@pytest.mark.parametrize("server", ["ftp://host", "http://host/path", "https://"])
def test_what_is_no_address_is_told(server: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        Client(server)
