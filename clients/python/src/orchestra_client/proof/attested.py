"""Whether the peer of a call signed its answer by twresp/1, as far as a bundle shows it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from .crypto import bytes_are_signed
from .objects import CALL, REQUEST, RESPONSE, SIGNED, UNITS_MAX, Commit
from .verdict import SignedAnswer

_SCHEMES = {"twresp/1/sr25519": b"sr25519", "twresp/1/ed25519": b"ed25519"}
_NUMBER = rb"(0|[1-9][0-9]*)"
_TEXT = re.compile(
    rb"twresp/1\n(sr25519|ed25519)\n" + _NUMBER + rb"\n([^\n]*)\n([^\n]*)\n" + _NUMBER + rb"\n([0-9a-f]{64})"
)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Untrue(Exception):
    """What a commit says of its peer's signature is not so."""


def address_of(key: bytes) -> str:
    """The SS58 address, with Bittensor's prefix, of a public key."""
    checksum = hashlib.blake2b(b"SS58PRE\x2a" + key).digest()[:2]
    number, text = int.from_bytes(b"\x2a" + key + checksum, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return text


def judge(commit: Commit, shown: Callable[[int], bytes | None]) -> SignedAnswer | None:
    """What is known of the signature of an answer; `None` where it has none. `shown` gives content that opens its commit."""
    peer = commit.peer
    scheme = _SCHEMES.get(peer.scheme) if peer else None
    if peer is None or scheme is None:
        return None
    signature = peer.signature
    if len(peer.key) != 32 or signature is None or len(signature) != 64 or SIGNED not in commit.contents:
        raise Untrue("its peer is said to sign answers, and a key, a signature or what was signed is missing")
    address = address_of(peer.key)
    signed = shown(SIGNED)
    if signed is None:
        return SignedAnswer(commit.ordinal, "text_withheld", address)
    nonce, body_hash = _read(signed, scheme, address, commit.kind == CALL)
    request = shown(REQUEST)
    if request is not None and b"x-bittensor-nonce: " + nonce not in request.split(b"\n\n")[0].split(b"\n"):
        raise Untrue("what its peer signed is the answer to another request")
    if scheme == b"ed25519" and not bytes_are_signed(peer.key, signed, signature):
        raise Untrue("the signature of its peer does not hold")
    body = shown(RESPONSE) if RESPONSE in commit.contents else b""
    if body is not None and hashlib.sha256(body).hexdigest().encode() != body_hash:
        raise Untrue("what its peer signed is another answer")
    if scheme == b"sr25519":
        return SignedAnswer(commit.ordinal, "unchecked", address)
    return SignedAnswer(commit.ordinal, "body_withheld" if body is None else "attested", address)


def _read(signed: bytes, scheme: bytes, address: str, has_value: bool) -> tuple[bytes, bytes]:
    """The number of the request and the hash of the answer that a text names."""
    found = _TEXT.fullmatch(signed)
    if found is None or int(found[2]) > UNITS_MAX or int(found[5]) > 0xFFFF or not _is_text(found[3]):
        raise Untrue("what its peer signed is no text of twresp/1")
    if (found[1], found[4]) != (scheme, address.encode()):
        raise Untrue("what is signed is by another hotkey, or in another way, than its peer's")
    if has_value and not 200 <= int(found[5]) < 300:
        raise Untrue("its peer signed a refusal, and it has a value")
    return found[2], found[6]


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
