"""Requests over REST that are wrong in one to three ways."""

from random import Random

from tests.fuzz import json_odd
from tests.fuzz.api import Method
from tests.fuzz.case import Lane
from tests.fuzz.rest import Connection, HttpCase, plain

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
CONTENT_TYPES = (
    *("", "application/json; charset=utf-8", "application/json;charset=utf-16", "APPLICATION/JSON"),
    *("application/json5", "text/plain", "text/json", "application/x-www-form-urlencoded"),
    *("multipart/form-data; boundary=x", "application/xml", "application/x-protobuf", "*/*"),
    *("application/json, text/plain", "application/ld+json", "application/json;"),
)
HEADERS = (
    *(("x-request-id", "a"), ("x-request-id", "ä" * 30), ("x-request-id", "a" * 500)),
    *(("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),),
    *(("traceparent", "ff-zz"), ("tracestate", "a=" + "b" * 600), ("baggage", "k=v,%ff")),
    *(("grpc-timeout", "1n"), ("grpc-encoding", "gzip"), ("grpc-status", "0"), ("grpc-x", "y")),
    *(("x-odd-bin", "!!"), ("x-odd-bin", "AAAA"), ("idempotency-key-bin", "AA"), ("a|b", "c")),
    *(("te", "trailers"), ("accept", "text/html"), ("accept-encoding", "gzip, br, \x7f")),
    *(("content-encoding", "gzip"), ("expect", "100-continue"), ("range", "bytes=0-1")),
    *(("if-none-match", "*"), ("if-modified-since", "never"), ("cookie", "a=b; c")),
    *(("x-forwarded-for", "127.0.0.1, ::1"), ("x-forwarded-proto", "gopher"), ("forwarded", "x")),
    *(("x-envoy-upstream-rq-timeout-ms", "1"), ("x-envoy-retry-on", "5xx"), ("via", "1.0 a" * 20)),
    *(("x-envoy-original-path", "/nope"), ("x-http-method-override", "DELETE"), ("origin", "null")),
    *(("x-long", "a" * 3000), ("x-latin", "\xe9\xff"), ("x-empty", ""), ("x_underscore", "1")),
    *(("x-tab", "a\tb"), ("x-control", "a\x01b"), ("user-agent", ""), ("host", "example.invalid")),
)
KEYS = ("", " ", "a" * 255, "a" * 256, "a b", "ä", "a\tb", "\xff", "k,k", "\xf0\x9f\x98\x80")
ESCAPES = (
    *("%00", "%2f", "%2F", "%5c", "%ff", "%fe%ff", "%c0%af", "%", "%zz", "%25", "%0d%0a", "%20"),
    *("%0a", "+", "..", ";", ":", "@", "~"),
)
SUFFIXES = ("/", "//", ";a=b", "/actions", "#x", ".json", "/" * 50)
QUERIES = (
    *("?", "??", "?&&&=", "?a=b", "?id=pay_x", "?%69%64=x", "?reference=%00", "?x=" + "y" * 5000),
    *("?page_size=1&page_size=2", "?page_size=", "?page_size=x", "?page_size=%ff", "?pageSize=1"),
    *("?page_size[]=1", "?page_size.x=1", "?page_size=99999999999999999999", "?page_size=1.5"),
    *("?page_token=" + "A" * 3000, "?include_actions=maybe", "?status=9999", "?status=-1"),
    *("?created_after=tomorrow", "?created_after=9999-12-31T23:59:59.9999999999Z", "?status="),
    *("?created_after=0001-01-01T00:00:00Z", "?created_after.seconds=1", "?created_after=1"),
)


def rest_case(lane: Lane, connection: Connection, method: Method) -> HttpCase:
    """Make a case; a third is right by the schema."""
    odd = lane.oddness(0.06)
    is_tampered = odd > 0 and lane.random.random() < 0.7
    request = lane.request(method, odd=0 if is_tampered else odd)
    case = plain(lane, connection, method, request, odd=odd)
    if is_tampered:
        case.request = None
        for _ in range(lane.random.choice((1, 1, 1, 2, 3))):
            lane.random.choice(TAMPERING)(lane.random, case)
    return case


def _other_verb(random: Random, case: HttpCase) -> None:
    case.verb = random.choice(VERBS)


def _other_type(random: Random, case: HttpCase) -> None:
    case.headers = [pair for pair in case.headers if pair[0] != "content-type"]
    case.headers.append(("content-type", random.choice(CONTENT_TYPES)))


def _more_headers(random: Random, case: HttpCase) -> None:
    case.headers += random.sample(HEADERS, random.randint(1, 4))
    if random.random() < 0.05:
        case.headers += [(f"x-many-{number}", "1") for number in range(random.choice((40, 70)))]


def _other_key(random: Random, case: HttpCase) -> None:
    case.headers.append(("idempotency-key", random.choice(KEYS)))


def _other_target(random: Random, case: HttpCase) -> None:
    path, mark, query = case.target.partition("?")
    match random.randrange(6):
        case 0:
            case.target = path + random.choice(QUERIES)
        case 1:
            place = random.randint(1, len(path))
            case.target = path[:place] + random.choice(ESCAPES) + path[place:] + mark + query
        case 2:
            case.target = random.choice(("/v1", "/v2", "/", "//", "/./", "/x/..")) + case.target
        case 3:
            case.target = path + random.choice(SUFFIXES)
        case 4:
            case.target = f"{path}/{'a' * random.choice((10, 300, 9000))}"
        case _:
            case.target += ("&" if query else "?") + random.choice(QUERIES)[1:]


def _other_body(random: Random, case: HttpCase) -> None:
    if case.body is None:
        case.body = random.choice((b"{}", b"", b"[]", b'{"id": "x"}', b" " * 70_000))
        case.headers.append(("content-type", "application/json"))
    else:
        case.body = json_odd.tampered(random, case.body)


TAMPERING = (
    *(_other_verb, _other_type, _more_headers, _other_key, _other_target, _other_target),
    *(_other_body, _other_body, _other_body, _other_body, _other_body),
)
