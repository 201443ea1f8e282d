"""A peer: FastAPI and asyncpg; one statement per request."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import asyncpg
from fastapi import FastAPI, Header, HTTPException, Request, Response

from bench.peers import rest
from bench.peers.rows import columns
from bench.peers.work import MERCHANT, POOL_SIZE, InvalidError, authorized

AUTHORIZE = Path(__file__).with_name("authorize.sql").read_text()
HELD = "SELECT fingerprint, reply FROM idempotency_keys WHERE merchant_id = $1 AND key = $2"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep a pool open."""
    url = os.environ["PEER_DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=POOL_SIZE, max_size=POOL_SIZE) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/authorize")
async def authorize(
    body: rest.AuthorizeRequest, idempotency_key: Annotated[str, Header()], request: Request
) -> Response:
    """Authorize once per key."""
    order = body.order()
    try:
        done = authorized(order)
    except InvalidError as problem:
        raise HTTPException(400, detail=str(problem)) from problem
    reply = rest.reply(order, done)
    pool = request.app.state.pool
    if not await pool.fetchval(AUTHORIZE, *columns(order, done, idempotency_key, reply)):
        held = await pool.fetchrow(HELD, MERCHANT, idempotency_key)
        if held["fingerprint"] != done.request_fingerprint:
            raise HTTPException(400, detail="IDEMPOTENCY_KEY_REUSED")
        reply = held["reply"]
    return Response(reply, media_type="application/json")
