"""The tests run against the server that `ORCHESTRA_SERVER` names, which calls sample subnets."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from orchestra_client import Client


@pytest.fixture
def address() -> str:
    return os.environ["ORCHESTRA_SERVER"]


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client
