"""A worker on a real OpenBao that is sealed, killed and unsealed under it."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.rig import CARD, Rig, gbp, reason_of
from tests.database import Databases
from tests.integration.vault.openbao import OpenBao, openbao_running

REFUSED_SECONDS_MAX = 1.0
HEALED_SECONDS_MAX = 5.0
AUTHORIZE = service.AuthorizeRequest(card_details=CARD, amount=gbp(1000))


@pytest.fixture(scope="module")
async def openbao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenBao]:
    """A server of this file's own: each test seals it, and leaves it unsealed."""
    async with openbao_running(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture(scope="module")
async def rig(openbao: OpenBao, databases: Databases) -> AsyncIterator[Rig]:
    """One worker that keeps its cards by that server."""
    made = [await databases.create("payments"), await databases.create("acquirer")]
    async with Rig(made[0][1], made[1][1], workers_count=1, vault=openbao.settings) as running:
        yield running
    for name, _ in made:
        await databases.drop(name)


async def refused(rig: Rig, request: service.AuthorizeRequest = AUTHORIZE) -> str:
    """Authorize; return the reason of the refusal, or nothing."""
    try:
        await rig.call(request)
    except aio.AioRpcError as problem:
        return reason_of(problem)
    return ""


async def until(rig: Rig, reason: str, *, seconds_max: float) -> float:
    """Authorize until it is refused for that reason; return how long it took."""
    began = time.monotonic()
    async with asyncio.timeout(seconds_max):
        while await refused(rig) != reason:
            await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_a_sealed_vault_takes_no_cards_and_everything_else_goes_on(
    rig: Rig, openbao: OpenBao
) -> None:
    """New cards get 503 within a second, although data keys were in memory; then it heals."""
    payment_id = await rig.authorized()
    first = await rig.call(AUTHORIZE, key="once")
    await openbao.seal()
    await until(rig, "DEPENDENCY_UNAVAILABLE", seconds_max=REFUSED_SECONDS_MAX)
    began = time.monotonic()
    assert await refused(rig) == "DEPENDENCY_UNAVAILABLE"
    assert time.monotonic() - began < REFUSED_SECONDS_MAX
    assert await rig.call(AUTHORIZE, key="once") == first, "a stored reply needs no vault"
    token = service.AuthorizeRequest(card_token=first.payment.card.token, amount=gbp(5))
    assert await refused(rig, token) == "DEPENDENCY_UNAVAILABLE"
    captured = await rig.call(service.CaptureRequest(authorization_id=payment_id, amount=gbp(1000)))
    assert captured.action.status == pb.Action.STATUS_SUCCEEDED
    refunded = await rig.call(service.RefundRequest(authorization_id=payment_id, amount=gbp(1000)))
    assert refunded.payment.status == pb.Payment.STATUS_REFUNDED
    await openbao.unseal()
    await until(rig, "", seconds_max=HEALED_SECONDS_MAX)
    again = await rig.call(token)
    assert again.payment.card.token == first.payment.card.token


async def test_a_vault_that_is_killed_comes_back_sealed(rig: Rig, openbao: OpenBao) -> None:
    """What is in memory is used on while it is away for a moment, and dropped once it is sealed."""
    await rig.authorized()
    await openbao.kill()
    assert await refused(rig) == ""
    await openbao.start()
    await until(rig, "DEPENDENCY_UNAVAILABLE", seconds_max=REFUSED_SECONDS_MAX)
    await openbao.unseal()
    await until(rig, "", seconds_max=HEALED_SECONDS_MAX)


async def test_a_worker_starts_while_the_vault_is_sealed(rig: Rig, openbao: OpenBao) -> None:
    """It serves all that needs no card, and takes cards when the vault is there."""
    payment_id = await rig.authorized()
    await openbao.seal()
    await rig.workers[0].kill()
    await rig.workers[0].start()
    assert await refused(rig) == "DEPENDENCY_UNAVAILABLE"
    await rig.call(service.CaptureRequest(authorization_id=payment_id, amount=gbp(1)))
    await openbao.unseal()
    await until(rig, "", seconds_max=HEALED_SECONDS_MAX)
