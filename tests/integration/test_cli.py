"""`./paygate`, the real command, against a real admin process."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pkg.process.data_folder import data_dir
from services.payments.cli.output import NO_ANSWER, REFUSED, WRONG
from tests.chaos.rig import IMPORTS
from tests.database import Databases
from tests.integration.terminal import PEPPER, TOKEN, Terminal, admin_process
from tools.stack import settings as stack

KEY = re.compile(r"sk_[0-9a-z]{16}_[0-9a-f]{64}\Z")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the admin process says."""
    return tmp_path_factory.mktemp("admin") / "admin.log"


def said(log: Path) -> str:
    """Return what the process has said so far."""
    return log.read_text()


@pytest.fixture(scope="module")
async def terminal(databases: Databases, log: Path) -> AsyncIterator[Terminal]:
    """A terminal that is told where the process is, and which file holds the token."""
    name, url = await databases.create("payments")
    token = log.with_name("token")
    token.write_text(TOKEN + "\n")
    async with admin_process(url, log) as (_, port):
        yield Terminal(
            {
                "PAYGATE_ADMIN_ADDRESS": f"127.0.0.1:{port}",
                "PAYGATE_ADMIN_TOKEN_FILE": str(token),
            }
        )
    await databases.drop(name)


async def test_a_merchants_life(terminal: Terminal) -> None:
    """Made, shown, listed, disabled, enabled: in columns for people, as JSON for programs."""
    made = await terminal.run("merchants", "create", "The shop", "--id", "mer_shop")
    assert [line.split() for line in made.out.splitlines()] == [
        ["ID", "STATUS", "MADE", "NAME"],
        ["mer_shop", "enabled", *made.out.splitlines()[1].split()[2:4], "The", "shop"],
    ]
    other = (await terminal.run("merchants", "create", "Café", "--json")).json["merchant"]
    assert (other["name"], other["status"]) == ("Café", "STATUS_ENABLED")
    listed = (await terminal.run("merchants", "list", "--json")).out.splitlines()
    ids = [json.loads(line)["id"] for line in listed]
    assert {"mer_shop", other["id"]} <= set(ids)
    assert ids == sorted(ids)
    assert "disabled" in (await terminal.run("merchants", "disable", "mer_shop")).out
    shown = (await terminal.run("merchants", "show", "mer_shop", "--json")).json["merchant"]
    assert shown["status"] == "STATUS_DISABLED"
    assert "enabled" in (await terminal.run("merchants", "enable", "mer_shop")).out


async def test_a_keys_life(terminal: Terminal) -> None:
    """Standard output holds a new key and nothing else, so that a script can take it."""
    await terminal.run("merchants", "create", "The shop", "--id", "mer_keys")
    made = await terminal.run(
        *("keys", "create", "mer_keys", "--name", "till"),
        *("--scope", "payments", "--scope", "read_only"),
    )
    key = made.out.removesuffix("\n")
    assert KEY.match(key)
    assert "shown this once" in made.err
    assert key not in made.err
    key_id = key.split("_")[1]

    rotated = await terminal.run("keys", "rotate", key_id, "--overlap-seconds", "3600")
    newer = rotated.out.removesuffix("\n")
    assert KEY.match(newer)
    assert newer != key
    assert f"old key {key_id} ends at" in rotated.err

    revoked = await terminal.run("keys", "revoke", key_id, "--json")
    assert revoked.json["api_key"]["status"] == "STATUS_REVOKED"
    listed = await terminal.run("keys", "list", "mer_keys")
    words = [line.split() for line in listed.out.splitlines()]
    assert words[0] == ["ID", "STATUS", "SCOPES", "MADE", "ENDS", "NAME"]
    assert [line[:3] + line[-1:] for line in words[1:]] == [
        [newer.split("_")[1], "live", "payments,read_only", "till"],
        [key_id, "revoked", "payments,read_only", "till"],
    ]
    assert "sk_" not in listed.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("merchants", "show", "mer_nobody"), REFUSED, "There is no merchant with this id."),
        (("keys", "create", "mer_nobody"), REFUSED, "There is no merchant with this id."),
        (("keys", "revoke", "0" * 16), REFUSED, "There is no API key with this id."),
        (("keys", "revoke", f"sk_{'0' * 16}_{'0' * 64}"), REFUSED, "id must be a key's id"),
        (("merchants", "create", ""), REFUSED, "name is required"),
        (("keys", "create", "mer_x", "--scope", "everything"), WRONG, "everything"),
        (("keys", "rotate"), WRONG, "key_id"),
        (("kyes", "list"), WRONG, "kyes"),
    ],
    ids=str,
)
async def test_what_went_wrong_is_said(
    terminal: Terminal, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """One sentence on standard error, nothing on standard output, and an exit code for scripts."""
    ended = await terminal.run(*arguments, code=code)
    assert said in ended.err
    assert not ended.out


async def test_two_live_keys_are_the_limit(terminal: Terminal) -> None:
    """The third is refused in words that say what to do."""
    await terminal.run("merchants", "create", "The shop", "--id", "mer_two")
    await terminal.key_id("mer_two")
    await terminal.key_id("mer_two")
    refused = await terminal.run("keys", "create", "mer_two", code=REFUSED)
    assert "revoke one of them first" in refused.err


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ({"PAYGATE_ADMIN_TOKEN_FILE": "/nowhere"}, WRONG, "PAYGATE_ADMIN_TOKEN_FILE can't be read"),
        ({"PAYGATE_ADMIN_ADDRESS": "10.0.0.1:50054"}, WRONG, "must be a loopback address"),
        ({"PAYGATE_ADMIN_ADDRESS": "127.0.0.1:1"}, NO_ANSWER, "does not answer at 127.0.0.1:1"),
    ],
    ids=str,
)
async def test_a_process_that_cannot_be_reached(
    terminal: Terminal, more: dict[str, str], code: int, said: str
) -> None:
    """Settings that are wrong and a process that is away have exit codes of their own."""
    assert said in (await terminal.run("merchants", "list", code=code, **more)).err


async def test_where_no_gateway_runs(tmp_path: Path) -> None:
    """Whoever has another data folder learns which one was looked at, and how to name theirs."""
    said = await Terminal({"PAYGATE_DATA_DIR": str(tmp_path)}).run("keys", "list", "m", code=WRONG)
    assert "PAYGATE_ADMIN_TOKEN: Field required" in said.err
    assert (
        f"PAYGATE_DATA_DIR where a `make run` on this machine serves: none does on {tmp_path}"
        in (said.err)
    )


async def test_a_wrong_token_opens_nothing(terminal: Terminal) -> None:
    """It is refused, and not repeated."""
    environment = {"PAYGATE_ADMIN_ADDRESS": terminal.environment["PAYGATE_ADMIN_ADDRESS"]}
    wrong = Terminal({**environment, "PAYGATE_ADMIN_TOKEN": "5a" * 32})
    ended = await wrong.run("merchants", "list", code=REFUSED)
    assert "The admin token is missing or not valid." in ended.err
    assert "5a5a" not in ended.err


async def test_a_run_on_this_machine_is_found(terminal: Terminal, tmp_path: Path) -> None:
    """Without settings the command takes those that `make run` keeps in its data folder."""
    said = [f"{name}={value}\n" for name, value in terminal.environment.items()]
    (tmp_path / "admin.env").write_text("".join(said))
    told_nothing = Terminal({"PAYGATE_DATA_DIR": str(tmp_path)})
    listed = (await told_nothing.run("merchants", "list", "--json")).out.splitlines()
    assert json.loads(listed[0]).keys() >= {"id", "name"}
    chosen = stack.load({"PAYGATE_DATA_DIR": str(tmp_path)})
    assert chosen.admin_env == tmp_path / "admin.env"
    assert chosen.data_dir == data_dir({"PAYGATE_DATA_DIR": str(tmp_path)})


async def test_without_anything_it_says_what_it_needs(tmp_path: Path) -> None:
    """No settings and no run: the missing setting is named."""
    ended = await Terminal({"PAYGATE_DATA_DIR": str(tmp_path)}).run("keys", "list", "m", code=WRONG)
    assert "PAYGATE_ADMIN_TOKEN: " in ended.err
    assert "make run" in ended.err


async def test_the_log_has_the_action_and_no_key(terminal: Terminal, log: Path) -> None:
    """Who did what is in the process's log; neither the key nor the token is."""
    already = len(said(log))
    await terminal.run("merchants", "create", "The shop", "--id", "mer_logged")
    key = (await terminal.run("keys", "create", "mer_logged")).out.strip()
    text = said(log)[already:]
    lines = [json.loads(line) for line in text.splitlines()]
    actions = [line for line in lines if line["event"] == "admin action"]
    assert [(line["action"], line["operator"]) for line in actions] == [
        ("CreateMerchant", "ada"),
        ("CreateApiKey", "ada"),
    ]
    assert actions[1]["api_key"] == key.split("_")[1]
    assert key.split("_")[2] not in text
    assert TOKEN not in text


async def test_the_process_ends_in_order(payments_database_url: str, tmp_path: Path) -> None:
    """SIGTERM ends it with exit code 0."""
    async with admin_process(payments_database_url, tmp_path / "log") as (process, _):
        process.terminate()
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_the_process_does_not_start_for_everybody_to_reach() -> None:
    """An address that is not this machine's own alone ends the start, with a sentence."""
    environment = {
        "PAYGATE_ADMIN_DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing",
        "PAYGATE_ADMIN_LISTEN": "0.0.0.0:50054",
        "PAYGATE_ADMIN_TOKEN": TOKEN,
        "PAYGATE_KEY_PEPPER": PEPPER,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.payments", "admin"),
        env={**os.environ, **IMPORTS, **environment},
        stderr=PIPE,
    )
    _, sentence = await process.communicate()
    assert process.returncode == 2
    assert sentence.startswith(b"PAYGATE_ADMIN_LISTEN: ")


async def test_actions_in_doubt(terminal: Terminal) -> None:
    """None is stuck here; one that is not in doubt cannot be ended, and none without an end."""
    listed = await terminal.run("actions", "list")
    assert listed.out.split() == ["ID", "TYPE", "BEGUN", "MERCHANT", "PAYMENT", "RESOLVED", "AS"]
    assert (await terminal.run("actions", "list", "--json")).out == ""
    one = ("actions", "resolve", "act_01h455vb4pex5vsknk084sn02q")
    refused = await terminal.run(*one, "--as", "failed", code=REFUSED)
    assert refused.err == "paygate: There is no action with this id that is in doubt.\n"
    await terminal.run(*one, code=WRONG)
    await terminal.run(*one, "--as", "pending", code=WRONG)


async def test_the_vaults_key_is_rotated(terminal: Terminal, log: Path) -> None:
    """A new version wraps, no data key is left of the old one, and that is not refused too soon."""
    keyring = log.with_name("keyring.json")
    rotated = await terminal.run("vault", "rotate", "--json")
    assert rotated.json == {"version": "2", "rewrapped": "0", "remaining": "0"}
    assert set(json.loads(keyring.read_text())["versions"]) == {"1", "2"}
    refused = await terminal.run("vault", "refuse-old", code=REFUSED)
    assert "not a minute old" in refused.err
    assert json.loads(keyring.read_text())["versions"]["1"]["key"] not in rotated.err
