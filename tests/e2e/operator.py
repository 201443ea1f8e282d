"""Who runs a stack: a client of the admin API, told where it is as the command is."""

from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from paygate.auth.v1.scope_pb2 import Scope
from tests.e2e.stack import Stack

CALL_SECONDS_MAX = 10.0


class Operator:
    """Whoever may read the data folder of a stack that serves."""

    def __init__(self, stack: Stack) -> None:
        lines = (stack.data_dir / "admin.env").read_text().splitlines()
        said = dict(line.split("=", 1) for line in lines)
        self.token = Path(said["PAYGATE_ADMIN_TOKEN_FILE"]).read_text()
        self.address = said["PAYGATE_ADMIN_ADDRESS"]
        self._stub = AdminServiceStub(grpc.insecure_channel(self.address))

    def ask(self, request: Message) -> Any:
        """Send a request to the method that takes it."""
        method = getattr(self._stub, type(request).__name__.removesuffix("Request"))
        metadata = (("authorization", f"Bearer {self.token}"),)
        return method(request, metadata=metadata, timeout=CALL_SECONDS_MAX)

    def new_merchant(self, merchant_id: str) -> str:
        """Make a merchant, and return a key of theirs for everything."""
        self.ask(pb.CreateMerchantRequest(id=merchant_id, name=merchant_id))
        return self.new_key(merchant_id)

    def new_key(self, merchant_id: str, *scopes: Scope.ValueType) -> str:
        """Make a key of a merchant, for everything unless scopes are given."""
        request = pb.CreateApiKeyRequest(merchant_id=merchant_id, scopes=scopes)
        return str(self.ask(request).secret)
