"""The calls that look at the request log of the sandbox."""

from paygate_client import _decode as read
from paygate_client._call import Call, part
from paygate_client._requests import PAGE_SIZE, id_of
from paygate_client.models import Page, Payment
from paygate_client.sandbox_models import LoggedRequest

PATH = "/sandbox/requests"


def list_requests(
    *,
    failed: bool,
    payment: Payment | str | None,
    idempotency_key: str | None,
    method: str | None,
    token: str,
) -> Call[Page[LoggedRequest]]:
    """One page of the merchant's last calls."""
    query = {
        "failed": "true" if failed else None,
        "payment_id": None if payment is None else id_of(payment),
        "idempotency_key": idempotency_key,
        "method": method,
        "page_size": str(PAGE_SIZE),
        "page_token": token or None,
    }
    found = read.page("requests", read.logged_request)
    return Call(name="list requests", method="GET", path=PATH, query=query, read=found)


def get_request(request_id: str) -> Call[LoggedRequest]:
    """Look at one of the merchant's last calls."""
    path, found = f"{PATH}/{part(request_id)}", read.under("request", read.logged_request)
    return Call(name="get request", method="GET", path=path, read=found)
