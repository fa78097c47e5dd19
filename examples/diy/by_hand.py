"""What the web says on a topic, how much Reddit talks of things, and a summary: three subnets, called by hand.

This is what a careful programmer writes in an afternoon: timeouts, retries with growing pauses, statuses and texts that are no
JSON, one error for all of it. Run it with SEARCH_URL, SEARCH_KEY, CHAT_URL, CHAT_KEY and POSTS_TARGET set.
"""

import json
import os
import sys
import time

import grpc
import requests

sn13_pb2, sn13_pb2_grpc = grpc.protos_and_services("sn13.proto")

TIMEOUT_S = 4.0
ATTEMPTS = 2
PAUSE_S = 0.1
RETRIED_STATUSES = {429, 500, 502, 503, 504}


class Failed(Exception):
    """A subnet gave no usable answer."""


def request_json(method, url, *, headers, what, **kwargs):
    """The JSON that a subnet answers, after as many attempts as there are."""
    problem = "no attempt was made"
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_S * 2**attempt)
        try:
            response = requests.request(method, url, headers=headers, timeout=TIMEOUT_S, **kwargs)
        except requests.Timeout:
            problem = f"no answer within {TIMEOUT_S:g} s"
            continue
        except requests.RequestException as error:
            problem = f"the connection failed ({type(error).__name__})"
            continue
        if response.status_code in RETRIED_STATUSES:
            problem = f"status {response.status_code}"
            wait = response.headers.get("retry-after", "")
            if wait.isdigit():
                time.sleep(min(int(wait), TIMEOUT_S))
            continue
        if response.status_code != 200:
            raise Failed(f"{what}: status {response.status_code}: {response.text[:200]}")
        try:
            return response.json()
        except ValueError:
            problem = f"the answer is no JSON but {response.headers.get('content-type')}"
    raise Failed(f"{what}: {problem}")


def search(topic):
    """SN22: the first three pages on a topic."""
    found = request_json(
        "GET",
        os.environ["SEARCH_URL"] + "/web",
        headers={"Authorization": os.environ["SEARCH_KEY"]},
        params={"query": topic},
        what="search",
    )
    return found["data"][:3]


def talk():
    """SN13: how many bytes of posts there are by community."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_S * 2**attempt)
        try:
            with grpc.insecure_channel(os.environ["POSTS_TARGET"]) as channel:
                stub = sn13_pb2_grpc.Sn13ServiceStub(channel)
                answer = stub.ListTopics(sn13_pb2.ListTopicsRequest(source="reddit"), timeout=TIMEOUT_S)
                return [detail.label_value for detail in answer.details]
        except grpc.RpcError as error:
            problem = f"{error.code().name}: {error.details()}"
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                break
    raise Failed(f"posts: {problem}")


def summarise(topic, pages):
    """SN64: a summary of what the pages say."""
    notes = "\n".join(page["snippet"] for page in pages)
    answer = request_json(
        "POST",
        os.environ["CHAT_URL"] + "/v1/chat/completions",
        headers={"Authorization": "Bearer " + os.environ["CHAT_KEY"]},
        json={"model": "sample", "messages": [{"role": "user", "content": f"Summarise:\n{notes}"}]},
        what="chat",
    )
    return answer["choices"][0]["message"]["content"]


def main():
    topic = sys.argv[1]
    try:
        pages = search(topic)
        brief = {"summary": summarise(topic, pages), "sources": [page["link"] for page in pages], "communities": talk()}
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(brief, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
