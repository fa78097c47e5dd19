#!/usr/bin/env python3
"""A stand-in for a subnet that sells chat, completions and embeddings in OpenAI's form, written with FastAPI. What it does
is said by the request's `model`: answer, or one of the ways in which a subnet fails. It is no subnet's own software.

When connections are accepted, one line is printed:

    READY {"port": 41234}

Tests steer and read it by `POST /gates/{name}`, which lets everything pass that waits there, and `GET /seen/{name}`, which
answers when something of that name was seen, with how often. It ends when its standard input does.
"""

import asyncio
import hashlib
import json
import socket
import sys
import threading
import time
from collections import Counter, defaultdict

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse

KEY = "cnry-0rch3stra-stand-in-openai-key"

app = FastAPI()
gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
seen: Counter = Counter()
news = asyncio.Condition()


async def see(name: str) -> None:
    async with news:
        seen[name] += 1
        news.notify_all()


@app.post("/gates/{name}")
async def open_gate(name: str):
    gates[name].set()
    return {}


@app.get("/seen/{name}")
async def wait_seen(name: str, least: int = 1):
    async with news:
        await news.wait_for(lambda: seen[name] >= least)
    return {"count": seen[name]}


@app.get("/count/{name}")
async def count(name: str):
    return {"count": seen[name]}


def need_key(request: Request) -> None:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise HTTPException(401, "no such key")


async def misbehave(model: str, request: Request):
    """What is answered in place of an answer, for the models that fail."""
    if model == "rate-limited":
        return JSONResponse({"error": "slow down"}, 429, {"retry-after": "2"})
    if model == "down":
        return JSONResponse({"error": "out of order"}, 503)
    if model == "refuses":
        return JSONResponse({"error": "not like this"}, 400)
    if model == "locked":
        raise HTTPException(401, "no such key")
    if model == "misfit":
        return {"id": "c", "object": "chat.completion", "model": model, "choices": "none"}
    if model.startswith("hangs"):
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)
        await see(f"{model}-gone")
        return {}
    return None


def words_for(text: str) -> list[str]:
    digest = hashlib.sha256(text.encode()).digest()
    return [["alpha ", "beta ", "gamma ", "delta "][byte % 4] for byte in digest[:6]]


@app.post("/v1/chat/completions")
async def chat(request: Request):
    need_key(request)
    body = await request.json()
    model = body["model"]
    await see(model)
    if (failed := await misbehave(model, request)) is not None:
        return failed
    prompt = " ".join(message.get("content") or "" for message in body["messages"])
    words = words_for(prompt)
    usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(words)}
    usage["total_tokens"] = sum(usage.values())
    head = {"id": "chatcmpl-peer-1", "created": 1790000000, "model": model}
    if not body.get("stream"):
        message: dict = {"role": "assistant", "content": "".join(words)}
        if body.get("tools"):
            call = {"id": "call-1", "type": "function", "function": {"name": "look", "arguments": '{"at":"x"}'}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if body.get("tools") else "stop"}
        return head | {"object": "chat.completion", "choices": [choice], "usage": usage}

    async def events():
        def chunk(choices: list, **more) -> str:
            return f"data: {json.dumps(head | {'object': 'chat.completion.chunk', 'choices': choices} | more)}\n\n"

        yield chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
        for at, word in enumerate(words):
            if at == 1 and model.startswith("gated"):
                await gates[model].wait()
            if at == 1 and model == "breaks":
                yield "data: {broken\n\n"
                return
            if at == 1 and model.startswith("endless"):
                try:
                    while True:
                        await asyncio.sleep(0.05)
                        yield chunk([{"index": 0, "delta": {"content": "."}, "finish_reason": None}])
                finally:
                    asyncio.get_running_loop().create_task(see(f"{model}-gone"))
            yield chunk([{"index": 0, "delta": {"content": word}, "finish_reason": None}])
        yield chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        yield chunk([], usage=usage)
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.post("/v1/completions")
async def completions(request: Request):
    body = await request.json()
    await see("completions")
    return {"id": "cmpl-1", "choices": [{"text": "".join(words_for(body["prompt"])), "finish_reason": "length"}]}


@app.post("/ask")
async def ask(request: Request):
    body = await request.json()
    await see("ask")
    if body["prompt"].startswith("hangs"):
        await see(body["prompt"])
        return await misbehave(body["prompt"], request)
    return {"answer": "".join(words_for(body["prompt"]))}


@app.post("/v1/embeddings")
async def embeddings(request: Request):
    need_key(request)
    body = await request.json()
    rows = [[byte / 256 for byte in hashlib.sha256(text.encode()).digest()[:4]] for text in body["input"]]
    data = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(rows)]
    return {"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    print("READY " + json.dumps({"port": listener.getsockname()[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
