"""A peer: FastAPI and SQLAlchemy's ORM on asyncpg; a session per request, one transaction."""

import os
from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Response
from sqlalchemy import DateTime
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.peers import rest
from bench.peers.work import MERCHANT, POOL_SIZE, Authorized, InvalidError, Order, authorized

engine = create_async_engine(os.environ["PEER_DATABASE_URL"], pool_size=POOL_SIZE, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


class Base(DeclarativeBase):
    """The tables of `schema.sql`."""

    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  # as SQLAlchemy has it


class Payment(Base):
    """A payment."""

    __tablename__ = "payments"
    id: Mapped[str] = mapped_column(primary_key=True)
    merchant_id: Mapped[str]
    status: Mapped[str]
    currency: Mapped[str]
    authorized: Mapped[int]
    captured: Mapped[int]
    refunded: Mapped[int]
    card_brand: Mapped[str]
    card_last4: Mapped[str]
    card_expiry_month: Mapped[int]
    card_expiry_year: Mapped[int]
    card_fingerprint: Mapped[bytes]
    card_ciphertext: Mapped[bytes]
    reference: Mapped[str]
    create_time: Mapped[datetime]
    expire_time: Mapped[datetime]


class Action(Base):
    """What was done to a payment."""

    __tablename__ = "actions"
    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str]
    type: Mapped[str]
    status: Mapped[str]
    currency: Mapped[str]
    minor_units: Mapped[int]
    create_time: Mapped[datetime]


class IdempotencyKey(Base):
    """A key that was used, and the reply to it."""

    __tablename__ = "idempotency_keys"
    merchant_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    reply: Mapped[bytes]
    create_time: Mapped[datetime]


class Event(Base):
    """A fact for others."""

    __tablename__ = "outbox"
    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str]
    type: Mapped[str]
    payload: Mapped[bytes]
    create_time: Mapped[datetime]


@app.post("/authorize")
async def authorize(
    request: rest.AuthorizeRequest, idempotency_key: Annotated[str, Header()]
) -> Response:
    """Authorize once per key."""
    order = request.order()
    try:
        done = authorized(order)
    except InvalidError as problem:
        raise HTTPException(400, detail=str(problem)) from problem
    reply = rest.reply(order, done)
    async with Session() as session:
        session.add_all(_rows(order, done, idempotency_key, reply))
        try:
            await session.commit()
        except IntegrityError:
            await session.rollback()
            held = await session.get(IdempotencyKey, (MERCHANT, idempotency_key))
            if held is None or held.fingerprint != done.request_fingerprint:
                raise HTTPException(400, detail="IDEMPOTENCY_KEY_REUSED") from None
            reply = held.reply
    return Response(reply, media_type="application/json")


def _rows(order: Order, done: Authorized, key: str, reply: bytes) -> list[Base]:
    return [
        IdempotencyKey(
            merchant_id=MERCHANT,
            key=key,
            fingerprint=done.request_fingerprint,
            reply=reply,
            create_time=done.create_time,
        ),
        Payment(
            id=done.payment_id,
            merchant_id=MERCHANT,
            status="AUTHORIZED",
            currency=order.currency,
            authorized=order.minor_units,
            captured=0,
            refunded=0,
            card_brand=done.brand,
            card_last4=done.last4,
            card_expiry_month=order.month,
            card_expiry_year=order.year,
            card_fingerprint=done.card_fingerprint,
            card_ciphertext=done.card_ciphertext,
            reference=order.reference,
            create_time=done.create_time,
            expire_time=done.expire_time,
        ),
        Action(
            id=done.action_id,
            payment_id=done.payment_id,
            type="AUTHORIZE",
            status="SUCCEEDED",
            currency=order.currency,
            minor_units=order.minor_units,
            create_time=done.create_time,
        ),
        Event(
            id=done.event_id,
            payment_id=done.payment_id,
            type="payment.authorized",
            payload=reply,
            create_time=done.create_time,
        ),
    ]
