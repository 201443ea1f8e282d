"""What merchants read of the inbox, and that a reset empties it."""

from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from tests.integration.sandbox.box import Sandbox

MESSAGE = """
INSERT INTO inbox_messages
SELECT merchant_id, 'msg_' || lpad(n::text, 26, '0'), now(), 'we_1', 'evt_1', 503,
  '{"webhook-id": "evt_1"}', '{"n":"' || n || '"}'
FROM generate_series(1, 3) n, (SELECT 'mer_other' AS merchant_id UNION SELECT id FROM merchants) m
ON CONFLICT DO NOTHING
"""
ATTEMPT = """
INSERT INTO webhook_attempts
SELECT merchant_id, 'we_1', 'evt_1', 1, now(), '1 s', 503, '', ''
FROM (SELECT 'mer_other' AS merchant_id UNION SELECT id FROM merchants) m
ON CONFLICT DO NOTHING
"""
LEFT = "SELECT DISTINCT merchant_id FROM {}"


async def test_the_inbox_is_listed_newest_first(box: Sandbox) -> None:
    """In pages, headers and body as they were kept, and nobody else's."""
    await box.rig.payments_book.execute(MESSAGE)
    found: list[sandbox.InboxMessage] = []
    token = ""
    for _ in range(2):
        request = sandbox.ListInboxRequest(page_size=2, page_token=token)
        page = await box.stub.ListInbox(request, metadata=box.metadata)
        found += page.messages
        token = page.next_page_token
    assert not token
    assert [one.body for one in found] == ['{"n":"3"}', '{"n":"2"}', '{"n":"1"}']
    first = found[0]
    assert (first.endpoint_id, first.event_id, first.status_code) == ("we_1", "evt_1", 503)
    assert dict(first.headers) == {"webhook-id": "evt_1"}
    assert first.HasField("create_time")


async def test_reset_empties_the_inbox(box: Sandbox) -> None:
    """And removes attempts at webhooks; another merchant's stay."""
    await box.rig.payments_book.execute(MESSAGE)
    await box.rig.payments_book.execute(ATTEMPT)
    await box.stub.Reset(sandbox.ResetRequest(), metadata=box.metadata)
    page = await box.stub.ListInbox(sandbox.ListInboxRequest(), metadata=box.metadata)
    assert not page.messages
    for table in ("inbox_messages", "webhook_attempts"):
        left = await box.rig.payments_book.fetch(LEFT.format(table))
        assert {row["merchant_id"] for row in left} >= {"mer_other"}
        assert box.merchant_id not in {row["merchant_id"] for row in left}
