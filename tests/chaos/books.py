"""Both books, ours and the bank's: they have to agree to the unit, whatever was killed."""

import asyncio
from dataclasses import dataclass
from typing import Any

# Nothing may be PENDING longer.
PENDING_SECONDS_MAX = 30.0


@dataclass
class Books:
    """A look into both databases."""

    payments: Any  # asyncpg's pool takes its parameter only from type checkers
    bank: Any

    async def settled(self) -> None:
        """Wait until nothing is PENDING any more; it never takes longer than the limit."""
        async with asyncio.timeout(PENDING_SECONDS_MAX):
            while await self._pending():
                await asyncio.sleep(0.05)  # the event is in another process

    async def _pending(self) -> int:
        count: int = await self.payments.fetchval(
            "SELECT count(*) FROM actions WHERE status = 'PENDING'"
        )
        return count

    async def assert_agree(self, *, with_events: bool = True) -> None:
        """Every payment and every action of ours is the bank's to the unit, and none is PENDING.

        Args:
            with_events: Whether each action still has its event: old ones are removed.
        """
        assert (
            await self.payments.fetchval("SELECT count(*) FROM actions WHERE status = 'PENDING'")
            == 0
        )
        await self._assert_payments_agree()
        await self._assert_actions_agree()
        assert not await self.payments.fetch(SUMS_THAT_DIFFER)
        if with_events:
            assert not await self.payments.fetch(ENDED_WITHOUT_EVENT)

    async def _assert_payments_agree(self) -> None:
        rows = await self.payments.fetch(
            "SELECT authorization_id, status, authorized, captured, refunded FROM payments"
        )
        ours = {row["authorization_id"]: tuple(row)[1:] for row in rows}
        held = await self.bank.fetch(
            "SELECT reference, status, minor_units, captured, refunded FROM authorizations"
        )
        theirs = {row["reference"]: row for row in held}
        assert set(theirs) <= set(ours)
        for reference, (status, amount, *sums) in ours.items():
            bank = theirs.get(reference)
            if status == "FAILED":
                assert bank is None or bank["status"] == "REVERSED"
                continue
            assert bank is not None, f"{reference} is {status}, and the bank does not know it"
            assert [bank["minor_units"], bank["captured"], bank["refunded"]] == [amount, *sums]
            assert (status == "VOIDED") == (bank["status"] == "VOIDED")
            assert (status == "DECLINED") == (bank["status"] == "DECLINED")

    async def _assert_actions_agree(self) -> None:
        rows = await self.payments.fetch(
            "SELECT id, type, status, decline_code FROM actions"
            # What the bank has refused for good is not in its book.
            " WHERE type IN ('CAPTURE', 'VOID', 'REFUND') AND status <> 'FAILED'"
        )
        ours = {row["id"]: (row["type"], row["status"], row["decline_code"]) for row in rows}
        done = await self.bank.fetch("SELECT reference, verb, decline_code FROM operations")
        theirs = {
            row["reference"]: (
                row["verb"],
                "DECLINED" if row["decline_code"] else "SUCCEEDED",
                row["decline_code"],
            )
            for row in done
        }
        assert ours == theirs


SUMS_THAT_DIFFER = """
SELECT p.id
FROM payments p
JOIN actions a ON a.merchant_id = p.merchant_id AND a.payment_id = p.id AND a.status = 'SUCCEEDED'
GROUP BY p.merchant_id, p.id
HAVING p.captured <> coalesce(sum(a.minor_units) FILTER (WHERE a.type = 'CAPTURE'), 0)
  OR p.refunded <> coalesce(sum(a.minor_units) FILTER (WHERE a.type = 'REFUND'), 0)
  OR p.capturing <> 0 OR p.refunding <> 0 OR p.voiding OR p.closing OR p.reversing
"""
ENDED_WITHOUT_EVENT = """
SELECT a.id
FROM actions a
LEFT JOIN outbox o ON o.merchant_id = a.merchant_id AND o.payment_id = a.payment_id
WHERE a.type <> 'REVERSE'
GROUP BY a.merchant_id, a.payment_id, a.id
HAVING count(o.id) <> (
  SELECT count(*) FROM actions b
  WHERE b.merchant_id = a.merchant_id AND b.payment_id = a.payment_id AND b.type <> 'REVERSE')
"""
