"""A capture, void or refund from request to reply, and the end of every call to the bank."""

from services.payments.domain import errors
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.outcome import Answer, Approved, Declined, Final, NotFound, Unknown
from services.payments.domain.payment import Payment
from services.payments.ports import InDoubt, Ports
from services.payments.use_cases.in_a_row import begin_in_a_row, settle_in_a_row
from services.payments.use_cases.two_commits import (
    Beginning,
    Begun,
    Ending,
    Operation,
    Reply,
    Retries,
    begin_alone,
    keyed_by,
    load_in_doubt,
    look_up,
    reply_of,
    settle_alone,
)


async def carry_out(ports: Ports, operation: Operation) -> Reply:
    """Do it, and return the serialised response.

    Raises:
        PaymentsError: The request was refused, and nothing was changed.
        DependencyUnavailableError: The bank is known to be away, and nothing was changed; or the
            database does not answer: what may be stored all the same, recovery brings to its end.
    """
    begun = await _begin(ports, operation)
    if isinstance(begun, Reply):
        return begun
    payment, action = begun.payment, begun.action
    answer = await ports.acquirer.perform(payment, action, action.create_time)
    return await conclude(ports, begun, await checked(ports, payment, action, answer))


async def _begin(ports: Ports, operation: Operation) -> Begun | Reply:
    """Commit 1; or the stored reply, which comes before any guard."""
    payment_id = operation.payment_id
    keyed = keyed_by(
        ports,
        operation.merchant_id,
        operation.rpc,
        operation.idempotency_key,
        operation.fields(),
    )
    found = await look_up(ports, keyed, payment_id)
    if isinstance(found, Reply):
        return found  # in nobody's turn: those may take long
    beginning = Beginning(operation, keyed)
    patience = ports.limits.conflict_retry_seconds
    retries = Retries(patience)  # waiting for the turn is part of it
    place = (operation.merchant_id, payment_id)
    async with ports.turns.of(place, beginning, wait_seconds_max=patience) as turn:
        if turn.waited and not turn.is_done and (others := turn.others()):
            await begin_in_a_row(ports, [turn, *others], retries)
        if turn.is_done:
            begun: Begun | Reply = turn.result()
            return begun
        if turn.waited:
            found = await look_up(ports, keyed, payment_id)
        return await begin_alone(ports, beginning, found, retries)


async def checked(ports: Ports, payment: Payment, action: Action, answer: Answer) -> Answer:
    """Return what the bank's answer is worth: a yes or a no as it is, anything else after a look.

    The bank knows of the action if an earlier request for it came through: then that counts. If it
    does not, a request that it has rejected is over, and one without an answer may still come.
    """
    if isinstance(answer, Approved | Declined):
        return answer
    found = await ports.acquirer.inquire(payment, action, ports.clock.now(payment.merchant_id))
    return answer if isinstance(found, NotFound) else found


async def conclude(ports: Ports, begun: Begun, answer: Answer) -> Reply:
    """Commit 2: settle an answer that was checked; without one, say PENDING.

    Settling is a no-op if recovery was faster; the reply is then what recovery stored.
    """
    if isinstance(answer, Unknown):
        return await _leave_pending(ports, begun)
    try:
        return await _settle(ports, begun, answer)
    except errors.ConcurrentUpdateError:
        # The bank has answered, but the payment is too busy to write it down: recovery will, or
        # has, if it was this process that stood still.
        current = await load_in_doubt(ports, begun.payment.merchant_id, begun.action.id)
        if current.action.status is not ActionStatus.PENDING:
            return await reply_of(ports, current)
        return await _leave_pending(ports, begun)


async def _settle(ports: Ports, begun: Begun, answer: Final) -> Reply:
    patience = ports.limits.conflict_retry_seconds
    retries = Retries(patience)
    ending = Ending(begun, answer, ports.origin())
    current = InDoubt(begun.payment, begun.action, begun.action, None)
    if begun.action.type is ActionType.AUTHORIZE:
        # Until it has ended nothing else can be done to the payment: there is no line.
        return await settle_alone(ports, ending, current, retries)
    place = (begun.payment.merchant_id, begun.payment.id)
    async with ports.turns.of(place, ending, wait_seconds_max=patience) as turn:
        if turn.waited and not turn.is_done and (others := turn.others()):
            await settle_in_a_row(ports, [turn, *others], retries)
        if turn.is_done:
            reply: Reply = turn.result()
            return reply
        if turn.waited:
            current = await load_in_doubt(ports, begun.payment.merchant_id, begun.action.id)
        return await settle_alone(ports, ending, current, retries)


async def _leave_pending(ports: Ports, begun: Begun) -> Reply:
    now = ports.clock.now(begun.payment.merchant_id)
    reply = ports.replies.render(begun.action, begun.payment, now)
    await ports.store.leave_pending(begun.payment, begun.action, reply)
    return Reply(reply)
