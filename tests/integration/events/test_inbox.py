"""The sandbox's inbox: webhooks without a server and without a network."""

import json
from datetime import timedelta
from typing import NoReturn

import pytest
from standardwebhooks import Webhook

from pkg.process.mode import Mode
from services.events import inbox
from services.events.lines import Lines
from services.events.lookup import Lookup
from services.events.post import Answer, Poster
from services.events.sealing import shown
from services.events.target import check_url
from tests.integration.events.desk import Desk

URL = "https://inbox.paygate.test/"
GOOD = [URL, URL[:-1], f"{URL}200", f"{URL}503", f"{URL}599", "HTTPS://INBOX.paygate.TEST/410"]
GOOD += ["inbox:", "inbox:503", "INBOX:200"]
BAD = [
    f"{URL}100",
    f"{URL}600",
    f"{URL}2000",
    f"{URL}200/",
    f"{URL}200?a",
    f"{URL}x",
    "https://inbox.paygate.test:8443/",
    "https://inbox.paygate.test./x",
    *("inbox:600", "inbox:/503", "inbox:@example.com", "inbox://example.com/", "inbox:inbox:"),
]


async def messages(desk: Desk) -> list[dict[str, object]]:
    """Return what is in the inbox, the oldest first."""
    rows = await desk.pool.fetch("SELECT * FROM inbox_messages ORDER BY id")
    return [dict(row) for row in rows]


async def test_what_would_be_posted_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed as always, delivered as always; nothing is looked up and nothing connected to."""

    def refused(*_: object, **__: object) -> NoReturn:
        raise AssertionError("there is no network")

    monkeypatch.setattr(Lines, "open", refused)
    monkeypatch.setattr(Lookup, "addresses", refused)
    endpoint_id, secret = await desk.endpoint(URL)
    await desk.authorized()
    await desk.advance(timedelta(days=9))
    assert await desk.process() == 1
    (message,) = await messages(desk)
    headers = json.loads(str(message["headers"]))
    body = str(message["body"])
    event = Webhook(shown(secret)).verify(body, headers)
    assert (message["event_id"], message["endpoint_id"]) == (event["id"], endpoint_id)
    assert (message["status_code"], headers["content-type"]) == (200, "application/json")
    (delivery,) = await desk.deliveries()
    assert (delivery["status"], delivery["last_status_code"]) == ("DELIVERED", 200)
    begun = await desk.pool.fetchval("SELECT create_time FROM webhook_attempts")
    assert message["create_time"] == begun


async def test_its_short_name_is_the_same(desk: Desk) -> None:
    """With a status too."""
    await desk.endpoint("inbox:503")
    await desk.authorized()
    await desk.process()
    (message,), (delivery,) = await messages(desk), await desk.deliveries()
    assert (message["status_code"], delivery["status"]) == (503, "PENDING")


@pytest.mark.parametrize(
    ("status", "became"), [(204, "DELIVERED"), (302, "PENDING"), (503, "PENDING"), (410, "FAILED")]
)
async def test_the_url_says_what_is_answered(desk: Desk, status: int, became: str) -> None:
    """And the answer means what it means of any endpoint."""
    await desk.endpoint(f"{URL}{status}")
    await desk.authorized()
    await desk.process()
    (message,), (delivery,) = await messages(desk), await desk.deliveries()
    assert (message["status_code"], delivery["status"]) == (status, became)


async def test_the_last_messages_of_each_merchant_are_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many come, and whoever else's come beside."""
    monkeypatch.setattr(inbox, "INBOX_MESSAGES_MAX", 3)
    await desk.endpoint(URL)
    await desk.endpoint(URL, merchant_id="mer_other")
    await desk.authorized(merchant_id="mer_other")
    await desk.captured(await desk.authorized(), times=5)
    await desk.process()
    rows = await desk.pool.fetch(
        "SELECT m.merchant_id, o.sequence FROM inbox_messages m"
        " JOIN outbox o ON o.merchant_id = m.merchant_id AND o.id = m.event_id ORDER BY m.id"
    )
    sequences = await desk.pool.fetchval(
        "SELECT array_agg(sequence ORDER BY sequence) FROM outbox WHERE merchant_id <> 'mer_other'"
    )
    mine = [row["sequence"] for row in rows if row["merchant_id"] != "mer_other"]
    assert mine == sequences[-3:]
    assert len(rows) == 3 + 1


@pytest.mark.parametrize("url", GOOD)
async def test_the_inbox_is_the_sandboxs(url: str) -> None:
    """Production takes the URL neither at registration nor for an attempt."""
    assert check_url(url, Mode.SANDBOX) is None
    assert check_url(url, Mode.PRODUCTION) == "must have a public address"
    poster = Poster(Mode.PRODUCTION, timeout_seconds=1)
    answer = await poster.post(url, b"{}", {}, owner="mer_1")
    assert answer == Answer(0, "address not allowed")
    await poster.close()


@pytest.mark.parametrize("url", BAD)
def test_the_inbox_has_no_other_url(url: str) -> None:
    """A mistake is told, and not looked up as a name."""
    problem = check_url(url, Mode.SANDBOX)
    assert problem == "must be https://inbox.paygate.test/, or that and a status from 200 to 599"
