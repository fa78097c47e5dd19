#!/usr/bin/env python3
"""A gRPC server that describes itself: grpcio with the reflection service of its own package (`grpcio-reflection`), for a
service that only its descriptors say. Usage: reflecting_server.py DESCRIPTORS [SERVICE ...]

DESCRIPTORS is a file with a FileDescriptorSet. Each method echoes: the answer has the fields of the request that it has
by the same name and kind; a stream of answers has one for each element of the request's field `tags`. A method whose name
begins with `Keyed` wants `authorization: Bearer KEY`. Without SERVICEs there is no reflection. Where certificate and key lie
beside DESCRIPTORS, as server.pem and server.key, it speaks TLS.

When connections are accepted, one line is printed: READY {"port": 41234}. It ends when its standard input does.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection

KEY = "stand-in-key-0123456789"


def answer(form, request):
    made = form()
    fields = {field.name: field for field in made.DESCRIPTOR.fields}
    for field, value in request.ListFields():
        own = fields.get(field.name)
        if own is None or (own.type, own.is_repeated) != (field.type, field.is_repeated):
            continue
        if own.is_repeated or own.message_type is not None:
            getattr(made, own.name).MergeFrom(value)
        else:
            setattr(made, own.name, value)
    return made


def handler(method):
    takes, gives = (message_factory.GetMessageClass(form) for form in (method.input_type, method.output_type))

    def check(context):
        if method.name.startswith("Keyed"):
            if dict(context.invocation_metadata()).get("authorization") != "Bearer " + KEY:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "no such key")

    def one(request, context):
        check(context)
        return answer(gives, request)

    def many(request, context):
        check(context)
        for tag in request.tags:
            yield gives(text=tag)

    behave = grpc.unary_stream_rpc_method_handler if method.server_streaming else grpc.unary_unary_rpc_method_handler
    return behave(
        many if method.server_streaming else one,
        request_deserializer=takes.FromString,
        response_serializer=gives.SerializeToString,
    )


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    server = grpc.server(ThreadPoolExecutor(8))
    for file in files:
        for service in file.service:
            name = f"{file.package}.{service.name}"
            methods = pool.FindServiceByName(name).methods
            handlers = {method.name: handler(method) for method in methods if not method.client_streaming}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    if sys.argv[2:]:
        reflection.enable_server_reflection((*sys.argv[2:], reflection.SERVICE_NAME), server, pool)
    certificate, key = (Path(sys.argv[1]).with_name(name) for name in ("server.pem", "server.key"))
    if key.exists():
        pairs = [(key.read_bytes(), certificate.read_bytes())]
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pairs))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print("READY " + json.dumps({"port": port, "key": KEY}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
