"""Steps that speak of gRPC as it is."""

from pytest_bdd import parsers, when

from tests.e2e.clients import GrpcClient
from tests.e2e.steps.story import Story


@when(parsers.re(r"I call (?P<method>/\S+)(?P<broken> with bytes that are no message)?"))
def call(story: Story, client: GrpcClient, method: str, broken: str | None) -> None:
    """Call any method."""
    body = b"\xff\xff\xff" if broken else b""
    story.remember([client.send(method, body, story.credentials)])
