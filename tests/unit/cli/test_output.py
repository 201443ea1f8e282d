"""What is printed: columns for people, lines of JSON for programs."""

import json
import sys
from collections.abc import Iterator

import pytest

from services.payments.cli.output import as_json_lines, as_table
from tools.cli.columns import card, money, show, text, when, word


class Terminal:
    """A standard output that people read."""

    def __init__(self) -> None:
        self.written = ""

    def write(self, text: str) -> int:
        """Take it."""
        self.written += text
        return len(text)

    def flush(self) -> None:
        """Do nothing."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_columns_are_as_wide_as_they_must_be(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is cut, and no line ends with spaces."""
    as_table(("A", "LONGER"), [("wide " * 60 + "end", "x"), ("y", "z")])
    assert capsys.readouterr().out.splitlines() == [
        "A" + " " * 304 + "LONGER",
        "wide " * 60 + "end  x",
        "y" + " " * 304 + "z",
    ]


def test_what_others_wrote_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A reference with an escape sequence is shown without it; in JSON it is escaped."""
    as_table(("A",), [("\x1b[2Jgone\n",)])
    as_json_lines([{"a": "\x1b[2J\u009b\n"}])
    table, line = capsys.readouterr().out.rsplit("\n", 2)[:2]
    assert table == "A\n\ufffd[2Jgone\ufffd"
    assert line == r'{"a": "\u001b[2J\u009b\n"}'


def test_colours_are_for_terminals_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not for people who do not want any."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    as_table(("STATUS",), [("declined",)])
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    as_table(("STATUS",), [("declined",)])
    assert "\x1b[31mdeclined\x1b[0m" in terminal.written
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdout", plain := Terminal())
        as_table(("STATUS",), [("declined",)])
        assert "\x1b" not in plain.written
        monkeypatch.delenv(name)


def test_cells() -> None:
    """As people write them."""
    assert money({"minor_units": "1000", "currency": "GBP"}) == "10.00 GBP"
    assert money({"minor_units": "1000", "currency": "JPY"}) == "1000 JPY"
    assert word("STATUS_PARTIALLY_CAPTURED") == "partially_captured"
    assert when("2026-11-28T04:11:02.123456Z") == "2026-11-28 04:11:02Z"
    assert when(None) == "-"
    assert card({"brand": "BRAND_VISA", "last4": "4242"}) == "visa 4242"
    assert card(None) == text("reference")({"reference": ""}) == "-"


def test_a_list_that_goes_on_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error; of what is not shown no more than one is read."""
    read: list[int] = []

    def items() -> Iterator[dict[str, int]]:
        for number in range(100):
            read.append(number)
            yield {"id": number}

    show(items(), (("ID", text("id")),), json=True, limit=2)
    said = capsys.readouterr()
    assert [json.loads(line) for line in said.out.splitlines()] == [{"id": 0}, {"id": 1}]
    assert "more than 2" in said.err
    assert read == [0, 1, 2]
