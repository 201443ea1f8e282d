"""Each call about sandboxes for tests, built of its arguments."""

from datetime import datetime, timedelta

from paygate_client import _decode as read
from paygate_client import _decode_sandboxes as read_sandboxes
from paygate_client._call import Call, part
from paygate_client._requests import listing, posted, sent_time
from paygate_client.models import Page
from paygate_client.sandbox_models import CreatedSandbox, SandboxInfo


def create_sandbox(
    name: str, *, time_to_live: timedelta | None, start_time: datetime | None
) -> Call[CreatedSandbox]:
    """Make a sandbox."""
    body: dict[str, object] = {"name": name}
    if time_to_live is not None:
        body["time_to_live"] = f"{time_to_live.total_seconds():.6f}s"
    if start_time is not None:
        body["start_time"] = sent_time(start_time)
    return posted("create sandbox", "/sandbox/sandboxes", body, read_sandboxes.created_sandbox)


def list_sandboxes(*, token: str) -> Call[Page[SandboxInfo]]:
    """One page of the merchant's sandboxes."""
    found = read.page("sandboxes", read_sandboxes.sandbox)
    return listing("list sandboxes", "/sandbox/sandboxes", found, token=token, follow=False)


def delete_sandbox(sandbox_id: str) -> Call[None]:
    """End a sandbox."""
    return Call(
        name="delete sandbox",
        method="DELETE",
        path=f"/sandbox/sandboxes/{part(sandbox_id)}",
        read=read.nothing,
        gone_is_done=True,
    )
