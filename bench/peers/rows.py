"""The columns of an authorization, in the order of `authorize.sql`."""

from bench.peers.work import MERCHANT, Authorized, Order


def columns(order: Order, done: Authorized, key: str, reply: bytes) -> tuple[object, ...]:
    """Return the statement's arguments."""
    return (
        MERCHANT,
        key,
        done.request_fingerprint,
        reply,
        done.create_time,
        done.payment_id,
        order.currency,
        order.minor_units,
        done.brand,
        done.last4,
        order.month,
        order.year,
        done.card_fingerprint,
        done.card_ciphertext,
        order.reference,
        done.expire_time,
        done.action_id,
        done.event_id,
    )
