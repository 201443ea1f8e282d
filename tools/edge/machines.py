"""An edge whose services run on machines that it knows by address, each on all of them."""

from collections.abc import Sequence
from typing import Any, Final

# As in deploy/ha/services. `health` is where a worker shows its health, `health-webhooks` a relay.
PORTS: Final = {
    "payments": 50051,
    "events": 50053,
    "reflection": 50053,
    "health": 9464,
    "health-webhooks": 9465,
}


def place(config: dict[str, Any], machines: Sequence[str]) -> None:
    """Have each service at its port on each of these machines, and ask no DNS for them."""
    for cluster in config["static_resources"]["clusters"]:
        port = PORTS.get(cluster["name"])
        if port is None:
            continue
        addresses = [{"address": machine, "port_value": port} for machine in machines]
        cluster["type"] = "STATIC"
        cluster["load_assignment"]["endpoints"] = [
            {"lb_endpoints": [{"endpoint": {"address": {"socket_address": a}}} for a in addresses]}
        ]
