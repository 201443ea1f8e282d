"""What is wrong with a reply, whatever the request was."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from tests.fuzz.case import Case, Reply
from tests.leaks import Search, Secrets
from tests.sentinels import AMEX_CVV, CVV, PANS
from tools.openapi.api import read_api
from tools.openapi.operations import reasons_of
from tools.stack.settings import REPOSITORY

# What nobody may get while nothing is overloaded, away or slow on purpose.
NEVER = {"INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"}
LATE = {"DEADLINE_EXCEEDED", "CANCELLED"}


class Oracle:
    """Knows what no reply may be.

    Args:
        api_keys: Of the merchants; a reply repeats none of them.
    """

    def __init__(self, api_keys: Sequence[str]) -> None:
        self._search = Search(Secrets(pans=PANS, cvvs=(CVV, AMEX_CVV), api_keys=api_keys))

    def complaints(self, case: Case, reply: Reply) -> list[str]:
        """Return what is wrong; nothing if all is well."""
        text = f"{reply.headers!r}\n{reply.error}".encode()
        told = self._search.of(reply.body + text)
        return [*_form(case, reply), *(f"it repeats {what}" for what in told)]


def _form(case: Case, reply: Reply) -> Iterator[str]:
    if case.hurried and (reply.code in LATE or not (reply.code == "OK" or reply.reason)):
        return  # as was asked for: too late, or cut off on its way
    if case.oversized:
        if reply.code == "OK":
            yield "it was carried out, with more than the edge takes"
        return  # reset: there is no room for a reason
    if reply.http_status == 0:
        yield "the connection was cut"
        return
    # In gRPC both the edge and the service say it: in the headers and behind the reply.
    request_ids = {value for name, value in reply.headers if name == "x-request-id"}
    if len(request_ids) != 1 or "" in request_ids:
        yield f"it has {len(request_ids)} request ids"
    if reply.code != "OK":
        if reply.http_status is not None:
            yield from _http_form(reply)
        if reply.body or reply.http_status is None:  # a HEAD's error has none
            yield from _error_form(case, reply)


def _http_form(reply: Reply) -> Iterator[str]:
    assert reply.http_status is not None
    if reply.http_status == 204:  # to OPTIONS: what the path can be asked
        if reply.body or "allow" not in dict(reply.headers):
            yield "it does not tell the methods of the path, or has a body"
        return
    if not 400 <= reply.http_status < 500:
        yield f"HTTP {reply.http_status}"
    if ("content-type", "application/json") not in reply.headers:
        yield "the error is not called JSON"


def _error_form(case: Case, reply: Reply) -> Iterator[str]:
    if reply.error is None:
        yield "the error is no google.rpc.Status"
    elif not reply.reason:
        yield f"{reply.code}, and no ErrorInfo of ours"
    elif reply.code in NEVER:
        yield reply.code
    elif not is_documented(reply):
        yield f"{reply.http_status} {reply.code} {reply.reason} is not in docs/api.md"
    elif case.request is not None and not is_said(case, reply):
        yield f"{case.method.name} is not said to refuse with {reply.http_status} {reply.reason}"


def is_documented(reply: Reply) -> bool:
    """Tell whether the table of errors has this reason with this code and this HTTP status."""
    if reply.http_status is None:
        pairs = {(code, reason) for _, code, reason in documented()}
        return (reply.code, reply.reason) in pairs
    http_status = str(reply.http_status)
    # A dash stands for what only the edge says, over REST.
    rows = {(http_status, code, reply.reason) for code in (reply.code, "–")}
    return bool(rows & documented())


@cache
def documented() -> frozenset[tuple[str, str, str]]:
    """Return the table of errors: HTTP status, gRPC code, reason."""
    found = set()
    for line in (REPOSITORY / "docs" / "api.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and cells[0].isdigit():
            found |= {(cells[0], cells[1], one) for one in re.findall(r"`([A-Z_]{4,})`", cells[2])}
    assert found
    return frozenset(found)


def is_said(case: Case, reply: Reply) -> bool:
    """Tell whether build/openapi.json names this reason for the method.

    Over gRPC an id may be missing as well, which in REST is a part of the path.
    """
    said = reasons()[case.method.path]
    if reply.http_status is not None:
        return (reply.http_status, reply.reason) in said
    return reply.reason in {"VALIDATION_FAILED", *(name for _, name in said)}


@cache
def reasons() -> dict[str, set[tuple[int, str]]]:
    """Return the reasons of each method in REST, with their statuses."""
    return {
        f"/{operation.method.containing_service.full_name}/{operation.method.name}": reasons_of(
            operation
        )
        for operation in read_api(REPOSITORY / "build" / "paygate.binpb").operations
    }
