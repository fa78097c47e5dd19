"""Uses an Orchestra MCP server as an agent does, through the official Python SDK.

    python mcp_checks.py [--legacy] http URL
    python mcp_checks.py [--legacy] stdio COMMAND ARGUMENT..

Prints one line per case and exits with 1 if one differs from what is written here. `ORCH` names the binary that verifies
proofs. On a line `do ..` the test does something and answers with a line: `publish` publishes the plan of links.orch,
`arrive` waits until the operation `sn65020.silent` is asked, `leave` until the call was cancelled, `give up` for a call that
was out of time.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jsonschema

from mcp_session import SECOND_MAJOR, connect, plain

HERE = Path(__file__).parent
LINKS = (HERE / "links.orch").read_text()
WRONG = LINKS.replace("found.data.take(5)", "found.dta.take(5)")
SEARCH = {"operation": "sn22.web_search", "arguments_json": '{"query": "tea"}', "cost_max": "0.005 USD"}
SILENT = {"operation": "sn65020.silent", "arguments_json": '{"q": "tea"}', "cost_max": "0.01 USD"}
WAIT = """edition 2026
use sn65020 { silent }

plan wait() -> String with { budget: 0.01USD, deadline: 60s } {
  let answer = call silent(q: "tea") with { timeout: 50s }
  return answer.v
}
"""
TOPIC = "Halcyon versus Meridian"
SPENDING = ["call", "run_plan"]
TOOLS = [
    "search_subnets", "get_operation", "call", "check_plan", "explain_plan", "run_plan", "get_run", "cancel_run",
    "get_proof",
]  # fmt: skip
failures = 0


def case(name: str, ok: bool, seen: object = "") -> None:
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}" + ("" if ok else f": {seen}"), flush=True)


def do(what: str) -> None:
    """Has the test do something."""
    print(f"do {what}", flush=True)
    sys.stdin.readline()


def is_closed(schema) -> bool:
    """Whether every object of an input schema is closed."""
    if isinstance(schema, dict):
        kinds = schema.get("type", [])
        is_object = "object" in ([kinds] if isinstance(kinds, str) else kinds)
        if is_object and schema.get("additionalProperties") is not False:
            return False
        return all(is_closed(value) for value in schema.values())
    return all(is_closed(value) for value in schema) if isinstance(schema, list) else True


class Checks:
    def __init__(self, session) -> None:
        self.session = session

    async def use(self, tool: str, arguments: dict, progress=None):
        """A tool's answer, which is held to its output schema, and whose text is its structured content."""
        said = await self.session.call(tool, arguments, progress)
        if said.error:
            case(f"{tool} says an error in text alone", said.content is None, said)
        else:
            case(f"{tool} says the same as text and as structure", said.text == said.content, said)
            jsonschema.validate(said.content, self.tools[tool]["outputSchema"])
        return said

    async def definitions(self) -> None:
        self.tools = await self.session.tools()
        case("every tool is there", [name for name in TOOLS if name not in self.tools] == [], list(self.tools))
        open_ones = [name for name in TOOLS if not is_closed(self.tools[name]["inputSchema"])]
        case("inputs are closed objects", open_ones == [], open_ones)
        for name in TOOLS:
            hints = self.tools[name]["annotations"]
            spends = name in SPENDING
            wanted = (name not in [*SPENDING, "cancel_run"], spends)
            case(f"hints of {name}", (hints["readOnlyHint"], hints["openWorldHint"]) == wanted, hints)
            needed = "cost_max" in self.tools[name]["inputSchema"].get("required", [])
            case(f"{name} {'needs' if spends else 'needs no'} limit", needed == spends)

    async def lookups(self) -> None:
        found = await self.use("search_subnets", {"query": "web search", "limit": 3})
        hits = found.content["hits"]
        case("a search finds", hits[0]["operation"] == "sn22.web_search" and 0 < len(hits) <= 3, hits)
        read = await self.use("get_operation", {"operation": "sn22.web_search", "version": None})
        case("an operation has its schemas", "query" in read.content["input_schema"]["properties"], read)
        wrong = await self.use("get_operation", {"operation": "sn22.web_serch"})
        case("a near name is suggested", wrong.code == "E1201" and "web_search" in wrong.text["error"]["message"], wrong)

    async def lately(self, operation: str):
        """How calls of an operation went, which is known in a while."""
        until = time.monotonic() + 60
        while not (await self.session.call("get_operation", {"operation": operation}, None)).content["lately"]:
            if time.monotonic() > until:
                return None
            await asyncio.sleep(0.1)
        return (await self.use("get_operation", {"operation": operation})).content["lately"]

    async def calls(self) -> None:
        steps = []

        async def told(progress, total, message) -> None:
            steps.append((progress, message))

        called = await self.use("call", SEARCH, told)
        case("a call answers", len(called.content["result"]["data"]) > 0, called)
        case("and says what it cost", called.content["cost"] == "0.0025 USD", called)
        lately = await self.lately("sn22.web_search")
        case("and counts", lately and lately["calls"] > 0 and lately["success_share"] > 0.5, lately)
        case("and told its attempt", any("sn22.web_search" in message for _, message in steps), steps)
        case("each step further than the one before", [n for n, _ in steps] == sorted({n for n, _ in steps}), steps)
        self.run = called.content["run"]
        as_object = await self.use("call", SEARCH | {"arguments_json": {"query": "tea"}})
        case("arguments may be an object, too", not as_object.error, as_object)
        unlimited = await self.use("call", {name: SEARCH[name] for name in SEARCH if name != "cost_max"})
        case("no call without a limit", unlimited.code == "E1851" and unlimited.text["error"]["path"] == "cost_max")
        no_amount = await self.use("call", SEARCH | {"cost_max": "five cents"})
        case("nor with one that is no amount", no_amount.code == "E1851", no_amount)
        over = await self.use("call", SILENT | {"cost_max": "0.0099 USD"})
        case("a limit that does not suffice is refused", over.code == "E1402", over)
        case("and nothing was sent", "run" not in over.text["error"] and "0.01 USD" in str(over.text), over)
        misfit = await self.use("call", SEARCH | {"arguments_json": '{"query": 5}'})
        case("an argument that does not fit is named", "query" in misfit.text["error"]["message"], misfit)
        case("and the help says where to look", "get_operation" in misfit.text["error"]["help"], misfit)
        unknown = await self.use("call", SEARCH | {"qery": 1})
        case("an unknown argument of the tool is named", unknown.code == "E1850" and "qery" in str(unknown), unknown)
        typed = await self.use("search_subnets", {"limit": "many"})
        case("one of another type has its path", typed.code == "E1850" and typed.text["error"]["path"] == "limit", typed)

    async def plans(self) -> None:
        checked = await self.use("check_plan", {"source": WRONG})
        first = checked.content["diagnostics"][0]
        case("a mistake is found", not checked.content["ok"] and first["code"].startswith("E0"), checked)
        place = first["labels"][0]
        case("with its place", WRONG.encode()[place["start"] : place["end"]] == b"dta", place)
        mended = WRONG.encode()
        for edit in reversed(first["fix"]["edits"]):
            mended = mended[: edit["start"]] + edit["text"].encode() + mended[edit["end"] :]
        checked = await self.use("check_plan", {"source": mended.decode()})
        case("and mended by its own fix", checked.content["ok"] and mended.decode() == LINKS, checked)
        explained = await self.use("explain_plan", {"source": LINKS})
        case("a plan is bounded", explained.content["plan"]["cost_max"] == "0.01 USD", explained)
        case("call by call", explained.content["contributors"][0]["cost_max"] == "0.01 USD", explained)

    async def runs(self) -> None:
        steps = []

        async def told(_progress, _total, message) -> None:
            steps.append(message)

        run = {"source": LINKS, "inputs_json": json.dumps({"topic": TOPIC}), "cost_max": "0.02 USD"}
        ran = await self.use("run_plan", run, told)
        case("a plan runs", ran.content["state"] == "succeeded" and len(ran.content["result"]["links"]) == 5, ran)
        case("and tells its steps", any("attempt" in step for step in steps), steps)
        unlimited = await self.use("run_plan", {"source": LINKS, "inputs_json": "{}"})
        case("no run without a limit", unlimited.code == "E1851", unlimited)
        over = await self.use("run_plan", run | {"cost_max": "0.001 USD"})
        case("nor over it", over.code == "E1402", over)
        broken = await self.use("run_plan", run | {"source": WRONG})
        case("a plan with a mistake does not run", broken.code.startswith("E0"), broken)
        both = await self.use("run_plan", run | {"published_plan": "links"})
        case("a text and a name do not go together", both.code == "E1850", both)
        await self.after(ran.content["run"])

    async def after(self, name: str) -> None:
        got = await self.use("get_run", {"run": name})
        case("a run can be read again", got.content["result"]["topic"] == TOPIC, got)
        part = await self.use("get_run", {"run": name, "pointer": "/links/0"})
        case("or a part of its result", part.content["result"].startswith("http"), part)
        large = await self.use("get_run", {"run": name, "bytes_max": 10})
        case("what is large is named", large.content["result"] is None and large.links == [f"orch://{name}/result"])
        case("with its members", large.content["result_omitted"]["keys"] == ["topic", "links"], large)
        whole = await self.session.resource(large.links[0])
        case("and can be read as a resource", "links" in whole["text"], whole)
        nowhere = await self.use("get_run", {"run": "runs/0"})
        case("a run that is not there is an error", nowhere.error, nowhere)
        cancelled = await self.use("cancel_run", {"run": name})
        case("a run that ended stays", cancelled.content["state"] == "succeeded", cancelled)
        for run in (name, self.run):
            proof = await self.use("get_proof", {"run": run, "include_bundle": True})
            bundle = base64.b64decode(proof.content["bundle_base64"])
            case("a proof has the size it says", len(bundle) == proof.content["bytes"], proof)
            blob = await self.session.resource(proof.content["resource"])
            case("the resource has the same bundle", base64.b64decode(blob["blob"]) == bundle)
            with tempfile.NamedTemporaryFile(suffix=".orchproof") as file:
                file.write(bundle)
                file.flush()
                verified = subprocess.run([os.environ["ORCH"], "proof", "verify", file.name], capture_output=True)
            case("and it verifies", verified.returncode == 0, verified)

    async def resources(self) -> None:
        listed = plain(await self.session.client.list_resources())["resources"]
        case("the guide is listed", "orch://docs/language" in [resource["uri"] for resource in listed], listed)
        guide = await self.session.resource("orch://docs/language")
        case("and can be read", "plan first_links" in guide["text"], guide)
        templates = plain(await self.session.client.list_resource_templates())["resourceTemplates"]
        case("what can be named is listed", "orch://operations/{id}" in [one["uriTemplate"] for one in templates])
        operation = await self.session.resource("orch://operations/sn22.web_search")
        case("an operation is a resource", '"input_schema"' in operation["text"], operation)
        prompt = plain(await self.session.client.get_prompt("write_plan", {"task": "find tea", "budget": "0.03 USD"}))
        text = prompt["messages"][0]["content"]["text"]
        case("the prompt has task, budget and guide", all(part in text for part in ["find tea", "0.03 USD", "edition"]))

    async def refusals(self) -> None:
        for what, ask in (
            ("tool", lambda: self.session.call("no_such_tool")),
            ("resource", lambda: self.session.resource("orch://nowhere")),
            ("operation", lambda: self.session.resource("orch://operations/sn22.nothing")),
            ("prompt", lambda: self.session.client.get_prompt("no_such_prompt", {})),
        ):
            try:
                case(f"an unknown {what} is refused", False, await ask())
            except Exception as error:  # The class differs between the majors.
                data = error.error.data
                case(f"an unknown {what} is refused", data["error"]["code"].startswith("E1"), data)

    async def published(self) -> None:
        await self.session.wait_for_change(lambda: do("publish"))
        self.tools = await self.session.tools()
        case("a published plan is a tool", "plan_links" in self.tools, list(self.tools))
        tool = self.tools["plan_links"]
        case("with its documentation", "first links for a topic" in tool["description"], tool)
        case("and its inputs", "topic" in tool["inputSchema"]["properties"]["inputs"]["properties"], tool)
        case("which are closed", is_closed(tool["inputSchema"]), tool)
        ran = await self.use("plan_links", {"inputs": {"topic": TOPIC}, "cost_max": "0.02 USD"})
        case("it runs", len(ran.content["result"]["links"]) == 5, ran)
        unlimited = await self.use("plan_links", {"inputs": {}})
        case("not without a limit", unlimited.code == "E1851", unlimited)
        by_name = await self.use("run_plan", {"published_plan": "links", "inputs_json": "{}", "cost_max": "0.02 USD"})
        case("and by its name", by_name.content["state"] == "succeeded", by_name)
        text = await self.session.resource("orch://plans/links")
        case("its text is a resource", text["text"] == LINKS, text)

    async def failure(self) -> None:
        late = await self.use("call", SILENT | {"timeout_seconds": 1})
        await asyncio.to_thread(do, "give up")
        error = late.text["error"]
        case("a call that failed says what was charged", error["charged"] == "0.01 USD", error)
        case("whether that is certain, and why", error["certain"] is False and error["call_kind"] == "timeout", error)
        got = await self.use("get_run", {"run": error["run"]})
        case("its run says the same", got.content["error"]["code"] == error["code"] == late.code, got)

    async def cancellation(self) -> None:
        started = await self.use("run_plan", {"source": WAIT, "inputs_json": "{}", "cost_max": "0.01 USD", "wait_seconds": 0})
        case("a run can be begun without waiting", not started.error, started)
        await asyncio.to_thread(do, "arrive")
        cancelled = await self.use("cancel_run", {"run": started.content["run"]})
        await asyncio.to_thread(do, "leave")
        got = await self.use("get_run", {"run": started.content["run"]})
        case("and cancelled", not cancelled.error and got.content["state"] == "cancelled", got)
        run = {"source": WAIT, "inputs_json": "{}", "cost_max": "0.01 USD"}
        ran = asyncio.ensure_future(self.session.call("run_plan", run))
        await asyncio.to_thread(do, "arrive")
        await self.session.abandon(ran)
        await asyncio.to_thread(do, "leave")
        case("a run that is not wanted any more is cancelled", True)
        call = asyncio.ensure_future(self.session.call("call", SILENT))
        await asyncio.to_thread(do, "arrive")
        await self.session.abandon(call)
        await asyncio.to_thread(do, "leave")
        case("a call that is not wanted any more is cancelled", True)


async def main(target: list[str], legacy: bool) -> None:
    async with connect(target, legacy) as session:
        checks = Checks(session)
        if SECOND_MAJOR:
            case("the protocol is the newest", legacy or session.client.protocol_version >= "2026-07-28")
            instructions = session.client.instructions
        else:
            instructions = session.hello["instructions"]
        case("it says how it is used", "search_subnets" in instructions and len(instructions) < 800, instructions)
        await checks.definitions()
        await checks.lookups()
        await checks.calls()
        await checks.plans()
        await checks.runs()
        await checks.resources()
        await checks.refusals()
        await checks.published()
        await checks.failure()
        await checks.cancellation()


if __name__ == "__main__":
    words = sys.argv[1:]
    asyncio.run(main([word for word in words if word != "--legacy"], "--legacy" in words))
    sys.exit(failures > 0)
