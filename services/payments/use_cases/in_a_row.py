"""Many who want the same payment: decided one after the other, and committed together.

Whoever had to wait for the turn does it for all who wait behind. Each has an outcome of its own.
What cannot be stored together is done one by one.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pkg.errors import DependencyUnavailableError
from services.payments.domain import errors
from services.payments.domain.payment import Payment
from services.payments.ports import Change, CommitResult, Ports
from services.payments.turns import Turn
from services.payments.use_cases.two_commits import (
    Beginning,
    Begun,
    Ending,
    Reply,
    Retries,
    begin_alone,
    begun_by,
    ended_by,
    load_in_doubt,
    look_up,
    settle_alone,
)


async def begin_in_a_row(ports: Ports, turns: Sequence[Turn[Beginning]], retries: Retries) -> None:
    """Begin operations on one payment, and tell each what came of it."""
    with _each_told(turns):
        while True:
            payment, wanted = await _looked_up(ports, turns)
            if payment is None:
                return  # all are told
            begun, refused = _begun(ports, payment, wanted)
            changes = [change for _, change in begun]
            result = await ports.store.commit_row(changes) if changes else CommitResult.COMMITTED
            if result is CommitResult.COMMITTED:
                for turn, change in begun:
                    turn.tell(Begun(change.payment, change.actions[0]))
                # They were refused beside those: now that is how it is.
                for turn, problem in refused:
                    turn.fail(problem)
                return
            if result is CommitResult.KEY_HELD:
                for turn in wanted:
                    await _begin_one(ports, turn, retries)
                return
            await retries.wait()


async def settle_in_a_row(ports: Ports, turns: Sequence[Turn[Ending]], retries: Retries) -> None:
    """Settle what the bank said of operations on one payment, and tell each the reply."""
    with _each_told(turns):
        actions = {turn.work.begun.action.id for turn in turns}
        is_each_once = len(actions) == len(turns)
        if is_each_once and await _settle_together(ports, turns, retries):
            return
        for turn in turns:
            await _settle_one(ports, turn, retries)


async def _settle_together(ports: Ports, turns: Sequence[Turn[Ending]], retries: Retries) -> bool:
    """Settle them together and tell each; return False if one of them has ended already."""
    place = turns[0].work.begun.payment
    while True:
        loaded = await ports.store.load(place.merchant_id, place.id, rpc="", key=None)
        if loaded.payment is None:
            raise errors.PaymentNotFoundError
        changes = _ended(ports, loaded.payment, turns)
        match await ports.store.commit_row(changes):
            case CommitResult.COMMITTED:
                for turn, change in zip(turns, changes, strict=True):
                    assert change.reply is not None
                    turn.tell(Reply(change.reply))
                return True
            case CommitResult.KEY_HELD:
                return False
            case CommitResult.CONFLICT:
                await retries.wait()


@contextmanager
def _each_told(turns: Sequence[Turn[Beginning]] | Sequence[Turn[Ending]]) -> Iterator[None]:
    """Fail all who were told nothing, if something goes wrong for all."""
    try:
        yield
    except Exception as problem:  # noqa: BLE001  # each who waits raises it
        for turn in turns:
            turn.fail(problem)
    except BaseException:
        for turn in turns[1:]:
            turn.fail(DependencyUnavailableError())
        raise


async def _looked_up(
    ports: Ports, turns: Sequence[Turn[Beginning]]
) -> tuple[Payment | None, list[Turn[Beginning]]]:
    """Return the payment as it is now, and who may begin on it; tell all the others.

    Each looks for themselves. Whoever was told before, at an earlier try, keeps to that.
    """
    turns = [turn for turn in turns if not turn.is_done]
    looks = (look_up(ports, t.work.keyed, t.work.operation.payment_id) for t in turns)
    payment: Payment | None = None
    wanted = []
    for turn, found in zip(
        turns, await asyncio.gather(*looks, return_exceptions=True), strict=True
    ):
        match found:
            case Reply():
                turn.tell(found)
            case BaseException():
                turn.fail(found)
            case None:
                turn.fail(errors.PaymentNotFoundError())
            case _:
                wanted.append(turn)
                if payment is None or found.version > payment.version:
                    payment = found
    return payment, wanted


def _begun(
    ports: Ports, payment: Payment, turns: Sequence[Turn[Beginning]]
) -> tuple[list[tuple[Turn[Beginning], Change]], list[tuple[Turn[Beginning], Exception]]]:
    """Decide one after the other; return those that begin, and those that are refused."""
    begun: list[tuple[Turn[Beginning], Change]] = []
    refused: list[tuple[Turn[Beginning], Exception]] = []
    for turn in turns:
        try:
            change = begun_by(ports, payment, turn.work)
        except Exception as problem:  # noqa: BLE001  # its own, whatever it is
            refused.append((turn, problem))
        else:
            begun.append((turn, change))
            payment = change.payment
    return begun, refused


def _ended(ports: Ports, payment: Payment, turns: Sequence[Turn[Ending]]) -> list[Change]:
    changes = []
    for turn in turns:
        change = ended_by(ports, payment, turn.work.begun.action, turn.work)
        assert change is not None  # as far as is known here it is PENDING; the store compares
        changes.append(change)
        payment = change.payment
    return changes


async def _begin_one(ports: Ports, turn: Turn[Beginning], retries: Retries) -> None:
    beginning = turn.work
    try:
        found = await look_up(ports, beginning.keyed, beginning.operation.payment_id)
        turn.tell(await begin_alone(ports, beginning, found, retries))
    except Exception as problem:  # noqa: BLE001  # whoever waits raises it
        turn.fail(problem)


async def _settle_one(ports: Ports, turn: Turn[Ending], retries: Retries) -> None:
    begun = turn.work.begun
    try:
        current = await load_in_doubt(ports, begun.payment.merchant_id, begun.action.id)
        turn.tell(await settle_alone(ports, turn.work, current, retries))
    except Exception as problem:  # noqa: BLE001  # as above
        turn.fail(problem)
