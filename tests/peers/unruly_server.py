"""**A stand-in** for a subnet that behaves as it is asked to, on the standard library: an HTTP server whose failures are named
by the request itself. It is no subnet's own software.

It answers three services: `POST /ask` (`{"q": text}`, answered `{"v": text}`, or in parts at `/parts`), `GET /web`
(search in the shape of SN22, with a key in the header) and `POST /v1/chat/completions` (in the shape of OpenAI). A text
that begins with `FAILURE:` or `FAILURE*N:` fails each of its requests, or the first N, so that tests share a server and run
side by side. The failures are those of `fail`. It writes `READY {"port": ..}` and stops when its input ends.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "unruly-key"
FAILURES = ("timeout", "busy", "html", "schema", "payment", "half", "dear")
# How the search says what it charged, in US dollars.
COST_HEADER, COST, DEAR_COST = "x-desearch-cost-usd", "0.0025", "0.5"
WISH = re.compile(rf"({'|'.join(FAILURES)})(?:\*(\d+))?:")


class Unruly(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def failure(self, text: str) -> str | None:
        """How the request with this text fails this time."""
        with self.lock:
            self.asked[text] += 1
            count = self.asked[text]
        wish = WISH.match(text)
        return wish[1] if wish and (wish[2] is None or count <= int(wish[2])) else None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Unruly

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        text = parse_qs(url.query).get("query", [""])[0]
        if url.path == "/asked":
            self.reply(200, {"count": self.server.asked[text]})
        elif url.path != "/web":
            self.reply(404, {"error": "no such path"})
        elif self.headers.get("authorization") != KEY:
            self.reply(401, {"error": "the key is wrong"})
        else:
            link = f"https://encyclopedia.example/wiki/{len(text)}"
            self.answer(text, {"data": [{"title": text, "snippet": f"What is known about {text}.", "link": link}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        if self.path == "/ask":
            self.answer(body["q"], {"v": f"answer to {body['q']}"})
        elif self.path == "/parts":
            self.parts(body["q"])
        elif self.path == "/v1/chat/completions":
            text = body["messages"][-1]["content"]
            message = {"role": "assistant", "content": f"In short: {text}"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
            answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_766_000_000, "model": body["model"]}
            self.answer(text, answer | {"choices": [choice], "usage": usage})
        else:
            self.reply(404, {"error": "no such path"})

    def answer(self, text: str, value: dict[str, Any]) -> None:
        failure = self.server.failure(text)
        if failure in (None, "dear"):
            self.reply(200, value, {COST_HEADER: DEAR_COST if failure else COST})
        else:
            self.fail(failure, value)

    def fail(self, failure: str, value: dict[str, Any]) -> None:
        if failure == "timeout":
            # Says nothing until it is stopped; its client gives up long before.
            self.server.stopped.wait()
            self.close_connection = True
        elif failure == "busy":
            self.reply(429, {"error": "slow down"}, {"retry-after": "0"})
        elif failure == "html":
            self.send(200, b"<html><body>Welcome to our subnet</body></html>", {"content-type": "text/html"})
        elif failure == "schema":
            self.reply(200, {"answer": ["of", "another", "shape"]})
        elif failure == "payment":
            self.reply(402, {"error": "payment required", "accepts": []})
        else:
            whole = json.dumps(value).encode()
            self.send(200, whole[: len(whole) // 2], {"content-type": "application/json"}, length=len(whole))
            self.close_connection = True

    def parts(self, text: str) -> None:
        failure = self.server.failure(text)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        words = ["one", "two", "three"]
        for word in words[: 1 if failure == "half" else 3]:
            self.wfile.write(f"data: {json.dumps({'t': word})}\n\n".encode())
            self.wfile.flush()
        if failure != "half":
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def reply(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(value).encode(), {"content-type": "application/json"} | (headers or {}))

    def send(self, status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def entry(origin: str, name: str, path: str) -> dict[str, Any]:
    """The Ledger entry `sn65020.NAME` of `POST PATH`, with a known price."""
    text = {"type": "string", "maxLength": 200}
    return {
        "id": f"sn65020.{name}", "netuid": 65020, "version": {"breaking": 1, "compatible": 0}, "summary": "Answers questions, for tests.", "tags": [],
        "transport": {"kind": "http", "method": "POST", "base_url": origin, "path": path, "response": "json"},
        "access": "open", "auth": {"kind": "none"}, "side_effects": "metered", "repeat": {"safe": True, "costs_again": True},
        "input": {"type": "object", "required": ["q"], "additionalProperties": False, "properties": {"q": text}},
        "output": {"type": "object", "required": ["v"], "properties": {"v": text}}, "output_complete": True,
        "price": {"kind": "per_call", "amount": {"units": 1000, "currency": "micro_usd"}},
        "sources": [{"kind": "test", "reference": "tests"}], "verified": False,
    }


def parts_entry(origin: str) -> dict[str, Any]:
    """The same for `/parts`, whose answer comes in parts."""
    part = {"type": "object", "required": ["t"], "properties": {"t": {"type": "string"}}}
    return entry(origin, "parts", "/parts") | {
        "output": {"type": "array", "items": {"type": "object"}},
        "delivery": {"kind": "stream", "framing": "events", "end": "[DONE]", "gather": {"kind": "items"}, "item": part},
    }


def main() -> None:
    server = Unruly()
    port = server.server_address[1]
    origin = f"http://127.0.0.1:{port}"
    entries = [entry(origin, "ask", "/ask"), parts_entry(origin)]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("READY " + json.dumps({"port": port, "key": KEY, "entries": entries}), flush=True)
    sys.stdin.read()
    server.stopped.set()
    server.shutdown()


if __name__ == "__main__":
    main()
