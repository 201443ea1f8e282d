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
from tests.e2e.stack import Stack
from tools.stack.settings import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
SECONDS_MAX = 60.0

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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


def shown_replies(document: str) -> list[str | None]:
    """Return for each shell block the JSON that is shown below it, if any is."""
    found = blocks(document)
    following = [*found[1:], Block("", "")]
    return [
        below.text if below.language == "json" else None
        for block, below in zip(found, following, strict=True)
        if block.language == "sh"
    ]


def comparable(replies: list[str]) -> list[object]:
    """Return replies as values, with ids, times and keys numbered in the order they come."""
    seen: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return seen.setdefault(found[0], f"<{found.lastgroup} {len(seen) + 1}>")

    return [json.loads(_CHANGING.sub(number, reply)) for reply in replies]


@pytest.mark.parametrize("name", ["README.md", "docs/api.md", "docs/operations.md"])
def test_commands_work_and_replies_are_what_is_shown(
    name: str, stack: Stack, tmp_path: Path
) -> None:
    """Pasting a document's commands works, and each reply has exactly the fields that it shows."""
    document = (REPOSITORY / name).read_text()
    printed = run_shell(document, environment(stack, tmp_path))
    shown = shown_replies(document)
    assert len(printed) == len(shown)
    pairs = [(real, below) for real, below in zip(printed, shown, strict=True) if below]
    real_replies = comparable([real for real, _ in pairs])
    shown_below = comparable([below for _, below in pairs])
    for real, below in zip(real_replies, shown_below, strict=True):
        assert real == below


def test_the_readme_shows_the_whole_story() -> None:
    """The README has a reply for each step, from the authorization to the payment's history."""
    replies = [reply for reply in shown_replies(README) if reply]
    types = [json.loads(reply).get("action", {}).get("type") for reply in replies]
    assert types[:4] == ["TYPE_AUTHORIZE", "TYPE_CAPTURE", "TYPE_CAPTURE", "TYPE_REFUND"]
    assert len(json.loads(replies[4])["payment"]["actions"]) == 4


def test_python_over_grpc_prints_what_is_shown(stack: Stack, tmp_path: Path) -> None:
    """The README's Python client works on the same port and prints what stands below it."""
    assert "`PYTHONPATH=build/python .venv/bin/python story.py`" in README
    found = blocks(README)
    (place,) = (at for at, block in enumerate(found) if block.language == "python")
    story = tmp_path / "story.py"
    story.write_text(found[place].text)
    ended = subprocess.run(
        [sys.executable, str(story)],
        cwd=REPOSITORY,
        env={
            **environment(stack, tmp_path),
            **stack.demo_env(),
            "PYTHONPATH": "build/python",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (found[place + 1].language, found[place + 1].text) == ("text", ended.stdout)


def test_the_table_of_cards_is_the_banks() -> None:
    """Every card of the README does what it says, and every card of the bank is in the README."""
    rows = {pan.replace(" ", ""): does for pan, does in _CARD.findall(README)}
    assert len(rows) == len(_CARD.findall(README))
    assert set(CARDS) <= set(rows)
    for pan, does in rows.items():
        assert is_card_number(pan), pan
        scenario = bank_does(pan)
        code = REFUSALS[scenario][1] if scenario in REFUSALS else None
        assert re.findall(r"`(\w+)`", does) == ([code] if code else []), pan
        lost = scenario in LOST_REQUESTS or scenario in LOST_REPLIES
        assert ("PENDING, then" in does) == lost, pan
        assert (does.strip() == "approves") == (pan not in CARDS), pan
