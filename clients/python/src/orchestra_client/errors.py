"""What can go wrong, one class per family. Every error has a stable `code` with a page in the error index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from .money import Amount
from .v1 import run_pb2

_DETAILS = "grpc-status-details-bin"


class OrchestraError(Exception):
    """An error of the service, or of the way to it.

    `code` is the stable code, empty where the server could not be asked. `help` says what to do next or where it is
    written. Where a call or run was made, `run` names it, `charged` is what it cost, `certain` whether that is known, and
    `path` the JSON path of what did not fit; where `run` is `None`, nothing was sent and nothing was charged. Where it may
    be tried again, `retry_after` says after how many seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        help: str | None = None,
        run: str | None = None,
        charged: Amount | None = None,
        certain: bool | None = None,
        path: str | None = None,
        call_kind: str | None = None,
        proof_id: str | None = None,
        retry_after: float | None = None,
        status: grpc.StatusCode | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.run, self.charged, self.certain = message, code, run, charged, certain
        self.help = help or (f"see docs/errors/{code}.md" if code else None)
        self.path, self.call_kind, self.proof_id, self.retry_after = path, call_kind, proof_id, retry_after
        self.status = status

    def __str__(self) -> str:
        return f"[{self.code}] {self.message}" if self.code else self.message


class InvalidRequest(OrchestraError):
    """What was asked for is not well formed: wrong arguments, an unknown field, an id used for something else."""


class PlanInvalid(InvalidRequest):
    """A plan does not compile; the message is what a terminal would show."""


class NotFound(OrchestraError):
    """There is no such operation, plan or run."""


class AccessDenied(OrchestraError):
    """The token is missing, unknown or may not do this."""


class Refused(OrchestraError):
    """Well formed, but the state of the world does not admit it: a key is missing, an operation cannot be called."""


class OverBudget(OrchestraError):
    """It costs more than was allowed, or may."""


class Unavailable(OrchestraError):
    """The server cannot be reached, is busy or stops. Try again after `retry_after`."""


class DeadlineExceeded(OrchestraError):
    """No answer in time."""


class InternalError(OrchestraError):
    """A mistake of the server."""


class CallFailed(OrchestraError):
    """A call was made and has no answer; `call_kind` says why, such as `rejected`."""


class CallTimedOut(CallFailed, DeadlineExceeded):
    """The subnet did not answer in time."""


class CallRateLimited(CallFailed):
    """The subnet answers no more calls for now."""


class CallUnauthorized(CallFailed):
    """The subnet refused the key."""


class CallOverBudget(CallFailed, OverBudget):
    """The money allowed was spent before there was an answer."""


class AnswerInvalid(CallFailed):
    """The subnet answered, and the answer does not fit the operation's types; `path` says where."""


class RunFailed(OrchestraError):
    """A run of a plan ended without a result."""


class RunCancelled(RunFailed):
    """A run of a plan was cancelled."""


class ResultMismatch(OrchestraError):
    """There is an answer, and was charged, but it does not fit the type that `result` asks for."""


_BY_CALL_KIND: dict[str, type[CallFailed]] = {
    "timeout": CallTimedOut,
    "rate_limited": CallRateLimited,
    "unauthorized": CallUnauthorized,
    "over_budget": CallOverBudget,
    "invalid": AnswerInvalid,
}
_BY_STATUS: dict[grpc.StatusCode, type[OrchestraError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.ALREADY_EXISTS: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.UNIMPLEMENTED: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAUTHENTICATED: AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
    grpc.StatusCode.FAILED_PRECONDITION: Refused,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}


def _family(
    code: str, status: grpc.StatusCode, call_kind: str | None, was_made: bool, is_in_plan: bool
) -> type[OrchestraError]:
    if was_made:
        return _BY_CALL_KIND.get(call_kind or "", CallFailed)
    if is_in_plan:
        return PlanInvalid
    if code.startswith("E14"):
        return OverBudget
    return _BY_STATUS.get(status, InternalError)


def from_rpc(error: grpc.RpcError | grpc.aio.AioRpcError) -> OrchestraError:
    """The error that a failed request of gRPC tells of."""
    assert isinstance(error, (grpc.Call, grpc.aio.AioRpcError)), "every failed request has a status"
    info, retry, request = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo(), error_details_pb2.BadRequest()
    has_retry = False
    for detail in _details(error.trailing_metadata()):
        detail.Unpack(info)
        detail.Unpack(request)
        has_retry = detail.Unpack(retry) or has_retry
    metadata = info.metadata
    # Mistakes in a plan are told by their place in its text.
    is_in_plan = any(violation.field.startswith("source.text:") for violation in request.field_violations)
    family = _family(info.reason, error.code(), metadata.get("call_kind"), "run" in metadata, is_in_plan)
    retry_after = retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None
    return family(
        error.details() or error.code().name,
        code=info.reason,
        help=metadata.get("help"),
        run=metadata.get("run"),
        charged=Amount.parse(metadata["charged"]) if "charged" in metadata else None,
        certain=metadata["certain"] == "true" if "certain" in metadata else None,
        path=metadata.get("path"),
        call_kind=metadata.get("call_kind"),
        proof_id=metadata.get("proof_id"),
        retry_after=retry_after,
        status=error.code(),
    )


def _details(metadata: object) -> list[Any]:
    """The details of a status, or none where it has none that can be read."""
    if not metadata:
        return []
    assert isinstance(metadata, Iterable)
    for key, value in metadata:
        if key == _DETAILS:
            status = status_pb2.Status()
            try:
                status.ParseFromString(value)
            except DecodeError:
                return []
            return list(status.details)
    return []


def of_run(run: run_pb2.Run) -> RunFailed:
    """Why a run has no result."""
    family = RunCancelled if run.state == run_pb2.RUN_STATE_CANCELLED else RunFailed
    return family(
        run.error.message or "the run was cancelled",
        code=run.error.code,
        run=run.name,
        charged=Amount.from_message(run.total),
        certain=run.total_certain,
        path=run.error.path or None,
        call_kind=run.error.call_kind or None,
        proof_id=run.proof_id or None,
    )
