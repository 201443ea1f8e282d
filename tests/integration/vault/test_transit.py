"""The client of a real OpenBao, while that is sealed, is gone, or refuses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from pkg.errors import DependencyUnavailableError
from pkg.secret import Secret
from services.payments.adapters.vault.transit import TransitWrapper
from tests.integration.vault.openbao import KEY, OpenBao, openbao_running

SEEN_SECONDS_MAX = 10.0


@pytest.fixture(scope="module")
async def openbao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenBao]:
    """A server of this file's own, which a test may seal, and the last one kills."""
    async with openbao_running(tmp_path_factory.mktemp("openbao")) as server:
        yield server


def client(openbao: OpenBao, token: str, key: str = KEY) -> TransitWrapper:
    """Return a client with that token."""
    return TransitWrapper(openbao.url, Secret(token), key=key, timeout_seconds=5)


async def until(seen: Callable[[], bool]) -> None:
    """Wait until it is seen."""
    async with asyncio.timeout(SEEN_SECONDS_MAX):
        while not seen():
            await asyncio.sleep(0.02)


async def test_a_vault_that_refuses(openbao: OpenBao) -> None:
    """What a token may not do, and what was wrapped for another merchant, is not told."""
    worker = client(openbao, openbao.worker_token)
    operator = client(openbao, openbao.operator_token)
    root, other = client(openbao, openbao.root), client(openbao, openbao.worker_token, "other")
    try:
        _, wrapped = await worker.make("mer_a")
        assert await root.has_root_token()
        assert not await worker.has_root_token()
        for refused in (
            worker.rotate(),
            other.make("mer_a"),
            worker.unwrap("mer_b", wrapped),
            operator.rewrap([("mer_a", wrapped), ("mer_b", wrapped)]),
        ):
            with pytest.raises(DependencyUnavailableError):
                await refused
        assert len(await operator.rewrap([("mer_a", wrapped)])) == 1
    finally:
        for each in (worker, operator, root, other):
            await each.close()


async def test_a_watched_vault(openbao: OpenBao) -> None:
    """Sealed, it is told once and asked nothing; unsealed, it serves again; gone, it fails."""
    wrapper, lost = client(openbao, openbao.worker_token), list[str]()
    watching = asyncio.create_task(wrapper.watch(lambda: lost.append("lost")))
    try:
        secret, wrapped = await wrapper.make("mer_a")
        await openbao.seal()
        await until(lambda: wrapper.is_sealed)
        with pytest.raises(DependencyUnavailableError):
            await wrapper.unwrap("mer_a", wrapped)
        await openbao.unseal()
        await until(lambda: not wrapper.is_sealed)
        assert await wrapper.unwrap("mer_a", wrapped) == secret
        assert lost == ["lost"]

        await openbao.kill()
        with pytest.raises(DependencyUnavailableError):
            await wrapper.unwrap("mer_a", wrapped)
        assert not await wrapper.has_root_token(), "nobody can tell"
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await wrapper.close()
