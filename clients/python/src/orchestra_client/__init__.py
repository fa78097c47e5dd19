"""Client of Orchestra: typed calls of Bittensor subnets, plans over many of them, what they cost, and proofs."""

from .aio import AsyncClient, AsyncStream
from .client import Client, Stream
from .errors import (
    AccessDenied,
    AnswerInvalid,
    CallFailed,
    CallOverBudget,
    CallRateLimited,
    CallTimedOut,
    CallUnauthorized,
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    NotFound,
    OrchestraError,
    OverBudget,
    PlanInvalid,
    Refused,
    ResultMismatch,
    RunCancelled,
    RunFailed,
    Unavailable,
)
from .money import Amount
from .proof import TrustedKey, Verdict, verify
from .v1.common_pb2 import PlanSource
from .wire import Answer, Event, Hit, Result

__all__ = [
    "AccessDenied",
    "Amount",
    "Answer",
    "AnswerInvalid",
    "AsyncClient",
    "AsyncStream",
    "CallFailed",
    "CallOverBudget",
    "CallRateLimited",
    "CallTimedOut",
    "CallUnauthorized",
    "Client",
    "DeadlineExceeded",
    "Event",
    "Hit",
    "InternalError",
    "InvalidRequest",
    "NotFound",
    "OrchestraError",
    "OverBudget",
    "PlanInvalid",
    "PlanSource",
    "Refused",
    "Result",
    "ResultMismatch",
    "RunCancelled",
    "RunFailed",
    "Stream",
    "TrustedKey",
    "Unavailable",
    "Verdict",
    "verify",
]
