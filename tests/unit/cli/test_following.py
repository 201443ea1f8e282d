"""What is followed until Ctrl-C: nothing is missed, nothing comes twice, outages are told once."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
import typer

from paygate_client.errors import ConnectionFailedError, Problem, UnavailableError
from tools.cli import events, following, requests
from tools.listen.command import _target

GONE = Problem(call="watch events", reason="CONNECTION_FAILED", message="No reply came.")


class Outages:
    """A watch that is cut off between two messages, twice in a row."""

    def __init__(self) -> None:
        self._rounds: list[list[dict[str, str] | Exception]] = [
            [{"cursor": "1"}, ConnectionFailedError(GONE)],
            [UnavailableError(GONE)],
            [{"cursor": "2"}, {"cursor": "3"}],
        ]

    def __iter__(self) -> Iterator[dict[str, str]]:
        for one in self._rounds.pop(0):
            if isinstance(one, dict):
                yield one
            else:
                raise one


class Log:
    """A request log, of which pages are read as of any list."""

    def __init__(self, *ids: str) -> None:
        self.newest_first = list(ids)
        self.read = 0

    def each(self, name: str, ask: Callable[[str], Any]) -> Iterator[dict[str, str]]:
        """Yield the calls."""
        assert name == "requests"
        ask("")
        for one in self.newest_first:
            self.read += 1
            yield {"id": one}


def test_an_outage_is_told_once_and_so_is_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And every message is given."""
    monkeypatch.setattr(following, "AGAIN_SECONDS", 0.0)
    told = islice(events._for_ever(Outages()), 3)
    cursors = [message["cursor"] for message in told]
    assert cursors == ["1", "2", "3"]
    assert capsys.readouterr().err.splitlines() == [
        "Ready. Ctrl-C ends it.",
        "The gateway does not answer; trying again.",
        "The gateway answers again.",
    ]


def test_a_call_that_comes_late_into_the_log_is_seen() -> None:
    """Behind later ones that were seen already; those come once."""
    known = dict.fromkeys(str(number) for number in range(200))
    log = Log("new", *map(str, range(30)), "late", *map(str, range(30, 200)), "older than all")
    found = requests._new(log, lambda _: None, known)  # type: ignore[arg-type, return-value]
    assert [one["id"] for one in found] == ["new", "late"]
    # The log has 10,000 calls, and is read on only until enough are known.
    assert log.read == 2 + 30 + requests.KNOWN_IN_A_ROW


def test_where_to_post_is_an_address() -> None:
    """Of HTTP, with a port that there is."""
    assert _target("localhost:3000/hook") == "http://localhost:3000/hook"
    assert _target("https://[::1]:3000") == "https://[::1]:3000"
    for wrong in ("", "no url", "ftp://localhost", "localhost:99999", "localhost:0", "http://"):
        with pytest.raises(typer.BadParameter):
            _target(wrong)
