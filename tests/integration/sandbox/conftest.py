"""What each test of the sandbox begins with."""

import uuid
from collections.abc import AsyncIterator

import pytest

from tests.chaos.rig import SECRETS, Rig
from tests.database import Databases
from tests.integration.sandbox.box import Sandbox
from tests.keys import new_key


@pytest.fixture(scope="module")
async def rig(databases: Databases) -> AsyncIterator[Rig]:
    """Two workers, a sweep and a bank, which the tests of a file share."""
    made = [await databases.create("payments"), await databases.create("acquirer")]
    async with Rig(made[0][1], made[1][1]) as running:
        yield running
    for name, _ in made:
        await databases.drop(name)


@pytest.fixture
async def box(rig: Rig) -> Sandbox:
    """The same, of a merchant that nobody else is: with a clock, rules and books of its own."""
    merchant_id = f"mer_{uuid.uuid4().hex[:12]}"
    pepper = SECRETS["PAYGATE_KEY_PEPPER"]
    rig.api_key = await new_key(rig.payments_url, merchant_id, pepper=pepper)
    return Sandbox(rig, merchant_id)
