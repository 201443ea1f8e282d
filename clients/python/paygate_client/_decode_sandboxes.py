"""From the JSON of sandboxes to values."""

from paygate_client._decode import Json, time
from paygate_client.sandbox_models import CreatedSandbox, SandboxInfo


def sandbox(said: Json) -> SandboxInfo:
    """Read a sandbox."""
    return SandboxInfo(
        id=said["id"],
        name=said["name"],
        create_time=time(said["create_time"]),
        expire_time=time(said["expire_time"]),
    )


def created_sandbox(said: Json) -> CreatedSandbox:
    """Read a sandbox and its API key."""
    return CreatedSandbox(sandbox=sandbox(said["sandbox"]), api_key=said["api_key"])
