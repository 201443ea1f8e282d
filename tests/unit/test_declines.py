"""Who tries out cards is stopped: declines are counted per card and per key, in bounded memory."""

from dataclasses import dataclass, field, replace

import pytest

from pkg.errors import RateLimitedError
from pkg.grpc.limits import Rate
from pkg.observe.metrics import Metrics
from services.payments.adapters import declines
from services.payments.adapters.declines import DeclineLimits
from services.payments.domain.card import Pan
from services.payments.domain.errors import TooManyDeclinesError
from services.payments.domain.outcome import Answer, Approved, DeclineCode, Declined, Unknown
from services.payments.ports import CardDetails, Ports
from tests.builders import DETAILS
from tests.unit.steps.fakes import FakeBank, Fixture, authorized

NO = Declined(DeclineCode.INCORRECT_CVV)
HOUR = 3600.0


@dataclass
class Limited(Fixture):
    """A gateway where a card may be declined 3 times, and then once an hour; a key 5 times."""

    time: float = 0.0
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.limits = DeclineLimits(
            card=Rate(per_second=1 / HOUR, burst=3),
            key=Rate(per_second=1 / HOUR, burst=5),
            metrics=self.metrics,
            monotonic=lambda: self.time,
        )

    @property
    def ports(self) -> Ports:
        """The ports."""
        return replace(super().ports, attempt=self.limits.attempt)

    async def tried(self, answer: Answer, card: CardDetails | str = DETAILS) -> None:
        """Authorize without a key; the bank says that."""
        self.bank.answers.append(answer)
        await self.authorize(None, card=card)
        self.bank.answers.clear()


@pytest.fixture
def fixture() -> Limited:
    """A limited gateway."""
    return Limited()


def another_card(number: int) -> CardDetails:
    """Return one of many cards."""
    return replace(DETAILS, pan=Pan(f"400000{number:010}"))


async def test_a_card_is_declined_so_often(fixture: Limited) -> None:
    """Then the bank is not asked any more, and the error says when; other cards go on."""
    for _ in range(3):
        await fixture.tried(NO)
    with pytest.raises(TooManyDeclinesError) as refused:
        await fixture.tried(Approved())
    assert refused.value.retry_after_seconds == HOUR
    assert len(fixture.bank.asked) == 3
    await fixture.tried(Approved(), another_card(1))
    fixture.time += HOUR
    await fixture.tried(NO)
    with pytest.raises(TooManyDeclinesError):
        await fixture.tried(Approved())


async def test_a_card_that_is_refused_is_not_sealed(fixture: Limited) -> None:
    """The vault does nothing for it: one that is away keeps nobody from being told."""
    for _ in range(3):
        await fixture.tried(NO)
    sealed = len(fixture.vault.details)
    fixture.vault.sealed = True
    with pytest.raises(RateLimitedError):
        await fixture.tried(Approved())
    assert len(fixture.vault.details) == sealed


async def test_a_key_is_declined_so_often(fixture: Limited) -> None:
    """Whatever cards are tried with it."""
    for number in range(5):
        await fixture.tried(NO, another_card(number))
    with pytest.raises(TooManyDeclinesError):
        await fixture.tried(Approved(), another_card(5))


@pytest.mark.parametrize(
    "answer",
    [Approved(), Unknown(), Declined(DeclineCode.ISSUER_UNAVAILABLE)],
    ids=lambda answer: type(answer).__name__,
)
async def test_what_is_no_fault_of_the_card_is_not_counted(
    fixture: Limited, answer: Answer
) -> None:
    """Neither successes nor a bank that is away use anything up."""
    for _ in range(20):
        fixture.bank.inquiries = [Unknown()]
        await fixture.tried(answer)


async def test_a_decline_that_the_bank_is_asked_for_counts(fixture: Limited) -> None:
    """Its reply was lost, so it was looked up: the client is told of it all the same."""
    for _ in range(3):
        fixture.bank.inquiries = [NO]
        await fixture.tried(Unknown())
    with pytest.raises(TooManyDeclinesError):
        await fixture.tried(Approved())


async def test_a_stored_reply_is_no_attempt(fixture: Limited) -> None:
    """Who repeats a request gets its reply, however many were declined since."""
    fixture.bank = FakeBank([NO, NO, NO])
    for key in "abc":
        await fixture.authorize(key)
    again = await fixture.authorize("a")
    assert again.replayed
    assert authorized(again).action.decline.code
    with pytest.raises(TooManyDeclinesError):
        await fixture.authorize("d")


def test_what_is_under_way_counts(fixture: Limited) -> None:
    """Many guesses at once are no more than may be wrong; what was right is given back."""
    card = b"f" * 32
    under_way = [fixture.limits.attempt("mer_a", "key", card) for _ in range(3)]
    with pytest.raises(TooManyDeclinesError):
        fixture.limits.attempt("mer_a", "key", card)
    under_way[0]()
    fixture.limits.attempt("mer_a", "key", card)
    # What the card's limit refused has taken nothing from the key's.
    fixture.limits.attempt("mer_a", "key", b"g" * 32)
    fixture.limits.attempt("mer_a", "key", b"h" * 32)
    with pytest.raises(TooManyDeclinesError):
        fixture.limits.attempt("mer_a", "key", b"i" * 32)


def test_memory_is_bounded_for_each_merchant() -> None:
    """Who shows ever new cards makes room among its own, and pushes nobody else's out."""
    rate = Rate(per_second=1 / HOUR, burst=1)
    limits = DeclineLimits(card=rate, key=None, metrics=Metrics(), monotonic=lambda: 0.0)
    limits.attempt("mer_a", "key", b"mine")
    for number in range(3 * declines.CARDS_MAX):
        limits.attempt("mer_flood", "key", number.to_bytes(32, "big"))
    assert len(limits._cards["mer_flood"]) <= declines.CARDS_MAX
    with pytest.raises(TooManyDeclinesError):
        limits.attempt("mer_a", "key", b"mine")
    for number in range(2 * declines.MERCHANTS_MAX):
        limits.attempt(f"mer_{number}", "key", b"card")
    assert len(limits._cards) == declines.MERCHANTS_MAX
