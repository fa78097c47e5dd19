#!/usr/bin/env python3
"""A stand-in for the gRPC service of SN13, on grpcio with the service's own generated classes (PyPI `macrocosmos`), and a
streaming method beside it. It is not the subnet's own software; answers depend on nothing but the request.

When connections are accepted, one line is printed: READY {"port": 41234}. It ends when its standard input does.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from macrocosmos.generated.sn13.v1 import sn13_validator_pb2 as pb
from macrocosmos.generated.sn13.v1 import sn13_validator_pb2_grpc as pb_grpc

KEY = "stand-in-key-0123456789"


class Sn13(pb_grpc.Sn13ServiceServicer):
    def ListTopics(self, request, context):
        if request.source == "busy":
            status = status_pb2.Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], message="slow down, ü")
            wait = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=1, nanos=500_000_000))
            status.details.add().Pack(wait)
            context.abort_with_status(rpc_status.to_status(status))
        if request.source == "none":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such source")
        sizes = [("r/" + request.source, 2**53 + 1), ("r/other", 7)]
        rows = [pb.ListTopicsResponseDetail(label_value=label, content_size_bytes=size) for label, size in sizes]
        return pb.ListTopicsResponse(details=rows)

    def ValidateRedditTopic(self, request, context):
        return pb.ValidateRedditTopicResponse(platform="reddit", topic=request.topic, exists=True)

    def OnDemandData(self, request, context):
        given = dict(context.invocation_metadata())
        if given.get("authorization") != "Bearer " + KEY:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no such key")
        answer = pb.OnDemandDataResponse(status="success")
        for name in request.usernames:
            answer.data.add().update({"user": name, "limit": request.limit, "from": request.start_date})
        answer.meta.update({"mode": request.keyword_mode})
        return answer


def topics(request, context):
    """`ListTopics` with a stream of answers, one a letter of the source; `cut` breaks it off."""
    for letter in request.source:
        yield pb.ListTopicsResponseDetail(label_value=letter, content_size_bytes=1)
    if request.source == "cut":
        context.abort(grpc.StatusCode.UNAVAILABLE, "going away")


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(8))
    pb_grpc.add_Sn13ServiceServicer_to_server(Sn13(), server)
    stream = grpc.unary_stream_rpc_method_handler(
        topics,
        request_deserializer=pb.ListTopicsRequest.FromString,
        response_serializer=pb.ListTopicsResponseDetail.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler("sn13.v1.StreamService", {"StreamTopics": stream})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print("READY " + json.dumps({"port": port, "key": KEY}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
