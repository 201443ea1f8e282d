"""Sandboxes that end: workers remove them, and what the bank has of them, also after kill -9."""

import asyncio

from google.protobuf.duration_pb2 import Duration

from paygate.payments.v1 import payment_service_pb2 as service
from paygate.sandbox.v1 import bank_pb2 as bank
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from tests.chaos.rig import CARD, gbp
from tests.integration.events.desk import until
from tests.integration.sandbox.box import Sandbox

MANY = 40_000
FILL = """
INSERT INTO removed_cards
SELECT $1, 'tok_' || n, 'DELETED', now() FROM generate_series(1, $2::bigint) n
"""
LEFT = "SELECT count(*) FROM removed_cards WHERE merchant_id = $1"
MERCHANTS = "SELECT count(*) FROM merchants"
NOW = "UPDATE sandboxes SET remove_time = expire_time WHERE expire_time < now()"
ERASE_NOW = "UPDATE bank_leftovers SET remove_time = now()"
AT_THE_BANK = (
    "SELECT (SELECT count(*) FROM authorizations), (SELECT count(*) FROM operations),"
    " (SELECT count(*) FROM rules), (SELECT count(*) FROM rule_uses)"
)


async def with_something(box: Sandbox) -> sandbox.CreateSandboxResponse:
    """Return a sandbox with a captured payment, by a rule of its own, and with many rows."""
    request = sandbox.CreateSandboxRequest(name="a test", time_to_live=Duration(seconds=3600))
    made: sandbox.CreateSandboxResponse = await box.stub.CreateSandbox(
        request, metadata=box.metadata
    )
    approve = bank.BankRule.Effect(kind=bank.BankRule.Effect.KIND_APPROVE)
    await box.stub.CreateBankRule(
        sandbox.CreateBankRuleRequest(effect=approve),
        metadata=(("authorization", f"Bearer {made.api_key}"),),
    )
    authorize = service.AuthorizeRequest(card_details=CARD, amount=gbp(100))
    payment = (await box.rig.call(authorize, api_key=made.api_key)).payment.id
    capture = service.CaptureRequest(authorization_id=payment, amount=gbp(100))
    await box.rig.call(capture, api_key=made.api_key)
    await box.rig.payments_book.execute(FILL, made.sandbox.id, MANY)
    return made


async def at_the_bank(box: Sandbox) -> tuple[int, int, int, int]:
    """Return how many authorizations, operations, rules and uses of rules the bank has."""
    row = await box.rig.bank_book.fetchrow(AT_THE_BANK)
    assert row is not None
    authorizations, operations, rules, uses = row
    return authorizations, operations, rules, uses


async def test_a_worker_that_dies_removing_leaves_it_to_another(box: Sandbox) -> None:
    """In the end nothing of it is left, here and at the bank, and all else is as it was."""
    rig = box.rig
    await rig.captured()
    before, merchants = await at_the_bank(box), await rig.payments_book.fetchval(MERCHANTS)
    made = await with_something(box)
    delete = sandbox.DeleteSandboxRequest(id=made.sandbox.id)
    await box.stub.DeleteSandbox(delete, metadata=box.metadata)

    async def is_begun() -> bool:
        return bool(await rig.payments_book.fetchval(LEFT, made.sandbox.id) < MANY)

    async def is_gone() -> bool:
        await rig.payments_book.execute(NOW)  # whoever has died had taken it for a while
        return not await rig.payments_book.fetchval("SELECT count(*) FROM sandboxes")

    await rig.payments_book.execute(NOW)
    await until(is_begun, seconds_max=10)
    await asyncio.gather(*(worker.kill() for worker in rig.workers))
    assert 0 < await rig.payments_book.fetchval(LEFT, made.sandbox.id) < MANY
    assert await rig.payments_book.fetchval("SELECT count(*) FROM sandboxes") == 1
    await asyncio.gather(*(worker.revive() for worker in rig.workers))
    await until(is_gone, seconds_max=20)
    assert await rig.payments_book.fetchval(LEFT, made.sandbox.id) == 0
    assert await rig.payments_book.fetchval(MERCHANTS) == merchants
    assert await rig.payments_book.fetchval("SELECT count(*) FROM payments") == before[0]
    assert await at_the_bank(box) == (before[0] + 1, before[1] + 1, 0, 0)
    await erased(box)
    assert await at_the_bank(box) == before
    await rig.assert_books_agree()


async def test_a_reset_is_one_at_the_bank_as_well(box: Sandbox) -> None:
    """Operations whose payments are gone are removed there, and no others."""
    rig, before = box.rig, await at_the_bank(box)
    await rig.captured()
    await box.stub.Reset(sandbox.ResetRequest(), metadata=box.metadata)
    await rig.captured()
    assert await at_the_bank(box) == (before[0] + 2, before[1] + 2, 0, 0)
    await erased(box)
    assert await at_the_bank(box) == (before[0] + 1, before[1] + 1, 0, 0)
    await rig.assert_books_agree()


async def erased(box: Sandbox) -> None:
    """Wait until the bank was told of all that it is to remove, for which it is time now."""
    book = box.rig.payments_book
    assert await book.fetchval("SELECT count(*) FROM bank_leftovers")
    await book.execute(ERASE_NOW)

    async def are_gone() -> bool:
        return not await book.fetchval("SELECT count(*) FROM bank_leftovers")

    await until(are_gone, seconds_max=10)
