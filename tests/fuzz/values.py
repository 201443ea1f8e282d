"""Requests that mean something, and values that mean trouble."""

import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from google.protobuf.message import Message

from services.acquirer.cards import CARDS
from services.events.requests import EVENT_TYPES
from services.payments.domain.money import EXPONENTS
from tests.fuzz.api import Method
from tests.fuzz.odd import DAY, SECONDS_ODD, odd_value
from tests.fuzz.pool import REQUEST, Pool
from tests.sentinels import PANS, cvv_of, written

DEPTH_MAX = 5
# What a name tells of an id; of others, such as `id`, it is learned what is right.
# One for the whole run: what a seed makes does not depend on the second in which it does.
NOW = int(time.time())

PREFIXES = {
    "authorization_id": "pay",
    "payment_id": "pay",
    "endpoint_id": "we",
    "card_token": "tok",
    "token": "tok",
}
OF_METHODS = {"GetRequest": REQUEST, "DeleteBankRule": "rule", "DeleteSandbox": "mer"}
# Without these little more than "is required" would be reached.
DECLINE = 2  # of a bank rule
LISTENER = "https://listener.paygate.test/"
NEEDED = {"pan", "cvv", "month", "year", "currency", "minor_units", "id", "authorization_id", "url"}

# What a descriptor is, protobuf tells type checkers in two ways that do not fit together.
Field = Any


class Values:
    """Makes the messages of one lane.

    Args:
        random: Decides everything.
        pool: What can be named.
        url: Where webhooks may be posted to: a loopback address.
        odd: How likely a field has a value that means trouble; with 0 nothing is left out either.
    """

    def __init__(self, random: Random, pool: Pool, *, url: str, odd: float) -> None:
        self._random = random
        self._pool = pool
        self._odd = odd
        self._filter_likely = 0.0
        self._payment: Any = None
        self._pan = ""
        self._hints: dict[str, Callable[[], Any]] = {
            "pan": self._card_number,
            "cvv": lambda: cvv_of(self._pan),
            "month": lambda: random.randint(1, 12),
            "year": lambda: pool.year + random.randint(1, 50),  # the sandbox's clock is turned
            "currency": self._currency,
            "minor_units": self._minor_units,
            "url": lambda: random.choice((f"{url}/{random.randrange(3)}", url, LISTENER)),
            "page_size": lambda: random.choice((0, 1, 1, 2, 3, 100)),
            "page_token": self._token,
            "times": lambda: random.randint(1, 5),
            "percent": lambda: random.randint(1, 100),
            "last4": lambda: random.choice(("", "4242")),
            "minor_units_min": lambda: random.choice((0, 0, 1, 100)),
            "minor_units_max": lambda: random.choice((0, 0, 1000, 10**12)),
            "overlap_seconds": lambda: random.choice((0, 1, 3600, 604_800)),
            "type": lambda: random.choice(EVENT_TYPES),
            "types": lambda: random.choice(EVENT_TYPES),
            "event_types": lambda: random.choice(EVENT_TYPES),
        }

    def request(self, method: Method) -> Message:
        """Return a request that may well be carried out."""
        self._payment = None
        self._filter_likely = self._random.choice((0.0, 0.2, 0.5))
        pages = self._pool.pages.get(method.path)
        request: Message = method.request()
        if pages and self._random.random() < 0.3:
            request.ParseFromString(self._random.choice(pages))
        else:
            self._fill(method, request)
        if method.name == "CreateBankRule" and self._random.random() >= self._odd:
            rule: Any = request  # only who declines has a reason, which all can be declined for
            rule.ClearField("active_from")
            rule.effect.kind = rule.effect.kind or DECLINE
            declines = rule.effect.kind == DECLINE
            rule.effect.decline_code = self._random.randint(1, 8) if declines else 0
        if method.name == "CreateSandbox" and self._random.random() >= self._odd:
            made: Any = request  # half of all times are past
            made.ClearField("start_time")
            made.name = made.name or "test"
        # Of an event and an endpoint that chance brings together there is hardly ever a delivery.
        if method.name == "ListDeliveryAttempts" and self._pool.deliveries:
            told: Any = request
            told.id, told.endpoint_id = self._random.choice(self._pool.deliveries)
        if method.name in {"TakeWebhooks", "AnswerWebhook"} and self._random.random() >= self._odd:
            self._listen(request)
        return request

    def _listen(self, request: Any) -> None:
        """Have a request be a good one of a listener: chance alone knows no endpoint for one."""
        request.endpoint_id = (self._pool.listeners or [""])[-1]
        if request.DESCRIPTOR.name == "AnswerWebhookRequest":
            request.id, request.problem, request.status_code = f"msg_{'0' * 26}", 0, 200
        else:
            request.listener, request.begin, request.wait.seconds = "a", True, 0

    def with_one_odd(self, message: Message) -> None:
        """Make one field of a request odd: all else being right, this one is looked at."""
        places = list(_places(message))
        if not places:
            return
        holder, field = self._random.choice(places)
        if field.is_repeated:
            getattr(holder, field.name)[:] = [odd_value(self._random, field)]
        else:
            setattr(holder, field.name, odd_value(self._random, field))

    def _fill(self, method: Method, message: Message, depth: int = 0) -> None:
        optional = self._filter_likely if _is_list(message) else 0.5
        chosen = {self._one_of(oneof.fields) for oneof in message.DESCRIPTOR.oneofs}
        for field in message.DESCRIPTOR.fields:
            alone = field.containing_oneof is None or field.name in chosen
            is_needed = field.name in NEEDED or (
                field.message_type is not None and not _is_list(message)
            )
            likely = (1.0 if self._odd == 0 else 0.97) if is_needed else optional
            if depth <= DEPTH_MAX and alone and self._random.random() < likely:
                self._set(method, message, field, depth)

    def _one_of(self, fields: Sequence[Field]) -> str:
        """Choose; rather not what names a thing while none of its kind is known."""
        names: list[str] = [field.name for field in fields]
        known = [one for one in names if one not in PREFIXES or self._pool.ids.get(PREFIXES[one])]
        usual = self._random.random() >= self._odd
        return self._random.choice(known if known and usual else names)

    def _set(self, method: Method, message: Message, field: Field, depth: int) -> None:
        if field.is_repeated:
            kept = getattr(message, field.name)
            for _ in range(self._random.choice((0, 1, 1, 2, 3))):
                if field.message_type is not None:
                    self._fill(method, kept.add(), depth + 1)
                else:
                    kept.append(self._value(method, field))
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            if not self._set_time(inner, field.name):
                self._fill(method, inner, depth + 1)
        else:
            setattr(message, field.name, self._value(method, field))

    def _set_time(self, message: Any, field_name: str) -> bool:
        """Set a point or a length of time, if it is one."""
        name, random = message.DESCRIPTOR.full_name, self._random
        if name not in {"google.protobuf.Timestamp", "google.protobuf.Duration"}:
            return False
        usual = NOW + random.randint(-DAY, DAY)
        if name.endswith("Duration"):
            usual = random.choice((0, 1) if field_name in {"delay", "jitter"} else (1, 1, 60, 3600))
        odd = random.random() < self._odd
        message.seconds = random.choice(SECONDS_ODD) if odd else usual
        message.nanos = random.choice((1, -1, 999_999_999, 2**31 - 1)) if odd else 0
        return True

    def _value(self, method: Method, field: Field) -> Any:
        random, name = self._random, field.name
        if random.random() < self._odd:
            return odd_value(random, field)
        if field.enum_type is not None:
            return random.choice(field.enum_type.values).number
        if name in PREFIXES or name == "id" or name.endswith("_id"):
            return self._known(method, name)
        if name in self._hints:
            return self._hints[name]()
        if field.cpp_type == field.CPPTYPE_STRING:
            return random.choice(("", "order", "Bestellung ä", "注文", "😀", f"{random.random()}"))
        return odd_value(random, field)

    def _known(self, method: Method, name: str) -> str:
        """Return an id, most often one with which something can be done."""
        # Too few of the calls of a run look at one to learn it.
        prefix = OF_METHODS.get(method.name) or PREFIXES.get(name)
        chosen = self._pool.id_for(self._random, method, name, prefix=prefix)
        if prefix == "pay" and self._random.random() < 0.6:
            chosen = self._random.choice(self._pool.open_payments() or [chosen])
        self._payment = self._pool.payments.get(chosen)
        return chosen

    def _token(self) -> str:
        """Return no token, or now and then one of another list, or one that was changed."""
        random, token = self._random, self._random.choice(self._pool.tokens or [""])
        place = random.randrange(len(token) + 1)
        changed = token[:place] + random.choice("Ab-_=+é") + token[place + 1 :]
        return random.choice((*[""] * 8, token, changed)) if self._odd else ""

    def _card_number(self) -> str:
        random = self._random
        self._pan = random.choice(PANS if random.random() < 0.85 else list(CARDS))
        return random.choice(written(self._pan)) if random.random() < 0.2 else self._pan

    def _currency(self) -> str:
        if self._payment is not None:
            return str(self._payment.authorized.currency)
        return self._random.choice(("GBP", "JPY", "KWD", self._random.choice(list(EXPONENTS))))

    def _minor_units(self) -> int:
        """Return an amount; of a payment a part, or all that is left, or one more."""
        random, payment = self._random, self._payment
        if payment is None:
            return random.choice((1, 1000, random.randint(1, 10**6), 10**12))
        left = max(payment.capturable.minor_units, payment.refundable.minor_units)
        return random.choice((1, left or 1, left // 2 + 1, left // 10 + 1, left + 1))


def _is_list(message: Message) -> bool:
    """Tell whether it asks for a page: with all filters at once nothing is left to be found."""
    return "page_token" in message.DESCRIPTOR.fields_by_name


def _places(message: Message) -> Iterator[tuple[Any, Field]]:
    """Yield every field that holds a value or a list of them, with the message it is in."""
    for field, value in message.ListFields():
        if field.message_type is None:
            yield message, field
        else:
            for inner in value if field.is_repeated else (value,):
                yield from _places(inner)
