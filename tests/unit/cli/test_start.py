"""The command imports what it uses. In an image there are the operator's commands alone."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tools.cli.__main__ import COMMANDS, app
from tools.cli.groups import Named
from tools.stack.settings import REPOSITORY

HEAVY = ("asyncpg", "cryptography", "grpc", "httpx2", "paygate_client", "rich", "tools")


def imported(program: str, *arguments: str) -> set[str]:
    """Return what of that a program has imported to print its help."""
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['paygate', *{(*arguments, '--help')!r}]\n"
        f"try:\n    runpy.run_module({program!r}, run_name='__main__')\n"
        f"finally:\n    sys.stderr.write(' '.join(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    paths = ("", "/build/python", "/clients/python")
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(f"{REPOSITORY}{path}" for path in paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended
    assert "Usage: paygate" in ended.stdout
    return set(ended.stderr.split())


def test_a_command_imports_nothing_that_only_others_use() -> None:
    """And help imports no command."""
    assert imported("tools.cli") == {"tools"}
    assert imported("tools.cli", "payments", "list") == {"tools", "httpx2", "paygate_client"}
    assert imported("tools.cli", "keys", "list") == {"tools", "grpc"}
    assert imported("services.payments.cli", "keys", "list") == {"grpc"}


@pytest.mark.parametrize("named", COMMANDS, ids=lambda one: one.name)
def test_each_command_is_where_it_is_looked_for(named: Named) -> None:
    """And each of its own has a sentence of help."""
    command = typer.main.get_command(import_module(named.module).app)
    for one in (command, *getattr(command, "commands", {}).values()):
        assert one.help, one.name


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("paygate webh", ["webhooks"]),
        ("paygate payments list --status part", ["partially-captured", "partially-refunded"]),
        ("paygate payments authorize --card insuff", ["insufficient-funds"]),
    ],
)
def test_the_shell_completes_commands_and_words(typed: str, found: list[str]) -> None:
    """Also what is in modules that are imported for it."""
    words = len(typed.split()) - 1
    asked = {"COMP_WORDS": typed, "COMP_CWORD": str(words), "_PAYGATE_COMPLETE": "complete_bash"}
    told = CliRunner().invoke(app, prog_name="paygate", env=asked)
    assert told.stdout.split() == found


def test_an_image_has_the_operators_commands(tmp_path: Path) -> None:
    """There is neither tools/ nor what it needs."""
    (tmp_path / "paygate").write_bytes((REPOSITORY / "paygate").read_bytes())
    for folder in ("services", "pkg", "build"):
        (tmp_path / folder).symlink_to(REPOSITORY / folder)
    ended = subprocess.run(
        ["sh", tmp_path / "paygate", "--help"],
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended
    assert "merchants" in ended.stdout
    assert "payments" not in ended.stdout


def test_a_reset_without_anybody_to_ask_needs_a_yes(tmp_path: Path) -> None:
    """A script that is told to remove everything says so."""
    ended = CliRunner().invoke(app, ["reset"], env={"PAYGATE_DATA_DIR": str(tmp_path)})
    assert ended.exit_code == 2
    assert "--yes" in ended.stderr
    assert tmp_path.exists()


def test_without_a_place_for_results_nothing_is_begun() -> None:
    """A payment whose id is told to nobody would be made twice."""
    line = "exec ./paygate payments authorize --amount '1.00 GBP' >&-"
    ended = subprocess.run(
        ["sh", "-c", line], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("paygate: standard output is closed")
