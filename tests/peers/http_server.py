#!/usr/bin/env python3
"""A stand-in for subnets that sell over HTTP, written with FastAPI: every form of request and answer that Orchestra's
HTTP transport speaks. It is no subnet's own software; signatures are checked by the `bittensor` 11 package's keys.

Answers depend on nothing but the request. When connections are accepted, one line is printed:

    READY {"port": 41234, "hotkey": "5..."}

It ends when its standard input does.
"""

import base64
import datetime
import hashlib
import json
import socket
import sys
import threading
import time
from typing import Annotated, Any

import uvicorn
from bittensor.sp_core import CRYPTO_SR25519, Keypair
from fastapi import FastAPI, File, Form, Header, HTTPException, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

KEY = "stand-in-key-0123456789"
HOTKEY = Keypair.create_from_uri("//Miner", crypto_type=CRYPTO_SR25519)
PRICE = {"prompt_tokens": 1, "completion_tokens": 2}  # micro-dollars each

app = FastAPI()
tasks: dict[str, int] = {}


def need_key(given: str | None) -> None:
    if given != KEY:
        raise HTTPException(401, "no such key")


# --- bodies --------------------------------------------------------------------------------------------------------


@app.post("/form")
def form(word: Annotated[str, Form()], count: Annotated[int, Form()], tag: Annotated[list[str], Form()] = []):
    return {"word": word, "count": count, "tags": tag}


@app.post("/upload")
async def upload(file: Annotated[UploadFile, File()], note: Annotated[str, Form()], fps: Annotated[float, Form()] = 1.0):
    content = await file.read()
    return {
        "media_type": file.content_type,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "note": note,
        "fps": fps,
    }


@app.put("/objects/{bucket}/{name}")
async def put_object(bucket: str, name: str, request: Request):
    content = await request.body()
    return {"size": len(content), "media_type": request.headers["content-type"], "place": f"{bucket}/{name}"}


@app.get("/objects/{bucket}/{name}")
def get_object(bucket: str, name: str):
    return Response(f"{bucket}/{name}\0".encode(), media_type="application/octet-stream")


@app.get("/keyed")
def keyed(api_key: str, x_kind: Annotated[str, Header()]):
    need_key(api_key)
    return {"kind": x_kind}


@app.get("/several")
def several(x_client_id: Annotated[str, Header()], x_client_secret: Annotated[str, Header()]):
    need_key(x_client_secret)
    # Not the id itself: an answer that repeats a part of the key is not kept.
    return {"client": hashlib.sha256(x_client_id.encode()).hexdigest()[:8]}


@app.get("/paid")
def paid():
    offer = {"scheme": "exact", "network": "base", "maxAmountRequired": "10000", "asset": "USDC", "payTo": "0xB"}
    return JSONResponse({"x402Version": 1, "error": "payment required", "accepts": [offer]}, 402)


# --- described by the document that FastAPI makes of them ------------------------------------------------------------


class Thing(BaseModel):
    id: str
    at: datetime.datetime


@app.get("/search-all")
def search_all(item: Annotated[list[str], Query()], x_tag: Annotated[list[str] | None, Header()] = None):
    return {"items": item, "tags": x_tag or []}


@app.post("/files")
async def files(
    many: list[UploadFile],
    one: UploadFile,
    note: Annotated[str, Form()],
    maybe: UploadFile | None = None,
):
    sent = [*many, one, *([maybe] if maybe else [])]
    return {"names": [file.filename for file in sent], "sizes": [len(await file.read()) for file in sent], "note": note}


@app.put("/things/{id}")
def put_thing(id: str, thing: Thing) -> Thing:
    # Without a zone, as is pydantic's default; its format says otherwise.
    return Thing(id=f"{id}/{thing.id}", at=thing.at.replace(tzinfo=None))


@app.post("/sums")
def sums(numbers: list[int]):
    return {"sum": sum(numbers)}


@app.get("/guarded")
def guarded(x_token: Annotated[str, Header()]):
    need_key(x_token)
    return {"ok": True}


# --- OpenAI-compatible ---------------------------------------------------------------------------------------------


def words_for(prompt: str) -> list[str]:
    digest = hashlib.sha256(prompt.encode()).digest()
    return [["alpha ", "beta ", "gamma ", "delta "][byte % 4] for byte in digest[:6]]


@app.post("/v1/chat/completions")
async def chat(request: Request):
    need_key(request.headers.get("authorization", "").removeprefix("Bearer "))
    body = await request.json()
    prompt = " ".join(message["content"] for message in body["messages"])
    words = words_for(prompt)
    usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(words)}
    usage["total_tokens"] = sum(usage.values())
    head: dict[str, Any] = {"id": "chat-1", "created": 1790000000, "model": body["model"]}
    if not body.get("stream"):
        message = {"role": "assistant", "content": "".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return head | {"object": "chat.completion", "choices": [choice], "usage": usage}

    def events():
        def chunk(choices: list, **more: Any) -> str:
            return f"data: {json.dumps(head | {'object': 'chat.completion.chunk', 'choices': choices} | more)}\n\n"

        yield chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
        for word in words:
            yield chunk([{"index": 0, "delta": {"content": word}, "finish_reason": None}])
        yield chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        if (body.get("stream_options") or {}).get("include_usage"):
            yield chunk([], usage=usage)
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.post("/v1/completions")
async def completions(request: Request):
    need_key(request.headers.get("authorization", "").removeprefix("Bearer "))
    body = await request.json()
    words = words_for(body["prompt"])
    usage = {"prompt_tokens": len(body["prompt"].split()), "completion_tokens": len(words)}
    choice = {"index": 0, "text": "".join(words), "finish_reason": "stop", "logprobs": None}
    return {"id": "cmpl-1", "object": "text_completion", "model": body["model"], "choices": [choice], "usage": usage}


@app.post("/v1/embeddings")
async def embeddings(request: Request):
    body = await request.json()
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    row = lambda text: [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:4]]  # noqa: E731
    data = [{"object": "embedding", "index": at, "embedding": row(text)} for at, text in enumerate(texts)]
    return {"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}


@app.post("/v1/images/generations")
async def images(request: Request):
    body = await request.json()
    image = b"\x89PNG\r\n" + body["prompt"].encode()
    return {"created": 1790000000, "data": [{"b64_json": base64.b64encode(image).decode()}]}


# --- streams, pages, tasks -----------------------------------------------------------------------------------------


@app.get("/lines")
def lines(count: int):
    rows = (json.dumps({"n": at}) + "\n" for at in range(count))
    return StreamingResponse(rows, media_type="application/x-ndjson")


@app.get("/text")
def text(prompt: str):
    return StreamingResponse(iter(words_for(prompt)), media_type="text/plain")


@app.get("/list")
def paged(cursor: int = 0):
    items = list(range(cursor, min(cursor + 2, 5)))
    return {"items": items, "next": cursor + 2 if cursor + 2 < 5 else None}


@app.post("/tasks")
async def create(request: Request):
    body = await request.json()
    name = f"t-{body['word']}"
    tasks[name] = 0
    return {"task": {"id": name}}


@app.get("/tasks/{name}")
def state(name: str):
    tasks[name] += 1
    return {"state": "done" if tasks[name] > 2 else "running", "result": {"word": name[2:].upper()}}


# --- signed requests -----------------------------------------------------------------------------------------------


def verified(message: str, sender: str, signature: bytes) -> dict:
    keypair = Keypair(ss58_address=sender, crypto_type=CRYPTO_SR25519)
    if not keypair.verify(message.encode(), signature):
        raise HTTPException(401, "Signature Mismatch")
    return {"sender": sender}


def fresh(timestamp_ms: int) -> None:
    if abs(time.time() * 1000 - timestamp_ms) > 15_000:
        raise HTTPException(400, "Request is too stale")


@app.post("/epistula")
async def epistula(request: Request):
    head, body = request.headers, await request.body()
    time_ms, receiver = head["epistula-timestamp"], head["epistula-signed-for"]
    fresh(int(time_ms))
    if head["epistula-version"] != "2" or receiver != HOTKEY.ss58_address:
        raise HTTPException(400, "not for this receiver")
    message = f"{hashlib.sha256(body).hexdigest()}.{head['epistula-uuid']}.{time_ms}.{receiver}"
    signature = bytes.fromhex(head["epistula-request-signature"].removeprefix("0x"))
    return verified(message, head["epistula-signed-by"], signature)


@app.post("/apex")
async def apex(request: Request):
    head, body = request.headers, await request.body()
    fresh(int(head["epistula-timestamp"]))
    message = f"{hashlib.sha256(body).hexdigest()}.{head['epistula-timestamp']}."
    signature = bytes.fromhex(head["epistula-request-signature"].removeprefix("0x"))
    return verified(message, head["epistula-signed-by"], signature)


@app.post("/x-tao")
async def x_tao(request: Request):
    head, body = request.headers, await request.body()
    fresh(int(head["x-tao-timestamp"]))
    message = f"{hashlib.sha256(body).hexdigest()}.{head['x-tao-nonce']}.{head['x-tao-timestamp']}"
    return verified(message, head["x-tao-signed-by"], base64.b64decode(head["x-tao-signature"]))


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    ready = {"port": listener.getsockname()[1], "hotkey": HOTKEY.ss58_address, "key": KEY}
    print("READY " + json.dumps(ready), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
