"""Waiting until the stack of this data folder serves."""

import asyncio
import sys

from pkg.process.called import RUN
from pkg.process.data_folder import told
from tools.stack import folder
from tools.stack.errors import StackError
from tools.stack.probe import POLL_SECONDS, http_ok
from tools.stack.settings import Settings

# A run that is there already answers sooner; whoever waits longer is told what for.
TELL_AFTER_SECONDS = 1.0


def wait(settings: Settings, *, seconds_max: float) -> None:
    """Return once a run of this data folder serves.

    Raises:
        StackError: It did not in time.
    """
    try:
        asyncio.run(asyncio.wait_for(_told(settings), seconds_max))
    except TimeoutError as error:
        why = (
            f"nothing runs on {settings.data_dir}: start it with `{RUN}`"
            if not folder.is_held(settings)
            else f"see the logs in {settings.logs}"
        )
        raise StackError(f"It does not serve after {seconds_max:.0f} s; {why}.") from error


async def _told(settings: Settings) -> None:
    """Wait, and say so once: on stderr, since the path that a script reads goes to stdout."""
    serving = asyncio.ensure_future(_serving(settings))
    await asyncio.wait([serving], timeout=TELL_AFTER_SECONDS)
    if not serving.done() and not folder.is_held(settings):
        print(f"Waiting for `{RUN}` in another terminal…", file=sys.stderr, flush=True)
    await serving


async def _serving(settings: Settings) -> None:
    while True:
        if folder.is_held(settings) and await http_ok(_url(settings)):
            return
        await asyncio.sleep(POLL_SECONDS)


def _url(settings: Settings) -> str:
    """Return the address that the run wrote; an old file is not believed, the caller asks."""
    return told(settings.demo_env).get("PAYGATE_URL", "")
