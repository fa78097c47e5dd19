"""Speaks to a running `orch serve` with the stock Python gRPC packages and no generated code of ours:
messages are built from what the server's reflection says.

    python grpc_checks.py HOST:PORT PLAN_FILE

Prints one line per case and exits with 1 if one differs from what is written here.
"""

import json
import sys
import time
import uuid

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

PACKAGE = "orchestra.v1"
failures = 0


def case(name: str, ok: bool, seen: object = "") -> None:
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}" + ("" if ok else f": {seen}"))


class Client:
    """Calls any method of the server by name, with messages as dicts."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.insecure_channel(address)
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def method(self, service: str, name: str):
        method = self.pool.FindServiceByName(f"{PACKAGE}.{service}").FindMethodByName(name)
        request = message_factory.GetMessageClass(method.input_type)
        response = message_factory.GetMessageClass(method.output_type)
        make = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        call = make(
            f"/{PACKAGE}.{service}/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        return lambda timeout=30, **fields: call(request(**fields), timeout=timeout)


def error_of(call) -> tuple[grpc.StatusCode, dict]:
    """The status code of a failing call and its details by type name."""
    try:
        call()
    except grpc.RpcError as error:
        details = {}
        for any_value in rpc_status.from_call(error).details:
            for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.ResourceInfo):
                if any_value.Is(kind.DESCRIPTOR):
                    message = kind()
                    any_value.Unpack(message)
                    details[kind.DESCRIPTOR.name] = message
        return error.code(), details
    return grpc.StatusCode.OK, {}


def check_services(client: Client) -> None:
    listed = set(client.database.get_services())
    wanted = {f"{PACKAGE}.{name}" for name in ("RunService", "CallService", "LedgerService", "CompilerService")}
    case("reflection lists the services", wanted <= listed, listed)
    health = health_pb2_grpc.HealthStub(client.channel)
    for service in ("", *sorted(wanted)):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
        case(f"health of '{service}'", answer.status == health_pb2.HealthCheckResponse.SERVING, answer)


def check_ledger(client: Client) -> None:
    search = client.method("LedgerService", "SearchOperations")
    hits = search(query="web search").hits
    case("search finds web search first", hits and hits[0].operation.id == "sn22.web_search", hits[:1])
    listing = client.method("LedgerService", "ListOperations")
    ids, token = [], ""
    while True:
        page = listing(page_size=25, page_token=token)
        ids += [row.id for row in page.operations]
        token = page.next_page_token
        if not token:
            break
    case("114 operations by pages, sorted, none twice", len(ids) == 114 and ids == sorted(set(ids)), len(ids))
    code, details = error_of(lambda: listing(page_token="bogus"))
    case("a foreign page token is refused", code == grpc.StatusCode.INVALID_ARGUMENT, code)
    case("with the field that is wrong", "BadRequest" in details, details)
    get = client.method("LedgerService", "GetOperation")
    code, details = error_of(lambda: get(id="sn22.web_serch"))
    case("an unknown operation is NOT_FOUND", code == grpc.StatusCode.NOT_FOUND, code)
    case("with its code as reason", details["ErrorInfo"].reason == "E1201", details)
    case("and the resource", details["ResourceInfo"].resource_name == "sn22.web_serch", details)


def check_compiler(client: Client, text: str) -> None:
    check = client.method("CompilerService", "Check")
    good = check(source={"file_name": "plan.orch", "text": text})
    errors = [found for found in good.diagnostics if found.severity == 1]
    case("the plan compiles", not errors and len(good.plans) == 1, errors)
    case("with its bound", good.plans[0].cost_max.units > 0, good.plans)
    bad = check(source={"file_name": "plan.orch", "text": text.replace("edition 2026", "edition 1999")})
    case("a mistake is a diagnostic, not a status", any(found.code for found in bad.diagnostics), bad)
    formatted = client.method("CompilerService", "Format")(text=text).text
    again = client.method("CompilerService", "Format")(text=formatted).text
    case("formatting twice is formatting once", formatted and formatted == again)


def check_runs(client: Client, text: str) -> None:
    create = client.method("RunService", "CreateRun")
    request = dict(request_id=str(uuid.uuid4()), source={"file_name": "plan.orch", "text": text})
    run = create(**request).run
    case("a run has a name", run.name.startswith("runs/"), run)
    case("the same request is the same run", create(**request).run.name == run.name)
    code, details = error_of(lambda: create(**{**request, "inputs_json": b'{"topic": "other"}'}))
    case("another request with its id is ALREADY_EXISTS", code == grpc.StatusCode.ALREADY_EXISTS, code)
    watch = client.method("RunService", "WatchRun")
    sequence = [answer.event.seq for answer in watch(name=run.name)]
    case("events have no gap", sequence == list(range(1, len(sequence) + 1)), sequence)
    middle = len(sequence) // 2
    rest = [answer.event.seq for answer in watch(name=run.name, after_seq=middle)]
    case("and can be taken up in the middle", rest == sequence[middle:], rest)
    ended = client.method("RunService", "GetRun")(name=run.name).run
    case("the run succeeded", ended.state == 3, ended)
    case("with a JSON result", isinstance(json.loads(ended.result_json), dict), ended.result_json)
    proof = b"".join(answer.chunk for answer in client.method("RunService", "ReadProof")(name=run.name))
    case("and a proof", len(proof) > 500, len(proof))
    names = [row.name for row in client.method("RunService", "ListRuns")(page_size=10).runs]
    case("the list has it", run.name in names, names)
    code, details = error_of(lambda: create(source={"text": "plan broken("}))
    case("a broken plan is INVALID_ARGUMENT", code == grpc.StatusCode.INVALID_ARGUMENT, code)
    case("with places", bool(details["BadRequest"].field_violations[0].field.startswith("source.text:")), details)
    code, details = error_of(lambda: client.method("RunService", "GetRun")(name=f"runs/{uuid.uuid4()}"))
    case("an unknown run is NOT_FOUND", code == grpc.StatusCode.NOT_FOUND, code)
    code, details = error_of(lambda: create(**{**request, "request_id": "", "cost_max": {"units": 1, "currency": 2}}))
    case("a run above the caller's limit is refused before it starts", code == grpc.StatusCode.FAILED_PRECONDITION, code)
    case("with its code", details["ErrorInfo"].reason == "E1402", details)


def check_calls(client: Client) -> None:
    call = client.method("CallService", "Call")
    request = dict(operation="sn22.web_search", arguments_json=b'{"query": "a"}', cost_max={"units": 5000, "currency": 2})
    answer = call(**request, want_receipt=True)
    case("a call has a JSON answer", "data" in json.loads(answer.result_json), answer.result_json)
    case("and its cost", (answer.total.units, answer.total_certain) == (2500, True), answer)
    case("and a receipt", len(answer.receipt) > 500, len(answer.receipt))
    kinds = [event.WhichOneof("event") for event in client.method("CallService", "Stream")(call=request)]
    case("a stream tells it from the start", kinds == ["accepted", "attempt", "attempt", "completed"], kinds)
    code, details = error_of(lambda: call(**{**request, "arguments_json": b'{"query": 5}'}))
    case("a wrong argument is INVALID_ARGUMENT", code == grpc.StatusCode.INVALID_ARGUMENT, code)
    case("with its path", "$.query" in details["BadRequest"].field_violations[0].description, details)
    case("and nothing was charged", "charged" not in details["ErrorInfo"].metadata, details)


def main() -> None:
    address, plan = sys.argv[1:]
    with open(plan, encoding="utf-8") as file:
        text = file.read()
    started = time.monotonic()
    client = Client(address)
    check_services(client)
    check_ledger(client)
    check_compiler(client, text)
    check_runs(client, text)
    check_calls(client)
    print(f"{time.monotonic() - started:.1f} s, {failures} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
