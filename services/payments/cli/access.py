"""Reaching the admin process: where it is, the token, and what goes wrong on the way."""

import getpass
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import grpc
import typer
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from paygate.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from pkg.process.called import RUN
from pkg.process.data_folder import ADMIN_ENV, data_dir, told
from pkg.process.loopback import LoopbackAddress
from pkg.process.settings import ServiceSettings, load_or_explain
from services.payments.cli.output import NO_ANSWER, REFUSED, WRONG, complain, end

CALL_SECONDS_MAX = 10.0

_NAMES = ("PAYGATE_ADMIN_ADDRESS", "PAYGATE_ADMIN_TOKEN", "PAYGATE_ADMIN_TOKEN_FILE")
_FOLDER = "PAYGATE_SECRETS_DIR"


class Access(ServiceSettings):
    """Where the admin process is, and what it asks for."""

    model_config = SettingsConfigDict(env_prefix="PAYGATE_")

    # Loopback alone: the token goes there in plain text.
    admin_address: LoopbackAddress = "127.0.0.1:50054"
    admin_token: SecretStr


class Admin:
    """The admin API, for one command; whatever is wrong ends the command."""

    def __init__(self) -> None:
        os.environ.update(_of_make_run(os.environ))
        access = load_or_explain(Access, lambda line: sys.stderr.write(f"paygate: {line}"))
        if access is None:
            raise end(
                f"set it, or PAYGATE_DATA_DIR where a `{RUN}` on this machine serves: none does"
                f" on {data_dir(os.environ)}.",
                WRONG,
            )
        self._address = access.admin_address
        self._metadata = (
            ("authorization", f"Bearer {access.admin_token.get_secret_value()}"),
            ("paygate-operator", re.sub(r"[^\w.@-]", "", _user(), flags=re.ASCII)[:64]),
        )
        self._stub = AdminServiceStub(grpc.insecure_channel(self._address))

    def ask(self, request: Message) -> Any:
        """Send a request to the method that takes it, and return the reply."""
        method = getattr(self._stub, type(request).__name__.removesuffix("Request"))
        try:
            return method(request, metadata=self._metadata, timeout=CALL_SECONDS_MAX)
        except grpc.RpcError as problem:
            self._explain(problem)

    def ask_for_all(self, request: Any) -> Any:
        """Return the reply to a list's request with the rows of all its pages."""
        found = self.ask(request)
        while found.next_page_token:
            request.page_token = found.next_page_token
            found.ClearField("next_page_token")
            found.MergeFrom(self.ask(request))
        return found

    def _explain(self, problem: Any) -> NoReturn:
        trailers = dict(problem.trailing_metadata() or ())
        details = trailers.get("grpc-status-details-bin")
        if details is None:
            code = problem.code().name
            raise end(
                f"the admin process does not answer at {self._address} ({code}): is it there?",
                NO_ANSWER,
            ) from None
        status = Status.FromString(details)
        complain(status.message)
        for detail in status.details:
            bad = error_details_pb2.BadRequest()
            if detail.Unpack(bad):
                for violation in bad.field_violations:
                    complain(f"  {violation.field} {violation.description}")
        raise typer.Exit(REFUSED) from None


def _of_make_run(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a `make run` on this machine says, unless the environment says anything."""
    if any(name in environment for name in (*_NAMES, _FOLDER)):
        return {}
    said = told(data_dir(environment) / ADMIN_ENV)
    return {name: said[name] for name in _NAMES if name in said}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid-{os.getuid()}"
