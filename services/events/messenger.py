"""One attempt to deliver an event: signed, posted, and what the answer means for the delivery."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import structlog

from pkg.observe.tracing import Kind, Tracer
from services.events.delivery_queue import Attempt, Claimed, Endpoint, Status
from services.events.event_messages import body_of
from services.events.listeners import Listeners
from services.events.origin import event_span
from services.events.post import Answer, Poster
from services.events.schedule import next_delay
from services.events.sealing import SecretBox
from services.events.signing import Signer

logger = structlog.get_logger()

SIGNERS_MAX = 1_024  # in memory, of the endpoints that were posted to last
_GONE = 410


class Messenger:
    """Attempts deliveries, any number at once.

    Args:
        poster: Posts what is signed; is closed by whoever has made it.
        listeners: Has posted what goes to a listener; the same.
        box: Opens the endpoints' signing secrets.
        chance: Returns a number from 0 to 1, for the jitter of retries.
        tracer: Records attempts, in the traces of the requests that made the events.
    """

    def __init__(
        self,
        poster: Poster,
        listeners: Listeners,
        box: SecretBox,
        *,
        chance: Callable[[], float] = random.random,
        tracer: Tracer | None = None,
    ) -> None:
        self._poster = poster
        self._listeners = listeners
        self._box = box
        # By all of the sealed secrets: what is rotated is opened anew.
        self._signer = lru_cache(SIGNERS_MAX)(self._new_signer)
        self._chance = chance
        self._tracer = tracer

    async def attempt(self, claimed: Claimed) -> Attempt:
        """Attempt a delivery once; whatever goes wrong, something became of it."""
        if claimed.payload is None:
            return Attempt(claimed=claimed, status=Status.FAILED, error="event removed")
        begin_time, began = datetime.now(UTC), time.perf_counter()
        try:
            answer = await self._post(claimed, claimed.payload, begin_time)
        except Exception as problem:  # noqa: BLE001 - one bad row must not end the others' delivery
            # Without the traceback: it could show a secret.
            name = type(problem).__name__
            logger.warning("not delivered", event_id=claimed.event_id, problem=name)
            answer = Answer(0, "internal error")
        return self._judged(claimed, answer, begin_time, time.perf_counter() - began)

    async def _post(self, claimed: Claimed, payload: bytes, now: datetime) -> Answer:
        if self._tracer is None:
            return await self._post_payload(claimed, payload, now)
        with event_span(
            self._tracer, "webhook", payload, event_id=claimed.event_id, kind=Kind.CLIENT
        ) as span:
            answer = await self._post_payload(claimed, payload, now)
            span.tell("paygate.attempt", claimed.attempts + 1)
            span.tell("http.response.status_code", answer.status)
            if not answer.is_acceptance:
                span.fail(_problem(answer))
            return answer

    async def _post_payload(self, claimed: Claimed, payload: bytes, now: datetime) -> Answer:
        """Post an event. It gets no `traceparent`: whoever receives it is a stranger."""
        body = body_of(payload)
        signer = self._signer(claimed.endpoint, claimed.secrets)
        headers = signer.headers(body, event_id=claimed.event_id, now=now)
        if self._poster.is_to_listener(claimed.url):
            return await self._listeners.post(claimed, headers, body)
        return await self._poster.post(
            claimed.url, body, headers, owner=claimed.endpoint.merchant_id
        )

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

    def _judged(
        self, claimed: Claimed, answer: Answer, begin_time: datetime, seconds: float
    ) -> Attempt:
        """Return what an answer means for the delivery."""
        delivered, gone = answer.is_acceptance, answer.status == _GONE
        delay = None
        if not (delivered or gone):
            delay = next_delay(claimed.attempts + 1, random=self._chance)
        given_up = Status.FAILED if delay is None else Status.PENDING
        return Attempt(
            claimed=claimed,
            status=Status.DELIVERED if delivered else given_up,
            status_code=answer.status,
            error="" if delivered else _problem(answer),
            delay=delay,
            gone=gone,
            begin_time=begin_time,
            seconds=seconds,
            reply=answer.reply,
            inbox=answer.inbox,
        )


def _problem(answer: Answer) -> str:
    return answer.error or f"http {answer.status}"
