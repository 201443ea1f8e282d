"""A load driver for gRPC calls that differ from one another: `python -m bench.driver`.

h2load and wrk repeat one request; here every call has an idempotency key, and many payments take
turns. One process, one thread, one call at a time on each connection; a closed loop, or so many
calls per second whatever becomes of them. Reads a `Load` as JSON from standard input; writes what
was counted as JSON, and each call's time into a file.
"""

import base64
import json
import random
import resource
import select
import socket
import sys
import time
from array import array
from dataclasses import asdict, dataclass, field
from itertools import cycle

from bench import http2

ANSWER_SECONDS_MAX = 30.0
DECK = 1_000
# The kernel's timer wakes us as late as this.
LATE_SECONDS = 0.0015


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One kind of call.

    Attributes:
        name: For the counts.
        path: Of the RPC.
        bodies: Serialised messages in base64, which take turns.
        weight: How often it comes, beside the others.
        keyed: Whether each call has an idempotency key of its own.
    """

    name: str
    path: str
    bodies: list[str]
    weight: int = 1
    keyed: bool = True


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to do.

    Attributes:
        calls: So many, instead of so many seconds.
        rate: Calls per second; as many as are answered if it is 0.
        times: The file for the time of each call that went well, or of every one.
        failed_times: The file for those of calls that failed, if they are to be told apart.
    """

    port: int
    connections: int
    headers: dict[str, str]
    operations: list[Operation]
    times: str
    seconds: float = 0.0
    calls: int = 0
    rate: float = 0.0
    failed_times: str = ""


@dataclass(kw_only=True)
class Counted:
    """What was done. `well` counts calls by operation whose status was OK."""

    well: dict[str, int]
    failed: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(eq=False)
class Connection:
    """One connection and the call on it."""

    socket: socket.socket
    stream: int = -1
    unread: bytes = b""
    sent: float = 0.0
    operation: int = 0


@dataclass
class Driver:
    """The loop."""

    load: Load
    times: "array[int]" = field(default_factory=lambda: array("I"))
    failed_times: "array[int]" = field(default_factory=lambda: array("I"))

    def __post_init__(self) -> None:
        self._requests = http2.Requests(self.load.headers)
        self._paths = [http2.path_header(one.path) for one in self.load.operations]
        self._bodies = [
            cycle([http2.message(base64.b64decode(body)) for body in one.bodies])
            for one in self.load.operations
        ]
        chance = random.Random(7)
        self._prefix = f"{random.SystemRandom().getrandbits(64):016x}"
        weights = [one.weight for one in self.load.operations]
        total = sum(weights)
        deck = [n for n, weight in enumerate(weights) for _ in range(DECK * weight // total)]
        chance.shuffle(deck)
        self._deck = cycle(deck)
        self._calls = 0
        self._due = 0.0
        self._well = [0] * len(weights)
        self._failed = 0

    def run(self) -> Counted:
        """Keep every connection busy until the time or the calls are up; then let calls end."""
        poll = select.epoll()
        connections = {}
        for _ in range(self.load.connections):
            connection = Connection(_connected(self.load.port))
            connections[connection.socket.fileno()] = connection
            poll.register(connection.socket, select.EPOLLIN)
        began = time.perf_counter()
        self._due = began
        idle = list(connections.values())
        while True:
            pause = self._send_due(idle, began + self.load.seconds)
            if pause is None and len(idle) == len(connections):
                break
            ready = poll.poll(ANSWER_SECONDS_MAX if pause is None else pause)
            if not ready and pause is None:
                raise TimeoutError(f"{len(connections) - len(idle)} calls have no answer")
            idle += [
                connections[number] for number, _ in ready if self._receive(connections[number])
            ]
        used = resource.getrusage(resource.RUSAGE_SELF)
        names = [one.name for one in self.load.operations]
        return Counted(
            well=dict(zip(names, self._well, strict=True)),
            failed=self._failed,
            seconds=time.perf_counter() - began,
            cpu_seconds=used.ru_utime + used.ru_stime,
        )

    def _send_due(self, idle: list[Connection], end: float) -> float | None:
        """Send what is due; return the seconds until more is, or None if only answers are."""
        now = time.perf_counter()
        late = now - self._due > LATE_SECONDS
        while self._calls < self.load.calls if self.load.calls else now < end:
            if not idle:
                return None
            if self.load.rate:
                if self._due > now:
                    return self._due - now
                # A call that had to wait for a connection has waited for the server.
                self._send(idle.pop(), self._due if late else now)
                self._due += 1 / self.load.rate
            else:
                self._send(idle.pop(), now)
            now = time.perf_counter()
        return None

    def _send(self, connection: Connection, now: float) -> None:
        self._calls += 1
        connection.operation = number = next(self._deck)
        connection.stream += 2
        keyed = self.load.operations[number].keyed
        connection.sent = now
        connection.socket.send(
            self._requests.encode(
                self._paths[number],
                next(self._bodies[number]),
                key=f"{self._prefix}{self._calls:016x}" if keyed else "",
                stream=connection.stream,
            )
        )

    def _receive(self, connection: Connection) -> bool:
        """Read; tell whether the call has ended."""
        data = connection.socket.recv(65_536)
        if not data:
            raise ConnectionError("the server has closed a connection")
        buffer = connection.unread + data if connection.unread else data
        ended, read = False, 0
        for kind, flags, payload, read in http2.frames(buffer):  # noqa: B007  # used after the loop
            if kind == http2.HEADERS and flags & http2.END_STREAM:
                ended = True
                self._count(connection, well=http2.went_well(payload))
            elif kind == http2.RST_STREAM:
                ended = True
                self._count(connection, well=False)
            elif kind in {http2.SETTINGS, http2.PING} and not flags & http2.ACK:
                connection.socket.send(http2.acknowledgement(kind, payload))
            elif kind == http2.GOAWAY:
                raise ConnectionError("the server sends us away")
        connection.unread = buffer[read:]
        return ended

    def _count(self, connection: Connection, *, well: bool) -> None:
        apart = self.load.failed_times and not well
        took = int((time.perf_counter() - connection.sent) * 1e6)
        (self.failed_times if apart else self.times).append(took)
        if well:
            self._well[connection.operation] += 1
        else:
            self._failed += 1


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(http2.preface())
    return connection


def main() -> None:
    """Read, drive, write."""
    given = json.load(sys.stdin)
    operations = [Operation(**one) for one in given.pop("operations")]
    driver = Driver(Load(operations=operations, **given))
    counted = driver.run()
    with open(driver.load.times, "wb") as file:  # noqa: PTH123  # array wants a real file
        driver.times.tofile(file)
    if driver.load.failed_times:
        with open(driver.load.failed_times, "wb") as file:  # noqa: PTH123  # as above
            driver.failed_times.tofile(file)
    json.dump(asdict(counted), sys.stdout)


if __name__ == "__main__":
    main()
