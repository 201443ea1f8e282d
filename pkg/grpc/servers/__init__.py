"""gRPC servers for asyncio: one of our own on gRPC's core, and grpc.aio's behind a setting.

`make.py` chooses. `server.py`, `call.py`, `streams.py` and `queue.py` are our own, on what
`core.py` takes of grpcio's private interface; `aio.py` makes grpc.aio's keep the same promise:

**What answers once is never cancelled.** A handler that returns one reply to one request runs to
its end, whether its client hangs up or its deadline passes: it may have moved money. It is counted,
and keeps what it takes up, until it has ended; so the server's end waits for it. A handler that
streams is cancelled when its client goes, since it would never end otherwise: what must not stop
with it has to be a task of its own.
"""
