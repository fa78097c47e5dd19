"""Hashes and signatures of proofs."""

from __future__ import annotations

from functools import cache

from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

RUN_TYPE = "application/vnd.orchestra.run.v1+cbor"
CHALLENGE_TYPE = "application/vnd.orchestra.challenge.v1+cbor"
_PREFIX = "orchestra.proof 2026-11-22 v1 "
_P = 2**255 - 19
# The y coordinates of the points of small order, in every encoding that decompresses. Who names such a key needs no
# secret to sign.
_SMALL_ORDER = {
    0,
    1,
    _P - 1,
    _P,
    _P + 1,
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
    int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
}


@cache
def _context(name: str) -> blake3:
    return blake3(derive_key_context=_PREFIX + name)


def digest(context: str, *parts: bytes) -> bytes:
    """The hash of the concatenation of `parts` in `context`."""
    hasher = _context(context).copy()
    for part in parts:
        hasher.update(part)
    return hasher.digest()


def u32(number: int) -> bytes:
    """A number as it is hashed."""
    return number.to_bytes(4, "big")


def _is_small_order(point: bytes) -> bool:
    return int.from_bytes(point, "little") & (2**255 - 1) in _SMALL_ORDER


def signature_holds(key: bytes, payload_type: str, payload: bytes, signature: bytes) -> bool:
    """Whether a strict Ed25519 signature over the DSSE encoding of `payload` holds."""
    head = f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode()
    return bytes_are_signed(key, head + payload, signature)


def bytes_are_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a strict Ed25519 signature over these very bytes holds."""
    if _is_small_order(key) or _is_small_order(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Tree:
    """The root over the locks of a run, in RFC 6962's shape, computed leaf by leaf."""

    def __init__(self) -> None:
        self._complete: list[tuple[int, bytes]] = []

    def push(self, lock: bytes) -> None:
        size, found = 1, digest("merkle-leaf", lock)
        while self._complete and self._complete[-1][0] == size:
            found = digest("merkle-node", self._complete.pop()[1], found)
            size *= 2
        self._complete.append((size, found))

    def root(self) -> bytes | None:
        found: bytes | None = None
        for _, left in reversed(self._complete):
            found = left if found is None else digest("merkle-node", left, found)
        return found
