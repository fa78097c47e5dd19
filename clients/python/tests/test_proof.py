"""The verifier gives the verdict that the published vectors ask of every implementation."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orchestra_client.proof import TrustedKey, Verdict, verify

VECTORS = Path(os.environ["ORCHESTRA_REPOSITORY"]) / "crates/proof/tests/vectors/bundles.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["tests"]


def judged(case: dict[str, Any], data: bytes) -> Verdict:
    trust = {key: TrustedKey(**trusted) for key, trusted in case["policy"]["runtime_keys"].items()}
    return verify(data, trust)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_vector_has_its_verdict(case: dict[str, Any]) -> None:
    verdict = judged(case, b64decode(case["bundle"]))
    found = {
        "valid": verdict.valid,
        "codes": sorted({failure.code for failure in verdict.failures}),
        "level": verdict.level,
        "signer": verdict.signer,
        "attested": dict(Counter(answer.attested for answer in verdict.answers)),
    }
    # There is no sr25519 in here.
    assert found == case.get("expected_without_sr25519", case["expected"]), verdict.failures


def test_no_bit_of_a_bundle_can_be_flipped_unseen() -> None:
    case = next(case for case in CASES if case["id"] == "everything")
    whole = b64decode(case["bundle"])
    signer = judged(case, whole).signer_key
    for at in range(0, len(whole), 3):
        tampered = bytearray(whole)
        tampered[at] ^= 1 << at % 8
        verdict = judged(case, bytes(tampered))
        assert not verdict.valid or verdict.signer_key != signer, f"byte {at}"


def test_a_truncated_bundle_is_refused_wherever_it_ends() -> None:
    whole = b64decode(CASES[0]["bundle"])
    assert all(judged(CASES[0], whole[:end]).failures[0].code == "E1301" for end in range(len(whole)))
