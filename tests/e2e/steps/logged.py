"""Looking at the request log of the sandbox."""

import time
from collections.abc import Sequence

from pytest_bdd import then

from tests.e2e.steps.story import POLL_SECONDS, SETTLES_SECONDS_MAX, Asked, Story, rows


@then("the request log of this payment becomes")
def log_becomes(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """Look until it is so."""
    wanted = rows(datatable)
    asked = Asked("ListRequests", {"payment_id": story.payment.id}, story.credentials)
    deadline = time.monotonic() + SETTLES_SECONDS_MAX
    while True:
        message: object = story.call(asked).message
        found = [
            {name: getattr(one, name) for name in wanted[0]}
            for one in message.requests  # type: ignore[attr-defined]  # it is a list of them
        ]
        if found == wanted:
            return
        assert time.monotonic() < deadline, found
        time.sleep(POLL_SECONDS)


@then("the last call is found by the id that its answer came with")
def found_by_id(story: Story) -> None:
    """Whoever has an answer, or an error, can look at the whole call."""
    request_id = story.answers[-1].headers["x-request-id"]
    message: object = story.call(Asked("GetRequest", {"id": request_id}, story.credentials)).message
    found = message.request  # type: ignore[attr-defined]  # it is a call
    assert (found.id, found.method) == (request_id, story.sent[-1].rpc)
    assert found.reason == story.answers[-1].info.reason
