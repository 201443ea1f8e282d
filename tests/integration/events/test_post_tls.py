"""Attempts over TLS: as far as the certificate is the receiver's, and no further."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pkg.process.mode import Mode
from services.events.post import Answer, Poster
from tests.certificates import AuthorityInFiles
from tests.integration.events.raw_receiver import answering
from tests.integration.events.test_post import BODY, OK, posted


def speaking(authority: AuthorityInFiles, name: str) -> ssl.SSLContext:
    """Return what a receiver of that name speaks."""
    pair = authority.issue(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuthorityInFiles:
    """An authority that this machine trusts."""
    authority = AuthorityInFiles(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
async def poster(authority: AuthorityInFiles) -> AsyncIterator[Poster]:
    """What posts in the sandbox, where the authority is trusted."""
    assert authority.file.exists()
    poster = Poster(Mode.SANDBOX, timeout_seconds=5)
    yield poster
    await poster.close()


@pytest.mark.parametrize("keep", [False, True])
async def test_events_are_posted_over_tls(
    poster: Poster, authority: AuthorityInFiles, keep: bool
) -> None:
    """Whether the receiver keeps the connection, which carries the next one, or closes it."""
    async with answering(OK, keep=keep, tls=speaking(authority, "localhost")) as receiver:
        for _ in range(2):
            assert await posted(poster, receiver) == Answer(200, reply="ok")
    assert [request.endswith(BODY) for request in receiver.requests] == [True, True]
    assert receiver.lines == (1 if keep else 2)


async def test_another_name_is_not_posted_to(poster: Poster, authority: AuthorityInFiles) -> None:
    """And it is said what was wrong with it."""
    async with answering(OK, tls=speaking(authority, "other.example")) as receiver:
        answer = await posted(poster, receiver)
    assert (answer.status, receiver.requests) == (0, [])
    assert answer.error.startswith("TLS: Hostname mismatch")


async def test_an_authority_that_nobody_knows_is_not_trusted(
    poster: Poster, tmp_path: Path
) -> None:
    """Nor is a certificate that a receiver has made itself."""
    stranger = AuthorityInFiles(tmp_path, "stranger")
    async with answering(OK, tls=speaking(stranger, "localhost")) as receiver:
        answer = await posted(poster, receiver)
    assert (answer.status, receiver.requests) == (0, [])
    assert answer.error.startswith("TLS: ")
