"""The fuzzer itself: the same seed makes the same cases, and what is wrong is seen."""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from tests.fuzz import json_odd, native, wire
from tests.fuzz.aftermath import trouble
from tests.fuzz.api import Method, public_methods
from tests.fuzz.case import Keys, Lane, Reply
from tests.fuzz.oracle import Oracle
from tests.fuzz.pool import Pool
from tests.fuzz.rest import Connection, plain
from tests.sentinels import AMEX_CVV, VISA, written

KEYS = Keys(merchant=f"sk_{'a' * 16}_{'9c' * 32}", scratch=f"sk_{'b' * 16}_{'5e' * 32}")
METHODS = public_methods()


def lane(seed: str) -> Lane:
    """Return a lane that knows nothing yet."""
    return Lane(Random(seed), KEYS, "http://127.0.0.1:1")


def error(code: int, reason: str, message: str = "", domain: str = "paygate") -> Status:
    """Return an error as the services make them."""
    packed = AnyMessage()
    packed.Pack(ErrorInfo(reason=reason, domain=domain))
    return Status(code=code, message=message, details=[packed])


@dataclass
class Stub:
    """A case of which only the reply matters."""

    hurried: bool = False
    oversized: bool = False
    kind: str = "rest"
    method: Method = METHODS[0]
    request: Message | None = None

    def send(self) -> Reply:
        """Never sent."""
        raise NotImplementedError

    def shown(self) -> str:
        """Never shown."""
        raise NotImplementedError


GOOD = Reply(
    http_status=400,
    code="INVALID_ARGUMENT",
    reason="VALIDATION_FAILED",
    error=error(3, "VALIDATION_FAILED"),
    headers=[("x-request-id", "1"), ("content-type", "application/json")],
    body=b"{}",
)
NATIVE = replace(GOOD, http_status=None)
FINE = Reply(http_status=200, code="OK", headers=[("x-request-id", "1")])
WRONG = {
    "a 500": replace(GOOD, http_status=500, code="INTERNAL", reason="INTERNAL"),
    "a documented 503": replace(
        GOOD, http_status=503, code="UNAVAILABLE", reason="DEPENDENCY_UNAVAILABLE"
    ),
    "INTERNAL over gRPC": replace(NATIVE, code="INTERNAL", reason="INTERNAL"),
    "UNKNOWN over gRPC": replace(NATIVE, code="UNKNOWN", reason="", error=Status(code=2)),
    "no ErrorInfo": replace(GOOD, reason="", error=Status(code=3)),
    "no google.rpc.Status": replace(GOOD, error=None),
    "an undocumented reason": replace(GOOD, reason="NOBODY_KNOWS"),
    "another status than the code's": replace(GOOD, http_status=404),
    "another code than the reason's": replace(NATIVE, code="NOT_FOUND"),
    "no request id": replace(GOOD, headers=[("content-type", "application/json")]),
    "two request ids": replace(FINE, headers=[("x-request-id", "1"), ("x-request-id", "2")]),
    "no content type": replace(GOOD, headers=[("x-request-id", "1")]),
    "a cut connection": Reply(http_status=0, code="HTTP 0"),
    "a card's number": replace(GOOD, body=f"no such thing: {written(VISA)[1]}".encode()),
    "a card's number in a header": replace(FINE, headers=[*FINE.headers, ("location", VISA)]),
    "a card's number in an error": replace(NATIVE, error=error(3, "VALIDATION_FAILED", VISA)),
    "a CVV": replace(FINE, body=f'{{"cvv": "{AMEX_CVV}"}}'.encode()),
    "an API key": replace(FINE, body=KEYS.merchant.encode()),
    "a part of an API key": replace(FINE, body=KEYS.scratch[-64:].encode()),
}


@pytest.mark.parametrize("reply", WRONG.values(), ids=WRONG.keys())
def test_the_oracle_sees_what_is_wrong(reply: Reply) -> None:
    """Whatever no reply may be is complained of."""
    assert Oracle([KEYS.merchant, KEYS.scratch]).complaints(Stub(), reply)


@pytest.mark.parametrize("reply", [GOOD, NATIVE, FINE], ids=["REST", "gRPC", "success"])
def test_the_oracle_lets_pass_what_is_right(reply: Reply) -> None:
    """A documented refusal and a success are no failures."""
    assert Oracle([KEYS.merchant]).complaints(Stub(), reply) == []


def test_only_who_asks_for_haste_may_be_late() -> None:
    """A deadline that passed is a failure, unless the case set one that cannot be met."""
    late = Reply(code="DEADLINE_EXCEEDED", error=Status(code=4), body=b"x")
    assert Oracle([]).complaints(Stub(), late)
    assert Oracle([]).complaints(Stub(hurried=True), late) == []


def test_another_domain_is_not_ours() -> None:
    """An ErrorInfo of somebody else's is none."""
    strange = replace(GOOD, reason="", error=error(3, "VALIDATION_FAILED", domain="example"))
    assert Oracle([]).complaints(Stub(), strange)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_same_seed_makes_the_same_requests(method: Method) -> None:
    """Every public method gets requests, decided by the seed alone."""
    first, again = ([lane("1/0").request(method, odd=0.05) for _ in range(20)] for _ in range(2))
    assert first == again
    here = lane("1/0")
    case = plain(here, Connection(1), method, here.request(method, odd=0), odd=0)
    assert case.verb == method.bindings[0].verb
    assert "{" not in case.target


@pytest.mark.parametrize("name", ["ListEvents", "ListPayments"])
def test_lists_are_asked_for_without_filters_too(name: str) -> None:
    """With a period and more every time they would be empty, and tell of nothing to go on with."""
    (method,) = (one for one in METHODS if one.name == name)
    here = lane("lists")
    bare = {"page_size", "page_token", "follow"}
    asked = [here.request(method, odd=0) for _ in range(200)]
    count = sum({field.name for field, _ in one.ListFields()} <= bare for one in asked)
    assert 40 < count < 160


def test_the_right_kind_of_id_is_found_soon() -> None:
    """A field that does not tell what it names is tried with each kind, and then keeps to it."""
    (method,) = (one for one in METHODS if one.name == "RedeliverEvent")
    kinds = ("act", "evt", "pay", "tok", "we")
    for seed in range(100):
        pool, random, tries = Pool(), Random(f"kinds/{seed}"), 0
        pool.ids = {kind: [f"{kind}_{n}{'0' * 25}" for n in range(8)] for kind in kinds}
        while not (named := pool.id_for(random, method, "id", prefix=None)).startswith("evt_"):
            pool.forget(method, method.request(id=named))
            tries += 1
        assert tries < 2 * len(kinds)
        pool.learn(method, method.request(id=named), method.response())
        later = [pool.id_for(random, method, "id", prefix=None) for _ in range(100)]
        assert sum(one.startswith("evt_") for one in later) > 80


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_metadata_is_well_within_what_the_edge_takes_or_well_over_it(method: Method) -> None:
    """Both are tried, in bytes and in number, and what lies between never: nobody could judge."""
    here, sizes, numbers = lane("metadata"), [], []
    for _ in range(300):
        metadata = native.metadata_of(here, method, odd=1)
        sizes.append(sum(len(name) + len(value) for name, value in metadata))
        numbers.append(len(metadata))
    assert not [size for size in sizes if 56_100 < size <= 64_000 or size > 90_000]
    assert not [number for number in numbers if 210 < number <= 300]
    assert max(sizes) > 64_000
    assert any(20_000 < size < 56_100 for size in sizes)
    assert max(numbers) > 300


def test_who_sends_too_much_may_be_cut_off() -> None:
    """No reason can be asked for, but nothing may have been done."""
    reset = Reply(code="INTERNAL", error=Status(code=13), body=b"x")
    assert Oracle([]).complaints(Stub(), reset)
    assert Oracle([]).complaints(Stub(oversized=True), reset) == []
    assert Oracle([]).complaints(Stub(oversized=True), FINE)


def test_tampering_never_fails() -> None:
    """Whatever was done to a body can be tampered with again."""
    random = Random("tampering")
    for _ in range(300):
        text = b'{"amount": {"minor_units": "1", "currency": "GBP"}, "types": ["a"]}'
        data = METHODS[0].request().SerializeToString() + b"\x0a\x02ab"
        for _ in range(4):
            text = json_odd.tampered(random, text)
            data = wire.tampered(random, data)
        assert isinstance(text, bytes)
        assert len(data) <= wire.BYTES_MAX


HUNG_UP = (
    'Traceback (most recent call last):\n  File "a"\nExecuteBatchError: Failed "execute_batch"'
)
LOGGED = {
    '{"event": "settled", "level": "info"}': 0,
    HUNG_UP: 0,
    "2026-11-24 10:00:00 UTC [1] a@b ERROR:  canceling statement due to user request": 0,
    'Traceback (most recent call last):\n  File "a"\nKeyError: 1': 1,
    f'{HUNG_UP}\nTraceback (most recent call last):\n  File "a"\nKeyError: 1\n{{"event": "b"}}': 1,
    '{"event": "unexpected error", "level": "error", "exception": "Traceback"}\n' * 2: 2,
    "2026-11-24 10:00:00 UTC [1] a@b ERROR:  division by zero\n\tcontext": 1,
    "[2026-11-24 10:00:00][1][critical][main] assert failure": 1,
}


@pytest.mark.parametrize(("text", "count"), LOGGED.items(), ids=range(len(LOGGED)))
def test_trouble_is_seen_in_a_log(tmp_path: Path, text: str, count: int) -> None:
    """What a bug logs is found, and what a client that hangs up brings about is not."""
    log = tmp_path / "some.log"
    log.write_text(f"KeyError before it began\nTraceback\n{text}")
    assert len(trouble({log: len("KeyError before it began\nTraceback\n")})) == count
