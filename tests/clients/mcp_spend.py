"""Spends what a session of `orch mcp --spend-max "0.008 USD"` may spend, on the service of a project with samples.

    python mcp_spend.py stdio COMMAND ARGUMENT..

Prints one line per case and exits with 1 if one differs.
"""

import asyncio
import sys
from pathlib import Path

import mcp_checks
from mcp_checks import SEARCH, case
from mcp_session import connect

LINKS = (Path(__file__).parent / "links.orch").read_text()
RUN = {"source": LINKS, "inputs_json": "{}"}


async def main(target: list[str]) -> None:
    async with connect(target) as session:
        case("the service of the project answers", "call" in await session.tools())
        for number in (1, 2):
            called = await session.call("call", SEARCH)
            case(f"call {number} fits", called.content["cost"] == "0.0025 USD", called)
        refused = await session.call("call", SEARCH)
        case("the limit of the next does not", refused.code == "E1852", refused)
        case("and what is left is said", refused.text["error"]["left"] == "0.003 USD", refused)
        run = await session.call("run_plan", RUN | {"cost_max": "0.02 USD"})
        case("nor that of a run", run.code == "E1852", run)
        other = await session.call("call", SEARCH | {"cost_max": "0.0001 TAO"})
        case("nor money of another kind", other.code == "E1852" and "in USD" in other.text["error"]["help"], other)
        misfit = SEARCH | {"cost_max": "0.003 USD", "arguments_json": "{}"}
        case("what is refused costs nothing", (await session.call("call", misfit)).error)
        again = SEARCH | {"cost_max": "0.003 USD", "request_id": "one"}
        called = await session.call("call", again)
        case("what is left can be spent", not called.error, called)
        called = await session.call("call", SEARCH)
        case("to the end", called.text["error"]["left"] == "0.0005 USD", called)


asyncio.run(main(sys.argv[1:]))
sys.exit(mcp_checks.failures > 0)
