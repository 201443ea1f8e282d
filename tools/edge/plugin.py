"""protoc plugin for the edge: `python -m tools.edge.plugin`, run by buf."""

import sys

# Before the request is read: it makes the paths in the methods' options readable.
from google.api import annotations_pb2  # noqa: F401
from google.protobuf.compiler import plugin_pb2

from tools.edge.script import script
from tools.edge.tables import UnsupportedError


def generate(request: plugin_pb2.CodeGeneratorRequest) -> plugin_pb2.CodeGeneratorResponse:
    """Return strict_json.lua, or what stands against it."""
    response = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    try:
        response.file.add(name="strict_json.lua", content=script(request.proto_file))
    except UnsupportedError as problem:
        response.error = str(problem)
    return response


if __name__ == "__main__":
    wanted = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(generate(wanted).SerializeToString())
