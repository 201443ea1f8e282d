"""The use cases on fakes: what a client is told when the bank says yes, no, or nothing."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.errors import (
    DependencyUnavailableError,
    IdempotencyInFlightError,
    IdempotencyKeyReusedError,
    ValidationFailedError,
)
from pkg.secret import Secret
from services.payments.adapters.hashing import HmacHasher
from services.payments.adapters.memory import MemoryStore
from services.payments.adapters.vault.memory import MemoryVault
from services.payments.api.codec import ProtoEvents, ProtoReplies
from services.payments.domain import errors
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.event import NOBODY, Origin
from services.payments.domain.hold import Hold
from services.payments.domain.money import Money
from services.payments.domain.outcome import (
    Answer,
    Approved,
    DeclineCode,
    Declined,
    NotFound,
    Rejected,
    Resolution,
    Reversed,
    Unknown,
)
from services.payments.domain.status import Status
from services.payments.ports import CardDetails, Change, CommitResult, Limits, Ports
from services.payments.use_cases.authorize import Authorize, authorize
from services.payments.use_cases.capture import Capture
from services.payments.use_cases.carry_out import carry_out
from services.payments.use_cases.sweep import Sweep
from services.payments.use_cases.two_commits import Reply
from services.payments.use_cases.void import Void
from tests.builders import DETAILS, HASH_KEY, MERCHANT, TurnedClock, gbp

NO = Declined(DeclineCode.INSUFFICIENT_FUNDS)


@dataclass
class FakeBank:
    """Answers as it is told, and remembers what it was asked."""

    answers: list[Answer] = field(default_factory=list)
    inquiries: list[Answer | NotFound] = field(default_factory=list)
    releases: list[Reversed | Unknown] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cards: list[CardDetails] = field(default_factory=list)
    is_away: bool = False

    def ensure_reachable(self) -> None:
        """Raise if it is known to be away."""
        if self.is_away:
            raise DependencyUnavailableError

    async def authorize(self, reference: str, card: CardDetails, amount: Money) -> Answer:
        """Answer the next answer."""
        self.asked.append("authorize")
        self.cards.append(card)
        return self.answers.pop(0)

    async def perform(self, authorization: str, action: Action) -> Answer:
        """Answer the next answer."""
        self.asked.append(action.type.lower())
        return self.answers.pop(0)

    async def reverse(self, authorization: str) -> Reversed | Unknown:
        """Answer the next release's answer."""
        self.asked.append("reverse")
        return self.releases.pop(0)

    async def inquire(self, action: Action) -> Answer | NotFound:
        """Answer the next inquiry's answer."""
        self.asked.append("inquire")
        return self.inquiries.pop(0)


@dataclass
class Fixture:
    """A gateway on fakes."""

    store: MemoryStore = field(default_factory=MemoryStore)
    bank: FakeBank = field(default_factory=FakeBank)
    clock: TurnedClock = field(default_factory=TurnedClock)
    vault: MemoryVault = field(init=False)
    origin: Origin = NOBODY

    def __post_init__(self) -> None:
        self.vault = MemoryVault(self.store)

    @property
    def ports(self) -> Ports:
        """The ports."""
        return Ports(
            store=self.store,
            acquirer=self.bank,
            vault=self.vault,
            cards=self.store,
            clock=self.clock,
            hasher=HmacHasher(Secret(HASH_KEY)),
            replies=ProtoReplies(),
            limits=Limits(conflict_retry_seconds=0.05),
            origin=lambda: self.origin,
        )

    async def authorize(
        self, key: str | None = "a", amount: int = 1000, card: CardDetails | str = DETAILS
    ) -> Reply:
        """Authorize £10."""
        command = Authorize(
            merchant_id=MERCHANT,
            card=card,
            amount=gbp(amount),
            reference="",
            idempotency_key=key,
        )
        return await authorize(self.ports, command)

    async def sweep(self) -> None:
        """Sweep once; the clock of the store is ours."""
        self.store.now = self.clock.now
        await Sweep(self.ports, interval_seconds=1).run_once()

    async def recover(self) -> None:
        """Run recovery on everything that is PENDING, whatever its lease."""
        for place in self.store.due:
            self.store.due[place] = self.store.due[place].replace(year=2000)
        await Sweep(self.ports, interval_seconds=1).recover()


@pytest.fixture
def fixture() -> Fixture:
    """A gateway on fakes."""
    return Fixture()


def authorized(reply: Reply) -> service.AuthorizeResponse:
    """Read a reply."""
    return service.AuthorizeResponse.FromString(reply.body)


def capture_of(payment_id: str) -> Capture:
    """Capture £4."""
    return Capture(
        merchant_id=MERCHANT,
        payment_id=payment_id,
        amount=gbp(400),
        final=False,
        reference="",
        idempotency_key="c",
    )


def void_of(payment_id: str) -> Void:
    """Void it."""
    return Void(
        merchant_id=MERCHANT,
        payment_id=payment_id,
        remainder=False,
        reference="",
        idempotency_key="v",
    )


ANSWERS: list[tuple[Answer, Answer | NotFound | None, int, int]] = [
    (Approved(), None, pb.Action.STATUS_SUCCEEDED, pb.Payment.STATUS_AUTHORIZED),
    (NO, None, pb.Action.STATUS_DECLINED, pb.Payment.STATUS_DECLINED),
    (Rejected(), NotFound(), pb.Action.STATUS_FAILED, pb.Payment.STATUS_FAILED),
    (Rejected(), Rejected(), pb.Action.STATUS_FAILED, pb.Payment.STATUS_FAILED),
    (Rejected(), Approved(), pb.Action.STATUS_SUCCEEDED, pb.Payment.STATUS_AUTHORIZED),
    (Rejected(), NO, pb.Action.STATUS_DECLINED, pb.Payment.STATUS_DECLINED),
    (Rejected(), Unknown(), pb.Action.STATUS_PENDING, pb.Payment.STATUS_PENDING),
    (Unknown(), Approved(), pb.Action.STATUS_SUCCEEDED, pb.Payment.STATUS_AUTHORIZED),
    (Unknown(), NO, pb.Action.STATUS_DECLINED, pb.Payment.STATUS_DECLINED),
    (Unknown(), Unknown(), pb.Action.STATUS_PENDING, pb.Payment.STATUS_PENDING),
    (Unknown(), NotFound(), pb.Action.STATUS_PENDING, pb.Payment.STATUS_PENDING),
]


@pytest.mark.parametrize(("answer", "found", "action", "payment"), ANSWERS)
async def test_answers(
    fixture: Fixture, answer: Answer, found: Answer | NotFound | None, action: int, payment: int
) -> None:
    """Each answer of the bank, and of a look at it, is told as it is; no answer is PENDING."""
    fixture.bank = FakeBank([answer], [found] if found else [])
    reply = authorized(await fixture.authorize())
    assert (reply.action.status, reply.payment.status) == (action, payment)
    again = await fixture.authorize()
    assert (authorized(again), again.replayed) == (reply, True)
    assert fixture.bank.answers == fixture.bank.inquiries == []


async def test_the_banks_approval_code_is_told_by_whoever_settles(fixture: Fixture) -> None:
    """In the reply, in the event and in the history; a client of a lost reply gets it as well."""
    fixture.bank = FakeBank([Approved("A1"), Unknown()], [Unknown(), Approved("C1")])
    first = authorized(await fixture.authorize())
    command = capture_of(first.payment.id)
    pending = service.CaptureResponse.FromString((await carry_out(fixture.ports, command)).body)
    await fixture.recover()
    settled = service.CaptureResponse.FromString((await carry_out(fixture.ports, command)).body)
    told = [reply.action.approval_code for reply in (first, pending, settled)]
    assert told == ["A1", "", "C1"]
    assert [event.action.approval_code for event in fixture.store.events] == ["A1", "C1"]
    payload = PaymentEvent.FromString(ProtoEvents().encode(fixture.store.events[1]))
    assert payload.action.approval_code == "C1"


async def test_recovery_replaces_the_reply_that_said_pending(fixture: Fixture) -> None:
    """After recovery the same key answers with the final reply."""
    fixture.bank = FakeBank([Unknown()], [Unknown(), Approved()])
    assert authorized(await fixture.authorize()).action.status == pb.Action.STATUS_PENDING
    await fixture.recover()
    assert authorized(await fixture.authorize()).action.status == pb.Action.STATUS_SUCCEEDED


async def test_recovery_reverses_an_authorization_that_the_bank_does_not_know(
    fixture: Fixture,
) -> None:
    """The reversal is recorded before it is asked for, and asked for until it is acknowledged."""
    fixture.bank = FakeBank(
        [Unknown()], [Unknown(), NotFound()], [Unknown(), Unknown(), Reversed()]
    )
    payment_id = authorized(await fixture.authorize()).payment.id
    await fixture.recover()
    assert fixture.store.payments[MERCHANT, payment_id].reversing
    assert [action.type for action in fixture.store.actions.values()] == [
        ActionType.AUTHORIZE,
        ActionType.REVERSE,
    ]
    await fixture.recover()
    await fixture.recover()
    assert fixture.bank.asked == ["authorize", *["inquire"] * 2, *["reverse"] * 3]
    assert authorized(await fixture.authorize()).payment.status == pb.Payment.STATUS_FAILED
    assert [event.type for event in fixture.store.events] == ["payment.failed"]


async def test_recovery_sends_a_capture_again(fixture: Fixture) -> None:
    """A capture that the bank does not know is sent again under its own reference."""
    fixture.bank = FakeBank([Approved(), Unknown(), Approved()], [NotFound(), NotFound()])
    payment_id = authorized(await fixture.authorize()).payment.id
    command = capture_of(payment_id)
    await carry_out(fixture.ports, command)
    await fixture.recover()
    assert fixture.bank.asked == ["authorize", "capture", "inquire", "inquire", "capture"]
    assert fixture.store.payments[MERCHANT, payment_id].captured == gbp(400)
    assert (await carry_out(fixture.ports, command)).replayed


ENDS_OF_A_REFUSED_CAPTURE: list[tuple[Answer | NotFound, ActionStatus, int]] = [
    (NotFound(), ActionStatus.FAILED, 0),
    (Approved(), ActionStatus.SUCCEEDED, 400),
    (NO, ActionStatus.DECLINED, 0),
    (Unknown(), ActionStatus.PENDING, 0),
]


@pytest.mark.parametrize(("found", "status", "captured"), ENDS_OF_A_REFUSED_CAPTURE)
@pytest.mark.parametrize("by", ["the worker", "recovery"])
async def test_a_capture_that_the_bank_refuses_for_good(
    fixture: Fixture, by: str, found: Answer | NotFound, status: ActionStatus, captured: int
) -> None:
    """It ends, and its reserve is free, unless the bank has carried out an earlier sending."""
    sent: list[Answer] = [Rejected()] if by == "the worker" else [Unknown(), Rejected()]
    asked = [found] if by == "the worker" else [NotFound(), NotFound(), found]
    fixture.bank = FakeBank([Approved(), *sent], asked)
    payment_id = authorized(await fixture.authorize()).payment.id
    reply = await carry_out(fixture.ports, capture_of(payment_id))
    if by == "recovery":
        await fixture.recover()
    payment = fixture.store.payments[MERCHANT, payment_id]
    (action,) = [a for a in fixture.store.actions.values() if a.type is ActionType.CAPTURE]
    assert (action.status, payment.captured) == (status, gbp(captured))
    assert bool(payment.capturing) is (status is ActionStatus.PENDING)
    again = await carry_out(fixture.ports, capture_of(payment_id))
    assert again.replayed
    if by == "the worker":
        assert again.body == reply.body
    told = service.CaptureResponse.FromString(again.body)
    assert pb.Action.Status.Name(told.action.status) == f"STATUS_{status}"
    if status is ActionStatus.FAILED:
        assert fixture.store.events[-1].type == "payment.capture_failed"


async def test_the_sweep_expires_what_is_due(fixture: Fixture) -> None:
    """Past its time an authorization is released at the bank, EXPIRED, and an event says so."""
    fixture.bank = FakeBank([Approved()], releases=[Reversed()])
    payment_id = authorized(await fixture.authorize()).payment.id
    await fixture.sweep()
    assert fixture.bank.asked == ["authorize"]
    fixture.clock.time += timedelta(days=7)
    await fixture.sweep()
    assert fixture.bank.asked == ["authorize", "reverse"]
    assert fixture.store.payments[MERCHANT, payment_id].status is Status.EXPIRED
    assert fixture.store.events[-1].type == "payment.expired"
    await fixture.sweep()
    assert fixture.bank.asked == ["authorize", "reverse"]


@pytest.mark.parametrize("verb", ["capture", "void"])
async def test_what_one_clock_has_expired_no_other_clock_revives(
    fixture: Fixture, verb: str
) -> None:
    """While the bank is told to release it, a host whose clock is behind gets PAYMENT_EXPIRED."""
    fixture.bank = FakeBank([Approved(), Approved()], releases=[Unknown(), Reversed()])
    payment_id = authorized(await fixture.authorize()).payment.id
    fixture.clock.time += timedelta(days=7)
    await fixture.sweep()
    fixture.clock.time -= timedelta(seconds=1)
    late = (
        carry_out(fixture.ports, void_of(payment_id))
        if verb == "void"
        else carry_out(fixture.ports, capture_of(payment_id))
    )
    with pytest.raises(errors.PaymentExpiredError):
        await late
    await fixture.recover()
    assert fixture.store.payments[MERCHANT, payment_id].status is Status.EXPIRED
    events = [event.type for event in fixture.store.events]
    assert events == ["payment.authorized", "payment.expired"]


async def test_an_expiry_is_asked_for_until_it_is_acknowledged(fixture: Fixture) -> None:
    """While the bank does not answer, the expiry is PENDING, and recovery goes on with it."""
    fixture.bank = FakeBank([Approved()], releases=[Unknown(), Unknown(), Reversed()])
    payment_id = authorized(await fixture.authorize()).payment.id
    fixture.clock.time += timedelta(days=7)
    await fixture.sweep()
    assert fixture.store.payments[MERCHANT, payment_id].hold is Hold.EXPIRING
    await fixture.recover()
    await fixture.recover()
    assert fixture.store.payments[MERCHANT, payment_id].status is Status.EXPIRED


WORDS: list[tuple[Answer | NotFound, Resolution, ActionStatus]] = [
    (Unknown(), Resolution.FAILED, ActionStatus.FAILED),
    (Unknown(), Resolution.SUCCEEDED, ActionStatus.SUCCEEDED),
    (Approved(), Resolution.FAILED, ActionStatus.SUCCEEDED),
    (NO, Resolution.SUCCEEDED, ActionStatus.DECLINED),
    (NotFound(), Resolution.FAILED, ActionStatus.FAILED),
    (NotFound(), Resolution.SUCCEEDED, ActionStatus.PENDING),
]


@pytest.mark.parametrize(("found", "word", "end"), WORDS)
async def test_the_operators_word_counts_where_the_bank_says_nothing(
    fixture: Fixture, found: Answer | NotFound, word: Resolution, end: ActionStatus
) -> None:
    """The bank's answer wins. What it never heard of is sent again, not called done."""
    fixture.bank = FakeBank([Approved(), Unknown()], [Unknown(), found])
    payment_id = authorized(await fixture.authorize()).payment.id
    await carry_out(fixture.ports, capture_of(payment_id))
    (place,) = fixture.store.due
    fixture.store.resolutions[place] = word
    fixture.bank.answers = [Unknown()]
    await fixture.recover()
    assert fixture.store.actions[place].status is end
    told = service.CaptureResponse.FromString(
        (await carry_out(fixture.ports, capture_of(payment_id))).body
    )
    assert pb.Action.Status.Name(told.action.status) == f"STATUS_{end}"
    sent_again = found == NotFound() and word is Resolution.SUCCEEDED
    assert fixture.bank.asked.count("capture") == (2 if sent_again else 1)


@pytest.mark.parametrize("word", Resolution)
async def test_the_operators_word_on_an_authorization(fixture: Fixture, word: Resolution) -> None:
    """It counts while the bank is silent; what the bank does not know is reversed all the same."""
    fixture.bank = FakeBank([Unknown()], [Unknown(), Unknown()])
    await fixture.authorize()
    (place,) = fixture.store.due
    fixture.store.resolutions[place] = word
    await fixture.recover()
    assert fixture.store.actions[place].status is ActionStatus(word)
    fixture.bank = FakeBank([Unknown()], [Unknown(), NotFound()], [Reversed()])
    await fixture.authorize("b")
    (place,) = fixture.store.due
    fixture.store.resolutions[place] = word
    await fixture.recover()
    assert fixture.store.actions[place].status is ActionStatus.FAILED
    assert fixture.bank.asked[-1] == "reverse"


async def test_the_operators_word_on_a_release(fixture: Fixture) -> None:
    """It ends an expiry that the bank never acknowledges."""
    fixture.bank = FakeBank([Approved()], releases=[Unknown(), Unknown()])
    payment_id = authorized(await fixture.authorize()).payment.id
    fixture.clock.time += timedelta(days=7)
    await fixture.sweep()
    (place,) = fixture.store.due
    fixture.store.resolutions[place] = Resolution.SUCCEEDED
    await fixture.recover()
    assert fixture.store.payments[MERCHANT, payment_id].status is Status.EXPIRED


async def test_one_bad_action_holds_up_no_other(fixture: Fixture) -> None:
    """Recovery goes on with the next action when one raises."""
    fixture.bank = FakeBank([Unknown(), Unknown()], [Unknown(), Unknown(), Approved()])
    for key in ("a", "b"):
        await fixture.authorize(key)
    await fixture.recover()  # the second inquiry finds the list empty, and raises
    assert len(fixture.store.due) == 1


async def test_an_expired_card_is_refused_but_its_retry_is_not(fixture: Fixture) -> None:
    """A retry after the card's last month gets the stored reply; a new request is refused."""
    fixture.bank = FakeBank([Approved()])
    first = await fixture.authorize()
    fixture.clock.time = fixture.clock.time.replace(year=2031)
    assert (await fixture.authorize()).body == first.body
    with pytest.raises(ValidationFailedError) as refused:
        await fixture.authorize("new")
    assert set(refused.value.violations) == {"card_details.expiry"}


@dataclass
class Busy(MemoryStore):
    """A store in which, after some commits, somebody else is always faster."""

    commits: int = 0

    async def commit(self, change: Change) -> CommitResult:
        """Conflict, or store what was stored before it got so busy."""
        if self.commits == 0:
            return CommitResult.CONFLICT
        self.commits -= 1
        return await super().commit(change)


async def test_a_payment_that_is_too_busy_to_begin(fixture: Fixture) -> None:
    """A request that never gets its turn is refused in time, and nothing was asked of the bank."""
    fixture.store = Busy()
    with pytest.raises(errors.ConcurrentUpdateError):
        await fixture.authorize()
    assert fixture.bank.asked == []


async def test_waiting_for_the_turn_is_part_of_the_patience(fixture: Fixture) -> None:
    """Whoever waited for it almost all the time has no such time once more to begin again in."""
    fixture.bank = FakeBank([Approved()])
    payment_id = authorized(await fixture.authorize()).payment.id
    ports = replace(fixture.ports, limits=Limits(conflict_retry_seconds=1.0))
    ports = replace(ports, store=Busy(payments=fixture.store.payments))
    command = replace(void_of(payment_id), idempotency_key=None)
    began = time.monotonic()
    async with ports.turns.of((MERCHANT, payment_id), None, wait_seconds_max=1.0):
        voiding = asyncio.create_task(carry_out(ports, command))
        await asyncio.sleep(0.9)
    with pytest.raises(errors.ConcurrentUpdateError):
        await voiding
    assert time.monotonic() - began < 1.5


async def test_a_payment_that_is_too_busy_to_settle(fixture: Fixture) -> None:
    """What the bank has done is never called refused: it is PENDING until recovery writes it."""
    fixture.store, fixture.bank = Busy(commits=1), FakeBank([Approved()], [Approved()])
    assert authorized(await fixture.authorize()).action.status == pb.Action.STATUS_PENDING
    fixture.store.commits = 1
    await fixture.recover()
    assert authorized(await fixture.authorize()).action.status == pb.Action.STATUS_SUCCEEDED


@dataclass
class Ended(Busy):
    """A store in which somebody else ends an action before it is settled, on a primary alone."""

    async def commit(self, change: Change) -> CommitResult:
        """Conflict, and store the change as somebody else's."""
        if self.commits == 0:
            await MemoryStore.commit(self, change)
        return await super().commit(change)

    async def ensure_kept(self) -> None:
        """Say that its standby is away."""
        raise DependencyUnavailableError


async def test_an_end_that_was_read_is_proven_before_it_is_told(fixture: Fixture) -> None:
    """Also where the payment was too busy for this process to settle it."""
    fixture.store, fixture.bank = Ended(commits=1), FakeBank([Approved()])
    ports = replace(fixture.ports, limits=Limits(conflict_retry_seconds=0.0))
    command = Authorize(
        merchant_id=MERCHANT, card=DETAILS, amount=gbp(5), reference="", idempotency_key=None
    )
    with pytest.raises(DependencyUnavailableError):
        await authorize(ports, command)


async def test_a_key_without_a_reply_is_in_flight(fixture: Fixture) -> None:
    """While the first request runs, its twin is told so; another request is told otherwise."""
    fixture.bank = FakeBank([Approved()])
    await fixture.authorize()
    for key in fixture.store.keys.values():
        key.record = replace(key.record, reply=None)
    with pytest.raises(IdempotencyInFlightError):
        await fixture.authorize()
    with pytest.raises(IdempotencyKeyReusedError):
        await fixture.authorize(amount=999)


async def test_a_token_stands_for_the_card(fixture: Fixture) -> None:
    """The bank is sent the same card, without a CVV, and the payment keeps its token."""
    fixture.bank = FakeBank([Approved(), Approved()])
    first = authorized(await fixture.authorize("a"))
    token = first.payment.card.token
    second = authorized(await fixture.authorize("b", card=token))
    assert second.payment.card == first.payment.card
    assert fixture.bank.cards == [DETAILS, replace(DETAILS, cvv=None)]
    assert list(fixture.store.cards) == [(MERCHANT, token)]


async def test_a_token_of_nobody(fixture: Fixture) -> None:
    """Nothing is asked of the bank, and nothing is stored."""
    with pytest.raises(errors.CardTokenNotFoundError):
        await fixture.authorize(card="tok_01h455vb4pex5vsknk084sn02q")
    assert (fixture.bank.asked, fixture.store.payments) == ([], {})


async def test_a_token_of_a_card_that_has_expired(fixture: Fixture) -> None:
    """The violation names what was sent."""
    fixture.bank = FakeBank([Approved()])
    token = authorized(await fixture.authorize("a")).payment.card.token
    fixture.clock.time += timedelta(days=366 * 20)
    with pytest.raises(ValidationFailedError) as raised:
        await fixture.authorize("b", card=token)
    assert set(raised.value.violations) == {"card_token"}


async def test_a_sealed_vault_takes_no_card_and_replies_from_the_store(fixture: Fixture) -> None:
    """A new request is refused before anything happens; an old one has its stored reply."""
    fixture.bank = FakeBank([Approved()])
    first = await fixture.authorize("a")
    fixture.vault.sealed = True
    for card in (DETAILS, authorized(first).payment.card.token):
        with pytest.raises(DependencyUnavailableError):
            await fixture.authorize("b", card=card)
    assert (await fixture.authorize("a")).body == first.body
    assert (len(fixture.store.payments), fixture.bank.asked) == (1, ["authorize"])


async def test_an_event_names_the_request_that_made_it(fixture: Fixture) -> None:
    """And its trace; what recovery finds out was nobody's request."""
    fixture.origin = Origin("r1", "00-a-b-01")
    fixture.bank.answers = [Approved()]
    await fixture.authorize("a")
    fixture.bank.answers, fixture.bank.inquiries = [Unknown()], [Unknown(), Approved()]
    await fixture.authorize("b")
    fixture.origin = NOBODY
    await fixture.recover()

    assert [event.origin for event in fixture.store.events] == [Origin("r1", "00-a-b-01"), NOBODY]
    stored = PaymentEvent.FromString(ProtoEvents().encode(fixture.store.events[0]))
    assert (stored.request_id, stored.traceparent) == ("r1", "00-a-b-01")


async def test_a_bank_that_is_known_to_be_away(fixture: Fixture) -> None:
    """Nothing is begun: no payment, no reserve, and the key is free; what has ended is replayed."""
    fixture.bank.answers = [Approved(), Approved(), Approved()]
    before = await fixture.authorize("a")
    wanted = capture_of(authorized(before).payment.id)
    fixture.bank.is_away = True
    for _ in range(2):
        with pytest.raises(DependencyUnavailableError):
            await fixture.authorize("b")
        with pytest.raises(DependencyUnavailableError):
            await carry_out(fixture.ports, wanted)
    replayed = await fixture.authorize("a")
    assert (replayed.body, replayed.replayed) == (before.body, True)
    assert fixture.bank.asked == ["authorize"]
    assert len(fixture.store.payments) == 1
    fixture.bank.is_away = False
    assert not (await fixture.authorize("b")).replayed
    assert not (await carry_out(fixture.ports, wanted)).replayed


async def test_what_is_wrong_is_told_while_the_bank_is_away(fixture: Fixture) -> None:
    """A refusal for good comes before one that says to try again."""
    fixture.bank.is_away = True
    with pytest.raises(errors.PaymentNotFoundError):
        await carry_out(fixture.ports, capture_of("pay_nobodys"))


async def test_nothing_expires_while_the_bank_is_known_to_be_away(fixture: Fixture) -> None:
    """What is due then waits, and is not in doubt; afterwards it expires."""
    fixture.bank.answers = [Approved()]
    await fixture.authorize()
    fixture.clock.time += timedelta(days=7)
    fixture.bank.is_away = True
    await fixture.sweep()
    assert fixture.bank.asked == ["authorize"]
    fixture.bank.is_away, fixture.bank.releases = False, [Reversed()]
    await fixture.sweep()
    (payment,) = fixture.store.payments.values()
    assert payment.status is Status.EXPIRED


@dataclass
class Counted(MemoryStore):
    """Counts what it is asked to commit."""

    commits: int = 0

    async def commit(self, change: Change) -> CommitResult:
        """Commit, and count it."""
        self.commits += 1
        return await super().commit(change)


async def test_a_request_that_is_repeated_here_is_looked_up_before_it_is_decided(
    fixture: Fixture,
) -> None:
    """No card is encrypted for it once more, and nothing is committed; a key of another is new."""
    fixture.store = Counted()
    fixture.vault = MemoryVault(fixture.store)
    fixture.bank = FakeBank([Approved(), Approved()])
    ports = fixture.ports
    command = Authorize(
        merchant_id=MERCHANT, card=DETAILS, amount=gbp(1000), reference="", idempotency_key="a"
    )
    first = await authorize(ports, command)
    again = await authorize(ports, command)
    assert (again.body, again.replayed) == (first.body, True)
    assert (len(fixture.vault.details), fixture.store.commits) == (1, 2)
    other = await authorize(ports, replace(command, merchant_id="mer_b"))
    assert not other.replayed


async def test_a_key_that_was_seen_and_is_free_is_used(fixture: Fixture) -> None:
    """A request that was refused before anything happened may come again with its key."""
    fixture.bank = FakeBank([Approved()])
    ports = fixture.ports
    command = Authorize(
        merchant_id=MERCHANT, card=DETAILS, amount=gbp(1000), reference="", idempotency_key="a"
    )
    fixture.vault.sealed = True
    with pytest.raises(DependencyUnavailableError):
        await authorize(ports, command)
    fixture.vault.sealed = False
    assert not (await authorize(ports, command)).replayed


async def test_a_stored_reply_waits_for_nobodys_turn(fixture: Fixture) -> None:
    """While another request is at work on the payment, and may be for long."""
    fixture.bank = FakeBank([Approved(), Approved()])
    payment_id = authorized(await fixture.authorize()).payment.id
    ports = fixture.ports
    first = await carry_out(ports, capture_of(payment_id))
    async with ports.turns.of((MERCHANT, payment_id), None, wait_seconds_max=0):
        again = await carry_out(ports, capture_of(payment_id))
    assert (again.body, again.replayed) == (first.body, True)
