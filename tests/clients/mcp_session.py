"""One form for a session of the official Python SDK, whichever major is installed: `mcp` 1.x and 2.x."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

SECOND_MAJOR = int(version("mcp").split(".")[0]) >= 2
PATIENT = 120


@dataclass
class Said:
    """What a tool said: whether it is an error, its structured content, and its text as JSON."""

    error: bool
    content: dict | None
    text: dict
    links: list

    @property
    def code(self) -> str:
        return self.text["error"]["code"] if self.error else ""


def plain(message) -> dict:
    return message.model_dump(mode="json", by_alias=True, exclude_none=True)


class Session:
    """A session with the few calls that the checks need, all answers as the JSON of the wire."""

    def __init__(self, client) -> None:
        self.client = client
        self.changed = asyncio.Event()

    async def call(self, name: str, arguments: dict | None = None, progress=None) -> Said:
        result = plain(await self.client.call_tool(name, arguments or {}, progress_callback=progress))
        texts = [block["text"] for block in result["content"] if block["type"] == "text"]
        links = [block["uri"] for block in result["content"] if block["type"] == "resource_link"]
        return Said(result.get("isError", False), result.get("structuredContent"), json.loads(texts[0]), links)

    async def tools(self) -> dict:
        return {tool["name"]: tool for tool in plain(await self.client.list_tools())["tools"]}

    async def resource(self, uri: str) -> dict:
        if not SECOND_MAJOR:
            from pydantic import AnyUrl

            uri = AnyUrl(uri)
        return plain(await self.client.read_resource(uri))["contents"][0]

    async def abandon(self, call: asyncio.Task) -> None:
        """Cancels the request that was sent last. The first major leaves telling the server to its user."""
        if not SECOND_MAJOR:
            from mcp import types

            request = self.client._request_id - 1
            params = types.CancelledNotificationParams(requestId=request, reason="no longer wanted")
            notification = types.CancelledNotification(method="notifications/cancelled", params=params)
            await self.client.send_notification(types.ClientNotification(notification))
        call.cancel()

    async def heard(self, message) -> None:
        """Notes that the tools have changed, as sessions of earlier protocol versions are told."""
        message = getattr(message, "root", message)
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self.changed.set()

    async def wait_for_change(self, publish) -> None:
        """Has something published and waits until the server tells that the tools have changed."""
        if SECOND_MAJOR and self.client.protocol_version >= "2026-07-28":
            async with self.client.listen(tools_list_changed=True) as changes:
                publish()
                await asyncio.wait_for(anext(changes), PATIENT)
        else:
            publish()
            await asyncio.wait_for(self.changed.wait(), PATIENT)


def transport(target: list[str]):
    if target[0] == "http":
        if SECOND_MAJOR:
            from mcp.client.streamable_http import streamable_http_client as client
        else:
            from mcp.client.streamable_http import streamablehttp_client as client
        return client(target[1])
    return stdio_client(StdioServerParameters(command=target[1], args=target[2:], env=dict(os.environ)))


@asynccontextmanager
async def connect(target: list[str], legacy: bool = False):
    """A session with `["http", URL]` or `["stdio", COMMAND, ARGUMENT..]`. The second major speaks the newest protocol that
    the server knows, or with `legacy` an earlier one, with its handshake."""
    holder = Session(None)
    if SECOND_MAJOR:
        from mcp import Client

        mode = "legacy" if legacy else "auto"
        async with Client(transport(target), mode=mode, message_handler=holder.heard) as client:
            holder.client = client
            yield holder
        return
    async with transport(target) as streams:
        async with ClientSession(streams[0], streams[1], message_handler=holder.heard) as client:
            holder.hello = plain(await client.initialize())
            holder.client = client
            yield holder
