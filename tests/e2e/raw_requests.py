"""Requests of HTTP/1.1, byte by byte."""

HOST = b"Host: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"
CLOSE = b"Connection: close\r\n"


def get(
    headers: bytes = b"",
    *,
    path: bytes = b"/payments",
    method: bytes = b"GET",
    host: bytes = HOST,
    version: bytes = b"HTTP/1.1",
) -> bytes:
    """Return a request without a body."""
    return method + b" " + path + b" " + version + b"\r\n" + host + headers + b"\r\n"


def post(headers: bytes, body: bytes = b"{}") -> bytes:
    """Return a request with a body of JSON."""
    json = b"Content-Type: application/json\r\n"
    return b"POST /authorize HTTP/1.1\r\n" + HOST + json + headers + b"\r\n" + body


def length(text: bytes, body: bytes = b"{}") -> bytes:
    """Return a request with this text for its length."""
    return post(b"Content-Length: " + text + b"\r\n", body)


def many(count: int) -> bytes:
    """Return that many headers."""
    return b"".join(b"x-%d: a\r\n" % number for number in range(count))
