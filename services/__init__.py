"""The processes of paygate. They talk over gRPC and never import each other."""

import os

# Before anything imports grpc, which reads it once. With grpc.aio's server gRPC's older event loop
# is cheaper by a tenth; with ours the newer one, which is gRPC's default, by as much and more
# (docs/adr/0046). An operator's own setting wins.
if os.environ.get("PAYGATE_GRPC_SERVER") == "aio":
    os.environ.setdefault(
        "GRPC_EXPERIMENTS",
        "-event_engine_listener,-event_engine_client,-event_engine_callback_cq,"
        "-event_engine_for_all_other_endpoints,-event_engine_fork",
    )
