"""What the scenarios have used and received, for the search for leaks that comes after them."""

import re
from dataclasses import dataclass, field

import grpc

from tests.e2e.clients import Answer, Headers
from tests.e2e.receiver import Posted

_SIGNING_SECRET = re.compile(rb"whsec_[A-Za-z0-9+/=]+")


@dataclass
class Seen:
    """Secrets of a session, and all that was posted to merchants' endpoints.

    Attributes:
        api_keys: Every key that some request was carried out with.
        signing_secrets: Every secret of a webhook that was told.
        posted: What the endpoints received.
    """

    api_keys: set[str] = field(default_factory=set)
    signing_secrets: set[str] = field(default_factory=set)
    posted: list[Posted] = field(default_factory=list)

    def note(self, headers: Headers, answer: Answer) -> None:
        """Remember the secrets of one call."""
        if answer.code is grpc.StatusCode.OK:
            self.api_keys |= {
                value.partition(" ")[2] for name, value in headers if name == "authorization"
            }
        self.signing_secrets |= {found.decode() for found in _SIGNING_SECRET.findall(answer.body)}
