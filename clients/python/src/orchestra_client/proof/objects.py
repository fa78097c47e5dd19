"""The objects of a bundle, from their bytes. Limits are those of the format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from .cbor import MAP, TEXT, EncodingError, Field, Reader, decode, maybe, read_object

BUNDLE_BYTES_MAX = 256 << 20
PLAN_BYTES_MAX = 8 << 20
OBJECT_BYTES_MAX = 1 << 20
COMMIT_BYTES_MIN, COMMIT_BYTES_MAX = 64, 4 << 10
LEAVES_MAX = 1_000_000
ITERATION_DEPTH_MAX = 128
NAME_LENGTH_MAX = 128
OPAQUE_BYTES_MAX = 256
EVIDENCE_MAX = 16
ATTEMPTS_MAX = 10_000
ANSWERS_MAX = ATTEMPTS_MAX
SIGNED_BYTES_MAX = 1 << 10
UNITS_MAX = 2**64 - 1

RUN_INPUT, RUN_OUTPUT, INPUT, REQUEST, RESPONSE, OUTPUT, ATTEMPTS, SIGNED = range(1, 9)
CALL, PURE, ENSURE, BRANCH, FAN_OUT, JOIN, SKIP, FAIL, CACHED = range(1, 10)
UNTAKEN, PARENT, STOPPED = 1, 2, 3
FAILURES = (
    "timeout",
    "unavailable",
    "rate_limited",
    "unauthorized",
    "rejected",
    "invalid",
    "unaccepted",
    "no_quorum",
    "over_budget",
    "interrupted",
    "cancelled",
)


class Money(NamedTuple):
    """A sum in both currencies, which are never converted."""

    rao: int = 0
    micro_usd: int = 0

    def plus(self, other: Money) -> Money:
        return Money(self.rao + other.rao, self.micro_usd + other.micro_usd)

    @property
    def fits(self) -> bool:
        return self.rao <= UNITS_MAX and self.micro_usd <= UNITS_MAX


class Cost(NamedTuple):
    """What attempts cost, and how sure that is: 1 known, 2 declared, 3 observed, 4 assumed."""

    money: Money
    basis: int


@dataclass(frozen=True)
class Totals:
    """What a run cost and did; `calls` by subnet."""

    money: Money
    attempts: int
    calls: dict[int, int]


@dataclass(frozen=True)
class Disclosure:
    """Content that is shown; `ordinal` is `None` for content of the run."""

    ordinal: int | None
    field: int
    salt: bytes
    content: bytes

    @property
    def place(self) -> tuple[int, int]:
        return (-1 if self.ordinal is None else self.ordinal, self.field)


class Peer(NamedTuple):
    """Who answered a call, and its signature over the answer, where it gave one."""

    scheme: str
    key: bytes
    signature: bytes | None


@dataclass(frozen=True)
class Bundle:
    plan: bytes
    challenge: bytes
    challenge_signature: bytes | None
    header: bytes
    commits: list[bytes]
    statement: bytes
    signature: tuple[bytes, bytes] | None
    disclosures: dict[tuple[int, int], Disclosure]


@dataclass(frozen=True)
class Challenge:
    issuer: bytes
    issued_at: int
    expires_at: int
    objective: bytes


@dataclass(frozen=True)
class Header:
    run_id: bytes
    plan_hash: bytes
    challenge_hash: bytes
    input_commit: bytes
    runtime_key: bytes
    opened_at: int


@dataclass(frozen=True)
class Statement:
    genesis: bytes
    plan_hash: bytes
    leaves: int
    root: bytes
    output_commit: bytes | None
    totals: Totals
    closed_at: int
    result: str
    code: str | None


@dataclass(frozen=True)
class Commit:
    run_id: bytes
    ordinal: int
    node: int
    node_hash: bytes
    iteration: tuple[int, ...]
    kind: int
    status: int | str | None
    netuid: int | None
    contents: dict[int, bytes]
    times: tuple[int, int] | None
    attempts: tuple[int, bytes] | None
    cost: Cost | None
    arm: int | None
    count: int | None
    is_join: bool
    has_call: bool
    has_ledger_entry: bool
    peer: Peer | None
    has_evidence: bool

    @property
    def is_untaken(self) -> bool:
        return self.kind == SKIP and self.status == UNTAKEN

    @property
    def has_value(self) -> bool:
        """Whether what waits for the leaf may go on."""
        return self.is_untaken or self.kind not in (SKIP, FAIL)

    @property
    def place(self) -> tuple[str, int]:
        """Which leaf of its node it is."""
        if self.is_untaken:
            return ("arm", self.arm or 0)
        return ("join", 0) if self.kind == JOIN or self.is_join else ("node", 0)


def _limit(data: bytes, most: int) -> None:
    if len(data) > most:
        raise EncodingError("an object is too large")


def _hash() -> Field:
    return Field(Reader.hash)


def _object(reader: Reader) -> bytes:
    return reader.octets(OBJECT_BYTES_MAX)


def _name(reader: Reader) -> str:
    return reader.text(NAME_LENGTH_MAX)


def _opaque(reader: Reader) -> bytes:
    return reader.octets(OPAQUE_BYTES_MAX)


def _units(reader: Reader) -> int:
    value = reader.uint()
    if value == 0:
        raise reader.fail("an amount of zero is left out")
    return value


def _cost(reader: Reader) -> Cost:
    found = read_object(reader, {0: maybe(_units), 1: maybe(_units), 2: Field(Reader.uint)})
    if not 1 <= found[2] <= 4:
        raise reader.fail("the basis of a price is unknown")
    return Cost(Money(found.get(0, 0), found.get(1, 0)), found[2])


def _commits(reader: Reader) -> list[bytes]:
    commits = [reader.octets(COMMIT_BYTES_MAX) for _ in range(reader.array(LEAVES_MAX))]
    if any(len(commit) < COMMIT_BYTES_MIN for commit in commits):
        raise reader.fail("a commit is too short")
    return commits


def _signatures(reader: Reader) -> tuple[bytes, bytes] | None:
    if reader.array(1) == 0:
        return None
    found = read_object(reader, {0: _hash(), 1: Field(lambda r: r.fixed(64))})
    return (found[0], found[1])


def _disclosures(reader: Reader) -> dict[tuple[int, int], Disclosure]:
    fields = {0: maybe(Reader.u32), 1: Field(Reader.uint), 2: _hash(), 3: Field(lambda r: r.octets(BUNDLE_BYTES_MAX))}
    found: dict[tuple[int, int], Disclosure] = {}
    last = (-1, 0)
    for _ in range(reader.array(BUNDLE_BYTES_MAX)):
        shown = read_object(reader, fields)
        disclosure = Disclosure(shown.get(0), shown[1], shown[2], shown[3])
        if not RUN_INPUT <= disclosure.field <= SIGNED:
            raise reader.fail("the field of a disclosure is unknown")
        if (disclosure.field <= RUN_OUTPUT) != (disclosure.ordinal is None) or disclosure.place <= last:
            raise reader.fail("disclosures are out of order")
        found[disclosure.place] = disclosure
        last = disclosure.place
    return found


def read_bundle(data: bytes) -> Bundle:
    _limit(data, BUNDLE_BYTES_MAX)
    found = decode(
        data,
        {
            0: Field(Reader.version),
            1: Field(lambda r: r.octets(PLAN_BYTES_MAX)),
            2: Field(_object),
            3: maybe(lambda r: r.fixed(64)),
            4: Field(_object),
            5: Field(_commits),
            6: Field(_object),
            7: Field(_signatures),
            8: Field(_disclosures),
        },
    )
    return Bundle(found[1], found[2], found.get(3), found[4], found[5], found[6], found[7], found[8])


def read_challenge(data: bytes) -> Challenge:
    uint = Field(Reader.uint)
    found = decode(data, {0: Field(Reader.version), 1: _hash(), 2: _hash(), 3: uint, 4: uint, 5: _hash()})
    return Challenge(found[2], found[3], found[4], found[5])


def _checkpoint(reader: Reader) -> dict[int, Any]:
    return read_object(reader, {0: Field(Reader.uint), 1: _hash()})


def read_header(data: bytes) -> Header:
    fields = {0: Field(Reader.version), 1: Field(lambda r: r.fixed(16)), **{key: _hash() for key in (2, 3, 4, 5)}}
    fields |= {6: Field(lambda r: r.uint(1)), 7: _hash(), 8: Field(Reader.uint)}
    fields |= {9: maybe(_checkpoint), 10: maybe(_opaque), 11: maybe(Reader.hash)}
    found = decode(data, fields)
    if found[6] != 1:
        raise EncodingError("the signature algorithm is unknown")
    return Header(found[1], found[2], found[3], found[4], found[5], found[8])


def _calls(reader: Reader) -> dict[int, int]:
    calls: dict[int, int] = {}
    last = -1
    for _ in range(reader.count(MAP, 1 << 16)):
        netuid = reader.uint(2**16 - 1)
        if netuid <= last:
            raise reader.fail("subnets are out of order")
        calls[netuid] = reader.uint()
        last = netuid
    return calls


def _totals(reader: Reader) -> Totals:
    fields = {0: maybe(_units), 1: maybe(_units), 2: Field(Reader.uint), 3: Field(_calls)}
    found = read_object(reader, fields)
    return Totals(Money(found.get(0, 0), found.get(1, 0)), found[2], found[3])


def read_statement(data: bytes) -> Statement:
    fields = {0: Field(Reader.version), 1: _hash(), 2: _hash(), 3: Field(Reader.u32), 4: _hash()}
    fields |= {5: maybe(Reader.hash), 6: Field(_totals), 7: Field(Reader.uint), 8: Field(Reader.uint), 9: maybe(_name)}
    found = decode(data, fields)
    kind, code = found[8], found.get(9)
    if kind > 2 or (kind == 1) != (code is not None) or (kind == 0) != (5 in found):
        raise EncodingError("the result does not go together with its code and output")
    result = ("succeeded", "failed", "cancelled")[kind]
    return Statement(found[1], found[2], found[3], found[4], found.get(5), found[6], found[7], result, code)


def _iteration(reader: Reader) -> tuple[int, ...]:
    count = reader.array(ITERATION_DEPTH_MAX)
    if count == 0:
        raise reader.fail("an empty iteration is left out")
    return tuple(reader.u32() for _ in range(count))


def _node(reader: Reader) -> tuple[int, bytes, tuple[int, ...]]:
    found = read_object(reader, {0: Field(Reader.u32), 1: _hash(), 2: maybe(_iteration)})
    return (found[0], found[1], found.get(2, ()))


def _operation(reader: Reader) -> tuple[int, str]:
    found = read_object(reader, {0: Field(lambda r: r.uint(2**16 - 1)), 1: Field(_name)})
    return (found[0], found[1])


def _attempts(reader: Reader) -> tuple[int, bytes]:
    found = read_object(reader, {0: Field(lambda r: r.uint(ATTEMPTS_MAX)), 1: _hash()})
    if found[0] == 0:
        raise reader.fail("no attempts are left out")
    return (found[0], found[1])


def _status(reader: Reader) -> int | str:
    return _name(reader) if reader.peek() >> 5 == TEXT else reader.uint()


def _peer(reader: Reader) -> dict[int, Any]:
    return read_object(reader, {0: Field(_name), 1: Field(_opaque), 2: maybe(_opaque), 3: maybe(Reader.hash)})


def _evidence(reader: Reader) -> int:
    count = reader.array(EVIDENCE_MAX)
    if count == 0:
        raise reader.fail("an empty list of evidence is left out")
    for _ in range(count):
        read_object(reader, {0: Field(_name), 1: _hash()})
    return count


_COMMIT = {
    1: Field(lambda r: r.fixed(16)),
    2: Field(Reader.u32),
    3: Field(_node),
    4: Field(Reader.uint),
    5: maybe(_operation),
    **{key: maybe(Reader.hash) for key in range(6, 11)},
    **{key: maybe(Reader.uint) for key in range(11, 14)},
    14: maybe(_attempts),
    15: maybe(_cost),
    16: maybe(_status),
    17: maybe(_peer),
    18: maybe(_evidence),
    19: maybe(Reader.hash),
    20: maybe(Reader.u32),
    21: maybe(Reader.u32),
    22: maybe(Reader.flag),
}


def _decides_well(kind: int, status: int | str | None, keys: set[int]) -> bool:
    """Whether kind, status and the keys 19 to 22 are a combination that a writer makes."""
    if kind == SKIP and status == UNTAKEN:
        return keys == {20}
    if kind == SKIP and status in (PARENT, STOPPED):
        return keys <= {22}
    if kind == FAIL and isinstance(status, str):
        return keys <= {22}
    wanted = {BRANCH: {20}, FAN_OUT: {21}, CACHED: {19}}
    return status is None and kind in (CALL, PURE, ENSURE, BRANCH, FAN_OUT, JOIN, CACHED) and keys == wanted.get(kind, set())


def read_commit(data: bytes) -> Commit:
    _limit(data, COMMIT_BYTES_MAX)
    found = decode(data, _COMMIT)
    kind, status = found[4], found.get(16)
    if not _decides_well(kind, status, found.keys() & {19, 20, 21, 22}):
        raise EncodingError("the kind does not go together with its status and decision")
    times = found.keys() & {11, 12, 13}
    if len(times) != (0 if kind == SKIP else 3):
        raise EncodingError("what began has times, and what did not has none")
    if kind == SKIP and found.keys() & (set(range(5, 19)) - {16}):
        raise EncodingError("what never began has no content")
    if 15 in found and 14 not in found:
        raise EncodingError("a cost has attempts")
    contents = {field: found[key] for key, field in ((7, INPUT), (8, REQUEST), (9, RESPONSE), (10, OUTPUT)) if key in found}
    peer = found.get(17, {})
    if 3 in peer:
        contents[SIGNED] = peer[3]
    node, node_hash, iteration = found[3]
    return Commit(
        run_id=found[1],
        ordinal=found[2],
        node=node,
        node_hash=node_hash,
        iteration=iteration,
        kind=kind,
        status=status,
        netuid=found[5][0] if 5 in found else None,
        contents=contents,
        times=(found[11], found[12]) if times else None,
        attempts=found.get(14),
        cost=found.get(15),
        arm=found.get(20),
        count=found.get(21),
        is_join=22 in found,
        has_call=bool(found.keys() & {5, 6, 8, 9, 14, 15, 17}),
        has_ledger_entry=6 in found,
        peer=Peer(peer[0], peer[1], peer.get(2)) if peer else None,
        has_evidence=18 in found,
    )


def read_attempt(data: bytes) -> tuple[int, Cost | None]:
    """When an attempt was sent, and what it cost."""
    fields = {0: Field(_operation), 1: Field(Reader.uint), 2: Field(Reader.uint), 3: maybe(_name), 4: maybe(_cost)}
    found = decode(data, fields)
    if found[1] > found[2] or found.get(3, FAILURES[0]) not in FAILURES:
        raise EncodingError("an attempt ends before it starts, or fails in an unknown way")
    return (found[1], found.get(4))


def read_attempts(data: bytes) -> list[bytes]:
    """The attempts that a disclosure shows."""
    reader = Reader(data)
    shown = [reader.octets(COMMIT_BYTES_MAX) for _ in range(reader.array(ATTEMPTS_MAX))]
    reader.end()
    return shown


class Signature(NamedTuple):
    """A peer's signature, and what it is over."""

    key: bytes
    value: bytes
    signed: bytes


class Answer(NamedTuple):
    """One of several answers, by the lengths of its request and of itself."""

    request: int
    response: int
    signature: Signature | None


def read_answers(data: bytes) -> list[Answer]:
    """The answers of a list."""
    reader = Reader(data)
    answers = [_read_answer(reader) for _ in range(reader.array(ANSWERS_MAX))]
    reader.end()
    return answers


def _read_answer(reader: Reader) -> Answer:
    fields = read_object(
        reader,
        {
            0: Field(Reader.uint),
            1: Field(Reader.uint),
            2: maybe(Reader.hash),
            3: maybe(lambda r: r.fixed(64)),
            4: maybe(lambda r: r.text(SIGNED_BYTES_MAX)),
        },
    )
    if len({key in fields for key in (2, 3, 4)}) > 1:
        raise reader.fail("a key, a signature or what is signed is missing")
    signature = Signature(fields[2], fields[3], fields[4].encode()) if 2 in fields else None
    return Answer(fields[0], fields[1], signature)
