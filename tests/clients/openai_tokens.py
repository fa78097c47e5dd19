"""Uses the OpenAI endpoint of an `orch serve` that has tokens, with OpenAI's own package for Python.

    python openai_tokens.py TOKEN BASE_URL

The token may spend 0.04 USD. Prints one line per case and exits with 1 if one differs from what is written here.
"""

import sys

import openai
from openai import OpenAI

TOKEN, BASE = sys.argv[1], sys.argv[2]
failures = 0


def case(name: str, ok: bool, seen: object = "") -> None:
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}" + ("" if ok else f": {seen}"), flush=True)


def client(token: str) -> OpenAI:
    return OpenAI(base_url=BASE, api_key=token, max_retries=0, timeout=60)


def chat(token: str, cost_max: str):
    return client(token).chat.completions.create(
        model="sn64.chat_completions",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        extra_headers={"X-Orchestra-Cost-Max": cost_max},
    )


def error_of(kind: type, call) -> openai.APIStatusError:
    try:
        call()
    except openai.APIStatusError as error:
        case(f"{kind.__name__} is raised", isinstance(error, kind), repr(error))
        return error
    raise AssertionError(f"no {kind.__name__}")


answer = chat(TOKEN, "0.02 USD")
case("a token is let in", "Paris" in answer.choices[0].message.content, answer)
case("its run is its own", len(client(TOKEN).models.list().data) > 0)
case("one model", client(TOKEN).models.retrieve("sn64.chat_completions").owned_by == "sn64")
for name, call in (
    ("a call", lambda: chat("sk-unknown", "0.02 USD")),
    ("the list", lambda: client("sk-unknown").models.list()),
    ("one model", lambda: client("sk-unknown").models.retrieve("sn64.chat_completions")),
):
    error = error_of(openai.AuthenticationError, call)
    case(f"an unknown token is told: {name}", (error.code, error.type) == ("E1517", "authentication_error"), error)
error = error_of(openai.APIStatusError, lambda: chat(TOKEN, "0.03 USD"))
case("what the token may not spend is 402", (error.status_code, error.code) == (402, "E1407"), error)
sys.exit(failures > 0)
