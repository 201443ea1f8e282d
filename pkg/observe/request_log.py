"""The request log: one line for each call, for people who ask what became of it.

In a terminal the line goes through structlog, like any other. As JSON it is made here by orjson: to
send it through the chain of processors would cost 14 µs, here it is 2. Lines are written together,
at most `GATHER_SECONDS` after the first of them; a process that is killed may lose those.
"""

import asyncio
import ipaddress
import sys
import time
from collections.abc import Callable
from functools import lru_cache

import orjson
import structlog

logger = structlog.get_logger()

GATHER_SECONDS = 0.1
GATHERED_MAX = 500


class RequestLog:
    """Writes a line for each call that has ended.

    Args:
        service: The name that all lines of the process carry.
        write: Takes a text of whole lines; None for structlog, in its readable form.
    """

    def __init__(self, service: str, write: Callable[[str], object] | None) -> None:
        self._write = write
        self._service = service
        self._lines: list[bytes] = []
        self._flushing: asyncio.TimerHandle | None = None

    def add(
        self,
        *,
        request_id: str,
        merchant_id: str,
        key_id: str,
        address: str,
        method: str,
        code: str,
        reason: str,
        seconds: float,
        payment_id: str,
    ) -> None:
        """Log a call.

        Args:
            request_id: Of the edge's or our own making.
            merchant_id: Whose call it was; empty if that was not found out.
            key_id: Of the API key that it came with; empty as well.
            address: Where it came from. What is no address is not logged: anybody could write it.
            method: As `/package.Service/Method`.
            code: The name of the gRPC status.
            reason: Of the refusal; empty if it went well.
            seconds: How long it took.
            payment_id: Which payment it was about; empty if none.
        """
        told = {
            "request_id": request_id,
            "merchant_id": merchant_id,
            "key_id": key_id,
            "address": _checked(address),
            "method": method,
            "code": code,
            "reason": reason,
            "duration_ms": round(seconds * 1000, 2),
            "payment_id": payment_id,
        }
        if self._write is None:
            logger.info("request", **{name: value for name, value in told.items() if value != ""})
            return
        now = time.time()
        whole = int(now)
        timestamp = f"{_second(whole)}.{int((now - whole) * 1e6):06}Z"
        line = {
            "event": "request",
            "service": self._service,
            "level": "info",
            "timestamp": timestamp,
            **told,
        }
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if len(self._lines) >= GATHERED_MAX:
            self.flush()
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._flushing:
            self._flushing.cancel()
            self._flushing = None
        if self._lines and self._write:
            text = b"".join(self._lines).decode()
            self._lines.clear()
            self._write(text)


def request_log(service: str) -> RequestLog:
    """Return the log of this process, which goes to standard error."""
    return RequestLog(service, None if sys.stderr.isatty() else _to_standard_error)


def _to_standard_error(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=1_000)
def _checked(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
