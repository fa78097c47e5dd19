"""Between Python's values and the messages of the contract; the same for both clients."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
from google.protobuf.duration_pb2 import Duration
from pydantic import BaseModel, TypeAdapter, ValidationError

from .errors import OrchestraError, ResultMismatch, Unavailable
from .money import Amount
from .v1 import call_pb2, common_pb2, ledger_pb2, run_pb2

T = TypeVar("T")

Arguments = Mapping[str, Any] | BaseModel | None
Cost = str | Amount | None
Plan = str | os.PathLike[str] | common_pb2.PlanSource

DEFAULT_SERVER = "http://127.0.0.1:7410"
# What `Call` waits for; longer calls go by `Stream`.
UNARY_TIMEOUT_MAX = 50.0
# What the server waits for where nothing is said.
CALL_TIMEOUT = 30.0
# The server tells of its own timeouts; this is how much later we give it up.
SLACK = 10.0
ANSWER_BYTES_MAX = 256 << 20
# Retries are safe: reads change nothing, and calls and runs carry an id under which they are made once.
_RETRY = {
    "methodConfig": [
        {
            "name": [{"service": f"orchestra.v1.{name}Service"} for name in ("Call", "Run", "Ledger", "Plan", "Tool")],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


@dataclass(frozen=True)
class Answer(Generic[T]):
    """The answer of a call, and what it cost. `certain` says whether the cost is known rather than assumed."""

    value: T
    cost: Amount
    certain: bool
    operation: str
    version: str
    run: str
    proof_id: str
    receipt: bytes | None
    latency_s: float


@dataclass(frozen=True)
class Result(Generic[T]):
    """The result of a run, and what it cost."""

    value: T
    cost: Amount
    certain: bool
    run: str
    plan: str
    plan_hash: str
    proof_id: str


@dataclass(frozen=True)
class Hit:
    """An operation that was found. `price` is `None` where it is not known or differs from call to call."""

    operation: str
    version: str
    summary: str
    callable: bool
    not_callable_reason: str | None
    price: Amount | None
    access: str
    verified: bool
    reason: str


@dataclass(frozen=True)
class Event:
    """Something that happened in a run; `kind` is `opened`, `node`, `attempt_sent`, `attempt_done` or `closed`."""

    seq: int
    time: datetime
    kind: str
    node: str
    iteration: tuple[int, ...]
    state: str
    attempt: int
    operation: str
    message: str
    spent: Amount


def target(server: str | None) -> tuple[str, bool]:
    """Host and port, and whether the connection is encrypted."""
    server = server or os.environ.get("ORCHESTRA_SERVER") or DEFAULT_SERVER
    parts = urlsplit(server if "://" in server else f"http://{server}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"`{server}` is no address; write it like {DEFAULT_SERVER} or https://orchestra.example")
    is_encrypted = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or (443 if is_encrypted else 7410)}", is_encrypted


def metadata(token: str | None) -> tuple[tuple[str, str], ...]:
    """The caller's token, where there is one."""
    token = token or os.environ.get("ORCHESTRA_TOKEN")
    return (("authorization", f"Bearer {token}"),) if token else ()


def options() -> list[tuple[str, Any]]:
    """Options of a channel."""
    return [
        ("grpc.max_receive_message_length", ANSWER_BYTES_MAX),
        ("grpc.service_config", json.dumps(_RETRY)),
        ("grpc.keepalive_time_ms", 30_000),
    ]


def credentials(root_certificates: bytes | None) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(root_certificates)


def to_json(arguments: Arguments) -> bytes:
    """Arguments as JSON text; models in them are written as their fields."""
    if arguments is None:
        return b""
    if isinstance(arguments, BaseModel):
        return arguments.model_dump_json(exclude_unset=True, by_alias=True).encode()
    adapter: TypeAdapter[Any] = TypeAdapter(dict[str, Any])
    return adapter.dump_json(dict(arguments), exclude_unset=True, by_alias=True)


def amount(cost: Cost) -> common_pb2.Amount | None:
    if cost is None:
        return None
    return (Amount.parse(cost) if isinstance(cost, str) else cost).to_message()


def call_request(
    operation: str, arguments: Arguments, cost_max: Cost, timeout: float | None, version: str, request_id: str | None, receipt: bool
) -> call_pb2.CallRequest:
    request = call_pb2.CallRequest(
        operation=operation,
        version=version,
        arguments_json=to_json(arguments),
        cost_max=amount(cost_max),
        request_id=request_id or str(uuid4()),
        want_receipt=receipt,
    )
    if timeout is not None:
        request.timeout.CopyFrom(duration(timeout))
    return request


def duration(seconds: float) -> Duration:
    value = Duration()
    value.FromNanoseconds(round(seconds * 1e9))
    return value


def run_request(
    plan: Plan, inputs: Arguments, name: str | None, cost_max: Cost, request_id: str | None
) -> run_pb2.CreateRunRequest:
    """The request that starts a plan: one the server keeps (`plans/NAME`), a file's path, or a source with its lock."""
    request = run_pb2.CreateRunRequest(
        request_id=request_id or str(uuid4()),
        plan=name or "",
        inputs_json=to_json(inputs),
        cost_max=amount(cost_max),
    )
    if isinstance(plan, common_pb2.PlanSource):
        request.source.CopyFrom(plan)
    elif isinstance(plan, str) and plan.startswith("plans/"):
        request.published_plan = plan
    else:
        path = Path(plan)
        request.source.file_name, request.source.text = path.name, path.read_text(encoding="utf-8")
    return request


def value_of(text: bytes, result: Any, run: str, cost: Amount, certain: bool) -> Any:
    """The value of JSON text, as an instance of the type that was asked for."""
    if result is None:
        return json.loads(text)
    adapter: TypeAdapter[Any] = TypeAdapter(result)
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        message = f"the answer does not fit {getattr(result, '__name__', result)}: {error}"
        raise ResultMismatch(message, run=run, charged=cost, certain=certain, path=f"${path}") from error


def answer(response: call_pb2.CallResponse, result: Any) -> Answer[Any]:
    cost = Amount.from_message(response.total)
    return Answer(
        value=value_of(response.result_json, result, response.run, cost, response.total_certain),
        cost=cost,
        certain=response.total_certain,
        operation=response.operation,
        version=response.version,
        run=response.run,
        proof_id=response.proof_id,
        receipt=response.receipt or None,
        latency_s=response.latency_us / 1e6,
    )


def result_of(run: run_pb2.Run, result: Any) -> Result[Any]:
    cost = Amount.from_message(run.total)
    value = value_of(run.result_json, result, run.name, cost, run.total_certain)
    return Result(value, cost, run.total_certain, run.name, run.plan, run.plan_hash, run.proof_id)


def hit(found: ledger_pb2.SearchHit) -> Hit:
    operation = found.operation
    has_price = operation.price_known and operation.HasField("price")
    return Hit(
        operation=operation.id,
        version=operation.version,
        summary=operation.summary,
        callable=operation.callable,
        not_callable_reason=operation.not_callable_reason or None,
        price=Amount.from_message(operation.price) if has_price else None,
        access=operation.access,
        verified=operation.verified,
        reason=found.reason,
    )


def event(told: run_pb2.RunEvent) -> Event:
    kind = run_pb2.RunEventKind.Name(told.kind).removeprefix("RUN_EVENT_KIND_").lower()
    time = told.time.ToDatetime(tzinfo=timezone.utc)
    spent = Amount.from_message(told.spent)
    iteration = tuple(told.iteration)
    return Event(told.seq, time, kind, told.node, iteration, told.state, told.attempt, told.operation, told.message, spent)


def search_request(query: str, tags: Sequence[str], capability: str, limit: int) -> ledger_pb2.SearchOperationsRequest:
    return ledger_pb2.SearchOperationsRequest(query=query, tags=tags, capability=capability, limit=limit)


class Reconnect:
    """When to watch again after a connection broke: with growing pauses, for `patience` seconds without an event."""

    def __init__(self, patience: float) -> None:
        self._patience, self._waited, self._pause = patience, 0.0, 0.05

    def heard(self) -> None:
        self._waited, self._pause = 0.0, 0.05

    def pause(self, error: OrchestraError) -> float:
        """How long to wait; raises the error where it is none of the connection, or patience is at its end."""
        broke = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED)
        is_lost = error.status == grpc.StatusCode.UNAVAILABLE or (not error.code and error.status in broke)
        if not is_lost or self._waited >= self._patience:
            raise error
        now = self._pause
        self._waited, self._pause = self._waited + now, min(now * 2, 1.0)
        return now


def ended_early(run: str) -> OrchestraError:
    """The error of a stream of events that ended before its run did."""
    return Unavailable("the server ended the stream before the run ended", run=run, status=grpc.StatusCode.UNAVAILABLE)
