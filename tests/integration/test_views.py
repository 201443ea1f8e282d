"""What is read of rows says what the domain says: many payments, each with a life of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

import pytest
from google.protobuf.message import Message

from paygate.payments.v1 import payment_pb2 as pb
from pkg.ids import new_id
from pkg.postgres.sql import BEGIN_COMMIT_ERA, Pool, open_pool
from pkg.postgres.tenancy import MerchantPool
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.api.codec import ProtoEvents, action_fields, payment_fields
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.errors import PaymentsError
from services.payments.domain.event import event_of
from services.payments.domain.outcome import Approved, DeclineCode, Declined, Final, Rejected
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle, settle_expiry, settle_reversal
from services.payments.domain.status import Status
from services.payments.domain.views import PaymentView
from services.payments.ports import Change, CommitResult, PaymentFilter
from tests.builders import (
    APPROVAL_CODE,
    LIFETIME,
    MERCHANT,
    NOW,
    begun,
    capture,
    refund,
    void,
    void_remainder,
)
from tests.database import as_part
from tests.shown import shown_action, shown_payment

LIVES = 300
REFERENCES = ("r0", "r1", "r2")
STEPS_MAX = 12
END = NOW + LIFETIME
IN_TIME = END - timedelta(days=1)
VERBS = ["answer"] * 6 + ["capture"] * 2 + ["refund"] * 3 + ["void", "release", "expire"]
ANSWERS: list[Final] = [
    *(Approved(APPROVAL_CODE), Approved(), Approved()),
    Declined(DeclineCode.REFUND_REJECTED),
    Rejected(),
]
FIRST_ANSWERS = [Approved(APPROVAL_CODE)] * 12 + ANSWERS


@dataclass
class Life:
    """A payment to which things happen by chance."""

    store: PostgresStore
    chance: Random

    def __post_init__(self) -> None:
        """Be born."""
        reference = self.chance.choice(REFERENCES)
        self.payment, action = begun(100, now=self._time(NOW), reference=reference)
        self.running = [action]
        self.actions = {action.id: action}

    def _time(self, time: datetime) -> datetime:
        """Return a time some seconds later, or that very time, to the microsecond."""
        later = self.chance.choice([0, 1, 999_999, self.chance.randint(0, 10**8)])
        return time + timedelta(microseconds=later)

    async def be_lived(self) -> None:
        """Store it, and what happens to it."""
        await self._stored(self.running)
        fate = self.chance.random()
        if fate < 0.1:
            await self._reverse()
        elif fate < 0.9:
            await self._answer(FIRST_ANSWERS)
            for _ in range(self.chance.randint(0, STEPS_MAX)):
                verb = self.chance.choice(VERBS)
                await (self._answer(ANSWERS) if verb == "answer" else self._begin(verb))

    async def _begin(self, verb: str) -> None:
        """Begin what may begin."""
        try:
            begins = self._begun(verb, self._time(NOW))
        except PaymentsError:
            return
        if begins is not None:
            self.payment, action = begins
            self.running.append(action)
            await self._stored([action])

    def _begun(self, verb: str, now: datetime) -> tuple[Payment, Action] | None:
        amount = self.chance.choice([1, 30, 70, 100])
        match verb:
            case "capture":
                final = self.chance.random() < 0.3
                return capture(self.payment, amount, final=final, now=now)
            case "refund":
                return refund(self.payment, amount, now=now)
            case "void":
                return void(self.payment, now=now)
            case "release":
                return void_remainder(self.payment, now=now)
            case _:
                return self.payment.expire(action_id=new_id("act", END), now=END)

    async def _answer(self, answers: Sequence[Final]) -> None:
        """Let one of what is under way end."""
        if not self.running:
            return
        action = self.running.pop(self.chance.randrange(len(self.running)))
        now = self._time(NOW)
        if action.type is ActionType.EXPIRE:
            settled = settle_expiry(self.payment, action, now)
        else:
            settled = settle(self.payment, action, self.chance.choice(answers), now)
        assert settled is not None
        self.payment, action = settled
        await self._stored([action])

    async def _reverse(self) -> None:
        """Undo the authorization, or begin to."""
        authorization, now = self.running.pop(), self._time(NOW)
        self.payment, reversal = self.payment.reverse(action_id=new_id("act", now), now=now)
        await self._stored([reversal])
        if self.chance.random() < 0.5:
            done = settle_reversal(self.payment, reversal, authorization, now)
            assert done is not None
            self.payment, *ended = done
            await self._stored(ended)

    async def _stored(self, actions: Sequence[Action]) -> None:
        event = None
        if len(actions) == 1 and actions[0].status is not ActionStatus.PENDING:
            event = event_of(self.payment, actions[0], event_id=new_id("evt", NOW))
        change = Change(payment=self.payment, actions=tuple(actions), event=event)
        assert await self.store.commit(change) is CommitResult.COMMITTED
        self.actions |= {action.id: action for action in actions}


Shown = dict[str, bytes]


def shown(payments: Iterable[Payment], now: datetime) -> Shown:
    """Return what clients get of payments by the domain's word, by their ids."""
    return {one.id: bytes_of(shown_payment(one, now)) for one in payments}


def told(views: Iterable[PaymentView], now: datetime) -> Shown:
    """Return what clients get of what was read."""
    return {one.id: bytes_of(pb.Payment(**payment_fields(one, now))) for one in views}


def is_wanted(payment: Payment, wanted: PaymentFilter) -> bool:
    """Tell whether a filter by reference or status finds a payment."""
    is_of_status = wanted.status in {None, payment.status}
    return is_of_status and wanted.reference in {"", payment.reference}


def bytes_of(message: Message) -> bytes:
    """Return a message in the order of its fields."""
    return message.SerializeToString(deterministic=True)


@pytest.fixture
async def pools(payments_database_url: str) -> AsyncIterator[Sequence[Pool]]:
    """What reads and writes as the gateway, and what looks at one merchant's payments."""
    gateway, reader = (
        as_part(payments_database_url, f"paygate_{part}") for part in ("gateway", "reader")
    )
    opened = partial(open_pool, command_timeout_seconds=10, name="test")
    async with (
        await opened(gateway, size=2) as reads,
        await opened(gateway, size=1, first=BEGIN_COMMIT_ERA) as writes,
        await opened(reader, size=2) as looks,
    ):
        yield reads, writes, looks


async def test_a_look_says_what_the_domain_says(pools: Sequence[Pool]) -> None:
    """Of every payment and action, in every list, in time and late, byte for byte."""
    reads, writes, looks = pools
    clocks, chance = SandboxClocks(), Random(20261128)
    store = PostgresStore(reads, writes, events=ProtoEvents(), clocks=clocks, lease=LIFETIME)
    lives = [Life(store, Random(chance.random())) for _ in range(LIVES)]
    await asyncio.gather(*(life.be_lived() for life in lives))
    payments = [life.payment for life in lives]
    assert {payment.status for payment in payments} == set(Status)
    reader = PostgresReader(MerchantPool(looks), clocks=clocks)
    found = await asyncio.gather(*(reader.get_payment(MERCHANT, one.id) for one in payments))
    every = PaymentFilter()
    by_reference = [PaymentFilter(reference=reference) for reference in REFERENCES]
    # Together the filters find every payment: each statement shows all that can become of one.
    looks_at = [
        *((reader.list_payments, wanted) for wanted in (every, *by_reference)),
        *((reader.list_payments, PaymentFilter(status=status)) for status in Status),
        *((reader.follow_payments, wanted) for wanted in (every, *by_reference)),
    ]
    listed = [
        ((await read(MERCHANT, wanted, place=None, size=LIVES)).items, wanted)
        for read, wanted in looks_at
    ]
    for now in (IN_TIME, END):
        assert told(filter(None, found), now) == shown(payments, now)
        for views, wanted in listed:
            those = (one for one in payments if is_wanted(one, wanted))
            assert told(views, now) == shown(those, now), wanted
    for life in lives:
        await assert_actions_are_told(reader, life)


async def assert_actions_are_told(reader: PostgresReader, life: Life) -> None:
    """Check a payment's history, both as it comes with the payment and as a list."""
    payment_id = life.payment.id
    wanted = [bytes_of(shown_action(action)) for action in life.actions.values()]
    listed = await reader.list_actions(MERCHANT, payment_id, after_sequence=0, limit=LIVES)
    assert listed is not None
    assert [bytes_of(pb.Action(**action_fields(view))) for view in listed] == wanted
    found = await reader.get_payment_with_actions(MERCHANT, payment_id, limit=LIVES)
    assert found is not None
    assert told(found[:1], IN_TIME) == shown([life.payment], IN_TIME)
    assert [bytes_of(pb.Action(**action_fields(view))) for view in found[1]] == wanted
