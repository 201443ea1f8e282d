"""The processes of paygate. They talk over gRPC and never import each other."""

import os
import sys

# Before anything imports grpc, which reads it once. With grpc.aio's server gRPC's older event loop
# is cheaper by a tenth; with ours the newer one, which is gRPC's default, by as much and more
# (docs/adr/0046). An operator's own setting wins.
if os.environ.get("PAYGATE_GRPC_SERVER") == "aio":
    os.environ.setdefault(
        "GRPC_EXPERIMENTS",
        "-event_engine_listener,-event_engine_client,-event_engine_callback_cq,"
        "-event_engine_for_all_other_endpoints,-event_engine_fork",
    )

# structlog asks for rich, to colour what people read at a terminal. Here the log is JSON, and that
# is a sixth of a process's start. What wants rich later finds it.
if not {"rich", "structlog"} & sys.modules.keys():
    sys.modules["rich"] = None  # type: ignore[assignment]  # its import fails
    import structlog  # noqa: F401

    del sys.modules["rich"]
