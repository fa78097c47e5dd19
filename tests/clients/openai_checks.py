"""Uses the OpenAI endpoint of a running `orch serve` with OpenAI's own package for Python.

    python openai_checks.py BASE_URL STAND_IN_URL

Prints one line per case and exits with 1 if one differs from what is written here.
"""

import asyncio
import json
import socket
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import openai
from openai import AsyncOpenAI, OpenAI

BASE, PEER = sys.argv[1], sys.argv[2]
CAP = {"X-Orchestra-Cost-Max": "0.05 USD"}
CHAT = "sn65031.chat"
HELLO = [{"role": "user", "content": "Say something."}]
failures = 0


def case(name: str, ok: bool, seen: object = "") -> None:
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}" + ("" if ok else f": {seen}"), flush=True)


def client(**settings) -> OpenAI:
    return OpenAI(**({"base_url": BASE, "api_key": "sk-none", "timeout": 60, "max_retries": 0} | settings))


def peer(path: str, method: str = "GET") -> dict:
    request = urllib.request.Request(f"{PEER}/{path}", method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def count(name: str) -> int:
    return peer(f"count/{name}")["count"]


def error_of(kind: type, call) -> openai.APIError:
    try:
        call()
    except kind as error:
        return error
    except openai.APIError as error:
        case(f"{kind.__name__} is raised", False, repr(error))
        return error
    raise AssertionError(f"no {kind.__name__}")


def chat(model: str = CHAT, *, on: OpenAI | None = None, **more):
    return (on or client()).chat.completions.create(model=model, messages=more.pop("messages", HELLO), **more)


def models() -> None:
    listed = {model.id: model for model in client().models.list()}
    for served in (CHAT, "sn64.chat_completions", "sn65031.completions", "sn65031.ask", "plans/answers"):
        case(f"{served} serves chat", served in listed and listed[served].orchestra["serves"] == "chat", listed.keys())
    case("embeddings are listed", listed["sn65031.embeddings"].orchestra["serves"] == "embeddings")
    for other in ("sn22.web_search", "plans/length", "sn64.list_models"):
        case(f"{other} is no model", other not in listed)
    case("a model has its owner and its price", (listed[CHAT].owned_by, listed[CHAT].orchestra["cost_max"]) == ("sn65031", "0.0025 USD"))
    case("one model", client().models.retrieve(CHAT).id == CHAT)
    case("one model behind slashes", client().models.retrieve("plans/answers").id == "plans/answers")
    error = error_of(openai.NotFoundError, lambda: client().models.retrieve("sn65031.chatt"))
    case("what was meant is said", "did you mean `sn65031.chat`" in str(error) and error.code == "E1201", error)
    error = error_of(openai.NotFoundError, lambda: chat("gpt-4o"))
    case("a foreign name is no model", (error.code, error.param) == ("E1821", "model"), error)
    error = error_of(openai.NotFoundError, lambda: chat("sn22.web_search"))
    case("what gives no text is no model", error.code == "E1821", error)


def answers() -> None:
    raw = client().chat.completions.with_raw_response.create(model=CHAT, messages=HELLO, temperature=0.2, extra_headers=CAP)
    answer, head = raw.parse(), raw.headers
    case("an answer passes with id and usage", answer.id == "chatcmpl-peer-1" and answer.usage.completion_tokens == 6, answer)
    case("the subnet's own model is the one of its example", answer.model == "small", answer.model)
    case("headers say the cost", (head["x-orchestra-cost"], head["x-orchestra-cost-certain"]) == ("0.0025 USD", "true"), head)
    case("headers say the route", head["x-orchestra-operation"] == CHAT, head)
    case("headers name run and proof", head["x-orchestra-run"].startswith("runs/") and len(head["x-orchestra-proof"]) == 64)
    case("the id of the request is the run", answer._request_id == head["x-orchestra-run"])
    case("a model of one's choice", chat(f"{CHAT}/vendor/Large-7B").model == "vendor/Large-7B")
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    called = chat(tools=[tool], tool_choice="auto").choices[0]
    case("tools are called", (called.finish_reason, called.message.tool_calls[0].function.name) == ("tool_calls", "look"), called)
    case("parts of a content are one text", chat(messages=[{"role": "user", "content": [{"type": "text", "text": "Say something."}]}]).choices[0].message.content == answer.choices[0].message.content)
    older = chat("sn65031.completions/m", max_completion_tokens=7)
    case("a completion becomes a chat", older.choices[0].finish_reason == "length" and older.id == "cmpl-1", older)
    asked = chat("sn65031.ask")
    case("a text becomes a chat", asked.choices[0].message.content.strip() and asked.model == "sn65031.ask" and asked.usage is None, asked)
    planned = client().chat.completions.with_raw_response.create(model="plans/answers", messages=HELLO)
    case("a plan answers", planned.parse().choices[0].message.content == asked.choices[0].message.content)
    case("a plan says its cost", (planned.headers["x-orchestra-cost"], planned.headers["x-orchestra-operation"]) == ("0.001 USD", "plans/answers"), planned.headers)
    sample = chat("sn64.chat_completions", extra_headers=CAP, messages=[{"role": "user", "content": "What is the capital of France?"}])
    case("the catalogue's operations answer", "Paris" in sample.choices[0].message.content, sample)


def streams() -> None:
    whole = chat().choices[0].message.content
    with client().chat.completions.with_streaming_response.create(model=CHAT, messages=HELLO, stream=True) as raw:
        case("a stream names its run at once", raw.headers["x-orchestra-run"].startswith("runs/"), raw.headers)
        text = raw.read().decode()
    receipt = json.loads(next(line for line in text.splitlines() if line.startswith(": orchestra "))[12:])
    case("a comment says the cost", (receipt["cost"], receipt["cost_certain"], receipt["operation"]) == ("0.0025 USD", True, CHAT), receipt)
    case("a stream ends", text.endswith("data: [DONE]\n\n"), text[-40:])
    chunks = list(chat(stream=True))
    case("chunks are the answer", "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole, chunks)
    case("every chunk has a choice where no usage is asked", all(chunk.choices for chunk in chunks))
    case("nothing is said twice", len(chunks) == 8, len(chunks))
    *_, last = chat(stream=True, stream_options={"include_usage": True})
    case("usage comes last", last.choices == [] and last.usage.completion_tokens == 6, last)
    case("with the receipt", last.orchestra["cost"] == "0.0025 USD", last)
    parts = chat(f"{CHAT}/gated-python", stream=True)
    first = [next(parts), next(parts)]
    peer("gates/gated-python", "POST")
    rest = list(parts)
    case("the first part comes before the second is made", first[1].choices[0].delta.content and len(rest) == 6, (first, rest))
    for model in ("sn65031.whole", "sn65031.ask", "plans/answers"):
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chat(model, stream=True))
        case(f"{model} is streamed as one part", said.strip() != "", said)
    error = error_of(openai.APIError, lambda: list(chat(f"{CHAT}/breaks", stream=True)))
    case("a stream that breaks is an error", error.code.startswith("E11") and "charged" in error.message, error)
    error = error_of(openai.InternalServerError, lambda: chat(f"{CHAT}/down", stream=True))
    case("a stream that does not begin is an error of its own", error.status_code == 503, error)


def capabilities() -> None:
    listed = {model.id: model.orchestra for model in client().models.list()}
    case("a capability serves chat", listed.get("cap.say", {}).get("serves") == "chat", listed.keys())
    case("the catalogue's, too", "cap.generate" in listed and "cap.web_search" not in listed, listed.keys())
    before = count("down")
    raw = client().chat.completions.with_raw_response.create(model="cap.say", messages=HELLO, extra_headers=CAP)
    case("the first subnet is down, the second answers", raw.headers["x-orchestra-operation"] == "sn65032.chat" and count("down") == before + 1, raw.headers)
    case("and its text is the answer", raw.parse().choices[0].message.content == chat().choices[0].message.content, raw.text)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chat("cap.say", stream=True, extra_headers=CAP))
    case("a capability is streamed as one part", said == raw.parse().choices[0].message.content, said)


def embeddings() -> None:
    model = "sn65031.embeddings/m"
    raw = client().embeddings.with_raw_response.create(model=model, input=["one", "two"])
    packed, floats = raw.parse(), client().embeddings.create(model=model, input=["one", "two"], encoding_format="float")
    case("embeddings come as asked", [row.embedding for row in packed.data] == [row.embedding for row in floats.data] and len(packed.data[0].embedding) == 4, packed)
    case("embeddings say cost and usage", raw.headers["x-orchestra-cost"] == "0.0005 USD" and packed.usage.total_tokens == 3)
    case("one text is a list of one", len(client().embeddings.create(model=model, input="one").data) == 1)
    error = error_of(openai.BadRequestError, lambda: client().embeddings.create(model=model, input=[1, 2]))
    case("tokens are refused", (error.code, error.param) == ("E1822", "input"), error)
    error = error_of(openai.BadRequestError, lambda: client().embeddings.create(model=CHAT, input="one"))
    case("a chat makes no embeddings", (error.code, error.param) == ("E1822", "model"), error)


def errors() -> None:
    for parameter, value in (("top_p", 0.5), ("n", 2), ("response_format", {"type": "json_object"}), ("logit_bias", {"1": 2})):
        error = error_of(openai.BadRequestError, lambda: chat(**{parameter: value}))
        case(f"{parameter} is refused by name", (error.code, error.param) == ("E1822", parameter), error)
    error = error_of(openai.BadRequestError, lambda: chat(temperature=-1))
    case("a value out of its range names its parameter", error.param == "temperature" and error.code, error)
    error = error_of(openai.BadRequestError, lambda: chat(extra_headers={"X-Orchestra-Cost-Max": "much"}))
    case("an amount is checked", (error.code, error.param) == ("E1820", "X-Orchestra-Cost-Max"), error)
    error = error_of(openai.BadRequestError, lambda: chat("sn65031.unpriced"))
    case("an unknown price needs a limit", error.param == "X-Orchestra-Cost-Max", error)
    before = count("small")
    error = error_of(openai.APIStatusError, lambda: chat(extra_headers={"X-Orchestra-Cost-Max": "0.001 USD"}))
    case("what may cost too much is 402", (error.status_code, error.type) == (402, "insufficient_quota"), error)
    case("and nothing was sent", count("small") == before)
    error = error_of(openai.RateLimitError, lambda: chat(f"{CHAT}/rate-limited"))
    case("a subnet that is busy is 429", error.body["call_kind"] == "rate_limited", error.body)
    case("and says for how long", error.response.headers["retry-after"] == "2", error.response.headers)
    error = error_of(openai.InternalServerError, lambda: chat(f"{CHAT}/down"))
    case("a subnet that is down is 503", error.status_code == 503, error)
    for model in ("refuses", "locked", "misfit"):
        error = error_of(openai.InternalServerError, lambda: chat(f"{CHAT}/{model}"))
        told = error.body.get("orchestra", {})
        case(f"and says who was asked: {model}", told.get("operation") == CHAT, error.body)
        case(f"an answer that is no use is 502: {model}", error.status_code == 502 and told.get("run", "").startswith("runs/"), error.body)
        case(f"and where it does not fit: {model}", (error.body.get("path") is not None) == (model == "misfit"), error.body)
        case(f"and says what was charged: {model}", "charged" in str(error) and error.response.headers["x-orchestra-cost"] == told["cost"], error)
    error = error_of(openai.InternalServerError, lambda: chat(f"{CHAT}/hangs-limit", extra_headers={"X-Orchestra-Timeout": "1"}))
    case("a timeout is 504", error.status_code == 504 and error.body["call_kind"] == "timeout", error)
    raw = urllib.request.Request(f"{BASE}/chat/completions", data=b"{", method="POST")
    try:
        urllib.request.urlopen(raw)
    except urllib.error.HTTPError as error:
        case("what is no JSON is told in JSON", json.load(error)["error"]["code"] == "E1820")
    error = error_of(openai.NotFoundError, lambda: client().completions.create(model=CHAT, prompt="Say something."))
    case("the legacy form says what to ask", "/v1/chat/completions" in str(error) and error.code == "E1820", error)
    error = error_of(openai.NotFoundError, lambda: client().images.generate(prompt="a cat"))
    case("and so do pictures", "orch call" in str(error), error)
    long = [{"role": "user", "content": "a" * (9 << 20)}]
    error = error_of(openai.APIStatusError, lambda: chat(messages=long))
    case("a body that is too long says the limit that applies", error.status_code == 413 and "8 MiB" in str(error), error)
    case("a bad chunk is told as one", "one of its chunks is none" in broken_chunk(), broken_chunk())


def broken_chunk() -> str:
    """What is said to a body whose second chunk has no length."""
    at = urlsplit(BASE)
    with socket.create_connection((at.hostname, at.port), timeout=60) as connection:
        path = f"{at.path}/chat/completions"
        head = f"POST {path} HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"2\r\n{}\r\nnonsense\r\n")
        return connection.makefile("rb").read().decode(errors="replace")


def retries() -> None:
    error_of(openai.InternalServerError, lambda: chat(f"{CHAT}/misfit", on=client(max_retries=2)))
    case("what was charged is not sent again", count("misfit") == 2, count("misfit"))
    error = error_of(openai.APIError, lambda: chat(f"{CHAT}/hangs-twice", on=client(max_retries=2, timeout=1)))
    case("what was left is not paid twice", isinstance(error, openai.ConflictError) and error.code == "E1823", repr(error))
    case("and was sent once", count("hangs-twice") == 1, count("hangs-twice"))
    again = {"extra_headers": {"Idempotency-Key": "python-1"}}
    same = [chat(f"{CHAT}/same", **again).id for _ in range(2)]
    case("an id makes a call once", same[0] == same[1] and count("same") == 1, count("same"))
    error = error_of(openai.ConflictError, lambda: chat(f"{CHAT}/other", on=client(max_retries=2), **again))
    case("an id of another request is a conflict", error.param == "Idempotency-Key" or error.code == "E1008", error.body)


def disconnects() -> None:
    error_of(openai.APITimeoutError, lambda: chat(f"{CHAT}/hangs-python", on=client(timeout=1)))
    case("a client that leaves cancels the call", peer("seen/hangs-python-gone")["count"] == 1)
    parts = chat(f"{CHAT}/endless-python", stream=True)
    next(parts), next(parts)
    parts.close()
    case("a client that leaves a stream cancels it", peer("seen/endless-python-gone")["count"] == 1)


async def side_by_side() -> None:
    async with AsyncOpenAI(base_url=BASE, api_key="sk-none", timeout=60, max_retries=0) as asynchronous:

        async def said(at: int) -> str:
            stream = await asynchronous.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": f"{at}"}], stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        streamed = await asyncio.gather(*(said(at) for at in range(20)))
        whole = await asyncio.gather(*(asynchronous.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": f"{at}"}]) for at in range(20)))
        held = [await asynchronous.chat.completions.create(model=f"{CHAT}/gated-many", messages=[{"role": "user", "content": f"{at}"}], stream=True) for at in range(50)]
        for stream in held:
            await anext(stream), await anext(stream)
        await asyncio.to_thread(peer, "gates/gated-many", "POST")
        ends = [[chunk async for chunk in stream][-1].choices[0].finish_reason for stream in held]
        case("fifty streams are open at once", ends == ["stop"] * 50, ends)
        case("twenty streams side by side", streamed == [answer.choices[0].message.content for answer in whole])


models()
answers()
streams()
capabilities()
embeddings()
errors()
retries()
disconnects()
asyncio.run(side_by_side())
sys.exit(failures > 0)
