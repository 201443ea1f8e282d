"""One attempt to deliver an event: signed, posted, and what the answer means for the delivery."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import structlog

from pkg.observe.tracing import Kind, Tracer
from services.events.delivery_queue import Attempt, Claimed, Endpoint, Status
from services.events.event_messages import body_of
from services.events.origin import event_span
from services.events.post import Poster
from services.events.schedule import next_delay
from services.events.sealing import SecretBox
from services.events.signing import Signer

logger = structlog.get_logger()

SIGNERS_MAX = 1_024  # in memory, of the endpoints that were posted to last


class Messenger:
    """Attempts deliveries, any number at once.

    Args:
        poster: Posts what is signed; is closed by whoever has made it.
        box: Opens the endpoints' signing secrets.
        chance: Returns a number from 0 to 1, for the jitter of retries.
        tracer: Records attempts, in the traces of the requests that made the events.
    """

    def __init__(
        self,
        poster: Poster,
        box: SecretBox,
        *,
        chance: Callable[[], float] = random.random,
        tracer: Tracer | None = None,
    ) -> None:
        self._poster = poster
        self._box = box
        # By all of the sealed secrets: what is rotated is opened anew.
        self._signer = lru_cache(SIGNERS_MAX)(self._new_signer)
        self._chance = chance
        self._tracer = tracer

    async def attempt(self, claimed: Claimed) -> Attempt:
        """Attempt a delivery once; whatever goes wrong, something became of it."""
        try:
            return await self._post(claimed)
        except Exception as problem:  # noqa: BLE001 - one bad row must not end the others' delivery
            # Without the traceback: it could show a secret.
            name = type(problem).__name__
            logger.warning("not delivered", event_id=claimed.event_id, problem=name)
            return self._failed(claimed, 0, "internal error")

    async def _post(self, claimed: Claimed) -> Attempt:
        if claimed.payload is None:
            return Attempt(claimed=claimed, status=Status.FAILED, error="event removed")
        if self._tracer is None:
            return await self._post_payload(claimed, claimed.payload)
        with event_span(
            self._tracer, "webhook", claimed.payload, event_id=claimed.event_id, kind=Kind.CLIENT
        ) as span:
            attempt = await self._post_payload(claimed, claimed.payload)
            span.tell("paygate.attempt", claimed.attempts + 1)
            span.tell("http.response.status_code", attempt.status_code)
            if attempt.status is not Status.DELIVERED:
                span.fail(attempt.error)
            return attempt

    async def _post_payload(self, claimed: Claimed, payload: bytes) -> Attempt:
        """Post an event. It gets no `traceparent`: whoever receives it is a stranger."""
        body = body_of(payload)
        signer = self._signer(claimed.endpoint, claimed.secrets)
        headers = signer.headers(body, event_id=claimed.event_id, now=datetime.now(UTC))
        answer = await self._poster.post(
            claimed.url, body, headers, owner=claimed.endpoint.merchant_id
        )
        if 200 <= answer.status < 300:
            return Attempt(claimed=claimed, status=Status.DELIVERED, status_code=answer.status)
        return self._failed(claimed, answer.status, answer.error or f"http {answer.status}")

    def _new_signer(self, endpoint: Endpoint, secrets: tuple[tuple[str, bytes], ...]) -> Signer:
        return Signer(
            [
                self._box.open(
                    sealed,
                    merchant_id=endpoint.merchant_id,
                    endpoint_id=endpoint.id,
                    secret_id=secret_id,
                )
                for secret_id, sealed in secrets
            ]
        )

    def _failed(self, claimed: Claimed, status_code: int, error: str) -> Attempt:
        gone = status_code == 410
        delay = None if gone else next_delay(claimed.attempts + 1, random=self._chance)
        return Attempt(
            claimed=claimed,
            status=Status.FAILED if delay is None else Status.PENDING,
            status_code=status_code,
            error=error,
            delay=delay,
            gone=gone,
        )
