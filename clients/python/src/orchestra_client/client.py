"""The client of programs that wait."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Generic, TypeVar, overload

import grpc

from . import wire
from .errors import OrchestraError, from_rpc, of_run
from .money import Amount
from .v1.call_pb2 import CallRequest, StreamRequest, StreamResponse
from .v1.call_pb2_grpc import CallServiceStub
from .v1.ledger_pb2_grpc import LedgerServiceStub
from .v1.run_pb2 import CancelRunRequest, GetRunRequest, ReadProofRequest, Run, RUN_STATE_SUCCEEDED, WatchRunRequest
from .v1.run_pb2_grpc import RunServiceStub
from .wire import Answer, Arguments, Cost, Event, Hit, Plan, Reconnect, Result

T = TypeVar("T")


@contextmanager
def _told() -> Iterator[None]:
    """Errors of gRPC as errors of ours."""
    try:
        yield
    except grpc.RpcError as error:
        raise from_rpc(error) from None


class Stream(Generic[T]):
    """A call that is told while it goes on: iterate over the parts of its answer, then read `answer`.

    Leaving it before its end, by `close` or at the end of a `with`, cancels the call.
    """

    def __init__(self, events: Any, result: Any) -> None:
        self._events, self._result = events, result
        self._answer: Answer[T] | None = None
        # The run that makes the call and the most it can cost, once it is on its way.
        self.run: str | None = None
        self.cost_max: Amount | None = None

    def __iter__(self) -> Iterator[Any]:
        with _told():
            for event in self._events:
                item = self._hear(event)
                if item is not None:
                    yield json.loads(item)

    def _hear(self, event: StreamResponse) -> bytes | None:
        if event.HasField("accepted"):
            self.run, self.cost_max = event.accepted.run, Amount.from_message(event.accepted.cost_max)
        elif event.HasField("completed"):
            self._answer = wire.answer(event.completed, self._result)
        return event.item.item_json if event.HasField("item") else None

    @property
    def answer(self) -> Answer[T]:
        """The whole answer; reads the stream to its end."""
        for _ in self:
            pass
        assert self._answer is not None, "a stream ends with its answer or an error"
        return self._answer

    def close(self) -> None:
        """Cancels the call, if it has not ended."""
        self._events.cancel()

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Client:
    """A connection to a server of Orchestra. It may be shared by threads.

    `server` is `http://HOST:PORT`, or `https://HOST` for TLS with the system's authorities or with `root_certificates`
    (PEM); where left out it is `ORCHESTRA_SERVER`, else http://127.0.0.1:7410. `token` is sent as `authorization: Bearer`;
    where left out it is `ORCHESTRA_TOKEN`. Every method raises `OrchestraError`.
    """

    def __init__(
        self, server: str | None = None, *, token: str | None = None, root_certificates: bytes | None = None
    ) -> None:
        address, is_encrypted = wire.target(server)
        if is_encrypted:
            self._channel = grpc.secure_channel(address, wire.credentials(root_certificates), wire.options())
        else:
            self._channel = grpc.insecure_channel(address, wire.options())
        self._metadata = wire.metadata(token)
        self._calls = CallServiceStub(self._channel)
        self._runs = RunServiceStub(self._channel)
        self._ledger = LedgerServiceStub(self._channel)

    @property
    def channel(self) -> grpc.Channel:
        """The channel, for the stubs of `orchestra_client.v1` that have no method here."""
        return self._channel

    def close(self) -> None:
        """Closes the connection; requests under way are cancelled."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def search(
        self, query: str = "", *, tags: Sequence[str] = (), capability: str = "", limit: int = 0, timeout: float = 30
    ) -> list[Hit]:
        """Operations by relevance to `query`, with all of `tags`, that fulfil `capability`."""
        with _told():
            request = wire.search_request(query, tags, capability, limit)
            found = self._ledger.SearchOperations(request, timeout=timeout, metadata=self._metadata)
        return [wire.hit(hit) for hit in found.hits]

    @overload
    def call(
        self, operation: str, arguments: Arguments = None, *, result: type[T], cost_max: Cost = None,
        timeout: float | None = None, version: str = "", request_id: str | None = None, receipt: bool = False,
    ) -> Answer[T]: ...

    @overload
    def call(
        self, operation: str, arguments: Arguments = None, *, result: None = None, cost_max: Cost = None,
        timeout: float | None = None, version: str = "", request_id: str | None = None, receipt: bool = False,
    ) -> Answer[Any]: ...

    def call(
        self, operation: str, arguments: Arguments = None, *, result: Any = None, cost_max: Cost = None,
        timeout: float | None = None, version: str = "", request_id: str | None = None, receipt: bool = False,
    ) -> Answer[Any]:
        """Calls `sn22.web_search` or `cap.web_search` and waits for the answer.

        `arguments` are a mapping or a model. `result` is the type that the answer becomes an instance of: a Pydantic model
        or anything that Pydantic validates. `cost_max`, such as `0.05 USD`, is the most it may cost, and needed where the
        operation has no known price. `timeout` is in seconds, 30 where left out. The call is made once for one
        `request_id`, also when it is repeated after a broken connection. With `receipt` the proof comes with the answer.
        """
        request = wire.call_request(operation, arguments, cost_max, timeout, version, request_id, receipt)
        if timeout is not None and timeout > wire.UNARY_TIMEOUT_MAX:
            return self._stream(request, timeout, result, want_items=False).answer
        with _told():
            deadline = (timeout or wire.CALL_TIMEOUT) + wire.SLACK
            response = self._calls.Call(request, timeout=deadline, metadata=self._metadata)
        return wire.answer(response, result)

    def stream(
        self, operation: str, arguments: Arguments = None, *, result: Any = None, cost_max: Cost = None,
        timeout: float | None = None, version: str = "", request_id: str | None = None, receipt: bool = False,
    ) -> Stream[Any]:
        """The same, told while it goes on: iterate over the parts of the answer as they come."""
        request = wire.call_request(operation, arguments, cost_max, timeout, version, request_id, receipt)
        return self._stream(request, timeout, result, want_items=True)

    def _stream(self, call: CallRequest, timeout: float | None, result: Any, *, want_items: bool) -> Stream[Any]:
        deadline = (timeout or wire.CALL_TIMEOUT) + wire.SLACK
        request = StreamRequest(call=call, want_items=want_items)
        return Stream(self._calls.Stream(request, timeout=deadline, metadata=self._metadata), result)

    @overload
    def run(
        self, plan: Plan, inputs: Arguments = None, *, result: type[T], name: str | None = None, cost_max: Cost = None,
        request_id: str | None = None, patience: float = 60,
    ) -> Result[T]: ...

    @overload
    def run(
        self, plan: Plan, inputs: Arguments = None, *, result: None = None, name: str | None = None, cost_max: Cost = None,
        request_id: str | None = None, patience: float = 60,
    ) -> Result[Any]: ...

    def run(
        self, plan: Plan, inputs: Arguments = None, *, result: Any = None, name: str | None = None, cost_max: Cost = None,
        request_id: str | None = None, patience: float = 60,
    ) -> Result[Any]:
        """Runs a plan to its end: `plans/NAME` that the server keeps, the path of a file, or a `PlanSource`.

        `name` chooses the plan of a file that has several. A run goes on without its client; `patience` is how long a
        broken connection is tried again, in seconds. Raises `RunFailed` where there is no result.
        """
        started = self.start(plan, inputs, name=name, cost_max=cost_max, request_id=request_id)
        for _ in self.watch(started, patience=patience):
            pass
        run = self.get(started)
        if run.state != RUN_STATE_SUCCEEDED:
            raise of_run(run)
        return wire.result_of(run, result)

    def start(
        self, plan: Plan, inputs: Arguments = None, *, name: str | None = None, cost_max: Cost = None,
        request_id: str | None = None, timeout: float = 30,
    ) -> str:
        """Starts a plan and gives the name of its run, `runs/UUID`, as soon as it is stored."""
        request = wire.run_request(plan, inputs, name, cost_max, request_id)
        with _told():
            return self._runs.CreateRun(request, timeout=timeout, metadata=self._metadata).run.name

    def get(self, run: str, *, timeout: float = 30) -> Run:
        """A run as it stands."""
        with _told():
            return self._runs.GetRun(GetRunRequest(name=run), timeout=timeout, metadata=self._metadata).run

    def cancel(self, run: str, *, timeout: float = 30) -> None:
        """Cancels a run; one that ended is left as it is."""
        with _told():
            self._runs.CancelRun(CancelRunRequest(name=run), timeout=timeout, metadata=self._metadata)

    def watch(self, run: str, *, after_seq: int = 0, patience: float = 60) -> Iterator[Event]:
        """The events of a run after number `after_seq`, each once and without a gap, until it has ended.

        A connection that breaks is made again, for up to `patience` seconds without success.
        """
        again, seq = Reconnect(patience), after_seq
        while True:
            try:
                with _told():
                    request = WatchRunRequest(name=run, after_seq=seq)
                    for told in self._runs.WatchRun(request, metadata=self._metadata):
                        again.heard()
                        event = wire.event(told.event)
                        if event.kind == "heartbeat" or event.seq <= seq:
                            continue
                        seq = event.seq
                        yield event
                        if event.kind == "closed":
                            return
                stands = self.get(run)
                if stands.HasField("end_time") and stands.last_seq <= seq:
                    return
                raise wire.ended_early(run)
            except OrchestraError as error:
                pause = again.pause(error)
            time.sleep(pause)

    def proof(self, run: str, *, timeout: float = 60) -> bytes:
        """The proof bundle of a run that ended; `verify` checks it."""
        with _told():
            chunks = self._runs.ReadProof(ReadProofRequest(name=run), timeout=timeout, metadata=self._metadata)
            return b"".join(part.chunk for part in chunks)
