"""What a verifier found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .objects import Totals

FAILURES_MAX = 64

CODES = {
    "encoding": "E1301",
    "version": "E1302",
    "signature": "E1303",
    "key": "E1304",
    "challenge": "E1305",
    "plan": "E1306",
    "header": "E1307",
    "leaf": "E1308",
    "root": "E1309",
    "order": "E1310",
    "totals": "E1311",
    "disclosure": "E1312",
    "decision": "E1313",
    "result": "E1314",
    "attestation": "E1315",
}


@dataclass(frozen=True)
class TrustedKey:
    """A runtime's key that you trust, and when: microseconds since 1970 UTC, `None` for always."""

    name: str
    valid_from_us: int | None = None
    valid_until_us: int | None = None

    def covers(self, opened_at: int, closed_at: int) -> bool:
        return (self.valid_from_us is None or self.valid_from_us <= opened_at) and (
            self.valid_until_us is None or closed_at <= self.valid_until_us
        )


# Keys as 64 hex digits.
Trust = Mapping[str, TrustedKey]


@dataclass(frozen=True)
class Failure:
    """A check that did not hold; `code` has a page in the error index."""

    check: str
    message: str
    leaf: int | None = None
    node: str | None = None

    @property
    def code(self) -> str:
        return CODES[self.check]


Attested = Literal["attested", "body_withheld", "text_withheld", "unchecked", "partly"]


@dataclass(frozen=True)
class SignedAnswer:
    """What is known of the signatures that the peers of a call gave with their answers.

    `attested`: the peer signed this very answer. `body_withheld`: it signed a hash, and the answer is not shown.
    `text_withheld`: a signature is there, and what it is of is not shown. `unchecked`: a signature of sr25519 is there,
    which is not checked here; everything else about it holds. Of several answers, such as votes and pages, that is the
    least that holds of one, and `partly` says that some are not signed. `signed_by` are the addresses of the peers, by
    what the bundle says where it is `text_withheld` (the first of them then) or `unchecked`.
    """

    leaf: int
    attested: Attested
    signed_by: tuple[str, ...]


@dataclass(frozen=True)
class RunSummary:
    """What a bundle says of its run. Hashes are 64 hex digits, times microseconds since 1970 UTC."""

    proof_id: str
    run_id: str
    plan_hash: str
    leaves: int
    result: str
    code: str | None
    totals: Totals
    opened_at_us: int
    closed_at_us: int


@dataclass
class Verdict:
    """Everything there is to say of a bundle.

    `valid` says that every check held, not who signed: `signer` is `trusted` where the key is one that you named,
    `unknown` where it is another, `none` where nobody signed. `level` is `L1` for a signed bundle, `L0` for one that only
    agrees with itself, `None` where a check failed. `inputs` and `result` are the canonical bytes that the bundle shows,
    where it shows them and they are what was committed. `answers` are those that came with a signature of their peer.
    """

    valid: bool = True
    failures: list[Failure] = field(default_factory=list)
    signer: Literal["none", "unknown", "trusted"] = "none"
    signer_key: str | None = None
    signer_name: str | None = None
    level: Literal["L0", "L1"] | None = None
    not_proven: list[str] = field(default_factory=list)
    run: RunSummary | None = None
    inputs: bytes | None = None
    result: bytes | None = None
    answers: list[SignedAnswer] = field(default_factory=list)

    def fail(self, check: str, message: str, leaf: int | None = None, node: str | None = None) -> None:
        self.valid = False
        if len(self.failures) < FAILURES_MAX:
            self.failures.append(Failure(check, message, leaf, node))

    @property
    def is_attributed(self) -> bool:
        """Whether every check held and a key that you trust signed."""
        return self.valid and self.signer == "trusted"
