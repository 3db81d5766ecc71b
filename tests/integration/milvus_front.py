#!/usr/bin/env python3
"""Stands in front of Milvus Lite and behaves as a Milvus of a data centre may: asks for a token, speaks TLS, gets stuck, reports other
parameters than it was sent. Run by the interpreter that has grpc and pymilvus: milvus_front.py PORT BACKEND_PORT FOLDER [CERTIFICATE KEY].

FOLDER/behaviour.json is read at every call; FOLDER/calls has a line of JSON for each.
"""

import concurrent.futures
import json
import pathlib
import sys

import grpc
from pymilvus.grpc_gen import milvus_pb2

PORT, BACKEND, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def change(name, answer, behaviour):
    """What the server says instead of its own answer."""
    if name == "GetLoadState" and "load_stuck_at" in behaviour:
        return milvus_pb2.GetLoadStateResponse(state=2).SerializeToString()
    if name == "GetLoadingProgress" and "load_stuck_at" in behaviour:
        return milvus_pb2.GetLoadingProgressResponse(progress=behaviour["load_stuck_at"]).SerializeToString()
    if name != "DescribeIndex":
        return answer
    index = milvus_pb2.DescribeIndexResponse.FromString(answer)
    for one in index.index_descriptions:
        one.indexed_rows -= behaviour.get("rows_not_indexed", 0)
        for pair in one.params:
            if pair.key in behaviour.get("parameters", {}):
                pair.value = behaviour["parameters"][pair.key]
            elif pair.key == "params":
                pair.value = json.dumps({**json.loads(pair.value), **behaviour.get("parameters", {})})
    return index.SerializeToString()


class Front(grpc.GenericRpcHandler):
    def __init__(self):
        size = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{BACKEND}", options=size)

    def service(self, details):
        metadata = dict(details.invocation_metadata)
        name = details.method.rsplit("/", 1)[-1]

        def handle(request, context):
            behaviour = json.loads((FOLDER / "behaviour.json").read_text())
            with open(FOLDER / "calls", "a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, "dbname": metadata.get("dbname")}) + "\n")
            if metadata.get("authorization") != behaviour.get("authorization", metadata.get("authorization")):
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure, please check your token")
            try:
                answer = self.channel.unary_unary(details.method)(request)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
            return change(name, answer, behaviour)

        return grpc.unary_unary_rpc_method_handler(handle)


def main():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), handlers=[Front()],
                         options=[("grpc.max_receive_message_length", 64 << 20)])
    if len(sys.argv) > 4:
        certificate, key = (pathlib.Path(name).read_bytes() for name in sys.argv[4:6])
        server.add_secure_port(f"127.0.0.1:{PORT}", grpc.ssl_server_credentials([(key, certificate)]))
    else:
        server.add_insecure_port(f"127.0.0.1:{PORT}")
    server.start()
    server.wait_for_termination()


main()
