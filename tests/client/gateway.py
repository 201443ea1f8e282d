"""A gateway that answers from a script, in the test's own process."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import httpx2

URL, API_KEY = "http://gateway.example", "sk_test"
AMOUNT = {"minor_units": "1000", "currency": "GBP"}
TIME = "2026-11-23T21:13:13.819307Z"
ACTION = {
    "id": "act_1",
    "payment_id": "pay_1",
    "type": "TYPE_AUTHORIZE",
    "status": "STATUS_SUCCEEDED",
    "amount": AMOUNT,
    "reference": "",
    "sequence": "1",
    "create_time": TIME,
    "update_time": TIME,
    "approval_code": "A1F8518E",
}
PAYMENT = {
    "id": "pay_1",
    "status": "STATUS_AUTHORIZED",
    **dict.fromkeys(("authorized", "captured", "refunded", "capturable", "refundable"), AMOUNT),
    "reference": "",
    "create_time": TIME,
    "update_time": TIME,
    "expire_time": TIME,
    "actions": [],
}
DONE: dict[str, Any] = {"action": ACTION, "payment": PAYMENT}

Answer = httpx2.Response | type[httpx2.TransportError]


def said(body: object, status: int = 200, **headers: str) -> httpx2.Response:
    """Return a reply."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx2.Response(status, json=body, headers=named)


def refused(status: int, reason: str, *, code: int = 3, **headers: str) -> httpx2.Response:
    """Return an error as the gateway writes it."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
    body = {"code": code, "message": "Said so.", "details": [info]}
    return said(body, status, **headers)


class Script(httpx2.MockTransport):
    """Gives one answer after the other, the last one for ever, and keeps the requests."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.requests: list[httpx2.Request] = []
        self._answers = self._endless(answers)
        super().__init__(self._answer)

    @property
    def keys(self) -> list[str | None]:
        """The idempotency key of each request."""
        return [request.headers.get("idempotency-key") for request in self.requests]

    @property
    def queries(self) -> list[dict[str, str]]:
        """The query of each request."""
        return [dict(request.url.params) for request in self.requests]

    @property
    def bodies(self) -> list[Any]:
        """The JSON of each request."""
        return [json.loads(request.content) for request in self.requests]

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, type):
            raise answer("broken", request=request)
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=httpx2.ByteStream(answer.content)
        )

    @staticmethod
    def _endless(answers: Iterable[Answer]) -> Iterator[Answer]:
        for answer in answers:
            yield answer
        while True:
            yield answer
