"""The processes of paygate. They talk over gRPC and never import each other."""

import os

# Before anything imports grpc, which reads it once. gRPC's older event loop does all of a
# connection's work in the thread that waits for it, the newer one hands it from thread to thread:
# a call costs a tenth less so. Measured in docs/performance.md; an operator's own setting wins.
os.environ.setdefault(
    "GRPC_EXPERIMENTS",
    "-event_engine_listener,-event_engine_client,-event_engine_callback_cq,"
    "-event_engine_for_all_other_endpoints,-event_engine_fork",
)
