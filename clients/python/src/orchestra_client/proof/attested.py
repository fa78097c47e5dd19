"""Whether the peers of a call signed their answers by twresp/1, as far as a bundle shows it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from .crypto import bytes_are_signed
from .cbor import EncodingError
from .objects import CALL, REQUEST, RESPONSE, SIGNED, UNITS_MAX, Commit, Signature, read_answers
from .verdict import Attested, SignedAnswer

_SCHEMES = {"twresp/1/sr25519": b"sr25519", "twresp/1/ed25519": b"ed25519"}
# Of several answers, which stand in a list.
_SEVERAL = "twresp/1/answers"
_LEAST: list[Attested] = ["partly", "text_withheld", "unchecked", "body_withheld", "attested"]
_NUMBER = rb"(0|[1-9][0-9]*)"
_TEXT = re.compile(
    rb"twresp/1\n(sr25519|ed25519)\n" + _NUMBER + rb"\n([^\n]*)\n([^\n]*)\n" + _NUMBER + rb"\n([0-9a-f]{64})"
)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Untrue(Exception):
    """What a commit says of its peer's signature is not so."""


class _Text(NamedTuple):
    """What a peer signed of its answer."""

    scheme: bytes
    nonce: bytes
    responder: bytes
    status: int
    body_hash: bytes


def address_of(key: bytes) -> str:
    """The SS58 address, with Bittensor's prefix, of a public key."""
    checksum = hashlib.blake2b(b"SS58PRE\x2a" + key).digest()[:2]
    number, text = int.from_bytes(b"\x2a" + key + checksum, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return text


def judge(commit: Commit, shown: Callable[[int], bytes | None]) -> SignedAnswer | None:
    """What is known of the signatures of a call's answers; `None` where there are none. `shown` gives content that opens its commit."""
    peer = commit.peer
    if peer is None or peer.scheme not in (*_SCHEMES, _SEVERAL):
        return None
    is_one = peer.scheme in _SCHEMES
    signature = peer.signature
    has_signature = signature is not None and len(signature) == 64 if is_one else signature is None
    if len(peer.key) != 32 or not has_signature or SIGNED not in commit.contents:
        raise Untrue("its peers are said to sign answers, and a key, a signature or what was signed is missing")
    signed = shown(SIGNED)
    if signed is None:
        return SignedAnswer(commit.ordinal, "text_withheld", (address_of(peer.key),))
    request = shown(REQUEST)
    response = shown(RESPONSE) if RESPONSE in commit.contents else b""
    has_value = commit.kind == CALL
    if signature is not None:
        name = _read(signed).scheme
        if name != _SCHEMES[peer.scheme]:
            raise Untrue("what is signed is signed in another way than its peer's")
        attested = _judge(Signature(peer.key, signature, signed), request, response, has_value)
        return SignedAnswer(commit.ordinal, attested, (address_of(peer.key),))
    try:
        answers = read_answers(signed)
    except EncodingError as error:
        raise Untrue("what its peers signed is no list of answers") from error
    requests = _parts(request, [answer.request for answer in answers])
    responses = _parts(response, [answer.response for answer in answers])
    found: list[tuple[Attested, bytes]] = []
    for answer, of_request, of_response in zip(answers, requests, responses, strict=True):
        if answer.signature is not None:
            found.append((_judge(answer.signature, of_request, of_response, has_value), answer.signature.key))
    if not found or len(answers) < 2 or found[0][1] != peer.key:
        raise Untrue("the list of its answers is of one, or none of them is signed, or the first by another hotkey than its peer's")
    states = [attested for attested, _ in found]
    least = "partly" if len(found) < len(answers) else min(states, key=_LEAST.index)
    signers = tuple(dict.fromkeys(address_of(key) for _, key in found))
    return SignedAnswer(commit.ordinal, least, signers)


def _judge(signature: Signature, request: bytes | None, body: bytes | None, has_value: bool) -> Attested:
    """What is known of the signature of one answer, of which the request and the body are shown or not."""
    text = _read(signature.signed)
    if text.responder != address_of(signature.key).encode():
        raise Untrue("what is signed is by another hotkey than its peer's")
    if has_value and not 200 <= text.status < 300:
        raise Untrue("its peer signed a refusal, and it has a value")
    if request is not None and b"x-bittensor-nonce: " + text.nonce not in request.split(b"\n\n")[0].split(b"\n"):
        raise Untrue("what its peer signed is the answer to another request")
    is_checked = text.scheme == b"ed25519"
    if is_checked and not bytes_are_signed(signature.key, signature.signed, signature.value):
        raise Untrue("the signature of its peer does not hold")
    if body is not None and hashlib.sha256(body).hexdigest().encode() != text.body_hash:
        raise Untrue("what its peer signed is another answer")
    if not is_checked:
        return "unchecked"
    return "body_withheld" if body is None else "attested"


def _parts(shown: bytes | None, lengths: list[int]) -> list[bytes] | list[None]:
    """The parts, of these lengths and with a line end between each two, of content that is shown."""
    if shown is None:
        return [None] * len(lengths)
    parts, at = [], 0
    for length in lengths:
        parts.append(shown[at : at + length])
        at += length + 1
    if sum(lengths) + len(lengths) - 1 != len(shown) or b"\n".join(parts) != shown:
        raise Untrue("the list of its answers does not add up to what is shown of them")
    return parts


def _read(signed: bytes) -> _Text:
    """What a text says."""
    found = _TEXT.fullmatch(signed)
    if found is None or int(found[2]) > UNITS_MAX or int(found[5]) > 0xFFFF or not _is_text(found[3]):
        raise Untrue("what its peer signed is no text of twresp/1")
    return _Text(found[1], found[2], found[4], int(found[5]), found[6])


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
