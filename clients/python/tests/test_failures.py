"""What a subnet gets wrong, as the client tells it: on a server that may call an unruly subnet of this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from orchestra_client import (
    AnswerInvalid,
    CallFailed,
    CallRateLimited,
    CallTimedOut,
    Client,
    OverBudget,
    verify,
)
from orchestra_client.v1.ledger_pb2 import PublishOperationRequest
from orchestra_client.v1.ledger_pb2_grpc import LedgerServiceStub

ASK, PARTS, PRICE = "sn65020.ask", "sn65020.parts", "0.001 USD"


@pytest.fixture(autouse=True)
def entries(client: Client) -> Iterator[None]:
    """The Ledger knows the operations of the unruly subnet."""
    ledger = LedgerServiceStub(client.channel)
    for entry in json.loads(os.environ["ORCHESTRA_UNRULY"])["entries"]:
        ledger.PublishOperation(PublishOperationRequest(entry_json=json.dumps(entry).encode()))
    yield


def failed(client: Client, text: str, family: type[CallFailed], **options: Any) -> CallFailed:
    with pytest.raises(family) as raised:
        client.call(ASK, {"q": text}, **options)
    error = raised.value
    assert error.run is not None and error.charged is not None and error.proof_id
    assert verify(client.proof(error.run)).valid, "what failed has a proof as well"
    return error


def test_it_answers_when_it_wants_to(client: Client) -> None:
    answer = client.call(ASK, {"q": "a"})
    assert answer.value == {"v": "answer to a"} and str(answer.cost) == PRICE


def test_a_timeout_is_told_with_what_it_may_have_cost(client: Client) -> None:
    error = failed(client, "timeout:py", CallTimedOut, timeout=1)
    assert error.call_kind == "timeout" and str(error.charged) == PRICE and error.certain is False


def test_too_many_requests_are_told_as_that(client: Client) -> None:
    assert failed(client, "busy:py", CallRateLimited).call_kind == "rate_limited"


def test_a_page_of_html_is_no_answer(client: Client) -> None:
    assert failed(client, "html:py", CallFailed).code


def test_an_answer_of_the_wrong_type_is_told_with_its_path(client: Client) -> None:
    error = failed(client, "schema:py", AnswerInvalid)
    assert error.call_kind == "invalid" and error.path is not None


def test_an_offer_to_be_paid_first_is_told_and_not_paid(client: Client) -> None:
    assert failed(client, "payment:py", CallFailed).call_kind is not None


def test_half_an_answer_is_no_answer(client: Client) -> None:
    assert failed(client, "half:py", CallFailed).call_kind is not None


def test_what_costs_more_than_allowed_is_not_sent(client: Client) -> None:
    with pytest.raises(OverBudget) as refused:
        client.call(ASK, {"q": "dear"}, cost_max="0.0001 USD")
    assert refused.value.code == "E1402" and refused.value.run is None and refused.value.charged is None


def test_the_parts_of_an_answer_come_one_by_one(client: Client) -> None:
    with client.stream(PARTS, {"q": "py"}) as stream:
        parts = [part["t"] for part in stream]
        assert parts == ["one", "two", "three"]
        assert stream.answer.value == [{"t": "one"}, {"t": "two"}, {"t": "three"}]


def test_a_stream_that_breaks_ends_with_an_error_after_its_parts(client: Client) -> None:
    seen = []
    with client.stream(PARTS, {"q": "half:parts-py"}) as stream, pytest.raises(CallFailed) as broken:
        for part in stream:
            seen.append(part["t"])
    assert seen == ["one"] and broken.value.run == stream.run
