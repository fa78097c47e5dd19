"""Calls, streams and runs on a real server with sample subnets."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from cutting import Cutting
from pydantic import BaseModel, Field

from orchestra_client import (
    Amount,
    AsyncClient,
    Client,
    InvalidRequest,
    NotFound,
    OverBudget,
    PlanInvalid,
    PlanSource,
    ResultMismatch,
    Unavailable,
    verify,
)

SEARCH, PRICE = "sn22.web_search", "0.005 USD"


class Hit(BaseModel):
    title: str
    link: str


class Found(BaseModel):
    data: list[Hit]


class Query(BaseModel):
    query: str = Field(alias="query")
    num: int | None = None


PLAN = """\
edition 2026
use sn22 { web_search as search }

/// The links for a query.
plan links(query: String(1..200)) -> [String](..5) with { budget: 0.02USD, deadline: 20s } {
  let found = call search(query) with { timeout: 8s, retry: { max: 1, backoff: 300ms }, max_price: 0.005USD }
  return found.data.take(5).map(h => h.link)
}
"""


def test_a_call_gives_json_or_an_instance_and_says_what_it_cost(client: Client) -> None:
    plain = client.call(SEARCH, {"query": "Halcyon versus Meridian"}, cost_max=PRICE)
    assert plain.value["data"] and plain.operation == SEARCH and plain.certain
    assert plain.cost == Amount(Decimal("0.0025"), "USD") and plain.run.startswith("runs/")
    typed = client.call(SEARCH, Query(query="Halcyon versus Meridian"), result=Found, cost_max=PRICE)
    assert isinstance(typed.value, Found)
    assert [hit.link for hit in typed.value.data] == [hit["link"] for hit in plain.value["data"]]


def test_the_same_request_id_is_called_and_charged_once(client: Client) -> None:
    answers = [client.call(SEARCH, {"query": "once"}, cost_max=PRICE, request_id="py-once") for _ in range(2)]
    assert answers[0].run == answers[1].run
    with pytest.raises(InvalidRequest) as refused:
        client.call(SEARCH, {"query": "another"}, cost_max=PRICE, request_id="py-once")
    assert refused.value.code == "E1008"


def test_errors_have_codes_families_and_say_that_nothing_was_charged(client: Client) -> None:
    with pytest.raises(NotFound) as unknown:
        client.call("sn22.web_serch", {"query": "a"})
    assert unknown.value.code == "E1201" and "did you mean `sn22.web_search`?" in unknown.value.message
    assert unknown.value.help == "see docs/errors/E1201.md"
    with pytest.raises(InvalidRequest) as wrong:
        client.call(SEARCH, {"qurey": "a"}, cost_max=PRICE)
    assert wrong.value.code and wrong.value.run is None and wrong.value.charged is None
    with pytest.raises(InvalidRequest) as unlimited:
        client.call(SEARCH, {"query": "a"})
    assert unlimited.value.code == "E0703" and not isinstance(unlimited.value, PlanInvalid)


def chat(text: str) -> dict[str, object]:
    return {"model": "sample", "messages": [{"role": "user", "content": text}]}


def test_an_answer_of_another_shape_is_told_with_what_it_cost(client: Client) -> None:
    class Other(BaseModel):
        nothing_of_the_kind: int

    with pytest.raises(ResultMismatch) as mismatch:
        client.call(SEARCH, {"query": "a"}, result=Other, cost_max=PRICE)
    assert mismatch.value.path == "$.nothing_of_the_kind" and str(mismatch.value.charged) == "0.0025 USD"
    assert mismatch.value.run is not None


def test_search_finds_operations(client: Client) -> None:
    hits = client.search("web search", limit=5)
    assert any(hit.operation == SEARCH and hit.callable for hit in hits)
    assert all("generate" in hit.summary or hit.operation for hit in client.search(capability="generate"))
    assert client.search(tags=["no such tag"]) == []


def test_a_stream_tells_its_run_and_then_its_answer(client: Client) -> None:
    with client.stream("sn64.chat_completions", chat("hello"), cost_max="0.02 USD") as stream:
        answer = stream.answer
    assert stream.run == answer.run and stream.cost_max == Amount.parse("0.02 USD")
    assert answer.value["choices"][0]["message"]["content"]
    with pytest.raises(NotFound):
        list(client.stream("sn64.nothing"))


def test_long_calls_go_by_a_stream(client: Client) -> None:
    assert client.call(SEARCH, {"query": "slow"}, cost_max=PRICE, timeout=90).value["data"]


def test_a_run_of_a_file_gives_its_result_and_a_proof_that_holds(client: Client, tmp_path: Path) -> None:
    (tmp_path / "links.orch").write_text(PLAN)
    done = client.run(tmp_path / "links.orch", {"query": "Halcyon"}, result=list[str], cost_max="0.02 USD")
    assert done.plan == "links" and done.value and all(link.startswith("http") for link in done.value)
    bundle = client.proof(done.run)
    verdict = verify(bundle)
    assert verdict.valid and verdict.level == "L1" and verdict.signer == "unknown", verdict.failures
    assert verdict.run is not None and verdict.run.plan_hash == done.plan_hash
    assert verdict.run.proof_id == done.proof_id and f"runs/{verdict.run.run_id}" == done.run
    assert verdict.run.totals.money.micro_usd == 2500 and verdict.run.totals.calls == {22: 1}
    assert verify(bundle, trust=[verdict.signer_key or ""]).is_attributed
    (tmp_path / "run.orchproof").write_bytes(bundle)
    assert verify(tmp_path / "run.orchproof").valid
    middle = len(bundle) // 2
    assert not verify(bundle[:middle] + bytes([bundle[middle] ^ 1]) + bundle[middle + 1 :]).valid


def test_a_receipt_comes_with_a_call(client: Client) -> None:
    answer = client.call(SEARCH, {"query": "proof"}, cost_max=PRICE, receipt=True)
    assert answer.receipt is not None
    verdict = verify(answer.receipt)
    assert verdict.valid and verdict.run is not None and verdict.run.proof_id == answer.proof_id
    assert not verify(answer.receipt[:-1]).valid


def test_a_plan_that_does_not_compile_is_told_as_a_terminal_would(client: Client) -> None:
    with pytest.raises(PlanInvalid) as invalid:
        client.run(PlanSource(file_name="broken.orch", text=PLAN.replace("h.link", "h.lnik")))
    assert invalid.value.code.startswith("E0") and "h.lnik" in invalid.value.message


def test_a_plan_refused_for_its_cost_starts_nothing(client: Client) -> None:
    with pytest.raises(OverBudget) as refused:
        client.run(PlanSource(text=PLAN), {"query": "a"}, cost_max="0.000001 USD")
    assert refused.value.code == "E1402" and refused.value.run is None


def test_watching_goes_on_without_a_gap_after_the_connection_broke(client: Client, address: str) -> None:
    run = client.start(PlanSource(text=PLAN), {"query": "cut"})
    whole = [event.seq for event in client.watch(run)]
    way = Cutting(address, 250, 350)
    try:
        with Client(way.address) as distant:
            seen = [event.seq for event in distant.watch(run)]
    finally:
        way.close()
    assert seen == whole == list(range(1, len(whole) + 1))
    assert way.connections > 1


def test_watching_what_is_not_there_is_told_at_once(client: Client) -> None:
    with pytest.raises(NotFound):
        list(client.watch("runs/01a20312-e3b0-71c1-8f80-cf4a5739d298"))


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with Client("http://127.0.0.1:9") as nowhere, pytest.raises(Unavailable):
        nowhere.search("a", timeout=5)


def test_cancelling_ends_a_run(client: Client) -> None:
    run = client.start(PlanSource(text=PLAN), {"query": "cancelled"})
    client.cancel(run)
    kinds = [event.kind for event in client.watch(run)]
    assert kinds[0] == "opened" and kinds[-1] == "closed"


def test_the_asynchronous_client_does_the_same(address: str, tmp_path: Path) -> None:
    async def all_of_it() -> None:
        async with AsyncClient(address) as client:
            calls = (client.call(SEARCH, {"query": text}, result=Found, cost_max=PRICE) for text in ("a", "b", "c"))
            answers = await asyncio.gather(*calls)
            assert all(isinstance(answer.value, Found) for answer in answers)
            assert any(hit.operation == SEARCH for hit in await client.search("web search"))
            async with client.stream("sn64.chat_completions", chat("hello"), cost_max="0.02 USD") as stream:
                assert [part async for part in stream] == [] and (await stream.answer()).value["choices"]
            done = await client.run(PlanSource(text=PLAN), {"query": "a"}, result=list[str])
            assert done.value and verify(await client.proof(done.run)).valid
            with pytest.raises(NotFound):
                await client.call("sn22.nothing")
            way = Cutting(address, 250, 350)
            async with AsyncClient(way.address) as distant:
                seen = [event.seq async for event in distant.watch(done.run)]
                assert seen == list(range(1, len(seen) + 1)) and way.connections > 1
            way.close()

    asyncio.run(all_of_it())


@pytest.mark.parametrize(
    ("text", "units"), [("0.05 USD", 50_000), ("0.05USD", 50_000), ("1 TAO", 10**9), ("0.000000001 TAO", 1)]
)
def test_amounts_are_exact(text: str, units: int) -> None:
    assert Amount.parse(text).to_message().units == units


@pytest.mark.parametrize("text", ["0.05", "5 EUR", "-1 USD", "0.0000001 USD", "1e3 USD", "USD", "99999999999999 USD"])
def test_what_is_no_amount_is_refused_before_anything_is_sent(client: Client, text: str) -> None:
    with pytest.raises(ValueError, match="amount|range|finer"):
        client.call(SEARCH, {"query": "a"}, cost_max=text)
