"""`./paygate` on the real gateway: what developers do with it."""

import json
import os
import pty
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.desk import SECONDS_MAX, Desk, interrupted
from tests.e2e.operator import Operator
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack
from tests.sentinels import VISA
from tools.stack.settings import REPOSITORY

POUNDS = ("--amount", "10.00 GBP")


@pytest.fixture(scope="module")
def desk(stack: Stack, operator: Operator, seen: Seen) -> Desk:
    """A merchant of these tests."""
    key = operator.new_merchant("mer_command_line")
    seen.api_keys.add(key)
    return Desk(stack.url, key)


def test_a_payments_story(desk: Desk) -> None:
    """Authorized, captured and refunded; what --json prints is what the API says."""
    ended = desk.run("payments", "authorize", *POUNDS, "--reference", "cli-1", "--quiet")
    payment = ended.out.removesuffix("\n")
    taken = desk.run("payments", "capture", payment, "--amount", "4.00 GBP", "--json")
    (reply,) = taken.json
    assert reply["payment"]["captured"] == {"minor_units": "400", "currency": "GBP"}
    back = desk.run("payments", "refund", payment, "--amount", "1 GBP")
    heads, row = back.out.splitlines()
    assert re.split(" {2,}", heads)[:5] == ["ID", "STATUS", "AUTHORIZED", "CAPTURED", "REFUNDED"]
    assert re.split(" {2,}", row)[1:6] == [
        *("partially_refunded", "10.00 GBP", "4.00 GBP", "1.00 GBP", "visa 4242")
    ]
    told = desk.run("payments", "get", payment, "--json").json
    assert told == [desk.ask("GET", f"/payment/{payment}?include_actions=true")]
    shown = desk.run("payments", "get", payment).out
    assert [line.split()[1] for line in shown.splitlines()[4:]] == [
        "authorize",
        "capture",
        "refund",
    ]
    listed = desk.run("payments", "list", "--reference", "cli-1", "--json").json
    assert [one["id"] for one in listed] == [payment]
    voided = desk.run("payments", "void", payment, code=1)
    assert "PAYMENT_REFUNDED" in voided.err
    assert not voided.out


def test_a_key_has_one_effect(desk: Desk) -> None:
    """Of the same command twice."""
    command = (
        "payments",
        "authorize",
        "--amount",
        "500 JPY",
        "--idempotency-key",
        "cli-once",
        "-q",
    )
    assert desk.run(*command).out == desk.run(*command).out


def test_a_decline_ends_a_script(desk: Desk) -> None:
    """It is a result, and printed as one; but what comes after it in a script must not go on."""
    card = ("--card", "insufficient-funds")
    ended = desk.type("payments", "authorize", *POUNDS, *card, "--json", code=1)
    assert ended.json[0]["payment"]["status"] == "STATUS_DECLINED"
    assert "the authorization was declined: insufficient_funds" in ended.err
    card = ("--card", "authorize-reply-lost")
    pending = desk.run("payments", "authorize", *POUNDS, *card, "-q", code=3)
    assert "not known yet" in pending.err
    (reply,) = desk.run("payments", "wait", pending.out.strip(), "--json").json
    assert reply["payment"]["status"] == "STATUS_AUTHORIZED"


def test_what_is_wrong_is_said(desk: Desk) -> None:
    """In a sentence, by the exit code of its kind, and without what must not be seen."""
    ended = desk.run("payments", "authorize", *POUNDS, "--card", VISA, code=2)
    assert VISA not in ended.err
    assert "paygate cards" in ended.err
    ended = desk.run("payments", "authorize", "--amount", "10.001 GBP", code=2)
    assert "at most 2 decimals" in ended.err
    assert "--colour" in desk.run("payments", "list", "--colour", "red", code=2).err
    assert "one of" in desk.run("payments", "list", "--status", "lost", code=2).err
    assert "NOT_FOUND" in desk.run("payments", "get", "pay_none", code=1).err
    stranger = replace(desk, key="sk_0000000000000000_" + "0" * 64)
    assert "INVALID_API_KEY" in stranger.type("payments", "list", code=1).err
    nowhere = replace(desk, url="http://127.0.0.1:9")
    assert "http://127.0.0.1:9 does not answer" in nowhere.type("payments", "list", code=3).err
    assert "address" in replace(desk, url="nonsense").run("payments", "list", code=2).err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_result_that_cannot_be_written_is_no_success(desk: Desk) -> None:
    """On a full disk. What an output has no letter for is escaped instead."""
    command = [str(REPOSITORY / "paygate"), "payments", "list"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command, env=desk.environment, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ended.returncode == 3
    assert ended.stderr == b"paygate: the result can't be written: No space left on device.\n"
    desk.run("payments", "authorize", *POUNDS, "--reference", "two \N{HOT BEVERAGE}")
    poor = {**desk.environment, "PYTHONIOENCODING": "ascii"}
    shown = subprocess.run(command, env=poor, stdout=subprocess.PIPE, check=True).stdout
    assert b"two \\u2615" in shown


def test_events_are_followed_from_where_it_ended(desk: Desk) -> None:
    """What happens between two runs is not missed, and nothing comes twice."""
    tail = ("events", "tail", "--json", "--type", "payment.authorized")
    with desk.following(*tail) as process:
        first = desk.run("payments", "authorize", *POUNDS, "-q").out.strip()
        assert process.stdout
        said = json.loads(process.stdout.readline())
        assert said["event"]["data"]["payment"]["id"] == first
        found = re.search(r"--cursor (\S+)", interrupted(process))
    assert found
    second = desk.run("payments", "authorize", *POUNDS, "-q").out.strip()
    with desk.following(*tail, "--cursor", found[1]) as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        assert said["event"]["data"]["payment"]["id"] == second
        interrupted(process)
    listed = desk.run("events", "list", "--payment", second, "--json").json
    assert [one["type"] for one in listed] == ["payment.authorized"]


def test_calls_are_followed(desk: Desk) -> None:
    """Each that is made from when it began, those that were refused included."""
    with desk.following("requests", "tail", "--failed", "--json") as process:
        desk.run("payments", "void", "pay_none", code=1)
        assert process.stdout
        said = json.loads(process.stdout.readline())
        assert (said["method"], said["code"]) == ("Void", "NOT_FOUND")
        interrupted(process)
    (reply,) = desk.run("requests", "get", said["id"], "--json").json
    assert reply["request"]["id"] == said["id"]


def test_the_bank_is_told_what_to_do(desk: Desk) -> None:
    """By a rule, which is listed with its hits; what the bank saw is listed, too."""
    made = desk.run(
        *("bank", "rules", "add", "decline", "--decline-code", "lost-card", "--verb", "authorize"),
        *("--at-least", "66.00 GBP", "--times", "1", "--quiet"),
    )
    rule = made.out.strip()
    declined = desk.run("payments", "authorize", "--amount", "66.00 GBP", code=1)
    assert "declined: lost_card" in declined.err
    row = desk.run("bank", "rules", "list").out.splitlines()[1]
    assert re.split(" {2,}", row)[:5] == [
        *(rule, "verb=authorize minor_units_min=6600 currency=GBP", "decline lost_card", "1", "0")
    ]
    (seen,) = desk.run("bank", "requests", "--limit", "1", "--json").json
    assert (seen["rule_id"], seen["result"]) == (rule, "RESULT_DECLINED")
    desk.run("bank", "rules", "remove", rule)
    assert desk.run("bank", "rules", "list", "--json").out == ""
    both = ("--at-least", "1 GBP", "--currency", "EUR")
    assert "one currency" in desk.run("bank", "rules", "add", "approve", *both, code=2).err


def test_an_endpoint_s_life(desk: Desk, seen: Seen) -> None:
    """The secret goes to standard output alone; deliveries are listed, and sent again."""
    desk.run("clock", "drain")  # or what other tests did just now would be delivered to it, too
    made = desk.run("webhooks", "create", "https://inbox.paygate.test/", "--description", "cli")
    assert re.fullmatch(r"whsec_\S+\n", made.out)
    seen.signing_secrets.add(made.out.strip())
    assert "shown this once" in made.err
    (endpoint,) = [one["id"] for one in desk.run("webhooks", "list", "--json").json]
    changed = desk.run("webhooks", "update", endpoint, "--events", "payment.voided", "--json").json
    assert changed[0]["endpoint"]["event_types"] == ["payment.voided"]
    event = desk.run("webhooks", "test", endpoint, "--json").json[0]["event"]["id"]
    desk.run("clock", "drain")
    delivered = desk.run("webhooks", "deliveries", endpoint, "--json").json
    assert [(one["event_id"], one["status"]) for one in delivered] == [(event, "STATUS_DELIVERED")]
    (came,) = desk.run("webhooks", "inbox", "--json").json
    assert (came["event_id"], came["status_code"]) == (event, 200)
    assert "webhook.test" in desk.run("webhooks", "inbox").out
    again = desk.run("events", "resend", event, "--endpoint", endpoint, "--json").json
    assert [one["endpoint_id"] for one in again] == [endpoint]
    since = ("--since", "2026-01-01T00:00:00Z")
    assert desk.run("webhooks", "redeliver", endpoint, *since).out == "0\n"
    desk.run("webhooks", "delete", endpoint)
    assert desk.run("webhooks", "list", "--json").out == ""


def test_time_is_turned(desk: Desk) -> None:
    """What is due is done, and all is gone after a reset that was meant."""
    payment = desk.run("payments", "authorize", *POUNDS, "-q").out.strip()
    assert payment in desk.run("clock", "due").out
    assert "8 days, 0:00:00" in desk.run("clock", "advance", "8d").out
    assert desk.run("clock", "drain", "--json").json[0]["drained"]
    (reply,) = desk.run("payments", "get", payment, "--json").json
    assert reply["payment"]["status"] == "STATUS_EXPIRED"
    assert "--yes" in desk.type("clock", "reset", code=2).err
    assert "payments were removed" in desk.run("clock", "reset", "--yes").out
    assert desk.run("payments", "list", "--json").out == ""
    assert "0:00:00" in desk.run("clock", "show").out


def test_a_sandbox_s_life(desk: Desk, seen: Seen) -> None:
    """Its key goes to standard output alone, and is good for what is its own."""
    made = desk.run("sandboxes", "create", "one test", "--for", "1h")
    key = made.out.removesuffix("\n")
    seen.api_keys.add(key)
    assert key not in made.err
    (sandbox,) = desk.run("sandboxes", "list", "--json").json
    assert sandbox["id"] in made.err
    own = replace(desk, key=key)
    own.run("payments", "authorize", *POUNDS)
    assert len(own.run("payments", "list", "--json").json) == 1
    desk.run("sandboxes", "delete", sandbox["id"])
    assert desk.run("sandboxes", "list", "--json").out == ""
    refused = desk.run("sandboxes", "create", "too long", "--for", "8d", code=1)
    assert "time_to_live" in refused.err


def test_people_see_how_far_it_is(desk: Desk) -> None:
    """On their terminal, and nothing of that is in the result."""
    terminal, their_end = pty.openpty()
    ended = subprocess.run(
        [REPOSITORY / "paygate", "clock", "drain"],
        env={**desk.environment, "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=their_end,
        text=True,
        check=True,
        timeout=SECONDS_MAX,
    )
    os.close(their_end)
    assert b"Draining" in os.read(terminal, 65_536)
    os.close(terminal)
    heads, row = ended.stdout.splitlines()
    assert heads.startswith("PENDING ACTIONS")
    assert row.split() == ["0"] * 4


def test_test_cards_have_names(desk: Desk) -> None:
    """All that the bank has."""
    rows = [re.split(" {2,}", line) for line in desk.type("cards").out.splitlines()]
    assert rows[0] == ["NAME", "NUMBER", "WHAT THE BANK DOES"]
    assert all(name != "-" for name, _, _ in rows)
    assert ["lost-card", "4000000000009987", "Declined: LOST_CARD."] in rows


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("arguments", "is_full"),
    [
        (("payments", "authorize", *POUNDS, "-q"), True),
        (("payments", "authorize", *POUNDS), False),
        (("webhooks", "create", "inbox:"), True),
        (("webhooks", "create", "inbox:503"), False),
        (("sandboxes", "create", "untold"), True),
    ],
)
def test_what_was_done_is_said_though_nobody_reads_the_result(
    desk: Desk, arguments: tuple[str, ...], is_full: bool
) -> None:
    """On a full disk, or through a pipe that is closed: a script must not take it for refused."""
    if is_full:
        place = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, place = os.pipe()
        os.close(reader)
    command = [str(REPOSITORY / "paygate"), *arguments]
    try:
        ended = subprocess.run(
            command, env=desk.environment, stdout=place, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(place)
    assert ended.returncode == 3
    (made,) = set(re.findall(r"\b(?:pay|we|mer)_\w+", ended.stderr.decode()))
    if made.startswith("pay_"):
        assert made in desk.run("payments", "get", made).out
    elif made.startswith("we_"):
        assert made in desk.run("webhooks", "list").out
    else:
        assert made in desk.run("sandboxes", "list").out
