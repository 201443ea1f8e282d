"""Sends cases along several lanes, and counts what comes back."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

import grpc

from tests.fuzz.api import Method
from tests.fuzz.case import Case, Keys, Lane, Reply
from tests.fuzz.native import bytes_case, message_case
from tests.fuzz.oracle import Oracle
from tests.fuzz.rest import Connection
from tests.fuzz.rest_odd import rest_case

LANES = 4
# How likely a case is one of the last, sent once more: keys are repeated, ids are used up.
AGAIN, RECENT = 0.05, 10


@dataclass(frozen=True)
class Target:
    """The running gateway.

    Attributes:
        port: The edge's.
        workers: Where each service can be called past the edge.
        keys: Who calls.
        receiver_url: Where webhooks may be posted to.
    """

    port: int
    workers: dict[str, str]
    keys: Keys
    receiver_url: str


@dataclass
class Tally:
    """What came of all cases.

    Attributes:
        said: How often each kind of case got each reason.
        accepted: How often a method was carried out.
        failures: What was wrong, with the case.
        replayed: How many replies were stored ones.
        seconds: How long it took.
    """

    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    replayed: int = 0
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many cases there were."""
        return sum(self.said.values())

    @property
    def accepted_share(self) -> float:
        """How many of them were carried out."""
        return sum(self.accepted.values()) / max(1, self.count)

    def note(self, case: Case, reply: Reply, complaints: Sequence[str]) -> None:
        """Count one case."""
        self.said[case.kind, reply.said] += 1
        if reply.code == "OK":
            self.accepted[case.method.name] += 1
        self.replayed += ("idempotent-replayed", "true") in reply.headers
        if complaints:
            self.failures.append(f"{'; '.join(complaints)}\n  {case.shown()}\n  got {reply}"[:6000])

    def add(self, other: "Tally") -> None:
        """Take another lane's in."""
        self.said += other.said
        self.accepted += other.accepted
        self.failures += other.failures
        self.replayed += other.replayed

    def report(self) -> str:
        """Return the figures, as a table."""
        speed = self.count / self.seconds
        lines = [
            f"{self.count} cases in {self.seconds:.1f} s, {speed:.0f} a second",
            f"  {self.accepted_share:.0%} were carried out, {self.replayed} of them as replays",
        ]
        for kind in sorted({kind for kind, _ in self.said}):
            found = Counter({said: n for (one, said), n in self.said.items() if one == kind})
            total = sum(found.values())
            shares = (f"{said} {n / total:.1%}" for said, n in found.most_common())
            lines.append(f"  {kind} ({total}): {', '.join(shares)}")
        lines.append(f"  carried out: {dict(self.accepted.most_common())}")
        return "\n".join(lines)


def run(target: Target, methods: Sequence[Method], *, cases: int, seed: int) -> Tally:
    """Send so many cases; the same seed makes the same ones, but for what replies tell."""
    began = time.monotonic()
    with ThreadPoolExecutor(LANES) as lanes:
        tallies = lanes.map(
            lambda lane: _lane(target, methods, cases=cases // LANES, seed=f"{seed}/{lane}"),
            range(LANES),
        )
        whole = Tally()
        for tally in tallies:
            whole.add(tally)
    whole.seconds = time.monotonic() - began
    return whole


def _lane(target: Target, methods: Sequence[Method], *, cases: int, seed: str) -> Tally:
    lane = Lane(Random(seed), target.keys, target.receiver_url)
    oracle, tally = Oracle((target.keys.merchant, target.keys.scratch)), Tally()
    http = Connection(target.port)
    addresses = {f"127.0.0.1:{target.port}", *target.workers.values()}
    channels = {address: grpc.insecure_channel(address) for address in addresses}
    recent: list[Case] = []
    for _ in range(cases):
        if recent and lane.random.random() < AGAIN:
            case = lane.random.choice(recent)
        else:
            case = _case(lane, target, methods, http, channels)
            recent = [*recent[-RECENT:], case]
        reply = case.send()
        _teach(lane, case, reply)
        tally.note(case, reply, oracle.complaints(case, reply))
    http.close()
    for channel in channels.values():
        channel.close()
    return tally


def _case(
    lane: Lane,
    target: Target,
    methods: Sequence[Method],
    http: Connection,
    channels: dict[str, grpc.Channel],
) -> Case:
    (method,) = lane.random.choices(methods, [_weight(method) for method in methods])
    kind = lane.random.random()
    if kind < 0.45:
        return rest_case(lane, http, method)
    make = message_case if kind < 0.7 else bytes_case
    worker = target.workers.get(method.service)
    if worker and lane.random.random() < 0.4:
        return make(lane, channels[worker], method, to=" to a worker")
    return make(lane, channels[f"127.0.0.1:{target.port}"], method, to="")


def _weight(method: Method) -> float:
    """What makes something, or moves money, has more ways to go wrong."""
    binding = method.bindings[0]
    if ".sandbox." in method.service and "{" in binding.template:
        return 4.0  # what it names has mostly been removed by a reset
    if ".sandbox." in method.service or binding.verb == "GET":
        return 1.0
    return 2.0 if "{" in binding.template else 5.0


def _teach(lane: Lane, case: Case, reply: Reply) -> None:
    if reply.message is not None:
        lane.pool.learn(case.method, case.request, reply.message)
    if case.request is not None and (
        reply.code == "NOT_FOUND" or case.method.bindings[0].verb == "DELETE"
    ):
        lane.pool.forget(case.method, case.request)
