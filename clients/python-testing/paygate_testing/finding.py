"""Which gateway tests use: one that is named, one that runs here, or one of their own."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from paygate_testing.errors import SetupError
from paygate_testing.gateway import Gateway
from paygate_testing.shared import DEMO_ENV, Shared, read

URL, API_KEY = "PAYGATE_URL", "PAYGATE_API_KEY"
_DATA_DIR_OF_ROOT = Path("/var/lib/paygate")


def find(environment: Mapping[str, str], here: Path, shared: Callable[[], Shared]) -> Gateway:
    """Return the gateway for a test run; it answers, and knows sandboxes.

    Args:
        environment: `PAYGATE_URL` and `PAYGATE_API_KEY` name one.
        here: Where the tests run. A clone whose `make run` serves is looked for from here upwards.
        shared: Returns what starts one if there is no other.

    Raises:
        SetupError: There is none; the message says what to do.
    """
    found = _named(environment) or _running(environment, here)
    if found is None:
        said = shared().address(environment)
        found = Gateway(said[URL], said[API_KEY], origin="the gateway of this test run")
    try:
        found.check()
    except SetupError:
        found.client.close()
        raise
    return found


def _named(environment: Mapping[str, str]) -> Gateway | None:
    given = [name for name in (URL, API_KEY) if environment.get(name)]
    if len(given) == 1:
        (missing,) = {URL, API_KEY} - {*given}
        raise SetupError(
            f"{given[0]} is set, but {missing} is not. Set both to use that gateway; set none to"
            " use one that runs on this machine, or to have the tests start one."
        )
    if not given:
        return None
    return Gateway(environment[URL], environment[API_KEY], origin=f"{URL} and {API_KEY}")


def _running(environment: Mapping[str, str], here: Path) -> Gateway | None:
    """Return the gateway of a run on this machine.

    Of a run that was killed only the file is left, and nobody answers.
    """
    for path in _files(environment, here):
        said = read(path)
        if URL in said and API_KEY in said:
            found = Gateway(said[URL], said[API_KEY], origin=str(path))
            if found.answers():
                return found
            found.client.close()
    return None


def _files(environment: Mapping[str, str], here: Path) -> Iterator[Path]:
    """Yield where a run on this machine says how it is reached."""
    chosen = environment.get("PAYGATE_DATA_DIR")
    if chosen:
        yield Path(chosen).expanduser() / DEMO_ENV
        return
    for folder in (here, *here.parents):
        yield folder / ".paygate" / DEMO_ENV  # `make run` in a clone
    if os.geteuid() == 0:
        yield _DATA_DIR_OF_ROOT / DEMO_ENV
    state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    yield Path(state, "paygate", "sandbox", DEMO_ENV)  # `paygate run`
