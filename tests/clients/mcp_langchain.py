"""Gives an agent of LangChain the tools of an Orchestra MCP server.

    python mcp_langchain.py http URL
    python mcp_langchain.py stdio COMMAND ARGUMENT..

The first part is the snippet of docs/agents.md. Prints one line per case and exits with 1 if one differs.
"""

import asyncio
import json
import os
import sys

# begin
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools


async def ask(connection: dict, use) -> None:
    client = MultiServerMCPClient({"orchestra": connection})
    # One session for all calls: a tool of `client.get_tools()` begins a session, and a process, with each call.
    async with client.session("orchestra") as session:
        await use({tool.name: tool for tool in await load_mcp_tools(session)})


async def search(tools: dict, query: str) -> dict:
    arguments = json.dumps({"query": query})
    answer = await tools["call"].ainvoke(
        {"operation": "sn22.web_search", "arguments_json": arguments, "cost_max": "0.005 USD"}
    )
    return json.loads(answer[0]["text"])


# end
def connection(target: list[str]) -> dict:
    if target[0] == "http":
        return {"transport": "streamable_http", "url": target[1]}
    return {"transport": "stdio", "command": target[1], "args": target[2:], "env": dict(os.environ)}


def case(name: str, ok: bool, seen: object = "") -> None:
    print(f"{'ok  ' if ok else 'FAIL'} {name}" + ("" if ok else f": {seen}"), flush=True)
    if not ok:
        sys.exit(1)


async def checks(tools: dict) -> None:
    case("the tools load", {"search_subnets", "call", "run_plan"} <= set(tools), list(tools))
    case("with closed schemas", tools["call"].args_schema["additionalProperties"] is False, tools["call"].args_schema)
    answer = await search(tools, "tea")
    case("the model is given the whole answer as text", answer["cost"] == "0.0025 USD" and answer["result"]["data"])
    try:
        said = await tools["call"].ainvoke({"operation": "sn22.web_search", "arguments_json": "{}"})
    except Exception as error:
        said = error
    case("and what was wrong, with its code", "E1851" in str(said) and "cost_max" in str(said), said)


asyncio.run(ask(connection(sys.argv[1:]), checks))
