"""What the documents show is what happens: commands are run, replies are compared."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.acquirer.cards import CARDS, LOST_REPLIES, LOST_REQUESTS, REFUSALS, is_card_number
from services.acquirer.cards import scenario_of as bank_does
from tests.committed import PAGES
from tests.e2e.stack import Stack
from tools.stack.settings import REPOSITORY

README = REPOSITORY / "README.md"
QUICKSTART = (REPOSITORY / "docs" / "quickstart.md").read_text()
TESTING = (REPOSITORY / "docs" / "guides" / "testing.md").read_text()
SECONDS_MAX = 60.0

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(
    r"^```sh\n.*?^```$(?:(?=\n\n```(?P<language>\w+)\n(?P<shown>.*?)^```$))?",
    re.MULTILINE | re.DOTALL,
)
_CARD = re.compile(r"^\| `([\d ]+)`[^|]*\|([^|]*)\|$", re.MULTILINE)
# In the order in which they come, so that the same id stays the same and two never become one.
_CHANGING = re.compile(
    r"(?P<id>\b(?:pay|act|evt|tok)_[0-7][0-9a-hjkmnp-tv-z]{25}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}|\.\d{6}|\.\d{9})?Z)"
    r"|(?P<key>\bsk_[0-9a-z]{16}_[0-9a-f]{64}\b)"
    r"|(?P<approval>\b[0-9A-F]{8}\b)"
)
# Says where one command's output ends in that of all.
_MARK = "=====next====="


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    language: str
    text: str


def blocks(document: str) -> list[Block]:
    """Return the fenced blocks of a document of ours."""
    return [Block(*found.groups()) for found in _BLOCK.finditer(document)]


def environment(stack: Stack, home: Path) -> Mapping[str, str]:
    """Return what a terminal of somebody who runs this stack would have."""
    # Of a make that runs the tests: it would make the `make` in the docs talk.
    inherited = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHONPATH"}
    kept = {name: text for name, text in stack.environment.items() if name not in inherited}
    return {**kept, "HOME": str(home)}


def run_shell(document: str, variables: Mapping[str, str]) -> list[str]:
    """Run the shell blocks of a document in one bash, and return what each has printed."""
    commands = [block.text for block in blocks(document) if block.language == "sh"]
    script = f"\nprintf '%s' {_MARK}\n".join(["set -eu", *commands])
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=REPOSITORY,
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert ended.returncode == 0, (ended.stdout, ended.stderr)
    return ended.stdout.split(_MARK)[1:]


def shown(document: str, language: str) -> list[str | None]:
    """Return for each shell block what is shown directly below it in this language, if anything."""
    return [
        found["shown"] if found["language"] == language else None
        for found in _SHELL.finditer(document)
    ]


def comparable(replies: list[str]) -> list[object]:
    """Return replies as values, with ids, times and keys numbered in the order they come."""
    seen: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return seen.setdefault(found[0], f"<{found.lastgroup} {len(seen) + 1}>")

    return [json.loads(_CHANGING.sub(number, reply)) for reply in replies]


@pytest.mark.parametrize(
    "page",
    [page for page in (README, *PAGES) if "\n```sh\n" in page.read_text()],
    ids=lambda page: page.stem,
)
def test_commands_work_and_print_what_is_shown(page: Path, stack: Stack, tmp_path: Path) -> None:
    """Pasting a page's commands works, and each reply has exactly the fields that it shows."""
    document = page.read_text()
    printed = run_shell(document, environment(stack, tmp_path))
    replies, texts = shown(document, "json"), shown(document, "text")
    assert len(printed) == len(replies)
    assert comparable(
        [real for real, below in zip(printed, replies, strict=True) if below]
    ) == comparable([below for below in replies if below])
    for real, below in zip(printed, texts, strict=True):
        assert not below or real.replace("\r", "") == below


def test_the_quickstart_shows_the_whole_story() -> None:
    """The first reply is an authorization; the payment's history is the README's £10 = £4 + £6."""
    replies = [json.loads(reply) for reply in shown(QUICKSTART, "json") if reply]
    assert replies[0]["action"]["type"] == "TYPE_AUTHORIZE"
    (history,) = [reply["payment"]["actions"] for reply in replies if reply.keys() == {"payment"}]
    assert [(action["type"], action["amount"]["minor_units"]) for action in history] == [
        ("TYPE_AUTHORIZE", "1000"),
        ("TYPE_CAPTURE", "400"),
        ("TYPE_CAPTURE", "600"),
        ("TYPE_REFUND", "300"),
    ]


def test_the_quickstart_says_how_its_python_is_run() -> None:
    """As the next test runs it."""
    assert "`PYTHONPATH=build/python .venv/bin/python story.py`" in QUICKSTART


@pytest.mark.parametrize(
    ("page", "path"),
    [("quickstart", "build/python"), ("sandbox", "clients/python")],
)
def test_python_prints_what_is_shown(page: str, path: str, stack: Stack, tmp_path: Path) -> None:
    """A page's Python works, over gRPC or with the client, and prints what stands below it."""
    found = blocks((REPOSITORY / "docs" / f"{page}.md").read_text())
    places = [at for at, block in enumerate(found) if block.language == "python"]
    assert places
    for place in places:
        printed = printed_by(found[place].text, path, stack, tmp_path)
        assert (found[place + 1].language, found[place + 1].text) == ("text", printed)


def printed_by(code: str, path: str, stack: Stack, tmp_path: Path) -> str:
    """Run Python as somebody who reads the page does, and return what it prints."""
    story = tmp_path / "story.py"
    story.write_text(code)
    ended = subprocess.run(
        [sys.executable, str(story)],
        cwd=REPOSITORY,
        env={
            **environment(stack, tmp_path),
            **stack.demo_env(),
            "PYTHONPATH": path,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_the_table_of_cards_is_the_banks() -> None:
    """Every card of the table does what it says, and every card of the bank is in it."""
    rows = {pan.replace(" ", ""): does for pan, does in _CARD.findall(TESTING)}
    assert len(rows) == len(_CARD.findall(TESTING))
    assert set(CARDS) <= set(rows)
    for pan, does in rows.items():
        assert is_card_number(pan), pan
        scenario = bank_does(pan)
        code = REFUSALS[scenario][1] if scenario in REFUSALS else None
        assert re.findall(r"`(\w+)`", does) == ([code] if code else []), pan
        lost = scenario in LOST_REQUESTS or scenario in LOST_REPLIES
        assert ("PENDING, then" in does) == lost, pan
        assert (does.strip() == "approves") == (pan not in CARDS), pan
